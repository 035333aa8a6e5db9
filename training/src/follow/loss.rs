//! What an answer costs: the chance of a face by cross-entropy; of a face, landmarks, place, size and tilt by a smooth
//! absolute error in sides of the face.

use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::detect::{EYES_TO_MIDDLE, PER_EARS, PER_EYES_TO_MOUTH};
use serde::{Deserialize, Serialize};

use super::sample::FollowTarget;

/// Keeps roots away from 0.
const TINY: f64 = 1e-8;

/// What counts how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowLoss {
    /// Weight of the chance.
    pub chance: f32,
    /// Weight of the landmarks.
    pub landmarks: f32,
    /// Weights of the box's middle, the logarithm of its side, and the tilt.
    pub place: f32,
    /// Of the side.
    pub size: f32,
    /// Of the tilt.
    pub tilt: f32,
    /// Below this error, in sides of the face, the square counts, above it the error itself.
    pub smooth: f32,
}

impl Default for FollowLoss {
    fn default() -> Self {
        Self { chance: 1.0, landmarks: 4.0, place: 8.0, size: 4.0, tilt: 4.0, smooth: 0.04 }
    }
}

impl FollowLoss {
    pub(super) fn check(&self) -> Result<(), String> {
        let weights = [self.chance, self.landmarks, self.place, self.size, self.tilt];
        if weights.iter().any(|weight| !(0.0..=1e4).contains(weight)) {
            return Err("the weights of loss must be from 0 to 10000".to_owned());
        }
        if !(1e-4..=10.0).contains(&self.smooth) {
            return Err(format!("loss.smooth is {}; it must be from 0.0001 to 10", self.smooth));
        }
        Ok(())
    }

    /// The mean cost of a crop; `answers` is `[crops, 13]`, as [`facelens_core::detect::follow::OUTPUTS`] says.
    pub(super) fn of(&self, answers: &Tensor<2>, targets: &[FollowTarget]) -> Tensor<1> {
        let device = answers.device();
        let column = |numbers: Vec<f32>| -> Tensor<2> { table(numbers, 1, &device) };
        let present = column(targets.iter().map(|target| if target.is_present() { 1.0 } else { 0.0 }).collect());
        let logit = answers.clone().narrow(1, 0, 1);
        // -y ln s(x) - (1 - y) ln(1 - s(x)), which is (1 - y) x - ln s(x).
        let chance = logit.clone() * (present.clone().neg() + 1.0) - log_sigmoid(logit);

        let landmarks = targets.iter().flat_map(|target| target.landmarks.into_iter().flatten()).collect();
        let truth: Tensor<2> = table(landmarks, 12, &device);
        let said = answers.clone().narrow(1, 1, 12);
        let sides = column(targets.iter().map(|target| target.side).collect());
        let (ours, theirs) = (ReadFace::of(&said), ReadFace::of(&truth));
        let smooth = |off: Tensor<2>| smooth_absolute(off, self.smooth).mean_dim(1);
        let cost = smooth((said - truth) / sides.clone()) * self.landmarks
            + smooth((ours.middle - theirs.middle) / sides) * self.place
            + smooth(ours.log_side - theirs.log_side) * self.size
            + smooth(ours.direction - theirs.direction) * self.tilt;
        let faces = present.clone().sum().clamp_min(1.0);
        (cost * present).sum() / faces + chance.mean() * self.chance
    }
}

fn table(numbers: Vec<f32>, columns: usize, device: &Device) -> Tensor<2> {
    let rows = numbers.len() / columns;
    Tensor::from_data(TensorData::new(numbers, [rows, columns]), device)
}

/// `x² / 2b` up to b, `|x| - b / 2` beyond.
fn smooth_absolute(x: Tensor<2>, b: f32) -> Tensor<2> {
    let size = x.abs();
    let below = size.clone().clamp_max(b);
    // The square below, and the rest linear: continuous in value and slope.
    below.clone().square() / (2.0 * b) + (size - below)
}

/// What landmarks say of a face, as [`facelens_core::detect::box_from_landmarks`] and `roll_from_landmarks` reckon.
struct ReadFace {
    /// `[crops, 2]`.
    middle: Tensor<2>,
    /// `[crops, 1]`.
    log_side: Tensor<2>,
    /// Of the tilt, length 1, `[crops, 2]`.
    direction: Tensor<2>,
}

