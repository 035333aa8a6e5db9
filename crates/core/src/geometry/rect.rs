//! Points and rectangles.

use serde::{Deserialize, Serialize};

/// A point in pixels of the unmirrored source picture, origin top left, y down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

/// An axis-aligned rectangle in pixels of the unmirrored source picture, origin top left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge, pixels.
    pub x: f32,
    /// Top edge, pixels.
    pub y: f32,
    /// Width, pixels.
    pub width: f32,
    /// Height, pixels.
    pub height: f32,
}

impl Rect {
    /// A rectangle from its top left corner and its size.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// A square around `center` with the given `side` in pixels.
    pub fn square(center: Point, side: f32) -> Self {
        Self::new(center.x - side / 2.0, center.y - side / 2.0, side, side)
    }

    /// Right edge, pixels.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge, pixels.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The middle of the rectangle.
    pub fn center(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// Area in square pixels; 0 for a rectangle turned inside out.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The common part of two rectangles, or `None` where they do not overlap.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        (right > x && bottom > y).then(|| Self::new(x, y, right - x, bottom - y))
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.intersection(other).map_or(0.0, |rect| rect.area());
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// The rectangle scaled about its own middle.
    pub fn scaled(&self, factor: f32) -> Self {
        let center = self.center();
        let (width, height) = (self.width * factor, self.height * factor);
        Self::new(center.x - width / 2.0, center.y - height / 2.0, width, height)
    }

    /// The rectangle moved by `dx`, `dy` pixels.
    pub fn translated(&self, dx: f32, dy: f32) -> Self {
        Self::new(self.x + dx, self.y + dy, self.width, self.height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_equal_disjoint_and_half_overlapping_rectangles() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert!((a.iou(&a) - 1.0).abs() < 1e-6);
        assert_eq!(a.iou(&a.translated(20.0, 0.0)), 0.0);
        assert!((a.iou(&a.translated(5.0, 0.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(Rect::default().iou(&Rect::default()), 0.0);
    }

    #[test]
    fn scaling_keeps_the_middle() {
        let rect = Rect::new(10.0, 20.0, 30.0, 40.0);
        assert_eq!(rect.scaled(2.0), Rect::new(-5.0, 0.0, 60.0, 80.0));
        assert_eq!(rect.scaled(0.5).center(), rect.center());
    }
}
