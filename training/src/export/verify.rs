//! Whether tract gives on the exported graph what burn gives on the network, and whether that would show a mistake.
//!
//! Equal outputs alone prove little: what stands behind a relu that is 0 for every face could be anything. So each weight
//! tensor is changed in turn, the changed network exported too, and both must move alike. A tensor that moves nothing,
//! however it is changed, is named.

use std::ops::Range;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::model::Net;

use super::perturb::{Change, changed, names};

/// Largest difference that is rounding, in the output's own unit: the male score, years, degrees.
pub const TOLERANCE: f32 = 1e-4;

/// A change is big enough where it moves an output by so many tolerances.
const VISIBLE: f32 = 20.0;

/// How each tensor is changed until the output moves, gentle first: what is far from the trained net says little of it.
const CHANGES: [Change; 5] = [Change::Up(0.1), Change::Up(0.3), Change::Up(1.0), Change::Down, Change::Up(5.0)];

/// Inputs that changed networks are tried on first; all others follow where none of them moves.
const FIRST_INPUTS: usize = 12;

/// What was compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// Inputs on which the exported network was compared.
    pub inputs: usize,
    /// The largest difference on them for each output, in its own unit.
    pub largest: Vec<f32>,
    /// Weight tensors that were changed in turn.
    pub tensors: usize,
    /// Those that move no output of any input, whatever they are.
    pub silent: Vec<String>,
}

/// The exported graph is not the network.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum VerifyError {
    /// The network gives another number.
    #[error(
        "on {unit} {index} tract gives {tract} where burn gives {burn} (output {output}{}); the export is refused",
        tensor.as_ref().map(|name| format!(", with a changed {name}")).unwrap_or_default()
    )]
    Differs {
        /// What an input is: `face`, `crop`, `image`.
        unit: &'static str,
        /// Which one, counted from 0.
        index: usize,
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
    #[error("there is no {unit} to compare on; give {from}")]
    NoInputs {
        /// What an input is.
        unit: &'static str,
        /// Where inputs come from.
        from: &'static str,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// The tolerance for a changed network. Its outputs may be far from any age or angle; rounding grows with them.
fn tolerance(output: f32) -> f32 {
    TOLERANCE * output.abs().max(1.0)
}

/// What a network answers to inputs, a row for each.
pub type BatchAnswers<'a, M> = dyn Fn(&M, &[Vec<f32>]) -> Vec<Vec<f32>> + 'a;

/// A network, how it is exported, and on what both are compared.
pub struct Comparison<'a, M> {
    /// The network.
    pub net: &'a M,
    /// What burn gives for inputs: a row of answers for each.
    pub burn: &'a BatchAnswers<'a, M>,
    /// Makes the ONNX file of a network, and reads it as the app does.
    pub export: &'a dyn Fn(&M) -> Result<Net, String>,
    /// What the network is shown.
    pub inputs: &'a [Vec<f32>],
    /// What an input is: `face`, `crop`, `image`.
    pub unit: &'static str,
    /// Where inputs come from, for the message that there is none: `a gait set`.
    pub from: &'static str,
}

impl Verified {
    /// The largest difference of all.
    pub fn largest_of_all(&self) -> f32 {
        self.largest.iter().copied().fold(0.0, f32::max)
    }
}

impl<M: Module> Comparison<'_, M> {
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
            return Err(VerifyError::NoInputs { unit: self.unit, from: self.from });
        }
        let net = self.net.valid();
        let expected = (self.burn)(&net, self.inputs);
        let found = self.tract(&net, self.inputs)?;
        self.compare(&expected, &found, |_| TOLERANCE, None)?;
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
        Ok(Verified { inputs: self.inputs.len(), largest, tensors: count, silent })
    }

    /// Whether a change of tensor `index` moves an output, and moves it in tract as in burn.
    fn follows(&self, net: &M, expected: &[Vec<f32>], index: usize, name: &str) -> Result<bool, VerifyError> {
        let first = self.inputs.len().min(FIRST_INPUTS);
        let same = |net: &M, after: &[Vec<f32>], inputs: Range<usize>| {
            let tract = self.tract(net, &self.inputs[inputs.clone()])?;
            self.compare(after, &tract, tolerance, Some((name, inputs.start)))
        };
        for change in CHANGES {
            let net = changed(net, index, change);
            for inputs in [0..first, first..self.inputs.len()] {
                if inputs.is_empty() {
                    continue;
                }
                let after = (self.burn)(&net, &self.inputs[inputs.clone()]);
                let mut pairs = after.iter().flatten().zip(expected[inputs.clone()].iter().flatten());
                if pairs.any(|(after, before)| (after - before).abs() > VISIBLE * tolerance(*after)) {
                    return same(&net, &after, inputs).map(|()| true);
                }
            }
        }
        // No input shows it in burn; then none may show it in tract.
        let net = changed(net, index, Change::Up(1.0));
        same(&net, &(self.burn)(&net, self.inputs), 0..self.inputs.len()).map(|()| false)
    }

    /// What tract gives for each input.
    fn tract(&self, net: &M, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, VerifyError> {
        let graph = (self.export)(net).map_err(VerifyError::Graph)?;
        inputs.iter().map(|input| graph.run(input)).collect::<Result<_, _>>().map_err(VerifyError::Graph)
    }

    /// Whether all outputs are equal but for the tolerance of each.
    fn compare(
        &self,
        burn: &[Vec<f32>],
        tract: &[Vec<f32>],
        tolerance: impl Fn(f32) -> f32,
        changed: Option<(&str, usize)>,
    ) -> Result<(), VerifyError> {
        for (index, (burn, tract)) in burn.iter().zip(tract).enumerate() {
            if burn.len() != tract.len() {
                let cause = format!("it gives {} numbers where the network gives {}", tract.len(), burn.len());
                return Err(VerifyError::Graph(cause));
            }
            for (output, (&burn, &tract)) in burn.iter().zip(tract).enumerate() {
                let off = (burn - tract).abs();
                if off.is_nan() || off > tolerance(burn) {
                    let (tensor, first) = changed.map_or((None, 0), |(name, first)| (Some(name.to_owned()), first));
                    let (unit, index) = (self.unit, first + index);
                    return Err(VerifyError::Differs { unit, index, output, tract, burn, tensor });
                }
            }
        }
        Ok(())
    }
}

/// The answers of a network to inputs of `shape` (channels, rows, columns), a row for each input.
pub(crate) fn answers<M: Module>(
    net: &M,
    inputs: &[Vec<f32>],
    [channels, rows, columns]: [usize; 3],
    forward: impl Fn(&M, Tensor<4>) -> Tensor<2>,
) -> Vec<Vec<f32>> {
    let device = net.devices().first().cloned().unwrap_or_else(Device::flex);
    let data = TensorData::new(inputs.concat(), [inputs.len(), channels, rows, columns]);
    let answers = forward(net, Tensor::from_data(data, &device));
    let width = answers.dims()[1];
    let numbers: Vec<f32> = answers.into_data().iter::<f32>().collect();
    numbers.chunks(width.max(1)).map(<[f32]>::to_vec).collect()
}
