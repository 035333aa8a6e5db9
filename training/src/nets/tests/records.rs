//! Training mode, saving and loading.

use burn::optim::{AdamWConfig, GradientsParams};

use super::*;
use crate::nets::SsrNet;

fn variances(net: &Network) -> Vec<f32> {
    match net {
        Network::SsrNet(net) => net.to_weights().unwrap().relu_stream[2].norm.clone().unwrap().variance.into_data(),
        Network::FsaNet(net) => net.to_weights().unwrap().relu_stream[3].norm.variance.data().to_vec(),
        Network::SsrNetMd(net) => net.to_weights().unwrap().relu_stream[3].norm.variance.data().to_vec(),
    }
}

#[test]
fn statistics_follow_the_batches_in_training_only() {
    for config in every_network() {
        let plain = Device::flex();
        let net = made_up(&config, &plain);
        let before = variances(&net);
        net.forward(faces(2, &plain));
        assert_eq!(variances(&net), before, "{config:?} changes without training");
        let net = net.train();
        net.forward(faces(2, &plain.clone().autodiff()));
        let once = variances(&net);
        assert_ne!(once, before, "{config:?} stays in training");
        net.forward(faces(2, &plain.autodiff()));
        assert_ne!(variances(&net), once, "the last step's statistics are not in the weights of {config:?}");
    }
}

#[test]
fn a_record_of_the_network_at_rest_brings_back_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let device = Device::flex().autodiff();
    for (index, config) in every_network().into_iter().enumerate() {
        let net = made_up(&config, &device);
        net.forward(faces(2, &device));
        let expected = numbers(net.valid().forward(faces(2, &Device::flex())));
        let file = folder.path().join(format!("{index}.bpk"));
        net.valid().save_file(&file).unwrap();
        let loaded = config.init(&Device::flex()).try_load_file(&file).unwrap();
        assert_eq!(numbers(loaded.forward(faces(2, &Device::flex()))), expected, "{config:?}");
        let other = every_network().swap_remove((index + 1) % 7).init(&Device::flex());
        assert!(other.try_load_file(&file).is_err(), "{config:?} loads as another network");
    }
}

/// Four steps in one go, and two and two with everything written down in between.
#[test]
fn a_training_goes_on_from_records_with_the_same_bits() {
    let device = Device::flex().autodiff();
    let config = every_network().swap_remove(1);
    let optimiser = || AdamWConfig::new().with_weight_decay(0.01).init();
    let step = |net: Network, optimiser: &mut burn::optim::ModuleOptimizer| {
        let loss = (net.forward(faces(2, &device)) - 20.0).abs().mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &net);
        optimiser.step(1e-3, net, gradients)
    };
    let start = made_up(&config, &Device::flex());
    let weights = |net: &Network| match net {
        Network::SsrNet(net) => net.to_weights().unwrap(),
        _ => unreachable!(),
    };
    let Network::SsrNet(start) = start else { unreachable!() };
    let start = || Network::SsrNet(SsrNet::from_weights(&start.to_weights().unwrap(), &device).unwrap());

    let (mut net, mut optimiser_1) = (start(), optimiser());
    for _ in 0..4 {
        net = step(net, &mut optimiser_1);
    }
    let unbroken = weights(&net);

    let (mut net, mut optimiser_1) = (start(), optimiser());
    for _ in 0..2 {
        net = step(net, &mut optimiser_1);
    }
    let net_bytes = net.valid().into_record().into_bytes().unwrap();
    let optimiser_bytes = optimiser_1.to_record().into_bytes().unwrap();
    let record = burn::store::ModuleRecord::from_bytes(net_bytes).unwrap();
    let mut net = config.init(&device).try_load_record(record).unwrap();
    let record = burn::optim::OptimizerRecord::from_bytes(optimiser_bytes).unwrap();
    let mut optimiser_2 = optimiser().load_record(record);
    for _ in 0..2 {
        net = step(net, &mut optimiser_2);
    }
    assert!(weights(&net) == unbroken, "the broken training ends elsewhere");
}

#[test]
fn a_copy_at_rest_has_statistics_of_its_own() {
    let device = Device::flex().autodiff();
    let net = made_up(&every_network().swap_remove(1), &device);
    let (clone, rest) = (net.clone(), net.valid());
    let before = variances(&net);
    net.forward(faces(2, &device));
    assert_eq!(variances(&rest), before);
    assert_ne!(variances(&clone), before, "burn's clones no longer share statistics: say so in the module's words");
}
