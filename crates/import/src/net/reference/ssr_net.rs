//! SSR-Net, step by step as the authors' Keras program and the MXNet port write it down.

use super::operations::{add, batch_norm, dense, multiply, relu, tanh};
use super::windows::{Padding, average_pool, convolution, depthwise_convolution, max_pool};
use crate::net::ssr_net::{
    FusionBlockWeights, RESIDUALS_BEHIND, RegressionWeights, ResidualBlockWeights, STAGE_MAPS, STAGE_POOLS,
    SsrNetWeights,
};
use crate::net::{Affine, ConvolutionBlockWeights, FlattenOrder, KernelLayout, ShapeError, Tensor};

type Pool = fn(&Tensor, usize) -> Result<Tensor, ShapeError>;

impl SsrNetWeights {
    /// The network's values for one face `[1, 64, 64, 3]`, by the source framework's own arithmetic.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn reference(&self, face: &Tensor) -> Result<Vec<f32>, ShapeError> {
        let face = match self.input_scaling {
            Some(scaling) => face.map(|x| (x - scaling.offset) * scaling.factor),
            None => face.clone(),
        };
        let relu_maps = self.stream_maps(&face, (&self.relu_stream, &self.relu_residuals), relu, average_pool)?;
        let tanh_maps = self.stream_maps(&face, (&self.tanh_stream, &self.tanh_residuals), tanh, max_pool)?;
        self.regressions.iter().map(|regression| self.value(regression, &relu_maps, &tanh_maps)).collect()
    }

    fn value(
        &self,
        regression: &RegressionWeights,
        relu_maps: &[Tensor],
        tanh_maps: &[Tensor],
    ) -> Result<f32, ShapeError> {
        let mut sums = Vec::new();
        let mut widths = Vec::new();
        for (index, scale) in STAGE_MAPS.into_iter().enumerate() {
            let [p, eta, delta] =
                self.stage_outputs(&regression.stages[index], index, &relu_maps[scale], &tanh_maps[scale])?;
            let bins = p.data().iter().zip(eta.data()).enumerate();
            sums.push(bins.map(|(i, (p, eta))| (regression.first_bin + i as f32 + eta) * p).sum::<f32>());
            widths.push(3.0 * (1.0 + delta.data()[0]));
        }
        let (a, b, c) =
            (sums[0] / widths[0], sums[1] / widths[0] / widths[1], sums[2] / widths[0] / widths[1] / widths[2]);
        Ok((a + b + c) * regression.range)
    }

    fn stream_maps(
        &self,
        face: &Tensor,
        (blocks, residuals): (&[ConvolutionBlockWeights], &[ResidualBlockWeights]),
        activation: fn(&Tensor) -> Tensor,
        pool: Pool,
    ) -> Result<Vec<Tensor>, ShapeError> {
        let mut maps: Vec<Tensor> = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            let Affine { kernel, bias } = &block.convolution;
            let mut x = convolution(maps.last().unwrap_or(face), kernel, self.convention.kernel, bias, Padding::Valid)?;
            if let Some(norm) = &block.norm {
                x = batch_norm(&x, norm)?;
            }
            x = activation(&x);
            let mut map = if index < 3 { pool(&x, 2)? } else { x };
            if index + 1 == RESIDUALS_BEHIND {
                for residual in residuals {
                    map = self.with_residual(&map, residual)?;
                }
            }
            maps.push(map);
        }
        Ok(maps)
    }

    fn with_residual(&self, map: &Tensor, block: &ResidualBlockWeights) -> Result<Tensor, ShapeError> {
        let normalised = |x: Tensor, block: &ConvolutionBlockWeights| match &block.norm {
            Some(norm) => batch_norm(&x, norm),
            None => Ok(x),
        };
        let Affine { kernel, bias } = &block.depthwise.convolution;
        // Rows, columns, channels, one.
        let kernel = match self.convention.kernel {
            KernelLayout::Hwio => kernel.permuted(&[0, 1, 3, 2])?,
            KernelLayout::Oihw => kernel.permuted(&[2, 3, 0, 1])?,
        };
        let x = add(&depthwise_convolution(map, &kernel, Padding::Same)?, bias)?;
        let x = relu(&normalised(x, &block.depthwise)?);
        let Affine { kernel, bias } = &block.pointwise.convolution;
        let x = convolution(&x, kernel, self.convention.kernel, bias, Padding::Valid)?;
        add(map, &normalised(x, &block.pointwise)?)
    }

    /// p, eta and Delta of a stage.
    fn stage_outputs(
        &self,
        stage: &FusionBlockWeights,
        index: usize,
        relu_map: &Tensor,
        tanh_map: &Tensor,
    ) -> Result<[Tensor; 3], ShapeError> {
        let head = |map: &Tensor, layer: &Affine, pool: Pool| {
            let mut x = convolution(map, &layer.kernel, self.convention.kernel, &layer.bias, Padding::Valid)?;
            if index > 0 || self.relu_in_stage_1 {
                x = relu(&x);
            }
            if index > 0 {
                x = pool(&x, STAGE_POOLS[index])?;
            }
            let length = x.data().len();
            match self.convention.flatten {
                FlattenOrder::RowColumnChannel => x,
                FlattenOrder::ChannelRowColumn => x.permuted(&[0, 3, 1, 2])?,
            }
            .reshaped(&[1, length])
        };
        let full = |x: &Tensor, layer: &Affine| dense(x, &layer.kernel, self.convention.dense, &layer.bias);
        let relu_head = head(relu_map, &stage.relu_head, average_pool)?;
        let tanh_head = head(tanh_map, &stage.tanh_head, max_pool)?;
        let relu_mix = relu(&full(&relu_head, &stage.relu_mix)?);
        let tanh_mix = relu(&full(&tanh_head, &stage.tanh_mix)?);
        let delta = tanh(&full(&multiply(&tanh_head, &relu_head)?, &stage.delta)?);
        let feature = relu(&full(&multiply(&tanh_mix, &relu_mix)?, &stage.feature)?);
        let p = relu(&full(&feature, &stage.p)?);
        let eta = tanh(&full(&feature, &stage.eta)?);
        Ok([p, eta, delta])
    }
}
