//! The demo's script: where the two heads are at every moment and how they are turned, in closed form.

use std::f32::consts::TAU;
use std::time::Duration;

use facelens_core::geometry::{Point, Pose, Rect};

use super::drawn::{self, DrawnPlace};
use super::portrait::{CUT_RADIUS, PortraitPlace, RIM};
use super::turn;

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

/// Width of the part of the frame that the portrait keeps to, from the left; the drawn man has the rest. Pixels.
pub(super) const PORTRAIT_WIDTH: f32 = 420.0;
const MIDDLE_SCALE: f32 = 1.05;
const SCALE_SWING: f32 = 0.25;
const ROLL_SWING: f32 = 25.0;
const YAW_SWING: f32 = 25.0;
const PITCH_SWING: f32 = 15.0;

/// Where one of the demo's heads truly is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Square around the middle of the face whose side is the distance from hairline to chin, in pixels of the frame.
    pub face: Rect,
    /// How the head is turned. Of the portrait, yaw and pitch are how far the flat picture is warped, of which a network
    /// sees about three quarters.
    pub pose: Pose,
}

/// How far something has swung at `time`, -1 to 1: so many `times` in a round, `shift` rounds of a swing ahead. Whole
/// numbers of swings, so that the end of a round meets its beginning.
fn swing(time: Duration, times: f64, shift: f64) -> f32 {
    let round_nanos = u128::from(ROUND_SECS) * 1_000_000_000;
    let phase = (time.as_nanos() % round_nanos) as f64 / round_nanos as f64;
    ((times * phase + shift).fract() as f32 * TAU).sin()
}

/// Where the two heads are at `time`, first the astronaut's, then the drawn man's; the script repeats after
/// [`ROUND_SECS`].
///
/// The astronaut's face swings between 80 and 130 pixels twice a round while it travels over the left part of the frame;
/// her head turns by up to 25 degrees aside, 15 up and down and 25 in the picture's plane, each at its own pace. The man
/// stays on the right and turns his head.
pub fn truth(time: Duration) -> [Truth; 2] {
    let place = portrait(time);
    let (right, down) = turn::face_moves(place.yaw_degrees, place.pitch_degrees);
    let (sin, cos) = place.turn_degrees.to_radians().sin_cos();
    let center = Point {
        x: place.center.x + place.scale * (right * cos - down * sin),
        y: place.center.y + place.scale * (right * sin + down * cos),
    };
    let pose = Pose { yaw: place.yaw_degrees, pitch: place.pitch_degrees, roll: 0.0 };
    let pose = Pose::from(pose.rotation().turned(place.turn_degrees + HEAD_ROLL));
    let man = drawn(time);
    [
        Truth { face: Rect::square(center, FACE_SIDE * place.scale), pose },
        Truth { face: drawn::face(&man), pose: man.pose },
    ]
}

pub(super) fn portrait(time: Duration) -> PortraitPlace {
    let swing = |times, shift| swing(time, times, shift);
    let scale = MIDDLE_SCALE + SCALE_SWING * swing(2.0, 0.0);
    let reach = CUT_RADIUS * scale + RIM;
    let (middle_x, middle_y) = (PORTRAIT_WIDTH / 2.0, HEIGHT as f32 / 2.0);
    PortraitPlace {
        center: Point {
            x: middle_x + (middle_x - reach) * swing(3.0, 0.0),
            y: middle_y + (middle_y - reach) * swing(4.0, 0.1),
        },
        scale,
        turn_degrees: ROLL_SWING * swing(5.0, 0.0),
        yaw_degrees: YAW_SWING * swing(7.0, 0.0),
        pitch_degrees: PITCH_SWING * swing(9.0, 0.0),
    }
}

pub(super) fn drawn(time: Duration) -> DrawnPlace {
    let swing = |times, shift| swing(time, times, shift);
    DrawnPlace {
        head: Point { x: 528.0 + 8.0 * swing(3.0, 0.2), y: 205.0 + 8.0 * swing(4.0, 0.6) },
        scale: 68.0 + 3.0 * swing(2.0, 0.4),
        pose: Pose { yaw: 22.0 * swing(5.0, 0.3), pitch: 10.0 * swing(8.0, 0.1), roll: 12.0 * swing(3.0, 0.6) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(frame: u64) -> Duration {
        Duration::from_nanos(frame * 1_000_000_000 / u64::from(FPS))
    }

    #[test]
    fn the_cut_out_is_always_fully_visible_and_leaves_the_man_his_place() {
        for place in (0..FRAMES).map(|frame| portrait(time(frame))) {
            let (center, reach) = (place.center, CUT_RADIUS * place.scale + RIM);
            assert!(center.x >= reach - 0.01 && center.x <= PORTRAIT_WIDTH - reach + 0.01, "{place:?}");
            assert!(center.y >= reach - 0.01 && center.y <= HEIGHT as f32 - reach + 0.01, "{place:?}");
        }
        for [_, man] in (0..FRAMES).map(|frame| truth(time(frame))) {
            assert!(man.face.x > PORTRAIT_WIDTH && man.face.right() < WIDTH as f32, "{man:?}");
        }
    }

    #[test]
    fn the_script_goes_through_all_it_promises() {
        let all: Vec<[Truth; 2]> = (0..FRAMES).map(|frame| truth(time(frame))).collect();
        let range = |value: &dyn Fn(&[Truth; 2]) -> f32| {
            all.iter().map(value).fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)))
        };
        for (who, angles) in [(0, [24.0, 14.0, 25.0]), (1, [20.0, 9.0, 11.0])] {
            let pose = |of: fn(&Pose) -> f32| range(&|truths: &[Truth; 2]| of(&truths[who].pose));
            for ((low, high), angle) in
                [pose(|pose| pose.yaw), pose(|pose| pose.pitch), pose(|pose| pose.roll)].into_iter().zip(angles)
            {
                assert!(low < -angle + 3.0 && high > angle - 3.0, "head {who}: {low} to {high}, not {angle}");
            }
        }
        let (low, high) = range(&|truths| truths[0].face.width);
        assert!((79.9..80.1).contains(&low) && (129.9..130.1).contains(&high), "{low} {high}");
        let (low, high) = range(&|truths| truths[0].face.center().x);
        assert!(low < 180.0 && high > 240.0, "{low} {high}");
    }

    #[test]
    fn the_script_is_smooth_and_closes() {
        for frame in 0..FRAMES {
            for (a, b) in truth(time(frame)).into_iter().zip(truth(time(frame + 1))) {
                let (from, to) = (a.face.center(), b.face.center());
                assert!((to.x - from.x).hypot(to.y - from.y) < 6.0, "frame {frame}: {a:?} {b:?}");
                assert!(a.pose.rotation().angle_to(b.pose.rotation()) < 1.5, "frame {frame}: {a:?} {b:?}");
                assert!((b.face.width - a.face.width).abs() < 1.0, "frame {frame}");
            }
        }
        assert_eq!(truth(time(0)), truth(time(FRAMES)));
    }
}
