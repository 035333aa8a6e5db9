//! What is told of one input while it is worked on, and whether all of it went well.

use std::fmt;
use std::time::Duration;

use facelens_media::{SourceError, SourceInfo, SourceKind, SourceSpec};

use super::progress::Progress;
use crate::pipeline::{BatchEnd, BatchEvent, BatchStop};

/// What happened to an input, as a [`BatchEvent`] says it, without the frame that failed.
pub(super) enum InputEvent<Done> {
    /// Work on a frame is done.
    Done(Done),
    /// It failed on a frame of this number.
    Failed(u64, String),
    /// One picture of several could not be read.
    Skipped(SourceError),
    /// A part of the input is damaged.
    Damaged(SourceError),
    /// A camera gives no picture for so long.
    Stalled(Duration),
    /// A camera is gone, in its own words.
    Disconnected(String),
}

impl<Done> InputEvent<Done> {
    /// The same with something else done.
    pub(super) fn map<Other>(self, done: impl FnOnce(Done) -> Other) -> InputEvent<Other> {
        match self {
            Self::Done(value) => InputEvent::Done(done(value)),
            Self::Failed(frame, error) => InputEvent::Failed(frame, error),
            Self::Skipped(error) => InputEvent::Skipped(error),
            Self::Damaged(error) => InputEvent::Damaged(error),
            Self::Stalled(silent_for) => InputEvent::Stalled(silent_for),
            Self::Disconnected(reason) => InputEvent::Disconnected(reason),
        }
    }
}

impl<Done, Failure: fmt::Display> From<BatchEvent<Done, Failure>> for InputEvent<Done> {
    fn from(event: BatchEvent<Done, Failure>) -> Self {
        match event {
            BatchEvent::Analysed(done) => Self::Done(done),
            BatchEvent::Failed { frame, error } => Self::Failed(frame.sequence, error.to_string()),
            BatchEvent::Skipped(error) => Self::Skipped(error),
            BatchEvent::Damaged(error) => Self::Damaged(error),
            BatchEvent::Stalled { silent_for } => Self::Stalled(silent_for),
            BatchEvent::Disconnected { reason } => Self::Disconnected(reason),
        }
    }
}

/// The `input` of rows: a camera's name, anything else as it was given.
pub(super) fn row_name(input: &SourceSpec, info: &SourceInfo) -> String {
    if info.kind == SourceKind::Camera { info.name.clone() } else { input.to_string() }
}

/// The words about one input.
pub(super) struct InputReport {
    /// The input as it was given.
    name: String,
    /// What it promises.
    pub info: SourceInfo,
    progress: Progress,
    failed: u64,
}

impl InputReport {
    /// Of an input that is open; `seconds` as `--seconds`.
    pub(super) fn new(
        input: &SourceSpec,
        info: &SourceInfo,
        seconds: Option<Duration>,
        rows_on_terminal: bool,
    ) -> Self {
        let progress = Progress::new(info, seconds, rows_on_terminal);
        Self { name: input.to_string(), info: info.clone(), progress, failed: 0 }
    }

    /// One line, without breaking the progress bar.
    pub(super) fn note(&self, words: impl fmt::Display) {
        self.progress.note(words);
    }

    /// Tells what happened; what was done on a frame comes back.
    pub(super) fn event<Done>(&mut self, event: InputEvent<Done>) -> Option<Done> {
        match event {
            InputEvent::Done(done) => {
                self.progress.frame();
                return Some(done);
            }
            InputEvent::Failed(frame, error) => {
                self.failed += 1;
                if self.failed == 1 {
                    self.note(format_args!("{}: frame {frame}: {error}", self.name));
                }
            }
            InputEvent::Skipped(error) => self.note(format_args!("{error}; it is skipped")),
            InputEvent::Damaged(error) => self.note(format_args!("{error}")),
            InputEvent::Stalled(silent_for) => self.progress.stalled(silent_for),
            InputEvent::Disconnected(reason) => self.progress.disconnected(&reason),
        }
        None
    }

    /// Tells what was lost; `false` where something failed.
    pub(super) fn end(&self, end: &BatchEnd) -> bool {
        let (name, failed) = (&self.name, self.failed);
        if failed > 1 {
            self.note(format_args!("{name}: {failed} frames failed this way"));
        }
        if end.damaged > 0 {
            let (damaged, captured) = (end.damaged, end.captured.max(end.damaged));
            self.note(format_args!(
                "{name}: {damaged} of {captured} pictures came damaged and were left out; try another cable or port"
            ));
        }
        if end.dropped > 0 {
            let (dropped, captured) = (end.dropped, end.captured);
            self.note(format_args!(
                "{name}: {dropped} of {captured} frames were dropped: newer ones arrived before their turn"
            ));
        }
        if end.analysed == 0 && end.stop == BatchStop::End && end.skipped == 0 && failed == 0 {
            let is_camera = self.info.kind == SourceKind::Camera;
            let what = if is_camera { "it delivered no image" } else { "it contains no frame" };
            self.note(format_args!("{name}: {what}"));
            return false;
        }
        failed == 0 && end.skipped == 0
    }
}
