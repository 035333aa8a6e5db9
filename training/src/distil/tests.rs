use std::path::PathBuf;
use std::sync::atomic::Ordering::SeqCst;

use facelens::geometry::Pose;
use facelens::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
    sha256_hex,
};
use facelens::net::fsa_net::{
    Aggregation, BLOCK_CHANNELS, FEATURES, FUSION_INPUTS, FsaNet, Fusion, PLACES, SeparableBlock, StageHead,
};
use facelens::net::{Affine, BatchNorm, Tensor};

use super::*;
use crate::data::Face;

/// Numbers that look random and are the same everywhere.
fn numbers(seed: u32, scale: f32) -> impl FnMut(usize) -> f32 {
    let mut state = seed;
    move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        scale * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    }
}

/// An FSA-Net without scoring, of made-up weights that let a picture through to all angles.
fn net(seed: u32) -> FsaNet {
    let affine = |shape: &[usize], gain: f32, bias: f32| {
        let inputs: usize = shape[..shape.len() - 1].iter().product();
        let outputs = shape[shape.len() - 1];
        Affine {
            kernel: Tensor::from_fn(shape, numbers(seed + outputs as u32, gain / (inputs as f32).sqrt())),
            bias: Tensor::from_fn(&[outputs], |_| bias),
        }
    };
    let block = |index: usize| {
        let [inputs, outputs] = BLOCK_CHANNELS[index];
        SeparableBlock {
            depthwise: Tensor::from_fn(&[3, 3, inputs, 1], numbers(seed + 7 + index as u32, 0.6)),
            pointwise: affine(&[1, 1, inputs, outputs], 2.0, 0.1),
            norm: BatchNorm {
                gamma: Tensor::from_fn(&[outputs], |_| 1.0),
                beta: Tensor::from_fn(&[outputs], |_| 0.1),
                mean: Tensor::from_fn(&[outputs], |_| 0.0),
                variance: Tensor::from_fn(&[outputs], |_| 1.0),
                epsilon: 1e-3,
            },
        }
    };
    let fusion = |stage: usize| Fusion {
        relu_head: affine(&[1, 1, FUSION_INPUTS[stage], FEATURES], 2.0, 0.1),
        tanh_head: affine(&[1, 1, FUSION_INPUTS[stage], FEATURES], 2.0, 0.1),
    };
    let head = |_| StageHead {
        delta: affine(&[4, 3], 1.0, 0.0),
        eta: affine(&[4, 3], 1.0, 0.0),
        p: affine(&[8, 9], 2.0, 0.3),
    };
    FsaNet {
        relu_stream: std::array::from_fn(block),
        tanh_stream: std::array::from_fn(block),
        fusions: std::array::from_fn(fusion),
        mapping: None,
        aggregation: Aggregation::Capsules(Tensor::from_fn(&[3, 3 * PLACES, 16, 64], numbers(seed + 99, 0.1))),
        heads: std::array::from_fn(head),
    }
}

/// A head pose model with its card in `folder`.
fn teacher_file(folder: &Path, name: &str, seed: u32) -> PathBuf {
    let onnx = net(seed).to_onnx().unwrap();
    let card = ModelCard {
        name: name.to_owned(),
        tasks: vec![Task::Pose],
        files: vec![format!("{name}.onnx")],
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
        crop: CropSpec { margin: 0.25, relative_to: BoxStyle::Facelens, resize: ResizeFilter::Triangle },
        output: OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
        accuracy: Vec::new(),
        notes: String::new(),
    };
    std::fs::write(folder.join(format!("{name}.onnx")), onnx).unwrap();
    let file = folder.join(format!("{name}.toml"));
    std::fs::write(&file, card.to_toml().unwrap()).unwrap();
    file
}

/// Coloured blots, another picture for each number.
fn picture(number: usize) -> Vec<u8> {
    let blot = |x: f32, y: f32, phase: f32| (128.0 + 120.0 * (x * 3.1 + phase).sin() * (y * 2.3 - phase).cos()) as u8;
    (0..SIDE * SIDE)
        .flat_map(|place| {
            let (x, y) = ((place % SIDE) as f32 / 20.0, (place / SIDE) as f32 / 20.0);
            [0.0, 1.0, 2.0].map(|channel| blot(x, y, channel + number as f32 * 0.7))
        })
        .collect()
}

fn set_file(folder: &Path, count: usize) -> PathBuf {
    let file = folder.join("drawn.faces");
    let mut writer = SetWriter::create(&file).unwrap();
    for number in 0..count {
        let face = Face { name: format!("{number}.png"), male: Some(number % 2 == 0), ..Face::default() };
        writer.push(face, &picture(number)).unwrap();
    }
    writer.leave_out("no face was found");
    writer.finish().unwrap();
    file
}

static GO: AtomicBool = AtomicBool::new(false);
const ONE: LabelOptions = LabelOptions { threads: 1, max_spread: None };

