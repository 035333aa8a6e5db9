//! `facelens models` and `--model` as a user meets them: standard output, words of errors, exit codes, files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use facelens_core::model::{ModelCard, sha256_hex};
use prost::Message as _;
use tempfile::TempDir;
use tract_onnx::pb::{self, tensor_proto::DataType};

/// The program with a home of its own.
fn facelens(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_facelens"));
    command.args(arguments).env("HOME", home.path());
    command.env("XDG_DATA_HOME", home.path().join("data")).env("XDG_CACHE_HOME", home.path().join("cache"));
    command
}

/// Standard output of a run that works and says nothing on standard error.
#[track_caller]
fn said(home: &TempDir, arguments: &[&str]) -> String {
    let output = facelens(home, arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), errors.as_str()), (Some(0), ""));
    String::from_utf8(output.stdout).unwrap()
}

/// Standard error of a run that fails with exit code 1, one line, and nothing on standard output.
#[track_caller]
fn refused(home: &TempDir, arguments: &[&str]) -> String {
    let output = facelens(home, arguments).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{errors}");
    assert_eq!(errors.lines().count(), 1, "one sentence: {errors}");
    errors
}

fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A file in `models/`.
fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A copy of the shipped age model in a folder.
fn copied(folder: &Path) -> PathBuf {
    for name in ["ssrnet-age-imdb.onnx", "ssrnet-age-imdb.toml"] {
        fs::copy(shipped(name), folder.join(name)).unwrap();
    }
    folder.join("ssrnet-age-imdb.toml")
}

/// A card like the shipped age model's for other bytes, and the bytes beside it.
fn with_card(folder: &Path, name: &str, onnx: &[u8]) -> PathBuf {
    let mut card = ModelCard::read(&shipped("ssrnet-age-imdb.toml")).unwrap();
    card.name = name.to_owned();
    card.files = vec![format!("{name}.onnx")];
    card.sha256 = vec![sha256_hex(onnx)];
    fs::write(folder.join(&card.files[0]), onnx).unwrap();
    let file = folder.join(format!("{name}.toml"));
    fs::write(&file, card.to_toml().unwrap()).unwrap();
    file
}

/// A graph whose only operator makes 2^40 numbers of two.
fn terabytes() -> Vec<u8> {
    let sizes = pb::TensorProto {
        dims: vec![2],
        data_type: DataType::Int64 as i32,
        name: "sizes".into(),
        int64_data: vec![1 << 20, 1 << 20],
        ..Default::default()
    };
    let tensor = pb::type_proto::Tensor { elem_type: DataType::Float as i32, shape: None };
    let r#type = pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() };
    let value =
        |name: &str| pb::ValueInfoProto { name: name.into(), r#type: Some(r#type.clone()), ..Default::default() };
    let node = |op: &str, inputs: &[&str], output: &str| pb::NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.into()],
        ..Default::default()
    };
    let graph = pb::GraphProto {
        name: "hostile".into(),
        initializer: vec![sizes],
        input: vec![value("picture")],
        output: vec![value("answer")],
        node: vec![
            node("ConstantOfShape", &["sizes"], "terabytes"),
            node("ReduceMax", &["terabytes"], "most"),
            node("Add", &["picture", "most"], "answer"),
        ],
        ..Default::default()
    };
    let opset = pb::OperatorSetIdProto { version: 13, ..Default::default() };
    pb::ModelProto { ir_version: 7, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
        .encode_to_vec()
}

/// A constant of a graph.
fn tensor(name: &str, dims: &[i64], values: &[f32]) -> pb::TensorProto {
    pb::TensorProto {
        dims: dims.to_vec(),
        data_type: DataType::Float as i32,
        name: name.into(),
        float_data: values.to_vec(),
        ..Default::default()
    }
}

/// An operator of a graph.
fn node(op: &str, inputs: &[&str], output: &str) -> pb::NodeProto {
    pb::NodeProto {
        op_type: op.into(),
        input: inputs.iter().map(|name| (*name).to_owned()).collect(),
        output: vec![output.into()],
        ..Default::default()
    }
}

