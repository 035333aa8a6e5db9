//! A face that was clicked in the picture: what can be done with the person.

use eframe::egui::{self, Button, Pos2, Rect, RichText, Stroke, pos2, vec2};
use facelens_core::track::Face;

use super::command::{AppCommand, ChosenFace, FaceCommand};
use super::state::App;
use super::theme;
use crate::outputs::Follow;

/// The face under `pointer`, in a picture of `width` pixels that is shown in `target`; the smallest of several.
pub(super) fn face_at(faces: &[Face], pointer: Pos2, target: Rect, width: f32, mirrored: bool) -> Option<&Face> {
    let under = faces.iter().filter(|face| on_screen(face, target, width, mirrored).expand(4.0).contains(pointer));
    under.min_by(|a, b| a.rect.width.total_cmp(&b.rect.width))
}

/// Where a face's box is on the screen.
fn on_screen(face: &Face, target: Rect, width: f32, mirrored: bool) -> Rect {
    let scale = target.width() / width.max(1.0);
    let left = if mirrored { width - face.rect.right() } else { face.rect.x };
    let min = target.min + vec2(left, face.rect.y) * scale;
    Rect::from_min_size(min, vec2(face.rect.width, face.rect.height) * scale)
}

/// Where the menu of a face begins.
pub(super) fn beside(face: &Face, target: Rect, width: f32, mirrored: bool) -> Pos2 {
    on_screen(face, target, width, mirrored).right_top() + vec2(16.0, 0.0)
}

/// Marks the chosen face in the picture.
pub(super) fn mark(app: &App, painter: &egui::Painter, target: Rect, width: f32) {
    let Some(chosen) = &app.viewer.chosen_face else { return };
    let faces = app.viewer.shot.as_ref().map_or(&[][..], |shot| shot.faces());
    if let Some(face) = faces.iter().find(|face| face.id == chosen.id) {
        let place = on_screen(face, target, width, app.mirrored()).expand(5.0);
        painter.rect_stroke(place, 6.0, Stroke::new(4.0, theme::colors().stage), egui::StrokeKind::Outside);
        painter.rect_stroke(place, 6.0, Stroke::new(2.0, egui::Color32::WHITE), egui::StrokeKind::Outside);
    }
}

/// The menu beside the chosen face. A click elsewhere and Esc close it.
pub(super) fn show(app: &App, ui: &egui::Ui, area: Rect, commands: &mut Vec<AppCommand>) {
    let Some(ChosenFace { id, at }) = app.viewer.chosen_face else { return };
    let size = vec2(208.0, 132.0);
    let at = pos2(at.x.min(area.right() - size.x).max(area.left()), at.y.min(area.bottom() - size.y).max(area.top()));
    let menu = egui::Area::new(egui::Id::unique("face menu")).order(egui::Order::Foreground).fixed_pos(at);
    let mut close = false;
    let shown = menu.show(ui.ctx(), |ui| {
        egui::Frame::popup(ui.style()).show(ui, |ui| {
            ui.set_width(size.x - 24.0);
            ui.spacing_mut().item_spacing.y = theme::HALF;
            ui.label(RichText::new(format!("Person {id}")).strong().color(theme::colors().text));
            let mut entry = |ui: &mut egui::Ui, on: bool, text: &str, hint: &str| {
                let button = Button::selectable(on, text).min_size(vec2(ui.available_width(), 24.0));
                let clicked = ui.add(button).on_hover_text(hint).clicked();
                close |= clicked;
                clicked
            };
            if app.replay.is_none() && app.outputs.options.opentrack.is_some() {
                let followed = app.outputs.follow == Follow::Person(id);
                if entry(ui, followed, "Send to opentrack", "Send this head to opentrack rather than the largest") {
                    commands.push(AppCommand::Follow(id));
                }
            }
            let only = app.only_person() == Some(id);
            if entry(ui, only, "Show only this person", "Draw nobody else; the data keep everybody") {
                commands.push(AppCommand::Face(FaceCommand::Only(id)));
            }
            if entry(ui, false, "Copy the figures", "Copy age, gender and head pose as text") {
                commands.push(AppCommand::Face(FaceCommand::Copy(id)));
            }
        });
    });
    let elsewhere = ui.input(|input| {
        input.key_pressed(egui::Key::Escape)
            || input.pointer.any_pressed()
                && input.pointer.interact_pos().is_some_and(|pos| !shown.response.rect.contains(pos))
    });
    if close || elsewhere {
        commands.push(AppCommand::Face(FaceCommand::Choose(None)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake::face;

    const TARGET: Rect = Rect::from_min_max(Pos2::new(100.0, 50.0), Pos2::new(740.0, 530.0));

    #[test]
    fn a_face_is_found_where_it_is_drawn_also_in_a_mirrored_picture() {
        // 64x48 pixels, ten points each: faces of 20x20 at (11, 10) and (30, 10).
        let mut faces = [face(1), face(2)];
        faces[1].rect.x = 40.0;
        let at = |x: f32, y: f32, mirrored| face_at(&faces, pos2(x, y), TARGET, 64.0, mirrored).map(|face| face.id);
        assert_eq!(at(100.0 + 200.0, 200.0, false), Some(1));
        assert_eq!(at(100.0 + 500.0, 200.0, false), Some(2));
        assert_eq!(at(100.0 + 640.0 - 200.0, 200.0, true), Some(1));
        assert_eq!(at(100.0 + 200.0, 450.0, false), None);
        // Of two that overlap, the smaller one: the larger can be clicked beside it.
        let mut inner = face(3);
        inner.rect = facelens_core::geometry::Rect::new(15.0, 15.0, 5.0, 5.0);
        let faces = [face(1), inner];
        assert_eq!(face_at(&faces, pos2(100.0 + 170.0, 50.0 + 170.0), TARGET, 64.0, false).unwrap().id, 3);
    }
}
