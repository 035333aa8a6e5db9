//! Several threads that analyse parts of the work, each with an analyser of its own; what they find comes in order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use facelens_base::interrupt;
use facelens_core::{Analyser, Analysis};
use facelens_media::SourceInfo;
use facelens_session::FrameRow;

use super::parts::{Opening, Part};
use super::row_input;
use crate::cli::input_report::InputEvent;
use crate::pipeline::{BatchEnd, run_batch};

/// Parts that may be finished before their turn.
const AHEAD: usize = 256;
/// Rows of a part that may wait for their turn, about half a kilobyte each.
const MOST_ROWS: usize = 200_000;
/// Frames that may wait for being written into a video.
const MOST_FRAMES: usize = 2;
/// How often a thread that waits for its turn looks whether it has come.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A frame that was analysed.
pub(super) struct Analysed {
    pub row: FrameRow,
    /// Where frames are wanted, too.
    pub analysis: Option<Analysis>,
}

/// What is told of a part, in this order.
pub(super) enum PartEvent {
    /// It is open.
    Opened(Box<SourceInfo>),
    /// Something happened to a frame.
    Frame(InputEvent<Box<Analysed>>),
    /// It is over.
    End(BatchEnd),
    /// It cannot go on.
    Broken(anyhow::Error),
}

/// The work of all threads.
pub(super) struct Workers<'a> {
    pub parts: &'a [Part<'a>],
    pub opening: Opening<'a>,
    /// Whether frames are wanted as well as rows.
    pub frames: bool,
}

impl Workers<'_> {
    /// Analyses the parts on one thread for each analyser, while the calling thread consumes what `consume` is given: the
    /// events of each part in the order of the parts. When it returns, the threads end within a frame.
    pub(super) fn run<R>(
        &self,
        analysers: Vec<Analyser>,
        consume: impl FnOnce(&mut InOrder) -> R,
    ) -> std::io::Result<R> {
        let (announce, announced) = bounded(AHEAD);
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for (number, mut analyser) in analysers.into_iter().enumerate() {
                let (announce, next) = (announce.clone(), &next);
                std::thread::Builder::new()
                    .name(format!("analyze-{number}"))
                    .spawn_scoped(scope, move || self.work(&mut analyser, next, &announce))?;
            }
            drop(announce);
            let mut in_order = InOrder { announced, early: BTreeMap::new() };
            Ok(consume(&mut in_order))
        })
    }

    /// Takes one part after the other. What it says of each goes through a channel of its own.
    fn work(&self, analyser: &mut Analyser, next: &AtomicUsize, announce: &Sender<(usize, Receiver<PartEvent>)>) {
        while !interrupt::stopped() {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = self.parts.get(number) else { return };
            let (events, receiver) = if self.frames { bounded(MOST_FRAMES) } else { unbounded() };
            if announce.send((number, receiver)).is_err() || self.analyse(part, analyser, &events).is_break() {
                return;
            }
        }
    }

    /// Analyses one part; a break where nobody listens any more.
    fn analyse(&self, part: &Part<'_>, analyser: &mut Analyser, events: &Sender<PartEvent>) -> ControlFlow<()> {
        let source = match self.opening.open(part) {
            Ok(source) => source,
            Err(error) => return send(events, PartEvent::Broken(error.into())),
        };
        let info = source.info().clone();
        let input = crate::cli::input_report::row_name(part.input, &info);
        send(events, PartEvent::Opened(Box::new(info)))?;
        let end = run_batch(source, analyser, interrupt::flag(), |event| {
            let event = InputEvent::from(event).map(|analysis| {
                let row = FrameRow::new(row_input(&input, &analysis), &analysis);
                Box::new(Analysed { row, analysis: self.frames.then_some(analysis) })
            });
            send(events, PartEvent::Frame(event))
        });
        send(events, end.map_or_else(|error| PartEvent::Broken(error.into()), PartEvent::End))
    }
}

fn send(events: &Sender<PartEvent>, event: PartEvent) -> ControlFlow<()> {
    while events.len() >= MOST_ROWS && !interrupt::stopped() {
        std::thread::sleep(LOOK_EVERY);
    }
    if events.send(event).is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// What the threads say, part by part.
pub(super) struct InOrder {
    announced: Receiver<(usize, Receiver<PartEvent>)>,
    /// Parts that were begun before their turn.
    early: BTreeMap<usize, Receiver<PartEvent>>,
}

impl InOrder {
    /// The events of a part, as they come; `None` where it is not analysed because the program is to end.
    pub(super) fn part(&mut self, number: usize) -> Option<Receiver<PartEvent>> {
        loop {
            if let Some(events) = self.early.remove(&number) {
                return Some(events);
            }
            let (begun, events) = self.announced.recv().ok()?;
            self.early.insert(begun, events);
        }
    }
}
