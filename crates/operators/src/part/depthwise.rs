//! Convolutions of each channel by itself, and poolings: the channels of a place are neighbours, so both take them many at
//! a time, tap by tap.

use super::activation::Activation;
use super::aligned::Aligned;

/// Where the windows of a map lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Windows {
    /// Rows and columns of the map.
    pub size: [usize; 2],
    /// Rows and columns of the result.
    pub results: [usize; 2],
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    pub strides: [usize; 2],
    /// Rows and columns that the first window reaches beyond the map.
    pub before: [usize; 2],
    pub channels: usize,
}

impl Windows {
    /// The taps of the window of this result that lie in the map, along an axis.
    #[inline(always)]
    fn taps(&self, axis: usize, result: usize) -> std::ops::Range<usize> {
        let begin = result * self.strides[axis];
        let first = self.before[axis].saturating_sub(begin);
        let last = (self.size[axis] + self.before[axis]).saturating_sub(begin).min(self.kernel[axis]);
        first..last.max(first)
    }

    /// Row or column of the map under this tap.
    #[inline(always)]
    fn under(&self, axis: usize, result: usize, tap: usize) -> usize {
        (result * self.strides[axis] + tap).saturating_sub(self.before[axis])
    }
}

/// What becomes of the numbers of a window.
#[derive(Debug)]
pub(crate) enum WindowWork {
    /// Their sum, each multiplied by a weight. Weights: for each tap, those of all channels.
    Weigh { weights: Aligned, bias: Aligned },
    /// The largest.
    Max,
    /// Their sum times this.
    Sum(f32),
}

/// Depthwise convolution or pooling, ready to run.
#[derive(Debug)]
pub(crate) struct Depthwise {
    windows: Windows,
    work: WindowWork,
    activation: Activation,
    /// A line of the map beyond its edge.
    zeros: Vec<f32>,
}

impl Depthwise {
    pub fn new(windows: Windows, work: WindowWork, activation: Activation) -> Self {
        Self { windows, work, activation, zeros: vec![0.0; windows.size[1] * windows.channels] }
    }

    pub fn name(&self) -> &'static str {
        match self.work {
            WindowWork::Weigh { .. } => "Depthwise",
            WindowWork::Max => "MaxPool",
            WindowWork::Sum(_) => "SumPool",
        }
    }

    pub fn output_len(&self) -> usize {
        self.windows.results.iter().product::<usize>() * self.windows.channels
    }

    pub fn multiply_adds(&self) -> usize {
        match self.work {
            WindowWork::Weigh { .. } => self.output_len() * self.windows.kernel.iter().product::<usize>(),
            _ => 0,
        }
    }

    pub fn run(&self, arch: pulp::Arch, input: &[f32], output: &mut [f32]) {
        // Others than bounds would take the registers that the weights are in.
        let bounds = self.activation.bounds();
        let (low, high) = bounds.unwrap_or((f32::NEG_INFINITY, f32::INFINITY));
        let run = WindowRun { depthwise: self, input, output: &mut *output, low, high };
        if self.slides() {
            arch.dispatch(Sliding(run));
        } else {
            arch.dispatch(run);
        }
        if bounds.is_none() {
            self.activation.on_numbers(arch, output);
        }
    }

    /// Whether it is a convolution of 3 x 3.
    fn slides(&self) -> bool {
        let windows = self.windows;
        matches!(self.work, WindowWork::Weigh { .. }) && windows.kernel == [3, 3]
    }
}

struct WindowRun<'a> {
    depthwise: &'a Depthwise,
    input: &'a [f32],
    output: &'a mut [f32],
    low: f32,
    high: f32,
}

/// The same for those that slide.
struct Sliding<'a>(WindowRun<'a>);

/// Taps whose weights are kept in registers.
const KEPT: usize = 9;

impl pulp::WithSimd for WindowRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(mut self, simd: S) {
        let Windows { channels, results: [rows, columns], .. } = self.depthwise.windows;
        for row in 0..rows {
            for column in 0..columns {
                if channels < S::F32_LANES {
                    self.place::<S, true>(simd, 0, row, column);
                    continue;
                }
                for first in (0..channels).step_by(S::F32_LANES) {
                    // The last vector ends with the last channel.
                    self.place::<S, false>(simd, first.min(channels - S::F32_LANES), row, column);
                }
            }
        }
    }
}

impl pulp::WithSimd for Sliding<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(mut self, simd: S) {
        let channels = self.0.depthwise.windows.channels;
        for row in 0..self.0.depthwise.windows.results[0] {
            if channels < S::F32_LANES {
                self.0.sliding::<S, true>(simd, row, 0);
                continue;
            }
            for first in (0..channels).step_by(S::F32_LANES) {
                self.0.sliding::<S, false>(simd, row, first.min(channels - S::F32_LANES));
            }
        }
    }
}

