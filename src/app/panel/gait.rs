//! The walkers among the people: one row of fixed height for each.

use eframe::egui::{self, RichText};
use facelens_gait::{WalkState, Walker};
use facelens_session::overlay::gait_age_words;

use super::super::command::AppCommand;
use super::super::gait::direction_words;
use super::super::state::App;
use super::super::theme;
use super::super::walker_row::{self, WalkerRow};
use crate::pipeline::GaitView;

/// Height of one row with its title and the model.
pub(super) const LEAST_HEIGHT: f32 = walker_row::HEIGHT + 72.0;

/// Shows the walkers of the live picture under the people; nothing where the gaits are off.
pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let Some(view) = app.gait.view() else { return };
    let count = view.walkers.len();
    let rate = if view.fps > 0.0 { format!("  ·  {:.0} a second", view.fps) } else { String::new() };
    ui.label(theme::section(format!("GAIT  {count}{rate}")));
    if view.walkers.is_empty() {
        let words = if view.loading {
            "Preparing the networks…"
        } else {
            "Nobody is fully visible: head to feet, at least 80 pixels high."
        };
        ui.label(RichText::new(words).color(theme::colors().weak));
    }
    for walker in &view.walkers {
        walker_row::show(ui, &of_walker(app, walker));
    }
    model(app, view, ui, commands);
}

/// Which model tells the age by gait, and a button to choose another.
fn model(app: &App, view: &GaitView, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let file = app.settings.gait_model.as_ref();
    let name = file.and_then(|file| file.file_stem()).map(|stem| stem.to_string_lossy().into_owned());
    let (words, color) = match (&view.age_error, name) {
        (Some(error), _) => (error.clone(), theme::colors().bad),
        (None, Some(name)) => (format!("Age by gait: {name}"), theme::colors().weak),
        (None, None) => ("No model estimates the age from gait.".to_owned(), theme::colors().weak),
    };
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if file.is_some() && ui.button("None").on_hover_text("Do not estimate the age from gait").clicked() {
                commands.push(AppCommand::NoGaitModel);
            }
            let load =
                ui.button("Load…").on_hover_text("Load a model that estimates the age from gait: its card (.toml)");
            if load.accessible_name("Load a model for the age by gait").clicked() {
                commands.push(AppCommand::PickGaitModel);
            }
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let label = egui::Label::new(RichText::new(&words).small().color(color)).truncate();
                ui.add(label).on_hover_text(&words);
            });
        });
    });
}

fn of_walker<'a>(app: &'a App, walker: &Walker) -> WalkerRow<'a> {
    let (state, waits) = match walker.state {
        WalkState::Waiting(waiting) => (waiting.words().to_owned(), true),
        WalkState::Walking { strides: 0 } => ("walks: the first stride is not complete".to_owned(), true),
        WalkState::Walking { strides } => {
            let direction = walker.measures.direction_deg.map(|degrees| direction_words(degrees, app.mirrored()));
            let count = if strides == 1 { "1 stride".to_owned() } else { format!("{strides} strides") };
            (format!("{} · {count}", direction.unwrap_or("walks")), false)
        }
    };
    WalkerRow {
        id: walker.id,
        image: app.gait.texture(walker.id),
        state,
        waits,
        measures: walker.measures,
        age: walker.age.as_ref().map(gait_age_words),
    }
}
