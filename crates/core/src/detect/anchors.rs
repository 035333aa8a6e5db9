//! Decodes what a BlazeFace network gives: 896 anchors, each with a logit, a box and six keypoints.
//!
//! Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", CVPR Workshop 2019; numbers and
//! order as in MediaPipe's `SsdAnchorsCalculator` and `TensorsToDetectionsCalculator` (fixed anchor size, offsets in
//! pixels of the network's input).

use crate::geometry::{Point, Rect};

/// Anchors a cell, of both output layers.
const PER_CELL: [usize; 2] = [2, 6];

/// Numbers an anchor: centre, size, and six keypoints of two each.
const NUMBERS: usize = 16;

/// Length of the output with so many anchors, all four tensors one behind the other.
pub(super) const fn output_len(anchors: usize) -> usize {
    anchors * (1 + NUMBERS)
}

/// A face in pixels of the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// 0 to 1.
    pub(super) score: f32,
    /// The network's own box.
    pub(super) rect: Rect,
    /// Eyes, nose tip, mouth, ears; of the pairs the picture's left one first.
    pub(super) keypoints: [Point; 6],
}

/// The middles of all anchors in pixels of a `side` x `side` input; `strides` are the cells' sides in both output layers,
/// pixels.
pub(super) fn anchors(side: u32, strides: [u32; 2]) -> Vec<Point> {
    let mut anchors = Vec::new();
    for (stride, per_cell) in strides.into_iter().zip(PER_CELL) {
        let middle = |cell: u32| (cell as f32 + 0.5) * stride as f32;
        for row in 0..side / stride {
            for column in 0..side / stride {
                let anchor = Point { x: middle(column), y: middle(row) };
                anchors.extend(std::iter::repeat_n(anchor, per_cell));
            }
        }
    }
    anchors
}

/// All candidates with at least `threshold`, in the anchors' order. `output` has [`output_len`] numbers: the
/// logits of both layers, then the numbers of both layers.
pub(super) fn decode(output: &[f32], anchors: &[Point], threshold: f32, candidates: &mut Vec<Candidate>) {
    candidates.clear();
    let (logits, numbers) = output.split_at(anchors.len().min(output.len()));
    for ((logit, anchor), numbers) in logits.iter().zip(anchors).zip(numbers.chunks_exact(NUMBERS)) {
        let score = sigmoid(*logit);
        if score < threshold {
            continue;
        }
        let point = |index: usize| Point { x: anchor.x + numbers[2 * index], y: anchor.y + numbers[2 * index + 1] };
        let (center, width, height) = (point(0), numbers[2], numbers[3]);
        if width > 0.0 && height > 0.0 {
            candidates.push(Candidate {
                score,
                rect: Rect::new(center.x - width / 2.0, center.y - height / 2.0, width, height),
                keypoints: std::array::from_fn(|index| point(2 + index)),
            });
        }
    }
}

/// MediaPipe clips the logit to 100 in absolute value before this; f32 needs no such care, as e^88 is still finite and
/// 1 / infinity is 0.
fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_896_anchors_in_the_order_of_the_outputs() {
        let anchors = anchors(128, [8, 16]);
        assert_eq!(anchors.len(), 896);
        assert_eq!(anchors[0], Point { x: 4.0, y: 4.0 });
        assert_eq!(anchors[1], anchors[0]);
        assert_eq!(anchors[2], Point { x: 12.0, y: 4.0 });
        assert_eq!(anchors[512], Point { x: 8.0, y: 8.0 });
        assert_eq!(anchors[895], Point { x: 120.0, y: 120.0 });
        assert_eq!(super::anchors(256, [16, 32])[512], Point { x: 16.0, y: 16.0 });
    }

    #[test]
    fn one_sure_anchor_becomes_one_candidate() {
        let anchors = anchors(256, [16, 32]);
        let mut output = vec![-20.0; 896];
        output.extend(std::iter::repeat_n(0.0, 896 * NUMBERS));
        output[600] = 2.0;
        let numbers = &mut output[896 + 600 * NUMBERS..][..NUMBERS];
        numbers[..6].copy_from_slice(&[3.0, -2.0, 40.0, 30.0, -10.0, -5.0]);
        let mut candidates = Vec::new();
        decode(&output, &anchors, 0.5, &mut candidates);
        let anchor = anchors[600];
        assert_eq!(candidates.len(), 1);
        assert!((candidates[0].score - 0.880_797).abs() < 1e-5);
        assert_eq!(candidates[0].rect, Rect::new(anchor.x + 3.0 - 20.0, anchor.y - 2.0 - 15.0, 40.0, 30.0));
        assert_eq!(candidates[0].keypoints[0], Point { x: anchor.x - 10.0, y: anchor.y - 5.0 });
        assert_eq!(candidates[0].keypoints[5], anchor);
    }

    #[test]
    fn a_short_or_senseless_output_gives_nothing() {
        let mut candidates = Vec::new();
        decode(&[9.0; 10], &anchors(128, [8, 16]), 0.5, &mut candidates);
        assert!(candidates.is_empty());
        let mut output = vec![9.0; 896];
        output.extend(std::iter::repeat_n(-1.0, 896 * NUMBERS));
        decode(&output, &anchors(128, [8, 16]), 0.5, &mut candidates);
        assert!(candidates.is_empty(), "boxes of negative size");
    }
}
