//! The side panel of a session: what it is, what is wrong with it, who is in it and when.

use eframe::egui::{self, Button, RichText, Sense, vec2};
use facelens_session::{Appearance, SessionEnd, SessionModel, SessionPerson};

use super::super::command::{AppCommand, ReplayCommand};
use super::super::notices::Tone;
use super::super::theme;
use super::{Replay, ReplayState, clock, gait};

/// More times than this of one person are only counted.
const MOST_TIMES: usize = 24;

/// Shows the session, if there is one; `false` otherwise.
pub(in crate::app) fn show(state: &ReplayState, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) -> bool {
    let Some(replay) = state.open() else { return !state.is_none() };
    ui.label(theme::section("SESSION"));
    head(replay, ui);
    for notice in &replay.session.notices {
        remark(ui, Tone::Warn, &sentence(&notice.to_string()));
    }
    if replay.overlay_is_painted() {
        let words =
            "The overlay is part of this video, and there is no clean video, so it cannot be switched off or changed.";
        remark(ui, Tone::Info, words);
    }
    ui.add_space(theme::STEP);
    let people = replay.playback.people();
    ui.label(theme::section(format!("PEOPLE  {}", people.len())));
    if people.is_empty() {
        ui.label(RichText::new("Nobody was found in this session.").color(theme::colors().weak));
    }
    for person in people {
        row(replay, person, ui, commands);
    }
    gait::show(replay, ui);
    details(replay, ui);
    true
}

/// The session's name, when it was recorded and from what.
fn head(replay: &Replay, ui: &mut egui::Ui) {
    let info = &replay.session.info;
    theme::card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.add(egui::Label::new(theme::strong(replay.session.name())).truncate()).on_hover_text(replay.session.name());
        // The zone and the seconds matter to programs alone.
        let started: String = info.started.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect();
        let parts: Vec<_> = [started, info.source.name.clone()].into_iter().filter(|part| !part.is_empty()).collect();
        if !parts.is_empty() {
            ui.add(egui::Label::new(theme::weak(parts.join(", "))).truncate());
        }
    });
}

/// What else is known of the session.
fn details(replay: &Replay, ui: &mut egui::Ui) {
    let info = &replay.session.info;
    let dropped = info.counts.dropped;
    let dropped = if dropped > 0 { format!(", {dropped} dropped") } else { String::new() };
    let mut facts = vec![
        ("Format", info.source.format.clone()),
        ("Length", clock(replay.playback.duration_s(), 1)),
        ("Frames", format!("{}{dropped}", replay.playback.frames())),
        ("Ended", end_words(info.end.as_ref())),
        ("Detector", info.detector.clone()),
    ];
    let model = |model: &SessionModel| ("Model", format!("{} ({})", model.name, model.tasks.join(", ")));
    facts.extend(info.models.iter().map(model));
    ui.add_space(theme::STEP);
    ui.label(theme::section("DETAILS"));
    ui.spacing_mut().interact_size.y = 16.0;
    ui.spacing_mut().item_spacing.y = 3.0;
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        ui.horizontal(|ui| {
            let used = ui.label(theme::weak(name)).rect.width();
            ui.add_space((64.0 - used).max(0.0));
            ui.add(egui::Label::new(RichText::new(&value).small().color(theme::colors().text)).truncate())
                .on_hover_text(&value);
        });
    }
}

fn end_words(end: Option<&SessionEnd>) -> String {
    match end {
        None => String::new(),
        Some(SessionEnd::Stopped) => "by the user".to_owned(),
        Some(SessionEnd::SourceEnded) => "with its source".to_owned(),
        Some(SessionEnd::Failed { error }) => format!("by an error: {error}"),
        Some(SessionEnd::Recovered) => "interrupted, and recovered".to_owned(),
    }
}

/// Something to know about the session.
fn remark(ui: &mut egui::Ui, tone: Tone, text: &str) {
    ui.horizontal_top(|ui| {
        let (dot, _) = ui.allocate_exact_size(vec2(8.0, 18.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 3.5, tone.color());
        ui.add(egui::Label::new(RichText::new(text).small().color(theme::colors().text)).wrap());
    });
}

/// A person: number, age, a switch to show nobody else, and the times to jump to.
fn row(replay: &Replay, person: &SessionPerson, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let playback = &replay.playback;
    theme::card().show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.spacing_mut().item_spacing = vec2(theme::HALF, theme::HALF);
        ui.horizontal(|ui| {
            let (square, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(square, 3.0, theme::id_color(person.id));
            ui.label(theme::strong(format!("#{}", person.id)));
            let age = person.age_years.map_or_else(|| "no age".to_owned(), |years| format!("age about {years:.0}"));
            ui.label(theme::weak(age));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let only = playback.only() == Some(person.id);
                let button = Button::selectable(only, "Only").frame_when_inactive(true);
                let response = ui.add(button).on_hover_text("Show this person alone, or everybody again (0)");
                if response.accessible_name(format!("Only person {}", person.id)).clicked() {
                    commands.push(AppCommand::Replay(ReplayCommand::Only(person.id)));
                }
            });
        });
        ui.horizontal_wrapped(|ui| {
            ui.spacing_mut().button_padding.x = theme::STEP;
            for there in person.appearances.iter().take(MOST_TIMES) {
                time(replay, person.id, there, ui, commands);
            }
            if let Some(more) = person.appearances.len().checked_sub(MOST_TIMES).filter(|more| *more > 0) {
                ui.label(theme::weak(format!("and {more} more")));
            }
        });
    });
}

/// A button that goes to where a person comes.
fn time(replay: &Replay, id: u64, there: &Appearance, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let now = replay.playback.position_s();
    let inside = now >= there.from_s - 0.0005 && now <= there.to_s + 0.0005;
    let text = format!("{}–{}", clock(there.from_s, 1), clock(there.to_s, 1));
    let button = Button::selectable(inside, RichText::new(text).small()).frame_when_inactive(true);
    let spoken = format!("Person {id} at {}", clock(there.from_s, 1));
    if ui.add(button).accessible_name(spoken).clicked() {
        commands.push(AppCommand::Replay(ReplayCommand::Seek(there.from_s)));
    }
}

fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The words of a notice as a sentence; names of files stay as they are.
fn sentence(text: &str) -> String {
    let first = text.split_whitespace().next().unwrap_or_default();
    let text = if first.contains('.') { text.to_owned() } else { sentence_case(text) };
    format!("{text}.")
}
