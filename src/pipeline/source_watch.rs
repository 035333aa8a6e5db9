//! Tells when the last frame of a source has been analysed.

use std::time::{Duration, Instant};

use super::live_state::{SourceState, Status};

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
        if !matches!(status.shown, SourceState::Ended(_) | SourceState::Failed(_)) {
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
    use facelens_core::StageTimings;
    use facelens_media::{SourceError, SourceErrorKind};

    use super::*;

    fn status(captured: u64, analysed: u64, analysis_error: Option<&str>) -> Status {
        Status {
            shown: SourceState::Failed(SourceError::new(SourceErrorKind::Other, "clip.mp4", "it is cut off", "")),
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
        assert!(!watch.is_over(&Status { shown: SourceState::Opening, ..status(0, 0, None) }));
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
