//! Vectors times matrices: the dense layers, several beside each other.

use super::activation::Activation;
use super::aligned::Aligned;
use crate::vectors::Registers;

/// A product of a vector and a constant matrix, or of several of both, ready to run.
#[derive(Debug)]
pub(crate) struct Dense {
    /// How many products.
    count: usize,
    /// Numbers of each vector, and of each result.
    inputs: usize,
    outputs: usize,
    /// For each product, for each vector of results: the weights of each input.
    weights: Aligned,
    bias: Aligned,
    pub activation: Activation,
}

/// Sums that a result is made of: additions to one have to wait for each other.
const CHAINS: usize = 4;

impl Dense {
    /// `weight` of a product, an input and an output.
    pub fn new(
        registers: Registers,
        [count, inputs, outputs]: [usize; 3],
        weight: &dyn Fn(usize, usize, usize) -> f32,
        bias: &dyn Fn(usize, usize) -> f32,
        activation: Activation,
    ) -> Self {
        let lanes = registers.lanes;
        let (mut weights, mut packed_bias) = (Vec::new(), Vec::new());
        let or_zero = |output: usize, value: &dyn Fn() -> f32| if output < outputs { value() } else { 0.0 };
        for product in 0..count {
            for first in (0..outputs).step_by(lanes) {
                for input in 0..inputs {
                    weights.extend((first..first + lanes).map(|o| or_zero(o, &|| weight(product, input, o))));
                }
                packed_bias.extend((first..first + lanes).map(|o| or_zero(o, &|| bias(product, o))));
            }
        }
        let (weights, bias) = (Aligned::of(&weights), Aligned::of(&packed_bias));
        Self { count, inputs, outputs, weights, bias, activation }
    }

    #[cfg(test)]
    pub fn output_len(&self) -> usize {
        self.count * self.outputs
    }

    pub fn multiply_adds(&self) -> usize {
        self.count * self.inputs * self.outputs
    }

    pub fn run(&self, arch: pulp::Arch, input: &[f32], output: &mut [f32]) {
        arch.dispatch(DenseRun { dense: self, input, output });
    }
}

struct DenseRun<'a> {
    dense: &'a Dense,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl pulp::WithSimd for DenseRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let Self { dense, input, output } = self;
        let lanes = S::F32_LANES;
        let (weights, _) = S::as_simd_f32s(&dense.weights);
        let (bias, _) = S::as_simd_f32s(&dense.bias);
        let vectors = dense.outputs.div_ceil(lanes);
        let products = input.chunks_exact(dense.inputs).zip(output.chunks_exact_mut(dense.outputs));
        for (product, (input, output)) in products.enumerate() {
            let (chunks, rest) = input.as_chunks::<CHAINS>();
            for (vector, output) in output.chunks_mut(lanes).enumerate() {
                let vector = product * vectors + vector;
                let weights = &weights[vector * dense.inputs..][..dense.inputs];
                let (weights, rest_weights) = weights.as_chunks::<CHAINS>();
                let mut sums = [simd.splat_f32s(0.0); CHAINS];
                sums[0] = bias[vector];
                for (numbers, weights) in chunks.iter().zip(weights) {
                    for ((sum, number), weight) in sums.iter_mut().zip(numbers).zip(weights) {
                        *sum = simd.mul_add_e_f32s(*weight, simd.splat_f32s(*number), *sum);
                    }
                }
                for (number, weight) in rest.iter().zip(rest_weights) {
                    sums[1] = simd.mul_add_e_f32s(*weight, simd.splat_f32s(*number), sums[1]);
                }
                let sum = simd.add_f32s(simd.add_f32s(sums[0], sums[1]), simd.add_f32s(sums[2], sums[3]));
                let mut sum = [sum];
                dense.activation.on(simd, &mut sum);
                match S::as_mut_simd_f32s(output).0 {
                    [first, ..] => *first = sum[0],
                    [] => simd.partial_store_f32s(output, sum[0]),
                }
            }
        }
    }
}
