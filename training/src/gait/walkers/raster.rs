//! Pictures of meshes: a camera, and masks.

use super::vector::{Matrix3, Vec3, add, cross, dot, scaled, sub, unit};

/// Points nearer than this to the camera's plane are not drawn, metres.
const NEAREST: f32 = 0.1;

/// A pinhole camera.
#[derive(Clone, Copy, Debug)]
pub(super) struct Camera {
    pub place: Vec3,
    right: Vec3,
    up: Vec3,
    forwards: Vec3,
}

impl Camera {
    /// A level camera that looks at a point.
    pub(super) fn looking_at(place: Vec3, target: Vec3) -> Self {
        let forwards = unit(sub(target, place));
        let right = unit(cross(forwards, [0.0, 1.0, 0.0]));
        Self { place, right, up: cross(right, forwards), forwards }
    }

    /// The same camera as a walker sees it who started at `start` and goes into the direction to which `turn` turns z.
    pub(super) fn seen_from(&self, start: Vec3, turn: &Matrix3) -> Self {
        let back = turn.inverse();
        let [right, up, forwards] = [self.right, self.up, self.forwards].map(|axis| back.apply(axis));
        Self { place: back.apply(sub(self.place, start)), right, up, forwards }
    }

    /// The direction, of any length, that is seen at this place: right and down as tangents.
    pub(super) fn ray(&self, right: f32, down: f32) -> Vec3 {
        add(add(self.forwards, scaled(self.right, right)), scaled(self.up, -down))
    }

    /// Right, down, and depth in metres; right and down as tangents of the angle to the middle.
    pub(super) fn project(&self, point: Vec3) -> Vec3 {
        let offset = sub(point, self.place);
        let depth = dot(offset, self.forwards).max(NEAREST);
        [dot(offset, self.right) / depth, -dot(offset, self.up) / depth, depth]
    }
}

/// A mask that is being drawn.
#[derive(Clone, Debug)]
pub(super) struct Canvas {
    pub width: usize,
    pub height: usize,
    /// 255 where something was drawn, rows from the top.
    pub coverage: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, coverage: vec![0; width * height] }
    }

    pub(super) fn clear(&mut self) {
        self.coverage.fill(0);
    }

    /// Fills the pixels whose middles lie in a convex quad, corners in pixels. Of a closed mesh only faces turned to the camera count.
    pub(super) fn fill(&mut self, corners: [[f32; 2]; 4], both_sides: bool) {
        let [a, b, c, d] = corners;
        let facing = (c[0] - a[0]) * (d[1] - b[1]) - (c[1] - a[1]) * (d[0] - b[0]);
        // Rows grow downwards, so what goes against the clock has a negative area.
        if facing >= 0.0 && !both_sides {
            return;
        }
        let low = a[1].min(b[1]).min(c[1]).min(d[1]);
        let high = a[1].max(b[1]).max(c[1]).max(d[1]);
        let first = (low - 0.5).ceil().max(0.0);
        let last = (high - 0.5).floor().min(self.height as f32 - 1.0);
        if first > last {
            return;
        }
        for row in first as usize..=last as usize {
            let y = row as f32 + 0.5;
            let (mut left, mut right) = (f32::MAX, f32::MIN);
            for (p, q) in [(a, b), (b, c), (c, d), (d, a)] {
                if (p[1] <= y) != (q[1] <= y) {
                    let x = p[0] + (y - p[1]) / (q[1] - p[1]) * (q[0] - p[0]);
                    (left, right) = (left.min(x), right.max(x));
                }
            }
            let from = (left - 0.5).ceil().max(0.0) as usize;
            let to = (right + 0.5).floor().clamp(0.0, self.width as f32) as usize;
            if from < to {
                self.coverage[row * self.width + from..row * self.width + to].fill(255);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_camera_sees_left_and_right_as_the_walker_does_not() {
        // It stands before a walker who goes along z, and looks back at him.
        let camera = Camera::looking_at([0.0, 1.0, 5.0], [0.0, 1.0, 0.0]);
        let [x, y, depth] = camera.project([1.0, 2.0, 0.0]);
        assert!((x - 0.2).abs() < 1e-6 && (y + 0.2).abs() < 1e-6, "his left is on the right, and up is up: {x} {y}");
        assert!((depth - 5.0).abs() < 1e-6);
    }

    #[test]
    fn a_quad_fills_the_pixels_whose_middles_it_covers() {
        let mut canvas = Canvas::new(10, 8);
        let quad = [[2.4, 1.6], [2.4, 5.4], [6.6, 5.4], [6.6, 1.6]];
        canvas.fill(quad, false);
        let filled: Vec<(usize, usize)> =
            (0..80).filter(|i| canvas.coverage[*i] > 0).map(|i| (i % 10, i / 10)).collect();
        let expected: Vec<(usize, usize)> = (2..5).flat_map(|y| (2..7).map(move |x| (x, y))).collect();
        assert_eq!(filled, expected);
        let mut back = Canvas::new(10, 8);
        let turned = [quad[3], quad[2], quad[1], quad[0]];
        back.fill(turned, false);
        assert!(back.coverage.iter().all(|v| *v == 0), "its back is turned");
        back.fill(turned, true);
        assert_eq!(back.coverage, canvas.coverage);
    }

    #[test]
    fn what_lies_outside_is_cut_off() {
        let mut canvas = Canvas::new(4, 4);
        canvas.fill([[-9.0, -9.0], [-9.0, 50.0], [50.0, 50.0], [50.0, -9.0]], false);
        assert!(canvas.coverage.iter().all(|v| *v == 255));
        canvas.clear();
        canvas.fill([[5.0, 0.0], [5.0, 3.0], [8.0, 3.0], [8.0, 0.0]], false);
        assert!(canvas.coverage.iter().all(|v| *v == 0));
    }

    #[test]
    fn neighbours_leave_no_gap() {
        let mut canvas = Canvas::new(16, 16);
        let points = [[0.0, 0.0], [16.0, 0.0], [16.0, 16.0], [0.0, 16.0]];
        let middle = [7.3, 8.9];
        for i in 0..4 {
            let (a, b) = (points[i], points[(i + 1) % 4]);
            canvas.fill([middle, b, a, a], true);
        }
        assert!(canvas.coverage.iter().all(|v| *v == 255));
    }
}
