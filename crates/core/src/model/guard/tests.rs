//! Graphs that are hostile, damaged or merely unfit.

use std::path::Path;

use proptest::prelude::*;
use prost::Message as _;
use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;

use crate::model::graphs::{Graph, small, value};
use crate::model::{ModelError, ModelErrorKind, Net};

const SHAPE: [usize; 4] = [1, 3, 8, 8];
const INPUT: [i64; 4] = [1, 3, 8, 8];

fn load(graph: Graph) -> Result<Net, ModelError> {
    Net::with_input_shape(&graph.bytes(), &SHAPE, Path::new("net.onnx"))
}

#[track_caller]
fn refused(graph: Graph, kind: ModelErrorKind, words: &str) {
    let error = load(graph).expect_err("must be refused");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.to_string().starts_with("net.onnx: "), "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_valid_graph_gives_its_hand_computed_value() {
    let graph = Graph::new(&INPUT)
        .floats("w", &[1, 3, 1, 1], &[1.0, 2.0, 3.0])
        .node("Conv", &["x", "w"], "c", &[("kernel_shape", &[1, 1])])
        .node("GlobalAveragePool", &["c"], "y", &[]);
    let net = load(graph).unwrap();
    let input: Vec<f32> = (0..192).map(|index| (index / 64) as f32 + 1.0).collect();
    assert_eq!(net.run(&input).unwrap(), [14.0]);
    assert_eq!(net.output_shapes(), [[1, 1, 1, 1]]);
    assert!(net.run(&input[1..]).unwrap_err().contains("takes 192 numbers, but was given 191"));
}

#[test]
fn outputs_come_in_the_order_of_the_graph() {
    let graph = small(&INPUT).node("Neg", &["y"], "z", &[]).change(|graph| {
        graph.output.insert(0, value("z", &[1, 1]));
        graph.output.push(value("g", &[1, 2]));
    });
    let net = load(graph).unwrap();
    let values = net.run(&[0.25; 192]).unwrap();
    assert_eq!(values.len(), 4);
    assert_eq!(values[0], -values[1]);
    assert_eq!(values[1], values[2] + 2.0 * values[3]);
}

#[test]
fn a_symbolic_batch_becomes_one() {
    assert!(load(small(&[0, 3, 8, 8])).is_ok());
}

#[test]
fn another_input_is_refused_with_both_shapes() {
    refused(small(&[1, 8, 8, 3]), ModelErrorKind::WrongShape, "`x` is 1x8x8x3, but 1x3x8x8 is wanted");
    refused(small(&[1, 3, 64]), ModelErrorKind::WrongShape, "`x` is 1x3x64, but 1x3x8x8 is wanted");
    refused(small(&[4, 3, 8, 8]), ModelErrorKind::WrongShape, "`x` is 4x3x8x8, but");
    let two = small(&INPUT).change(|graph| graph.input.push(value("second", &[1])));
    refused(two, ModelErrorKind::WrongShape, "2 inputs instead of one image");
}

#[test]
fn asking_for_a_terabyte_is_refused() {
    let huge = [1 << 20, 1 << 20];
    let constant = |op: &str| {
        Graph::new(&INPUT)
            .integers("shape", &huge)
            .floats("one", &[1], &[1.0])
            .node(op, if op == "Expand" { &["one", "shape"] } else { &["shape"] }, "big", &[])
            .node("ReduceMax", &["big"], "max", &[])
            .node("Add", &["x", "max"], "y", &[])
    };
    refused(constant("ConstantOfShape"), ModelErrorKind::TooLarge, "asks for a tensor of 1048576x1048576");
    refused(constant("Expand"), ModelErrorKind::TooLarge, "asks for a tensor of 1048576x1048576");
}

