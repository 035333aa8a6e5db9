//! Reads a session folder back, whole or damaged. Nothing is ever written here.

mod gait_file;
mod info_file;
mod people;
mod rows_file;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

pub use people::{Appearance, SessionPerson};

use facelens_core::frame::Frame;
use facelens_core::track::{Face, GenderNumber};
use facelens_gait::Gei;

use super::gait_rows::GaitRow;
use super::info::{
    DATA_FILE, INFO_FILE, SESSION_SCHEMA, SessionInfo, SessionVideo, VIDEO_FILE, has_session_file, videos_there,
};
use super::rows::FrameRow;

/// How far a row's time and its picture's may be apart, seconds. They are equal within a millisecond where nothing was
/// damaged; this is less than half of the time between two frames at 60 a second.
const SAME_FRAME_SECS: f64 = 0.008;

/// A session as it lies in its folder.
#[derive(Clone, Debug)]
pub struct SessionFolder {
    /// The folder.
    pub path: PathBuf,
    /// What `session.json` says; what it lacks is made up from the data.
    pub info: SessionInfo,
    /// The frames, their times rising.
    pub rows: Vec<FrameRow>,
    /// The strides of walkers, by their beginnings; none where no gait was recorded.
    pub strides: Vec<GaitRow>,
    /// The videos that are there.
    pub videos: Vec<SessionVideo>,
    /// What is missing, damaged or newer, in the order of finding it.
    pub notices: Vec<SessionNotice>,
}

/// Something about a session that its reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionNotice {
    /// There is no `session.json`.
    NoInfo,
    /// `session.json` cannot be read, for this reason.
    DamagedInfo(String),
    /// These keys of `session.json` hold what they cannot hold; they are passed over.
    DamagedKeys(Vec<String>),
    /// The session is of this newer schema.
    NewerSchema(u32),
    /// These keys of `session.json` are not known here.
    UnknownKeys(Vec<String>),
    /// This file of the data is missing.
    NoData(String),
    /// The file of the data cannot be read, for this reason.
    DamagedData(String),
    /// The last row is cut off and passed over.
    CutRow,
    /// So many rows cannot be read and are passed over; why the first of them cannot.
    DamagedRows(usize, String),
    /// The data lack these columns: estimates that need them are missing.
    MissingColumns(Vec<String>),
    /// These columns of the data are not known here.
    UnknownColumns(Vec<String>),
    /// Strides cannot be read and are passed over: which, and why.
    DamagedStrides(String),
    /// The rows were not in the order of their times; they are sorted.
    Unsorted,
    /// This video is missing.
    NoVideo(String),
    /// The recording never ended: facelens was killed, or it is being recorded right now.
    Unfinished,
}

impl fmt::Display for SessionNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |names: &[String]| names.join(", ");
        match self {
            Self::NoInfo => write!(f, "{INFO_FILE} is missing: its contents are reconstructed from the data"),
            Self::DamagedInfo(cause) => {
                write!(f, "{INFO_FILE} cannot be read ({cause}): its contents are reconstructed from the data")
            }
            Self::DamagedKeys(keys) => write!(f, "{INFO_FILE}: {} cannot be read and is ignored", list(keys)),
            Self::NewerSchema(schema) => write!(
                f,
                "the session is from a newer facelens (schema {schema}, this one knows {SESSION_SCHEMA}): what is known \
                 is shown; a newer facelens shows the rest"
            ),
            Self::UnknownKeys(keys) => write!(f, "{INFO_FILE}: {} is unknown and is ignored", list(keys)),
            Self::NoData(file) => write!(f, "{file} is missing: there are no estimates to show"),
            Self::DamagedData(cause) => write!(f, "the data cannot be read ({cause}): there are no estimates to show"),
            Self::CutRow => f.write_str("the last row of the data is cut off; it is skipped"),
            Self::DamagedRows(count, first) => {
                let rows = if *count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
                write!(f, "{rows} of the data cannot be read and skipped ({first})")
            }
            Self::MissingColumns(columns) => {
                write!(f, "the data have no column {}: its values are missing", list(columns))
            }
            Self::UnknownColumns(columns) => {
                write!(f, "the data: {} is unknown and is ignored", list(columns))
            }
            Self::DamagedStrides(cause) => write!(f, "strides cannot be read and are skipped ({cause})"),
            Self::Unsorted => f.write_str("the rows of the data are not in the order of their times; they are sorted"),
            Self::NoVideo(file) => write!(f, "{file} is missing"),
            Self::Unfinished => f.write_str(
                "the recording is incomplete: it was interrupted, or it is still running; what is there is shown",
            ),
        }
    }
}