impl ReadFace {
    /// `landmarks`: `[crops, 12]`.
    fn of(landmarks: &Tensor<2>) -> Self {
        let point = |index: usize| landmarks.clone().narrow(1, 2 * index, 2);
        let [left_eye, right_eye, mouth, left_ear, right_ear] = [0, 1, 3, 4, 5].map(point);
        let eyes = (left_eye.clone() + right_eye.clone()) * 0.5;
        let down = mouth - eyes.clone();
        let ears = right_ear - left_ear;
        let square = |x: &Tensor<2>| x.clone().square().sum_dim(1) + TINY;
        // Fourth powers of both lengths; the side is the fourth root of their mean.
        let (tall, wide) = (square(&down) * PER_EYES_TO_MOUTH.powi(2), square(&ears) * PER_EARS.powi(2));
        let log_side = ((tall.square() + wide.square()) * 0.5).log() * 0.25;
        // The way down, turned by a quarter to the way from eye to eye.
        let (x, y) = (down.clone().narrow(1, 0, 1), down.clone().narrow(1, 1, 1));
        let level = right_eye - left_eye + ears + Tensor::cat(vec![y, x.neg()], 1);
        let direction = level.clone() / square(&level).sqrt();
        Self { middle: eyes + down * EYES_TO_MIDDLE, log_side, direction }
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::detect::{box_from_landmarks, roll_from_landmarks};
    use facelens_core::geometry::Point;

    use super::*;
    use crate::follow::CropKind;

    const LANDMARKS: [[f32; 2]; 6] =
        [[-0.11, -0.1], [0.1, -0.08], [0.02, 0.02], [0.0, 0.15], [-0.22, -0.04], [0.24, -0.05]];

    fn target(kind: CropKind) -> FollowTarget {
        FollowTarget { kind, landmarks: LANDMARKS, side: 0.55 }
    }

    fn answers(rows: &[(f32, [[f32; 2]; 6])], device: &Device) -> Tensor<2> {
        let numbers: Vec<f32> = rows
            .iter()
            .flat_map(|(logit, landmarks)| std::iter::once(*logit).chain(landmarks.as_flattened().iter().copied()))
            .collect();
        table(numbers, 13, device)
    }

    #[test]
    fn a_face_is_what_the_app_makes_of_the_landmarks() {
        let device = Device::flex();
        let face = ReadFace::of(&answers(&[(0.0, LANDMARKS)], &device).narrow(1, 1, 12));
        let numbers = |tensor: Tensor<2>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        let points = LANDMARKS.map(|[x, y]| Point { x, y });
        let (rect, roll) = (box_from_landmarks(&points), roll_from_landmarks(&points).unwrap().to_radians());
        let (middle, side, direction) = (numbers(face.middle), numbers(face.log_side), numbers(face.direction));
        assert!((middle[0] - rect.center().x).abs() < 1e-4 && (middle[1] - rect.center().y).abs() < 1e-4);
        assert!((side[0].exp() - rect.width).abs() < 1e-4);
        assert!((direction[0] - roll.cos()).abs() < 1e-4 && (direction[1] - roll.sin()).abs() < 1e-4);
    }

    #[test]
    fn a_right_answer_costs_nothing_but_doubt_and_a_wrong_one_more_the_farther_it_is() {
        let (device, loss) = (Device::flex(), FollowLoss::default());
        let cost = |logit: f32, shift: f32, kind| {
            let landmarks = LANDMARKS.map(|[x, y]| [x + shift, y]);
            loss.of(&answers(&[(logit, landmarks)], &device), &[target(kind)]).into_scalar::<f32>()
        };
        assert!(cost(12.0, 0.0, CropKind::Present) < 1e-4);
        assert!((cost(0.0, 0.0, CropKind::Present) - 2.0_f32.ln()).abs() < 1e-4);
        let costs = [0.0, 0.01, 0.05, 0.2].map(|shift| cost(12.0, shift, CropKind::Present));
        assert!(costs.windows(2).all(|pair| pair[0] < pair[1]), "{costs:?}");
        // 0.2 of a crop is 0.364 of a face: half the landmarks' numbers are off by so much less half of 0.04.
        let expected = (4.0 + 8.0) * 0.5 * (0.2 / 0.55 - 0.02);
        assert!((costs[3] - expected).abs() < 1e-3, "{} instead of {expected}", costs[3]);
        // Where no face is, only the chance counts.
        assert_eq!(cost(-12.0, 0.0, CropKind::Plain), cost(-12.0, 0.3, CropKind::Plain));
        assert!(cost(-12.0, 0.0, CropKind::Plain) < 1e-4 && cost(5.0, 0.0, CropKind::Plain) > 4.0);
    }

    #[test]
    fn gradients_are_finite_even_where_all_landmarks_are_one_point() {
        let device = Device::flex().autodiff();
        let answers = answers(&[(0.0, [[0.0; 2]; 6]), (90.0, LANDMARKS)], &device).require_grad();
        let loss = FollowLoss::default().of(&answers, &[target(CropKind::Present), target(CropKind::Plain)]);
        let gradients = loss.backward();
        let slopes: Vec<f32> = answers.grad(&gradients).unwrap().into_data().iter::<f32>().collect();
        assert!(slopes.iter().all(|slope| slope.is_finite()), "{slopes:?}");
        assert!(slopes[0] < 0.0 && slopes[13] > 0.0 && slopes[14..].iter().all(|slope| *slope == 0.0), "{slopes:?}");
    }
}
