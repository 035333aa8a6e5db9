//! The mark over the picture while it is recorded: a red dot, how long, how large, how much room is left, what was lost.

use eframe::egui::{self, Align2, Color32, FontId, Rect, Sense, pos2, vec2};
use facelens_session::recording::{RecordingState, RecordingStatus};

use super::recording_text::{LITTLE_ROOM, figures};
use super::theme;

/// Height of the mark in points.
pub(super) const HEIGHT: f32 = 28.0;
/// Width of each figure: of the widest that it will show, so that nothing moves.
const WIDEST: [&str; 4] = ["0:00:00", "000 MB", "000 GB free", "00000 dropped"];
/// Between two figures.
const GAP: f32 = 12.0;
/// Room of the dot.
const DOT: f32 = 20.0;

/// What stands after the figures where faces are blurred in the videos.
const BLURRED: &str = "faces blurred";

/// Shows the mark in the lower right corner of `area`; `blurred` where faces are made unrecognisable in the videos.
pub(super) fn show(ui: &mut egui::Ui, area: Rect, status: &RecordingStatus, blurred: bool) {
    let font = FontId::proportional(14.0);
    let measure = |ui: &egui::Ui, text: &str| {
        ui.painter().layout_no_wrap(text.to_owned(), font.clone(), theme::colors().text).size().x.ceil()
    };
    let figures = figures(status);
    // What was lost has its place only once something was.
    let shown = if figures[3].is_empty() { 3 } else { 4 };
    let mut texts: Vec<(&str, f32, Color32)> = Vec::new();
    for (index, (text, widest)) in figures.iter().zip(WIDEST).enumerate().take(shown) {
        texts.push((text, measure(ui, widest), color(index, status)));
    }
    if blurred {
        texts.push((BLURRED, measure(ui, BLURRED), theme::colors().good));
    }
    let width = DOT + texts.iter().map(|(_, width, _)| width + GAP).sum::<f32>() - GAP + 24.0;
    let size = vec2(width.min(area.width() - 2.0 * theme::MARGIN), HEIGHT);
    let place = Rect::from_min_size(area.right_bottom() - size - vec2(theme::MARGIN, theme::MARGIN), size);
    let painter = ui.painter_at(place);
    painter.rect_filled(place, HEIGHT / 2.0, theme::colors().card.gamma_multiply(0.94));
    let dot =
        if matches!(status.state, RecordingState::Recording) { theme::colors().record } else { theme::colors().weak };
    painter.circle_filled(pos2(place.left() + 18.0, place.center().y), 6.0, dot);
    let mut left = place.left() + 12.0 + DOT;
    for (text, width, color) in &texts {
        painter.text(pos2(left, place.center().y), Align2::LEFT_CENTER, text, font.clone(), *color);
        left += width + GAP;
    }
    let name = texts.iter().map(|(text, ..)| *text).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ");
    let response = ui.interact(place, ui.scope_id().with("recording"), Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("Recording: {name}")));
    response.on_hover_text(hover_text(status));
}

fn color(figure: usize, status: &RecordingStatus) -> Color32 {
    match figure {
        0 => theme::colors().text,
        2 if status.free_bytes.is_some_and(|free| free < LITTLE_ROOM) => theme::colors().warn,
        3 => theme::colors().warn,
        _ => theme::colors().weak,
    }
}

fn hover_text(status: &RecordingStatus) -> String {
    let folder = status.folder.as_ref().map(|folder| format!("\n{}", folder.display())).unwrap_or_default();
    format!("{} frames written, {} could not be written in time{folder}", status.written, status.dropped)
}