/// Why a folder is no session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// The system refused.
    #[error("{}: it cannot be read ({cause}); check the name", path.display())]
    Io {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// A file, and not one of a session.
    #[error("{}: it is not a session folder; give the folder with {INFO_FILE} and {DATA_FILE} in it", .0.display())]
    NoFolder(PathBuf),
    /// Nothing of a session is in the folder.
    #[error(
        "{}: there is no session in this folder (neither {INFO_FILE} nor {DATA_FILE} nor {VIDEO_FILE}); choose a folder \
         that facelens recorded", .0.display()
    )]
    Empty(PathBuf),
}

impl SessionFolder {
    /// Whether this is a folder that [`SessionFolder::open`] would open, by the names in it alone.
    pub fn is_session(path: &Path) -> bool {
        [INFO_FILE, DATA_FILE].iter().any(|name| path.join(name).is_file())
    }

    /// The folder of the session that `path` names, without reading it.
    ///
    /// # Errors
    /// [`SessionError`] where there is nothing of a session.
    pub fn find(path: &Path) -> Result<PathBuf, SessionError> {
        let path = folder_of(path)?;
        if has_session_file(&path) { Ok(path) } else { Err(SessionError::Empty(path)) }
    }

    /// What `session.json` in the folder `path` says, or `None` where it says nothing that can be read; what is wrong with
    /// it becomes a notice.
    pub(crate) fn read_info(path: &Path, notices: &mut Vec<SessionNotice>) -> Option<SessionInfo> {
        info_file::read(&path.join(INFO_FILE), notices)
    }

    /// Reads the session in the folder `path`; one of the session's own files names its folder, too. What is missing or
    /// damaged becomes a notice, and what is there is given.
    ///
    /// # Errors
    /// [`SessionError`] where the folder cannot be read or nothing of a session is in it.
    pub fn open(path: &Path) -> Result<Self, SessionError> {
        let path = Self::find(path)?;
        let there = |name: &str| path.join(name).is_file();
        let mut notices = Vec::new();
        let found = Self::read_info(&path, &mut notices);
        let known = found.is_some();
        let mut info = found.unwrap_or_default();
        let rows = rows_file::read(&path, &info.data, &mut notices);
        let strides = info.gait.as_deref().map_or_else(Vec::new, |name| gait_file::read(&path, name, &mut notices));
        if !known {
            make_up(&mut info, &rows, &path);
        }
        if known && info.end.is_none() {
            notices.push(SessionNotice::Unfinished);
        }
        let (videos, missing): (Vec<_>, Vec<_>) = info.videos.iter().cloned().partition(|video| there(&video.file));
        notices.extend(missing.into_iter().map(|video| SessionNotice::NoVideo(video.file)));
        Ok(Self { path, info, rows, strides, videos, notices })
    }

    /// The gait energy image of a stride, where it was recorded.
    pub fn stride_image(&self, stride: &GaitRow) -> Option<Gei> {
        gait_file::image(&self.path, stride)
    }

    /// What keeps the data from being read whole, the worst of it, or `None` where every row was read.
    pub fn unread(&self) -> Option<&SessionNotice> {
        use SessionNotice::{CutRow, DamagedData, DamagedRows, NoData};
        let serious = self.notices.iter().find(|notice| matches!(notice, NoData(_) | DamagedData(_) | DamagedRows(..)));
        serious.or_else(|| self.notices.iter().find(|notice| **notice == CutRow))
    }

