//! The card's `[crop]`: what part of the picture a network is shown.

use serde::{Deserialize, Serialize};

use crate::geometry::Point;

/// Largest crop margin; the published demos use 0.4 to 0.6.
const MAX_MARGIN: f32 = 3.0;

/// What part of the picture a network is shown.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropSpec {
    /// Added on each side, as a fraction of the box's width and height; clamped to the picture.
    pub margin: f32,
    /// Whose box the margin refers to.
    pub relative_to: BoxStyle,
    /// How the crop becomes the input size.
    pub resize: ResizeFilter,
    /// Whether a tilted face is turned upright first, by the landmarks that the detector gives; the turn is added to the
    /// roll of a head pose. Outside the picture a turned crop repeats its edge, or is black if `edge` says so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upright: bool,
    /// Whether the first look at a face, and so the only one at a still image, also takes in its mirror image: both answers
    /// are averaged, the pose of the second turned back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mirrored: bool,
    /// How far the crop's middle lies below the box's, as a fraction of the box's height; above it where this is less than
    /// 0. Below a tilted face that is turned upright means towards its chin.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub down: f32,
    /// What the network sees where the crop reaches over the picture's edge.
    #[serde(default, skip_serializing_if = "Edge::is_cut")]
    pub edge: Edge,
    /// Shows the network the face by its landmarks instead of its box, where the detector gives any. Without them it is
    /// the box with everything above: all pictures that SeetaFace searches.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub align: Option<Alignment>,
}

/// Whose idea of a face's box a margin refers to. Each is a fixed factor and offset from the facelens box.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxStyle {
    /// The box that facelens reports.
    #[default]
    Facelens,
    /// The box of OpenCV's `lbpcascade_frontalface_improved`, which the published SSR-Net and FSA-Net demos used.
    Lbp,
}

/// How a crop is resized to the network's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeFilter {
    /// Four taps, half-pixel centres, no antialiasing: `cv2.resize` INTER_LINEAR. The published weights need it.
    #[default]
    Bilinear,
    /// Triangle filter with antialiasing: PIL's BILINEAR.
    Triangle,
}

/// What a network sees beyond the picture's edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Edge {
    /// Nothing: the crop is cut at the edge and what is left is squeezed to the input (the published demos).
    #[default]
    Cut,
    /// The pixels of the edge again.
    Repeat,
    /// Black (`cv2.warpAffine`, dlib).
    Black,
}