#[test]
fn a_label_is_the_mean_of_the_teachers_over_all_views() {
    let folder = tempfile::tempdir().unwrap();
    let files = [teacher_file(folder.path(), "one", 1), teacher_file(folder.path(), "two", 2)];
    let (set, output) = (set_file(folder.path(), 3), folder.path().join("out.faces"));
    let teacher = Teacher::load(&files).unwrap();
    let summary = label(&set, &output, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    assert_eq!((summary.len(), summary.unsure), (3, 0));

    let labelled = FaceSet::read(&output).unwrap();
    let plain = FaceSet::read(&set).unwrap();
    assert_eq!((&labelled.pixels, &labelled.left_out), (&plain.pixels, &plain.left_out));
    let mut alone: Vec<Teacher> = files.iter().map(|file| Teacher::load(std::slice::from_ref(file)).unwrap()).collect();
    for (index, face) in labelled.faces.iter().enumerate() {
        assert_eq!(face.clone(), Face { pose: face.pose, ..plain.faces[index].clone() });
        let mut sum = Pose::default();
        for view in VIEWS {
            for teacher in &mut alone {
                let seen = teacher.pose(view.of(plain.picture(index), SIDE), SIDE, plain.context).unwrap().unwrap();
                let pose = view.undo(seen);
                sum = Pose { yaw: sum.yaw + pose.yaw, pitch: sum.pitch + pose.pitch, roll: sum.roll + pose.roll };
            }
        }
        let pose = face.pose.unwrap();
        for (got, sum) in [(pose.yaw, sum.yaw), (pose.pitch, sum.pitch), (pose.roll, sum.roll)] {
            assert!((got - sum / 12.0).abs() < 1e-3, "{got} instead of {}", sum / 12.0);
        }
    }
    assert_ne!(labelled.faces[0].pose, labelled.faces[1].pose, "the teachers look at the picture");
}

#[test]
fn an_interrupted_run_goes_on_to_the_same_set_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = Teacher::load(&[teacher_file(folder.path(), "one", 3)]).unwrap();
    let set = set_file(folder.path(), 20);
    let (whole, torn) = (folder.path().join("whole.faces"), folder.path().join("torn.faces"));
    let three = LabelOptions { threads: 3, ..ONE };
    label(&set, &whole, &teacher, three, &GO, |_, _| {}).unwrap().unwrap();

    let stop = AtomicBool::new(false);
    let stop_after_a_batch = |done: usize, _: usize| stop.store(done > 0, SeqCst);
    assert_eq!(label(&set, &torn, &teacher, three, &stop, stop_after_a_batch).unwrap(), None);
    assert!(!torn.exists(), "a set is not there before it is whole");
    let labels = folder.path().join("torn.faces.labels.csv");
    let mut text = std::fs::read(&labels).unwrap();
    assert!(text.iter().filter(|byte| **byte == b'\n').count() == 18);
    text.truncate(text.len() - 5);
    std::fs::write(&labels, text).unwrap();
    label(&set, &torn, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    assert!(std::fs::read(&torn).unwrap() == std::fs::read(&whole).unwrap(), "the same set to the byte");
}

#[test]
fn faces_that_the_teachers_are_unsure_of_are_left_out_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let teacher = Teacher::load(&[teacher_file(folder.path(), "one", 4)]).unwrap();
    let (set, output) = (set_file(folder.path(), 6), folder.path().join("out.faces"));
    label(&set, &output, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    let text = std::fs::read_to_string(folder.path().join("out.faces.labels.csv")).unwrap();
    let mut spreads: Vec<f32> =
        text.lines().skip(2).map(|line| line.rsplit(',').next().unwrap().parse().unwrap()).collect();
    spreads.sort_by(f32::total_cmp);
    assert!(spreads[3] < spreads[4], "{spreads:?}");

    let options = LabelOptions { max_spread: Some(spreads[3]), ..ONE };
    let summary = label(&set, &output, &teacher, options, &GO, |_, _| {}).unwrap().unwrap();
    assert_eq!((summary.len(), summary.unsure), (4, 2));
    let labelled = FaceSet::read(&output).unwrap();
    assert_eq!(labelled.left_out.values().sum::<usize>(), 3, "{:?}", labelled.left_out);
    assert_eq!(labelled.len(), 4);
}

#[test]
fn what_cannot_be_labelled_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = teacher_file(folder.path(), "one", 5);
    let teacher = Teacher::load(std::slice::from_ref(&file)).unwrap();
    let (set, output) = (set_file(folder.path(), 1), folder.path().join("out.faces"));
    let refused = |set: &Path, output: &Path, teacher: &Teacher| {
        label(set, output, teacher, ONE, &GO, |_, _| {}).unwrap_err().to_string()
    };
    assert!(refused(&set, &folder.path().join("./drawn.faces"), &teacher).contains("the set itself"));
    assert!(refused(&file, &output, &teacher).contains("one.toml is no set of faces"));
    assert!(refused(&folder.path().join("none.faces"), &output, &teacher).contains("none.faces"));

    label(&set, &output, &teacher, ONE, &GO, |_, _| {}).unwrap().unwrap();
    let other = Teacher::load(&[teacher_file(folder.path(), "two", 6)]).unwrap();
    assert!(refused(&set, &output, &other).contains("labels of other teachers"));

    let age = Teacher::load(&[PathBuf::from("ssrnet-age-imdb")]).err().unwrap().to_string();
    assert!(age.contains("for age, not for pose"), "{age}");
}
