//! GL-CNN in tract against the reference, and both against figures worked out elsewhere.

use std::path::Path;

use facelens_core::model::Net;

use super::gl_cnn::{AgeHead, COLUMNS, GenderHead, GlCnnParts, GlCnnWeights, ROWS};
use super::{Affine, Tensor};

/// Numbers from -scale to scale that look like chance.
fn numbers(shape: &[usize], seed: usize, scale: f32) -> Tensor {
    Tensor::from_fn(shape, |i| (((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0) * scale)
}

fn layer(shape: &[usize], index: usize, scale: f32) -> Affine {
    Affine { kernel: numbers(shape, 2 * index + 1, scale), bias: numbers(&shape[..1], 2 * index + 2, 0.1) }
}

/// The network that circulates, of the published size.
fn published() -> GlCnnWeights {
    GlCnnWeights {
        parts: GlCnnParts::Shared,
        global: [layer(&[32, 1, 7, 7], 0, 0.35), layer(&[64, 32, 7, 7], 1, 0.06)],
        local: vec![[layer(&[32, 1, 7, 7], 2, 0.35), layer(&[64, 32, 5, 7], 3, 0.07)]],
        joined: layer(&[128, 128, 5, 5], 4, 0.04),
        hidden: [layer(&[1024, 5120], 5, 0.034), layer(&[1024, 1024], 6, 0.075)],
        age: AgeHead::Independent(layer(&[100, 1024], 7, 0.075)),
        gender: GenderHead::Classes(layer(&[2, 1024], 8, 0.075)),
    }
}

/// A narrow network with this layout, with every kind of head.
fn narrow(parts: GlCnnParts) -> GlCnnWeights {
    let local = |index| [layer(&[3, 1, 7, 7], index, 0.4), layer(&[4, 3, 5, 7], index + 1, 0.2)];
    let score = layer(&[2, 6], 21, 0.8);
    let thresholds = Tensor::from_fn(&[9], |k| (k as f32 - 4.0) * 0.3 + 0.01 * (k * k) as f32);
    GlCnnWeights {
        parts,
        global: [layer(&[3, 1, 7, 7], 10, 0.4), layer(&[5, 3, 7, 7], 11, 0.2)],
        local: (0..parts.networks()).map(|network| local(12 + 2 * network)).collect(),
        joined: layer(&[4, 9, 5, 5], 18, 0.2),
        hidden: [layer(&[7, 160], 19, 0.3), layer(&[6, 7], 20, 0.6)],
        age: match parts {
            GlCnnParts::Own => AgeHead::Ordered { score, thresholds },
            GlCnnParts::Shared => AgeHead::Independent(layer(&[9, 6], 21, 0.8)),
        },
        gender: match parts {
            GlCnnParts::Own => GenderHead::Chance(layer(&[1, 6], 22, 0.8)),
            GlCnnParts::Shared => GenderHead::Classes(layer(&[2, 6], 22, 0.8)),
        },
    }
}

fn gei(seed: usize) -> Tensor {
    numbers(&[1, ROWS, COLUMNS, 1], seed, 1.0).map(f32::abs)
}

fn tract(net: &GlCnnWeights) -> Net {
    let onnx = net.to_onnx().unwrap();
    Net::with_input_shape(&onnx, &[1, 1, ROWS, COLUMNS], Path::new("made")).unwrap()
}

fn close(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len());
    for (k, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 1e-4, "{what}, number {k}: {got} instead of {expected}");
    }
}

#[test]
fn the_network_that_circulates_gives_what_its_layers_give_elsewhere() {
    let net = published();
    assert_eq!((net.parameters(), net.outputs()), (6_983_142, 102));
    // Worked out in float64 by array arithmetic from the table of layers alone.
    let expected = [
        (0, 0.494_969),
        (1, 0.518_347),
        (2, 0.507_469),
        (37, 0.598_175),
        (50, 0.643_309),
        (98, 0.658_941),
        (99, 0.510_534),
        (100, 0.619_318),
        (101, 0.380_682),
    ];
    let found = tract(&net).run(gei(77).data()).unwrap();
    for (place, expected) in expected {
        assert!((found[place] - expected).abs() < 1e-4, "{place}: {} instead of {expected}", found[place]);
    }
    let sum: f32 = found[..100].iter().sum();
    assert!((sum - 50.429_71).abs() < 1e-2, "{sum}");
}

#[test]
fn tract_gives_what_the_reference_gives() {
    for parts in [GlCnnParts::Own, GlCnnParts::Shared] {
        let net = narrow(parts);
        let graph = tract(&net);
        let mut all = Vec::new();
        for seed in [1, 2] {
            let expected = net.reference(&gei(seed)).unwrap();
            close(&graph.run(gei(seed).data()).unwrap(), &expected, "the whole");
            all.push(expected);
        }
        let apart = all[0].iter().zip(&all[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(apart > 0.01, "what is the same for any image shows nothing: {apart}");
    }
}

#[test]
fn each_part_has_its_network_and_its_rows() {
    // With the layouts exchanged, other numbers come out: neither the rows nor the networks are the same.
    let own = narrow(GlCnnParts::Own);
    let same_weights = GlCnnWeights { local: vec![own.local[0].clone(); 3], ..own.clone() };
    let shared = GlCnnWeights { parts: GlCnnParts::Shared, local: vec![own.local[0].clone()], ..own.clone() };
    let [own, same_weights, shared] = [own, same_weights, shared].map(|net| net.reference(&gei(3)).unwrap());
    let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(apart(&own, &same_weights) > 1e-3);
    assert!(apart(&same_weights, &shared) > 1e-4, "the first layer's rows differ");
}

#[test]
fn ordered_answers_fall_whatever_is_seen() {
    let net = narrow(GlCnnParts::Own);
    let graph = tract(&net);
    for seed in 0..20 {
        let found = graph.run(gei(seed).map(|x| x * seed as f32).data()).unwrap();
        assert!(found[..9].windows(2).all(|pair| pair[0] >= pair[1]), "{seed}: {found:?}");
        assert!(found.iter().all(|q| (0.0..=1.0).contains(q)));
    }
}

#[test]
fn layers_that_do_not_fit_are_named() {
    let refusal = |change: &dyn Fn(&mut GlCnnWeights)| {
        let mut net = narrow(GlCnnParts::Own);
        change(&mut net);
        net.to_onnx().unwrap_err().0
    };
    assert!(refusal(&|net| drop(net.local.pop())).contains("2 local networks where the layout has 3"));
    assert!(refusal(&|net| net.joined = layer(&[4, 8, 5, 5], 1, 1.0)).starts_with("joined convolution: "));
    assert!(refusal(&|net| net.hidden[0] = layer(&[7, 161], 1, 1.0)).starts_with("hidden layer 1: "));
    assert!(refusal(&|net| net.gender = GenderHead::Classes(layer(&[1, 6], 1, 1.0))).starts_with("gender head: "));
    let falling = Tensor::from_fn(&[3], |k| -(k as f32));
    let score = layer(&[2, 6], 1, 1.0);
    let unordered =
        |net: &mut GlCnnWeights| net.age = AgeHead::Ordered { score: score.clone(), thresholds: falling.clone() };
    assert!(refusal(&unordered).contains("not in order"));
}
