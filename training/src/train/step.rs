//! One step: forward, backward, AdamW; on one thread or, in parts, on several.

use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{AdamWConfig, GradientsAccumulator, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};

use super::batches::FaceBatch;
use super::config::{RunConfig, ScheduleConfig};
use super::schedule::kept;
use super::weights;
use crate::augment::{INPUT, INPUT_LEN};
use crate::nets::Network;

/// burn's own is 1e-5, which is large beside the small gradients of a normalised loss.
const EPSILON: f32 = 1e-8;

/// A network that learns.
pub(super) struct Learner {
    /// With automatic differentiation.
    pub(super) device: Device,
    pub(super) net: Network,
    /// The moving average, without automatic differentiation.
    pub(super) average: Option<Network>,
    pub(super) optimiser: ModuleOptimizer,
}

/// What a step met.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Met {
    /// Before the step.
    pub(crate) loss: f32,
    /// Norm of all gradients together, before it was shortened.
    pub(crate) gradient: f32,
}

/// An optimiser without a state.
pub(crate) fn optimiser(schedule: &ScheduleConfig) -> ModuleOptimizer {
    AdamWConfig::new().with_epsilon(EPSILON).with_weight_decay(schedule.weight_decay).init()
}

impl Learner {
    /// Learns from a batch in step `step` (from 0) with this learning rate. Where the loss or the gradients are not finite
    /// numbers nothing is changed.
    pub(super) fn step(&mut self, config: &RunConfig, batch: &FaceBatch, step: usize, rate: f64) -> Met {
        let (loss, mut gradients) = self.gradients(config, batch);
        let gradient = weights::clip(&self.net, &mut gradients, config.schedule.clip_norm);
        if loss.is_finite() && gradient.is_finite() {
            self.net = self.optimiser.step(rate, self.net.clone(), gradients);
            if let Some(average) = self.average.take() {
                let keep = kept(&config.schedule, step);
                self.average = Some(weights::average(average, &self.net.valid(), keep));
            }
        }
        Met { loss, gradient }
    }

    /// The loss and its gradients, by so many threads at once.
    fn gradients(&mut self, config: &RunConfig, batch: &FaceBatch) -> (f32, GradientsParams) {
        // The pictures of a pair stay together.
        let together = config.pictures();
        let faces = batch.inputs.len() / INPUT_LEN / together;
        // A part needs two faces for its statistics.
        let parts = config.parallel.min(faces / 2).max(1);
        if parts == 1 {
            return part(&self.net, batch, 0..faces * together, &self.device);
        }
        // Copies with gradients and statistics of their own.
        let copies: Vec<Network> = (0..parts).map(|_| self.net.valid().train()).collect();
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = copies
                .iter()
                .enumerate()
                .map(|(index, copy)| {
                    let rows = index * faces / parts * together..(index + 1) * faces / parts * together;
                    let device = self.device.clone();
                    scope.spawn(move || part(copy, batch, rows, &device))
                })
                .collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        // Summed in the order of the parts, so that the result does not depend on which was ready first.
        let mut sum = GradientsAccumulator::new();
        let mut loss = 0.0;
        for result in results {
            let (value, gradients) = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            loss += value;
            sum.accumulate(&self.net, gradients);
        }
        self.take_statistics(&copies);
        (loss, sum.grads())
    }

    /// Gives the network the mean of its copies' statistics.
    fn take_statistics(&mut self, copies: &[Network]) {
        let mut statistics = Statistics::default();
        self.net.visit(&mut statistics);
        let mut means = GradientsParams::new();
        for copy in copies {
            let share = 1.0 / copies.len() as f64;
            copy.valid().visit(&mut Add { statistics: &statistics, means: &mut means, share });
        }
        self.net = self.net.clone().map(&mut Put(means));
    }
}

/// Loss and gradients of some pictures of a batch.
fn part(net: &Network, batch: &FaceBatch, rows: Range<usize>, device: &Device) -> (f32, GradientsParams) {
    let inputs = batch.inputs[rows.start * INPUT_LEN..rows.end * INPUT_LEN].to_vec();
    let inputs = TensorData::new(inputs, [rows.len(), 3, INPUT, INPUT]);
    let estimates = net.forward(Tensor::from_data(inputs, device));
    let mut loss = batch.targets.loss(rows.start, &estimates);
    if let Some(pairs) = &batch.pairs {
        loss = loss + pairs.loss(rows.start, &estimates);
    }
    let value = loss.clone().into_scalar::<f32>();
    (value, GradientsParams::from_grads(loss.backward(), net))
}

