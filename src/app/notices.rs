//! Short words to the user that go away by themselves.

use std::time::Duration;

use eframe::egui::accesskit::Live;
use eframe::egui::{self, Color32};
use egui_notify::{Anchor, Toast, ToastLevel, Toasts};

use super::theme;

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Info,
    Good,
    Warn,
    Bad,
}

impl Tone {
    /// Its colour.
    pub const fn color(self) -> Color32 {
        match self {
            Self::Info => theme::ACCENT,
            Self::Good => theme::GOOD,
            Self::Warn => theme::WARN,
            Self::Bad => theme::BAD,
        }
    }

    /// Long enough to read; a problem stays longer.
    const fn duration(self) -> Duration {
        match self {
            Self::Info | Self::Good => Duration::from_secs(4),
            Self::Warn => Duration::from_secs(8),
            Self::Bad => Duration::from_secs(12),
        }
    }
}

/// How long it takes to read `text` without hurry.
fn reading_time(text: &str) -> Duration {
    Duration::from_millis(70 * text.chars().count() as u64)
}

/// Letters a line: toasts do not wrap by themselves.
const LINE_LENGTH: usize = 72;
/// More than this at once hide the picture.
const MOST: usize = 4;

/// The notices on the screen.
pub(crate) struct Notices {
    toasts: Toasts,
    last: Option<(Tone, String)>,
}

impl Default for Notices {
    fn default() -> Self {
        let toasts = Toasts::new()
            .with_anchor(Anchor::BottomLeft)
            .with_margin(egui::vec2(theme::MARGIN, 56.0))
            .with_padding(egui::vec2(12.0, 12.0))
            .with_default_font(egui::FontId::proportional(14.0));
        Self { toasts, last: None }
    }
}

impl Notices {
    /// Shows `text`; the same words twice in a row are shown once while they stand.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        let text = text.into();
        // It is told here; a log that repeated it would tell it twice.
        tracing::debug!("{text}");
        if !self.toasts.is_empty() && self.last.as_ref().is_some_and(|(_, last)| *last == text) {
            return;
        }
        if self.toasts.len() >= MOST {
            self.toasts.dismiss_oldest_toast();
        }
        let caption = egui::RichText::new(wrap(&text, LINE_LENGTH)).color(theme::TEXT).size(14.0);
        let mut toast = Toast::custom(caption, ToastLevel::Custom("●".into(), tone.color()));
        toast.duration(tone.duration().max(reading_time(&text))).closable(false).show_progress_bar(false);
        self.toasts.add(toast);
        self.last = Some((tone, text));
    }

    /// The newest notice, also after it went away.
    #[cfg(test)]
    pub fn last(&self) -> Option<(Tone, &str)> {
        self.last.as_ref().map(|(tone, text)| (*tone, text.as_str()))
    }

    /// Paints them over everything.
    pub fn show(&mut self, ctx: &egui::Context) {
        if self.toasts.is_empty() {
            return;
        }
        self.toasts.show(ctx);
        // They are only painted: what a screen reader says of them is this.
        if let Some((tone, text)) = &self.last {
            ctx.accesskit_node_builder(egui::Id::unique("newest notice"), |node| {
                let problem = matches!(tone, Tone::Warn | Tone::Bad);
                node.set_role(if problem { egui::Role::Alert } else { egui::Role::Status });
                node.set_live(if problem { Live::Assertive } else { Live::Polite });
                node.set_label(text.as_str());
            });
        }
    }
}

/// Breaks `text` into lines that are at most `length` letters wide (a Chinese one counts twice): between words, and inside a
/// word that is longer than a line (a path).
fn wrap(text: &str, length: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let options = textwrap::Options::new(length).word_splitter(textwrap::WordSplitter::NoHyphenation);
    textwrap::fill(&words, options.word_separator(textwrap::WordSeparator::AsciiSpace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_inside_long_paths_only() {
        assert_eq!(wrap("one two three", 7), "one two\nthree");
        assert_eq!(wrap("abcdefghij k", 4), "abcd\nefgh\nij k");
        assert_eq!(wrap("short", 64), "short");
        assert_eq!(wrap("人物写真", 4), "人物\n写真");
        let long = wrap(&"/a/very/long/path".repeat(20), 64);
        assert!(long.lines().all(|line| line.chars().count() <= 64));
    }

    #[test]
    fn the_same_words_twice_stand_once() {
        let mut notices = Notices::default();
        notices.say(Tone::Bad, "no such file");
        notices.say(Tone::Bad, "no such file");
        assert_eq!(notices.toasts.len(), 1);
        notices.say(Tone::Info, "another");
        assert_eq!(notices.toasts.len(), 2);
        assert_eq!(notices.last(), Some((Tone::Info, "another")));
    }
}
