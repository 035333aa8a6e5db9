//! Bad input, each with its message and its exit code, and never a panic.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use facelens_core::model::{
    BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
};
use prost::Message as _;
use tempfile::TempDir;
use tract_onnx::pb;

mod common;

fn facelens(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_facelens")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a call that must fail with 1, no output and one sentence with all of these words.
fn fails(args: &[&str], words: &[&str]) {
    let output = facelens(args);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{args:?}: {said}");
    assert!(output.stdout.is_empty(), "{args:?}: {}", text(&output.stdout));
    let sentence = said.lines().last().unwrap_or_default();
    assert!(sentence.starts_with("facelens: "), "{args:?}: {said}");
    for word in words {
        assert!(sentence.contains(word), "{args:?}: `{word}` is missing in: {said}");
    }
    assert!(!said.contains("panicked"), "{args:?}: {said}");
}

struct Scratch(TempDir);

impl Scratch {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> String {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn astronaut() -> String {
    common::asset("astronaut.png").to_str().unwrap().to_owned()
}

#[test]
fn no_such_camera() {
    fails(&["analyze", "camera:No Such Camera 7", "--seconds", "1"], &["camera"]);
    fails(&["analyze", "camera:4711", "--seconds", "1"], &["camera"]);
}

#[test]
fn no_such_file() {
    fails(&["analyze", "no/such/clip.mp4"], &["no/such/clip.mp4"]);
    fails(&["analyze", &astronaut(), "--model", "age=no/such.onnx"], &["no/such.onnx"]);
}

#[test]
fn a_text_file_named_mp4() {
    let scratch = Scratch::new();
    let file = scratch.file("notes.mp4", b"This is no video.\n");
    fails(&["analyze", &file], &["notes.mp4", "text file"]);
}

#[test]
fn a_truncated_video() {
    let scratch = Scratch::new();
    let grey = image::RgbImage::from_pixel(64, 48, image::Rgb([90, 110, 130]));
    let whole = common::clip::mp4(&vec![(grey, 40); 5]);
    let (complete, cut) = (scratch.file("whole.mp4", &whole), scratch.file("cut.mp4", &whole[..whole.len() - 200]));
    assert_eq!(facelens(&["analyze", &complete]).status.code(), Some(0));
    fails(&["analyze", &cut], &["cut.mp4", "cut off"]);
}

#[cfg(unix)]
#[test]
fn pipes_devices_and_files_without_an_end_are_refused_at_once() {
    let scratch = Scratch::new();
    let pipe = scratch.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let sparse = scratch.path("sparse");
    std::fs::File::create(&sparse).unwrap().set_len(1 << 40).unwrap();
    let (pipe, sparse, images) = (pipe.to_str().unwrap(), sparse.to_str().unwrap(), scratch.0.path().to_str().unwrap());
    for (file, cause) in [(pipe, "a named pipe"), ("/dev/zero", "a device"), (sparse, "larger than")] {
        fails(&["eval", "--labels", file, "--images", images], &[file, cause]);
        fails(&["models", "show", file], &[file, cause]);
        fails(&["analyze", &astronaut(), "--model", &format!("age={file}")], &[file, cause]);
    }
    // The head of a picture and then nothing for a terabyte.
    let mut picture = std::fs::read(common::asset("astronaut.png")).unwrap();
    picture.truncate(4096);
    let picture = scratch.file("huge.png", &picture);
    std::fs::File::options().write(true).open(&picture).unwrap().set_len(1 << 40).unwrap();
    fails(&["analyze", &picture], &["huge.png", "larger than 256 MiB"]);
}

#[test]
fn an_empty_folder() {
    let scratch = Scratch::new();
    let folder = scratch.path("nothing");
    std::fs::create_dir(&folder).unwrap();
    fails(&["analyze", folder.to_str().unwrap()], &["nothing", "no images"]);
}

#[test]
fn a_picture_of_one_pixel_has_no_face() {
    let scratch = Scratch::new();
    let file = scratch.path("pixel.png");
    image::RgbImage::new(1, 1).save(&file).unwrap();
    for detector in ["blaze-back", "blaze-front", "seeta"] {
        let output = facelens(&["analyze", file.to_str().unwrap(), "--detector", detector]);
        assert_eq!(output.status.code(), Some(0), "{detector}: {}", text(&output.stderr));
        assert!(text(&output.stdout).ends_with("\"width\":1,\"height\":1,\"faces\":[]}\n"), "{detector}");
    }
    let crop = facelens(&["analyze", file.to_str().unwrap(), "--crops"]);
    assert_eq!(crop.status.code(), Some(0), "{}", text(&crop.stderr));
}

#[test]
fn a_picture_header_of_20000_by_20000() {
    let scratch = Scratch::new();
    // A BMP header is not protected by a checksum.
    let mut bmp = Vec::new();
    image::RgbImage::new(2, 2).write_to(&mut std::io::Cursor::new(&mut bmp), image::ImageFormat::Bmp).unwrap();
    bmp[18..22].copy_from_slice(&20_000_u32.to_le_bytes());
    bmp[22..26].copy_from_slice(&20_000_u32.to_le_bytes());
    let file = scratch.file("huge.bmp", &bmp);
    fails(&["analyze", &file], &["huge.bmp", "too large (20000x20000)"]);
}

/// A card as it would stand beside a model with one 64x64 input.
fn card(file: &str, sha256: &str) -> ModelCard {
    ModelCard {
        name: "test".into(),
        tasks: vec![Task::Age],
        files: vec![file.into()],
        sha256: vec![sha256.into()],
        source: "a test".into(),
        licence: "CC0-1.0".into(),
        training_data: "none".into(),
        input: InputSpec {
            width: 64,
            height: 64,
            layout: Layout::Nchw,
            channels: ChannelOrder::Bgr,
            scaling: Scaling::MinMax,
        },
        crop: CropSpec {
            margin: 0.5,
            relative_to: BoxStyle::Lbp,
            resize: ResizeFilter::Bilinear,
            ..CropSpec::default()
        },
        output: OutputForm::Years,
        select: None,
        calibration: None,
        accuracy: Vec::new(),
        notes: String::new(),
    }
}

#[test]
fn a_card_whose_sha256_does_not_fit() {
    let scratch = Scratch::new();
    let model = scratch.file("age.onnx", &zeros_onnx(1));
    scratch.file("age.toml", toml::to_string(&card("age.onnx", &"ab".repeat(32))).unwrap().as_bytes());
    fails(&["analyze", &astronaut(), "--model", &format!("age={model}")], &["age.onnx", "SHA-256"]);
}

/// A graph that adds its 1x3x64x64 input to that many times as many zeros.
fn zeros_onnx(times: i64) -> Vec<u8> {
    let dim = |size: i64| pb::tensor_shape_proto::Dimension {
        value: Some(pb::tensor_shape_proto::dimension::Value::DimValue(size)),
        ..Default::default()
    };
    let value = |name: &str, dims: &[i64]| pb::ValueInfoProto {
        name: name.into(),
        r#type: Some(pb::TypeProto {
            value: Some(pb::type_proto::Value::TensorType(pb::type_proto::Tensor {
                elem_type: pb::tensor_proto::DataType::Float as i32,
                shape: Some(pb::TensorShapeProto { dim: dims.iter().copied().map(dim).collect() }),
            })),
            ..Default::default()
        }),
        ..Default::default()
    };
    let size = pb::TensorProto {
        dims: vec![4],
        data_type: pb::tensor_proto::DataType::Int64 as i32,
        name: "size".into(),
        raw_data: [times, 3, 64, 64].iter().flat_map(|size| size.to_le_bytes()).collect(),
        ..Default::default()
    };
    let node = |op: &str, inputs: &[&str], output: &str| pb::NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.into()],
        ..Default::default()
    };
    let graph = pb::GraphProto {
        name: "zeros".into(),
        input: vec![value("x", &[1, 3, 64, 64])],
        output: vec![value("y", &[times, 3, 64, 64])],
        initializer: vec![size],
        node: vec![node("ConstantOfShape", &["size"], "zeros"), node("Add", &["x", "zeros"], "y")],
        ..Default::default()
    };
    let opset = pb::OperatorSetIdProto { domain: String::new(), version: 13 };
    pb::ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
        .encode_to_vec()
}

