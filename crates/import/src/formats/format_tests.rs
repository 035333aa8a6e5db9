//! Every format from made-up files: what is recognised, what is refused, and that nothing panics.

use std::path::{Path, PathBuf};

use facelens_core::model::{ModelErrorKind, Net, OutputForm, Task};

use super::synthetic::{self, FsaVariant, StoredTensor};
use super::{Imported, Layers, import_bytes, import_file, import_file_for, keras, mxnet, read_layers};
use crate::net::Tensor;

const FILE: &str = "made-up.h5";

fn import(bytes: &[u8]) -> Result<Imported, facelens_core::model::ModelError> {
    import_bytes(Path::new(FILE), bytes, None)
}

/// What the imported graph says of the drawn faces.
fn outputs(imported: &Imported) -> Vec<Vec<f32>> {
    let net = Net::from_onnx(&imported.onnx, &imported.card.input, Path::new(FILE)).unwrap();
    let faces = super::self_check::drawn_faces();
    faces.iter().map(|face| super::self_check::run(&net, &imported.card.input, face).unwrap()).collect()
}

/// A self-check over outputs that do not change would prove nothing.
fn assert_alive(imported: &Imported) {
    let outputs = outputs(imported);
    for (index, value) in outputs[0].iter().enumerate() {
        assert!(outputs.iter().any(|output| (output[index] - value).abs() > 0.01), "output {index}: {outputs:?}");
    }
}

#[test]
fn keras_ssr_nets_are_told_apart_by_their_layers() {
    for (task, form, first) in [(Task::Age, OutputForm::Years, 1), (Task::Gender, OutputForm::MaleScore, 40)] {
        let imported = import(&synthetic::hdf5(&synthetic::ssr_net(task, first, true))).unwrap();
        assert_eq!((imported.card.tasks.as_slice(), &imported.card.output), ([task].as_slice(), &form));
        assert!(imported.self_check.unwrap() <= 1e-3);
        assert_alive(&imported);
        imported.card.validate(Path::new(FILE)).unwrap();
        // Nothing is known of this file, and the card says so.
        assert_eq!((imported.card.name.as_str(), imported.card.licence.as_str()), ("made-up", "unknown"));
        assert_eq!(imported.card.sha256, [facelens_core::model::sha256_hex(&imported.onnx)]);
    }
}

#[test]
fn what_keras_3_writes_is_what_keras_2_wrote() {
    let entries = synthetic::ssr_net(Task::Age, 1, true);
    let layers = |bytes: &[u8]| keras::layers(Path::new(FILE), bytes);
    let expected = layers(&synthetic::hdf5(&entries)).unwrap();
    for way in [synthetic::Keras3::ByLayer, synthetic::Keras3::ByName, synthetic::Keras3::ByKind] {
        let weights = synthetic::keras3(&entries, way);
        for bytes in [synthetic::keras_zip(&weights), weights] {
            assert_eq!(layers(&bytes).unwrap(), expected, "{way:?}");
        }
    }
    let renamed =
        |(model, layer, name, tensor): &StoredTensor| (model.clone(), format!("age/{layer}"), *name, tensor.clone());
    let prefixed: Vec<StoredTensor> = entries.iter().map(renamed).collect();
    assert_eq!(layers(&synthetic::keras3(&prefixed, synthetic::Keras3::ByKind)).unwrap(), expected);
    assert_eq!(import(&synthetic::keras_zip(b"rubbish")).unwrap_err().kind, ModelErrorKind::Corrupt);
}

#[test]
fn mxnet_arrays_of_every_magic_and_number_are_read() {
    // Numbers that 16 bits hold exactly.
    let coarse = |(model, layer, name, tensor): StoredTensor| {
        (model, layer, name, tensor.map(|value| (value * 64.0).round() / 64.0))
    };
    let entries: Vec<StoredTensor> = synthetic::ssr_net(Task::Age, 0, true).into_iter().map(coarse).collect();
    let layers = |bytes: &[u8]| mxnet::layers(Path::new(FILE), bytes, Some(Task::Age)).unwrap();
    let expected = layers(&synthetic::mxnet(&entries));
    for magic in [0, 0xF993_FAC8, 0xF993_FAC9, 0xF993_FACA] {
        for number_type in [0, 1, 2] {
            assert_eq!(layers(&synthetic::mxnet_as(&entries, magic, number_type)), expected, "{magic:x} {number_type}");
        }
    }
}

