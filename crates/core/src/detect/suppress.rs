//! Several candidates for one face become one.

use super::anchors::Candidate;
use crate::geometry::{Point, Rect};

/// Two candidates whose boxes share more than this (intersection over union) are the same face, as in MediaPipe.
const SAME_FACE_IOU: f32 = 0.3;

/// A box of which this part lies within a better one is a double too (a face within a face).
const INSIDE: f32 = 0.7;

/// Weighted non-maximum suppression (BlazeFace paper, section 3.3 "Post-processing"): instead of keeping the best
/// candidate alone, box and keypoints become the mean of all candidates of the same face, weighted by their scores,
/// which jitters less. The face keeps the best score. Best face first.
pub(super) fn blend(candidates: &mut Vec<Candidate>, faces: &mut Vec<Candidate>) {
    faces.clear();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    while let Some(best) = candidates.first().copied() {
        let mut sum = WeightedSum::default();
        // The best one itself is the first to go: its overlap with itself is 1.
        candidates.retain(|candidate| {
            let same = candidate.rect.iou(&best.rect) > SAME_FACE_IOU;
            if same {
                sum.add(candidate);
            }
            !same
        });
        if sum.weight == 0.0 {
            // Cannot happen to boxes with an area; without this a senseless box would keep the loop going.
            candidates.remove(0);
            continue;
        }
        faces.push(sum.mean(best.score));
    }
    drop_doubles(faces, |face| face.rect);
}

/// Drops what overlaps something better; `faces` comes best first.
pub fn drop_doubles<T>(faces: &mut Vec<T>, rect: impl Fn(&T) -> Rect) {
    let mut kept: Vec<Rect> = Vec::with_capacity(faces.len());
    faces.retain(|face| {
        let rect = rect(face);
        let double = kept.iter().any(|better| {
            let common = rect.intersection(better).map_or(0.0, |common| common.area());
            rect.iou(better) > SAME_FACE_IOU || common > INSIDE * rect.area().min(better.area())
        });
        if !double {
            kept.push(rect);
        }
        !double
    });
}

#[derive(Default)]
struct WeightedSum {
    weight: f32,
    /// Left, top, right, bottom.
    edges: [f32; 4],
    keypoints: [Point; 6],
}

impl WeightedSum {
    fn add(&mut self, candidate: &Candidate) {
        let weight = candidate.score;
        self.weight += weight;
        let rect = candidate.rect;
        for (sum, edge) in self.edges.iter_mut().zip([rect.x, rect.y, rect.right(), rect.bottom()]) {
            *sum += weight * edge;
        }
        for (sum, point) in self.keypoints.iter_mut().zip(candidate.keypoints) {
            sum.x += weight * point.x;
            sum.y += weight * point.y;
        }
    }

    fn mean(&self, score: f32) -> Candidate {
        let [left, top, right, bottom] = self.edges.map(|edge| edge / self.weight);
        let keypoints = self.keypoints.map(|sum| Point { x: sum.x / self.weight, y: sum.y / self.weight });
        Candidate { score, rect: Rect::new(left, top, right - left, bottom - top), keypoints }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(score: f32, x: f32, side: f32) -> Candidate {
        Candidate { score, rect: Rect::new(x, 0.0, side, side), keypoints: [Point { x, y: 0.0 }; 6] }
    }

    #[test]
    fn candidates_of_one_face_are_blended_by_their_scores() {
        let mut faces = Vec::new();
        blend(&mut vec![candidate(0.3, 4.0, 20.0), candidate(0.9, 0.0, 20.0), candidate(0.6, 100.0, 20.0)], &mut faces);
        assert_eq!(faces.len(), 2);
        assert_eq!((faces[0].score, faces[1].score), (0.9, 0.6));
        assert!((faces[0].rect.x - 1.0).abs() < 1e-5);
        assert!((faces[0].rect.width - 20.0).abs() < 1e-4);
        assert!((faces[0].keypoints[3].x - 1.0).abs() < 1e-5);
    }

    #[test]
    fn a_box_within_a_better_one_goes_and_neighbours_stay() {
        let mut faces = Vec::new();
        blend(
            &mut vec![candidate(0.9, 0.0, 100.0), candidate(0.8, 30.0, 30.0), candidate(0.7, 95.0, 90.0)],
            &mut faces,
        );
        let kept: Vec<_> = faces.iter().map(|face| face.score).collect();
        assert_eq!(kept, [0.9, 0.7]);
    }

    #[test]
    fn boxes_without_area_do_not_hang() {
        let mut faces = Vec::new();
        blend(&mut vec![candidate(0.9, 0.0, 0.0), candidate(0.8, f32::NAN, 3.0)], &mut faces);
        assert!(faces.is_empty());
        blend(&mut Vec::new(), &mut faces);
        assert!(faces.is_empty());
    }
}
