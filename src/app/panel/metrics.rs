//! The honest figures, in a table whose names and columns never move.

use eframe::egui::{self, Align, Layout, RichText, vec2};

use super::super::command::{AppCommand, Section};
use super::super::state::App;
use super::super::theme;
use super::section;

/// Height of a line in points.
const LINE: f32 = 18.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    if !section::title(app, ui, Section::Performance, "", &summary(app), commands) {
        return;
    }
    ui.spacing_mut().item_spacing.y = 2.0;
    ui.spacing_mut().interact_size.y = LINE;
    let Some(((name, format), rows)) = app.source.figures.rows().split_first() else { return };
    line(ui, ui.available_width(), name, format);
    // The two columns are read downwards, each by itself.
    let half = rows.len().div_ceil(2);
    let width = (ui.available_width() - theme::MARGIN) / 2.0;
    for place in 0..half {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = theme::MARGIN;
            for (name, value) in [place, place + half].into_iter().filter_map(|place| rows.get(place)) {
                line(ui, width, name, value);
            }
        });
    }
}

/// The rate at which frames are analysed, and the delay.
fn summary(app: &App) -> String {
    let value = |wanted: &str| {
        app.source.figures.rows().iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str())
    };
    match (value("Analysed"), value("Delay")) {
        (Some(rate), Some(delay)) => format!("{rate}, {delay}"),
        _ => String::new(),
    }
}

fn line(ui: &mut egui::Ui, width: f32, name: &str, value: &str) {
    ui.allocate_ui_with_layout(vec2(width, LINE), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_size(vec2(width, LINE));
        ui.spacing_mut().item_spacing.x = theme::HALF;
        ui.label(theme::weak(name));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add(egui::Label::new(RichText::new(value).monospace().color(theme::colors().text)).truncate());
        });
    });
}
