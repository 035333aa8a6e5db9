//! The mark over the picture while something goes out to other programs: what, whose, and whether it fails.

use eframe::egui::{self, Align2, FontId, Rect, Sense, pos2, vec2};

use super::recording_mark::HEIGHT;
use super::state::App;
use super::theme;
use super::view::sentence;
use crate::outputs::{JsonlTarget, OutputOptions, OutputStatus};

/// Shows the mark in the lower right corner of `area`; above the mark of a recording, where there is one.
pub(super) fn show(app: &App, ui: &mut egui::Ui, area: Rect) {
    let Some(status) = &app.outputs.status else { return };
    let options = &app.outputs.options;
    let font = FontId::proportional(14.0);
    // Of the widest that it will show, so that nothing moves.
    let widest = text(options, &OutputStatus { followed: Some(888), ..OutputStatus::default() });
    let width = ui.painter().layout_no_wrap(widest, font.clone(), theme::colors().text).size().x.ceil() + 44.0;
    let size = vec2(width.min(area.width() - 2.0 * theme::MARGIN), HEIGHT);
    let recording = if app.is_recording() { HEIGHT + theme::STEP } else { 0.0 };
    let corner = area.right_bottom() - vec2(theme::MARGIN, theme::MARGIN + recording);
    let place = Rect::from_min_size(corner - size, size);
    let painter = ui.painter_at(place);
    painter.rect_filled(place, HEIGHT / 2.0, theme::colors().card.gamma_multiply(0.94));
    let dot = if status.errors().next().is_some() { theme::colors().warn } else { theme::colors().accent };
    painter.circle_filled(pos2(place.left() + 16.0, place.center().y), 4.0, dot);
    let words = text(options, status);
    painter.text(pos2(place.left() + 28.0, place.center().y), Align2::LEFT_CENTER, &words, font, theme::colors().text);
    let response = ui.interact(place, ui.scope_id().with("outputs"), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Live outputs: {words}")));
    response.on_hover_text(hover_text(options, status));
}

fn text(options: &OutputOptions, status: &OutputStatus) -> String {
    let opentrack = options.opentrack.map(|_| match status.followed {
        Some(id) => format!("opentrack  #{id}"),
        None => "opentrack  nobody".to_owned(),
    });
    let lines = options.jsonl.map(|_| "JSON lines".to_owned());
    let camera = options.camera.as_ref().map(|_| "virtual camera".to_owned());
    let parts: Vec<String> = opentrack.into_iter().chain(lines).chain(camera).collect();
    parts.join("   ")
}

/// Where it goes and how much went.
pub(super) fn hover_text(options: &OutputOptions, status: &OutputStatus) -> String {
    let mut lines = Vec::new();
    if let Some(address) = options.opentrack {
        lines.push(format!(
            "{} head poses were sent to opentrack at {address}. \"Recenter head\" recenters it.",
            status.heads
        ));
    }
    match options.jsonl {
        Some(JsonlTarget::Stdout) => lines.push(format!("{} lines were sent to standard output.", status.lines)),
        Some(target) => lines.push(format!("{} lines were sent to {target}.", status.lines)),
        None => {}
    }
    if options.camera.is_some() && status.camera_error.is_none() {
        lines.push(match &status.camera {
            Some(camera) => format!("{} images were shown on the virtual camera {camera}.", status.images),
            None => "The virtual camera waits for an image.".to_owned(),
        });
    }
    if status.dropped > 0 {
        lines.push(format!("{} lines were dropped: the reader was too slow.", status.dropped));
    }
    lines.extend(status.errors().map(sentence));
    lines.join("\n")
}
