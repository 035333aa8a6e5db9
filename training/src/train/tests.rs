use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::geometry::Pose;
use facelens_core::model::Task;

use super::weights::numbers;
use super::*;
use crate::augment::{Augmentation, Augmenter, INPUT, INPUT_LEN, Stored};
use crate::data::{AgeRange, FaceSet, LabelledFace, SIDE, SetWriter};
use crate::distil::View;
use crate::nets::{FsaNetConfig, NetworkConfig, Pretrained, SsrNetConfig};

static NEVER: AtomicBool = AtomicBool::new(false);
static AT_ONCE: AtomicBool = AtomicBool::new(true);

/// Drawn faces: the older, the brighter; men have a dark lower half.
fn draw_faces(folder: &Path, count: usize) -> PathBuf {
    let file = folder.join("drawn.faces");
    let mut writer = SetWriter::create(&file).unwrap();
    for index in 0..count {
        let (age, male) = ((index * 37 % 80) as f32, index % 2 == 0);
        let level = |row: usize| {
            let light = 40.0 + 2.0 * age;
            if male && row > SIDE / 2 { light / 3.0 } else { light }
        };
        let picture: Vec<u8> = (0..SIDE * SIDE)
            .flat_map(|place| {
                let (row, column) = (place / SIDE, place % SIDE);
                [(level(row) + ((row * 7 + column * 3) % 11) as f32) as u8, level(row) as u8, (column * 2) as u8]
            })
            .collect();
        let age = Some(AgeRange { min: age, max: Some(age) });
        writer
            .push(LabelledFace { name: index.to_string(), age, male: Some(male), ..LabelledFace::default() }, &picture)
            .unwrap();
    }
    writer.finish().unwrap();
    file
}

/// A narrow net, a few epochs.
fn config(set: &Path, epochs: usize) -> RunConfig {
    let tasks = vec![Task::Age, Task::Gender];
    let network = SsrNetConfig {
        relu_channels: 4.into(),
        tanh_channels: 4.into(),
        fusion_channels: 4,
        ..SsrNetConfig::published(tasks.clone())
    };
    let mut config = RunConfig::new(tasks, NetworkConfig::SsrNet(network));
    config.epochs = epochs;
    config.batch = 8;
    config.augmentation = Augmentation { erase_share: 0.0, ..Augmentation::default() };
    config.schedule.learning_rate = 1e-2;
    config.schedule.average = 0.9;
    config.sets.train = vec![SetEntry::new(set)];
    config.sets.validate = vec![SetEntry::new(set)];
    config
}

fn until(epochs: usize) -> Surroundings<'static> {
    Surroundings { device: Device::flex(), makers: 2, until: Some(epochs), stop: &NEVER }
}

/// Faces of which a bright bar stands where the nose would point.
fn draw_poses(folder: &Path) -> PathBuf {
    let file = folder.join("poses.faces");
    let mut writer = SetWriter::create(&file).unwrap();
    for index in 0..24_u8 {
        let yaw = f32::from(index) * 5.0 - 60.0;
        let bar = SIDE as f32 / 2.0 - yaw / 2.0;
        let level = |column: usize| if (column as f32 - bar).abs() < 6.0 { 250 } else { 30 };
        let picture: Vec<u8> = (0..SIDE * SIDE).flat_map(|place| [level(place % SIDE); 3]).collect();
        let pose = Some(Pose { yaw, pitch: 0.0, roll: 0.0 });
        writer.push(LabelledFace { pose, ..LabelledFace::default() }, &picture).unwrap();
    }
    writer.finish().unwrap();
    file
}

fn pose_config(file: &Path, epochs: usize) -> RunConfig {
    let network = FsaNetConfig { channels: [4; 4], ..FsaNetConfig::default() };
    let mut config = RunConfig::new(vec![Task::Pose], NetworkConfig::FsaNet(network));
    config.epochs = epochs;
    config.batch = 8;
    config.schedule.learning_rate = 5e-3;
    config.augmentation = Augmentation { mirror: true, ..Augmentation::none() };
    config.schedule.average = 0.0;
    config.sets.train = vec![SetEntry::new(file)];
    config.sets.validate = vec![SetEntry::new(file)];
    config
}

