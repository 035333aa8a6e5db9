//! How far answers are from the truth.

use std::fmt;

use facelens_core::detect::{box_from_landmarks, roll_from_landmarks};
use facelens_core::geometry::Point;
use serde::{Deserialize, Serialize};

use super::sample::FollowTarget;
use crate::train::history::EpochFigures;

/// From this chance on a crop counts as one with a face.
const CHANCE: f32 = 0.5;

/// Figures of a set of crops.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowFigures {
    /// Crops with a face.
    pub faces: usize,
    /// Distance of the box's middle, in sides of the face: median and 95th percentile.
    pub place: [f32; 2],
    /// Ratio of the box's side, its natural logarithm: mean and root mean square.
    pub size: [f32; 2],
    /// Tilt, degrees: root mean square.
    pub tilt: f32,
    /// Share of the faces that are missed, and of the other crops that are taken for one.
    pub missed: f32,
    /// Of the others.
    pub wrong: f32,
}

impl EpochFigures for FollowFigures {
    fn cells(&self) -> Vec<(&'static str, f64)> {
        let cell = |name, value: f32| (name, f64::from(value));
        vec![
            cell("place_median", self.place[0]),
            cell("place_p95", self.place[1]),
            cell("size_mean", self.size[0]),
            cell("size_rms", self.size[1]),
            cell("tilt_rms", self.tilt),
            cell("missed", self.missed),
            cell("wrong", self.wrong),
        ]
    }
}

impl fmt::Display for FollowFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "middle {:.3} (95 %: {:.3}) sides, size {:+.3} ± {:.3}, tilt {:.1} degrees, missed {:.1} %, wrong {:.1} %",
            self.place[0],
            self.place[1],
            self.size[0],
            self.size[1],
            self.tilt,
            100.0 * self.missed,
            100.0 * self.wrong
        )
    }
}

/// Compares answers (13 numbers each) with the truth.
pub fn figures(answers: &[Vec<f32>], targets: &[FollowTarget]) -> FollowFigures {
    let (mut places, mut sizes, mut tilts) = (Vec::new(), Vec::new(), Vec::new());
    let (mut missed, mut wrong, mut others) = (0, 0, 0);
    for (answer, target) in answers.iter().zip(targets) {
        let seen = 1.0 / (1.0 + (-answer[0]).exp()) >= CHANCE;
        if !target.is_present() {
            others += 1;
            wrong += usize::from(seen);
            continue;
        }
        missed += usize::from(!seen);
        let ours: [Point; 6] =
            std::array::from_fn(|index| Point { x: answer[1 + 2 * index], y: answer[2 + 2 * index] });
        let theirs = target.landmarks.map(|[x, y]| Point { x, y });
        let (a, b) = (box_from_landmarks(&ours), box_from_landmarks(&theirs));
        places.push((a.center().x - b.center().x).hypot(a.center().y - b.center().y) / b.width);
        sizes.push((a.width.max(1e-6) / b.width).ln());
        let roll = |points: &[Point; 6]| roll_from_landmarks(points).unwrap_or_default();
        tilts.push((roll(&ours) - roll(&theirs) + 180.0).rem_euclid(360.0) - 180.0);
    }
    places.sort_by(f32::total_cmp);
    let quantile = |share: f32| {
        let place = (share * places.len() as f32) as usize;
        places.get(place.min(places.len().saturating_sub(1))).copied().unwrap_or_default()
    };
    let faces = places.len();
    let mean = |numbers: &[f32]| numbers.iter().sum::<f32>() / numbers.len().max(1) as f32;
    let rms = |numbers: &[f32]| mean(&numbers.iter().map(|x| x * x).collect::<Vec<_>>()).sqrt();
    FollowFigures {
        faces,
        place: [quantile(0.5), quantile(0.95)],
        size: [mean(&sizes), rms(&sizes)],
        tilt: rms(&tilts),
        missed: missed as f32 / faces.max(1) as f32,
        wrong: wrong as f32 / others.max(1) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::CropKind;

    #[test]
    fn they_are_what_one_reckons_by_hand() {
        let landmarks = [[-0.1, -0.1], [0.1, -0.1], [0.0, 0.0], [0.0, 0.1], [-0.2, -0.05], [0.2, -0.05]];
        let side = box_from_landmarks(&landmarks.map(|[x, y]| Point { x, y })).width;
        let target = |kind| FollowTarget { kind, landmarks, side };
        let answer = |logit: f32, shift: f32, scale: f32| {
            let numbers = landmarks.iter().flat_map(|[x, y]| [x * scale + shift * side, y * scale]);
            std::iter::once(logit).chain(numbers).collect::<Vec<f32>>()
        };
        let answers = [answer(3.0, 0.1, 1.0), answer(-1.0, 0.0, 1.0), answer(2.0, 0.0, 1.0), answer(-2.0, 9.0, 5.0)];
        let kinds = [CropKind::Present, CropKind::Present, CropKind::Covered, CropKind::Plain];
        let found = figures(&answers, &kinds.map(target));
        assert_eq!((found.faces, found.missed, found.wrong), (2, 0.5, 0.5));
        assert!((found.place[0] - 0.1).abs() < 1e-4 && (found.place[1] - 0.1).abs() < 1e-4, "{found:?}");
        assert!(found.size[1].abs() < 1e-4 && found.tilt < 1e-3);
        let larger = figures(&[answer(3.0, 0.0, 1.2)], &[target(CropKind::Present)]);
        assert!((larger.size[0] - 1.2_f32.ln()).abs() < 1e-4);
    }
}
