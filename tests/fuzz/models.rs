//! Model cards and the weight files of other programs.

use std::path::Path;

use facelens_core::model::{ModelCard, Task};
use facelens_import::formats::{import_file, read_layers};
use hdf5_pure::FileBuilder;
use serde_json::json;

use crate::harness::{InputFile, Target, fuzz};

#[test]
fn cards() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let card = |name: &str| std::fs::read(models.join(name)).unwrap();
    let corpus = vec![card("facelens-face.toml"), card("ssrnet-age-imdb.toml")];
    let words: [&[u8]; 7] = [b"[[accuracy]]", b"[input]", b"nan", b"inf", b"\"\"\"", b"kind = ", b"task = "];
    fuzz(&Target { name: "cards", corpus, words: &words, repair: None, cost: 1 }, |input| {
        let Ok(text) = std::str::from_utf8(input) else { return false };
        ModelCard::parse(text, Path::new("card.toml")).is_ok()
    });
}

/// The parsers see the format, and what they say of it is an error: none of these is a whole network.
fn is_known(file: &Path) -> bool {
    match read_layers(file, Some(Task::Age)) {
        Ok(_) => true,
        Err(error) => !error.to_string().contains("broken"),
    }
}

#[test]
fn keras() {
    let mut file = FileBuilder::new();
    let mut outer = file.create_group("conv2d_1");
    let mut inner = outer.create_group("conv2d_1");
    inner.create_dataset("kernel:0").with_f32_data(&[0.5; 54]).with_shape(&[3, 3, 3, 2]);
    inner.create_dataset("bias:0").with_f32_data(&[0.1; 2]).with_shape(&[2]);
    outer.add_group(inner.finish());
    file.add_group(outer.finish());
    let corpus = vec![file.finish().unwrap()];
    let words: [&[u8]; 8] = [b"TREE", b"SNOD", b"HEAP", b"OHDR", b"OCHK", b"FRHP", b"conv2d_1", b"\xff\xff\xff\xff"];
    let file = InputFile::new("weights.h5");
    let target = Target { name: "keras", corpus, words: &words, repair: None, cost: 1 };
    fuzz(&target, |input| is_known(&file.holding(input)));
}

#[test]
fn mxnet() {
    let u32s = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let u64s = |values: &[u64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let mut list = u64s(&[0x112, 0, 2]);
    for shape in [&[2_u64, 3][..], &[4]] {
        list.extend(u32s(&[0xF993_FAC9, 0, shape.len() as u32]));
        list.extend(u64s(shape));
        list.extend(u32s(&[1, 0, 0]));
        list.extend(vec![0; 4 * shape.iter().product::<u64>() as usize]);
    }
    list.extend(u64s(&[2]));
    for name in ["arg:convolution1_weight", "aux:batchnorm1_moving_mean"] {
        list.extend(u64s(&[name.len() as u64]));
        list.extend(name.bytes());
    }
    let file = InputFile::new("age-0001.params");
    let target =
        Target { name: "mxnet", corpus: vec![list], words: &[b"\xc9\xfa\x93\xf9", b"arg:"], repair: None, cost: 1 };
    fuzz(&target, |input| is_known(&file.holding(input)));
}

/// A graph and its weights: the .json and the .bin, one behind the other in an input.
#[test]
fn tfjs() {
    const SIZES: [u64; 4] = [1, 2, 2, 3];
    let ones = json!({ "list": { "i": ["1", "1", "1", "1"] } });
    let node = |op: &str, name: &str, inputs: &[&str], attributes: serde_json::Value| json!({ "name": name, "op": op, "input": inputs, "attr": attributes });
    let model = json!({
        "format": "graph-model",
        "modelTopology": { "node": [
            node("Placeholder", "input", &[], json!({})),
            node("Const", "kernel", &[], json!({})),
            node("_FusedConv2D", "conv", &["input", "kernel"], json!({
                "fused_ops": { "list": { "s": ["UmVsdQ=="] } }, "padding": { "s": "VkFMSUQ=" },
                "strides": ones, "dilations": ones,
            })),
            node("AvgPool", "pool", &["conv"], json!({ "ksize": ones, "strides": ones, "padding": { "s": "VkFMSUQ=" } })),
            node("Identity", "Identity", &["pool"], json!({})),
        ] },
        "weightsManifest": [{ "paths": ["age.bin"], "weights": [
            { "name": "kernel", "shape": SIZES, "dtype": "float32" },
        ] }],
    });
    let bin = vec![0x3f; 4 * SIZES.iter().product::<u64>() as usize];
    let corpus = vec![[serde_json::to_vec(&model).unwrap(), vec![0x1e], bin].concat()];
    let words: [&[u8]; 10] = [
        b"\"age.bin\",",
        b"float32",
        b"int32",
        b"..",
        b"StridedSlice",
        b"Reshape",
        b"MatMul",
        b"[",
        b"{",
        b"quantization",
    ];
    let json = InputFile::new("age.json");
    fuzz(&Target { name: "tfjs", corpus, words: &words, repair: None, cost: 1 }, |input| {
        let mut files = input.splitn(2, |&byte| byte == 0x1e);
        let path = json.holding(files.next().unwrap_or_default());
        let weights = files.next().unwrap_or_default();
        std::fs::write(path.with_file_name("age.bin"), weights).unwrap();
        // Whatever it is: the whole way includes the graph, node by node.
        let _ = import_file(&path);
        is_known(&path)
    });
}
