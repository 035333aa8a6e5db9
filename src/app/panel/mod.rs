//! The side panel: source, people, models, figures.
//!
//! Everything has its fixed place: the parts below the people never move when somebody comes or goes, because the people
//! have what height is left, and scroll in it. Nothing in the panel widens it: only the user's pointer does.

use eframe::egui::{self, CursorIcon, Margin, Rect, Sense, Stroke, UiBuilder};

use super::command::AppCommand;
use super::replay;
use super::state::App;
use super::theme;
use super::{camera_page, card_form};
use crate::settings::PANEL_WIDTHS;

mod gait;
mod metrics;
mod models;
mod people;
mod person_row;
mod section;
mod source;

/// The people have at least this much height: one row with its title.
const PEOPLE_LEAST: f32 = person_row::FULL_HEIGHT + 48.0;
/// The picture keeps this width where the window is narrow, points.
const PICTURE_LEAST: f32 = 240.0;
/// The panel does not get narrower than this, points.
const LEAST: f32 = 200.0;

pub(super) fn show(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let margin = Margin { left: 16, right: 4, top: 12, bottom: 8 };
    let frame = theme::bar(margin);
    let width = width_in(ui.available_width(), app.settings.panel_width);
    let panel = egui::Panel::right("side panel").frame(frame).resizable(false).exact_size(width);
    let response = panel.show(ui, |ui| {
        let place = ui.available_rect_before_wrap();
        let mut inside = ui.new_child(UiBuilder::new().max_rect(place));
        inside.set_clip_rect(place.expand(theme::HALF).intersect(ui.clip_rect()));
        ui.advance_cursor_after_rect(place);
        contents(app, &mut inside, commands);
    });
    grip(app, ui, response.response.rect);
}

/// How wide the panel is in a window of this width; what the user chose stays chosen for a wider one.
fn width_in(window: f32, chosen: f32) -> f32 {
    chosen.min((window - PICTURE_LEAST).max(LEAST)).round()
}

fn contents(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    let height = ui.available_height();
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let top = ui.cursor().top();
        ui.set_width(ui.available_width() - 12.0);
        ui.spacing_mut().item_spacing.y = 6.0;
        if card_form::show(app, ui, commands)
            || camera_page::show(app, ui, commands)
            || replay::panel(&app.replay, ui, commands)
        {
            return;
        }
        source::show(app, ui, commands);
        // What everything but the people took last time; it does not depend on who is in view.
        let others_id = ui.scope_id().with("height of the others");
        let others: f32 = ui.data(|data| data.get_temp(others_id)).unwrap_or(height);
        let least = PEOPLE_LEAST + if app.gait.is_on() { gait::LEAST_HEIGHT } else { 0.0 };
        let people = people::show(app, ui, (height - others).max(least), commands);
        models::show(app, ui, commands);
        metrics::show(app, ui, commands);
        let used = ui.min_rect().bottom() - top - people;
        ui.data_mut(|data| data.insert_temp(others_id, used));
        if (used - others).abs() > 0.5 {
            ui.ctx().request_repaint();
        }
    });
}

/// The edge of the panel: dragging it is the only way to another width.
fn grip(app: &mut App, ui: &egui::Ui, panel: Rect) {
    let place = Rect::from_x_y_ranges(panel.left() - 3.0..=panel.left() + 5.0, panel.y_range());
    let response = ui.interact(place, ui.scope_id().with("edge of the side panel"), Sense::DRAG);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Splitter, true, "Width of the side panel"));
    if response.hovered() || response.dragged() {
        ui.set_cursor_icon(CursorIcon::ResizeHorizontal);
        let line = Stroke::new(2.0, theme::colors().edge);
        ui.painter().vline(panel.left() + 1.0, panel.y_range(), line);
    }
    if let Some(pointer) = response.interact_pointer_pos().filter(|_| response.dragged()) {
        let wanted = (panel.right() - pointer.x).round();
        app.settings.panel_width = wanted.clamp(*PANEL_WIDTHS.start(), *PANEL_WIDTHS.end());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_window_narrows_the_panel_and_leaves_the_choice() {
        assert_eq!(width_in(1120.0, 320.0), 320.0);
        assert_eq!(width_in(640.0, 480.0), 400.0);
        assert_eq!(width_in(360.0, 480.0), LEAST);
    }
}
