//! The honest figures, in a table whose names and columns never move.

use eframe::egui::{self, Align, Layout, RichText};

use super::super::state::App;
use super::super::theme;

/// Height of a line in points.
const LINE: f32 = 18.0;

pub(super) fn show(app: &App, ui: &mut egui::Ui) {
    super::title(ui, "FIGURES");
    ui.spacing_mut().item_spacing.y = 2.0;
    for (name, value) in app.figures.rows() {
        ui.allocate_ui_with_layout(
            egui::vec2(ui.available_width(), LINE),
            Layout::left_to_right(Align::Center),
            |ui| {
                ui.set_min_height(LINE);
                ui.label(theme::weak(*name));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let value = RichText::new(value).monospace().color(theme::TEXT);
                    ui.add(egui::Label::new(value).truncate());
                });
            },
        );
    }
}
