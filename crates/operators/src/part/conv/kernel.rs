//! The loops of a convolution.
//!
//! How they are written decides whether the compiler keeps the sums in registers, which is all that matters for their
//! speed: no check of an index and no loop over sums may be left inside. `facelens bench --parts layers` tells: a
//! convolution whose sums are in memory takes two to three times as long.

#![allow(clippy::needless_range_loop, reason = "loops of known length over several arrays, which are no loops then")]

use super::{Conv, Fold};

/// The channel that a vector begins with: the last vector ends with the last channel, and so overlaps the one before it
/// instead of reaching beyond.
#[inline(always)]
pub(super) fn first_channel(vector: usize, lanes: usize, channels: usize) -> usize {
    (vector * lanes).min(channels.saturating_sub(lanes))
}

/// Slices gone through side by side: with one length for all, no number needs a check, and the sums stay in registers.
macro_rules! side_by_side {
    ($one:expr) => { $one.iter() };
    ($one:expr, $($others:expr),+) => { $one.iter().zip(side_by_side!($($others),+)) };
}

/// The pattern of what [`side_by_side`] gives.
macro_rules! beside {
    ($one:pat) => { $one };
    ($one:pat, $($others:pat),+) => { ($one, beside!($($others),+)) };
}

/// Adds the products of all numbers of a row of the windows.
macro_rules! multiply {
    ($simd:ident, $sums:ident, $weights:ident, $windows:ident, $($number:ident $place:literal),+) => {
        for beside!(weights, $($number),+) in side_by_side!($weights, $($windows[const { least($place, P) }]),+) {
            $(
                let number = $simd.splat_f32s(*$number);
                let sums = &mut $sums[const { least($place, P) }];
                for vector in 0..V {
                    sums[vector] = $simd.mul_add_e_f32s(weights[vector], number, sums[vector]);
                }
            )+
        }
    };
}

/// Copies the sums of each place.
macro_rules! keep_each {
    ($places:ident, $kept:ident, $sums:ident, $($place:literal),+) => {
        $(if $place < $places {
            $kept[const { least($place, P) }] = $sums[const { least($place, P) }];
        })+
    };
}

/// The place, where there are so many: what is beyond is never reached.
const fn least(place: usize, places: usize) -> usize {
    if place < places { place } else { 0 }
}

/// Some of the places, and some of the channels.
pub(super) struct Share<'a> {
    pub conv: &'a Conv,
    pub input: &'a [f32],
    pub added: Option<&'a [f32]>,
    pub output: &'a mut [f32],
    /// The first vector of channels.
    pub vector: usize,
    pub places: std::ops::Range<usize>,
    pub kept: &'a mut Kept,
}

/// Sums on their way from the registers to the result: of 48 places, two vectors each, which are more than with the
/// widest vectors.
#[repr(align(64))]
pub(super) struct Kept([f32; 48 * 2 * 8]);

impl Kept {
    pub(super) fn new() -> Self {
        Self([0.0; _])
    }
}

/// The same with `V` vectors of channels, `P` places at a time, and `L` numbers in a row of a window, if that is not zero.
struct Kernel<'a, const V: usize, const P: usize, const L: usize>(Share<'a>);

impl Share<'_> {
    pub fn run<const V: usize, const P: usize, const L: usize>(self, arch: pulp::Arch) {
        arch.dispatch(Kernel::<V, P, L>(self));
    }
}

impl<const V: usize, const P: usize, const L: usize> pulp::WithSimd for Kernel<'_, V, P, L> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(mut self, simd: S) {
        // What does not fit is never asked for, and need not be compiled.
        if V * P + V < S::REGISTER_COUNT {
            for first in self.0.places.clone().step_by(self.0.conv.run) {
                self.0.whole_run::<S, V, P, L>(simd, first);
            }
        }
    }
}

