//! The side panel: source, people, models, figures.
//!
//! Everything has its fixed place: the parts below the people never move when somebody comes or goes, because the people
//! have what height is left, and scroll in it.

use eframe::egui::{self, Margin};

use super::command::AppCommand;
use super::replay;
use super::state::App;
use super::theme;
use crate::settings::PANEL_WIDTHS;

pub(super) mod gait;
mod metrics;
mod models;
mod people;
mod source;

/// The people have at least this much height: one row with its title.
const PEOPLE_LEAST: f32 = people::ROW_HEIGHT + 48.0;

pub(super) fn show(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let frame = egui::Frame::new().fill(theme::PANEL).inner_margin(Margin { left: 16, right: 4, top: 16, bottom: 8 });
    let panel = egui::Panel::right("side panel")
        .frame(frame)
        .resizable(true)
        .default_size(app.settings.panel_width)
        .size_range(*PANEL_WIDTHS.start()..=*PANEL_WIDTHS.end());
    let response = panel.show(ui, |ui| {
        let height = ui.available_height();
        egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let top = ui.cursor().top();
            ui.set_width(ui.available_width() - 12.0);
            ui.spacing_mut().item_spacing.y = 6.0;
            if replay::panel(app, ui, commands) {
                return;
            }
            source::show(app, ui, commands);
            // What everything but the people took last time; it does not depend on who is in view.
            let others_id = ui.scope_id().with("height of the others");
            let others: f32 = ui.data(|data| data.get_temp(others_id)).unwrap_or(height);
            let least = PEOPLE_LEAST + if app.gait.is_on() { gait::LEAST_HEIGHT } else { 0.0 };
            let people = people::show(app, ui, (height - others).max(least), commands);
            models::show(app, ui, commands);
            metrics::show(app, ui);
            let used = ui.min_rect().bottom() - top - people;
            ui.data_mut(|data| data.insert_temp(others_id, used));
            if (used - others).abs() > 0.5 {
                ui.ctx().request_repaint();
            }
        });
    });
    let width = response.response.rect.width().round();
    if PANEL_WIDTHS.contains(&width) {
        app.settings.panel_width = width;
    }
}

/// The title of a part.
pub(super) fn title(ui: &mut egui::Ui, text: &str) {
    ui.label(theme::section(text));
}
