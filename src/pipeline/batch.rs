//! Files (and cameras for a while) from end to end, without a window: one thread decodes, the calling one analyses.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use facelens_base::panic_words;
use facelens_core::frame::Frame;
use facelens_core::{AnalyseError, Analyser, Analysis};
use facelens_media::{Next, Source, SourceError, SourceErrorKind, SourceKind};

use super::FrameNumbers;
use super::inbox::{CloseOnDrop, Inbox, Message};

/// How often the stop flag is looked at while nothing comes.
const STOP_CHECK: Duration = Duration::from_millis(50);
/// How many frames are decoded ahead, and how many where one frame is so large that memory counts.
const AHEAD: usize = 3;
const AHEAD_LARGE: usize = 1;
const LARGE_PIXELS: u64 = 8 * 1024 * 1024;

/// What is done with each frame of a source: the faces by an [`Analyser`], or the gaits.
pub trait FrameWork {
    /// What it gives for a frame.
    type Done;
    /// Why it fails on a frame.
    type Error;

    /// Forgets all identities: the next frame has nothing to do with the last.
    fn reset(&mut self);

    /// Works on one frame.
    ///
    /// # Errors
    /// Where it fails; the next frame may work.
    fn work(&mut self, frame: Arc<Frame>) -> Result<Self::Done, Self::Error>;
}

impl FrameWork for Analyser {
    type Done = Analysis;
    type Error = AnalyseError;

    fn reset(&mut self) {
        Self::reset(self);
    }

    fn work(&mut self, frame: Arc<Frame>) -> Result<Analysis, AnalyseError> {
        self.analyse(frame)
    }
}

/// What happened to one frame, or why there is none now.
#[derive(Debug)]
pub enum BatchEvent<Done = Analysis, Failure = AnalyseError> {
    /// A frame was analysed.
    Analysed(Done),
    /// The detector or a network failed on a frame; the next one may work.
    Failed {
        /// The frame.
        frame: Arc<Frame>,
        /// What failed.
        error: Failure,
    },
    /// One picture of several could not be read; the others follow.
    Skipped(SourceError),
    /// A part of the source is damaged, and the frames were read all the same.
    Damaged(SourceError),
    /// A camera gives no picture; it is tried on. Comes again and again while this lasts.
    Stalled {
        /// Since when no picture came.
        silent_for: Duration,
    },
    /// A camera is gone; it is looked for. Comes again and again while this lasts.
    Disconnected {
        /// The device's words.
        reason: String,
    },
}

/// How a batch came to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BatchStop {
    /// The source is over.
    #[default]
    End,
    /// The stop flag was set.
    Interrupted,
    /// The caller's function broke off.
    Caller,
}

/// The count at the end of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchEnd {
    /// Why it ended.
    pub stop: BatchStop,
    /// Frames that the source took, as far as it numbers them.
    pub captured: u64,
    /// Frames that were analysed.
    pub analysed: u64,
    /// Frames on which the detector or a network failed.
    pub failed: u64,
    /// Pictures that could not be read.
    pub skipped: u64,
    /// Frames of a camera that were lost on the way or that a newer one replaced. Always 0 for files.
    pub dropped: u64,
    /// Pictures of a camera that came damaged and were left out; they are none of those that were dropped.
    pub damaged: u64,
}

impl BatchEnd {
    /// Counts another batch of the same input, which came to its end after this one.
    pub fn add(&mut self, other: &Self) {
        self.stop = other.stop;
        self.captured += other.captured;
        self.analysed += other.analysed;
        self.failed += other.failed;
        self.skipped += other.skipped;
        self.dropped += other.dropped;
        self.damaged += other.damaged;
    }
}

/// Why a batch broke off.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    /// The source cannot go on.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The system cannot start a thread.
    #[error("the system cannot start a thread for reading the source: {0}; close other programs and try again")]
    Thread(#[from] std::io::Error),
}

/// Why there is no frame now, as the capture thread sees it.
enum Hindrance {
    Skipped(SourceError),
    Damaged(SourceError),
    Stalled(Duration),
    Disconnected(String),
}

impl<Done, Failure> From<Hindrance> for BatchEvent<Done, Failure> {
    fn from(hindrance: Hindrance) -> Self {
        match hindrance {
            Hindrance::Skipped(error) => Self::Skipped(error),
            Hindrance::Damaged(error) => Self::Damaged(error),
            Hindrance::Stalled(silent_for) => Self::Stalled { silent_for },
            Hindrance::Disconnected(reason) => Self::Disconnected { reason },
        }
    }
}

enum Item {
    Frame(Arc<Frame>),
    Event(Hindrance),
    End,
    Broken(SourceError),
}

