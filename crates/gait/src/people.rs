//! Where people are: NanoDet-g (RangiLyu, 2020-2021, Apache-2.0), run by tract.
//!
//! For each cell of three grids the network gives a logit of "person" and, for each side of the box, a distribution over the
//! distances 0 to 10 strides whose mean is the distance from the cell's middle (X. Li et al., "Generalized focal loss",
//! NeurIPS 2020, section 3.2).

use std::path::Path;

use facelens_core::detect::letterbox::{Letterbox, Placement};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use facelens_core::model::Net;

use super::GaitError;

/// Side of the network's input, pixels.
const SIDE: u32 = 416;
/// Pixels of the input for one cell of each grid.
const STRIDES: [u32; 3] = [8, 16, 32];
/// Places of a distribution.
const DISTANCES: usize = 11;
/// Numbers a cell.
const CHANNELS: usize = 1 + 4 * DISTANCES;
/// Below this score a find is not looked at. Low, for BlazePose's own score sorts the finds.
const THRESHOLD: f32 = 0.35;
/// Finds whose boxes share more than this (intersection over union) are one person.
const SAME_PERSON_IOU: f32 = 0.5;
/// A find of which this part lies within a better one is a part of that person.
const INSIDE: f32 = 0.85;
/// Most finds that are kept.
const MOST: usize = 64;

/// A person as the detector saw them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Person {
    /// Their box, pixels of the picture.
    pub rect: Rect,
    /// How sure the detector is, 0 to 1.
    pub score: f32,
}

/// Finds people of 40 pixels and more in a picture of 640x480.
pub struct PeopleDetector {
    net: Net,
    letterbox: Letterbox,
    input: Vec<f32>,
}

impl PeopleDetector {
    /// Prepares the network; its weights are built into the program.
    ///
    /// # Errors
    /// Where the network cannot be prepared.
    pub fn new() -> Result<Self, GaitError> {
        let onnx = include_bytes!("../../../models/nanodet-416.onnx");
        let side = SIDE as usize;
        let net = Net::with_input_shape(onnx, &[1, 3, side, side], Path::new("nanodet-416.onnx"))
            .map_err(|error| GaitError::network("people detector", error.cause))?;
        let cells: usize = STRIDES.iter().map(|stride| (SIDE / stride) as usize).map(|n| n * n).sum();
        if net.output_len() != cells * CHANNELS {
            return Err(GaitError::network("people detector", format!("it gives {} numbers", net.output_len())));
        }
        Ok(Self { net, letterbox: Letterbox::new(SIDE), input: Vec::new() })
    }

    /// The people in a picture, best first, without doubles.
    ///
    /// # Errors
    /// Where the network fails.
    pub fn detect(&mut self, frame: &Frame) -> Result<Vec<Person>, GaitError> {
        let failed = |cause: String| GaitError::network("people detector", cause);
        let (tensor, placement) = self.letterbox.fill(frame).map_err(|error| failed(error.to_string()))?;
        normalise(tensor, &mut self.input);
        let output = self.net.run(&self.input).map_err(failed)?;
        let mut people = decode(&output, placement);
        let whole = Rect::new(0.0, 0.0, frame.width() as f32, frame.height() as f32);
        people.retain_mut(|person| match person.rect.intersection(&whole) {
            Some(inside) => {
                person.rect = inside;
                true
            }
            None => false,
        });
        Ok(suppress(people))
    }
}

/// From -1..1 and RGB to what the network was trained with: BGR, less the mean, over the standard deviation of ImageNet's
/// pictures in bytes.
fn normalise(tensor: &[f32], input: &mut Vec<f32>) {
    const MEAN: [f32; 3] = [103.53, 116.28, 123.675];
    const DEVIATION: [f32; 3] = [57.375, 57.12, 58.395];
    input.clear();
    let plane = tensor.len() / 3;
    for (channel, (mean, deviation)) in MEAN.iter().zip(DEVIATION).enumerate() {
        let source = &tensor[(2 - channel) * plane..(3 - channel) * plane];
        input.extend(source.iter().map(|value| ((value + 1.0) * 127.5 - mean) / deviation));
    }
}

