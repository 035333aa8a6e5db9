//! What is remembered of each camera: its format and its controls.

use std::path::{Path, PathBuf};

use facelens_media::{CameraFormat, CameraInfo, ControlKind, ControlValue};
use toml::Table;
use toml_edit::{Array, InlineTable, Value};

/// What is remembered of a camera.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CameraSettings {
    /// The camera's name.
    pub name: String,
    /// Where it is plugged in ([`CameraInfo::place`]): two cameras of one model share their name.
    pub place: PathBuf,
    /// The format in which it is opened; `None`: the best for faces.
    pub format: Option<CameraFormat>,
    /// The controls that were set.
    pub controls: Vec<(ControlKind, ControlValue)>,
}

impl CameraSettings {
    /// Nothing but which camera it is.
    pub fn of(camera: &CameraInfo) -> Self {
        Self { name: camera.name.clone(), place: camera.place().to_owned(), ..Self::default() }
    }

    /// Remembers a control.
    pub fn set(&mut self, kind: ControlKind, value: ControlValue) {
        self.controls.retain(|(known, _)| *known != kind);
        self.controls.push((kind, value));
    }

    fn is_empty(&self) -> bool {
        self.format.is_none() && self.controls.is_empty()
    }
}

/// What is remembered of the camera of this name in this place: of the same camera, or of the only one of this name, which
/// may have been plugged in elsewhere. Without a place, of the only one of this name.
pub fn find<'a>(cameras: &'a [CameraSettings], name: &str, place: Option<&Path>) -> Option<&'a CameraSettings> {
    let mut of_name = cameras.iter().filter(|camera| camera.name == name);
    let same = place.and_then(|place| of_name.clone().find(|camera| camera.place == place));
    same.or_else(|| of_name.next().filter(|_| of_name.next().is_none()))
}

/// Changes what is remembered of a camera; one of which nothing is left is forgotten.
pub fn change(cameras: &mut Vec<CameraSettings>, camera: &CameraInfo, change: impl FnOnce(&mut CameraSettings)) {
    let before = find(cameras, &camera.name, Some(camera.place())).cloned();
    cameras.retain(|known| Some(known) != before.as_ref());
    let mut settings = before.unwrap_or_default();
    (settings.name, settings.place) = (camera.name.clone(), camera.place().to_owned());
    change(&mut settings);
    if !settings.is_empty() {
        cameras.push(settings);
    }
}

/// As the file of the settings has it.
pub(super) fn value_of(cameras: &[CameraSettings]) -> Value {
    let table = |camera: &CameraSettings| {
        let mut table = InlineTable::new();
        table.insert("name", camera.name.as_str().into());
        // TOML is UTF-8; the kernel's paths are, too.
        table.insert("place", camera.place.to_str().unwrap_or_default().into());
        if let Some(format) = &camera.format {
            table.insert("format", format.to_string().into());
        }
        for (kind, value) in &camera.controls {
            let value = match value {
                ControlValue::Auto => Value::from("auto"),
                ControlValue::Fixed(value) => Value::from(*value),
            };
            table.insert(kind.name(), value);
        }
        Value::InlineTable(table)
    };
    Value::Array(cameras.iter().map(table).collect::<Array>())
}

/// What the file of the settings says; what cannot be used becomes a warning.
pub(super) fn of_tables(tables: &[Table], warnings: &mut Vec<String>) -> Vec<CameraSettings> {
    tables.iter().filter_map(|table| of_table(table, warnings)).collect()
}

