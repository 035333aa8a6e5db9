//! Model files that ask for too much, or for what their names do not say: exit code 1, one sentence, and the program
//! stays small and quick because a child under limits takes the blow.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "common/onnx.rs"]
mod onnx;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use facelens_core::model::ModelErrorKind;
use facelens_import::{Library, Limits, Sandbox};
use onnx::{Graph, integer, integers, save};
use tempfile::TempDir;
use tract_onnx::pb::tensor_proto::DataType;

/// The program with a home of its own.
fn facelens(home: &TempDir) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_facelens"));
    command.env("HOME", home.path());
    for variable in ["XDG_DATA_HOME", "XDG_CACHE_HOME", "RUST_BACKTRACE"] {
        command.env_remove(variable);
    }
    command
}

/// The words of `models check` on a file that is refused: one sentence that names it.
#[track_caller]
fn refused(file: &Path) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = facelens(&home).args(["models", "check"]).arg(file).output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{words}");
    assert_eq!(words.lines().count(), 1, "one sentence: {words}");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "what is refused is not remembered");
    words
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// The age that a model gives for a grey picture that is taken as a crop.
fn age(card: &Path) -> f64 {
    let home = folder();
    let picture = home.path().join("grey.png");
    image::RgbImage::from_pixel(64, 64, image::Rgb([80; 3])).save(&picture).unwrap();
    let model = format!("age={}", card.display());
    let output = facelens(&home).args(["analyze", "--crops", "--model", &model]).arg(&picture).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    line["faces"][0]["age"]["years"].as_f64().unwrap()
}

#[test]
fn a_transpose_that_repeats_an_axis_is_refused() {
    let folder = folder();
    let graph = Graph::new().node("Transpose", &["x"], &["t"], vec![integers("perm", &[0, 1, 0, 3])]).mean_of("t");
    let words = refused(&save(folder.path(), "transpose", &graph.bytes()));
    assert!(words.contains("transpose.onnx: ") && words.contains("[0, 1, 0, 3] is not an order of axes"), "{words}");
}

#[test]
fn a_dropout_without_its_one_number_is_refused() {
    let folder = folder();
    let graph = Graph::new()
        .floats("ratio", &[], &[0.5])
        .raw("training", DataType::Bool, &[0], Vec::new())
        .node("Dropout", &["x", "ratio", "training"], &["d"], Vec::new())
        .mean_of("d");
    let words = refused(&save(folder.path(), "dropout", &graph.bytes()));
    assert!(words.contains("dropout.onnx: ") && words.contains("an argument is not one number"), "{words}");
}

#[test]
fn a_tile_by_a_negative_number_is_refused() {
    let folder = folder();
    let graph = Graph::new()
        .raw("nothing", DataType::Int64, &[0], Vec::new())
        .integers("times", &[1], &[-2])
        .node("Tile", &["nothing", "times"], &["tiled"], Vec::new())
        .node("ReduceSum", &["tiled"], &["sum"], vec![integers("axes", &[0])])
        .node("Add", &["x", "sum"], &["a"], Vec::new())
        .mean_of("a");
    let words = refused(&save(folder.path(), "tile", &graph.bytes()));
    assert!(words.contains("tile.onnx: ") && words.contains("-2 repetitions"), "{words}");
}

#[test]
fn a_top_k_of_more_than_there_is_is_refused() {
    let folder = folder();
    let graph = Graph::new()
        .integers("begin", &[4], &[0; 4])
        .integers("end", &[4], &[1; 4])
        .integers("count", &[1], &[(1 << 32) + 1])
        .node("Slice", &["x", "begin", "end"], &["one"], Vec::new())
        .node("Cast", &["one"], &["byte"], vec![integer("to", DataType::Uint8 as i64)])
        .node("TopK", &["byte", "count"], &["values", "places"], vec![integer("axis", 3)])
        .node("Cast", &["values"], &["v"], vec![integer("to", DataType::Float as i64)])
        .mean_of("v");
    let words = refused(&save(folder.path(), "topk", &graph.bytes()));
    assert!(words.contains("topk.onnx: ") && words.contains("the largest 4294967297 of 1"), "{words}");
}

/// A network that is sound and takes some memory and time: a convolution with 64 x 64 channels on 8x8 places, twice.
fn sound() -> Vec<u8> {
    let weights = vec![0.01; 64 * 64 * 9];
    let pads = || vec![integers("pads", &[1, 1, 1, 1])];
    Graph::new()
        .floats("first", &[64, 3, 3, 3], &weights[..64 * 27])
        .floats("second", &[64, 64, 3, 3], &weights)
        .node("Conv", &["x", "first"], &["a"], pads())
        .node("Conv", &["a", "second"], &["b"], pads())
        .mean_of("b")
        .bytes()
}

