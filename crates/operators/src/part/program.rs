//! The steps of a part of a graph, and the memory that they work in.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::activation::Activation;
use super::aligned::Aligned;
use super::conv::Conv;
use super::dense::Dense;
use super::depthwise::Depthwise;
use super::plain::{self, Binary, Copying, OperandIndex, Reduction};

/// What a step does.
#[derive(Debug)]
pub(crate) enum StepWork {
    /// Its second input, if there is one, is added.
    Conv(Conv),
    Depthwise(Depthwise),
    Dense(Dense),
    FromPlanes(usize),
    ToPlanes(usize),
    Activation(Activation),
    Binary(Binary, [OperandIndex; 2]),
    Copying(Copying),
    Reduction(Reduction),
}

impl StepWork {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv(_) => "Conv",
            Self::Depthwise(depthwise) => depthwise.name(),
            Self::Dense(_) => "Dense",
            Self::FromPlanes(_) | Self::ToPlanes(_) => "Planes",
            Self::Activation(_) => "Activation",
            Self::Binary(..) => "Binary",
            Self::Copying(_) => "Copying",
            Self::Reduction(_) => "Reduction",
        }
    }

    pub fn multiply_adds(&self) -> usize {
        match self {
            Self::Conv(conv) => conv.multiply_adds(),
            Self::Depthwise(depthwise) => depthwise.multiply_adds(),
            Self::Dense(dense) => dense.multiply_adds(),
            _ => 0,
        }
    }
}

/// One step: some values become another.
#[derive(Debug)]
pub(crate) struct PartStep {
    /// The last node of the graph that it stands for.
    pub name: String,
    pub work: StepWork,
    /// Values that it takes.
    pub from: Vec<usize>,
    /// The value that it makes.
    pub to: usize,
    /// The shape of that, as the graph has it.
    pub shape: Vec<usize>,
}

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ValuePlace {
    Input(usize),
    Constant(usize),
    Slot(usize),
}

/// A value: its length, and where it comes from.
#[derive(Debug)]
pub(crate) enum ValueOrigin {
    Input(usize),
    Constant(Vec<f32>),
    PartStep,
}

/// Steps and their memory.
#[derive(Debug)]
pub(crate) struct PartProgram {
    arch: pulp::Arch,
    steps: Vec<PartStep>,
    lengths: Vec<usize>,
    places: Vec<ValuePlace>,
    constants: Vec<Vec<f32>>,
    slots: Vec<usize>,
    /// The values that it gives.
    outputs: Vec<usize>,
    /// Memory that no run works in at the moment.
    idle: Mutex<Vec<Vec<Aligned>>>,
}

impl PartProgram {
    /// Finds a place for every value: what is no longer needed makes room for others.
    pub fn new(arch: pulp::Arch, steps: Vec<PartStep>, values: Vec<(usize, ValueOrigin)>, outputs: Vec<usize>) -> Self {
        let mut last_use = vec![0; values.len()];
        for (at, step) in steps.iter().enumerate() {
            for &value in &step.from {
                last_use[value] = at;
            }
        }
        for &value in &outputs {
            last_use[value] = steps.len();
        }
        let lengths: Vec<usize> = values.iter().map(|(len, _)| *len).collect();
        let mut constants = Vec::new();
        let mut places: Vec<ValuePlace> = values
            .into_iter()
            .map(|(_, origin)| match origin {
                ValueOrigin::Input(input) => ValuePlace::Input(input),
                ValueOrigin::Constant(numbers) => {
                    constants.push(numbers);
                    ValuePlace::Constant(constants.len() - 1)
                }
                ValueOrigin::PartStep => ValuePlace::Slot(usize::MAX),
            })
            .collect();
        let (mut slots, mut free): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for (at, step) in steps.iter().enumerate() {
            let len = lengths[step.to];
            // The smallest free one that is large enough, else the largest.
            let best = (0..free.len()).min_by_key(|&index| {
                let slot = slots[free[index]];
                if slot >= len { (0, slot) } else { (1, usize::MAX - slot) }
            });
            let slot = match best {
                Some(index) => free.swap_remove(index),
                None => {
                    slots.push(0);
                    slots.len() - 1
                }
            };
            slots[slot] = slots[slot].max(len);
            places[step.to] = ValuePlace::Slot(slot);
            let mut done: Vec<usize> = step.from.iter().chain([&step.to]).copied().collect();
            done.sort_unstable();
            done.dedup();
            for value in done {
                if let (ValuePlace::Slot(slot), true) = (places[value], last_use[value] <= at) {
                    free.push(slot);
                }
            }
        }
        Self { arch, steps, lengths, places, constants, slots, outputs, idle: Mutex::default() }
    }