#[test]
fn asking_for_a_terabyte_by_ordinary_operators_is_refused() {
    let many = vec![1.0; 1 << 17];
    let outer = Graph::new(&INPUT)
        .floats("column", &[1 << 17, 1], &many)
        .floats("row", &[1, 1 << 17], &many)
        .node("Mul", &["column", "row"], "big", &[])
        .node("ReduceMax", &["big"], "max", &[])
        .node("Add", &["x", "max"], "y", &[]);
    refused(outer, ModelErrorKind::TooLarge, "asks for a tensor of 131072x131072");

    let tile = Graph::new(&INPUT).integers("times", &[1, 1, 1 << 20, 1 << 20]).node("Tile", &["x", "times"], "y", &[]);
    refused(tile, ModelErrorKind::TooLarge, "asks for a tensor of 1x3x8388608x8388608");

    let padded = Graph::new(&INPUT).floats("w", &[2, 3, 1, 1], &[0.0; 6]).node(
        "Conv",
        &["x", "w"],
        "y",
        &[("kernel_shape", &[1, 1]), ("pads", &[1 << 30, 1 << 30, 1 << 30, 1 << 30])],
    );
    refused(padded, ModelErrorKind::TooLarge, "1073741824 is out of bounds");

    let pads = [0, 0, 1 << 20, 1 << 20, 0, 0, 1 << 20, 1 << 20];
    let pad = Graph::new(&INPUT).integers("pads", &pads).node("Pad", &["x", "pads"], "y", &[]);
    refused(pad, ModelErrorKind::TooLarge, "asks for a tensor of");

    let mut doubling = Graph::new(&INPUT);
    let names: Vec<String> = (0..40).map(|step| format!("d{step}")).collect();
    doubling = doubling.node("Concat", &["x", "x"], "d0", &[("axis", &[3])]);
    for pair in names.windows(2) {
        doubling = doubling.node("Concat", &[&pair[0], &pair[0]], &pair[1], &[("axis", &[3])]);
    }
    refused(doubling.node("Relu", &["d39"], "y", &[]), ModelErrorKind::TooLarge, "asks for");
}

#[test]
fn endless_work_is_refused() {
    // Each tensor is small, but the window slides over all of a large padding.
    let slow = Graph::new(&INPUT).node(
        "MaxPool",
        &["x"],
        "y",
        &[("kernel_shape", &[1000, 1000]), ("pads", &[999, 999, 999, 999]), ("strides", &[1, 1])],
    );
    refused(slow, ModelErrorKind::TooLarge, "multiplications for one face");
}

#[test]
fn tensors_that_lie_are_refused() {
    let claims = |dims: &[i64]| {
        let dims = dims.to_vec();
        small(&INPUT).change(move |graph| graph.initializer[0].dims = dims)
    };
    refused(claims(&[1 << 40]), ModelErrorKind::TooLarge, "`w` claims to be [1099511627776]");
    refused(claims(&[i64::MAX, i64::MAX]), ModelErrorKind::TooLarge, "`w` claims to be");
    refused(claims(&[-1, 54]), ModelErrorKind::TooLarge, "`w` claims to be [-1, 54]");
    refused(claims(&[2, 3, 3, 4]), ModelErrorKind::Corrupt, "but holds 54 numbers");
    let empty = small(&INPUT).change(|graph| graph.initializer[0].raw_data.clear());
    refused(empty, ModelErrorKind::Corrupt, "but holds 0 numbers");
    let elsewhere = small(&INPUT).change(|graph| {
        graph.initializer[0].data_location = Some(pb::tensor_proto::DataLocation::External as i32);
        let entry = pb::StringStringEntryProto { key: "location".into(), value: "/etc/passwd".into() };
        graph.initializer[0].external_data.push(entry);
    });
    refused(elsewhere, ModelErrorKind::WrongShape, "`w` lies in another file");
}

