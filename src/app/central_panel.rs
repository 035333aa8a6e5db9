//! The centre: the live picture with its overlay, a banner above it, or a page instead of it.

use eframe::egui::{
    self, Align, Align2, Button, Color32, FontId, Layout, Rect, RichText, Sense, Stroke, UiBuilder, pos2, vec2,
};
use facelens_media::SourceSpec;
use facelens_session::overlay::Scene;

use super::command::{AppCommand, ChosenFace, FaceCommand};
use super::egui_painter;
use super::face_menu;
use super::picture::letterbox;
use super::picture_view::PictureView;
use super::state::App;
use super::theme;
use super::view::{Page, Symbol, view};
use super::{banner, countdown, library, outputs_mark, recorded_bar, recording_mark};

/// How much a point of the wheel zooms.
const WHEEL_ZOOM: f32 = 0.0025;

pub(super) fn show(app: &mut App, ui: &mut egui::Ui, commands: &mut Vec<AppCommand>) {
    egui::CentralPanel::default().frame(egui::Frame::new()).show(ui, |ui| {
        if app.library.open {
            ui.painter().rect_filled(ui.max_rect(), 0.0, theme::colors().stage);
            library::show(app, ui, ui.max_rect(), commands);
            return;
        }
        let live = || view(&app.source.status.shown, app.viewer.shot.is_some(), &app.source.spec, &app.cameras.list);
        let view = app.replay.view().unwrap_or_else(live);
        // Only what is merely to be known can be closed, not a camera that is waited for.
        let closable = app.replay.is_none() && app.source.spec == SourceSpec::Demo;
        if let Some(shown) = view.banner.as_ref().filter(|_| !(closable && app.banner_hidden)) {
            banner::show(ui, shown, closable, commands);
        }
        if let Some(recorded) = &app.recording.recorded {
            recorded_bar::show(ui, recorded, commands);
        }
        let area = ui.available_rect_before_wrap();
        let fitted = app.viewer.shot.as_ref().map(|shot| letterbox(area, shot.frame.width(), shot.frame.height()));
        app.viewer.place = fitted.map(|fitted| (fitted, area));
        app.viewer.prepare_picture(ui.ctx());
        let app = &*app;
        let picture = fitted.filter(|_| view.page.is_none()).map(|fitted| app.viewer.view.place(fitted, area));
        paint_stage(ui.painter(), area, picture);
        if let Some(page) = &view.page {
            show_page(ui, area, page, commands);
        } else if let Some(shot) = &app.viewer.shot {
            let (width, height) = (shot.frame.width(), shot.frame.height());
            let fitted = letterbox(area, width, height);
            let target = app.viewer.view.place(fitted, area);
            let painter = ui.painter_at(target.intersect(area));
            app.viewer.picture.paint(&painter, target, app.mirrored(), view.dimmed);
            if !view.dimmed {
                let options = app.scene_options(target.width() / width as f32);
                let labelled = app.people.labelled(shot.faces());
                let faces = Scene::of(&app.drawn_faces(&labelled), width, height, &options);
                app.gait.paint(shot, &faces, &options, &painter, target);
                egui_painter::paint(&faces, &painter, target);
                face_menu::mark(app, &painter, target, width as f32);
            }
            let faces = match shot.faces().len() {
                1 => "1 face".to_owned(),
                count => format!("{count} faces"),
            };
            let name = format!("Image of {}, {faces}", app.source_title());
            let response = ui.interact(target.intersect(area), ui.scope_id().with("picture"), Sense::click_and_drag());
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, &name));
            steer(app, ui, &response, (fitted, area), commands);
        }
        let paused = (app.source.paused && app.replay.is_none()).then(|| "Paused".to_owned());
        let zoomed = app.viewer.view.is_zoomed().then(|| format!("{} (Z: whole image)", app.viewer.view.text()));
        let only =
            app.viewer.only.filter(|_| app.replay.is_none()).map(|id| format!("only person {id} (0: everybody)"));
        let words: Vec<String> = [paused, zoomed, only].into_iter().flatten().collect();
        if view.page.is_none() && !words.is_empty() {
            pill(ui, area, &words.join("  ·  "));
        }
        if let Some(left) = app.recording.countdown.and_then(|countdown| countdown.left(ui.input(|input| input.time))) {
            countdown::show(ui, area, left);
        }
        if view.page.is_none() {
            face_menu::show(app, ui, area, commands);
        }
        outputs_mark::show(app, ui, area);
        if let Some(status) = &app.recording.status {
            recording_mark::show(ui, area, status, app.recording.blurred);
        }
        if ui.input(|input| !input.raw.hovered_files.is_empty()) {
            drop_hint(ui, area);
        }
    });
}