fn of_table(table: &Table, warnings: &mut Vec<String>) -> Option<CameraSettings> {
    let mut warn = |key: &str, what: &str| warnings.push(format!("`cameras`: `{key}` must be {what}; it is left out"));
    let text = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let Some(name) = text("name") else {
        warn("name", "the name of a camera");
        return None;
    };
    let mut camera = CameraSettings { name: name.to_owned(), ..CameraSettings::default() };
    camera.place = text("place").unwrap_or_default().into();
    if table.contains_key("format") {
        camera.format = text("format").and_then(|format| format.parse().ok());
        if camera.format.is_none() {
            warn("format", "a format like 1280x720@30:MJPG");
        }
    }
    for kind in ControlKind::ALL {
        match table.get(kind.name()) {
            None => {}
            Some(toml::Value::Integer(value)) => camera.set(kind, ControlValue::Fixed(*value)),
            Some(toml::Value::String(auto)) if auto == "auto" => camera.set(kind, ControlValue::Auto),
            Some(_) => warn(kind.name(), "a whole number or \"auto\""),
        }
    }
    Some(camera)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(name: &str, place: &str) -> CameraSettings {
        let format = "1280x720@30:MJPG".parse().ok();
        let controls = vec![(ControlKind::Exposure, ControlValue::Fixed(250)), (ControlKind::Gain, ControlValue::Auto)];
        CameraSettings { name: name.into(), place: place.into(), format, controls }
    }

    fn info(name: &str, place: &str) -> CameraInfo {
        let (formats, every_format, choices) = (vec![], vec![], vec![]);
        let by_path = Some(place.into());
        CameraInfo {
            index: 0,
            name: name.into(),
            device: "/dev/video0".into(),
            by_path,
            formats,
            every_format,
            choices,
        }
    }

    fn read(text: &str) -> (Vec<CameraSettings>, Vec<String>) {
        let table: Table = text.parse().unwrap();
        let tables: Vec<Table> = table["cameras"].clone().try_into().unwrap();
        let mut warnings = Vec::new();
        (of_tables(&tables, &mut warnings), warnings)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let cameras = vec![camera("Twin", "/by-path/1"), CameraSettings { format: None, ..camera("\"é\"", "/2") }];
        assert_eq!(read(&format!("cameras = {}", value_of(&cameras))), (cameras, vec![]));
    }

    #[test]
    fn what_cannot_be_used_costs_only_itself_and_is_named() {
        let (cameras, warnings) = read(
            "cameras = [{ name = \"A\", format = \"large\", gain = \"much\", focus = 3 }, { place = \"/dev/video0\" }]",
        );
        assert_eq!(cameras[0].controls, [(ControlKind::Focus, ControlValue::Fixed(3))]);
        assert_eq!((cameras.len(), warnings.len()), (1, 3), "{warnings:?}");
        assert!(warnings[0].contains("`format`") && warnings[1].contains("`gain`") && warnings[2].contains("`name`"));
    }

    #[test]
    fn twins_are_told_apart_by_their_places_and_one_that_moved_is_known() {
        let cameras = [camera("Twin", "/1"), camera("Twin", "/2"), camera("Alone", "/3")];
        let found = |name, place| find(&cameras, name, place).map(|camera| camera.place.clone());
        assert_eq!(found("Twin", Some(Path::new("/2"))), Some("/2".into()));
        assert_eq!(found("Twin", Some(Path::new("/9"))), None, "it may be either");
        assert_eq!(found("Twin", None), None);
        assert_eq!(found("Alone", Some(Path::new("/9"))), Some("/3".into()));
        assert_eq!(found("Alone", None), Some("/3".into()));
    }

    #[test]
    fn a_camera_of_which_nothing_is_left_is_forgotten() {
        let mut cameras = vec![camera("Alone", "/3")];
        change(&mut cameras, &info("Alone", "/4"), |camera| camera.set(ControlKind::Gain, ControlValue::Fixed(7)));
        assert_eq!((cameras.len(), cameras[0].place.as_path()), (1, Path::new("/4")), "it was plugged in elsewhere");
        assert_eq!(cameras[0].controls[1], (ControlKind::Gain, ControlValue::Fixed(7)));
        change(&mut cameras, &info("Alone", "/4"), |camera| (camera.format, camera.controls) = (None, vec![]));
        assert!(cameras.is_empty());
    }
}
