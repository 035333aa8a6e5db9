//! What is remembered between runs: `settings.toml` in the user's configuration folder.
//!
//! A bad file is never fatal: each key that cannot be used falls back to its default and is named in a warning. Keys
//! that this version does not know are kept as they are.

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::{Table, Value};

use crate::detect::DetectorKind;
use crate::model::Task;
use crate::outputs::OPENTRACK_PORT;
use crate::session::recording::RecordedPictures;
use crate::source::SourceSpec;
use crate::whole_file::write_whole;

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
    /// Where recorded sessions are kept; `None`: `facelens` in the user's folder for videos.
    pub sessions_folder: Option<PathBuf>,
    /// Which pictures are recorded.
    pub record_pictures: RecordedPictures,
    /// Faces are made unrecognisable in recorded videos.
    pub record_blur: bool,
    /// Recorded videos are mirrored.
    pub record_mirror: bool,
    /// Where opentrack listens. Whether anything is sent is not remembered: that is off until it is switched on.
    pub opentrack_address: SocketAddr,
    /// Where a program listens for JSON lines.
    pub jsonl_address: SocketAddr,
    /// The side panel is shown.
    pub panel_open: bool,
    /// Width of the side panel in points.
    pub panel_width: f32,
    /// Width and height of the window in points.
    pub window_size: [f32; 2],
    /// Keys of the file that this version does not know; written back untouched.
    pub unknown: Table,
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
            sessions_folder: None,
            record_pictures: RecordedPictures::default(),
            record_blur: false,
            record_mirror: false,
            opentrack_address: (Ipv4Addr::LOCALHOST, OPENTRACK_PORT).into(),
            jsonl_address: (Ipv4Addr::LOCALHOST, OPENTRACK_PORT + 1).into(),
            panel_open: true,
            panel_width: 320.0,
            window_size: [1120.0, 700.0],
            unknown: Table::new(),
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
                return (Self::default(), vec![format!("it is no TOML ({cause}); the defaults are used")]);
            }
        };
        let default = Self::default();
        let mut warnings = Vec::new();
        let mut reader = Reader { table: &mut table, warnings: &mut warnings };
        let source: Option<String> = reader.take("source").filter(|text: &String| !text.is_empty());
        let settings = Self {
            source: source.map(|text| {
                let Ok(spec) = text.parse();
                spec
            }),
            mirror: reader.take("mirror").unwrap_or(default.mirror),
            boxes: reader.take("boxes").unwrap_or(default.boxes),
            labels: reader.take("labels").unwrap_or(default.labels),
            axes: reader.take("axes").unwrap_or(default.axes),
            angles: reader.take("angles").unwrap_or(default.angles),
            detector: reader.take("detector").unwrap_or(default.detector),
            age_models: reader.take("age_models").unwrap_or_default(),
            gender_models: reader.take("gender_models").unwrap_or_default(),
            pose_models: reader.take("pose_models").unwrap_or_default(),
            sessions_folder: reader.take("sessions_folder").filter(|folder: &PathBuf| !folder.as_os_str().is_empty()),
            record_pictures: reader
                .take_if("record_pictures", "both, annotated, clean or none", |name: &String| {
                    RecordedPictures::of_name(name).is_some()
                })
                .and_then(|name| RecordedPictures::of_name(&name))
                .unwrap_or_default(),
            record_blur: reader.take("record_blur").unwrap_or(default.record_blur),
            record_mirror: reader.take("record_mirror").unwrap_or(default.record_mirror),
            opentrack_address: reader.take("opentrack_address").unwrap_or(default.opentrack_address),
            jsonl_address: reader.take("jsonl_address").unwrap_or(default.jsonl_address),
            panel_open: reader.take("panel_open").unwrap_or(default.panel_open),
            panel_width: reader
                .take_if("panel_width", "a width from 280 to 480", |width| PANEL_WIDTHS.contains(width))
                .unwrap_or(default.panel_width),
            window_size: reader
                .take_if("window_size", "a width and a height from 200 to 16384", |size: &[f32; 2]| {
                    size.iter().all(|side| (200.0..=16_384.0).contains(side))
                })
                .unwrap_or(default.window_size),
            unknown: Table::new(),
        };
        for key in table.keys() {
            warnings.push(format!("there is no setting `{key}`; it is left as it is"));
        }
        (Self { unknown: table, ..settings }, warnings)
    }

    /// The text of the file.
    pub fn to_toml(&self) -> String {
        let files = |files: &[PathBuf]| {
            Value::Array(files.iter().map(|file| Value::String(file.to_string_lossy().into_owned())).collect())
        };
        let mut table = self.unknown.clone();
        let mut put = |key: &str, value: Value| {
            table.insert(key.to_owned(), value);
        };
        if let Some(source) = &self.source {
            put("source", Value::String(source.to_string()));
        }
        put("mirror", Value::Boolean(self.mirror));
        put("boxes", Value::Boolean(self.boxes));
        put("labels", Value::Boolean(self.labels));
        put("axes", Value::Boolean(self.axes));
        put("angles", Value::Boolean(self.angles));
        put("detector", Value::String(self.detector.name().to_owned()));
        put("age_models", files(&self.age_models));
        put("gender_models", files(&self.gender_models));
        put("pose_models", files(&self.pose_models));
        if let Some(folder) = &self.sessions_folder {
            put("sessions_folder", Value::String(folder.to_string_lossy().into_owned()));
        }
        put("record_pictures", Value::String(self.record_pictures.name().to_owned()));
        put("record_blur", Value::Boolean(self.record_blur));
        put("record_mirror", Value::Boolean(self.record_mirror));
        put("opentrack_address", Value::String(self.opentrack_address.to_string()));
        put("jsonl_address", Value::String(self.jsonl_address.to_string()));
        put("panel_open", Value::Boolean(self.panel_open));
        put("panel_width", Value::Float(f64::from(self.panel_width.round())));
        put("window_size", Value::Array(self.window_size.map(|side| Value::Float(f64::from(side.round()))).to_vec()));
        table.to_string()
    }
}