impl Share<'_> {
    /// A run of places, `V` vectors of channels each.
    #[inline(always)]
    fn whole_run<S: pulp::Simd, const V: usize, const P: usize, const L: usize>(&mut self, simd: S, first: usize) {
        let (places, run) = (self.conv.fold.places(), self.conv.run);
        if places == 1 {
            self.sums::<S, V, P, L>(simd, first, 0);
            self.store::<S, V>(simd, first, P);
            return;
        }
        let nothing = if matches!(self.conv.fold, Fold::Max(_)) { f32::NEG_INFINITY } else { 0.0 };
        let nothing = [simd.splat_f32s(nothing); V];
        if run == places {
            let mut folded = nothing;
            for part in (0..run).step_by(P) {
                self.sums::<S, V, P, L>(simd, first + part, 0);
                folded = self.folded(simd, 0..P, folded);
            }
            self.keep::<S, V, 1>(&[folded], 0);
        } else {
            for part in (0..run).step_by(P) {
                self.sums::<S, V, P, L>(simd, first + part, part);
            }
            for block in 0..run / places {
                let folded = self.folded(simd, block * places..(block + 1) * places, nothing);
                self.keep::<S, V, 1>(&[folded], block);
            }
        }
        self.store::<S, V>(simd, first / places, run / places);
    }

    /// Folds some of the places whose sums are kept.
    #[inline(always)]
    fn folded<S: pulp::Simd, const V: usize>(
        &self,
        simd: S,
        places: std::ops::Range<usize>,
        mut folded: [S::f32s; V],
    ) -> [S::f32s; V] {
        let (low, high) = (simd.splat_f32s(self.conv.before.0), simd.splat_f32s(self.conv.before.1));
        let (kept, _) = S::as_simd_f32s(&self.kept.0);
        let Some(kept) = kept.as_chunks::<V>().0.get(places) else { return folded };
        let max = matches!(self.conv.fold, Fold::Max(_));
        for sums in kept {
            for v in 0..V {
                let sum = simd.min_f32s(simd.max_f32s(sums[v], low), high);
                folded[v] = if max { simd.max_f32s(folded[v], sum) } else { simd.add_f32s(folded[v], sum) };
            }
        }
        folded
    }

    /// Puts the sums where [`Share::store`] takes them.
    #[inline(always)]
    fn keep<S: pulp::Simd, const V: usize, const P: usize>(&mut self, sums: &[[S::f32s; V]; P], at: usize) {
        let (kept, _) = S::as_mut_simd_f32s(&mut self.kept.0[at * V * S::F32_LANES..]);
        let Some(kept) = kept.as_chunks_mut::<V>().0.first_chunk_mut::<P>() else { return };
        // By numbers that are known, not by a loop: what is read in a loop is kept in memory from the beginning.
        keep_each!(P, kept, sums, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    }

    /// Makes the sums of the windows of `P` places and keeps them from this place on.
    #[inline(always)]
    fn sums<S: pulp::Simd, const V: usize, const P: usize, const L: usize>(
        &mut self,
        simd: S,
        first: usize,
        at: usize,
    ) {
        let (conv, vector) = (self.conv, self.vector);
        let (bias, _) = S::as_simd_f32s(&conv.bias[vector * S::F32_LANES..]);
        let mut sums = [[simd.splat_f32s(0.0); V]; P];
        for sums in &mut sums {
            for (sum, bias) in sums.iter_mut().zip(bias) {
                *sum = *bias;
            }
        }
        let length = conv.length;
        let (weights, _) = S::as_simd_f32s(&conv.weights[vector * S::F32_LANES * conv.rows * length..]);
        let (weights, _) = weights.as_chunks::<V>();
        let starts = &conv.starts[first..first + P];
        let mut windows: [&[f32]; P] = [&[]; P];
        for row in 0..conv.rows {
            let weights = &weights[row * length..][..length];
            if L > 0 {
                // The rows of pictures are short; with their length known, there is no loop over them.
                add_short::<S, V, P, L>(simd, &mut sums, weights, &self.input[row * conv.row_step..], starts);
                continue;
            }
            fill(&mut windows, &self.input[row * conv.row_step..], starts, length);
            match P {
                4 => multiply!(simd, sums, weights, windows, a 0, b 1, c 2, d 3),
                6 => multiply!(simd, sums, weights, windows, a 0, b 1, c 2, d 3, e 4, f 5),
                8 => multiply!(simd, sums, weights, windows, a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7),
                12 => multiply!(
                    simd, sums, weights, windows, a 0, b 1, c 2, d 3, e 4, f 5, g 6, h 7, i 8, j 9, k 10, l 11
                ),
                _ => {}
            }
        }
        self.keep::<S, V, P>(&sums, at);
    }

    /// Takes the sums of so many places from where they are kept to the result.
    #[inline(always)]
    fn store<S: pulp::Simd, const V: usize>(&mut self, simd: S, first: usize, count: usize) {
        let (vector, &Conv { channels, results, after, fold, .. }) = (self.vector, self.conv);
        let (low, high) = (simd.splat_f32s(after.0), simd.splat_f32s(after.1));
        let factor = simd.splat_f32s(if let Fold::Sum(_, factor) = fold { factor } else { 1.0 });
        // Places that fill up the last tile are left out.
        let all = first.min(results) * channels..(first + count).min(results) * channels;
        let (kept, _) = S::as_simd_f32s(&self.kept.0);
        let targets = self.output[all.clone()].chunks_exact_mut(channels).zip(kept.as_chunks::<V>().0);
        let mut from = [0; V];
        for (v, from) in from.iter_mut().enumerate() {
            *from = first_channel(vector + v, S::F32_LANES, channels);
        }
        if let Some(added) = self.added {
            for ((target, sums), added) in targets.zip(added[all].chunks_exact(channels)) {
                for v in 0..V {
                    let sum = simd.add_f32s(sums[v], load(simd, &added[from[v]..]));
                    put(simd, &mut target[from[v]..], simd.min_f32s(simd.max_f32s(sum, low), high));
                }
            }
        } else {
            for (target, sums) in targets {
                for v in 0..V {
                    let sum = simd.mul_f32s(sums[v], factor);
                    put(simd, &mut target[from[v]..], simd.min_f32s(simd.max_f32s(sum, low), high));
                }
            }
        }
    }
}