impl WindowRun<'_> {
    /// A row of windows of 3 x 3: each column of the map is loaded once and added to the three windows that it is in.
    #[inline(always)]
    fn sliding<S: pulp::Simd, const PART: bool>(&mut self, simd: S, row: usize, channel: usize) {
        let windows = self.depthwise.windows;
        let WindowWork::Weigh { weights, bias } = &self.depthwise.work else { return };
        let channels = windows.channels;
        let (low, high) = (simd.splat_f32s(self.low), simd.splat_f32s(self.high));
        let mut kept = [simd.splat_f32s(0.0); KEPT];
        for (tap, kept) in kept.iter_mut().enumerate() {
            *kept = load::<S, PART>(simd, &weights[tap * channels + channel..], channels);
        }
        let bias = load::<S, PART>(simd, &bias[channel..], channels);
        let wide = windows.size[1] * channels;
        let lines: [&[f32]; 3] = std::array::from_fn(|down| {
            match (row * windows.strides[0] + down)
                .checked_sub(windows.before[0])
                .filter(|&line| line < windows.size[0])
            {
                Some(line) => &self.input[line * wide..(line + 1) * wide],
                None => &self.depthwise.zeros[..wide],
            }
        });
        let columns = windows.results[1];
        let targets = &mut self.output[row * columns * channels..(row + 1) * columns * channels];
        let mut targets = targets.chunks_exact_mut(channels);
        let mut finish = |sum: S::f32s| {
            if let Some(target) = targets.next() {
                let sum = simd.min_f32s(simd.max_f32s(sum, low), high);
                store::<S, PART>(simd, &mut target[channel..], channels, sum);
            }
        };
        // The sums of the windows that have two columns, and one, so far.
        let (mut two, mut one) = (bias, bias);
        // The first window ends with this column, the next ones by steps from there on.
        let mut unfinished = 2 - windows.before[1].min(2);
        let step = windows.strides[1] - 1;
        let [top, middle, bottom] = lines.map(|line| line.chunks_exact(channels));
        for ((top, middle), bottom) in top.zip(middle).zip(bottom) {
            let column = [top, middle, bottom].map(|place| load::<S, PART>(simd, &place[channel..], channels));
            let part = |across: usize| {
                let sum = simd.mul_f32s(kept[across], column[0]);
                let sum = simd.mul_add_e_f32s(kept[3 + across], column[1], sum);
                simd.mul_add_e_f32s(kept[6 + across], column[2], sum)
            };
            let three = simd.add_f32s(two, part(2));
            two = simd.add_f32s(one, part(1));
            one = simd.add_f32s(bias, part(0));
            if unfinished == 0 {
                finish(three);
                unfinished = step;
            } else {
                unfinished -= 1;
            }
        }
        // Windows that reach beyond the last column.
        for three in [two, one] {
            if unfinished == 0 {
                finish(three);
                unfinished = step;
            } else {
                unfinished -= 1;
            }
        }
    }

    /// One place.
    #[inline(always)]
    fn place<S: pulp::Simd, const PART: bool>(&mut self, simd: S, channel: usize, row: usize, column: usize) {
        let Depthwise { windows, work, .. } = self.depthwise;
        let channels = windows.channels;
        let (down, across) = (windows.taps(0, row), windows.taps(1, column));
        let left = windows.under(1, column, across.start);
        // The vectors under the window, line by line.
        let line = |tap: usize| {
            let first = (windows.under(0, row, tap) * windows.size[1] + left) * channels;
            self.input.get(first..).unwrap_or_default().chunks_exact(channels).take(across.len())
        };
        let vector = |numbers: &[f32]| load::<S, PART>(simd, &numbers[channel..], channels);
        let sum = match work {
            WindowWork::Weigh { weights, bias } => {
                let mut sum = load::<S, PART>(simd, &bias[channel..], channels);
                for tap in down {
                    let weights = &weights[(tap * windows.kernel[1] + across.start) * channels..];
                    for (numbers, weights) in line(tap).zip(weights.chunks_exact(channels)) {
                        sum = simd.mul_add_e_f32s(vector(weights), vector(numbers), sum);
                    }
                }
                sum
            }
            WindowWork::Max => {
                let mut most = simd.splat_f32s(f32::NEG_INFINITY);
                for tap in down {
                    for numbers in line(tap) {
                        most = simd.max_f32s(most, vector(numbers));
                    }
                }
                most
            }
            WindowWork::Sum(factor) => {
                let mut sum = simd.splat_f32s(0.0);
                for tap in down {
                    for numbers in line(tap) {
                        sum = simd.add_f32s(sum, vector(numbers));
                    }
                }
                simd.mul_f32s(sum, simd.splat_f32s(*factor))
            }
        };
        let sum = simd.min_f32s(simd.max_f32s(sum, simd.splat_f32s(self.low)), simd.splat_f32s(self.high));
        let target = &mut self.output[(row * windows.results[1] + column) * channels + channel..];
        store::<S, PART>(simd, target, channels, sum);
    }
}

#[inline(always)]
fn load<S: pulp::Simd, const PART: bool>(simd: S, numbers: &[f32], channels: usize) -> S::f32s {
    if PART {
        return simd.partial_load_f32s(&numbers[..channels]);
    }
    match S::as_simd_f32s(&numbers[..S::F32_LANES]).0 {
        [first, ..] => *first,
        [] => simd.splat_f32s(0.0),
    }
}

#[inline(always)]
fn store<S: pulp::Simd, const PART: bool>(simd: S, target: &mut [f32], channels: usize, sum: S::f32s) {
    if PART {
        simd.partial_store_f32s(&mut target[..channels], sum);
    } else if let [first, ..] = S::as_mut_simd_f32s(&mut target[..S::F32_LANES]).0 {
        *first = sum;
    }
}
