//! Files (and cameras for a while) from end to end, without a window: one thread decodes, the calling one analyses.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use facelens_core::frame::Frame;
use facelens_core::{AnalyseError, Analyser, Analysis};
use facelens_media::{Source, SourceError, SourceInfo, SourceKind};

use super::frames::{FrameCounts, FrameTaker, NextStep, SourceEvent, read_frames};
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

/// Analyses a source from end to end on the calling thread, while a thread `capture` decodes a few frames ahead.
///
/// Every frame of a file counts; of a camera the newest frame wins and the others are counted as dropped. Identities
/// start anew, and once more for each of several pictures. `on` is called for every event, in the order of the source;
/// it breaks off by [`ControlFlow::Break`]. Set `stop` to end from another thread: it is seen within 50 ms or one frame.
///
/// # Errors
/// [`BatchError`] where the source cannot go on or there is no thread. Events before that have been handed over.
pub fn run_batch<Work: FrameWork>(
    mut source: Box<dyn Source>,
    analyser: &mut Work,
    stop: &AtomicBool,
    mut on: impl FnMut(BatchEvent<Work::Done, Work::Error>) -> ControlFlow<()>,
) -> Result<BatchEnd, BatchError> {
    let kind = source.info().kind;
    let inbox = Inbox::new();
    let counts = Mutex::default();
    analyser.reset();
    thread::scope(|scope| {
        // The capture thread may wait for room: it must be woken before the scope waits for it.
        let _close = CloseOnDrop(&inbox);
        let mut ahead = ReadAhead { inbox: &inbox, counts: &counts };
        thread::Builder::new()
            .name("capture".into())
            .spawn_scoped(scope, move || read_frames(source.as_mut(), &mut ahead))?;
        let mut end = BatchEnd::default();
        end.stop = loop {
            if stop.load(Ordering::Relaxed) {
                break BatchStop::Interrupted;
            }
            let event = match inbox.receive(Some(Instant::now() + STOP_CHECK)) {
                Message::Job(SourceEvent::Frame { frame, .. }) => {
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
                Message::Job(SourceEvent::Skipped(error)) => {
                    end.skipped += 1;
                    BatchEvent::Skipped(error)
                }
                Message::Job(SourceEvent::Damaged(error)) => BatchEvent::Damaged(error),
                Message::Job(SourceEvent::Stalled(silent_for)) => BatchEvent::Stalled { silent_for },
                Message::Job(SourceEvent::Disconnected(reason)) => BatchEvent::Disconnected { reason },
                Message::Job(SourceEvent::End) | Message::Closed => break BatchStop::End,
                Message::Job(SourceEvent::Broken(error)) => return Err(error.into()),
                Message::Command(never) => match never {},
                Message::Nothing => continue,
            };
            if on(event).is_break() {
                break BatchStop::Caller;
            }
        };
        let Counts { frames, damaged } = *lock(&counts);
        end.captured = frames.captured;
        end.damaged = damaged;
        // What was damaged leaves a gap in the numbers as what was dropped does.
        end.dropped = frames.lost.saturating_sub(damaged);
        Ok(end)
    })
}

/// What the capture thread counts.
#[derive(Clone, Copy, Default)]
struct Counts {
    frames: FrameCounts,
    damaged: u64,
}

fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    // Numbers are whole after every change.
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The capture thread's end of the inbox: it reads on until the inbox is closed.
struct ReadAhead<'a> {
    inbox: &'a Inbox<Infallible, SourceEvent>,
    counts: &'a Mutex<Counts>,
}

impl FrameTaker for ReadAhead<'_> {
    fn next_step(&mut self, _: &SourceInfo) -> NextStep {
        if self.inbox.is_closed() { NextStep::Stop } else { NextStep::Read }
    }

    fn take(&mut self, info: &SourceInfo, event: SourceEvent) {
        let mut capacity = AHEAD;
        if let SourceEvent::Frame { frame, missed } = &event {
            lock(self.counts).frames.add(*missed);
            if u64::from(frame.width()) * u64::from(frame.height()) > LARGE_PIXELS {
                capacity = AHEAD_LARGE;
            }
        }
        let is_last = matches!(event, SourceEvent::End | SourceEvent::Broken(_));
        if info.kind == SourceKind::Camera && !is_last {
            // A stall that is over or a picture that is old says nothing any more.
            let told = |old: &SourceEvent| matches!(old, SourceEvent::Skipped(_) | SourceEvent::Damaged(_));
            let replaced = self.inbox.replace(event, |old| !told(old));
            let frames = replaced.iter().filter(|old| matches!(old, SourceEvent::Frame { .. })).count();
            lock(self.counts).frames.replaced(frames);
        } else {
            // Refused where the inbox is closed, which ends the loop.
            let _ = self.inbox.offer(event, capacity, None);
        }
    }

    fn damaged(&mut self, total: u64) {
        lock(self.counts).damaged = total;
    }
}