/// Which parameters are statistics of a batch normalisation: those that nothing is learned in.
#[derive(Default)]
struct Statistics(Vec<ParamId>);

impl ModuleVisitor for Statistics {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() {
            self.0.push(param.id);
        }
    }
}

struct Add<'a> {
    statistics: &'a Statistics,
    means: &'a mut GradientsParams,
    share: f64,
}

impl ModuleVisitor for Add<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !self.statistics.0.contains(&param.id) {
            return;
        }
        let own = param.val() * self.share;
        let sum = match self.means.remove::<D>(param.id) {
            Some(sum) => sum + own,
            None => own,
        };
        self.means.register(param.id, sum);
    }
}

struct Put(GradientsParams);

impl ModuleMapper for Put {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.remove::<D>(param.id) {
            Some(value) => param.map(|_| Tensor::from_inner(value)),
            None => param,
        }
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::model::Task;

    use super::*;
    use crate::augment::Turn;
    use crate::data::{AgeRange, LabelledFace};
    use crate::nets::{NetworkConfig, SsrNetConfig};
    use crate::train::loss::{SampleWeights, Targets};
    use crate::train::weights::numbers;

    fn config(parallel: usize) -> RunConfig {
        let tasks = vec![Task::Age];
        let published = SsrNetConfig::published(tasks.clone());
        let net = SsrNetConfig { relu_channels: 3.into(), tanh_channels: 3.into(), fusion_channels: 3, ..published };
        RunConfig { parallel, ..RunConfig::new(tasks, NetworkConfig::SsrNet(net)) }
    }

    /// Six faces; the second three are the first three again, so that both halves have the same statistics.
    fn batch(config: &RunConfig) -> FaceBatch {
        let inputs: Vec<f32> = (0..3 * INPUT_LEN).map(|i| ((i * 7919 % 1009) as f32 / 504.5 - 1.0).powi(3)).collect();
        let mut targets = Targets::new(config);
        for age in [10.0, 30.0, 90.0, 10.0, 30.0, 90.0] {
            let face = LabelledFace { age: Some(AgeRange { min: age, max: Some(age) }), ..LabelledFace::default() };
            targets.push(&face, Turn::default(), SampleWeights { person: 1.0, pose: 1.0 }, config);
        }
        targets.finish();
        FaceBatch { inputs: inputs.repeat(2), targets, pairs: None }
    }

    fn learner(config: &RunConfig, net: &Network) -> Learner {
        let net = net.valid().train();
        let average = Some(net.valid());
        Learner { device: Device::flex().autodiff(), average, net, optimiser: optimiser(&config.schedule) }
    }

    #[test]
    fn parts_on_several_threads_give_what_one_thread_gives() {
        let net = config(1).network.init(&Device::flex().autodiff());
        let after = |parallel: usize| {
            let config = config(parallel);
            let mut learner = learner(&config, &net);
            let met: Vec<_> = (0..3).map(|step| learner.step(&config, &batch(&config), step, 1e-4)).collect();
            (met, numbers(&learner.net), numbers(&learner.average.unwrap()))
        };
        let (one, two, again) = (after(1), after(2), after(2));
        assert_eq!((&two.1, &two.2), (&again.1, &again.2), "the threads' timing must not matter");
        for (a, b) in one.0.iter().zip(&two.0) {
            assert!((a.loss - b.loss).abs() < 1e-3 * a.loss && (a.gradient - b.gradient).abs() < 1e-2 * a.gradient);
        }
        let start = numbers(&net);
        for (one, two) in [(&one.1, &two.1), (&one.2, &two.2)] {
            assert_ne!(one, &start);
            // The variance is the one of three faces here and of six there: 3/2 and 6/5 at most apart.
            let apart = one.iter().zip(two).filter(|(a, b)| (*a - *b).abs() > 1e-3 + 0.02 * a.abs()).count();
            assert!(apart < start.len() / 50, "{apart} of {}", start.len());
        }
    }
}