#[test]
fn every_variant_of_fsa_net_is_recognised() {
    for scoring in [FsaVariant::Convolution, FsaVariant::Variance, FsaVariant::None] {
        for capsules in [true, false] {
            let imported = import(&synthetic::hdf5(&synthetic::fsa_net(scoring, capsules))).unwrap();
            let expected = match scoring {
                FsaVariant::Convolution => "1x1 scoring",
                FsaVariant::Variance => "variance scoring",
                FsaVariant::None => "no scoring",
            };
            assert!(imported.card.notes.contains(expected), "{}", imported.card.notes);
            assert!(imported.card.notes.contains(if capsules { "capsule" } else { "metric" }));
            assert_eq!(imported.card.tasks, [Task::Pose]);
            assert_alive(&imported);
        }
    }
}

#[test]
fn mxnet_parameters_need_their_task_or_symbol() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("net-0007.params");
    let entries = synthetic::ssr_net(Task::Age, 0, true);
    std::fs::write(&file, synthetic::mxnet(&entries)).unwrap();
    assert_eq!(import_file(&file).unwrap_err().kind, ModelErrorKind::NoCard);
    let gender = import_file_for(&file, Some(Task::Gender)).unwrap();
    assert_eq!(gender.card.output, OutputForm::MaleScore);
    assert_eq!(import_file_for(&file, Some(Task::Pose)).unwrap_err().kind, ModelErrorKind::WrongShape);
    let symbol = r#"{"nodes":[{"op":"_mul_scalar","name":"v","attrs":{"scalar":"101"},"inputs":[]}]}"#;
    std::fs::write(folder.path().join("net-symbol.json"), symbol).unwrap();
    let age = import_file(&file).unwrap();
    assert_eq!(age.card.output, OutputForm::Years);
    assert_alive(&age);
    for (age, gender) in outputs(&age).iter().zip(outputs(&gender)) {
        assert!((age[0] - 101.0 * gender[0]).abs() < 1e-3, "{age:?} {gender:?}");
    }
    assert_eq!(import_file_for(&file, Some(Task::Gender)).unwrap_err().kind, ModelErrorKind::WrongTask);
}

/// Writes a graph model into a folder.
fn write_tfjs(folder: &Path, name: &str, task: Task) -> PathBuf {
    let (json, bin) = synthetic::tfjs(&synthetic::ssr_net(task, 1, false), task, &format!("{name}.bin"));
    std::fs::write(folder.join(format!("{name}.bin")), bin).unwrap();
    let file = folder.join(format!("{name}.json"));
    std::fs::write(&file, serde_json::to_vec(&json).unwrap()).unwrap();
    file
}

#[test]
fn tensorflow_js_models_come_from_a_file_or_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let age = write_tfjs(folder.path(), "a", Task::Age);
    let imported = import_file(&age).unwrap();
    assert_eq!(imported.card.tasks, [Task::Age]);
    assert_alive(&imported);
    assert_eq!(import_file(folder.path()).unwrap().card, imported.card);
    write_tfjs(folder.path(), "b", Task::Gender);
    assert!(import_file(folder.path()).unwrap_err().remedy.contains("b.json"));
    assert_eq!(import_file_for(folder.path(), Some(Task::Gender)).unwrap().card.tasks, [Task::Gender]);
    assert!(import_file_for(folder.path(), Some(Task::Pose)).is_err());
    // The .bin alone says nothing.
    assert_eq!(import_file(&folder.path().join("a.bin")).unwrap_err().kind, ModelErrorKind::UnknownFormat);
}

#[test]
fn the_layers_of_each_format_make_the_imported_graph() {
    let folder = tempfile::tempdir().unwrap();
    let keras = folder.path().join("net.h5");
    std::fs::write(&keras, synthetic::hdf5(&synthetic::ssr_net(Task::Age, 1, true))).unwrap();
    let pose = folder.path().join("pose.h5");
    std::fs::write(&pose, synthetic::hdf5(&synthetic::fsa_net(FsaVariant::Variance, true))).unwrap();
    let mxnet = folder.path().join("net-0007.params");
    std::fs::write(&mxnet, synthetic::mxnet(&synthetic::ssr_net(Task::Age, 0, true))).unwrap();
    let tfjs = write_tfjs(folder.path(), "a", Task::Gender);
    for (file, given, told) in [
        (keras, None, Task::Age),
        (pose, None, Task::Pose),
        (mxnet.clone(), Some(Task::Gender), Task::Gender),
        (tfjs, None, Task::Gender),
    ] {
        let (task, onnx) = match read_layers(&file, given).unwrap() {
            Layers::SsrNet { task, net } => (task, net.to_onnx().unwrap()),
            Layers::FsaNet { variant, net } => {
                assert_eq!(variant, "capsule, variance scoring");
                (Task::Pose, net.to_onnx().unwrap())
            }
        };
        assert_eq!((task, onnx), (told, import_file_for(&file, given).unwrap().onnx), "{}", file.display());
    }
    assert_eq!(read_layers(&mxnet, None).unwrap_err().kind, ModelErrorKind::NoCard);
    // A graph has no layers to read.
    let onnx = folder.path().join("net.onnx");
    std::fs::write(&onnx, facelens_core::model::graphs::small(&[1, 3, 8, 8]).bytes()).unwrap();
    assert!(read_layers(&onnx, None).unwrap_err().remedy.contains(".h5"));
}