#[test]
fn poses_are_learnt_by_an_fsa_net() {
    let folder = tempfile::tempdir().unwrap();
    let config = pose_config(&draw_poses(folder.path()), 12);
    let run = folder.path().join("run");
    start(&run, config, &until(99)).unwrap();
    let losses = column(&run, "loss");
    assert!(losses[11] < 0.9 * losses[0], "{losses:?}");
    let [mean, yaw, pitch, roll] =
        ["pose_mae", "yaw_mae", "pitch_mae", "roll_mae"].map(|name| column(&run, &format!("poses_{name}"))[11]);
    assert!((mean - (yaw + pitch + roll) / 3.0).abs() < 1e-3 && yaw > 0.0, "{mean}: {yaw}, {pitch}, {roll}");
}

/// How far the yaw of a face is from that of its mirror image, mirrored back: degrees, mean over the set.
fn apart(run: &Path, set: &Path) -> f32 {
    let (_, net) = load(run, &Device::flex()).unwrap();
    let (faces, mut augmenter) = (FaceSet::read(set).unwrap(), Augmenter::new(0.25));
    let mut yaw = |mirrored: bool, index: usize| {
        let pixels = View { mirrored, clockwise: 0.0 }.of(faces.picture(index), faces.side);
        let (mut bytes, mut input) = (vec![0; INPUT_LEN], vec![0.0; INPUT_LEN]);
        augmenter.plain(Stored { pixels: &pixels, side: faces.side, context: faces.context }, &mut bytes);
        batches::to_input(&bytes, &mut input);
        let input = Tensor::from_data(TensorData::new(input, [1, 3, INPUT, INPUT]), &Device::flex());
        net.forward(input).narrow(1, 0, 1).into_scalar::<f32>()
    };
    (0..faces.len()).map(|index| (yaw(false, index) + yaw(true, index)).abs()).sum::<f32>() / faces.len() as f32
}

#[test]
fn faces_that_come_in_pairs_are_seen_alike_in_the_mirror() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_poses(folder.path());
    let run = |name: &str| folder.path().join(name);
    start(&run("first"), pose_config(&set, 3), &until(99)).unwrap();
    let after = |name: &str, agreement: f32| {
        let mut config = pose_config(&set, 8);
        config.from = Some(run("first"));
        config.parallel = 2;
        config.loss.agreement = agreement;
        start(&run(name), config, &until(99)).unwrap();
        apart(&run(name), &set)
    };
    let (alone, pairs) = (after("alone", 0.0), after("pairs", 5.0));
    assert!(pairs < 0.6 * alone, "{pairs} degrees instead of {alone}");
    // Six pictures are three faces, too few for two threads.
    let mut odd = pose_config(&set, 1);
    (odd.loss.agreement, odd.batch, odd.parallel) = (1.0, 6, 2);
    let error = start(&run("odd"), odd, &until(1)).unwrap_err().to_string();
    assert!(error.contains("each of the 2 parts needs 2 faces"), "{error}");
}

/// A column of the history.
fn column(run: &Path, name: &str) -> Vec<f64> {
    let mut reader = csv::Reader::from_path(run.join("history.csv")).unwrap();
    let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
    reader.records().map(|record| record.unwrap()[place].parse().unwrap()).collect()
}

fn trained(folder: &Path) -> Vec<f32> {
    numbers(&load(folder, &Device::flex()).unwrap().1)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn a_run_lowers_the_loss_and_goes_on_after_a_break_to_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 40);
    let (broken, unbroken) = (folder.path().join("broken"), folder.path().join("unbroken"));
    // Both begin with the same epoch, because other tests may draw random numbers between the seed and the weights.
    let first = start(&broken, config(&set, 5), &until(1)).unwrap();
    assert_eq!(first, Outcome::Stopped { epochs: 1 });
    copy(&broken, &unbroken);
    assert_eq!(resume(&unbroken, &until(9)).unwrap(), Outcome::Done);
    assert_eq!(resume(&broken, &until(2)).unwrap(), Outcome::Stopped { epochs: 2 });
    assert_eq!(resume(&broken, &until(4)).unwrap(), Outcome::Stopped { epochs: 4 });
    assert_eq!(resume(&broken, &until(9)).unwrap(), Outcome::Done);
    let (a, b) = (trained(&unbroken), trained(&broken));
    assert!(a.iter().zip(&b).all(|(a, b)| a.to_bits() == b.to_bits()) && a.len() == b.len());
    let losses = column(&broken, "loss");
    assert_eq!(losses, column(&unbroken, "loss"));
    assert_eq!(losses.len(), 5);
    assert!(losses[4] < 0.8 * losses[0], "{losses:?}");
    assert_eq!(column(&broken, "drawn_age_mae").len(), 5);
    assert_eq!(column(&broken, "drawn_gender_accuracy").len(), 5);
    // Nothing is left of the epochs before.
    assert_eq!(std::fs::read_dir(broken.join("state")).unwrap().count(), 4);
}