#[test]
fn arguments_that_tract_would_believe_are_refused() {
    let transposed = |perm: &[i64]| Graph::new(&INPUT).node("Transpose", &["x"], "y", &[("perm", perm)]);
    assert!(load(transposed(&[3, 1, 0, 2])).is_ok());
    for perm in [&[0, 1, 0, 3][..], &[0, 1, 2, 4], &[-1, 0, 1, 2]] {
        refused(transposed(perm), ModelErrorKind::Corrupt, "is not an order of axes");
    }
    let tiled = |times: &[i64]| Graph::new(&INPUT).integers("n", times).node("Tile", &["x", "n"], "y", &[]);
    assert!(load(tiled(&[1, 2, 1, 2])).is_ok());
    refused(tiled(&[1, -2, 1, 1]), ModelErrorKind::Corrupt, "Tile `y`: -2 repetitions");
    let largest = |count: i64| {
        Graph::new(&INPUT).integers("k", &[count]).node("TopK", &["x", "k"], "y", &[("axis", &[-1])]).change(|graph| {
            graph.node[0].output.push("places".into());
        })
    };
    assert!(load(largest(8)).is_ok());
    for count in [9, -1, (1 << 32) + 1] {
        refused(largest(count), ModelErrorKind::Corrupt, &format!("TopK `y`: the largest {count} of 8"));
    }
    let dropped = |count: usize| {
        let ratio = vec![0.5; count];
        Graph::new(&INPUT).floats("r", &[count as i64], &ratio).node("Dropout", &["x", "r"], "y", &[])
    };
    assert!(load(dropped(1)).is_ok());
    for count in [0, 2] {
        refused(dropped(count), ModelErrorKind::Corrupt, "Dropout `y`: an argument is not one number");
    }
}

#[test]
fn an_operator_is_known_by_its_domain_and_name() {
    let within = |domain: &str, op: &str| {
        let (domain, op) = (domain.to_owned(), op.to_owned());
        small(&INPUT).change(move |graph| {
            graph.node[1].domain = domain;
            graph.node[1].op_type = op;
        })
    };
    assert!(load(within("ai.onnx", "Relu")).is_ok());
    assert!(load(within("com.microsoft", "QuickGelu")).is_ok());
    for (domain, op) in [("com.example", "Relu"), ("com.microsoft", "Relu"), ("", "QuickGelu2"), ("ai.onnx.ml", "Relu")]
    {
        refused(within(domain, op), ModelErrorKind::WrongShape, &format!("uses the operator `{op}`"));
    }
}

#[test]
fn names_of_nodes_mean_nothing_but_no_value_is_given_twice() {
    let expected = load(small(&INPUT)).unwrap().run(&[0.25; 192]).unwrap();
    let named = small(&INPUT).change(|graph| graph.node.iter_mut().for_each(|node| node.name = "y".into()));
    assert_eq!(load(named).unwrap().run(&[0.25; 192]).unwrap(), expected);
    let twice = small(&INPUT).change(|graph| graph.node[1].output[0] = "c".into());
    refused(twice, ModelErrorKind::Corrupt, "its graph gives `c` twice");
    let twice = small(&INPUT).change(|graph| graph.node[1].output[0] = "w".into());
    refused(twice, ModelErrorKind::Corrupt, "its graph gives `w` twice");
    let twice = small(&INPUT).change(|graph| graph.initializer.push(graph.initializer[0].clone()));
    refused(twice, ModelErrorKind::Corrupt, "its graph gives `w` twice");
}

