//! Paints a [`Scene`] by egui.

use eframe::egui;

use super::scene::{Color, Scene, Shape};
use crate::geometry::Point;

/// Paints the scene into `target`, the place on the screen where its picture is; nothing outside of it.
pub fn paint(scene: &Scene, painter: &egui::Painter, target: egui::Rect) {
    if !(scene.width > 0.0 && scene.height > 0.0 && target.is_positive()) {
        return;
    }
    let painter = painter.with_clip_rect(painter.clip_rect().intersect(target));
    let scale = target.width() / scene.width;
    let at = |point: Point| {
        let across = target.height() / scene.height;
        target.min + egui::vec2(point.x * scale, point.y * across)
    };
    for shape in &scene.shapes {
        match shape {
            Shape::Line { from, to, width, color } => line(&painter, &[at(*from), at(*to)], width * scale, *color),
            Shape::Polyline { points, width, color } => {
                let points: Vec<_> = points.iter().map(|&point| at(point)).collect();
                line(&painter, &points, width * scale, *color);
            }
            Shape::Rect { rect, radius, fill, stroke } => {
                let corner = |x, y| at(Point { x, y });
                let rect = egui::Rect::from_min_max(corner(rect.x, rect.y), corner(rect.right(), rect.bottom()));
                let radius = egui::CornerRadius::from((radius * scale).clamp(0.0, 255.0));
                let (width, color) = stroke.map_or((0.0, egui::Color32::TRANSPARENT), |(w, c)| (w * scale, color32(c)));
                let fill = fill.map_or(egui::Color32::TRANSPARENT, color32);
                painter.rect(rect, radius, fill, (width, color), egui::StrokeKind::Middle);
            }
            Shape::Text { at: place, text, size, color } => {
                // Quarter points: a window that is being resized must not fill the font atlas with sizes.
                let size = (size * scale * 4.0).round() / 4.0;
                let font = egui::FontId::proportional(size);
                painter.text(at(*place), egui::Align2::LEFT_TOP, text, font, color32(*color));
            }
        }
    }
}

/// egui's lines end bluntly: a dot at each end makes them round, as the software painter's are. Translucent lines stay
/// blunt, because the dots would show through.
fn line(painter: &egui::Painter, points: &[egui::Pos2], width: f32, color: Color) {
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
        return;
    };
    if color.a == 255 {
        for end in [first, last] {
            painter.circle_filled(end, width / 2.0, color32(color));
        }
    }
    painter.add(egui::Shape::line(points.to_vec(), (width, color32(color))));
}

fn color32(color: Color) -> egui::Color32 {
    egui::Color32::from_rgba_unmultiplied(color.r, color.g, color.b, color.a)
}