#[test]
fn broken_tensorflow_js_models_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = write_tfjs(folder.path(), "a", Task::Age);
    let text = std::fs::read_to_string(&file).unwrap();
    let bin = std::fs::read(folder.path().join("a.bin")).unwrap();
    let refused = |from: &str, to: &str, kind: ModelErrorKind, words: &str| {
        assert!(text.contains(from), "{from}");
        std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
        let error = import_file(&file).unwrap_err();
        assert!(error.kind == kind && error.to_string().contains(words), "{from}: {error:?}");
    };
    refused("\"a.bin\"", "\"../a.bin\"", ModelErrorKind::Corrupt, "outside its folder");
    refused("\"a.bin\"", "\"missing.bin\"", ModelErrorKind::Missing, "missing.bin");
    refused("\"dtype\":\"float32\"", "\"dtype\":\"uint8\"", ModelErrorKind::Corrupt, "uint8");
    refused("\"dtype\":\"float32\"", "\"dtype\":\"float32\",\"quantization\":{}", ModelErrorKind::Corrupt, "quantised");
    refused("[\"input\",", "[\"net/conv2d_6/out\",", ModelErrorKind::Corrupt, "cycle");
    refused("[\"input\",", "[\"nowhere\",", ModelErrorKind::Corrupt, "nowhere is missing");
    refused("\"op\":\"AvgPool\"", "\"op\":\"Magic\"", ModelErrorKind::SelfCheck, "Magic");
    refused("\"op\":\"AvgPool\"", "\"op\":\"MaxPool\"", ModelErrorKind::SelfCheck, "own arithmetic");
    refused("[3,3,3,32]", "[4294967295,4294967295,4294967295,32]", ModelErrorKind::Corrupt, "truncated");
    refused("\"modelTopology\":{", "\"modelTopology\":{{", ModelErrorKind::Corrupt, "broken");
    std::fs::write(&file, &text).unwrap();
    for length in [0, 1, bin.len() / 2, bin.len() - 1] {
        std::fs::write(folder.path().join("a.bin"), &bin[..length]).unwrap();
        assert_eq!(import_file(&file).unwrap_err().kind, ModelErrorKind::Corrupt);
    }
}

#[test]
fn wrong_layers_are_named() {
    let whole = synthetic::ssr_net(Task::Age, 1, true);
    let changed = |change: &dyn Fn(&mut Vec<StoredTensor>)| {
        let mut entries = whole.clone();
        change(&mut entries);
        import(&synthetic::hdf5(&entries)).unwrap_err()
    };
    let missing = changed(&|entries| entries.retain(|entry| entry.1 != "dense_4"));
    assert_eq!(missing.kind, ModelErrorKind::WrongShape);
    assert!(missing.cause.contains("8 layers dense"), "{missing}");
    let wrong = changed(&|entries| {
        let entry = entries.iter_mut().find(|entry| entry.1 == "conv2d_6" && entry.2 == "kernel").unwrap();
        entry.3 = Tensor::from_fn(&[3, 3, 16, 17], |_| 0.0);
    });
    assert_eq!(wrong.kind, ModelErrorKind::WrongShape);
    assert!(wrong.cause.contains("convolution 2 of the tanh stream"), "{wrong}");
    let not_a_number = changed(&|entries| entries[0].3 = entries[0].3.map(|_| f32::NAN));
    assert_eq!(not_a_number.kind, ModelErrorKind::Corrupt);
    assert!(not_a_number.cause.contains("conv2d_1 holds a number that is not finite"), "{not_a_number}");
    let other = import(&synthetic::hdf5(&[(String::new(), "dense".into(), "kernel", Tensor::from_fn(&[2], |_| 0.0))]));
    assert_eq!(other.unwrap_err().kind, ModelErrorKind::WrongShape);
}

