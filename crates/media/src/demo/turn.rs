//! The head in the portrait, turned aside and up and down. The picture is flat; its pixels move as far as if they stood
//! before it as a head does, and those around the head give way.

/// Middle of the head from [`FACE_CENTER`](super::FACE_CENTER): right and down, pixels of the portrait.
const MIDDLE: (f32, f32) = (0.0, -6.0);
/// Half axes of what moves, pixels: the head and its hair. Beyond, the portrait stays as it is.
const REACH: (f32, f32) = (95.0, 120.0);
/// How far the middle of the head stands before the picture, pixels.
const DEPTH: f32 = 90.0;
/// How far the nose stands before the head, how far it is below the head's middle, and how wide and high it is, pixels.
const NOSE: (f32, f32, f32, f32) = (16.0, 12.0, 10.0, 14.0);
/// Mean depth of what lies between hairline and chin, pixels.
const FACE_DEPTH: f32 = 52.0;

/// Pixels between two nodes of the grid, and how many nodes it has along each axis: it covers the cut-out.
const STEP: f32 = 8.0;
const NODES: usize = 34;
/// Rounds of the fixed point iteration that finds where a pixel comes from. Each leaves at most two thirds of the error.
const ROUNDS: usize = 8;

/// Where each pixel of the turned portrait comes from: a grid, between whose nodes is interpolated.
pub(super) struct TurnGrid {
    /// How far back a pixel came, right and down, in pixels of the portrait.
    moved: [[(f32, f32); NODES]; NODES],
}

impl TurnGrid {
    /// The head turned by so many degrees, with the signs of [`Pose`](facelens_core::geometry::Pose).
    pub(super) fn new(yaw_degrees: f32, pitch_degrees: f32) -> Self {
        let along = (-yaw_degrees.to_radians().sin(), -pitch_degrees.to_radians().sin());
        let shrink = (1.0 - yaw_degrees.to_radians().cos(), 1.0 - pitch_degrees.to_radians().cos());
        let place = |node: usize| (node as f32 - (NODES - 1) as f32 / 2.0) * STEP;
        let moved = |row: usize, column: usize| {
            let at = (place(column) - MIDDLE.0, place(row) - MIDDLE.1);
            let mut moved = (0.0, 0.0);
            for _ in 0..ROUNDS {
                let (u, v) = (at.0 - moved.0, at.1 - moved.1);
                let depth = depth(u, v);
                let share = (depth / DEPTH).min(1.0);
                moved = (depth * along.0 - u * shrink.0 * share, depth * along.1 - v * shrink.1 * share);
            }
            moved
        };
        Self { moved: std::array::from_fn(|row| std::array::from_fn(|column| moved(row, column))) }
    }

    /// Where the pixel at (`x`, `y`) from the middle of the face comes from.
    pub(super) fn source(&self, x: f32, y: f32) -> (f32, f32) {
        let node = |along: f32| (along / STEP + (NODES - 1) as f32 / 2.0).clamp(0.0, NODES as f32 - 1.001);
        let (column, row) = (node(x), node(y));
        let (left, top) = (column as usize, row as usize);
        let (right, down) = (column - left as f32, row - top as f32);
        let mix = |a: (f32, f32), b: (f32, f32), share: f32| (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share);
        let upper = mix(self.moved[top][left], self.moved[top][left + 1], right);
        let lower = mix(self.moved[top + 1][left], self.moved[top + 1][left + 1], right);
        let moved = mix(upper, lower, down);
        (x - moved.0, y - moved.1)
    }
}

/// How far the face as a whole moves to the right and down when the head turns, pixels of the portrait.
pub(super) fn face_moves(yaw_degrees: f32, pitch_degrees: f32) -> (f32, f32) {
    (-FACE_DEPTH * yaw_degrees.to_radians().sin(), -FACE_DEPTH * pitch_degrees.to_radians().sin())
}

/// How far a point stands before the picture; (`u`, `v`) from the middle of the head.
fn depth(u: f32, v: f32) -> f32 {
    let inside = (1.0 - (u / REACH.0).powi(2) - (v / REACH.1).powi(2)).max(0.0);
    let (height, below, width, tall) = NOSE;
    let nose = (u / width).powi(2) / 2.0 + ((v - below) / tall).powi(2) / 2.0;
    // It is 0 from 3 widths on, long before the head ends.
    let nose = if nose < 8.0 { height * (-nose).exp() } else { 0.0 };
    DEPTH * inside * inside.sqrt() + nose
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_of_the_portrait_stays_and_a_head_that_looks_ahead_as_well() {
        for turn in [TurnGrid::new(25.0, -15.0), TurnGrid::new(-25.0, 15.0)] {
            for at in [(-128.0, 0.0), (128.0, 20.0), (0.0, 128.0), (10.0, -128.0), (110.0, 60.0)] {
                let source = turn.source(at.0, at.1);
                assert!((source.0 - at.0).abs() < 0.5 && (source.1 - at.1).abs() < 0.5, "{at:?} from {source:?}");
            }
        }
        assert_eq!(TurnGrid::new(0.0, 0.0).source(12.5, -40.0), (12.5, -40.0));
    }

    #[test]
    fn the_nose_goes_where_the_signs_of_a_pose_say() {
        // To the left edge and up: what is shown there is what was in the middle before.
        let (x, _) = TurnGrid::new(20.0, 0.0).source(-30.0, 6.0);
        assert!((-5.0..5.0).contains(&x), "{x}");
        let (_, y) = TurnGrid::new(0.0, 15.0).source(0.0, -20.0);
        assert!((0.0..10.0).contains(&y), "{y}");
    }

    #[test]
    fn nothing_folds_over() {
        for turn in [TurnGrid::new(25.0, 15.0), TurnGrid::new(-25.0, -15.0)] {
            for row in -15..15 {
                let sources: Vec<f32> = (-60..60).map(|x| turn.source(2.0 * x as f32, 8.0 * row as f32).0).collect();
                assert!(sources.windows(2).all(|pair| pair[1] > pair[0]), "row {row}");
            }
        }
    }
}
