use std::cell::Cell;

use burn::tensor::Device;
use facelens_core::model::{BoxStyle, OutputForm, Task};
use facelens_import::net::Tensor;
use facelens_import::{Library, Sandbox};

use super::perturb::{Change, changed, names};
use super::*;
use crate::data::{CONTEXT, LabelledFace, SIDE};
use crate::nets::{FsaNet, FsaNetConfig, Pretrained, SsrNet, SsrNetConfig};
use crate::testing::{self, fsa_net, picture};

fn texts(name: &str) -> CardTexts {
    CardTexts {
        name: name.to_owned(),
        source: "a test".to_owned(),
        licence: "MIT".to_owned(),
        training_data: "drawn blots".to_owned(),
        notes: String::new(),
    }
}

fn crops(count: usize) -> FaceSet {
    let (faces, pixels) = (vec![LabelledFace::default(); count], (0..count).flat_map(picture).collect());
    FaceSet { side: SIDE, context: CONTEXT, faces, left_out: std::collections::BTreeMap::new(), pixels }
}

/// Age has the range 101, gender 1, an angle one below 0: -99.
fn ssr_net(ranges: &[f32]) -> Network {
    Network::SsrNet(SsrNet::from_weights(&testing::ssr_net(1, ranges), &Device::flex()).unwrap())
}

fn config(tasks: &[Task]) -> NetworkConfig {
    NetworkConfig::SsrNet(SsrNetConfig::published(tasks.to_vec()))
}

fn onnx(net: &Network) -> Result<Vec<u8>, String> {
    net.to_onnx().map_err(|error| error.to_string())
}

/// Exports into a new folder. Only each `every`-th tensor is changed: to prepare a graph takes a while.
fn export(net: &Network, config: &NetworkConfig, every: usize) -> (tempfile::TempDir, Exported) {
    let folder = tempfile::tempdir().unwrap();
    let (texts, models) = (texts("tried"), folder.path().join("new/models"));
    let export = Export { net, config, margin: 0.3, texts: &texts, folder: &models, force: false };
    let names = names(net);
    let wanted = |name: &str| names.iter().position(|n| n == name).is_some_and(|index| index % every == every / 2);
    let exported = export.run_with(&onnx, wanted, &crops(3), |_, _| true).unwrap();
    assert_eq!(exported.card, models.join("tried.toml"));
    assert_eq!(fs::read_dir(models).unwrap().count(), 2, "no part is left");
    (folder, exported)
}

#[test]
fn a_network_for_two_tasks_becomes_a_model_that_the_app_loads() {
    let tasks = [Task::Age, Task::Gender];
    let (_folder, exported) = export(&ssr_net(&[101.0, 1.0]), &config(&tasks), 12);
    let model = Library::open(&Sandbox::in_process()).load_file(&exported.card, Some(Task::Gender)).unwrap();
    assert_eq!((model.card.tasks.as_slice(), &model.card.output), (&tasks[..], &OutputForm::YearsAndMaleScore));
    assert_eq!((model.card.crop.margin, model.card.crop.relative_to), (0.3, BoxStyle::Facelens));
    assert_eq!((model.card.training_data.as_str(), model.card.licence.as_str()), ("drawn blots", "MIT"));
    let Verified { inputs, largest, tensors, silent } = exported.verified;
    // Every twelfth of: two streams of four blocks of 6 tensors, and for each task three stages of 8 layers with two.
    assert_eq!((inputs, tensors, silent), (3, (8 * 6 + 2 * 3 * 8 * 2) / 12, Vec::<String>::new()));
    assert!(largest.iter().all(|off| *off <= TOLERANCE), "{largest:?}");
}

#[test]
fn a_network_for_all_tasks_becomes_a_model_that_the_app_loads() {
    let net = ssr_net(&[101.0, 1.0, -99.0, -98.0, -97.0]);
    let (_folder, exported) = export(&net, &config(&Task::ALL), 41);
    let model = Library::open(&Sandbox::in_process()).load_file(&exported.card, Some(Task::Pose)).unwrap();
    assert_eq!((model.card.tasks.as_slice(), model.card.output.len()), (&Task::ALL[..], 5));
    assert_eq!(exported.verified.largest.len(), 5);
}

#[test]
fn a_network_that_knows_the_ages_scale_becomes_a_model_that_the_app_loads() {
    let net = ssr_net(&[101.0, 1.0, -99.0, -98.0, -97.0, 3.0]);
    let scaled = |tasks: &[Task]| {
        NetworkConfig::SsrNet(SsrNetConfig { age_scale: true, ..SsrNetConfig::published(tasks.to_vec()) })
    };
    let (_folder, exported) = export(&net, &scaled(&Task::ALL), 61);
    let model = Library::open(&Sandbox::in_process()).load_file(&exported.card, None).unwrap();
    assert_eq!((model.card.output.len(), model.card.output.has_age_scale()), (6, true));
    let input = inputs(&crops(1), &model.card).unwrap().remove(0);
    assert!(model.answers(&input).unwrap().age_scale_years.is_some_and(|years| years > 0.0));
    // What was exported can be trained on.
    let again = Pretrained::read(&exported.card, &Device::flex()).unwrap();
    assert_eq!(again.model, Some((scaled(&Task::ALL), 0.3)));
    let error = texts("x").card(&scaled(&[Task::Age, Task::Gender]), 0.3, "0".repeat(64)).unwrap_err().to_string();
    assert!(error.contains("the age's scale"), "{error}");
}