/// Cuts the file at many places and flips bytes; whatever comes of it, it is an answer.
fn mangle(bytes: &[u8], mut read: impl FnMut(&[u8]) -> bool) {
    let cuts = (0..64).chain((1..80).map(|k| k * bytes.len() / 80)).chain(bytes.len() - 64..bytes.len());
    let mut refused = 0;
    for cut in cuts.filter(|&cut| cut < bytes.len()) {
        refused += usize::from(!read(&bytes[..cut]));
    }
    assert!(refused >= 100, "only {refused} cuts were noticed");
    for step in 0..400 {
        let mut flipped = bytes.to_vec();
        // Most of a file is numbers; its beginning is mostly structure.
        let place = if step % 2 == 0 { step * 37 % 4096.min(bytes.len()) } else { step * 7919 % bytes.len() };
        flipped[place] ^= [0x01, 0x80, 0xFF, 0x10][step % 4];
        read(&flipped);
    }
}

#[test]
fn mangled_hdf5_is_answered() {
    let bytes = synthetic::hdf5(&synthetic::ssr_net(Task::Age, 1, true));
    mangle(&bytes, |bytes| keras::read_tables(Path::new(FILE), bytes).is_ok());
}

#[test]
fn mangled_mxnet_parameters_are_answered() {
    let bytes = synthetic::mxnet(&synthetic::ssr_net(Task::Age, 0, true));
    mangle(&bytes, |bytes| mxnet::read_arrays(bytes).is_ok());
    for (place, value) in [(16, u64::MAX), (16, 1 << 40), (36, u64::MAX), (36, 1 << 62)] {
        let mut hostile = bytes.clone();
        hostile[place..place + 8].copy_from_slice(&value.to_le_bytes());
        assert!(mxnet::read_arrays(&hostile).is_err());
    }
}

#[test]
fn other_files_are_told_apart() {
    let kind = |bytes: &[u8]| import(bytes).unwrap_err().kind;
    assert_eq!(kind(b""), ModelErrorKind::UnknownFormat);
    assert_eq!(kind(b"GIF89a, a picture"), ModelErrorKind::UnknownFormat);
    assert_eq!(kind(b"{\"a\": 1}"), ModelErrorKind::UnknownFormat);
    assert_eq!(kind(b"{\"modelTopology\": 1}"), ModelErrorKind::Corrupt);
    assert_eq!(kind(b"\x89HDF\r\n\x1a\n"), ModelErrorKind::Corrupt);
    assert_eq!(kind(b"\x08\x07\x12\xff\xff\xff\xff"), ModelErrorKind::Corrupt);
    assert_eq!(import_file(Path::new("/no/such/file")).unwrap_err().kind, ModelErrorKind::Io);
}

#[test]
fn an_onnx_file_goes_by_the_card_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let made = import(&synthetic::hdf5(&synthetic::ssr_net(Task::Age, 1, true))).unwrap();
    let file = folder.path().join("made-up.onnx");
    let card_file = folder.path().join("made-up.toml");
    std::fs::write(&file, &made.onnx).unwrap();
    assert_eq!(import_file(&file).unwrap_err().kind, ModelErrorKind::NoCard);

    let write = |change: &dyn Fn(&mut facelens_core::model::ModelCard)| {
        let mut card = made.card.clone();
        change(&mut card);
        std::fs::write(&card_file, card.to_toml().unwrap()).unwrap();
        import_file(&file).map(|imported| imported.card)
    };
    assert_eq!(write(&|_| ()).unwrap(), made.card);
    let kind = |change: &dyn Fn(&mut facelens_core::model::ModelCard)| write(change).unwrap_err().kind;
    assert_eq!(kind(&|card| card.sha256 = vec!["0".repeat(64)]), ModelErrorKind::HashMismatch);
    assert_eq!(kind(&|card| card.files = vec!["other.onnx".into()]), ModelErrorKind::BadCard);
    assert_eq!(kind(&|card| card.input.width = 32), ModelErrorKind::WrongShape);
    let pose = |card: &mut facelens_core::model::ModelCard| {
        card.tasks = vec![Task::Pose];
        card.output = OutputForm::RotationMatrix { axes: None, maps: None };
    };
    assert_eq!(kind(&pose), ModelErrorKind::WrongShape);
    std::fs::write(&card_file, "name = 1").unwrap();
    assert_eq!(import_file(&file).unwrap_err().kind, ModelErrorKind::BadCard);
}