/// Paints the stage where no picture covers it.
fn paint_stage(painter: &egui::Painter, area: Rect, picture: Option<Rect>) {
    // What is under the edges of the picture is painted: they may lie in the middle of a pixel.
    let covered = picture.map_or(Rect::NOTHING, |picture| picture.shrink(2.0).intersect(area));
    for bar in around(area, covered) {
        painter.rect_filled(bar, 0.0, theme::colors().stage);
    }
}

/// What is left of `area` around `inside`: above, below, left and right of it, as far as there is something.
fn around(area: Rect, inside: Rect) -> Vec<Rect> {
    if !inside.is_positive() {
        return vec![area];
    }
    let bars = [
        area.with_max_y(inside.top()),
        area.with_min_y(inside.bottom()),
        Rect::from_x_y_ranges(area.left()..=inside.left(), inside.y_range()),
        Rect::from_x_y_ranges(inside.right()..=area.right(), inside.y_range()),
    ];
    bars.into_iter().filter(Rect::is_positive).collect()
}

/// Clicks choose a face, the wheel and pinches zoom at the pointer, dragging moves a zoomed picture.
fn steer(
    app: &App,
    ui: &egui::Ui,
    response: &egui::Response,
    (fitted, area): (Rect, Rect),
    commands: &mut Vec<AppCommand>,
) {
    let mut view = app.viewer.view;
    if let Some(pointer) = response.hover_pos() {
        let (wheel, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
        let factor = pinch * (wheel * WHEEL_ZOOM).exp();
        if (factor - 1.0).abs() > 1e-4 {
            view.zoom_at(factor, pointer, fitted, area);
        }
    }
    if response.dragged() && view.is_zoomed() {
        view.pan(response.drag_delta(), fitted, area);
    }
    if response.double_clicked() {
        view = PictureView::default();
    }
    if view != app.viewer.view {
        commands.push(AppCommand::PictureView(view));
    }
    let Some(shot) = app.viewer.shot.as_ref().filter(|_| response.clicked()) else { return };
    if let Some(at) = response.interact_pointer_pos() {
        let faces = app.drawn_faces(shot.faces());
        let (target, width) = (app.viewer.view.place(fitted, area), shot.frame.width() as f32);
        let face = face_menu::face_at(&faces, at, target, width, app.mirrored());
        // The menu stands beside the face, not over it.
        let chosen =
            face.map(|face| ChosenFace { id: face.id, at: face_menu::beside(face, target, width, app.mirrored()) });
        commands.push(AppCommand::Face(FaceCommand::Choose(chosen)));
    }
}

fn show_page(ui: &mut egui::Ui, area: Rect, page: &Page, commands: &mut Vec<AppCommand>) {
    let width = (area.width() - 4.0 * theme::MARGIN).min(480.0);
    let top = area.top() + (area.height() * 0.5 - 152.0).max(theme::MARGIN);
    let place = Rect::from_min_max(
        pos2(area.center().x - width / 2.0, top),
        pos2(area.center().x + width / 2.0, area.bottom()),
    );
    ui.scope_builder(UiBuilder::new().max_rect(place).layout(Layout::top_down(Align::Center)), |ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(72.0, 72.0), Sense::hover());
        draw_symbol(ui.painter(), rect, page.symbol);
        ui.add_space(theme::MARGIN);
        ui.label(RichText::new(&page.title).heading().color(theme::colors().text));
        for line in page.text.lines() {
            ui.label(RichText::new(line).color(theme::colors().weak));
        }
        ui.add_space(theme::STEP);
        for (place, (text, command)) in page.buttons.iter().enumerate() {
            let button = if place == 0 { theme::primary(text) } else { Button::new(text) };
            if ui.add(button.min_size(vec2(232.0, 32.0))).clicked() {
                commands.push(command.clone());
            }
        }
    });
}

