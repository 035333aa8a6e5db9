//! Convolutions over all channels, together with what follows them: an addition, an activation, a pooling.
//!
//! The channels of a place are neighbours, so the window of a place is one run of numbers for each row of the kernel. The
//! output channels lie along the vectors: each number of a window is multiplied by vectors of weights, and every vector
//! is used for several places at once. Which places is told by a table of where their windows begin, so that strides,
//! poolings and cut edges cost nothing.

use super::activation::Activation;
use super::aligned::Aligned;
use crate::vectors::Registers;

mod kernel;

use kernel::{Kept, Share};

/// A convolution, ready to run.
#[derive(Debug)]
pub(crate) struct Conv {
    /// Where the windows begin; the places that are folded into one are neighbours. Filled up to whole tiles.
    starts: Vec<u32>,
    /// Places of the result.
    results: usize,
    /// Channels of the result.
    channels: usize,
    /// Rows of the kernel.
    rows: usize,
    /// Numbers from one row of a window to the next.
    row_step: usize,
    /// Numbers of a row of the kernel.
    length: usize,
    /// For each group of vectors: rows x length x vectors.
    weights: Aligned,
    bias: Aligned,
    groups: Vec<ChannelGroup>,
    /// Places whose sums are in registers together.
    tile: usize,
    /// Places that are whole tiles, and whole results.
    run: usize,
    fold: Fold,
    /// What the numbers are kept between before the folding, and after it.
    before: (f32, f32),
    after: (f32, f32),
    /// What is done to the result.
    last: Activation,
    /// Whether the weights are more than the numbers that they are multiplied with.
    weights_are_more: bool,
}

/// Vectors of output channels that are computed together.
#[derive(Clone, Copy, Debug)]
struct ChannelGroup {
    vectors: usize,
    /// The first of them.
    first: usize,
}

/// How the places of a block become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fold {
    None,
    Max(usize),
    /// The number of places, and what their sum is multiplied by.
    Sum(usize, f32),
}

impl Fold {
    /// How many places become one.
    pub fn places(self) -> usize {
        match self {
            Self::None => 1,
            Self::Max(places) | Self::Sum(places, _) => places,
        }
    }
}

/// What a convolution is made of.
pub(crate) struct Parts<'a> {
    pub starts: Vec<u32>,
    pub rows: usize,
    pub row_step: usize,
    pub length: usize,
    /// The weight of an output channel at a number of a row of the window.
    pub weight: &'a dyn Fn(usize, usize, usize) -> f32,
    pub bias: Vec<f32>,
    pub fold: Fold,
    pub before: Activation,
    pub after: Activation,
}

/// How many runs of places are computed for one group of channels after the other.
const RUNS: usize = 32;
/// How many vectors of output channels are computed together at most.
const MOST_VECTORS: usize = 3;

impl Conv {
    /// Whether blocks of so many places can be folded while they are in registers.
    pub fn folds(places: usize) -> bool {
        places == 4 || (places > 0 && places.is_multiple_of(8))
    }