#[test]
fn the_limits_hold_whatever_the_graph_is() {
    let folder = folder();
    let card = save(folder.path(), "sound", &sound());
    let library = |limits| {
        let sandbox = Sandbox::of_program(env!("CARGO_BIN_EXE_facelens"), limits, None);
        Library::at(folder.path(), &sandbox)
    };
    let limits = Limits::default();
    library(limits).load_file(&card, None).unwrap();
    let slow = library(Limits { elapsed_time: Duration::from_millis(1), ..limits }).open_file(&card, None).unwrap_err();
    assert_eq!((slow.kind, slow.cause.as_str()), (ModelErrorKind::TooLarge, "the network takes more than 0.001 s"));
    #[cfg(unix)]
    {
        // Within what the guard allows, but some seconds: 600 times an arc tangent of 3 x 512 x 512 numbers.
        let names: Vec<String> = (0..=600).map(|step| format!("a{step}")).collect();
        let sizes = Graph::new().integers("sizes", &[4], &[1, 1, 64, 64]);
        let mut slow = sizes.node("Tile", &["x", "sizes"], &[&names[0]], Vec::new());
        for pair in names.windows(2) {
            slow = slow.node("Atan", &[&pair[0]], &[&pair[1]], Vec::new());
        }
        let slow = slow.mean_of(&names[600]);
        let card = save(folder.path(), "slow", &slow.bytes());
        let error =
            library(Limits { processor_time: Duration::from_secs(1), ..limits }).open_file(&card, None).unwrap_err();
        let expected = (ModelErrorKind::TooLarge, "the network takes more than 1 s of processor time");
        assert_eq!((error.kind, error.cause.as_str()), expected);
    }
    #[cfg(target_os = "linux")]
    {
        // A tensor of 32 MiB is nothing of note for the guard, but more than is left of so little.
        let big = Graph::new()
            .integers("sizes", &[4], &[1, 1, 2048, 4096])
            .node("ConstantOfShape", &["sizes"], &["zeros"], Vec::new())
            .node("Exp", &["zeros"], &["ones"], Vec::new())
            .mean_of("ones");
        let card = save(folder.path(), "big", &big.bytes());
        library(limits).load_file(&card, None).unwrap();
        let little = Limits { memory_bytes: 56 << 20, ..limits };
        let error = library(little).open_file(&card, None).unwrap_err();
        let expected = (ModelErrorKind::TooLarge, "the network takes more than 56 MiB of memory");
        assert_eq!((error.kind, error.cause.as_str()), expected);
    }
}

#[test]
fn a_model_is_tried_once_and_remembered_by_its_content() {
    let (home, folder) = (folder(), folder());
    let card = save(folder.path(), "sound", &sound());
    let check = || facelens(&home).args(["models", "check"]).arg(&card).output().unwrap();
    assert!(check().status.success());
    let remembered = home.path().join(".cache/facelens/tried-models.txt");
    if cfg!(target_os = "linux") {
        let first = fs::read_to_string(&remembered).unwrap();
        assert!(check().status.success());
        assert_eq!(fs::read_to_string(&remembered).unwrap(), first);
        assert_eq!(first.lines().count(), 1);
        // What ships is vouched for.
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/facelens-pose.toml");
        assert!(facelens(&home).args(["models", "check"]).arg(shipped).output().unwrap().status.success());
        assert_eq!(fs::read_to_string(&remembered).unwrap(), first);
    }
}

#[test]
fn an_operator_of_another_domain_is_not_taken_for_onnxs() {
    let folder = folder();
    let mut graph = Graph::new().node("Relu", &["x"], &["r"], Vec::new()).mean_of("r");
    graph.proto.node[0].domain = "com.example".into();
    let words = refused(&save(folder.path(), "foreign", &graph.bytes()));
    assert!(words.contains("the operator `Relu` of the domain `com.example`"), "{words}");
}

