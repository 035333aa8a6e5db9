//! Paints a [`Scene`] by egui.

use eframe::egui;
use facelens_core::geometry::Point;
use facelens_session::overlay::{Color, Scene, Shape};

/// Paints the scene into `target`, the place on the screen where its picture is; nothing outside of it.
pub(super) fn paint(scene: &Scene, painter: &egui::Painter, target: egui::Rect) {
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

/// The scene's colour as egui's.
pub(super) fn color32(Color { r, g, b, a }: Color) -> egui::Color32 {
    egui::Color32::from_rgba_unmultiplied(r, g, b, a)
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Rect;

    use super::*;

    fn painted(scene: &Scene, target: egui::Rect) -> Vec<egui::epaint::ClippedShape> {
        let input = egui::RawInput {
            screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(800.0, 600.0))),
            ..egui::RawInput::default()
        };
        let mut output = egui::Context::default().run_ui(input, |ui| paint(scene, ui.painter(), target));
        output.textures_delta.clear();
        std::mem::take(&mut output.shapes)
            .into_iter()
            .filter(|shape| !matches!(shape.shape, egui::Shape::Noop))
            .collect()
    }

    #[test]
    fn shapes_are_scaled_into_the_target_and_clipped_by_it() {
        let white = Color::opaque(255, 255, 255);
        let scene = Scene {
            width: 100.0,
            height: 50.0,
            shapes: vec![
                Shape::Rect { rect: Rect::new(10.0, 5.0, 20.0, 10.0), radius: 2.0, fill: Some(white), stroke: None },
                Shape::Text { at: Point { x: 50.0, y: 25.0 }, text: "#1".to_owned(), size: 7.0, color: white },
            ],
        };
        let target = egui::Rect::from_min_size(egui::pos2(30.0, 40.0), egui::vec2(200.0, 100.0));
        let shapes = painted(&scene, target);
        assert!(shapes.iter().all(|shape| target.contains_rect(shape.clip_rect)), "{shapes:?}");
        let rect = shapes.iter().find_map(|s| if let egui::Shape::Rect(rect) = &s.shape { Some(rect) } else { None });
        assert_eq!(rect.unwrap().rect, egui::Rect::from_min_size(egui::pos2(50.0, 50.0), egui::vec2(40.0, 20.0)));
        let text = shapes.iter().find_map(|s| if let egui::Shape::Text(text) = &s.shape { Some(text) } else { None });
        assert_eq!(text.unwrap().pos, egui::pos2(130.0, 90.0));
        assert_eq!(text.unwrap().galley.job.sections[0].format.font_id, egui::FontId::proportional(14.0));
    }

    #[test]
    fn an_empty_scene_or_target_paints_nothing() {
        assert!(painted(&Scene::default(), egui::Rect::EVERYTHING).is_empty());
        let scene = Scene { width: 10.0, height: 10.0, shapes: Vec::new() };
        assert!(painted(&scene, egui::Rect::NOTHING).is_empty());
    }
}
