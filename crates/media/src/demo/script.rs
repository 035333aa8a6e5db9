//! The demo's script: where the face is at every moment, in closed form.

use std::f32::consts::TAU;
use std::time::Duration;

use facelens_core::geometry::{Point, Rect};

/// Width of the demo's frames, pixels.
pub const WIDTH: u32 = 640;
/// Height of the demo's frames, pixels.
pub const HEIGHT: u32 = 480;
/// Frames a second.
pub const FPS: u32 = 30;
/// Frames in one round.
pub const FRAMES: u64 = 1800;
/// Seconds in one round; the script ends where it begins.
pub const ROUND_SECS: u32 = 60;

/// Middle of the face in the astronaut picture, pixels: between the eyes and the mouth.
pub const FACE_CENTER: Point = Point { x: 226.0, y: 130.0 };
/// Side of the square from hairline to chin in the astronaut picture, pixels.
pub const FACE_SIDE: f32 = 100.0;
/// How far the head itself is turned clockwise in the astronaut picture, degrees: the line through the eyes.
pub const HEAD_ROLL: f32 = 2.2;
/// Radius of the round cut-out of the astronaut picture around [`FACE_CENTER`], pixels.
pub(super) const CUT_RADIUS: f32 = 128.0;
/// Width of the rim around the cut-out with its shadow, in pixels of the frame.
pub(super) const RIM: f32 = 14.0;

const MIDDLE_SCALE: f32 = 1.25;
const SCALE_SWING: f32 = 0.4;
const ROLL_SWING: f32 = 35.0;

/// Where the demo's face truly is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Square around the middle of the face whose side is the distance from hairline to chin, in pixels of the frame.
    pub face: Rect,
    /// True roll of the head in degrees, with the sign of [`Pose::roll`](facelens_core::geometry::Pose::roll): above zero, the
    /// head is turned clockwise as the frame shows it. [`HEAD_ROLL`] is part of it.
    pub roll: f32,
    /// How far the astronaut picture is turned clockwise, degrees: `roll` without [`HEAD_ROLL`].
    pub turn: f32,
    /// Pixels of the frame per pixel of the astronaut picture.
    pub scale: f32,
}

/// Where the demo's face is at `time`; the script repeats after [`ROUND_SECS`].
///
/// The scale swings between 0.85 and 1.65 (a face of 85 to 165 pixels) twice a round, the turn between -35 and +35
/// degrees five times; meanwhile the face travels over the whole frame and stays fully visible.
pub fn truth(time: Duration) -> Truth {
    let round_nanos = u128::from(ROUND_SECS) * 1_000_000_000;
    let phase = (time.as_nanos() % round_nanos) as f64 / round_nanos as f64;
    // Whole numbers of swings a round, so that its end meets its beginning.
    let swing = |times: f64, shift: f64| ((times * phase + shift).fract() as f32 * TAU).sin();
    let scale = MIDDLE_SCALE + SCALE_SWING * swing(2.0, 0.0);
    let turn = ROLL_SWING * swing(5.0, 0.0);
    let reach = CUT_RADIUS * scale + RIM;
    let (middle_x, middle_y) = (WIDTH as f32 / 2.0, HEIGHT as f32 / 2.0);
    let center = Point {
        x: middle_x + (middle_x - reach) * swing(3.0, 0.0),
        y: middle_y + (middle_y - reach) * swing(4.0, 0.1),
    };
    Truth { face: Rect::square(center, FACE_SIDE * scale), roll: turn + HEAD_ROLL, turn, scale }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(frame: u64) -> Truth {
        truth(Duration::from_nanos(frame * 1_000_000_000 / u64::from(FPS)))
    }

    #[test]
    fn the_cut_out_is_always_fully_visible() {
        for truth in (0..FRAMES).map(at) {
            let (center, reach) = (truth.face.center(), CUT_RADIUS * truth.scale + RIM);
            assert!(center.x >= reach - 0.01 && center.x <= WIDTH as f32 - reach + 0.01, "{truth:?}");
            assert!(center.y >= reach - 0.01 && center.y <= HEIGHT as f32 - reach + 0.01, "{truth:?}");
        }
    }

    #[test]
    fn the_script_goes_through_all_it_promises() {
        let all: Vec<Truth> = (0..FRAMES).map(at).collect();
        let range = |value: fn(&Truth) -> f32| {
            all.iter().map(value).fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        let (low, high) = range(|truth| truth.turn);
        assert!(low < -34.9 && high > 34.9);
        let (low, high) = range(|truth| truth.face.width);
        assert!((84.9..85.1).contains(&low) && (164.9..165.1).contains(&high), "{low} {high}");
        let (low, high) = range(|truth| truth.face.center().x);
        assert!(low < 200.0 && high > 440.0, "{low} {high}");
    }

    #[test]
    fn the_script_is_smooth_and_closes() {
        for frame in 0..FRAMES {
            let (a, b) = (at(frame), at(frame + 1));
            let (from, to) = (a.face.center(), b.face.center());
            assert!((to.x - from.x).hypot(to.y - from.y) < 6.0, "frame {frame}: {a:?} {b:?}");
            assert!((b.turn - a.turn).abs() < 1.0 && (b.scale - a.scale).abs() < 0.01, "frame {frame}");
        }
        assert_eq!(at(0), at(FRAMES));
    }
}