fn draw_symbol(painter: &egui::Painter, rect: Rect, symbol: Symbol) {
    let line = Stroke::new(3.0, theme::colors().weak);
    let center = rect.center();
    match symbol {
        Symbol::Wait => {
            // Three quiet dots: nothing that moves without news.
            for step in [-1.0, 0.0, 1.0] {
                painter.circle_filled(center + vec2(step * 18.0, 0.0), 5.0, theme::colors().weak);
            }
        }
        Symbol::Camera => {
            let body = Rect::from_center_size(center + vec2(-7.0, 0.0), vec2(44.0, 34.0));
            painter.rect_stroke(body, 8.0, line, egui::StrokeKind::Middle);
            let (x, y) = (body.right(), center.y);
            painter.line(
                vec![
                    pos2(x + 2.0, y - 3.0),
                    pos2(x + 15.0, y - 12.0),
                    pos2(x + 15.0, y + 12.0),
                    pos2(x + 2.0, y + 3.0),
                ],
                line,
            );
            let (from, to) = (center + vec2(-32.0, 28.0), center + vec2(28.0, -28.0));
            painter.line_segment([from, to], Stroke::new(9.0, theme::colors().stage));
            painter.line_segment([from, to], Stroke::new(3.0, theme::colors().bad));
        }
        Symbol::File => {
            let page = Rect::from_center_size(center, vec2(44.0, 56.0));
            painter.rect_stroke(page, 6.0, line, egui::StrokeKind::Middle);
            painter.line_segment(
                [center + vec2(0.0, -14.0), center + vec2(0.0, 4.0)],
                Stroke::new(4.0, theme::colors().bad),
            );
            painter.circle_filled(center + vec2(0.0, 14.0), 3.0, theme::colors().bad);
        }
    }
}

fn pill(ui: &egui::Ui, area: Rect, text: &str) {
    let font = FontId::proportional(14.0);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, theme::colors().text);
    let place = Rect::from_min_size(area.left_bottom() + vec2(theme::MARGIN, -44.0), galley.size() + vec2(24.0, 12.0));
    ui.painter().rect_filled(place, place.height() / 2.0, theme::colors().card.gamma_multiply(0.94));
    ui.painter().galley(place.min + vec2(12.0, 6.0), galley, theme::colors().text);
    let response = ui.interact(place, ui.scope_id().with("pill"), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, text));
}

fn drop_hint(ui: &egui::Ui, area: Rect) {
    let painter = ui.painter();
    painter.rect_filled(area, 0.0, Color32::from_black_alpha(160));
    painter.rect_stroke(
        area.shrink(theme::MARGIN),
        12.0,
        Stroke::new(2.0, theme::colors().accent),
        egui::StrokeKind::Inside,
    );
    let words = "Drop a video, an image, a folder, a session or a model file";
    painter.text(area.center(), Align2::CENTER_CENTER, words, FontId::proportional(18.0), theme::colors().text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_is_painted_once_around_the_picture_and_whole_without_one() {
        let area = Rect::from_min_max(pos2(10.0, 20.0), pos2(110.0, 80.0));
        assert_eq!(around(area, Rect::NOTHING), [area]);
        assert_eq!(around(area, area), []);
        let picture = Rect::from_min_max(pos2(30.0, 20.0), pos2(90.0, 80.0));
        let left_and_right = [area.with_max_x(30.0), area.with_min_x(90.0)];
        assert_eq!(around(area, picture), left_and_right);
        let inside = Rect::from_min_max(pos2(30.0, 30.0), pos2(90.0, 70.0));
        let bars = around(area, inside);
        let painted: f32 = bars.iter().map(|bar| bar.area()).sum();
        assert_eq!((bars.len(), painted), (4, area.area() - inside.area()));
    }
}
