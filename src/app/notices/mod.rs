//! Short messages to the user: they stand over the picture for a while, can be closed and copied, and are kept in a list.

mod list;
mod toasts;

use std::time::{Duration, Instant};

use eframe::egui::Color32;

use super::command::{AppCommand, NoticeNumber};
use super::theme;

pub(super) use list::show as show_list;
pub(super) use toasts::show as show_toasts;

/// How a message is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Info,
    Good,
    Warn,
    Bad,
}

impl Tone {
    /// Its colour.
    pub fn color(self) -> Color32 {
        let colors = theme::colors();
        match self {
            Self::Info => colors.accent,
            Self::Good => colors.good,
            Self::Warn => colors.warn,
            Self::Bad => colors.bad,
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

/// More than this at once hide the picture.
const MOST_AT_ONCE: usize = 4;
/// So many are kept in the list.
const MOST_KEPT: usize = 200;

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub number: NoticeNumber,
    pub tone: Tone,
    pub text: String,
    /// What can be done about it: what the button says, and what it asks for.
    pub buttons: Vec<(String, AppCommand)>,
    /// When it was said.
    said_at: Instant,
    /// It is over the picture until this time of the window, seconds; `None` until it was painted first.
    until: Option<f64>,
    /// It is over the picture.
    stands: bool,
}

/// The messages, the oldest first.
#[derive(Default)]
pub(crate) struct Notices {
    kept: Vec<Notice>,
    newest: NoticeNumber,
}

impl Notices {
    /// Shows `text`; the same words twice in a row are shown once while they stand.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.say_with(tone, text, Vec::new());
    }

    /// Shows `text` with buttons that ask for something.
    pub fn say_with(&mut self, tone: Tone, text: impl Into<String>, buttons: Vec<(String, AppCommand)>) {
        let text = text.into();
        // It is told here; a log that repeated it would tell it twice.
        tracing::debug!("{text}");
        if let Some(last) = self.kept.last_mut()
            && last.stands
            && last.text == text
        {
            last.until = None;
            return;
        }
        self.keep(tone, text, buttons, true);
        let standing = self.kept.iter().filter(|notice| notice.stands).count();
        if standing > MOST_AT_ONCE
            && let Some(oldest) = self.kept.iter_mut().find(|notice| notice.stands)
        {
            oldest.stands = false;
        }
    }

    /// Puts `text` into the list alone: something else in the window says it already.
    pub fn note(&mut self, tone: Tone, text: impl Into<String>) {
        self.keep(tone, text.into(), Vec::new(), false);
    }

    fn keep(&mut self, tone: Tone, text: String, buttons: Vec<(String, AppCommand)>, stands: bool) {
        self.newest += 1;
        let said_at = Instant::now();
        self.kept.push(Notice { number: self.newest, tone, text, buttons, said_at, until: None, stands });
        if self.kept.len() > MOST_KEPT {
            self.kept.remove(0);
        }
    }

    /// Takes a message away from the picture.
    pub fn close(&mut self, number: NoticeNumber) {
        self.kept.iter_mut().filter(|notice| notice.number == number).for_each(|notice| notice.stands = false);
    }

    /// The newest message, also after it went away.
    #[cfg(test)]
    pub fn last(&self) -> Option<(Tone, &str)> {
        self.kept.last().map(|notice| (notice.tone, notice.text.as_str()))
    }

    /// All that are kept, the oldest first.
    fn all(&self) -> &[Notice] {
        &self.kept
    }

    /// Those over the picture at `now`, seconds of the window, the oldest first; those whose time is over go away.
    fn standing(&mut self, now: f64) -> impl Iterator<Item = &mut Notice> {
        for notice in self.kept.iter_mut().filter(|notice| notice.stands) {
            let lasts = notice.tone.duration().max(reading_time(&notice.text));
            let until = *notice.until.get_or_insert(now + lasts.as_secs_f64());
            notice.stands = now < until;
        }
        self.kept.iter_mut().filter(|notice| notice.stands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(notices: &mut Notices, now: f64) -> Vec<String> {
        notices.standing(now).map(|notice| notice.text.clone()).collect()
    }

    #[test]
    fn the_same_words_twice_stand_once() {
        let mut notices = Notices::default();
        notices.say(Tone::Bad, "no such file");
        notices.say(Tone::Bad, "no such file");
        assert_eq!(standing(&mut notices, 0.0), ["no such file"]);
        notices.say(Tone::Info, "another");
        assert_eq!(standing(&mut notices, 0.0).len(), 2);
        assert_eq!(notices.last(), Some((Tone::Info, "another")));
    }

    #[test]
    fn a_message_goes_when_it_was_read_and_stays_in_the_list() {
        let mut notices = Notices::default();
        notices.say(Tone::Info, "short");
        notices.say(Tone::Bad, "a problem");
        assert_eq!(standing(&mut notices, 100.0).len(), 2);
        assert_eq!(standing(&mut notices, 104.5), ["a problem"]);
        assert!(standing(&mut notices, 112.5).is_empty());
        notices.say(Tone::Info, "a long sentence ".repeat(20));
        assert_eq!(standing(&mut notices, 200.0).len(), 1);
        assert_eq!(standing(&mut notices, 215.0).len(), 1, "320 letters take longer than 15 seconds");
        assert_eq!(notices.all().len(), 3);
    }

    #[test]
    fn few_stand_at_once_and_the_list_does_not_grow_for_ever() {
        let mut notices = Notices::default();
        for number in 0..300 {
            notices.say(Tone::Info, format!("number {number}"));
        }
        assert_eq!(standing(&mut notices, 0.0), [296, 297, 298, 299].map(|number| format!("number {number}")));
        assert_eq!(notices.all().len(), MOST_KEPT);
    }

    #[test]
    fn what_is_only_noted_is_in_the_list_and_does_not_stand() {
        let mut notices = Notices::default();
        notices.say(Tone::Info, "one");
        notices.note(Tone::Good, "two");
        assert_eq!(standing(&mut notices, 0.0), ["one"]);
        assert_eq!(notices.last(), Some((Tone::Good, "two")));
    }

    #[test]
    fn a_closed_message_stands_no_more() {
        let mut notices = Notices::default();
        notices.say(Tone::Warn, "one");
        notices.say(Tone::Warn, "two");
        let first = notices.all()[0].number;
        notices.close(first);
        assert_eq!(standing(&mut notices, 0.0), ["two"]);
        notices.say(Tone::Warn, "one");
        assert_eq!(standing(&mut notices, 0.0), ["two", "one"], "what is said again is shown again");
    }
}
