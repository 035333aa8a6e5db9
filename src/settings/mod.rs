//! What is remembered between runs: `settings.toml` in the user's configuration folder.
//!
//! A bad file is never fatal: each key that cannot be used falls back to its default and is named in a warning. What is
//! written changes only what the user has changed: comments, and keys that this version does not know, stay.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use facelens_core::detect::DetectorKind;
use facelens_core::model::Task;
use facelens_media::{CameraChoice, CameraDevice, SourceSpec};
use facelens_session::recording::RecordedPictures;
use serde::de::DeserializeOwned;
use toml::Table;
use toml_edit::{Array, DocumentMut, Item, Value};

use crate::outputs::OPENTRACK_PORT;

pub use appearance::{TEXT_SIZES, ThemeChoice};
pub use cameras::CameraSettings;
pub use file::{PendingSave, SettingsError, SettingsFile};

mod appearance;
pub mod cameras;
mod file;

/// Environment variable that names another folder for `settings.toml`.
pub const CONFIG_DIR_VARIABLE: &str = "FACELENS_CONFIG_DIR";

/// Width of the side panel in points: what it may be.
pub const PANEL_WIDTHS: std::ops::RangeInclusive<f32> = 280.0..=480.0;

/// What is remembered.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The source that was chosen last (a camera by its name), or `None` before the first choice.
    pub source: Option<SourceSpec>,
    /// Cameras are shown mirrored.
    pub mirror: bool,
    /// Boxes around the faces.
    pub boxes: bool,
    /// ID, age and gender at each face.
    pub labels: bool,
    /// The three pose axes.
    pub axes: bool,
    /// Yaw, pitch and roll in figures.
    pub angles: bool,
    /// The detector.
    pub detector: DetectorKind,
    /// Model files chosen for age; empty: the shipped ones. Several are averaged.
    pub age_models: Vec<PathBuf>,
    /// Model files chosen for gender.
    pub gender_models: Vec<PathBuf>,
    /// Model files chosen for head pose.
    pub pose_models: Vec<PathBuf>,
    /// The model that tells the age by gait: a card, or an .onnx with its card beside it; `None`: the one that ships, if any.
    pub gait_model: Option<PathBuf>,
    /// Where recorded sessions are kept; `None`: `facelens` in the user's folder for videos.
    pub sessions_folder: Option<PathBuf>,
    /// What is remembered of each camera.
    pub cameras: Vec<CameraSettings>,
    /// The files and folders that were opened last, the newest first.
    pub recent_files: Vec<PathBuf>,
    /// Which pictures are recorded.
    pub record_pictures: RecordedPictures,
    /// Faces are made unrecognisable in recorded videos and in the virtual camera.
    pub record_blur: bool,
    /// Seconds that are counted before a recording; 0: it begins at once.
    pub record_countdown_secs: u32,
    /// Recorded videos are mirrored.
    pub record_mirror: bool,
    /// Where opentrack listens. Whether anything is sent is not remembered: that is off until it is switched on.
    pub opentrack_address: SocketAddr,
    /// Where a program listens for JSON lines.
    pub jsonl_address: SocketAddr,
    /// The virtual camera that shows the picture once it is switched on; `None`: the first one that is free.
    pub virtual_camera: Option<PathBuf>,
    /// The virtual camera shows the overlay.
    pub virtual_camera_overlay: bool,
    /// The side panel is shown.
    pub panel_open: bool,
    /// Width of the side panel in points.
    pub panel_width: f32,
    /// Width and height of the window in points of the system, whatever the size of its text.
    pub window_size: [f32; 2],
    /// The window is maximised.
    pub maximized: bool,
    /// The theme.
    pub theme: ThemeChoice,
    /// Size of text and everything else in the window, relative to the system's.
    pub text_size: f32,
    /// Ages are shown, over the picture and in the list.
    pub show_age: bool,
    /// Genders are shown.
    pub show_gender: bool,
    /// Where snapshots are kept; `None`: `facelens` in the user's folder for pictures.
    pub snapshots_folder: Option<PathBuf>,
    /// Parts of the side panel that are folded, by their names.
    pub folded: Vec<String>,
    /// Keys that the user gave to actions, by the actions' names: `record = "Ctrl+R"`.
    pub keys: BTreeMap<String, String>,
    /// The page that says what facelens is was seen; only where there are no settings yet it was not.
    pub welcomed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: None,
            mirror: true,
            boxes: true,
            labels: true,
            axes: true,
            angles: true,
            detector: DetectorKind::ALL[0],
            age_models: Vec::new(),
            gender_models: Vec::new(),
            pose_models: Vec::new(),
            gait_model: None,
            sessions_folder: None,
            cameras: Vec::new(),
            recent_files: Vec::new(),
            record_pictures: RecordedPictures::default(),
            record_blur: false,
            record_countdown_secs: 0,
            record_mirror: false,
            opentrack_address: (Ipv4Addr::LOCALHOST, OPENTRACK_PORT).into(),
            jsonl_address: (Ipv4Addr::LOCALHOST, OPENTRACK_PORT + 1).into(),
            virtual_camera: None,
            virtual_camera_overlay: true,
            panel_open: true,
            panel_width: 320.0,
            window_size: [1120.0, 700.0],
            maximized: false,
            theme: ThemeChoice::System,
            text_size: 1.0,
            show_age: true,
            show_gender: true,
            snapshots_folder: None,
            folded: vec!["models".to_owned(), "performance".to_owned()],
            keys: BTreeMap::new(),
            welcomed: true,
        }
    }
}