/// Finds a row of the window of each place. Not part of the loops around it: with its checks in them, the compiler keeps
/// the sums in memory.
#[inline(never)]
fn fill<'a>(windows: &mut [&'a [f32]], input: &'a [f32], starts: &[u32], length: usize) {
    for (window, start) in windows.iter_mut().zip(starts) {
        *window = &input[*start as usize..][..length];
    }
}

/// Adds the products of a row of the windows that has `L` numbers.
#[inline(always)]
fn add_short<S: pulp::Simd, const V: usize, const P: usize, const L: usize>(
    simd: S,
    sums: &mut [[S::f32s; V]; P],
    weights: &[[S::f32s; V]],
    input: &[f32],
    starts: &[u32],
) {
    let Some(weights) = weights.first_chunk::<L>() else { return };
    let mut windows = [&[0.0; L]; P];
    for (p, own) in windows.iter_mut().enumerate() {
        let Some(window) = input[starts[p] as usize..].first_chunk::<L>() else { return };
        *own = window;
    }
    if V == 1 && P + L < S::REGISTER_COUNT {
        // The weights stay in registers, too, and there is one address at a time.
        for p in 0..P {
            for at in 0..L {
                sums[p][0] = simd.mul_add_e_f32s(weights[at][0], simd.splat_f32s(windows[p][at]), sums[p][0]);
            }
        }
        return;
    }
    for at in 0..L {
        for p in 0..P {
            let number = simd.splat_f32s(windows[p][at]);
            for v in 0..V {
                sums[p][v] = simd.mul_add_e_f32s(weights[at][v], number, sums[p][v]);
            }
        }
    }
}

/// A vector of these numbers; zeros beyond the last.
#[inline(always)]
fn load<S: pulp::Simd>(simd: S, numbers: &[f32]) -> S::f32s {
    match S::as_simd_f32s(numbers).0 {
        [first, ..] => *first,
        [] => simd.partial_load_f32s(numbers),
    }
}

/// Puts as much of a vector there as there is room.
#[inline(always)]
fn put<S: pulp::Simd>(simd: S, target: &mut [f32], sum: S::f32s) {
    match S::as_mut_simd_f32s(target).0 {
        [first, ..] => *first = sum,
        [] => simd.partial_store_f32s(target, sum),
    }
}