/// An input or output of a graph.
fn value(name: &str, shape: &[i64]) -> pb::ValueInfoProto {
    let value = |size| Some(pb::tensor_shape_proto::dimension::Value::DimValue(size));
    let dim = |&size| pb::tensor_shape_proto::Dimension { value: value(size), ..Default::default() };
    let shape = pb::TensorShapeProto { dim: shape.iter().map(dim).collect() };
    let tensor = pb::type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    let r#type = Some(pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() });
    pb::ValueInfoProto { name: name.into(), r#type, ..Default::default() }
}

/// The bytes of an ONNX file.
fn file(graph: pb::GraphProto) -> Vec<u8> {
    let opset = pb::OperatorSetIdProto { version: 13, ..Default::default() };
    pb::ModelProto { ir_version: 7, opset_import: vec![opset], graph: Some(graph), ..Default::default() }
        .encode_to_vec()
}

/// A network of two numbers under a card for age and gender: a 1x1 convolution and the mean over the picture.
fn pair(folder: &Path) -> PathBuf {
    let graph = pb::GraphProto {
        name: "pair".into(),
        // The mean byte over 8, and its 1,000th.
        initializer: vec![tensor("w", &[2, 3, 1, 1], &[0.125, 0.0, 0.0, 0.001, 0.0, 0.0])],
        input: vec![value("x", &[1, 3, 64, 64])],
        output: vec![value("y", &[1, 2])],
        node: vec![
            node("Conv", &["x", "w"], "c"),
            node("GlobalAveragePool", &["c"], "g"),
            node("Flatten", &["g"], "y"),
        ],
        ..Default::default()
    };
    let card = with_card(folder, "pair", &file(graph));
    let figures = r#"
[[accuracy]]
data = "two faces"
measure = "MAE in years"
value = 20.5
task = "age"

[[accuracy]]
data = "two faces"
measure = "share of right genders"
value = 0.5
task = "gender"
"#;
    let toml = fs::read_to_string(&card).unwrap();
    let (toml, _) = toml.split_once("[[accuracy]]").unwrap();
    let toml = toml.replace("task = \"age\"", "task = [\"age\", \"gender\"]");
    let toml = toml.replace("kind = \"years\"", "kind = \"years-and-male-score\"");
    // Raw bytes: stretched from its minimum to its maximum, a grey picture is black.
    let raw = "kind = \"mean-std\"\nmean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]";
    let toml = toml.replace("kind = \"min-max\"", raw);
    fs::write(&card, toml + figures).unwrap();
    card
}

#[test]
fn a_model_for_two_tasks_is_checked_imported_listed_and_used_for_either_or_both() {
    let (home, folder) = (home(), home());
    let card = pair(folder.path());
    assert!(said(&home, &["models", "check", text(&card)]).contains("pair (age and gender), loads"));
    let words = said(&home, &["models", "import", text(&card)]);
    assert!(words.contains("--model age=") && words.contains(" --model gender="), "{words}");
    let shown = said(&home, &["models", "show", "pair"]);
    for words in ["age and gender", "age in years; male score", "20.5 MAE in years", "0.5 share of right genders"] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let listed = said(&home, &["models", "list"]);
    let row = listed.lines().find(|line| line.starts_with("pair ")).unwrap();
    assert!(row.contains("age and gender") && row.contains("20.5 MAE in years (two faces); 0.5 share"), "{row}");
    let listed: serde_json::Value = serde_json::from_str(&said(&home, &["models", "list", "--json"])).unwrap();
    let listed = listed["models"].as_array().unwrap().iter().find(|model| model["name"] == "pair").unwrap();
    assert_eq!((&listed["task"], &listed["in_use"]), (&serde_json::json!(["age", "gender"]), &false.into()));

    let words = refused(&home, &["models", "check", text(&card), "--task", "pose"]);
    assert!(
        words.contains("is for age and gender, not for pose; use it as --model age=FILE --model gender="),
        "{words}"
    );

    // Grey 80: 10 years, and a male score of 0.08. By its name in the library, by its file, for one task or both.
    let picture = folder.path().join("grey.png");
    image::RgbImage::from_pixel(64, 64, image::Rgb([80; 3])).save(&picture).unwrap();
    let face = |models: &[&str]| -> serde_json::Value {
        let models = models.iter().flat_map(|model| ["--model", model]);
        let arguments: Vec<_> = ["analyze", text(&picture), "--crops"].into_iter().chain(models).collect();
        let output = facelens(&home, &arguments).output().unwrap();
        let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        line["faces"][0].clone()
    };
    let (age, gender) = (format!("age={}", text(&card)), "gender=pair");
    let both = face(&[&age, gender]);
    assert_eq!((&both["age"]["years"], &both["gender"]["male"]), (&10.0.into(), &0.08.into()), "{both}");
    let only_age = face(&[&age]);
    assert_eq!(only_age["age"]["years"], 10.0);
    assert_ne!(only_age["gender"]["male"], 0.08);
    let only_gender = face(&[gender]);
    assert_eq!(only_gender["gender"]["male"], 0.08);
    assert_ne!(only_gender["age"]["years"], 10.0);
}

#[test]
fn list_names_the_shipped_models_in_a_table_and_as_json() {
    let home = home();
    let table = said(&home, &["models", "list"]);
    let row = table.lines().find(|line| line.starts_with("ssrnet-age-imdb ")).unwrap();
    for cell in ["age", "KiB", "Apache-2.0", "shipped", "MAE in years"] {
        assert!(row.contains(cell), "{cell}: {row}");
    }
    let ours = table.lines().find(|line| line.starts_with("facelens-face ")).unwrap();
    assert!(ours.contains("age, gender and pose") && ours.contains("shipped, in use"), "{ours}");
    assert!(table.lines().any(|line| line.starts_with("facelens-pose ") && line.contains("pose")), "{table}");
    let document: serde_json::Value = serde_json::from_str(&said(&home, &["models", "list", "--json"])).unwrap();
    let models = document["models"].as_array().unwrap();
    let named = |name: &str| models.iter().find(|model| model["name"] == name).unwrap();
    assert_eq!(named("ssrnet-gender-imdb")["task"], "gender");
    assert!(models.iter().any(|model| model["in_use"] == true));
    assert_eq!(named("ssrnet-age-imdb")["size_bytes"], fs::metadata(shipped("ssrnet-age-imdb.onnx")).unwrap().len());
}

#[test]
fn show_tells_what_a_shipped_model_is_by_name_and_by_file() {
    let home = home();
    let by_name = said(&home, &["models", "show", "ssrnet-age-imdb"]);
    for words in ["Apache-2.0", "64x64 pixels, BGR", "no antialiasing", "age in years", "parameters", "Conv 14"] {
        assert!(by_name.contains(words), "{words}: {by_name}");
    }
    assert_eq!(said(&home, &["models", "show", text(&shipped("ssrnet-age-imdb.toml"))]), by_name);
}

#[test]
fn an_imported_model_is_listed_and_imported_once() {
    let (home, folder) = (home(), home());
    let card = with_card(folder.path(), "mine", &fs::read(shipped("ssrnet-age-imdb.onnx")).unwrap());
    let first = said(&home, &["models", "import", text(&card)]);
    assert!(first.contains("mine (age)") && first.contains("mine.toml: written; use it with --model age="), "{first}");
    let listed = said(&home, &["models", "list"]);
    assert!(listed.lines().any(|line| line.starts_with("mine ") && line.contains("your library")), "{listed}");
    assert!(said(&home, &["models", "import", text(&card)]).contains("mine.toml: already exists"));
    assert!(said(&home, &["models", "check", "mine"]).contains("mine (age), loads"));

    fs::write(home.path().join("data/facelens/models/mine.onnx"), "changed").unwrap();
    let words = refused(&home, &["models", "import", text(&card)]);
    assert!(words.contains("mine.onnx: another model of this name already exists"), "{words}");
    let listed = said(&home, &["models", "list"]);
    assert!(listed.contains("cannot be used: ") && listed.contains("SHA-256 begins with"), "{listed}");
}

#[test]
fn a_file_that_is_not_the_cards_is_refused_with_both_sums() {
    let (home, folder) = (home(), home());
    let card = copied(folder.path());
    let onnx = card.with_extension("onnx");
    let mut bytes = fs::read(&onnx).unwrap();
    let sum = sha256_hex(&bytes);
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&onnx, &bytes).unwrap();
    let words = refused(&home, &["models", "check", text(&card)]);
    for part in ["ssrnet-age-imdb.onnx: ", &sum[..12], &sha256_hex(&bytes)[..12], "get the file again"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

#[test]
fn an_onnx_that_asks_for_terabytes_is_refused() {
    let (home, folder) = (home(), home());
    let card = with_card(folder.path(), "hostile", &terabytes());
    for arguments in [&["models", "check", text(&card)][..], &["models", "import", text(&card)]] {
        let words = refused(&home, arguments);
        assert!(words.contains("hostile.onnx: ") && words.contains("a tensor of 1048576x1048576"), "{words}");
    }
    assert!(!home.path().join("data/facelens").exists(), "nothing is left of the import");
}

#[test]
fn what_is_no_model_is_refused_by_name() {
    let (home, folder) = (home(), home());
    let file = folder.path().join("letter.onnx");
    fs::write(&file, "Dear model, please be a network.\n").unwrap();
    assert!(refused(&home, &["models", "check", text(&file)]).contains("letter.onnx: "));
    let missing = folder.path().join("missing.h5");
    let words = refused(&home, &["models", "show", text(&missing)]);
    assert!(words.contains("missing.h5: ") && words.contains("check the path"), "{words}");
    let card = folder.path().join("card.toml");
    fs::write(&card, "name = \"x\"\ntask = \"mood\"\n").unwrap();
    let words = refused(&home, &["models", "check", text(&card)]);
    assert!(words.contains("card.toml: line 2, key `task`: "), "{words}");
    let empty = with_card(folder.path(), "empty", b"");
    assert!(refused(&home, &["models", "check", text(&empty)]).contains("empty.onnx: it is not an ONNX file"));
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_stays_as_it_was() {
    let (home, folder) = (home(), home());
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let below = file.join("models");
    let card = shipped("ssrnet-age-imdb.toml");
    let words = refused(&home, &["models", "import", text(&card), "-o", text(&below)]);
    assert!(words.contains(text(&below)) && words.contains("choose another folder with -o"), "{words}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_model_for_another_task_is_refused() {
    let home = home();
    let card = shipped("ssrnet-gender-imdb.toml");
    let words = refused(&home, &["models", "check", text(&card), "--task", "age"]);
    assert!(words.contains("this model is for gender, not for age"), "{words}");
}

/// Imports a reference file and gives the words and the card's place.
fn imported(home: &TempDir, file: &Path) -> String {
    said(home, &["models", "import", text(file), "-o", text(&home.path().join("models"))])
}

#[test]
fn published_weights_of_every_format_import_and_load_again() {
    let Some(shared) = common::shared() else { return };
    let home = home();
    for (file, task) in [
        ("ssrnet/age-wiki.h5", "age"),
        ("ssrnet/gender-wiki.h5", "gender"),
        ("fsanet/fsanet_var_capsule_3_16_2_21_5.h5", "pose"),
        ("mxnet/model-ssr-imdb-0021.params", "age"),
        ("omasaht/fsanet-1x1-iter-688590.onnx", "pose"),
    ] {
        let words = imported(&home, &shared.join("reference").join(file));
        assert!(words.contains(&format!("({task})")), "{file}: {words}");
    }
    let cards = fs::read_dir(home.path().join("models")).unwrap().map(|entry| entry.unwrap().path());
    let cards: Vec<_> = cards.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect();
    assert_eq!(cards.len(), 5);
    for card in cards {
        assert!(said(&home, &["models", "check", text(&card)]).contains("is the file that its card describes"));
    }
}

#[test]
fn a_wrong_call_exits_with_2() {
    let home = home();
    for arguments in [&["models"][..], &["models", "show"], &["models", "check", "x", "--task", "mood"]] {
        assert_eq!(facelens(&home, arguments).output().unwrap().status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_ends_quietly() {
    use std::process::Stdio;
    let home = home();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_facelens"))
        .args(["models", "list"])
        .env("XDG_DATA_HOME", home.path())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let status = child.wait().unwrap();
    let mut words = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut words).unwrap();
    assert_eq!((status.code(), words.as_str()), (Some(0), ""));
}

/// A network for grey pictures that gives the same quaternion of every face, as the second to fifth of its second
/// output's numbers: a head of yaw 40, pitch -20 and roll 15. With its card beside it.
fn quaternion(folder: &Path) -> (PathBuf, PathBuf, String) {
    let graph = pb::GraphProto {
        name: "quaternion".into(),
        initializer: vec![
            tensor("zeros", &[1, 5], &[0.0; 5]),
            tensor("numbers", &[5], &[9.0, 0.205_744, 0.312_644, 0.179_674, 0.909_747]),
        ],
        input: vec![value("x", &[1, 1, 8, 8])],
        output: vec![value("light", &[1, 1]), value("pose", &[1, 5])],
        node: vec![
            node("GlobalAveragePool", &["x"], "mean"),
            node("Flatten", &["mean"], "light"),
            node("MatMul", &["light", "zeros"], "none"),
            node("Add", &["none", "numbers"], "pose"),
        ],
        ..Default::default()
    };
    let onnx = file(graph);
    let (network, card) = (folder.join("own.onnx"), folder.join("own.toml"));
    let text = format!(
        r#"
name = "own"
task = "pose"
files = ["own.onnx"]
sha256 = ["{}"]
source = "a test"
licence = "MIT"
training_data = "none"

[input]
width = 8
height = 8
layout = "NCHW"
channels = "GREY"

[input.scaling]
kind = "brighten"
quantile = 0.9
below = 127
to = 0.45
subtract = 0.5

[crop]
margin = 0.3
relative_to = "facelens"
resize = "triangle"
down = 0.1
edge = "black"

[output]
kind = "quaternion"
order = "xyzw"
axes = ["right", "down", "away"]

[select]
outputs = ["pose"]
first = 1
"#,
        sha256_hex(&onnx)
    );
    fs::write(&network, onnx).unwrap();
    fs::write(&card, &text).unwrap();
    (network, card, text)
}

/// Yaw, pitch and roll that `analyze` writes of the astronaut with this pose model.
fn pose_of_the_astronaut(home: &TempDir, card: &Path) -> [f64; 3] {
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/astronaut.png");
    let model = format!("pose={}", text(card));
    let rows = said(home, &["analyze", "--model", &model, "--format", "jsonl", text(&picture)]);
    let row: serde_json::Value = serde_json::from_str(&rows).unwrap();
    ["yaw", "pitch", "roll"].map(|angle| row["faces"][0]["pose"][angle].as_f64().unwrap())
}

#[test]
fn a_network_of_ones_own_is_checked_shown_and_used_by_its_card() {
    let (home, folder) = (home(), home());
    let (network, card, card_text) = quaternion(folder.path());
    assert!(said(&home, &["models", "check", text(&network)]).contains("own (pose), loads"));
    let shown = said(&home, &["models", "show", text(&network)]);
    for words in [
        "8x8 pixels, grey, NCHW, byte / 255, or where the 0.9 quantile of the crop lies below 127, that brought to 0.45",
        "facelens's face box plus 0.3 of its sides all around, moved down by 0.1 of its height",
        "black outside the image",
        "quaternion xyzw; x right, y down, z away, from the head to the camera",
        "the output pose, numbers 1 to 4",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let near = |got: [f64; 3], expected: [f64; 3]| {
        assert!(got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 0.02), "{got:?}");
    };
    near(pose_of_the_astronaut(&home, &card), [40.0, -20.0, 15.0]);

    // Aligned, the head that the network sees is turned back by what the landmarks were turned by.
    let aligned = "[crop.align]\nwidth = 1\nheight = 1\nleft_eye = [0.3, 0.4]\nright_eye = [0.7, 0.4]\n\n[output]";
    fs::write(&card, card_text.replace("[output]", aligned)).unwrap();
    assert!(
        said(&home, &["models", "show", text(&card)])
            .contains("aligned to the landmarks (left eye, right eye); of faces")
    );
    let told = pose_of_the_astronaut(&home, &card);
    assert!(
        (told[0] - 40.0).abs() > 0.1 && told.iter().zip([40.0, -20.0, 15.0]).all(|(a, b)| (a - b).abs() < 15.0),
        "{told:?}"
    );

    for (from, to, words) in [
        ("\"xyzw\"", "\"xyz\"", "line 30, under `[output]`: unknown variant `xyz`, expected `xyzw` or `wxyz`"),
        ("\"away\"]", "\"up\"]", "`output.axes` must name one of right and left"),
        (
            "[\"pose\"]",
            "[\"quat\"]",
            "it has no output `quat`, but `light`, `pose`; correct `select` or `output` in the card",
        ),
        ("first = 1", "first = 2", "`select` finds 5 numbers where the output form takes 4 from number 2 on"),
        (
            "[select]\noutputs = [\"pose\"]\nfirst = 1",
            "",
            "gives 6 numbers where the card's output form has 4; correct `output` in the card, or say in its `select`",
        ),
        ("\"GREY\"", "\"RGB\"", "its input `x` is 1x1x8x8, but 1x3x8x8 is wanted"),
        (
            "quantile = 0.9",
            "quantile = 90",
            "`input.scaling.quantile` must lie above 0 and be at most 0.999, but is 90",
        ),
    ] {
        assert!(card_text.contains(from), "{from}");
        fs::write(&card, card_text.replace(from, to)).unwrap();
        let error = refused(&home, &["models", "check", text(&network)]);
        assert!(error.contains(words), "{words}: {error}");
    }
}