impl Settings {
    /// The model files chosen for `task`; empty: the shipped ones.
    pub fn models(&self, task: Task) -> &[PathBuf] {
        match task {
            Task::Age => &self.age_models,
            Task::Gender => &self.gender_models,
            Task::Pose => &self.pose_models,
        }
    }

    /// Remembers model files for `task`; empty: the shipped ones.
    pub fn set_models(&mut self, task: Task, files: Vec<PathBuf>) {
        match task {
            Task::Age => self.age_models = files,
            Task::Gender => self.gender_models = files,
            Task::Pose => self.pose_models = files,
        }
    }

    /// Reads settings from the text of a file. The second part names what could not be used, one sentence a key.
    pub fn parse(text: &str) -> (Self, Vec<String>) {
        let mut table = match text.parse::<Table>() {
            Ok(table) => table,
            Err(error) => {
                let cause = error.message().replace('\n', " ");
                return (Self::default(), vec![format!("it is not valid TOML ({cause}); the defaults are used")]);
            }
        };
        let default = Self::default();
        let mut warnings = Vec::new();
        let mut reader = SettingsReader { table: &mut table, warnings: &mut warnings };
        let source: Option<String> = reader.take("source").filter(|text: &String| !text.is_empty());
        let camera_name: Option<String> = reader.take("camera_name").filter(|name: &String| !name.is_empty());
        let settings = Self {
            source: source.map(|text| source_of(&text, camera_name)),
            mirror: reader.take("mirror").unwrap_or(default.mirror),
            boxes: reader.take("boxes").unwrap_or(default.boxes),
            labels: reader.take("labels").unwrap_or(default.labels),
            axes: reader.take("axes").unwrap_or(default.axes),
            angles: reader.take("angles").unwrap_or(default.angles),
            detector: reader.take("detector").unwrap_or(default.detector),
            age_models: reader.take("age_models").unwrap_or_default(),
            gender_models: reader.take("gender_models").unwrap_or_default(),
            pose_models: reader.take("pose_models").unwrap_or_default(),
            gait_model: reader.take("gait_model").filter(|file: &PathBuf| !file.as_os_str().is_empty()),
            sessions_folder: reader.take("sessions_folder").filter(|folder: &PathBuf| !folder.as_os_str().is_empty()),
            cameras: reader.take_cameras(),
            recent_files: reader.take("recent_files").unwrap_or_default(),
            record_pictures: reader
                .take_if("record_pictures", "both, annotated, clean or none", |name: &String| {
                    RecordedPictures::of_name(name).is_some()
                })
                .and_then(|name| RecordedPictures::of_name(&name))
                .unwrap_or_default(),
            record_blur: reader.take("record_blur").unwrap_or(default.record_blur),
            record_countdown_secs: reader
                .take_if("record_countdown_secs", "a number of seconds from 0 to 60", |secs| *secs <= 60)
                .unwrap_or(default.record_countdown_secs),
            record_mirror: reader.take("record_mirror").unwrap_or(default.record_mirror),
            opentrack_address: reader.take("opentrack_address").unwrap_or(default.opentrack_address),
            jsonl_address: reader.take("jsonl_address").unwrap_or(default.jsonl_address),
            virtual_camera: reader.take("virtual_camera").filter(|device: &PathBuf| !device.as_os_str().is_empty()),
            virtual_camera_overlay: reader.take("virtual_camera_overlay").unwrap_or(default.virtual_camera_overlay),
            panel_open: reader.take("panel_open").unwrap_or(default.panel_open),
            panel_width: reader
                .take_if("panel_width", "a width from 280 to 480", |width| PANEL_WIDTHS.contains(width))
                .unwrap_or(default.panel_width),
            window_size: reader
                .take_if("window_size", "a width and a height from 200 to 16384", |size: &[f32; 2]| {
                    size.iter().all(|side| (200.0..=16_384.0).contains(side))
                })
                .unwrap_or(default.window_size),
            maximized: reader.take("maximized").unwrap_or(default.maximized),
            theme: reader.take("theme").unwrap_or(default.theme),
            text_size: reader
                .take_if("text_size", "a size from 0.5 to 3", |size| TEXT_SIZES.contains(size))
                .unwrap_or(default.text_size),
            show_age: reader.take("show_age").unwrap_or(default.show_age),
            show_gender: reader.take("show_gender").unwrap_or(default.show_gender),
            snapshots_folder: reader.take("snapshots_folder").filter(|folder: &PathBuf| !folder.as_os_str().is_empty()),
            folded: reader.take("folded").unwrap_or(default.folded),
            keys: reader.take("keys").unwrap_or_default(),
            welcomed: reader.take("welcomed").unwrap_or(default.welcomed),
        };
        for key in table.keys() {
            warnings.push(format!("there is no setting `{key}`; it is left as it is"));
        }
        (settings, warnings)
    }

