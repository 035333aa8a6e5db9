//! The files of a session, and `session.json` among them: what a recorded session is, how it was made, and how it ended.

use std::path::Path;

use facelens_core::model::{ModelSet, Task, TaskModel};
use facelens_core::track::GenderNumber;
use serde::{Deserialize, Serialize};

/// The file that says what a session is.
pub const INFO_FILE: &str = "session.json";
/// The data, where [`INFO_FILE`] does not say otherwise.
pub(super) const DATA_FILE: &str = "faces.csv";
/// What a person opens.
pub(super) const VIDEO_FILE: &str = "video.mp4";
/// The pictures without the overlay, where both were chosen.
pub(super) const CLEAN_FILE: &str = "clean.mp4";

/// The strides, where gaits were recorded.
pub(super) const GAIT_FILE: &str = "gait.csv";
/// The folder of their gait energy images.
pub(super) const GEI_FOLDER: &str = "gei";

/// Largest [`INFO_FILE`], bytes; a usual one has 2 KiB.
pub(super) const MAX_INFO_BYTES: u64 = 4 << 20;
/// Largest file of data, bytes: more than three days at 30 frames a second with one face.
pub(super) const MAX_DATA_BYTES: u64 = 1 << 30;

/// No recording lasts longer, seconds: thirty years.
pub(super) const LONGEST_S: f64 = 1e9;

/// Version of the session folder: the keys of `session.json` and the columns of `faces.csv` (explained in
/// `docs/data.md`). A number that is larger is from a newer facelens.
pub const SESSION_SCHEMA: u32 = 2;

/// A recorded session, as `session.json` tells it. Everything but `schema` may be missing in a damaged file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionInfo {
    /// Version of this file and of the columns of the data: [`SESSION_SCHEMA`].
    pub schema: u32,
    /// Version of the facelens that recorded.
    pub facelens: String,
    /// When recording began: local time with its zone (RFC 9557).
    pub started: String,
    /// How it ended; `None` while it is being recorded, and after a kill.
    pub end: Option<SessionEnd>,
    /// Seconds from the first frame to the end of the last one.
    pub duration_s: f64,
    /// Where the frames came from.
    pub source: SessionSource,
    /// The models that were in use, each with its tasks.
    pub models: Vec<SessionModel>,
    /// What `gender_male` in the data is: a chance, or a score that is none. `None` without a gender model, and in schema 1,
    /// which did not tell.
    pub gender_male: Option<GenderNumber>,
    /// Name of the face detector.
    pub detector: String,
    /// File of the data in this folder.
    pub data: String,
    /// File of the strides in this folder; `None` where no gait was recorded.
    pub gait: Option<String>,
    /// The videos in this folder; none where only data were recorded.
    pub videos: Vec<SessionVideo>,
    /// How many frames came and what became of them.
    pub counts: SessionCounts,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum SessionEnd {
    /// The user stopped it.
    Stopped,
    /// The source was over or was changed.
    SourceEnded,
    /// It could not go on; what was written so far is whole.
    Failed {
        /// The file, the cause and what to do, in one sentence.
        error: String,
    },
    /// facelens was killed while it recorded, and a later start finished the folder.
    Recovered,
}

/// The source of a session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionSource {
    /// The camera's name, the file as it was given, or `demo`.
    pub name: String,
    /// What was got from the device or decoder, e.g. `MJPEG 1280x720 at 30 fps`.
    pub format: String,
    /// Width of the pictures, pixels.
    pub width: u32,
    /// Height of the pictures, pixels.
    pub height: u32,
}

/// A model of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionModel {
    /// What it estimated: `age`, `gender`, `pose`.
    pub tasks: Vec<String>,
    /// Its name on its card.
    pub name: String,
    /// SHA-256 of each of its files, hexadecimal.
    pub sha256: Vec<String>,
    /// Its licence, as its card says.
    pub licence: String,
}

/// A video of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionVideo {
    /// Its file in the folder.
    pub file: String,
    /// The overlay is painted into it.
    pub overlay: bool,
    /// It is mirrored; the data never are.
    pub mirrored: bool,
    /// Faces are made unrecognisable in it.
    pub blurred: bool,
}

/// What became of the frames while a session was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionCounts {
    /// Frames that the source gave.
    pub captured: u64,
    /// Frames that were analysed.
    pub analysed: u64,
    /// Frames in the data and the videos.
    pub written: u64,
    /// Analysed frames that could not be written in time.
    pub dropped: u64,
}