/// Takes known keys out of the table and keeps a word for each that does not fit.
struct Reader<'a> {
    table: &'a mut Table,
    warnings: &'a mut Vec<String>,
}

impl Reader<'_> {
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

/// The settings could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings cannot be written to {}: {cause}; they hold until the window is closed", file.display())]
pub struct SettingsError {
    /// The file.
    pub file: PathBuf,
    /// What the system said.
    pub cause: String,
}

/// The file that settings are read from and written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFile {
    path: PathBuf,
}

impl SettingsFile {
    /// `settings.toml` in `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("settings.toml") }
    }

    /// The user's own file: in the folder that [`CONFIG_DIR_VARIABLE`] names, else where the system keeps the
    /// configuration of programs. `None` where there is no home folder: then nothing is remembered.
    pub fn of_user() -> Option<Self> {
        if let Some(folder) = std::env::var_os(CONFIG_DIR_VARIABLE).filter(|folder| !folder.is_empty()) {
            return Some(Self::in_folder(Path::new(&folder)));
        }
        directories::ProjectDirs::from("", "", "facelens").map(|dirs| Self::in_folder(dirs.config_dir()))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the settings. A missing file gives the defaults; everything else that is wrong is named, one sentence
    /// each, with the file.
    pub fn load(&self) -> (Settings, Vec<String>) {
        let (settings, warnings) = match std::fs::read(&self.path) {
            Ok(bytes) => Settings::parse(&String::from_utf8_lossy(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => (Settings::default(), Vec::new()),
            Err(error) => (Settings::default(), vec![format!("it cannot be read ({error}); the defaults are used")]),
        };
        let file = self.path.display();
        (settings, warnings.into_iter().map(|warning| format!("{file}: {warning}")).collect())
    }

    /// Writes the settings: to a new file first, which then takes the place of the old one, so that a reader or a
    /// power cut never meets half a file.
    ///
    /// # Errors
    /// Where the folder or the file cannot be written; the old file stays.
    pub fn save(&self, settings: &Settings) -> Result<(), SettingsError> {
        let error = |cause: std::io::Error| SettingsError { file: self.path.clone(), cause: cause.to_string() };
        let new = self.path.with_extension(format!("toml.{}.new", std::process::id()));
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(error)?;
        }
        let written = write_whole(&self.path, &new, |file| {
            file.write_all(settings.to_toml().as_bytes())?;
            file.sync_all()
        });
        written.map_err(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::CameraChoice;

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
            sessions_folder: Some("recordings".into()),
            record_pictures: RecordedPictures::None,
            record_blur: true,
            record_mirror: true,
            opentrack_address: ([192, 168, 0, 7], 5005).into(),
            jsonl_address: ([127, 0, 0, 1], 5006).into(),
            panel_open: false,
            panel_width: 333.0,
            window_size: [900.0, 640.0],
            ..Settings::default()
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(Settings::parse(&unusual().to_toml()), (unusual(), vec![]));
        assert_eq!(Settings::parse(&Settings::default().to_toml()), (Settings::default(), vec![]));
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
        assert!(warnings[0].contains("no TOML"), "{warnings:?}");
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
    fn unknown_keys_are_named_and_kept() {
        let (settings, warnings) = Settings::parse("mirror = false\nvolume = 11\n[future]\nkey = 1");
        assert!(!settings.mirror);
        assert_eq!(warnings.len(), 2);
        assert!(warnings.iter().any(|warning| warning.contains("`volume`")));
        let written = settings.to_toml();
        assert!(written.contains("volume = 11") && written.contains("[future]"), "{written}");
        assert_eq!(Settings::parse(&written).0, settings);
    }

    #[test]
    fn a_file_is_written_anew_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(&folder.path().join("not/there/yet"));
        assert_eq!(file.load(), (Settings::default(), vec![]));
        file.save(&unusual()).unwrap();
        file.save(&unusual()).unwrap();
        assert_eq!(file.load(), (unusual(), vec![]));
        let names: Vec<_> = std::fs::read_dir(file.path().parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing is left beside the file");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        // A file in the place of the folder refuses every user, root too.
        let blocked = folder.path().join("blocked");
        std::fs::write(&blocked, "x").unwrap();
        let file = SettingsFile::in_folder(&blocked);
        let error = file.save(&Settings::default()).unwrap_err();
        assert!(error.to_string().contains("settings.toml"), "{error}");
        assert_eq!(std::fs::read_to_string(&blocked).unwrap(), "x");
    }

    #[test]
    fn a_file_that_cannot_be_read_gives_the_defaults_and_names_itself() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        std::fs::create_dir(file.path()).unwrap();
        let (settings, warnings) = file.load();
        assert_eq!(settings, Settings::default());
        assert!(warnings[0].contains("settings.toml"), "{warnings:?}");
    }
}