    /// Puts the weights in the order in which they are used.
    pub fn new(registers: Registers, parts: Parts<'_>) -> Self {
        let Parts { mut starts, rows, row_step, length, weight, bias, fold, before, after } = parts;
        let channels = bias.len();
        let lanes = registers.lanes;
        let vectors = channels.div_ceil(lanes);
        let most = if registers.many { MOST_VECTORS } else { 2 };
        let mut groups = Vec::new();
        let mut first = 0;
        while first < vectors {
            // Two twos instead of a three and a one.
            let left = vectors - first;
            let together = if left == 4 || left == 2 { 2 } else { left.min(most) };
            groups.push(ChannelGroup { vectors: together, first });
            first += together;
        }
        let most = groups.iter().map(|group| group.vectors).max().unwrap_or(1);
        let places = fold.places();
        // As many sums as there are registers, less those of the weights and a number.
        let tile = match (registers.many, most, places) {
            (true, 1 | 2, 1) | (_, 1, 1 | 4) => 12,
            (true, ..) | (false, 1, _) => 8,
            (false, _, 1 | 4 | 8 | 16) => 6,
            (false, ..) => 4,
        };
        let run = if places.is_multiple_of(tile) {
            places
        } else {
            tile * (1..=places).find(|n| (n * tile).is_multiple_of(places)).unwrap_or(1)
        };
        let results = starts.len() / fold.places();
        // Others than bounds would take the registers that the sums are in, and are left for the end.
        let end = if fold == Fold::None { before } else { after };
        let last = if end.bounds().is_some() { Activation::None } else { end };
        let bounds = |activation: Activation| activation.bounds().unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        let (before, after) = (bounds(before), bounds(end));
        let weights_are_more = rows * length * channels > starts.len() * length / rows.max(1);
        if let Some(&last) = starts.last() {
            starts.resize(starts.len().next_multiple_of(run), last);
        }
        let at = |vector: usize, lane: usize| kernel::first_channel(vector, lanes, channels) + lane;
        let mut packed = Vec::with_capacity(vectors * lanes * rows * length);
        let mut packed_bias = Vec::with_capacity(vectors * lanes);
        for group in &groups {
            for row in 0..rows {
                for number in 0..length {
                    for vector in group.first..group.first + group.vectors {
                        packed.extend((0..lanes).map(|lane| match at(vector, lane) {
                            channel if channel < channels => weight(channel, row, number),
                            _ => 0.0,
                        }));
                    }
                }
            }
            for vector in group.first..group.first + group.vectors {
                packed_bias.extend((0..lanes).map(|lane| bias.get(at(vector, lane)).copied().unwrap_or(0.0)));
            }
        }
        Self {
            starts,
            results,
            channels,
            rows,
            row_step,
            length,
            weights: Aligned::of(&packed),
            bias: Aligned::of(&packed_bias),
            groups,
            tile,
            run,
            fold,
            before,
            after,
            last,
            weights_are_more,
        }
    }

    /// Numbers of the result.
    pub fn output_len(&self) -> usize {
        self.results * self.channels
    }

    /// Multiplications with an addition that the result needs.
    pub fn multiply_adds(&self) -> usize {
        self.output_len() * self.fold.places() * self.rows * self.length
    }

    /// Runs it; `added` is added to the sums, place by place, before the activation.
    pub fn run(&self, arch: pulp::Arch, input: &[f32], added: Option<&[f32]>, output: &mut [f32]) {
        let mut kept = Kept::new();
        // Each group's weights are gone through once if they are many, else the input is.
        let together = if self.weights_are_more { self.starts.len().max(1) } else { self.run * RUNS };
        for first in (0..self.starts.len()).step_by(together) {
            let places = first..(first + together).min(self.starts.len());
            for &ChannelGroup { vectors, first: vector } in &self.groups {
                let output = &mut *output;
                let (places, kept) = (places.clone(), &mut kept);
                let share = Share { conv: self, input, added, output, vector, places, kept };
                // Functions of their own, which the compiler has registers enough for.
                match (vectors, self.tile, self.length) {
                    (1, 12, 9) => share.run::<1, 12, 9>(arch),
                    (1, 12, _) => share.run::<1, 12, 0>(arch),
                    (1, 8, 9) => share.run::<1, 8, 9>(arch),
                    (1, 8, _) => share.run::<1, 8, 0>(arch),
                    (1, 6, 9) => share.run::<1, 6, 9>(arch),
                    (1, 6, _) => share.run::<1, 6, 0>(arch),
                    (1, 4, _) => share.run::<1, 4, 0>(arch),
                    (2, 12, 9) => share.run::<2, 12, 9>(arch),
                    (2, 12, 15) => share.run::<2, 12, 15>(arch),
                    (2, 12, _) => share.run::<2, 12, 0>(arch),
                    (2, 8, 9) => share.run::<2, 8, 9>(arch),
                    (2, 8, _) => share.run::<2, 8, 0>(arch),
                    (2, 6, 9) => share.run::<2, 6, 9>(arch),
                    (2, 6, 15) => share.run::<2, 6, 15>(arch),
                    (2, 6, _) => share.run::<2, 6, 0>(arch),
                    (2, 4, _) => share.run::<2, 4, 0>(arch),
                    (3, 8, _) => share.run::<3, 8, 0>(arch),
                    (vectors, tile, _) => debug_assert!(false, "no kernel of {vectors} vectors at {tile} places"),
                }
            }
        }
        self.last.on_numbers(arch, output);
    }
}
