//! Whether tract gives on the exported graph what burn gives on the network, and whether that would show a mistake.
//!
//! Equal outputs alone prove little: what stands behind a relu that is 0 for every face could be anything. So each weight
//! tensor is changed in turn, the changed network exported too, and both must move alike. A tensor that moves nothing,
//! however it is changed, is named.

use std::ops::Range;
use std::path::Path;

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::model::{InputSpec, Net};
use facelens_import::net::INPUT_SIDE;

use super::perturb::{Change, changed, names};
use crate::nets::Network;

/// Largest difference that is rounding, in the output's own unit: the male score, years, degrees.
pub const TOLERANCE: f32 = 1e-4;

/// A change is big enough where it moves an output of a face by so many tolerances.
const VISIBLE: f32 = 20.0;

/// How each tensor is changed until the output moves, gentle first: what is far from the trained net says little of it.
const CHANGES: [Change; 5] = [Change::Up(0.1), Change::Up(0.3), Change::Up(1.0), Change::Down, Change::Up(5.0)];

/// Faces that changed networks are tried on first; all others follow where none of them moves.
const FIRST_FACES: usize = 12;

/// What was compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Faces on which the exported network was compared.
    pub faces: usize,
    /// The largest difference on them for each output, in its own unit.
    pub largest: Vec<f32>,
    /// Weight tensors that were changed in turn.
    pub tensors: usize,
    /// Those that move no output of any face, whatever they are.
    pub silent: Vec<String>,
}

/// The exported graph is not the network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// The network gives another number.
    #[error(
        "on face {face} tract gives {tract} where burn gives {burn} (output {output}{}); the export is refused",
        tensor.as_ref().map(|name| format!(", with a changed {name}")).unwrap_or_default()
    )]
    Differs {
        /// The face, counted from 0.
        face: usize,
        /// The output, counted from 0.
        output: usize,
        /// What tract gives.
        tract: f32,
        /// What burn gives.
        burn: f32,
        /// The tensor that was changed; `None` for the network itself.
        tensor: Option<String>,
    },
    /// The graph cannot be written or run.
    #[error("the network cannot be exported: {0}")]
    Graph(String),
    /// There is nothing to compare on.
    #[error("there is no face to compare on; give a set of faces with --crops")]
    NoFaces,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// The tolerance for a changed network. Its outputs may be far from any age or angle; rounding grows with them.
fn tolerance(output: f32) -> f32 {
    TOLERANCE * output.abs().max(1.0)
}

/// A network, how it is exported, and on what both are compared.
pub struct Comparison<'a> {
    /// The network.
    pub net: &'a Network,
    /// Makes the ONNX file of a network.
    pub write: &'a dyn Fn(&Network) -> Result<Vec<u8>, String>,
    /// What the network is shown, each `3 * 64 * 64` numbers, channels first.
    pub inputs: &'a [Vec<f32>],
    /// What its card says of the input.
    pub spec: &'a InputSpec,
}