impl SessionCounts {
    /// Makes counts that are up to a second old at least as large as what was written, and as `captured`.
    pub(super) fn catch_up(&mut self, captured: u64) {
        self.analysed = self.analysed.max(self.written.saturating_add(self.dropped));
        self.captured = self.captured.max(captured).max(self.analysed);
    }
}

/// Whether any file of a session is in `folder`, by the names alone.
pub fn has_session_file(folder: &Path) -> bool {
    [INFO_FILE, DATA_FILE, VIDEO_FILE, CLEAN_FILE].into_iter().any(|file| folder.join(file).is_file())
}

/// The videos that are in `folder`, where no [`INFO_FILE`] tells of them, in the order in which they are recorded. A lone
/// [`VIDEO_FILE`] may have the overlay or not; taken to have it, nothing is drawn twice.
pub(super) fn videos_there(folder: &Path) -> Vec<SessionVideo> {
    let there = [(CLEAN_FILE, false), (VIDEO_FILE, true)].into_iter().filter(|(file, _)| folder.join(file).is_file());
    there.map(|(file, overlay)| SessionVideo { file: file.to_owned(), overlay, ..SessionVideo::default() }).collect()
}

impl SessionInfo {
    /// Notes the models in use, and what their numbers are.
    pub fn set_models(&mut self, models: &ModelSet) {
        self.models = models_of(models);
        let number = |model: &std::sync::Arc<TaskModel>| match &model.card.calibration {
            Some(calibration) if !calibration.gender.is_empty() => GenderNumber::Chance,
            _ => GenderNumber::Score,
        };
        // Of several models the mean is a chance only if all give one.
        self.gender_male = models.of(Task::Gender).iter().map(number).reduce(|all, one| match (all, one) {
            (GenderNumber::Chance, GenderNumber::Chance) => GenderNumber::Chance,
            _ => GenderNumber::Score,
        });
    }

    /// What `gender_male` in the data is; a score where nothing tells.
    pub fn gender_number(&self) -> GenderNumber {
        self.gender_male.unwrap_or(GenderNumber::Score)
    }
}

/// The models in use as a session lists them: each once, with its tasks.
fn models_of(models: &ModelSet) -> Vec<SessionModel> {
    let model = |(model, tasks): (std::sync::Arc<TaskModel>, Vec<Task>)| SessionModel {
        tasks: tasks.iter().map(|task| task.name().to_owned()).collect(),
        name: model.card.name.clone(),
        sha256: model.card.sha256.clone(),
        licence: model.card.licence.clone(),
    };
    models.distinct().into_iter().map(model).collect()
}

impl Default for SessionInfo {
    fn default() -> Self {
        Self {
            schema: SESSION_SCHEMA,
            facelens: env!("CARGO_PKG_VERSION").to_owned(),
            started: String::new(),
            end: None,
            duration_s: 0.0,
            source: SessionSource::default(),
            models: Vec::new(),
            gender_male: None,
            detector: String::new(),
            data: DATA_FILE.to_owned(),
            gait: None,
            videos: Vec::new(),
            counts: SessionCounts::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let ends = [SessionEnd::Stopped, SessionEnd::Recovered, SessionEnd::Failed { error: "disk full".to_owned() }];
        for end in ends {
            let info = SessionInfo {
                end: Some(end),
                duration_s: 12.5,
                videos: vec![SessionVideo { file: "video.mp4".to_owned(), overlay: true, ..SessionVideo::default() }],
                counts: SessionCounts { captured: 12, analysed: 11, written: 10, dropped: 1 },
                ..SessionInfo::default()
            };
            let text = serde_json::to_string_pretty(&info).unwrap();
            assert_eq!(serde_json::from_str::<SessionInfo>(&text).unwrap(), info);
        }
    }

    #[test]
    fn what_is_missing_or_new_does_not_hide_the_rest() {
        let text =
            r#"{"schema":1,"started":"2026-01-02T03:04:05+01:00[Europe/Zurich]","end":{"how":"stopped"},"new":[1]}"#;
        let info: SessionInfo = serde_json::from_str(text).unwrap();
        assert_eq!((info.end, info.data.as_str()), (Some(SessionEnd::Stopped), "faces.csv"));
    }
}
