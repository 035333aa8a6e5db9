//! Shapes, and burn's arithmetic against tract's on what is exported.

use super::*;
use crate::nets::{FsaNet, SsrNet, SsrNetMd};

/// What each output is an estimate of; `None` for the logarithm of the age's scale, which comes last.
fn task_of_each_value(config: &NetworkConfig) -> Vec<Option<Task>> {
    let values = |task: &Task| vec![Some(*task); if *task == Task::Pose { 3 } else { 1 }];
    config.tasks().iter().flat_map(values).chain(config.age_scale().then_some(None)).collect()
}

#[test]
fn every_network_gives_a_row_of_values_for_each_face() {
    let device = Device::flex();
    for config in every_network() {
        let values = task_of_each_value(&config).len();
        let output = config.init(&device).forward(faces(3, &device));
        assert_eq!(output.dims(), [3, values], "{config:?}");
    }
}

#[test]
fn networks_of_published_width_have_the_published_size() {
    let count = |config: NetworkConfig| config.init(&Device::flex()).num_params();
    let fsa = |scoring| NetworkConfig::FsaNet(FsaNetConfig { scoring, ..FsaNetConfig::default() });
    assert_eq!(count(NetworkConfig::SsrNet(SsrNetConfig::published(vec![Task::Age]))), 40_915);
    assert_eq!(count(fsa(FsaNetScoring::Convolution)), 238_471);
    assert_eq!(count(fsa(FsaNetScoring::None)), 694_563);
    assert_eq!(count(NetworkConfig::SsrNetMd(SsrNetMdConfig::default())), 233_619);
}

#[test]
fn settings_of_no_network_are_refused() {
    for config in every_network() {
        config.check().unwrap();
    }
    let cause = |text: &str| toml::from_str::<NetworkConfig>(text).unwrap().check().unwrap_err();
    assert!(cause("kind = 'ssr-net'\ntasks = []").contains("no task"));
    assert!(cause("kind = 'ssr-net'\ntasks = ['age']\nrelu_channels = 0").contains("relu_channels is 0"));
    assert!(cause("kind = 'ssr-net'\ntasks = ['age']\nresiduals = 99").contains("residuals is 99"));
    assert!(cause("kind = 'fsa-net'\nchannels = [16, 0, 64, 128]").contains("channels is 0"));
    assert!(cause("kind = 'ssr-net-md'\nchannels = [16, 32, 64, 4000]").contains("channels is 4000"));
}

#[test]
fn a_fresh_network_starts_in_the_middle_of_its_range() {
    // A stage whose bins are all dead gives exactly 0 and never learns; one whose Delta is near -1 gives anything.
    let device = Device::flex().autodiff();
    for config in every_network() {
        let values = numbers(config.init(&device).forward(faces(4, &device)));
        for (task, &value) in task_of_each_value(&config).into_iter().cycle().zip(&values) {
            match task {
                Some(Task::Age) => assert!((5.0..96.0).contains(&value), "{config:?} starts at {value}"),
                Some(Task::Gender) => assert!((0.05..0.95).contains(&value), "{config:?} starts at {value}"),
                Some(Task::Pose) => assert!(value != 0.0 && value.abs() < 60.0, "{config:?} starts at {value}"),
                // A scale of one to thirty years.
                None => assert!((0.0..3.4).contains(&value), "{config:?} starts at {value}"),
            }
        }
    }
}

#[test]
fn tract_gives_what_burn_gives() {
    let device = Device::flex();
    let faces = faces(2, &device);
    for config in every_network() {
        let net = made_up(&config, &device);
        let expected = numbers(net.forward(faces.clone()));
        let got = run_graph(&net.to_onnx().unwrap(), &numbers(faces.clone()));
        assert!(expected[0] != 0.0 && expected[0] != expected[expected.len() / 2], "{config:?} says {expected:?}");
        assert_close(&got, &expected, 1e-4, &format!("{config:?}"));
    }
}

#[test]
fn each_face_of_a_batch_is_seen_by_itself() {
    let device = Device::flex();
    for config in every_network() {
        let net = made_up(&config, &device);
        let batch = numbers(net.forward(faces(3, &device)));
        let second = numbers(net.forward(faces(3, &device).narrow(0, 1, 1)));
        assert_close(&second, &batch[second.len()..2 * second.len()], 1e-4, &format!("{config:?}"));
    }
}

#[test]
fn weights_there_and_back_are_the_same_bits() {
    let device = Device::flex();
    for config in every_network() {
        let net = made_up(&config, &device);
        let (back, same) = match &net {
            Network::SsrNet(net) => {
                let weights = net.to_weights().unwrap();
                let back = SsrNet::from_weights(&weights, &device).unwrap();
                let same = back.to_weights().unwrap() == weights;
                (Network::SsrNet(back), same)
            }
            Network::FsaNet(net) => {
                let weights = net.to_weights().unwrap();
                let back = FsaNet::from_weights(&weights, &device).unwrap();
                let same = back.to_weights().unwrap() == weights;
                (Network::FsaNet(back), same)
            }
            Network::SsrNetMd(net) => {
                let weights = net.to_weights().unwrap();
                let back = SsrNetMd::from_weights(&weights, &device).unwrap();
                let same = back.to_weights().unwrap() == weights;
                (Network::SsrNetMd(back), same)
            }
        };
        assert!(same, "{config:?}");
        let faces = faces(2, &device);
        assert_eq!(numbers(back.forward(faces.clone())), numbers(net.forward(faces)), "{config:?}");
    }
}

#[test]
fn weights_that_cannot_be_trained_are_refused_with_the_reason() {
    let device = Device::flex();
    let Network::SsrNet(net) = made_up(&every_network()[0], &device) else { unreachable!() };
    let weights = net.to_weights().unwrap();
    let cause = |change: &dyn Fn(&mut facelens_import::net::ssr_net::SsrNetWeights)| {
        let mut weights = weights.clone();
        change(&mut weights);
        SsrNet::from_weights(&weights, &device).unwrap_err().to_string()
    };
    assert!(cause(&|net| net.relu_in_stage_1 = false).contains("MXNet"));
    let input = facelens_import::net::ssr_net::InputScaling { offset: 127.5, factor: 1.0 / 128.0 };
    assert!(cause(&|net| net.input_scaling = Some(input)).contains("MXNet"));
    assert!(cause(&|net| net.tanh_stream[2] = net.relu_stream[2].clone()).contains("tanh stream"));
}
