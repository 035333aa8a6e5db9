//! A network between two: weights of one part of a training and of what it went on from, mixed number by number.
//!
//! What is trained further on other labels learns them and forgets a part of what it knew. On the straight line between both
//! networks there is often one that does nearly as well at either (M. Wortsman et al., "Robust Fine-Tuning of Zero-Shot
//! Models", CVPR 2022).

use facelens_import::net::ssr_net::{FusionBlockWeights, ResidualBlockWeights, SsrNetWeights};
use facelens_import::net::{Affine, ConvolutionBlockWeights, ShapeError, Tensor};

/// `net` with the share `share` of `other`; both with folded batch normalisations. Outputs that only `net` has stay its own.
///
/// # Errors
/// Where the networks have other widths.
pub(super) fn blended(net: &SsrNetWeights, other: &SsrNetWeights, share: f32) -> Result<SsrNetWeights, ShapeError> {
    if net.regressions.len() < other.regressions.len() {
        return Err(ShapeError("the other network has more outputs".to_owned()));
    }
    let mut mixed = net.clone();
    let streams = [(&mut mixed.relu_stream, &other.relu_stream), (&mut mixed.tanh_stream, &other.tanh_stream)];
    for (blocks, others) in streams {
        for (ConvolutionBlockWeights { convolution, norm }, other) in blocks.iter_mut().zip(others) {
            if norm.is_some() || other.norm.is_some() {
                return Err(ShapeError("its batch normalisations are not folded".to_owned()));
            }
            mix(convolution, &other.convolution, share)?;
        }
    }
    let residuals =
        [(&mut mixed.relu_residuals, &other.relu_residuals), (&mut mixed.tanh_residuals, &other.tanh_residuals)];
    for (blocks, others) in residuals {
        if blocks.len() < others.len() {
            return Err(ShapeError("the other network has more residual blocks".to_owned()));
        }
        for (index, ResidualBlockWeights { depthwise, pointwise }) in blocks.iter_mut().enumerate() {
            match others.get(index) {
                Some(other) => {
                    mix(&mut depthwise.convolution, &other.depthwise.convolution, share)?;
                    mix(&mut pointwise.convolution, &other.pointwise.convolution, share)?;
                }
                // The other network adds nothing there.
                None => {
                    let nothing = |tensor: &Tensor| Tensor::from_fn(tensor.shape(), |_| 0.0);
                    let Affine { kernel, bias } = &pointwise.convolution;
                    let other = Affine { kernel: nothing(kernel), bias: nothing(bias) };
                    mix(&mut pointwise.convolution, &other, share)?;
                }
            }
        }
    }
    for (regression, other) in mixed.regressions.iter_mut().zip(&other.regressions) {
        for (block, other) in regression.stages.iter_mut().zip(&other.stages) {
            let mut other = other.clone();
            for (layer, other) in layers(block).into_iter().zip(layers(&mut other)) {
                mix(layer, other, share)?;
            }
        }
    }
    Ok(mixed)
}

fn layers(block: &mut FusionBlockWeights) -> [&mut Affine; 8] {
    let FusionBlockWeights { relu_head, tanh_head, relu_mix, tanh_mix, feature, delta, p, eta } = block;
    [relu_head, tanh_head, relu_mix, tanh_mix, feature, delta, p, eta]
}

fn mix(layer: &mut Affine, other: &Affine, share: f32) -> Result<(), ShapeError> {
    for (tensor, other) in [(&mut layer.kernel, &other.kernel), (&mut layer.bias, &other.bias)] {
        if tensor.shape() != other.shape() {
            let shapes = (tensor.shape(), other.shape());
            return Err(ShapeError(format!(
                "the networks have layers of the shapes {:?} and {:?}",
                shapes.0, shapes.1
            )));
        }
        let numbers =
            (tensor.data().iter().zip(other.data())).map(|(own, other)| own + share * (other - own)).collect();
        *tensor = Tensor::new(tensor.shape(), numbers)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn folded(seed: u32, ranges: &[f32]) -> SsrNetWeights {
        SsrNetWeights::from_onnx(&testing::ssr_net(seed, ranges).to_onnx().unwrap()).unwrap()
    }

    #[test]
    fn the_ends_of_the_line_are_the_networks() {
        let (net, other) = (folded(1, &[101.0, 1.0, 3.0]), folded(2, &[101.0, 1.0]));
        assert_eq!(blended(&net, &other, 0.0).unwrap(), net);
        let whole = blended(&net, &other, 1.0).unwrap();
        assert_eq!(whole.regressions[2], net.regressions[2], "an output that the other has not");
        let (found, expected) = (&whole.relu_stream[2].convolution, &other.relu_stream[2].convolution);
        for (found, expected) in found.kernel.data().iter().zip(expected.kernel.data()) {
            assert!((found - expected).abs() < 1e-6);
        }
        let half = blended(&net, &other, 0.5).unwrap();
        let of = |net: &SsrNetWeights| net.regressions[1].stages[0].eta.kernel.data()[1];
        assert!((of(&half) - (of(&net) + of(&other)) / 2.0).abs() < 1e-6 && of(&net) != of(&other));
        assert!(blended(&other, &net, 0.5).is_err(), "more outputs");
        assert!(blended(&testing::ssr_net(1, &[1.0]), &folded(1, &[1.0]), 0.5).is_err(), "normalisations");
    }
}
