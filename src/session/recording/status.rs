//! How a recording does.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::super::info::SessionEnd;
use crate::pipeline::{Shown, Status};

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

/// How long after a source's end the next of its last frames may still be analysed: where one failed, none may come.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// The same while all goes well; a busy machine may need seconds for a frame.
const WHILE_WELL: Duration = Duration::from_secs(10);
/// The same before the first frame, for which the networks are prepared.
const BEFORE_FIRST: Duration = Duration::from_secs(60);

/// Tells when no frame will come any more, so that a recording can be stopped.
#[derive(Debug, Default)]
pub struct SourceWatch {
    /// Frames that were analysed when the source was over, or later, and since when it is no more.
    last: Option<(u64, Instant)>,
}

impl SourceWatch {
    /// Whether the source is over and its last frames are analysed, or do not come. Ask again and again.
    pub fn is_over(&mut self, status: &Status) -> bool {
        self.is_over_at(status, Instant::now())
    }

    fn is_over_at(&mut self, status: &Status, now: Instant) -> bool {
        if !matches!(status.shown, Shown::Ended(_) | Shown::Failed(_)) {
            self.last = None;
            return false;
        }
        let since = match self.last {
            Some((analysed, since)) if analysed == status.analysed => since,
            _ => {
                self.last = Some((status.analysed, now));
                now
            }
        };
        let patience = match (&status.analysis_error, status.analysed) {
            (Some(_), _) => AFTER_ERROR,
            (None, 0) => BEFORE_FIRST,
            (None, _) => WHILE_WELL,
        };
        status.captured == status.analysed + status.dropped || now.duration_since(since) > patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::StageTimings;
    use crate::source::{SourceError, SourceErrorKind};

    fn status(captured: u64, analysed: u64, analysis_error: Option<&str>) -> Status {
        Status {
            shown: Shown::Failed(SourceError::new(SourceErrorKind::Other, "clip.mp4", "it is cut off", "")),
            capture_fps: 0.0,
            analysed_fps: 0.0,
            stages: StageTimings::default(),
            delay_ms: 0.0,
            captured,
            analysed,
            dropped: 0,
            analysis_error: analysis_error.map(str::to_owned),
        }
    }

    #[test]
    fn a_source_is_over_once_its_last_frame_is_analysed() {
        let mut watch = SourceWatch::default();
        assert!(!watch.is_over(&Status { shown: Shown::Opening, ..status(0, 0, None) }));
        assert!(!watch.is_over(&status(3, 2, None)));
        assert!(watch.is_over(&status(3, 3, None)));
        assert!(watch.is_over(&Status { dropped: 1, ..status(3, 2, None) }));
    }

    #[test]
    fn the_last_frames_are_waited_for_as_long_as_they_may_come() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut watch = SourceWatch::default();
        // The networks are still being prepared for a single picture.
        assert!(!watch.is_over_at(&status(1, 0, None), at(0)));
        assert!(!watch.is_over_at(&status(1, 0, None), at(50)));
        assert!(watch.is_over_at(&status(1, 0, None), at(61)));

        let mut watch = SourceWatch::default();
        assert!(!watch.is_over_at(&status(5, 3, None), at(0)));
        assert!(!watch.is_over_at(&status(5, 4, None), at(9)));
        assert!(!watch.is_over_at(&status(5, 4, None), at(18)), "counted from the last one that came");
        assert!(!watch.is_over_at(&status(5, 4, Some("a network failed")), at(9)));
        assert!(watch.is_over_at(&status(5, 4, Some("a network failed")), at(11)), "a frame that failed never comes");
    }
}