#[test]
fn half_precision_gives_what_32_bits_give() {
    // Weights that both have exactly.
    let graph = Graph::new(&INPUT)
        .floats("w", &[1, 3, 1, 1], &[1.0, -0.5, 2.0])
        .node("Conv", &["x", "w"], "c", &[("kernel_shape", &[1, 1])])
        .node("GlobalAveragePool", &["c"], "y", &[]);
    let input: Vec<f32> = (0..192).map(|index| (index / 64) as f32 + 1.0).collect();
    assert_eq!(load(graph.clone()).unwrap().run(&input).unwrap(), [6.0]);
    for (kind, bits) in [(DataType::Float16, [0x3c00, 0xb800, 0x4000]), (DataType::Bfloat16, [0x3f80, 0xbf00, 0x4000])]
    {
        for raw in [true, false] {
            let half = graph.clone().change(|graph| {
                let tensor = &mut graph.initializer[0];
                tensor.data_type = kind as i32;
                tensor.raw_data.clear();
                if raw {
                    tensor.raw_data = bits.iter().flat_map(|bits: &u16| bits.to_le_bytes()).collect();
                } else {
                    tensor.int32_data = bits.map(i32::from).to_vec();
                }
                let pb::type_proto::Value::TensorType(input) =
                    graph.input[0].r#type.as_mut().unwrap().value.as_mut().unwrap();
                input.elem_type = kind as i32;
            });
            assert_eq!(load(half).unwrap().run(&input).unwrap(), [6.0], "{kind:?}");
        }
    }
}

#[test]
fn weights_that_are_no_numbers_are_refused() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let damaged =
            small(&INPUT).change(|graph| graph.initializer[0].raw_data[4..8].copy_from_slice(&value.to_le_bytes()));
        refused(damaged, ModelErrorKind::Corrupt, "its tensor `w` holds a number that is not finite");
    }
    let bounded = |bound: f32| {
        Graph::new(&INPUT).floats("low", &[], &[0.0]).floats("high", &[], &[bound]).node(
            "Clip",
            &["x", "low", "high"],
            "y",
            &[],
        )
    };
    assert!(load(bounded(f32::INFINITY)).is_ok(), "a bound may be infinite");
    refused(bounded(f32::NAN), ModelErrorKind::Corrupt, "`high` holds a number that is not finite");
}

#[test]
fn doubles_are_narrowed() {
    let double = small(&INPUT).change(|graph| {
        for tensor in &mut graph.initializer {
            let raw = tensor.raw_data.as_chunks::<4>().0.iter();
            tensor.raw_data = raw.flat_map(|&bytes| f64::from(f32::from_le_bytes(bytes)).to_le_bytes()).collect();
            tensor.data_type = DataType::Double as i32;
        }
        let Some(pb::type_proto::Value::TensorType(input)) =
            graph.input[0].r#type.as_mut().and_then(|kind| kind.value.as_mut())
        else {
            panic!("no type")
        };
        input.elem_type = DataType::Double as i32;
    });
    let input: Vec<f32> = (0..192).map(|index| index as f32 / 192.0).collect();
    let expected = load(small(&INPUT)).unwrap().run(&input).unwrap();
    assert_eq!(load(double).unwrap().run(&input).unwrap(), expected);
    let too_large = small(&INPUT).change(|graph| {
        graph.initializer[0].raw_data = vec![1e300_f64; 54].into_iter().flat_map(f64::to_le_bytes).collect();
        graph.initializer[0].data_type = DataType::Double as i32;
    });
    refused(too_large, ModelErrorKind::Corrupt, "not finite");
}

#[test]
fn what_nothing_uses_does_no_harm() {
    let unused = |data_type: DataType| {
        small(&INPUT).change(|graph| {
            let data_type = data_type as i32;
            graph.initializer.push(pb::TensorProto {
                dims: vec![4],
                data_type,
                name: "unused".into(),
                ..Default::default()
            });
        })
    };
    for data_type in [DataType::String, DataType::Complex64, DataType::Float8e4m3fn, DataType::Float] {
        assert!(load(unused(data_type)).is_ok(), "{data_type:?}");
    }
    let pooled = |outputs: &[&str]| {
        let outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
        Graph::new(&INPUT)
            .node("MaxPool", &["x"], "m", &[("kernel_shape", &[2, 2])])
            .node("Relu", &["m"], "y", &[])
            .change(|graph| graph.node[0].output = outputs)
    };
    assert!(load(pooled(&["m", ""])).is_ok());
}