/// A 1x1 convolution without weight on the first pixels and a bias of 30, in 16-bit or 32-bit floats.
fn thirty(half: bool) -> Graph {
    let kind = if half { DataType::Float16 } else { DataType::Float };
    let numbers = |values: &[f32]| -> Vec<u8> {
        let encode = |&value: &f32| match half {
            // 0 and 30 in half precision.
            true if value == 0.0 => vec![0, 0],
            true => 0x4f80_u16.to_le_bytes().to_vec(),
            false => value.to_le_bytes().to_vec(),
        };
        values.iter().flat_map(encode).collect()
    };
    Graph::new()
        .raw("w", kind, &[1, 3, 1, 1], numbers(&[0.0; 3]))
        .raw("b", kind, &[1], numbers(&[30.0]))
        .node("Cast", &["x"], &["in"], vec![integer("to", kind as i64)])
        .node("Conv", &["in", "w", "b"], &["c"], Vec::new())
        .node("GlobalAveragePool", &["c"], &["p"], Vec::new())
        .node("Cast", &["p"], &["y"], vec![integer("to", DataType::Float as i64)])
}

#[test]
fn half_precision_and_names_of_nodes_are_no_hindrance() {
    let folder = folder();
    assert_eq!(age(&save(folder.path(), "half", &thirty(true).bytes())), 30.0);
    let mut named = thirty(false);
    // A node that is called like another one's output.
    named.proto.node[1].name = "y".into();
    named.proto.node[2].name = "y".into();
    assert_eq!(age(&save(folder.path(), "named", &named.bytes())), 30.0);
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    let folder = folder();
    for weight in [f32::NAN, f32::INFINITY] {
        let graph = Graph::new()
            .floats("w", &[1, 3, 1, 1], &[0.0, weight, 0.0])
            .node("Conv", &["x", "w"], &["c"], Vec::new())
            .node("Sigmoid", &["c"], &["s"], Vec::new())
            .mean_of("s");
        let words = refused(&save(folder.path(), "weights", &graph.bytes()));
        assert!(words.contains("its tensor `w` holds a number that is not finite"), "{words}");
    }
}

#[test]
fn a_tfjs_model_that_names_its_weights_again_and_again_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("a.bin"), vec![0; 1 << 20]).unwrap();
    let write = |name: &str, paths: &[&str]| -> PathBuf {
        let weight = serde_json::json!({"name": "w", "shape": [262_144], "dtype": "float32"});
        let document = serde_json::json!({
            "modelTopology": {"node": [{"name": "w", "op": "Const"}]},
            "weightsManifest": [{"paths": paths, "weights": [weight]}],
        });
        let file = folder.path().join(name);
        fs::write(&file, document.to_string()).unwrap();
        file
    };
    let words = refused(&write("many.json", &["a.bin"; 6000]));
    assert!(words.contains("many.json: 6000 files of weights"), "{words}");
    let words = refused(&write("twice.json", &["a.bin"; 2]));
    assert!(words.contains("twice.json: a.bin is named twice"), "{words}");
    let words = refused(&write("up.json", &["../a.bin"]));
    assert!(words.contains("its weights lie outside its folder, in ../a.bin"), "{words}");
}

#[test]
#[cfg(unix)]
fn links_out_of_the_folder_are_refused() {
    let (folder, elsewhere) = (folder(), folder());
    let secret = elsewhere.path().join("secret.bin");
    fs::write(&secret, vec![0; 4]).unwrap();
    std::os::unix::fs::symlink(&secret, folder.path().join("a.bin")).unwrap();
    let weight = serde_json::json!({"name": "w", "shape": [1], "dtype": "float32"});
    let document = serde_json::json!({
        "modelTopology": {"node": [{"name": "w", "op": "Const"}]},
        "weightsManifest": [{"paths": ["a.bin"], "weights": [weight]}],
    });
    let file = folder.path().join("linked.json");
    fs::write(&file, document.to_string()).unwrap();
    let words = refused(&file);
    assert!(words.contains("its weights lie outside its folder, in a.bin"), "{words}");
}

#[test]
#[cfg(unix)]
fn pipes_and_devices_are_no_model_files() {
    let folder = folder();
    for name in ["pipe.onnx", "pipe.toml", "pipe.h5"] {
        let pipe = folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let words = refused(&pipe);
        assert!(words.contains(name) && words.contains("not a file"), "{words}");
    }
    // Nor where a card names one.
    let card = save(folder.path(), "card", b"");
    fs::remove_file(folder.path().join("card.onnx")).unwrap();
    fs::rename(folder.path().join("pipe.onnx"), folder.path().join("card.onnx")).unwrap();
    let words = refused(&card);
    assert!(words.contains("card.onnx: ") && words.contains("not a file"), "{words}");
    let words = refused(Path::new("/dev/zero"));
    assert!(words.contains("/dev/zero: ") && words.contains("not a file"), "{words}");
}