    /// The name of the camera that is remembered by its device.
    fn camera_name(&self) -> Option<&str> {
        match &self.source {
            Some(SourceSpec::Camera(CameraChoice::Device(CameraDevice { name, .. }))) => name.as_deref(),
            _ => None,
        }
    }

    /// Every setting under its key, as the file has it.
    fn entries(&self) -> [(&'static str, Value); 35] {
        let text = |text: &dyn ToString| Value::from(text.to_string());
        // TOML is UTF-8: a name that is none is forgotten rather than remembered as another one.
        let path = |path: &Path| Value::from(path.to_str().unwrap_or_default());
        let files = |files: &[PathBuf]| {
            let names: Option<Array> = files.iter().map(|file| file.to_str()).collect();
            Value::from(names.unwrap_or_default())
        };
        let source = |source: &SourceSpec| match source {
            SourceSpec::Path(file) => path(file),
            other => text(other),
        };
        [
            // Empty: nothing was chosen.
            ("source", self.source.as_ref().map_or_else(|| Value::from(""), source)),
            ("camera_name", Value::from(self.camera_name().unwrap_or_default())),
            ("mirror", self.mirror.into()),
            ("boxes", self.boxes.into()),
            ("labels", self.labels.into()),
            ("axes", self.axes.into()),
            ("angles", self.angles.into()),
            ("detector", self.detector.name().into()),
            ("age_models", files(&self.age_models)),
            ("gender_models", files(&self.gender_models)),
            ("pose_models", files(&self.pose_models)),
            ("gait_model", path(self.gait_model.as_deref().unwrap_or(Path::new("")))),
            ("sessions_folder", path(self.sessions_folder.as_deref().unwrap_or(Path::new("")))),
            ("cameras", cameras::value_of(&self.cameras)),
            ("recent_files", files(&self.recent_files)),
            ("record_pictures", self.record_pictures.name().into()),
            ("record_blur", self.record_blur.into()),
            ("record_countdown_secs", i64::from(self.record_countdown_secs).into()),
            ("record_mirror", self.record_mirror.into()),
            ("opentrack_address", text(&self.opentrack_address)),
            ("jsonl_address", text(&self.jsonl_address)),
            ("virtual_camera", path(self.virtual_camera.as_deref().unwrap_or(Path::new("")))),
            ("virtual_camera_overlay", self.virtual_camera_overlay.into()),
            ("panel_open", self.panel_open.into()),
            ("panel_width", f64::from(self.panel_width.round()).into()),
            (
                "window_size",
                Value::from(self.window_size.map(|side| f64::from(side.round())).into_iter().collect::<Array>()),
            ),
            ("maximized", self.maximized.into()),
            ("theme", self.theme.name().into()),
            ("text_size", (f64::from(self.text_size * 100.0).round() / 100.0).into()),
            ("show_age", self.show_age.into()),
            ("show_gender", self.show_gender.into()),
            ("snapshots_folder", path(self.snapshots_folder.as_deref().unwrap_or(Path::new("")))),
            ("folded", Value::from(self.folded.iter().map(String::as_str).collect::<Array>())),
            ("keys", Value::InlineTable(self.keys.iter().map(|(name, keys)| (name, keys.as_str())).collect())),
            ("welcomed", self.welcomed.into()),
        ]
    }

    /// Puts into the text of a file what has changed since `before` (without it: everything) and what is missing in it.
    /// Comments, the order and keys of other versions stay, and so does a value that cannot be used and was not changed.
    ///
    /// # Errors
    /// Where the text is no TOML.
    fn update(&self, text: &str, before: Option<&Self>) -> Result<String, toml_edit::TomlError> {
        let mut document: DocumentMut = text.parse()?;
        let before = before.map(Self::entries);
        for (index, (key, value)) in self.entries().into_iter().enumerate() {
            let same = before.as_ref().is_some_and(|before| before[index].1.to_string() == value.to_string());
            match document.get_mut(key) {
                Some(_) if same => {}
                Some(Item::Value(there)) => {
                    // A comment behind a value belongs to it.
                    let decor = there.decor().clone();
                    *there = value;
                    *there.decor_mut() = decor;
                }
                Some(there) => *there = Item::Value(value),
                // What was never chosen needs no line.
                None if value.as_str() == Some("") => {}
                None => drop(document.insert(key, Item::Value(value))),
            }
        }
        Ok(document.to_string())
    }
}

/// The source that was remembered as `text`; one of several cameras of the same name by its device and that name.
fn source_of(text: &str, camera_name: Option<String>) -> SourceSpec {
    if let (Some(place), Some(name)) = (text.strip_prefix("camera:"), camera_name) {
        return SourceSpec::Camera(CameraChoice::Device(CameraDevice { place: place.into(), name: Some(name) }));
    }
    let Ok(spec) = text.parse();
    spec
}

/// Takes known keys out of the table and keeps a word for each that does not fit.
struct SettingsReader<'a> {
    table: &'a mut Table,
    warnings: &'a mut Vec<String>,
}