    /// What to call the session: the folder's name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().map(|name| name.to_string_lossy().into_owned());
        name.unwrap_or_else(|| self.path.display().to_string())
    }

    /// The video without the overlay.
    pub fn clean_video(&self) -> Option<&SessionVideo> {
        self.videos.iter().find(|video| !video.overlay)
    }

    /// The video with the overlay painted into it.
    pub fn annotated_video(&self) -> Option<&SessionVideo> {
        self.videos.iter().find(|video| video.overlay)
    }

    /// Seconds from the first frame to the end of the last one.
    pub fn duration_secs(&self) -> f64 {
        let last = self.rows.last().map_or(0.0, |row| row.time_s);
        // Whatever `session.json` says, the last frame is inside.
        if self.info.duration_s.is_finite() { self.info.duration_s.max(last) } else { last }
    }

    /// Size of the pictures in pixels, where anything tells it.
    pub fn picture_size(&self) -> Option<(u32, u32)> {
        let of_rows = self.rows.first().map(|row| (row.width, row.height));
        let size = of_rows.unwrap_or((self.info.source.width, self.info.source.height));
        Frame::check_size(size.0, size.1).is_ok().then_some(size)
    }

    /// The row of the frame that is shown at `time_s`: the last one that does not begin later.
    pub fn row_at(&self, time_s: f64) -> Option<usize> {
        // Half a millisecond, because times in the data are rounded.
        self.rows.partition_point(|row| row.time_s <= time_s + 0.0005).checked_sub(1)
    }

    /// The row of the video's picture at `time_s`; none where the data lack it.
    pub fn row_of_picture(&self, time_s: f64) -> Option<usize> {
        let after = self.rows.partition_point(|row| row.time_s < time_s);
        let distance = |index: &usize| self.rows.get(*index).map_or(f64::MAX, |row| (row.time_s - time_s).abs());
        let nearest =
            [after.saturating_sub(1), after].into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
        (distance(&nearest) <= SAME_FRAME_SECS).then_some(nearest)
    }

    /// Everybody who appears, by identity.
    pub fn people(&self) -> Vec<SessionPerson> {
        people::of_rows(&self.rows)
    }
}

impl FrameRow {
    /// The faces, for an overlay; of these people alone where `only` names some. `number` is what the session's
    /// `gender_male` is ([`SessionInfo::gender_number`]).
    pub fn faces_of(&self, only: &[u64], number: GenderNumber) -> Vec<Face> {
        let chosen = self.faces.iter().filter(|face| only.is_empty() || only.contains(&face.id));
        chosen.map(|face| face.to_face(number)).collect()
    }
}

fn folder_of(path: &Path) -> Result<PathBuf, SessionError> {
    let io_error = |error: &io::Error| SessionError::Io { path: path.to_owned(), cause: error.to_string() };
    let metadata = std::fs::metadata(path).map_err(|error| io_error(&error))?;
    if metadata.is_dir() {
        return Ok(path.to_owned());
    }
    let parent = match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None => return Err(SessionError::NoFolder(path.to_owned())),
    };
    if SessionFolder::is_session(parent) { Ok(parent.to_owned()) } else { Err(SessionError::NoFolder(path.to_owned())) }
}

/// What `session.json` would say, as far as the data and the files tell.
fn make_up(info: &mut SessionInfo, rows: &[FrameRow], path: &Path) {
    if let Some(first) = rows.first() {
        info.source.name.clone_from(&first.input);
        (info.source.width, info.source.height) = (first.width, first.height);
    }
    info.facelens.clear();
    info.duration_s = rows.last().map_or(0.0, |row| row.time_s);
    info.counts.written = rows.len() as u64;
    info.videos = videos_there(path);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
