//! What a running analysis or export says on standard error: a bar on a terminal, and single lines that matter anywhere.

use std::fmt;
use std::io::IsTerminal as _;
use std::time::Duration;

use facelens_media::SourceInfo;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::output;

/// The progress of one input.
pub(super) struct Progress {
    bar: ProgressBar,
    name: String,
    trouble: DataTrouble,
}

/// What is wrong with a camera at the moment; each is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DataTrouble {
    None,
    Stalled,
    Disconnected,
}

impl Progress {
    /// A bar for this source, hidden where standard error is no terminal or the rows go to the same terminal.
    pub fn new(info: &SourceInfo, limit: Option<Duration>, rows_on_terminal: bool) -> Self {
        Self { bar: bar(info, limit, rows_on_terminal), name: info.name.clone(), trouble: DataTrouble::None }
    }

    /// One line, without breaking the bar.
    pub fn note(&self, words: impl fmt::Display) {
        self.bar.suspend(|| output::note(words));
    }

    /// A frame was analysed.
    pub fn frame(&mut self) {
        if self.trouble != DataTrouble::None {
            self.note(format_args!("{} is back", self.name));
            self.trouble = DataTrouble::None;
        }
        self.bar.inc(1);
    }

    /// The camera gives no picture.
    pub fn stalled(&mut self, silent_for: Duration) {
        if self.trouble == DataTrouble::None {
            self.trouble = DataTrouble::Stalled;
            let seconds = silent_for.as_secs_f32();
            self.note(format_args!("no image from {} for {seconds:.0} s; still trying", self.name));
        }
    }

    /// The camera is gone.
    pub fn disconnected(&mut self, reason: &str) {
        if self.trouble != DataTrouble::Disconnected {
            self.trouble = DataTrouble::Disconnected;
            self.note(format_args!("{} is disconnected ({reason}); it is used again as soon as it is back", self.name));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn bar(info: &SourceInfo, limit: Option<Duration>, rows_on_terminal: bool) -> ProgressBar {
    if rows_on_terminal || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let within_limit = limit.zip(info.fps).map(|(limit, fps)| (limit.as_secs_f64() * f64::from(fps)).ceil() as u64);
    let length = match (info.frame_count, within_limit) {
        (Some(frames), Some(limited)) => Some(frames.min(limited)),
        (frames, limited) => frames.or(limited),
    };
    let bar = ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr());
    let template = match length {
        Some(_) => "{msg}: {bar:30} {pos}/{len} frames, {per_sec}, {eta} left",
        None => "{msg}: {spinner} {pos} frames, {per_sec}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(info.name.clone());
    bar
}