#[test]
fn what_cannot_be_gone_on_with_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 16);
    let run = folder.path().join("run");
    let reason = |error: RunError| error.to_string();
    assert!(reason(resume(&run, &until(1)).unwrap_err()).contains("no run in"));
    // Stopped before its first epoch was finished.
    let stopped = Surroundings { stop: &AT_ONCE, ..until(1) };
    assert_eq!(start(&run, config(&set, 2), &stopped).unwrap(), Outcome::Stopped { epochs: 0 });
    assert!(reason(resume(&run, &until(1)).unwrap_err()).contains("not finished an epoch"));
    assert!(reason(start(&run, config(&set, 2), &until(1)).unwrap_err()).contains("--resume"));

    let run = folder.path().join("another");
    start(&run, config(&set, 2), &until(1)).unwrap();
    let broken = folder.path().join("broken");
    for name in ["net-1.bpk", "average-1.bpk", "optimiser-1.bpk", "progress.json"] {
        copy(&run, &broken);
        let file = broken.join("state").join(name);
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        let error = reason(resume(&broken, &until(2)).unwrap_err());
        assert!(error.contains(name) && error.contains("damaged"), "{error}");
    }
    // Another set under the same name.
    draw_faces(folder.path(), 17);
    assert!(reason(resume(&run, &until(2)).unwrap_err()).contains("17 entries where there were 16"));
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_and_names_the_step() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 16);
    let run = folder.path().join("run");
    let mut config = config(&set, 4);
    config.schedule.learning_rate = 10.0;
    config.schedule.clip_norm = 0.0;
    config.loss.age = 1e6;
    config.schedule.weight_decay = 10.0;
    config.schedule.warm_up_steps = 0;
    let error = start(&run, config, &until(9)).unwrap_err();
    assert!(matches!(error, RunError::NotFinite { .. }), "{error}");
    assert!(error.to_string().contains("epoch 1") || error.to_string().contains("epoch 2"), "{error}");
}

#[test]
fn a_run_can_begin_from_another() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 16);
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    start(&first, config(&set, 3), &until(9)).unwrap();
    let mut next = config(&set, 1);
    next.from = Some(first.clone());
    // So small a rate changes almost nothing.
    next.schedule.learning_rate = 1e-9;
    start(&second, next.clone(), &until(9)).unwrap();
    let (a, b) = (trained(&first), trained(&second));
    let nearly = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() < 1e-6).count();
    // All but the statistics of the batch normalisations.
    assert!(nearly > a.len() * 9 / 10, "{nearly} of {}", a.len());
    // In wider parts, what still has its shape is taken over: here all but the mixes and what reads them.
    let third = folder.path().join("third");
    let NetworkConfig::SsrNet(net) = &mut next.network else { unreachable!() };
    net.mix = 5;
    start(&third, next.clone(), &until(1)).unwrap();
    let same = trained(&third).iter().filter(|weight| a.contains(weight)).count();
    assert!(same > a.len() / 3, "{same} of {}", a.len());
    // With a task more, everything is taken over.
    let mut more = config(&set, 1);
    more.tasks.push(Task::Pose);
    let NetworkConfig::SsrNet(net) = &mut more.network else { unreachable!() };
    net.tasks.push(Task::Pose);
    more.from = Some(first.clone());
    let net = run::new_net(&more, &Device::flex().autodiff(), &no_faces()).unwrap();
    assert_eq!(numbers(&net)[..a.len()], a);
    // The first convolution of the first stream, 4 channels of 3x3x3 and their biases, stays as it is where it is kept.
    let mut kept = config(&set, 1);
    (kept.from, kept.keep_convolutions) = (Some(first.clone()), 1);
    start(&folder.path().join("kept"), kept, &until(1)).unwrap();
    let after = trained(&folder.path().join("kept"));
    let change = |(before, after): (&f32, &f32)| (before - after).abs();
    let most =
        |range: std::ops::Range<usize>| a[range.clone()].iter().zip(&after[range]).map(change).fold(0.0, f32::max);
    // The average of equal numbers may differ in the last digit.
    assert!(most(0..112) < 1e-6 && most(112..a.len()) > 1e-3, "{} and {}", most(0..112), most(112..a.len()));
    // A network for other tasks has other parts.
    next.tasks = vec![Task::Age];
    next.network = NetworkConfig::SsrNet(SsrNetConfig::published(vec![Task::Age]));
    let error = start(&folder.path().join("fourth"), next, &until(1)).unwrap_err().to_string();
    assert!(error.contains("its network is another one"), "{error}");
}