/// The finds over [`THRESHOLD`] in pixels of the frame.
fn decode(output: &[f32], placement: Placement) -> Vec<Person> {
    // The logit of the threshold: most cells need no exponential.
    let least = (THRESHOLD / (1.0 - THRESHOLD)).ln();
    let mut people = Vec::new();
    let mut rest = output;
    for stride in STRIDES {
        let n = (SIDE / stride) as usize;
        let (grid, after) = rest.split_at(n * n * CHANNELS);
        rest = after;
        for cell in 0..n * n {
            if grid[cell] < least {
                continue;
            }
            let distance = |side: usize| {
                let value = |place: usize| grid[(1 + side * DISTANCES + place) * n * n + cell];
                let largest = (0..DISTANCES).map(value).fold(f32::MIN, f32::max);
                let (mut sum, mut weighted) = (0.0, 0.0);
                for place in 0..DISTANCES {
                    let share = (value(place) - largest).exp();
                    sum += share;
                    weighted += share * place as f32;
                }
                weighted / sum * stride as f32
            };
            let middle = |index: usize| (index as f32 + 0.5) * stride as f32;
            let (x, y) = (middle(cell % n), middle(cell / n));
            let first = placement.to_frame(Point { x: x - distance(0), y: y - distance(1) });
            let last = placement.to_frame(Point { x: x + distance(2), y: y + distance(3) });
            let rect = Rect::new(first.x, first.y, last.x - first.x, last.y - first.y);
            people.push(Person { rect, score: 1.0 / (1.0 + (-grid[cell]).exp()) });
        }
    }
    people
}

/// Keeps the best of those that are one person.
fn suppress(mut people: Vec<Person>) -> Vec<Person> {
    people.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Person> = Vec::new();
    for person in people {
        let double = kept.iter().any(|better| {
            let common = person.rect.intersection(&better.rect).map_or(0.0, |common| common.area());
            person.rect.iou(&better.rect) > SAME_PERSON_IOU || common > INSIDE * person.rect.area()
        });
        if !double && kept.len() < MOST {
            kept.push(person);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_where_the_sides_are() {
        let cells: usize = STRIDES.iter().map(|stride| (SIDE / stride) as usize).map(|n| n * n).sum();
        let mut output = vec![-20.0; cells * CHANNELS];
        // Stride 16, column 3, row 5: sure, and the sides at 1, 2, 3 and 4.5 strides.
        let start = 52 * 52 * CHANNELS;
        let cell = 5 * 26 + 3;
        output[start + cell] = 3.0;
        for (side, places) in [&[1][..], &[2], &[3], &[4, 5]].into_iter().enumerate() {
            for place in places {
                output[start + (1 + side * DISTANCES + place) * 26 * 26 + cell] = 20.0;
            }
        }
        let people = decode(&output, Placement { scale: 2.0, left: 0.0, top: 10.0 });
        let [person] = people[..] else { panic!("{people:?}") };
        // The middle is (56, 88): left 40, top 56, right 104, bottom 160, of which the frame begins at row 10.
        let expected = Rect::new(80.0, 92.0, 128.0, 208.0);
        assert!((person.rect.x - expected.x).abs() < 1e-3 && (person.rect.bottom() - expected.bottom()).abs() < 1e-3);
        assert!((person.rect.width - 128.0).abs() < 1e-3 && (person.rect.height - 208.0).abs() < 1e-3, "{person:?}");
        assert!((person.score - 0.952_574).abs() < 1e-5);
    }

    #[test]
    fn one_person_is_found_once_and_neighbours_stay() {
        let person =
            |x: f32, width: f32, height: f32, score: f32| Person { rect: Rect::new(x, 0.0, width, height), score };
        let kept = suppress(vec![
            person(0.0, 40.0, 100.0, 0.5),
            person(4.0, 40.0, 100.0, 0.9),
            person(10.0, 20.0, 40.0, 0.6),
            person(30.0, 40.0, 100.0, 0.7),
        ]);
        assert_eq!(kept.iter().map(|person| person.score).collect::<Vec<_>>(), [0.9, 0.7]);
    }
}