impl SettingsReader<'_> {
    fn take_cameras(&mut self) -> Vec<CameraSettings> {
        let tables: Vec<Table> = self.take("cameras").unwrap_or_default();
        cameras::of_tables(&tables, self.warnings)
    }

    fn take<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        match self.table.remove(key)?.try_into() {
            Ok(value) => Some(value),
            Err(error) => {
                let cause = error.to_string().trim().replace('\n', " ");
                self.warnings.push(format!("`{key}` cannot be used ({cause}); its default is used"));
                None
            }
        }
    }

    fn take_if<T: DeserializeOwned>(&mut self, key: &str, what: &str, fits: impl Fn(&T) -> bool) -> Option<T> {
        let value = self.take(key)?;
        if fits(&value) {
            return Some(value);
        }
        self.warnings.push(format!("`{key}` must be {what}; its default is used"));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unusual() -> Settings {
        Settings {
            source: Some(SourceSpec::Camera(CameraChoice::Name("HD Webcam".into()))),
            mirror: false,
            boxes: false,
            labels: false,
            axes: false,
            angles: false,
            detector: DetectorKind::Seeta,
            pose_models: vec!["nets/a.h5".into(), "nets/b.h5".into()],
            gait_model: Some("walks.toml".into()),
            sessions_folder: Some("recordings".into()),
            cameras: vec![CameraSettings {
                name: "HD Webcam".into(),
                format: "640x480@30".parse().ok(),
                ..CameraSettings::default()
            }],
            recent_files: vec!["/videos/a.mp4".into(), "/b".into()],
            record_pictures: RecordedPictures::None,
            record_blur: true,
            record_countdown_secs: 5,
            record_mirror: true,
            opentrack_address: ([192, 168, 0, 7], 5005).into(),
            jsonl_address: ([127, 0, 0, 1], 5006).into(),
            virtual_camera: Some("/dev/video10".into()),
            virtual_camera_overlay: false,
            panel_open: false,
            panel_width: 333.0,
            window_size: [900.0, 640.0],
            maximized: true,
            theme: ThemeChoice::Light,
            text_size: 1.25,
            show_age: false,
            show_gender: false,
            snapshots_folder: Some("stills".into()),
            folded: vec!["models".into()],
            keys: [("record".to_owned(), "Ctrl+R".to_owned())].into(),
            welcomed: false,
            ..Settings::default()
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_utf_8_is_forgotten_rather_than_remembered_as_another() {
        use std::os::unix::ffi::OsStringExt as _;
        let odd = PathBuf::from(std::ffi::OsString::from_vec(b"caf\xe9".to_vec()));
        let settings = Settings {
            source: Some(SourceSpec::Path(odd.clone())),
            age_models: vec!["a.onnx".into(), odd.clone()],
            sessions_folder: Some(odd),
            mirror: false,
            ..Settings::default()
        };
        let read = Settings::parse(&settings.update("", None).unwrap());
        assert_eq!(read, (Settings { mirror: false, ..Settings::default() }, vec![]));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for settings in [unusual(), Settings::default()] {
            assert_eq!(Settings::parse(&settings.update("", None).unwrap()), (settings, vec![]));
        }
    }

    #[test]
    fn what_was_chosen_may_be_unchosen() {
        let text = unusual().update("", None).unwrap();
        let text = Settings::default().update(&text, Some(&unusual())).unwrap();
        assert_eq!(Settings::parse(&text), (Settings::default(), vec![]));
    }

    #[test]
    fn comments_order_and_what_is_not_understood_stay() {
        let text = "# mine\nboxes = true # as I like it\n\n# the old camera\nvolume = 11\ndetector = \"viola\"\nmirror = true\n\n[future]\nkey = 1 # kept\n";
        let (before, warnings) = Settings::parse(text);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
        let written = Settings { boxes: false, ..before.clone() }.update(text, Some(&before)).unwrap();
        let expected = text.replace("boxes = true", "boxes = false");
        let (first, table) = (expected.find("\n\n[future]").unwrap(), expected.find("[future]").unwrap());
        assert!(written.starts_with(&expected[..first]), "{written}");
        assert!(written.ends_with(&expected[table..]), "{written}");
        // Keys that were missing are there now, to be seen and changed.
        assert!(written.contains("panel_open = true"), "{written}");
        assert_eq!(Settings::parse(&written).0, Settings { boxes: false, ..before.clone() });
        // A value that could not be used is replaced once the user chooses another.
        let chosen = Settings { detector: DetectorKind::Seeta, ..before.clone() };
        let written = chosen.update(&written, Some(&before)).unwrap();
        assert!(written.contains("detector = \"seeta\"") && !written.contains("viola"), "{written}");
    }

    #[test]
    fn one_of_two_cameras_of_a_name_is_remembered_by_its_device_and_that_name() {
        for place in ["/dev/v4l/by-path/usb-0:2", "0x1410000046d0825", "7"] {
            let device = CameraDevice { place: place.into(), name: Some("Twin".into()) };
            let source = Some(SourceSpec::Camera(CameraChoice::Device(device)));
            let settings = Settings { source, ..Settings::default() };
            assert_eq!(Settings::parse(&settings.update("", None).unwrap()), (settings, vec![]));
        }
        let (settings, warnings) = Settings::parse("source = \"demo\"\ncamera_name = \"Twin\"");
        assert_eq!((settings.source, warnings), (Some(SourceSpec::Demo), vec![]));
    }

    #[test]
    fn an_empty_file_gives_the_defaults_without_a_word() {
        assert_eq!(Settings::parse(""), (Settings::default(), vec![]));
    }

    #[test]
    fn garbage_gives_the_defaults_and_one_warning() {
        let (settings, warnings) = Settings::parse("\u{0}\u{1}PNG ][ = \n\n\"");
        assert_eq!(settings, Settings::default());
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("not valid TOML"), "{warnings:?}");
    }

    #[test]
    fn a_wrong_type_costs_only_its_own_key_and_is_named() {
        let (settings, warnings) = Settings::parse(
            "mirror = \"yes\"\nboxes = false\ndetector = \"viola\"\npose_models = 3\npanel_width = nan\n\
             window_size = [5.0, 9.0]\nrecord_pictures = \"some\"",
        );
        assert_eq!(settings, Settings { boxes: false, ..Settings::default() });
        for (warning, key) in
            warnings.iter().zip(["mirror", "detector", "pose_models", "record_pictures", "panel_width", "window_size"])
        {
            assert!(warning.contains(&format!("`{key}`")), "{warning} does not name {key}");
        }
        assert_eq!(warnings.len(), 6);
    }

    #[test]
    fn unknown_keys_are_named() {
        let (settings, warnings) = Settings::parse("mirror = false\nvolume = 11\n[future]\nkey = 1");
        assert!(!settings.mirror);
        assert_eq!(warnings.len(), 2);
        assert!(warnings.iter().any(|warning| warning.contains("`volume`")));
    }
}