impl Edge {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
    fn is_cut(&self) -> bool {
        *self == Self::Cut
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

/// Where a network wants the landmarks of a face: they are brought there by the similarity transform (turned, scaled and
/// moved, not sheared or mirrored) with the least sum of squared distances (Umeyama, "Least-Squares Estimation of
/// Transformation Parameters Between Two Point Patterns", PAMI 1991).
///
/// The template is a picture of `width` x `height` of any unit, x to the right and y down from its upper left corner, that
/// is scaled to the network's input. Left and right are those of the picture. Two points or more; the corners of the mouth
/// come as a pair or not at all, and as no detector of facelens finds them, the middle between them is fitted to the
/// mouth. With `edge = "cut"` what lies outside the picture is black. The roll of a head pose gets the turn back.
///
/// ```toml
/// [crop.align]            # ArcFace's five points
/// width = 112
/// height = 112
/// left_eye = [38.2946, 51.6963]
/// right_eye = [73.5318, 51.5014]
/// nose = [56.0252, 71.7366]
/// mouth_left = [41.5493, 92.3655]
/// mouth_right = [70.7299, 92.2041]
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alignment {
    /// Width of the template.
    pub width: f32,
    /// Height of the template.
    pub height: f32,
    /// What is added around the template on each side, as a fraction of its width and height (dlib's padding).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub padding: f32,
    /// Middle of the eye on the picture's left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_eye: Option<[f32; 2]>,
    /// Middle of the eye on the picture's right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_eye: Option<[f32; 2]>,
    /// Tip of the nose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nose: Option<[f32; 2]>,
    /// Middle of the mouth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mouth: Option<[f32; 2]>,
    /// Corner of the mouth on the picture's left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mouth_left: Option<[f32; 2]>,
    /// Corner of the mouth on the picture's right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mouth_right: Option<[f32; 2]>,
    /// The ear on the picture's left: where it begins before the head, as BlazeFace finds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_ear: Option<[f32; 2]>,
    /// The ear on the picture's right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right_ear: Option<[f32; 2]>,
}

impl Alignment {
    /// The five points of ArcFace's pictures of 112 pixels (InsightFace's `face_align`).
    pub fn arcface() -> Self {
        Self {
            width: 112.0,
            height: 112.0,
            left_eye: Some([38.2946, 51.6963]),
            right_eye: Some([73.5318, 51.5014]),
            nose: Some([56.0252, 71.7366]),
            mouth_left: Some([41.5493, 92.3655]),
            mouth_right: Some([70.7299, 92.2041]),
            ..Self::default()
        }
    }

    /// Where the landmarks that detectors give should lie, as shares of the input's width and height, padding included; in
    /// the order of [`Detection::keypoints`](crate::detect::Detection::keypoints).
    pub fn targets(&self) -> [Option<Point>; 6] {
        let middle = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
        let mouth = self.mouth.or_else(|| Some(middle(self.mouth_left?, self.mouth_right?)));
        let points = [self.left_eye, self.right_eye, self.nose, mouth, self.left_ear, self.right_ear];
        let share = |value: f32, size: f32| (value / size + self.padding) / (1.0 + 2.0 * self.padding);
        points.map(|point| point.map(|[x, y]| Point { x: share(x, self.width), y: share(y, self.height) }))
    }

    /// The names of the landmarks that it is fitted to.
    pub fn landmarks(&self) -> Vec<&'static str> {
        let names = ["left eye", "right eye", "nose", "mouth", "left ear", "right ear"];
        names.into_iter().zip(self.targets()).filter_map(|(name, target)| target.map(|_| name)).collect()
    }

    fn problems(&self) -> Result<(), String> {
        for (key, side) in [("width", self.width), ("height", self.height)] {
            if !(side.is_finite() && side > 0.0) {
                return Err(format!("`crop.align.{key}` must be above 0, but is {side}"));
            }
        }
        if !(0.0..=MAX_MARGIN).contains(&self.padding) {
            return Err(format!("`crop.align.padding` must lie between 0 and {MAX_MARGIN}, but is {}", self.padding));
        }
        if self.mouth_left.is_some() != self.mouth_right.is_some() {
            return Err(
                "`crop.align` needs both of `mouth_left` and `mouth_right`, or the one point `mouth`".to_owned()
            );
        }
        if self.mouth.is_some() && self.mouth_left.is_some() {
            return Err("`crop.align` has both `mouth` and its corners; leave out either".to_owned());
        }
        let points: Vec<Point> = self.targets().into_iter().flatten().collect();
        // A point far outside is a mistake in the unit: pixels where shares were meant.
        if points.iter().any(|point| !(point.x.abs() <= 10.0 && point.y.abs() <= 10.0)) {
            return Err("`crop.align` has a point far outside of its `width` and `height`; use one unit".to_owned());
        }
        let apart = |a: &Point, b: &Point| (a.x - b.x).hypot(a.y - b.y) > 1e-3;
        if !points.iter().any(|point| apart(point, &points[0])) {
            return Err("`crop.align` needs two points or more: left_eye, right_eye, nose, mouth (or mouth_left and \
                        mouth_right), left_ear, right_ear"
                .to_owned());
        }
        Ok(())
    }
}

impl CropSpec {
    /// What is wrong with it, in words that name the key.
    pub(super) fn problems(&self) -> Result<(), String> {
        let margin = self.margin;
        if !(0.0..=MAX_MARGIN).contains(&margin) {
            return Err(format!("`crop.margin` must lie between 0 and {MAX_MARGIN}, but is {margin}"));
        }
        if !(-1.0..=1.0).contains(&self.down) {
            return Err(format!("`crop.down` must lie between -1 and 1, but is {}", self.down));
        }
        self.align.as_ref().map_or(Ok(()), Alignment::problems)
    }
}
