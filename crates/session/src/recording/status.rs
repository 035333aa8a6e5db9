//! How a recording does.

use std::path::PathBuf;
use std::time::Duration;

use super::super::info::SessionEnd;

/// How a recording does, for those who watch.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordingStatus {
    /// What it is at.
    pub state: RecordingState,
    /// The session's folder, once it is made.
    pub folder: Option<PathBuf>,
    /// From the first frame to the end of the last one that was written.
    pub duration: Duration,
    /// Frames that were written.
    pub written: u64,
    /// Analysed frames that could not be written in time.
    pub dropped: u64,
    /// Frames that were analysed while it was recorded.
    pub analysed: u64,
    /// Frames that the source gave meanwhile.
    pub captured: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Bytes that are left on the disk, where the system says so.
    pub free_bytes: Option<u64>,
    /// At its end: what went wrong meanwhile and was made good, in a sentence without a full stop.
    pub warning: Option<String>,
}

/// What a recording is at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordingState {
    /// Its files are being made, or the first frame has not come yet.
    Starting,
    /// Frames are written.
    Recording,
    /// No more frames are taken; what came before is being written.
    Saving,
    /// It is over. Where no frame was written, the folder is gone.
    Ended(SessionEnd),
}

impl RecordingStatus {
    /// Before anything has happened.
    pub(super) fn new() -> Self {
        Self {
            state: RecordingState::Starting,
            folder: None,
            duration: Duration::ZERO,
            written: 0,
            dropped: 0,
            analysed: 0,
            captured: 0,
            bytes: 0,
            free_bytes: None,
            warning: None,
        }
    }

    /// How it ended, where it is over.
    pub fn end(&self) -> Option<&SessionEnd> {
        match &self.state {
            RecordingState::Ended(end) => Some(end),
            _ => None,
        }
    }
}
