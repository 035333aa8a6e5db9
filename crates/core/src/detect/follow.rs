//! Follows a face by reading: one small network says of a crop whether there is a face in it, and where.
//!
//! ```text
//! last box and tilt + motion -> crop, 1.8 boxes wide, turned upright -> 64x64 -> network
//!     -> chance of a face, six landmarks -> box and tilt, as from the detector's landmarks
//! ```
//!
//! The crop is cut where the face is expected; what the network says is where it is, so an expectation that is half a box off
//! does no harm. That there is no face is said by the chance, and by answers that contradict what came before
//! ([`FollowFace`]'s user decides).
//!
//! `facelens-training follow` makes such networks. The one that ships belongs to the default detector; [`following`] gives
//! another one to any detector.
//!
//! [`FollowFace`]: super::FollowFace

use std::path::Path;

use super::{DetectError, DetectNear, Detection, Detector, DetectorKind, FollowFace, box_from_landmarks};
use crate::estimate::resize::CropResizer;
use crate::estimate::warp::{WarpView, Warper};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::model::{Edge, Net, ResizeFilter};

/// Width and height of the network's input, pixels.
pub const SIDE: usize = 64;

/// Side of the crop in sides of the facelens box that is expected in its middle.
pub const CROP_BOXES: f32 = 1.8;

/// Numbers that the network gives: the logit of "a face is here", then x and y of the six landmarks of
/// [`Detection::keypoints`], from the crop's middle in sides of the crop.
pub const OUTPUTS: usize = 13;

/// The name in errors.
const NAME: &str = "facelens-follow";

/// The network that ships.
const SHIPPED: &[u8] = include_bytes!("../../../../models/facelens-follow.onnx");

/// A detector whose faces are followed by the network that ships.
pub(super) fn by_default(detector: Box<dyn Detector>) -> Result<Box<dyn Detector>, DetectError> {
    following(detector, SHIPPED)
}

/// A detector whose faces are followed by the network in `onnx`, as `facelens-training follow export` writes it, and searched
/// in windows where the network is unsure.
///
/// # Errors
/// Where the bytes are no such network.
pub fn following(detector: Box<dyn Detector>, onnx: &[u8]) -> Result<Box<dyn Detector>, DetectError> {
    Ok(Box::new(FollowingDetector { detector, follower: Follower::new(onnx)? }))
}

/// A detector and the network that follows what it finds.
struct FollowingDetector {
    detector: Box<dyn Detector>,
    follower: Follower,
}

impl Detector for FollowingDetector {
    fn kind(&self) -> DetectorKind {
        self.detector.kind()
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        self.detector.detect(frame)
    }

    fn near(&self) -> Option<Box<dyn DetectNear>> {
        self.detector.near()
    }

    fn follow(&self) -> Option<Box<dyn FollowFace>> {
        Some(self.follower.another())
    }
}

/// The network with its buffers.
struct Follower {
    net: Net,
    warper: Warper,
    resizer: CropResizer,
    rgb: Vec<u8>,
    tensor: Vec<f32>,
}

impl Follower {
    fn new(onnx: &[u8]) -> Result<Self, DetectError> {
        let failed = |cause: String| DetectError { detector: NAME, cause };
        let net = Net::with_input_shape(onnx, &[1, 3, SIDE, SIDE], Path::new(NAME));
        let net = net.map_err(|error| failed(error.cause))?;
        if net.output_len() != OUTPUTS {
            return Err(failed(format!("its network gives {} numbers instead of {OUTPUTS}", net.output_len())));
        }
        Ok(Self::with(net))
    }

    fn with(net: Net) -> Self {
        let (warper, resizer) = (Warper::default(), CropResizer::default());
        Self { net, warper, resizer, rgb: Vec::new(), tensor: Vec::new() }
    }
}

impl FollowFace for Follower {
    fn follow(&mut self, frame: &Frame, expected: &Rect, roll_degrees: f32) -> Result<Option<Detection>, DetectError> {
        let failed = |cause: String| DetectError { detector: NAME, cause };
        let (middle, side) = (expected.center(), CROP_BOXES * expected.width.max(expected.height));
        let view = WarpView::square(middle, side, roll_degrees);
        let (how, size) = ((ResizeFilter::Triangle, Edge::Repeat), (SIDE as u32, SIDE as u32));
        let filled = self.warper.fill(&mut self.resizer, frame, &view, how, size, &mut self.rgb);
        if !filled.map_err(failed)? {
            return Ok(None);
        }
        fill(&self.rgb, &mut self.tensor);
        let answer = self.net.run(&self.tensor).map_err(failed)?;
        Ok(Some(detection(&answer, middle, side, roll_degrees)))
    }