fn no_faces() -> faces::RunFaces {
    faces::RunFaces::new(Vec::new(), &[], &LossConfig::default())
}

/// The shipped network knows what it knew, is trained as it was, and may learn the age's scale beside.
#[test]
fn a_run_can_begin_from_a_shipped_model() {
    let folder = tempfile::tempdir().unwrap();
    let set = draw_faces(folder.path(), 24);
    let card = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/facelens-face.toml");
    let device = Device::flex();
    let shipped = Pretrained::read(&card, &device).unwrap();
    let (network, margin) = shipped.model.clone().unwrap();
    let NetworkConfig::SsrNet(net) = &network else { unreachable!() };
    assert_eq!((net.tasks.as_slice(), net.mix, net.feature), (&Task::ALL[..], 32, 32));
    assert_eq!(net.relu_channels.0, [16, 48, 96, 192]);

    let mut config = RunConfig::new(network.tasks().to_vec(), network.clone());
    config.margin = margin;
    config.from = Some(card.clone());
    config.sets.train = vec![SetEntry::new(&set)];
    let NetworkConfig::SsrNet(net) = &mut config.network else { unreachable!() };
    net.age_scale = true;
    // New residual blocks change nothing yet.
    net.residuals += 2;
    let faces = faces::RunFaces::new(vec![FaceSet::read(&set).unwrap()], &config.tasks, &config.loss);
    let net = run::new_net(&config, &device.clone().autodiff(), &faces).unwrap();
    let inputs = |device: &Device| -> Tensor<4> {
        let numbers = batches::sample(&faces, &config, 24);
        Tensor::from_data(TensorData::new(numbers, [24, 3, INPUT, INPUT]), device)
    };
    let numbers = |x: Tensor<2>| -> Vec<f32> { x.into_data().iter::<f32>().collect() };
    let known = |x: Tensor<2>| numbers(x.narrow(1, 0, 5));
    let expected = known(shipped.net.forward(inputs(&device)));
    for (found, expected) in known(net.valid().forward(inputs(&device))).iter().zip(&expected) {
        assert!((found - expected).abs() < 2e-3, "{found} instead of {expected}");
    }
    // In training the statistics are the batch's: those that it was settled with.
    for (found, expected) in known(net.forward(inputs(&device.autodiff()))).iter().zip(&expected) {
        assert!((found - expected).abs() < 0.5, "{found} instead of {expected}");
    }
    let scales = numbers(net.valid().forward(inputs(&Device::flex())).narrow(1, 5, 1));
    assert!(scales.iter().all(|log_scale| (-2.0..5.0).contains(log_scale)), "{scales:?}");
    // A head pose network of ours has no layers left that could be trained.
    config.from = Some(card.with_file_name("facelens-pose.toml"));
    let error = run::new_net(&config, &Device::flex().autodiff(), &faces).unwrap_err().to_string();
    assert!(error.contains("facelens-pose.toml") && error.contains("SSR-Net"), "{error}");
}

#[test]
fn a_run_can_begin_from_published_weights() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let shared = std::env::var_os("FACELENS_SHARED").map_or_else(beside, PathBuf::from);
    if !shared.is_dir() {
        eprintln!("skipped: {} is not there", shared.display());
        return;
    }
    let file = shared.join("reference/ssrnet/age-imdb.h5");
    let tasks = vec![Task::Age];
    let mut config = RunConfig::new(tasks.clone(), NetworkConfig::SsrNet(SsrNetConfig::published(tasks)));
    config.from = Some(file.clone());
    let device = Device::flex();
    let net = run::new_net(&config, &device.clone().autodiff(), &no_faces()).unwrap();
    let published = Pretrained::read(&file, &device).unwrap().net;
    assert_eq!(numbers(&net), numbers(&published));
    // A net of another shape.
    config.network =
        NetworkConfig::SsrNet(SsrNetConfig { relu_channels: 8.into(), ..SsrNetConfig::published(vec![Task::Age]) });
    let error = run::new_net(&config, &device.autodiff(), &no_faces()).unwrap_err().to_string();
    assert!(error.contains("age-imdb.h5") && error.contains("do not fit"), "{error}");
}
