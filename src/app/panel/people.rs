//! The people in view: one row for each, small rows where there are many.

use eframe::egui::{self, RichText, Sense, vec2};

use super::super::command::{AppCommand, Section};
use super::super::state::App;
use super::super::theme;
use super::person_row::{self, FULL_HEIGHT};
use super::{gait, section};
use crate::pipeline::SourceState;

/// Between two rows, points.
const GAP: f32 = theme::HALF;

/// Shows the people in `height` points; gives the height that it took, title and all.
pub(super) fn show(app: &mut App, ui: &mut egui::Ui, height: f32, commands: &mut Vec<AppCommand>) -> f32 {
    let top = ui.cursor().top();
    let present = app.people.list().iter().filter(|person| !person.away).count();
    if !section::title(app, ui, Section::People, &present.to_string(), "", commands) {
        return ui.cursor().top() - top;
    }
    app.people.refresh_crops(ui.ctx());
    let app = &*app;
    let room = height - (ui.cursor().top() - top) - ui.spacing().item_spacing.y;
    let (place, _) = ui.allocate_exact_size(vec2(ui.available_width(), room), Sense::hover());
    let compact = is_compact(ui, app.people.list().len(), room);
    let list = egui::UiBuilder::new().accessibility_role(egui::Role::List).accessibility_label("People");
    let mut inner = ui.new_child(list.max_rect(place));
    inner.set_clip_rect(place.intersect(ui.clip_rect()));
    egui::ScrollArea::vertical().id_salt("people").auto_shrink(false).show(&mut inner, |ui| {
        ui.spacing_mut().item_spacing.y = GAP;
        if app.people.list().is_empty() {
            ui.label(RichText::new(nobody(app)).color(theme::colors().weak));
        }
        for person in app.people.list() {
            person_row::show(app, ui, person, compact, commands);
        }
        gait::show(app, ui, commands);
    });
    ui.cursor().top() - top
}

/// Whether `count` rows are small in `room` points. Once they are, they stay small until there is room for one more, so
/// that somebody who comes and goes does not change all of them each time.
fn is_compact(ui: &egui::Ui, count: usize, room: f32) -> bool {
    let id = ui.scope_id().with("small rows");
    let was: bool = ui.data(|data| data.get_temp(id)).unwrap_or(false);
    let compact = room_for(count + usize::from(was && count > 1)) > room;
    ui.data_mut(|data| data.insert_temp(id, compact));
    compact && count > 1
}

/// The height of `count` large rows.
fn room_for(count: usize) -> f32 {
    count as f32 * (FULL_HEIGHT + GAP) - GAP
}

/// Why the list is empty.
fn nobody(app: &App) -> &'static str {
    match app.source.status.shown {
        SourceState::Failed(_) => "There is no image to look for people in.",
        _ if app.viewer.shot.is_none() => "No image yet.",
        _ => "Nobody in view.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_small_where_they_do_not_fit_and_large_only_with_room_to_spare() {
        let ctx = egui::Context::default();
        let room = room_for(3);
        let mut seen = Vec::new();
        for count in [1, 3, 4, 3, 2, 3] {
            let mut compact = false;
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| compact = is_compact(ui, count, room));
            output.textures_delta.clear();
            seen.push(compact);
        }
        assert_eq!(seen, [false, false, true, true, false, false]);
    }
}
