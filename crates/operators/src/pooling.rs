//! Pooling of blocks that lie beside each other.

use tract_onnx::prelude::{DatumType, TValue, TVec, Tensor, TractResult, TypedFact, TypedNode, tvec};
use tract_onnx::tract_core::internal::{
    EvalContext, EvalOp, Op, StaticName, TypedOp, as_op, bail, op_as_typed_op, op_out_of_plan,
};
use tract_onnx::tract_core::ops::cnn::{MaxPool, PoolSpec, SumPool};
use tract_onnx::tract_core::value::IntoTValue as _;

use super::Planes;

/// Largest value or mean of each block of a map; what does not fill a block is left out. A block's rows are folded into
/// one first, many columns at a time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct BlockPool {
    fold: Fold,
    /// Rows and columns of a block.
    block: [usize; 2],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Fold {
    Max,
    Sum,
    Mean,
}

impl BlockPool {
    /// The same as this node, if it is a pooling of blocks on maps of known size, channels first.
    pub(super) fn instead_of(node: &TypedNode, inputs: &[&TypedFact]) -> Option<Self> {
        let (fold, spec) = if let Some(pool) = node.op_as::<MaxPool>() {
            pool.with_index_outputs.is_none().then_some((Fold::Max, &pool.pool_spec))?
        } else {
            let pool = node.op_as::<SumPool>()?;
            (if pool.normalize { Fold::Mean } else { Fold::Sum }, &pool.pool_spec)
        };
        let shape = inputs.first()?.shape.as_concrete()?;
        let floats = inputs.first()?.datum_type == DatumType::F32;
        let block = <[usize; 2]>::try_from(spec.kernel_shape.as_slice()).ok()?;
        let planes = Planes::of(shape)?;
        let fits = block[0] <= planes.rows && block[1] <= planes.columns && !block.contains(&0);
        (floats && fits && is_unpadded(spec, shape, block)).then_some(Self { fold, block })
    }

    /// The shape behind it.
    fn output_shape(&self, input: &[usize]) -> TractResult<TVec<usize>> {
        let mut shape: TVec<usize> = input.into();
        match shape.as_mut_slice() {
            [.., rows, columns] => (*rows, *columns) = (*rows / self.block[0], *columns / self.block[1]),
            _ => bail!("a pooling of {input:?}"),
        }
        Ok(shape)
    }

    #[inline(always)]
    fn run(&self, input: &[f32], planes: Planes, output: &mut [f32]) {
        match self.fold {
            Fold::Max => self.fold_blocks(input, planes, output, |a, b| if a > b { a } else { b }, 1.0),
            Fold::Sum => self.fold_blocks(input, planes, output, |a, b| a + b, 1.0),
            Fold::Mean => {
                let factor = 1.0 / (self.block[0] * self.block[1]) as f32;
                self.fold_blocks(input, planes, output, |a, b| a + b, factor);
            }
        }
    }

    #[inline(always)]
    fn fold_blocks(
        &self,
        input: &[f32],
        planes: Planes,
        output: &mut [f32],
        fold: impl Fn(f32, f32) -> f32 + Copy,
        factor: f32,
    ) {
        let [rows, columns] = self.block;
        let (down, across) = (planes.rows / rows, planes.columns / columns);
        let used = across * columns;
        let mut folded = vec![0.0; used];
        let targets = output.chunks_exact_mut(down * across);
        for (plane, target) in input.chunks_exact(planes.size()).zip(targets) {
            let bands = plane.chunks_exact(rows * planes.columns);
            for (band, target) in bands.zip(target.chunks_exact_mut(across)) {
                let (first, others) = band.split_at(planes.columns);
                folded.copy_from_slice(&first[..used]);
                for row in others.chunks_exact(planes.columns) {
                    for (folded, value) in folded.iter_mut().zip(row) {
                        *folded = fold(*folded, *value);
                    }
                }
                if columns == 2 {
                    for (target, pair) in target.iter_mut().zip(folded.chunks_exact(2)) {
                        *target = factor * fold(pair[0], pair[1]);
                    }
                } else {
                    for (target, block) in target.iter_mut().zip(folded.chunks_exact(columns)) {
                        *target = factor * block[1..].iter().fold(block[0], |a, b| fold(a, *b));
                    }
                }
            }
        }
    }
}

/// One run of the operator.
struct PoolingRun<'a> {
    pool: &'a BlockPool,
    input: &'a [f32],
    planes: Planes,
    output: &'a mut [f32],
}

impl pulp::WithSimd for PoolingRun<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _simd: S) {
        self.pool.run(self.input, self.planes, self.output);
    }
}

/// Whether the windows lie beside each other on maps of this shape, none reaching over an edge, channels first.
fn is_unpadded(spec: &PoolSpec, shape: &[usize], block: [usize; 2]) -> bool {
    if spec.data_format.c_is_last() || *spec.strides() != block || spec.dilations().iter().any(|&step| step != 1) {
        return false;
    }
    let [.., rows, columns] = shape else { return false };
    let padding = spec.computed_padding(&[*rows, *columns]);
    let sides = padding.iter().zip([rows / block[0], columns / block[1]]);
    sides.into_iter().all(|(axis, length)| axis.pad_before == 0 && axis.pad_after == 0 && axis.convoluted == length)
}

impl Op for BlockPool {
    fn name(&self) -> StaticName {
        "BlockPool".into()
    }

    op_as_typed_op!();
}

impl EvalOp for BlockPool {
    op_out_of_plan!();

    fn eval(&self, _context: &EvalContext<'_>, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let [input] = inputs.as_slice() else { bail!("a pooling of {} inputs", inputs.len()) };
        let mut output = Tensor::zero::<f32>(&self.output_shape(input.shape())?)?;
        if let Some(planes) = Planes::of(input.shape()) {
            let input = input.try_as_plain_ram()?.as_slice()?;
            let mut plain = output.try_as_plain_ram_mut()?;
            let output = plain.as_slice_mut()?;
            pulp::Arch::new().dispatch(PoolingRun { pool: self, input, planes, output });
        }
        Ok(tvec!(output.into_tvalue()))
    }
}

impl TypedOp for BlockPool {
    as_op!();

    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        let Some(shape) = inputs[0].shape.as_concrete() else { bail!("a pooling of an unknown size") };
        Ok(tvec!(TypedFact::dt_shape(DatumType::F32, self.output_shape(shape)?.as_slice())))
    }
}
