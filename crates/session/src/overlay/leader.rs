//! Lines from labels that had to move away to the faces that they belong to.

use facelens_core::geometry::{Point, Rect};

/// From here on a label needs a line to its face, points on the screen: twice the usual gap between the two.
const FAR: f32 = 12.0;

/// How far apart two boxes are: 0 where they touch or overlap.
pub(super) fn gap(a: &Rect, b: &Rect) -> f32 {
    let across = (a.x - b.right()).max(b.x - a.right()).max(0.0);
    let down = (a.y - b.bottom()).max(b.y - a.bottom()).max(0.0);
    across.hypot(down)
}

/// Whether a plate stands beside a face or on it. `unit` is a point of the screen in pixels of the picture.
pub(super) fn is_beside(plate: &Rect, face: &Rect, unit: f32) -> bool {
    gap(plate, face) <= FAR * unit
}

/// The line from a plate to its face; `None` where it stands beside or on it. `unit` is a point of the screen in pixels
/// of the picture.
pub(super) fn leader(plate: &Rect, face: &Rect, unit: f32) -> Option<(Point, Point)> {
    (!is_beside(plate, face, unit)).then(|| {
        let middle = plate.center();
        let to = nearest(face, middle);
        (nearest(plate, to), to)
    })
}

/// The point of a box that is nearest to `point`.
fn nearest(rect: &Rect, point: Point) -> Point {
    Point { x: point.x.clamp(rect.x, rect.right()), y: point.y.clamp(rect.y, rect.bottom()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plate_that_is_away_has_a_line_and_it_joins_the_nearest_edges() {
        let face = Rect::new(100.0, 100.0, 50.0, 50.0);
        for near in [Rect::new(100.0, 60.0, 80.0, 34.0), Rect::new(110.0, 110.0, 20.0, 10.0)] {
            assert_eq!(leader(&near, &face, 1.0), None, "{near:?}");
        }
        let (from, to) = leader(&Rect::new(100.0, 10.0, 80.0, 30.0), &face, 1.0).unwrap();
        assert_eq!((from.x, from.y), (140.0, 40.0));
        assert_eq!((to.x, to.y), (140.0, 100.0));
        let (from, to) = leader(&Rect::new(300.0, 300.0, 80.0, 30.0), &face, 1.0).unwrap();
        assert_eq!(((from.x, from.y), (to.x, to.y)), ((300.0, 300.0), (150.0, 150.0)));
        assert_eq!(leader(&Rect::new(100.0, 60.0, 80.0, 20.0), &face, 2.0), None, "on a small view 20 pixels are near");
    }

    #[test]
    fn boxes_that_touch_have_no_gap() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert_eq!(gap(&a, &Rect::new(10.0, 5.0, 5.0, 5.0)), 0.0);
        assert_eq!(gap(&a, &Rect::new(13.0, 14.0, 5.0, 5.0)), 5.0);
    }
}