/// Analyses a source from end to end on the calling thread, while a thread `capture` decodes a few frames ahead.
///
/// Every frame of a file counts; of a camera the newest frame wins and the others are counted as dropped. Identities
/// start anew, and once more for each of several pictures. `on` is called for every event, in the order of the source;
/// it breaks off by [`ControlFlow::Break`]. Set `stop` to end from another thread: it is seen within 50 ms or one frame.
///
/// # Errors
/// [`BatchError`] where the source cannot go on or there is no thread. Events before that have been handed over.
pub fn run_batch<Work: FrameWork>(
    source: Box<dyn Source>,
    analyser: &mut Work,
    stop: &AtomicBool,
    mut on: impl FnMut(BatchEvent<Work::Done, Work::Error>) -> ControlFlow<()>,
) -> Result<BatchEnd, BatchError> {
    let kind = source.info().kind;
    let inbox = Inbox::new();
    let counts = Counts::default();
    analyser.reset();
    thread::scope(|scope| {
        // The capture thread may wait for room: it must be woken before the scope waits for it.
        let _close = CloseOnDrop(&inbox);
        thread::Builder::new()
            .name("capture".into())
            .spawn_scoped(scope, || read_ahead(source, kind, &inbox, &counts))?;
        let mut end = BatchEnd::default();
        end.stop = loop {
            if stop.load(Ordering::Relaxed) {
                break BatchStop::Interrupted;
            }
            let event = match inbox.receive(Some(Instant::now() + STOP_CHECK)) {
                Message::Job(Item::Frame(frame)) => {
                    if kind == SourceKind::Pictures {
                        analyser.reset();
                    }
                    match analyser.work(Arc::clone(&frame)) {
                        Ok(analysis) => {
                            end.analysed += 1;
                            BatchEvent::Analysed(analysis)
                        }
                        Err(error) => {
                            end.failed += 1;
                            BatchEvent::Failed { frame, error }
                        }
                    }
                }
                Message::Job(Item::Event(event)) => {
                    end.skipped += u64::from(matches!(event, Hindrance::Skipped(_)));
                    event.into()
                }
                Message::Job(Item::End) | Message::Closed => break BatchStop::End,
                Message::Job(Item::Broken(error)) => return Err(error.into()),
                Message::Command(never) => match never {},
                Message::Nothing => continue,
            };
            if on(event).is_break() {
                break BatchStop::Caller;
            }
        };
        end.captured = counts.captured.load(Ordering::Relaxed);
        end.damaged = counts.damaged.load(Ordering::Relaxed);
        // What was damaged leaves a gap in the numbers as what was dropped does.
        end.dropped = counts.dropped.load(Ordering::Relaxed).saturating_sub(end.damaged);
        Ok(end)
    })
}

/// What the capture thread counts.
#[derive(Default)]
struct Counts {
    captured: AtomicU64,
    dropped: AtomicU64,
    damaged: AtomicU64,
}

/// The capture thread's work: ends when the source is over or the inbox is closed.
fn read_ahead(mut source: Box<dyn Source>, kind: SourceKind, inbox: &Inbox<Infallible, Item>, counts: &Counts) {
    let mut numbers = FrameNumbers::default();
    loop {
        let asked_at = Instant::now();
        let next = catch_unwind(AssertUnwindSafe(|| source.next())).unwrap_or_else(|panic| {
            let cause = format!("reading it stopped unexpectedly ({})", panic_words(panic.as_ref()));
            Err(SourceError::new(SourceErrorKind::Other, source.info().name.clone(), cause, ""))
        });
        counts.damaged.store(source.damaged(), Ordering::Relaxed);
        let mut capacity = AHEAD;
        let item = match next {
            Ok(Next::Frame(frame)) => {
                let missed = numbers.missed(kind, &frame);
                counts.captured.fetch_add(1 + missed, Ordering::Relaxed);
                counts.dropped.fetch_add(missed, Ordering::Relaxed);
                if u64::from(frame.width()) * u64::from(frame.height()) > LARGE_PIXELS {
                    capacity = AHEAD_LARGE;
                }
                Item::Frame(Arc::new(frame))
            }
            Ok(Next::Waiting) => {
                // A source may say so without having waited itself; an order to stop ends the pause.
                if inbox.is_closed_within(super::WAITING_PAUSE.saturating_sub(asked_at.elapsed())) {
                    return;
                }
                continue;
            }
            Ok(Next::Stalled { silent_for }) => Item::Event(Hindrance::Stalled(silent_for)),
            Ok(Next::Disconnected { reason }) => Item::Event(Hindrance::Disconnected(reason)),
            Ok(Next::Skipped(error)) => Item::Event(Hindrance::Skipped(error)),
            Ok(Next::Damaged(error)) => Item::Event(Hindrance::Damaged(error)),
            Ok(Next::End) => Item::End,
            Err(error) => Item::Broken(error),
        };
        let last = matches!(item, Item::End | Item::Broken(_));
        let closed = if kind == SourceKind::Camera && !last {
            // A stall that is over or a picture that is old says nothing any more.
            let told = |old: &Item| matches!(old, Item::Event(Hindrance::Skipped(_) | Hindrance::Damaged(_)));
            let replaced = inbox.replace(item, |old| !told(old));
            let frames = replaced.iter().filter(|old| matches!(old, Item::Frame(_))).count();
            counts.dropped.fetch_add(frames as u64, Ordering::Relaxed);
            inbox.is_closed_within(Duration::ZERO)
        } else {
            inbox.offer(item, capacity, None).is_err()
        };
        if last || closed {
            return;
        }
    }
}
