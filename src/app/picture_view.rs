//! Zoom and pan: which part of the picture fills its place.

use eframe::egui::{Pos2, Rect, Vec2, vec2};

/// The largest zoom.
const MOST_ZOOM: f32 = 8.0;
/// What one press of a key zooms by.
pub(crate) const KEY_ZOOM: f32 = 1.25;

/// Which part of a picture is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PictureView {
    /// How many times larger than the whole picture would be.
    zoom: f32,
    /// The part of the picture that is in the middle, from 0 to 1 across and down, as it is shown.
    center: Vec2,
}

impl Default for PictureView {
    fn default() -> Self {
        Self { zoom: 1.0, center: Vec2::splat(0.5) }
    }
}

impl PictureView {
    /// Whether less than the whole picture is shown.
    pub fn is_zoomed(&self) -> bool {
        self.zoom > 1.0
    }

    /// The zoom in words: `2.5×`.
    pub fn text(&self) -> String {
        format!("{:.1}×", self.zoom)
    }

    /// Where the picture lies whose whole would lie in `fitted`; what is outside of `area` is cut off. Nothing is left
    /// empty that the picture could fill.
    pub fn place(&self, fitted: Rect, area: Rect) -> Rect {
        let size = fitted.size() * self.zoom;
        let along = |size: f32, center: f32, low: f32, high: f32| {
            if size <= high - low {
                (low + high - size) / 2.0
            } else {
                ((low + high) / 2.0 - center * size).clamp(high - size, low)
            }
        };
        let x = along(size.x, self.center.x, area.left(), area.right());
        let y = along(size.y, self.center.y, area.top(), area.bottom());
        Rect::from_min_size(Pos2::new(x, y), size)
    }

    /// Zooms by `factor`; what is under `at` stays there.
    pub fn zoom_at(&mut self, factor: f32, at: Pos2, fitted: Rect, area: Rect) {
        let before = self.place(fitted, area);
        let under = (at - before.min) / before.size().max(Vec2::splat(1.0));
        self.zoom = (self.zoom * factor).clamp(1.0, MOST_ZOOM);
        // Where a whole number of times is meant, rounding leaves no remainder.
        if self.zoom < 1.01 {
            *self = Self::default();
            return;
        }
        let size = fitted.size() * self.zoom;
        let min = at - under * size;
        self.look_at(Rect::from_min_size(min, size), fitted, area);
    }

    /// Moves the picture by `delta` points.
    pub fn pan(&mut self, delta: Vec2, fitted: Rect, area: Rect) {
        let place = self.place(fitted, area).translate(delta);
        self.look_at(place, fitted, area);
    }

    /// Takes what `place` shows in the middle of `area`, as far as the picture goes.
    fn look_at(&mut self, place: Rect, fitted: Rect, area: Rect) {
        let size = place.size().max(Vec2::splat(1.0));
        self.center = (area.center() - place.min) / size;
        // What is cut off at the edges is not remembered, or the way back would begin with nothing.
        let inside = self.place(fitted, area);
        let center = (area.center() - inside.min) / size;
        self.center = vec2(center.x.clamp(0.0, 1.0), center.y.clamp(0.0, 1.0));
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::pos2;

    use super::*;

    const AREA: Rect = Rect::from_min_max(Pos2::new(0.0, 0.0), Pos2::new(400.0, 400.0));
    /// A picture of 4:3, with bars above and below.
    const FITTED: Rect = Rect::from_min_max(Pos2::new(0.0, 50.0), Pos2::new(400.0, 350.0));

    #[test]
    fn the_whole_picture_is_shown_at_first() {
        assert_eq!(PictureView::default().place(FITTED, AREA), FITTED);
    }

    #[test]
    fn what_is_under_the_pointer_stays_there() {
        let mut view = PictureView::default();
        let at = pos2(120.0, 180.0);
        let part = |view: &PictureView| (at - view.place(FITTED, AREA).min) / view.place(FITTED, AREA).size();
        let before = part(&view);
        for _ in 0..3 {
            view.zoom_at(1.5, at, FITTED, AREA);
            assert!((part(&view) - before).length() < 1e-3, "{view:?}");
        }
        for _ in 0..9 {
            view.zoom_at(0.5, at, FITTED, AREA);
        }
        assert_eq!(view, PictureView::default());
        view.zoom_at(100.0, at, FITTED, AREA);
        assert_eq!(view.text(), "8.0×");
    }

    #[test]
    fn a_picture_is_never_moved_away_from_an_edge() {
        let mut view = PictureView::default();
        view.zoom_at(2.0, AREA.center(), FITTED, AREA);
        view.pan(vec2(1e4, 1e4), FITTED, AREA);
        assert_eq!(view.place(FITTED, AREA), Rect::from_min_size(pos2(0.0, 0.0), vec2(800.0, 600.0)));
        view.pan(vec2(-10.0, 0.0), FITTED, AREA);
        assert!((view.place(FITTED, AREA).left() + 10.0).abs() < 1e-2, "the way back begins at once");
        view.zoom_at(0.6, AREA.center(), FITTED, AREA);
        // 1.2 times: still lower than the area, so it stands in the middle.
        assert!((view.place(FITTED, AREA).center().y - 200.0).abs() < 1e-3);
    }
}
