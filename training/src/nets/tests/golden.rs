//! The authors' weights in burn against golden vectors: every face's output in the authors' framework.

use std::collections::HashMap;

use facelens_import::formats::{Layers, read_layers};
use serde::Deserialize;

use super::*;
use crate::nets::{FsaNet, Pretrained, SsrNet};

/// Largest difference from the original framework, in the output's unit.
const TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct Golden {
    faces: Vec<GoldenFace>,
}

#[derive(Deserialize)]
struct GoldenFace {
    crop40_bgr_b64: String,
    crop50_bgr_b64: String,
    crop60_bgr_b64: String,
    outputs: HashMap<String, HashMap<String, serde_json::Value>>,
}

impl GoldenFace {
    /// The crop that a group of outputs was made from, `[64, 64, 3]`, blue first.
    fn crop(&self, group: &str) -> Vec<f32> {
        let text = match &group[group.len() - 2..] {
            "40" => &self.crop40_bgr_b64,
            "50" => &self.crop50_bgr_b64,
            _ => &self.crop60_bgr_b64,
        };
        let bytes: Vec<f32> = base64(text).into_iter().map(f32::from).collect();
        if group.starts_with("raw") {
            return bytes;
        }
        let (low, high) = bytes.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        bytes.into_iter().map(|x| (x - low) * (255.0 / (high - low))).collect()
    }

    fn expected(&self, group: &str, key: &str) -> Vec<f32> {
        let numbers = |value: &serde_json::Value| value.as_f64().unwrap() as f32;
        let value = &self.outputs[group][key];
        value.as_array().map_or_else(|| vec![numbers(value)], |values| values.iter().map(numbers).collect())
    }
}

fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| alphabet.iter().position(|&letter| letter == byte));
    let digits: Vec<usize> = digits.collect();
    let three = |four: &[usize]| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - four.len()));
        [16, 8, 0].map(|shift| (bits >> shift) as u8).into_iter().take(four.len() - 1)
    };
    digits.chunks(4).flat_map(|four| three(four).collect::<Vec<_>>()).collect()
}

fn golden(shared: &Path) -> Vec<GoldenFace> {
    let text = std::fs::read(shared.join("reference/golden/golden.json")).unwrap();
    serde_json::from_slice::<Golden>(&text).unwrap().faces
}

/// A batch of crops, channels last, as `[batch, 3, 64, 64]`.
fn batch(crops: &[Vec<f32>], device: &Device) -> Tensor<4> {
    let data = TensorData::new(crops.concat(), [crops.len(), 64, 64, 3]);
    Tensor::<4>::from_data(data, device).permute([0, 3, 1, 2])
}

fn load(file: &Path, device: &Device) -> Network {
    match read_layers(file, None).unwrap() {
        Layers::SsrNet { net, .. } => Network::SsrNet(SsrNet::from_weights(&net, device).unwrap()),
        Layers::FsaNet { net, .. } => Network::FsaNet(FsaNet::from_weights(&net, device).unwrap()),
    }
}

const FILES: [(&str, &str); 9] = [
    ("ssrnet/age-imdb.h5", "ssrnet_age_imdb"),
    ("ssrnet/age-wiki.h5", "ssrnet_age_wiki"),
    ("ssrnet/age-megaface_asian.h5", "ssrnet_age_megaface_asian"),
    ("ssrnet/gender-imdb.h5", "ssrnet_gender_imdb"),
    ("ssrnet/gender-wiki.h5", "ssrnet_gender_wiki"),
    ("fsanet/fsanet_capsule_3_16_2_21_5.h5", "fsanet_capsule"),
    ("fsanet/fsanet_var_capsule_3_16_2_21_5.h5", "fsanet_var_capsule"),
    ("fsanet/fsanet_noS_capsule_3_16_2_192_5.h5", "fsanet_noS_capsule"),
    ("fsanet/fsanet_metric_3_16_2_21_5.h5", "fsanet_metric"),
];

#[test]
fn the_authors_weights_give_the_authors_outputs() {
    let Some(shared) = shared() else { return };
    let device = Device::flex();
    let faces = golden(&shared);
    for (file, key) in FILES {
        let net = load(&shared.join("reference").join(file), &device);
        for group in ["norm50", "raw50", "raw40", "norm60"] {
            if !faces[0].outputs[group].contains_key(key) {
                continue;
            }
            let crops: Vec<_> = faces.iter().map(|face| face.crop(group)).collect();
            let expected: Vec<f32> = faces.iter().flat_map(|face| face.expected(group, key)).collect();
            let got = numbers(net.forward(batch(&crops, &device)));
            assert_close(&got, &expected, TOLERANCE, &format!("{key} on {group}"));
        }
    }
}

/// What a training starts from says the same of our input as the file says of its own.
#[test]
fn published_weights_are_read_for_our_input() {
    let Some(shared) = shared() else { return };
    let device = Device::flex();
    let faces = golden(&shared);
    for (file, key) in FILES {
        let file = shared.join("reference").join(file);
        let net = Pretrained::read(&file, &device).unwrap().net;
        let group = if key.starts_with("ssrnet") { "raw50" } else { "norm60" };
        let bgr: Vec<_> = faces.iter().map(|face| face.crop(group)).collect();
        let ours = |crop: &Vec<f32>| (0..crop.len()).map(|i| (crop[i / 3 * 3 + 2 - i % 3] - 127.5) / 127.5).collect();
        let ours: Vec<Vec<f32>> = bgr.iter().map(ours).collect();
        let got = numbers(net.forward(batch(&ours, &device)));
        let expected = numbers(load(&file, &device).forward(batch(&bgr, &device)));
        // FSA-Net pads with zeros: black for bytes, grey for us.
        let tolerance = if key.starts_with("ssrnet") { TOLERANCE } else { 5.0 };
        assert_close(&got, &expected, tolerance, key);
    }
}

#[test]
fn a_file_that_no_training_can_start_from_is_named() {
    let Some(shared) = shared() else { return };
    let device = Device::flex();
    for (file, cause) in [
        ("mxnet/model-ssr-imdb-0021.params", "MXNet port"),
        ("omasaht/fsanet-var-iter-688590.onnx", "not a weight file"),
        ("absent.h5", "cannot be read"),
    ] {
        let file = shared.join("reference").join(file);
        let error = Pretrained::read(&file, &device).unwrap_err().to_string();
        assert!(error.contains(cause) && error.starts_with(&file.display().to_string()), "{error}");
    }
}
