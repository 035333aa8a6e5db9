//! The row of a walker in a side panel, live or of a session.

use eframe::egui::{self, Color32, FontId, Rect, Sense, TextureHandle, pos2, vec2};
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Measures};

use super::gait::measure_words;
use super::theme;

/// Height of a row in points.
pub(super) const HEIGHT: f32 = GEI_HEIGHT as f32 + 24.0;

/// What a row says.
pub(super) struct WalkerRow<'a> {
    /// Whose it is.
    pub id: u64,
    /// The gait energy image, where there is one.
    pub image: Option<&'a TextureHandle>,
    /// Where they walk to, or why there is no gait.
    pub state: String,
    /// Whether the state is a reason to wait.
    pub waits: bool,
    /// The figures.
    pub measures: Measures,
    /// What the gait says of the age.
    pub age: Option<String>,
}

/// One row: the image at the left, number, state and figures beside it.
pub(super) fn show(ui: &mut egui::Ui, row: &WalkerRow<'_>) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), HEIGHT), Sense::hover());
    let [pace, body] = measure_words(&row.measures);
    let figures: Vec<&str> = [pace.as_str(), body.as_str(), row.age.as_deref().unwrap_or_default()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect();
    response.widget_info(|| {
        let spoken =
            format!("Gait of person {}: {}", row.id, [&[row.state.as_str()], figures.as_slice()].concat().join(", "));
        egui::WidgetInfo::labeled(egui::Role::ListItem, true, spoken)
    });
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, 8.0, theme::colors().card);
    let inside = rect.shrink(theme::STEP);
    let image = Rect::from_min_size(inside.min, vec2(GEI_WIDTH as f32, GEI_HEIGHT as f32));
    match row.image {
        Some(texture) => {
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(texture.id(), image, whole, Color32::WHITE);
        }
        None => {
            painter.rect_filled(image, 4.0, theme::colors().stage);
        }
    }
    let color = theme::id_color(row.id);
    painter.rect_stroke(image, 4.0, egui::Stroke::new(1.5, color), egui::StrokeKind::Outside);
    let left = image.right() + 12.0;
    let number = theme::id_tag(&painter, inside.right_top(), row.id);
    let width = |right: f32| (right - left).max(0.0);
    let line = |y: f32, right: f32, text: &str, size: f32, color: Color32| {
        let galley = painter.layout(text.to_owned(), FontId::proportional(size), color, width(right));
        let height = galley.size().y;
        painter.galley(pos2(left, y), galley, color);
        y + height
    };
    let tone = if row.waits { theme::colors().weak } else { theme::colors().text };
    let mut y = line(inside.top() - 1.0, number.left() - 8.0, &row.state, 14.0, tone) + 3.0;
    for text in figures {
        y = line(y, inside.right(), text, 12.0, theme::colors().weak) + 1.0;
    }
}
