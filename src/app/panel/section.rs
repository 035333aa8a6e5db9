//! The parts of the side panel; each folds by a click on its title.

use eframe::egui::{self, Align2, FontId, Sense, Shape, Stroke, pos2, vec2};

use super::super::command::{AppCommand, Section};
use super::super::state::App;
use super::super::{elide, theme};

/// Height of a title in points.
pub(super) const HEIGHT: f32 = 22.0;
/// Room of the triangle before a title.
const TRIANGLE: f32 = 16.0;

/// The title of a part with something to know of it; whether the part is unfolded.
pub(super) fn title(
    app: &App,
    ui: &mut egui::Ui,
    section: Section,
    count: &str,
    detail: &str,
    commands: &mut Vec<AppCommand>,
) -> bool {
    let open = !app.is_folded(section);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::click());
    let text = if count.is_empty() { section.title().to_owned() } else { format!("{}  {count}", section.title()) };
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::DisclosureTriangle, true, open, &text));
    let colors = theme::colors();
    let color = if response.hovered() || response.has_focus() { colors.text } else { colors.weak };
    let painter = ui.painter_at(rect.expand(2.0));
    let at = pos2(rect.left() + 4.0, rect.center().y);
    let corners = if open {
        [vec2(-4.0, -2.5), vec2(4.0, -2.5), vec2(0.0, 3.5)]
    } else {
        [vec2(-2.5, -4.0), vec2(3.5, 0.0), vec2(-2.5, 4.0)]
    };
    painter.add(Shape::convex_polygon(corners.map(|corner| at + corner).to_vec(), color, Stroke::NONE));
    let font = FontId::proportional(12.0);
    let left = pos2(rect.left() + TRIANGLE, rect.center().y);
    let used = painter.text(left, Align2::LEFT_CENTER, text, font.clone(), color);
    if !detail.is_empty() {
        let shown = elide::middle(ui, detail, &font, rect.right() - used.right() - theme::MARGIN);
        painter.text(rect.right_center(), Align2::RIGHT_CENTER, shown, font, colors.weak);
    }
    if response.has_focus() {
        painter.rect_stroke(rect, 4.0, Stroke::new(2.0, colors.focus), egui::StrokeKind::Outside);
    }
    let hint = if open { "Fold this part" } else { "Unfold this part" };
    if response.on_hover_text(hint).clicked() {
        commands.push(AppCommand::Fold(section));
    }
    open
}