#[test]
fn an_onnx_that_asks_for_a_terabyte() {
    let scratch = Scratch::new();
    // 2^25 times 3x64x64 numbers of four bytes: 1.5 TiB.
    let bytes = zeros_onnx(1 << 25);
    let model = scratch.file("greedy.onnx", &bytes);
    let card = card("greedy.onnx", &sha256(&bytes));
    scratch.file("greedy.toml", toml::to_string(&card).unwrap().as_bytes());
    fails(&["analyze", &astronaut(), "--model", &format!("age={model}")], &["greedy.onnx", "asks for"]);
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_output_that_cannot_be_written() {
    let scratch = Scratch::new();
    let blocker = scratch.file("file", b"");
    let under_a_file = Path::new(&blocker).join("rows.csv");
    fails(&["analyze", &astronaut(), "-o", under_a_file.to_str().unwrap()], &["rows.csv", "-o"]);
}

/// Who may write everywhere is not stopped by permissions: nothing is tested then.
#[test]
#[cfg(unix)]
#[expect(clippy::print_stderr, reason = "tests say what they skip")]
fn a_folder_without_write_permission() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::new();
    let folder = scratch.path("locked");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(folder.join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let out = folder.join("rows.csv");
    fails(&["analyze", &astronaut(), "-o", out.to_str().unwrap()], &["rows.csv", "ermission denied"]);
}

#[test]
fn standard_output_closed_after_the_first_line() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_facelens"))
        .args(["analyze", "demo", "--seconds", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"input\":\"demo\",\"frame\":0,"), "{line}");
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{said}");
    assert!(!said.contains("panicked") && !said.contains("standard output"), "{said}");
}

#[test]
fn standard_output_closed_from_the_start() {
    for args in [["analyze", "demo", "--seconds", "0.1"].as_slice(), &["models", "list"], &["cameras"]] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_facelens"))
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = text(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{args:?}: {said}");
        assert!(!said.contains("panicked"), "{args:?}: {said}");
    }
}
