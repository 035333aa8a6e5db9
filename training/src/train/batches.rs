//! Batches of augmented faces, made on threads of their own while the network learns from earlier ones.

use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use rand::RngExt;
use rand::seq::SliceRandom;

use super::config::RunConfig;
use super::faces::RunFaces;
use super::loss::Targets;
use super::pairs::Pairs;
use crate::augment::{Augmenter, INPUT, INPUT_LEN, generator};

/// Batches that each thread makes ahead.
const AHEAD: usize = 3;
/// Stands where a face's number stands otherwise: the generator of the order of an epoch.
const ORDER: u64 = u64::MAX;

/// The pictures of one step.
pub(super) struct FaceBatch {
    /// `[pictures, 3, 64, 64]`, from -1 to 1.
    pub(super) inputs: Vec<f32>,
    pub(super) targets: Targets,
    /// Where each face has two pictures, one after the other.
    pub(super) pairs: Option<Pairs>,
}

/// The faces of each step of an epoch, each face at most once. What does not fill a batch is left out, another part of
/// the set each time; a set smaller than a batch is one.
pub(super) fn order(faces: usize, config: &RunConfig, epoch: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..faces).collect();
    order.shuffle(&mut generator(config.seed.into(), epoch as u64, ORDER));
    if faces < at_once(config) {
        return vec![order];
    }
    order.chunks_exact(at_once(config)).map(<[usize]>::to_vec).collect()
}

/// How many steps an epoch has.
pub(super) fn steps(faces: usize, config: &RunConfig) -> usize {
    (faces / at_once(config)).max(1)
}

/// Faces of a whole batch.
pub(super) fn at_once(config: &RunConfig) -> usize {
    config.batch / config.pictures()
}

/// Makes one batch: the same whenever and wherever it is made.
pub(super) fn make(
    faces: &RunFaces,
    chosen: &[usize],
    config: &RunConfig,
    epoch: usize,
    augmenter: &mut Augmenter,
) -> FaceBatch {
    let mut inputs = vec![0.0; chosen.len() * config.pictures() * INPUT_LEN];
    let mut targets = Targets::new(config);
    let mut pairs = Pairs::new(config);
    let mut bytes = vec![0; INPUT_LEN];
    for (index, inputs) in chosen.iter().zip(inputs.chunks_exact_mut(config.pictures() * INPUT_LEN)) {
        let mut rng = generator(config.seed.into(), epoch as u64, *index as u64);
        let mut mirrored = config.augmentation.mirror && rng.random_bool(0.5);
        for input in inputs.chunks_exact_mut(INPUT_LEN) {
            let turn = augmenter.varied(faces.picture(*index), mirrored, &config.augmentation, &mut rng, &mut bytes);
            to_input(&bytes, input);
            targets.push(faces.face(*index), turn, faces.weights(*index), config);
            if let Some(pairs) = &mut pairs {
                pairs.push(turn);
            }
            mirrored = config.augmentation.mirror && !mirrored;
        }
    }
    targets.finish();
    FaceBatch { inputs, targets, pairs }
}

/// The pictures of so many faces from all over the set, as an epoch shows them.
pub(super) fn sample(faces: &RunFaces, config: &RunConfig, count: usize) -> Vec<f32> {
    let count = count.min(faces.len());
    let chosen: Vec<_> = (0..count).map(|place| place * faces.len() / count).collect();
    make(faces, &chosen, config, 0, &mut Augmenter::new(config.margin)).inputs
}

/// 64 x 64 RGB bytes as the network takes them: channel by channel, `(byte - 127.5) / 127.5`.
pub(super) fn to_input(bytes: &[u8], input: &mut [f32]) {
    for (channel, plane) in input.chunks_exact_mut(INPUT * INPUT).enumerate() {
        for (value, byte) in plane.iter_mut().zip(bytes.iter().skip(channel).step_by(3)) {
            *value = (f32::from(*byte) - 127.5) / 127.5;
        }
    }
}

/// The batches of an epoch in their order.
pub(super) struct Batches<'scope> {
    makers: Vec<(Receiver<FaceBatch>, ScopedJoinHandle<'scope, ()>)>,
    next: usize,
}

impl<'scope> Batches<'scope> {
    /// Starts `threads` makers. Dropping the batches ends them.
    pub(super) fn start<'env>(
        scope: &'scope Scope<'scope, 'env>,
        faces: &'env RunFaces,
        config: &'env RunConfig,
        epoch: usize,
        threads: usize,
    ) -> Self {
        let order = order(faces.len(), config, epoch);
        let makers = (0..threads.max(1)).map(|maker| {
            let (sender, receiver) = sync_channel(AHEAD);
            let own: Vec<_> = order.iter().skip(maker).step_by(threads.max(1)).cloned().collect();
            let thread = scope.spawn(move || {
                let mut augmenter = Augmenter::new(config.margin);
                for chosen in own {
                    // Nobody takes batches any more after an interruption.
                    if sender.send(make(faces, &chosen, config, epoch, &mut augmenter)).is_err() {
                        return;
                    }
                }
            });
            (receiver, thread)
        });
        Self { makers: makers.collect(), next: 0 }
    }
}

impl Iterator for Batches<'_> {
    type Item = FaceBatch;

    fn next(&mut self) -> Option<FaceBatch> {
        let maker = self.next % self.makers.len();
        self.next += 1;
        self.makers[maker].0.recv().ok()
    }
}
