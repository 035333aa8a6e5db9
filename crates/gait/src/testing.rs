//! A drawn walker with a known stride, for tests.

use std::f64::consts::TAU;

use facelens_core::detect::letterbox::Placement;
use facelens_core::geometry::{Point, Rect};

use super::body::{Body, LANDMARKS, Landmark, point};
use super::mask::Mask;
use super::sample::{Figure, WalkSample};
use super::silhouette::Silhouette;

/// Where the camera stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// The walker goes to the picture's right.
    Side,
    /// The walker comes towards the camera.
    Front,
}

const WIDTH: usize = 96;
const HEIGHT: usize = 128;

/// A walk with this stride, drawn at these times. One arm swings farther than the other and has something in its hand, as real
/// people are never quite even; from the front the feet are lifted and the body sways.
pub(crate) fn walk(view: View, stride_s: f64, times_s: &[f64]) -> Vec<WalkSample> {
    times_s.iter().map(|&time_s| sample(view, stride_s, time_s)).collect()
}

fn sample(view: View, stride_s: f64, time_s: f64) -> WalkSample {
    let phase = (TAU * time_s / stride_s).sin();
    let lifted = |foot: f64| (TAU * (time_s / stride_s + foot)).cos().max(0.0) * 0.06;
    let (left_lift, right_lift) = (lifted(0.0), lifted(0.5));
    let mask = match view {
        View::Side => draw_side(phase, left_lift, right_lift),
        View::Front => draw_front(phase, left_lift, right_lift),
    };
    let side = view == View::Side;
    let walked = 0.75 * time_s as f32;
    let figure = Figure {
        height_px: 200.0,
        ankles_apart: if side { 0.4 * phase as f32 } else { 0.1 },
        heels_apart: (right_lift - left_lift) as f32,
        leg: 0.48,
        head: Some(0.13),
        trunk: if side { [0.3 * 4_f32.to_radians().tan(), 0.3] } else { [0.0, 0.3] },
        facing: if side { [0.1, 0.9] } else { [1.0, 0.0] },
        toes: if side { 0.13 } else { 0.0 },
        place: if side { [walked - 1.0, 3.0] } else { [0.2, 5.0 - walked] },
    };
    let silhouette = Silhouette::from_mask(&mask).unwrap();
    WalkSample { time_s, silhouette, figure }
}

/// A body that fills this box at a moment of its walk to the right, as the network would cut it out.
pub(crate) fn body(rect: Rect, stride_s: f64, time_s: f64) -> Body {
    let phase = (TAU * time_s / stride_s).sin();
    let mask = draw_side(phase, 0.0, 0.0);
    let extent = mask.extent().unwrap();
    let scale = rect.height / (extent.bottom - extent.top) as f32;
    let placement = Placement { scale, left: 48.0 - rect.center().x / scale, top: extent.top as f32 - rect.y / scale };
    let mut landmarks = [Landmark { visible: 0.9, present: 0.9, ..Landmark::default() }; LANDMARKS];
    let mut put = |index: usize, x: f32, y: f32, depth: f32| {
        landmarks[index].point = Point { x: rect.center().x + x * rect.height, y: rect.y + y * rect.height };
        landmarks[index].depth = depth * rect.height;
    };
    put(point::NOSE, 0.02, 0.06, 0.0);
    for side in 0..2 {
        let (sign, depth) = if side == 0 { (1.0, 0.1) } else { (-1.0, -0.1) };
        let foot = 0.2 * phase as f32 * sign;
        put(point::MOUTH[side], 0.02, 0.085, 0.0);
        put(point::SHOULDERS[side], 0.01, 0.2, depth);
        put(point::HIPS[side], 0.0, 0.5, depth);
        put(point::KNEES[side], foot / 2.0, 0.72, depth);
        put(point::ANKLES[side], foot, 0.94, depth);
        put(point::HEELS[side], foot - 0.03, 0.97, depth);
        put(point::TOES[side], foot + 0.1, 0.98, depth);
    }
    let corner = |x: usize, y: usize| placement.to_frame(Point { x: x as f32, y: y as f32 });
    let (first, last) = (corner(extent.left, extent.top), corner(extent.right, extent.bottom));
    let own = Rect::new(first.x, first.y, last.x - first.x, last.y - first.y);
    Body { person: 0.98, mask, placement, rect: own, landmarks }
}

fn draw_side(phase: f64, left_lift: f64, right_lift: f64) -> Mask {
    let mut canvas = Canvas::new();
    canvas.line((48.0, 10.0), (48.0, 10.0), 9.0);
    canvas.line((48.0, 22.0), (48.0, 62.0), 10.0);
    let foot = |swing: f64, lift: f64| (48.0 + swing * 25.0, 122.0 - lift * 120.0);
    canvas.line((48.0, 62.0), foot(phase, left_lift), 6.0);
    canvas.line((48.0, 62.0), foot(-phase, right_lift), 6.0);
    canvas.line((48.0, 28.0), (48.0 - phase * 22.0, 60.0), 4.0);
    // What the other hand carries makes left and right steps differ.
    let hand = (48.0 + phase * 10.0, 62.0);
    canvas.line((48.0, 28.0), hand, 4.0);
    canvas.line(hand, (hand.0 + 5.0, hand.1 + 10.0), 6.0);
    canvas.mask()
}

fn draw_front(phase: f64, left_lift: f64, right_lift: f64) -> Mask {
    let mut canvas = Canvas::new();
    let sway = 48.0 + 1.5 * phase;
    canvas.line((sway, 10.0), (sway, 10.0), 9.0);
    canvas.line((sway, 24.0), (sway, 60.0), 14.0);
    canvas.line((sway + 6.0, 62.0), (57.0, 122.0 - left_lift * 120.0), 6.0);
    canvas.line((sway - 6.0, 62.0), (39.0, 122.0 - right_lift * 120.0), 6.0);
    canvas.line((sway + 14.0, 28.0), (sway + 18.0 + 2.0 * phase, 64.0), 4.0);
    canvas.line((sway - 14.0, 28.0), (sway - 18.0 + 2.0 * phase, 64.0), 4.0);
    canvas.mask()
}

/// A picture that thick lines are drawn on.
struct Canvas {
    coverage: Vec<u8>,
}

impl Canvas {
    fn new() -> Self {
        Self { coverage: vec![0; WIDTH * HEIGHT] }
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), radius: f64) {
        let along = (to.0 - from.0, to.1 - from.1);
        let length = (along.0 * along.0 + along.1 * along.1).max(1e-9);
        let range = |a: f64, b: f64, size: usize| {
            let limit = |place: f64| (place.max(0.0) as usize).min(size);
            limit(a.min(b) - radius - 1.0)..limit(a.max(b) + radius + 2.0)
        };
        for row in range(from.1, to.1, HEIGHT) {
            for column in range(from.0, to.0, WIDTH) {
                let (x, y) = (column as f64 + 0.5, row as f64 + 0.5);
                let share = (((x - from.0) * along.0 + (y - from.1) * along.1) / length).clamp(0.0, 1.0);
                let off = (x - from.0 - share * along.0).hypot(y - from.1 - share * along.1);
                let cover = ((radius - off + 0.5).clamp(0.0, 1.0) * 255.0) as u8;
                let value = &mut self.coverage[row * WIDTH + column];
                *value = (*value).max(cover);
            }
        }
    }

    fn mask(self) -> Mask {
        Mask::new(WIDTH, HEIGHT, self.coverage).unwrap()
    }
}
