//! The one loop over a source's frames, for the live view and for files, and the one count of frames.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use facelens_base::panic_words;
use facelens_core::frame::Frame;
use facelens_media::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

/// The pause between two questions to a source that gave no frame: it may say so without having waited itself.
const WAITING_PAUSE: Duration = Duration::from_millis(5);

/// What the loop does next.
pub(super) enum NextStep {
    /// Ask the source for its next frame.
    Read,
    /// Go on at another time of the source.
    Seek(Duration),
    /// End the loop.
    Stop,
}

/// What the source gave.
pub(super) enum SourceEvent {
    Frame {
        frame: Arc<Frame>,
        /// How many frames before this one never came.
        missed: u64,
    },
    /// One picture of several could not be read; the others follow.
    Skipped(SourceError),
    /// A part is damaged, and the frames are read all the same.
    Damaged(SourceError),
    /// A camera gives no picture; it is tried on.
    Stalled(Duration),
    /// A camera is gone; it is looked for.
    Disconnected(String),
    /// The source is over: the last event.
    End,
    /// The source cannot go on: the last event.
    Broken(SourceError),
}

/// Steers the loop and takes what it reads.
pub(super) trait FrameTaker {
    /// What the loop does next. May wait, for orders or for room.
    fn next_step(&mut self, info: &SourceInfo) -> NextStep;

    /// The source gave something.
    fn take(&mut self, info: &SourceInfo, event: SourceEvent);

    /// Frames so far that came damaged and were left out, as [`Source::damaged`] counts them.
    fn damaged(&mut self, total: u64) {
        let _ = total;
    }
}

/// Reads a source until it is over, it breaks, or `taker` stops the loop. A panic of the source is an error of it.
pub(super) fn read_frames(source: &mut dyn Source, taker: &mut impl FrameTaker) {
    let mut last = None;
    loop {
        let step = taker.next_step(source.info());
        let asked_at = Instant::now();
        let read = match step {
            NextStep::Stop => return,
            NextStep::Seek(time) => {
                last = None;
                match guarded(source, "going on there", |source| source.seek(time)) {
                    Ok(()) => continue,
                    Err(error) => Err(error),
                }
            }
            NextStep::Read => {
                let read = guarded(source, "reading it", |source| source.next());
                taker.damaged(source.damaged());
                read
            }
        };
        let event = match read {
            Ok(Next::Frame(frame)) => {
                let missed = missed(source.info().kind, last.replace(frame.sequence), &frame);
                SourceEvent::Frame { frame: Arc::new(frame), missed }
            }
            Ok(Next::Waiting) => {
                thread::sleep(WAITING_PAUSE.saturating_sub(asked_at.elapsed()));
                continue;
            }
            Ok(Next::Stalled { silent_for }) => SourceEvent::Stalled(silent_for),
            Ok(Next::Disconnected { reason }) => SourceEvent::Disconnected(reason),
            Ok(Next::Skipped(error)) => SourceEvent::Skipped(error),
            Ok(Next::Damaged(error)) => SourceEvent::Damaged(error),
            Ok(Next::End) => SourceEvent::End,
            Err(error) => SourceEvent::Broken(error),
        };
        let is_last = matches!(event, SourceEvent::End | SourceEvent::Broken(_));
        let halted = matches!(event, SourceEvent::Stalled(_) | SourceEvent::Disconnected(_));
        taker.take(source.info(), event);
        if is_last {
            return;
        }
        if halted {
            thread::sleep(WAITING_PAUSE.saturating_sub(asked_at.elapsed()));
        }
    }
}

/// How many frames are missing between the last one and this. A camera's do where nobody took them in time, in its
/// driver or in its own thread; a file's numbers are its own, and none of them is lost.
fn missed(kind: SourceKind, last: Option<u64>, frame: &Frame) -> u64 {
    last.filter(|_| kind == SourceKind::Camera).map_or(0, |last| frame.sequence.saturating_sub(last + 1))
}

fn guarded<T>(
    source: &mut dyn Source,
    doing: &str,
    work: impl FnOnce(&mut dyn Source) -> Result<T, SourceError>,
) -> Result<T, SourceError> {
    let done = catch_unwind(AssertUnwindSafe(|| work(source)));
    done.unwrap_or_else(|panic| {
        Err(stopped_unexpectedly(source.info().name.clone(), doing, panic_words(panic.as_ref())))
    })
}

/// The error of a source that panicked.
pub(super) fn stopped_unexpectedly(subject: String, doing: &str, words: &str) -> SourceError {
    let cause = format!("{doing} stopped unexpectedly ({words})");
    SourceError::new(SourceErrorKind::Other, subject, cause, "choose it again or choose another source")
}

/// The count of a source's frames. Whatever a frame is lost by, it is counted here once: what the driver, the camera's
/// thread or a damaged picture lost leaves a gap in the numbers, and what a newer frame replaced is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct FrameCounts {
    /// Frames that the source took, as far as it numbers them.
    pub(super) captured: u64,
    /// Those of a camera that nobody could analyse.
    pub(super) lost: u64,
}

impl FrameCounts {
    /// A frame came, and `missed` before it did not.
    pub(super) fn add(&mut self, missed: u64) {
        self.captured += 1 + missed;
        self.lost += missed;
    }

    /// So many frames that came were replaced by newer ones.
    pub(super) fn replaced(&mut self, frames: usize) {
        self.lost += frames as u64;
    }
}