    fn another(&self) -> Box<dyn FollowFace> {
        Box::new(Self::with(self.net.clone()))
    }
}

/// RGB bytes as the network takes them: channels first, -1 (black) to 1 (white).
fn fill(rgb: &[u8], tensor: &mut Vec<f32>) {
    tensor.clear();
    for channel in 0..3 {
        tensor.extend(rgb.iter().skip(channel).step_by(3).map(|byte| f32::from(*byte) / 127.5 - 1.0));
    }
}

/// What an answer says in pixels of the frame, of a crop that lies there like this.
fn detection(answer: &[f32], middle: Point, side: f32, roll_degrees: f32) -> Detection {
    let (sin, cos) = roll_degrees.to_radians().sin_cos();
    let number = |index: usize| answer.get(index).copied().unwrap_or_default();
    let keypoints: [Point; 6] = std::array::from_fn(|index| {
        let (u, v) = (side * number(1 + 2 * index), side * number(2 + 2 * index));
        Point { x: middle.x + cos * u - sin * v, y: middle.y + sin * u + cos * v }
    });
    let score = 1.0 / (1.0 + (-number(0)).exp());
    Detection { rect: box_from_landmarks(&keypoints), score, keypoints: Some(keypoints) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::create;
    use crate::model::graphs::Graph;
    use crate::testing::astronaut;

    /// Landmarks of an upright face in the middle of a crop.
    const LANDMARKS: [[f32; 2]; 6] = [[-0.1, -0.1], [0.1, -0.1], [0.0, 0.0], [0.0, 0.1], [-0.2, -0.05], [0.2, -0.05]];

    /// A network that gives the mean of the first channel of the crop as logit, and always the same landmarks.
    fn mean_and_landmarks(outputs: usize) -> Vec<u8> {
        let pixels = SIDE * SIDE;
        let mut kernel = vec![0.0; outputs * 3 * pixels];
        kernel[..pixels].fill(10.0 / pixels as f32);
        let bias: Vec<f32> = std::iter::once(0.0).chain(LANDMARKS.into_iter().flatten()).take(outputs).collect();
        let side = SIDE as i64;
        Graph::new(&[1, 3, side, side])
            .floats("kernel", &[outputs as i64, 3, side, side], &kernel)
            .floats("bias", &[outputs as i64], &bias)
            .node("Conv", &["x", "kernel", "bias"], "y", &[("kernel_shape", &[side, side])])
            .bytes()
    }

    fn follower() -> Box<dyn FollowFace> {
        let detector = create(DetectorKind::BlazeFront).unwrap();
        following(detector, &mean_and_landmarks(OUTPUTS)).unwrap().follow().unwrap()
    }

    #[test]
    fn the_crop_is_the_place_where_the_face_is_expected() {
        // Red on the left, black on the right.
        let rgb = (0..200 * 160).flat_map(|place| if place % 200 < 100 { [255, 0, 0] } else { [0; 3] }).collect();
        let frame = Frame::from_rgb(200, 160, rgb).unwrap();
        let mut follower = follower();
        let mut chance = |x: f32, roll| {
            let expected = Rect::square(Point { x, y: 80.0 }, 50.0);
            follower.follow(&frame, &expected, roll).unwrap().unwrap().score
        };
        // Logits of 10 where all is red, -10 where nothing is.
        assert!(chance(50.0, 0.0) > 0.999 && chance(150.0, 20.0) < 0.001);
        assert!((chance(100.0, 0.0) - 0.5).abs() < 0.1 && (chance(100.0, 70.0) - 0.5).abs() < 0.1);
        // 20 pixels to the left of the border, of a crop of 90: 0.72 of it is red.
        let expected = 1.0 / (1.0 + (-10.0_f32 * 0.444).exp());
        assert!((chance(80.0, 0.0) - expected).abs() < 0.01, "{}", chance(80.0, 0.0));
    }

    #[test]
    fn an_answer_is_turned_and_scaled_into_the_frame() {
        let answer: Vec<f32> = std::iter::once(0.0).chain(LANDMARKS.into_iter().flatten()).collect();
        // In the frame the head is tilted by 90 degrees, its chin to the left.
        let found = detection(&answer, Point { x: 100.0, y: 50.0 }, 200.0, 90.0);
        let [left_eye, _, nose, mouth, ..] = found.keypoints.unwrap();
        let near = |point: Point, x: f32, y: f32| (point.x - x).hypot(point.y - y) < 1e-3;
        assert!(near(left_eye, 120.0, 30.0) && near(nose, 100.0, 50.0) && near(mouth, 80.0, 50.0), "{found:?}");
        assert!((found.roll_degrees().unwrap() - 90.0).abs() < 1e-3 && found.score == 0.5);
        assert_eq!(found.rect, box_from_landmarks(&found.keypoints.unwrap()));
    }

    #[test]
    fn boxes_without_a_size_or_outside_the_picture_are_nothing() {
        let (frame, mut follower) = (astronaut(), follower());
        for rect in [
            Rect::new(f32::NAN, 0.0, 10.0, 10.0),
            Rect::new(0.0, 0.0, 0.0, 0.0),
            Rect::new(2000.0, 0.0, 100.0, 100.0),
            Rect::new(0.0, 0.0, f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(follower.follow(&frame, &rect, 0.0).unwrap(), None, "{rect:?}");
        }
        // A pixel large, and at the picture's edge.
        assert!(follower.follow(&frame, &Rect::new(100.0, 100.0, 1.0, 1.0), 0.0).unwrap().is_some());
        assert!(follower.follow(&frame, &Rect::new(-60.0, 100.0, 80.0, 80.0), 400.0).unwrap().is_some());
    }

    #[test]
    fn one_for_another_thread_says_the_same() {
        let (frame, rect, mut follower) = (astronaut(), Rect::new(150.0, 60.0, 120.0, 120.0), follower());
        let mut other = follower.another();
        assert_eq!(follower.follow(&frame, &rect, 3.0).unwrap(), other.follow(&frame, &rect, 3.0).unwrap());
    }

    #[test]
    fn the_shipped_network_sees_the_astronaut_from_beside_her_and_nobody_on_the_wall() {
        let (frame, mut detector) = (astronaut(), create(DetectorKind::BlazeBack).unwrap());
        let face = detector.detect(&frame).unwrap().remove(0);
        let mut follower = detector.follow().unwrap();
        let side = face.rect.width;
        for (dx, dy, scale, roll) in [(0.0, 0.0, 1.0, 0.0), (0.12, -0.1, 1.1, 10.0), (-0.1, 0.15, 0.9, -10.0)] {
            let expected = face.rect.translated(dx * side, dy * side).scaled(scale);
            let found = follower.follow(&frame, &expected, roll).unwrap().unwrap();
            assert!(found.score > 0.8 && found.rect.iou(&face.rect) > 0.8, "{found:?} instead of {face:?}");
            let tilt = found.roll_degrees().unwrap() - face.roll_degrees().unwrap();
            // Of a first look at a tilted crop; the search looks once more then.
            assert!(tilt.abs() < if roll == 0.0 { 4.0 } else { 8.0 }, "{tilt}");
        }
        for (x, y) in [(20.0, 20.0), (20.0, 400.0), (400.0, 350.0)] {
            let nobody = follower.follow(&frame, &Rect::new(x, y, 90.0, 90.0), 0.0).unwrap().unwrap();
            // The search asks for 0.8.
            assert!(nobody.score < 0.8, "{nobody:?}");
        }
    }

    #[test]
    fn a_detector_stays_what_it_is_and_another_network_is_refused() {
        let detector = || create(DetectorKind::BlazeBack).unwrap();
        assert!(detector().follow().is_some() && create(DetectorKind::BlazeFront).unwrap().follow().is_none());
        let following_detector = following(detector(), &mean_and_landmarks(OUTPUTS)).unwrap();
        assert_eq!(following_detector.kind(), DetectorKind::BlazeBack);
        assert!(following_detector.near().is_some());
        let error = following(detector(), &mean_and_landmarks(5)).err().unwrap().to_string();
        assert!(error.contains("gives 5 numbers"), "{error}");
        assert!(following(detector(), b"no graph").is_err());
    }
}