#[test]
fn a_network_for_head_pose_becomes_a_model_that_the_app_loads() {
    let net = Network::FsaNet(FsaNet::from_weights(&fsa_net(1, true), &Device::flex()).unwrap());
    let (_folder, exported) = export(&net, &NetworkConfig::FsaNet(FsaNetConfig::default()), 17);
    let model = Library::open(&Sandbox::in_process()).load_file(&exported.card, Some(Task::Pose)).unwrap();
    assert_eq!(model.card.output.len(), 3);
    assert_eq!(exported.verified.largest.len(), 3);
    assert!(exported.verified.silent.is_empty(), "{:?}", exported.verified.silent);
}

#[test]
fn a_graph_with_another_tensor_than_the_network_is_refused() {
    let net = ssr_net(&[1.0]);
    let names = names(&net);
    let wrong = names.iter().position(|name| name.contains("tanh_stream.2") && name.ends_with("weight")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let texts = texts("wrong");
    let config = config(&[Task::Gender]);
    let export =
        Export { net: &net, config: &config, margin: 0.25, texts: &texts, folder: folder.path(), force: false };
    let write = |net: &Network| onnx(&changed(net, wrong, Change::Up(0.1)));
    let error = export.run_with(&write, |_| true, &crops(3), |_, _| true).unwrap_err();
    assert!(matches!(&error, ExportError::Verify(VerifyError::Differs { tensor: None, output: 0, .. })), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
}

/// A network of which the last stage's relu before the feature is 0 for every face.
fn with_a_dead_relu() -> Network {
    let mut weights = testing::ssr_net(1, &[1.0]);
    weights.regressions[0].stages[2].relu_mix.bias = Tensor::from_fn(&[3], |_| -0.8);
    Network::SsrNet(SsrNet::from_weights(&weights, &Device::flex()).unwrap())
}

#[test]
fn a_wrong_tensor_behind_a_dead_relu_is_found_by_changing_the_others() {
    let net = with_a_dead_relu();
    let names = names(&net);
    let hidden = names.iter().position(|name| name.contains("stages.2.tanh_mix") && name.ends_with("weight")).unwrap();
    let card = texts("x").card(&config(&[Task::Gender]), 0.25, "0".repeat(64)).unwrap();
    let inputs = inputs(&crops(3), &card).unwrap();
    let check = |write: &dyn Fn(&Network) -> Result<Vec<u8>, String>| {
        let wanted = |name: &str| name.contains("stages.2") && name.contains("_mix");
        verify(&net, write, &inputs, &card.input, wanted, |_, _| true)
    };
    // As it is, the mistake makes no difference to any face.
    let wrong = |net: &Network| onnx(&changed(net, hidden, Change::Down));
    let both = [&net, &changed(&net, hidden, Change::Down)].map(|net| {
        let graph = Net::from_onnx(&onnx(net).unwrap(), &card.input, Path::new("x")).unwrap();
        graph.run(&inputs[0]).unwrap()
    });
    assert_eq!(both[0], both[1]);
    let error = check(&wrong).unwrap_err();
    let VerifyError::Differs { tensor: Some(tensor), .. } = &error else { panic!("{error}") };
    assert!(tensor.contains("stages.2.relu_mix"), "{error}");

    // Without the mistake, what is hidden is named.
    let verified = check(&onnx).unwrap();
    assert!(names[hidden..=hidden + 1].iter().all(|name| verified.silent.contains(name)), "{:?}", verified.silent);
    assert!(verified.silent.len() < verified.tensors, "{:?}", verified.silent);
}

#[test]
fn what_is_there_stays_and_what_cannot_be_exported_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (net, texts) = (ssr_net(&[101.0]), texts("taken"));
    let (age, unknown) = (config(&[Task::Age]), config(&[Task::Pose, Task::Age]));
    let export = Export { net: &net, config: &age, margin: 0.25, texts: &texts, folder: folder.path(), force: false };
    let (one, none, asked) = (crops(1), crops(0), Cell::new(0));
    let stop_at_third = |_: usize, _: usize| {
        asked.set(asked.get() + 1);
        asked.get() < 3
    };
    fs::write(folder.path().join("taken.toml"), "precious").unwrap();
    let error = export.run(&one, |_, _| true).unwrap_err().to_string();
    assert!(error.contains("taken.toml already exists") && error.contains("--force"), "{error}");
    let error = Export { force: true, ..export }.run(&one, stop_at_third).unwrap_err();
    assert!(matches!(error, ExportError::Verify(VerifyError::Interrupted)) && asked.get() == 3, "{error}");
    assert_eq!(fs::read(folder.path().join("taken.toml")).unwrap(), b"precious");

    fs::remove_file(folder.path().join("taken.toml")).unwrap();
    let refused = |export: Export<'_>, crops: &FaceSet| export.run(crops, |_, _| true).unwrap_err().to_string();
    assert!(refused(Export { config: &unknown, ..export }, &one).contains("gives pose, age"));
    assert!(refused(export, &none).contains("--crops"));
    assert!(refused(Export { margin: -1.0, ..export }, &one).contains("`crop.margin`"));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is written");
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = put(&file.join("a.onnx"), b"x").unwrap_err().to_string();
    assert!(error.contains("a.onnx cannot be written") && error.contains("-o"), "{error}");
    put(&file, b"new").unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