    pub fn steps(&self) -> &[PartStep] {
        &self.steps
    }

    /// Runs all steps and hands each output to `give`.
    pub fn run(&self, inputs: &[&[f32]], give: impl FnMut(usize, &[f32])) {
        self.run_steps(inputs, give, |_, run| run());
    }

    /// Runs all steps; `time` gets how long each took.
    pub fn run_timed(&self, inputs: &[&[f32]], mut time: impl FnMut(usize, Duration)) {
        self.run_steps(
            inputs,
            |_, _| {},
            |step, run| {
                let started_at = Instant::now();
                run();
                time(step, started_at.elapsed());
            },
        );
    }

    fn run_steps(
        &self,
        inputs: &[&[f32]],
        mut give: impl FnMut(usize, &[f32]),
        mut around: impl FnMut(usize, &mut dyn FnMut()),
    ) {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = idle().pop();
        let mut slots = kept.unwrap_or_else(|| self.slots.iter().map(|&len| Aligned::zeros(len)).collect());
        for (at, step) in self.steps.iter().enumerate() {
            let ValuePlace::Slot(slot) = self.places[step.to] else { continue };
            let mut output = std::mem::take(&mut slots[slot]);
            let numbers = &mut output[..self.lengths[step.to]];
            around(at, &mut || self.run_step(step, |value| self.numbers(value, inputs, &slots), numbers));
            slots[slot] = output;
        }
        for (at, &value) in self.outputs.iter().enumerate() {
            give(at, self.numbers(value, inputs, &slots));
        }
        idle().push(slots);
    }

    fn numbers<'a>(&'a self, value: usize, inputs: &[&'a [f32]], slots: &'a [Aligned]) -> &'a [f32] {
        let len = self.lengths[value];
        match self.places[value] {
            ValuePlace::Input(input) => &inputs[input][..len],
            ValuePlace::Constant(constant) => &self.constants[constant],
            ValuePlace::Slot(slot) => &slots[slot][..len],
        }
    }

    fn run_step<'a>(&self, step: &PartStep, value: impl Fn(usize) -> &'a [f32], output: &mut [f32]) {
        let from = |at: usize| value(step.from[at]);
        match &step.work {
            StepWork::Conv(conv) => conv.run(self.arch, from(0), step.from.get(1).map(|&added| value(added)), output),
            StepWork::Depthwise(depthwise) => depthwise.run(self.arch, from(0), output),
            StepWork::Dense(dense) => dense.run(self.arch, from(0), output),
            StepWork::FromPlanes(channels) => plain::from_planes(*channels, from(0), output),
            StepWork::ToPlanes(channels) => plain::to_planes(*channels, from(0), output),
            StepWork::Activation(activation) => {
                output.copy_from_slice(from(0));
                activation.on_numbers(self.arch, output);
            }
            StepWork::Binary(binary, [a, b]) => binary.run([(from(0), a), (from(1), b)], output),
            StepWork::Copying(copying) => copying.run(from, output),
            StepWork::Reduction(reduction) => reduction.run(from(0), output),
        }
    }
}