impl Comparison<'_> {
    /// Compares. `progress` is told how many tensors of how many are done, and stops the comparison by `false`.
    ///
    /// # Errors
    /// Where they differ by more than [`TOLERANCE`].
    pub fn run(&self, progress: impl Fn(usize, usize) -> bool) -> Result<Verified, VerifyError> {
        self.run_on(|_| true, progress)
    }

    /// Compares; only those tensors are changed whose names are wanted.
    pub(super) fn run_on(
        &self,
        wanted: impl Fn(&str) -> bool,
        progress: impl Fn(usize, usize) -> bool,
    ) -> Result<Verified, VerifyError> {
        if self.inputs.is_empty() {
            return Err(VerifyError::NoFaces);
        }
        let net = self.net.valid();
        let expected = burn(&net, self.inputs);
        let found = self.tract(&net, self.inputs)?;
        compare(&expected, &found, |_| TOLERANCE, None)?;
        let largest =
            |output: usize| expected.iter().zip(&found).map(|(a, b)| (a[output] - b[output]).abs()).fold(0.0, f32::max);

        let mut tensors = names(&net).into_iter().enumerate().collect::<Vec<_>>();
        tensors.retain(|(_, name)| wanted(name));
        let count = tensors.len();
        let mut silent = Vec::new();
        for (done, (index, name)) in tensors.into_iter().enumerate() {
            if !progress(done, count) {
                return Err(VerifyError::Interrupted);
            }
            if !self.follows(&net, &expected, index, &name)? {
                silent.push(name);
            }
        }
        progress(count, count);
        let largest = (0..expected[0].len()).map(largest).collect();
        Ok(Verified { faces: self.inputs.len(), largest, tensors: count, silent })
    }

    /// Whether a change of tensor `index` moves an output, and moves it in tract as in burn.
    fn follows(&self, net: &Network, expected: &[Vec<f32>], index: usize, name: &str) -> Result<bool, VerifyError> {
        let first = self.inputs.len().min(FIRST_FACES);
        let same = |net: &Network, after: &[Vec<f32>], faces: Range<usize>| {
            let tract = self.tract(net, &self.inputs[faces.clone()])?;
            compare(after, &tract, tolerance, Some((name, faces.start)))
        };
        for change in CHANGES {
            let net = changed(net, index, change);
            for faces in [0..first, first..self.inputs.len()] {
                if faces.is_empty() {
                    continue;
                }
                let after = burn(&net, &self.inputs[faces.clone()]);
                let mut pairs = after.iter().flatten().zip(expected[faces.clone()].iter().flatten());
                if pairs.any(|(after, before)| (after - before).abs() > VISIBLE * tolerance(*after)) {
                    return same(&net, &after, faces).map(|()| true);
                }
            }
        }
        // No face shows it in burn; then none may show it in tract.
        let net = changed(net, index, Change::Up(1.0));
        same(&net, &burn(&net, self.inputs), 0..self.inputs.len()).map(|()| false)
    }

    /// What tract gives for each input.
    fn tract(&self, net: &Network, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, VerifyError> {
        let onnx = (self.write)(net).map_err(VerifyError::Graph)?;
        let graph = Net::from_onnx(&onnx, self.spec, Path::new("the exported graph"))
            .map_err(|error| VerifyError::Graph(error.to_string()))?;
        inputs.iter().map(|input| graph.run(input)).collect::<Result<_, _>>().map_err(VerifyError::Graph)
    }
}

/// What burn gives for each input.
fn burn(net: &Network, inputs: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let device = net.devices().first().cloned().unwrap_or_else(Device::flex);
    let numbers: Vec<f32> = inputs.concat();
    let shape = [inputs.len(), 3, INPUT_SIDE, INPUT_SIDE];
    let outputs = net.forward(Tensor::from_data(TensorData::new(numbers, shape), &device));
    let values = outputs.dims()[1];
    let numbers: Vec<f32> = outputs.into_data().iter::<f32>().collect();
    numbers.chunks(values.max(1)).map(<[f32]>::to_vec).collect()
}

/// Whether all outputs are equal but for the tolerance of each.
fn compare(
    burn: &[Vec<f32>],
    tract: &[Vec<f32>],
    tolerance: impl Fn(f32) -> f32,
    changed: Option<(&str, usize)>,
) -> Result<(), VerifyError> {
    for (face, (burn, tract)) in burn.iter().zip(tract).enumerate() {
        if burn.len() != tract.len() {
            let cause = format!("it gives {} numbers where the network gives {}", tract.len(), burn.len());
            return Err(VerifyError::Graph(cause));
        }
        for (output, (&burn, &tract)) in burn.iter().zip(tract).enumerate() {
            let off = (burn - tract).abs();
            if off.is_nan() || off > tolerance(burn) {
                let (tensor, first) = changed.map_or((None, 0), |(name, first)| (Some(name.to_owned()), first));
                return Err(VerifyError::Differs { face: first + face, output, tract, burn, tensor });
            }
        }
    }
    Ok(())
}
