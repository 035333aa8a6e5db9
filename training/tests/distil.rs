//! `facelens-training distil` and `export` as a user calls them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burn::tensor::Device;
use facelens_core::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
    sha256_hex,
};
use facelens_training::data::{FaceSet, LabelledFace, SIDE, SetWriter};
use facelens_training::nets::{FsaNetConfig, NetworkConfig};

fn call(command: &str, options: &[&Path]) -> Output {
    let mut program = Command::new(assert_cmd::cargo::cargo_bin!("facelens-training"));
    program.args(command.split(' ')).args(options).stdin(Stdio::null()).output().unwrap()
}

/// A head pose model with random weights.
fn model(folder: &Path) -> PathBuf {
    let onnx = NetworkConfig::FsaNet(FsaNetConfig::default()).init(&Device::flex()).to_onnx().unwrap();
    let card = ModelCard {
        name: "random".to_owned(),
        tasks: vec![Task::Pose],
        files: vec!["random.onnx".to_owned()],
        sha256: vec![sha256_hex(&onnx)],
        source: "a test".to_owned(),
        licence: "MIT".to_owned(),
        training_data: "none".to_owned(),
        input: InputSpec {
            width: 64,
            height: 64,
            layout: Layout::Nchw,
            channels: ChannelOrder::Rgb,
            scaling: Scaling::MeanStd { mean: [127.5; 3], std: [127.5; 3] },
        },
        crop: CropSpec {
            margin: 0.25,
            relative_to: BoxStyle::Facelens,
            resize: ResizeFilter::Triangle,
            ..CropSpec::default()
        },
        output: OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
        select: None,
        calibration: None,
        accuracy: Vec::new(),
        notes: String::new(),
    };
    std::fs::write(folder.join("random.onnx"), onnx).unwrap();
    let file = folder.join("random.toml");
    std::fs::write(&file, card.to_toml().unwrap()).unwrap();
    file
}

fn set(folder: &Path) -> PathBuf {
    let file = folder.join("drawn.faces");
    let mut writer = SetWriter::create(&file).unwrap();
    for index in 0..3 {
        let picture: Vec<u8> = (0..SIDE * SIDE * 3).map(|place| (place / 29 * (index + 3) % 256) as u8).collect();
        writer.push(LabelledFace { name: index.to_string(), ..LabelledFace::default() }, &picture).unwrap();
    }
    writer.finish().unwrap();
    file
}

#[test]
fn a_set_is_labelled_and_a_model_is_checked_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let (model, set, out) = (model(folder.path()), set(folder.path()), folder.path().join("out.faces"));
    let labelled = call("distil label", &[&set, "--teacher".as_ref(), &model, "-o".as_ref(), &out]);
    let text = String::from_utf8(labelled.stdout).unwrap();
    assert_eq!(labelled.status.code(), Some(0), "{}", String::from_utf8_lossy(&labelled.stderr));
    assert!(text.contains("3 faces labelled, 0 not") && text.contains("yaw"), "{text}");
    assert!(FaceSet::read(&out).unwrap().faces.iter().all(|face| face.pose.is_some()));

    let options: [&Path; 6] = [&out, "--model".as_ref(), &model, "--reference".as_ref(), &model, "--json".as_ref()];
    let checked = call("distil check", &options);
    assert_eq!(checked.status.code(), Some(0), "{}", String::from_utf8_lossy(&checked.stderr));
    let json: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!((&json["models"][0], &json["faces"]), (&"random".into(), &3.into()));
    assert_eq!(json["to_reference"]["mean"]["mean"], 0.0);
    assert!(json["to_labels"]["n"] == 3 && json["turned"]["roll"]["mean"].is_number(), "{json}");
    let table = call("distil check", &options[..5]);
    assert!(String::from_utf8(table.stdout).unwrap().contains("to the reference"));
}

#[test]
fn wrong_calls_and_missing_files_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (set, nowhere) = (set(folder.path()), folder.path().join("nowhere"));
    let said = |command: &str, options: &[&Path]| {
        let output = call(command, options);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = said("distil label", &[&set, "-o".as_ref(), &nowhere]);
    assert!(code == Some(2) && text.contains("--teacher"), "{text}");
    let (code, text) = said("distil label", &[&set, "--teacher".as_ref(), &nowhere, "-o".as_ref(), &nowhere]);
    assert!(code == Some(1) && text.contains("nowhere"), "{text}");
    let (code, text) = said("distil check", &[&nowhere, "--model".as_ref(), &model(folder.path())]);
    assert!(code == Some(1) && text.contains("nowhere"), "{text}");
    let (code, text) = said("export --name x -o", &[folder.path(), &nowhere]);
    assert!(code == Some(1) && text.contains("nowhere"), "{text}");
}