/// ONNX lets a graph bring its own meaning of an operator.
#[test]
fn functions_of_a_graph_s_own_are_refused() {
    let with_function = |domain: &str, name: &str, op: &str| {
        let bytes = small(&INPUT).change(|graph| op.clone_into(&mut graph.node[1].op_type)).bytes();
        let mut proto = pb::ModelProto::decode(bytes.as_slice()).unwrap();
        proto.graph.as_mut().unwrap().node[1].domain = if op == name { domain.to_owned() } else { String::new() };
        let function = pb::FunctionProto { name: Some(name.into()), domain: Some(domain.into()), ..Default::default() };
        proto.functions.push(function);
        Net::with_input_shape(&proto.encode_to_vec(), &SHAPE, Path::new("net.onnx"))
    };
    assert!(with_function("mine", "Twice", "Relu").is_ok(), "one that is not used");
    for (domain, name, op) in [("", "Relu", "Relu"), ("ai.onnx", "Other", "Relu"), ("mine", "Twice", "Twice")] {
        let error = with_function(domain, name, op).unwrap_err().to_string();
        assert!(error.contains(&format!("function `{name}`")) && error.contains("inline"), "{error}");
    }
}

#[test]
fn graphs_within_graphs_and_values_as_sizes_are_refused() {
    for op in ["If", "Loop", "Scan", "RandomNormal", "SequenceEmpty", "NonZero", "Range", "EyeLike", "Mul Neg", ""] {
        let graph = small(&INPUT).change(|graph| graph.node[1].op_type = op.to_owned());
        refused(graph, ModelErrorKind::WrongShape, &format!("uses the operator `{op}`"));
    }
    let hidden = small(&INPUT).change(|graph| {
        let body = pb::AttributeProto { name: "body".into(), g: Some(pb::GraphProto::default()), ..Default::default() };
        graph.node[1].attribute.push(body);
    });
    refused(hidden, ModelErrorKind::Corrupt, "a graph where there should be none");
}

#[test]
fn loose_ends_and_loops_are_refused() {
    let loose = small(&INPUT).change(|graph| graph.output[0].name = "nothing".into());
    refused(loose, ModelErrorKind::Corrupt, "nothing in its graph gives `nothing`");
    let looped = small(&INPUT).change(|graph| graph.node[0].input[0] = "y".into());
    refused(looped, ModelErrorKind::Corrupt, "its graph");
    let no_output = small(&INPUT).change(|graph| graph.output.clear());
    refused(no_output, ModelErrorKind::Corrupt, "no output");
}

#[test]
fn what_is_no_onnx_says_so() {
    for bytes in [&b""[..], b"Once upon a time there was a face.", &[0xff; 64], &[0; 64]] {
        let error = Net::with_input_shape(bytes, &SHAPE, Path::new("net.onnx")).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::Corrupt);
        assert!(error.to_string().contains("not an ONNX file"), "{error}");
    }
}

#[test]
fn values_that_are_not_finite_are_an_error() {
    let graph = Graph::new(&INPUT).node("Log", &["x"], "y", &[]);
    let error = load(graph).unwrap().run(&[0.0; 192]).unwrap_err();
    assert!(error.contains("not a finite number"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Whatever happens to the bytes, there is a net or an error: no panic, no hang, no abort for want of memory.
    #[test]
    fn damaged_files_never_panic(
        flips in prop::collection::vec((0_usize..2000, 0_u8..=255), 1..6),
        cut in prop::option::weighted(0.2, 0_usize..2000),
    ) {
        let mut bytes = small(&INPUT).bytes();
        let length = bytes.len();
        for (at, value) in flips {
            bytes[at % length] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut % length);
        }
        if let Ok(net) = Net::with_input_shape(&bytes, &SHAPE, Path::new("net.onnx")) {
            // A changed weight is still a net.
            let _ = net.run(&[0.5; 192]);
        }
    }
}
