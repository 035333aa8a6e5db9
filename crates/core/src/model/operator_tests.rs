//! The operators of `facelens-operators` give what tract gives, in graphs as they are loaded.

use std::path::Path;

use crate::model::graphs::Graph;
use crate::model::{Net, guard};

type Attributes<'a> = &'a [(&'a str, &'a [i64])];

/// Weights that are no round numbers.
fn weights(graph: Graph, name: &str, shape: &[i64]) -> Graph {
    let count: i64 = shape.iter().product();
    let values: Vec<f32> = (1..=count).map(|i| (i as f32 * 1.7).sin()).collect();
    graph.floats(name, shape, &values)
}

/// A graph of one operator on an input of this shape, with these weights.
fn graph(input: &[i64], op: &str, attributes: Attributes<'_>, named: &[(&str, &[i64])]) -> Graph {
    let names: Vec<&str> = std::iter::once("x").chain(named.iter().map(|(name, _)| *name)).collect();
    let graph = named.iter().fold(Graph::new(input), |graph, (name, shape)| weights(graph, name, shape));
    graph.node(op, &names, "y", attributes)
}

/// The largest difference between the graph as the app runs it and as tract runs it by itself, and the operators'
/// names as the app runs it.
fn compared(graph: Graph, shape: &[i64]) -> (f32, Vec<String>) {
    use tract_onnx::prelude::{IntoRunnable as _, Tensor, tvec};
    let onnx = graph.bytes();
    let shape: Vec<usize> = shape.iter().map(|&side| side as usize).collect();
    let count: usize = shape.iter().product();
    let input: Vec<f32> = (0..count).map(|i| (i as f32 * 0.73).sin() * 3.0 + 0.5).collect();
    let own = Net::with_input_shape(&onnx, &shape, Path::new("own")).unwrap();
    let tensor = Tensor::from_shape(&shape, &input).unwrap();
    let theirs = guard::typed(&onnx, &shape).unwrap().into_optimized().unwrap().into_runnable().unwrap();
    let theirs = theirs.run(tvec!(tensor.into())).unwrap();
    let theirs: Vec<f32> = theirs[0].to_plain_array_view::<f32>().unwrap().iter().copied().collect();
    let ours = own.run(&input).unwrap();
    assert_eq!(ours.len(), theirs.len());
    assert!(theirs.iter().any(|x| x.abs() > 0.05), "zeros show nothing");
    let off = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (off, own.operators())
}

/// Whether a graph runs as one part of our own.
fn is_own(names: &[String]) -> bool {
    names.iter().all(|name| ["Source", "Part"].contains(&name.as_str()))
}

#[test]
fn poolings_give_what_tract_gives() {
    for (op, rows, columns) in [("MaxPool", 9, 7), ("AveragePool", 9, 7), ("MaxPool", 8, 31), ("AveragePool", 8, 31)] {
        for (sides, strides) in [
            ([2, 2], [2, 2]),
            ([4, 4], [4, 4]),
            ([8, 7], [8, 7]),
            ([1, 2], [1, 2]),
            ([3, 1], [3, 1]),
            ([2, 2], [1, 1]),
            ([3, 3], [2, 2]),
        ] {
            let attributes: Attributes<'_> = &[("kernel_shape", &sides), ("strides", &strides)];
            let shape = [1, 5, rows, columns];
            let (off, names) = compared(graph(&shape, op, attributes, &[]), &shape);
            assert!(off < 1e-5 && is_own(&names), "{op} {sides:?} of {rows}x{columns}: {off}, {names:?}");
        }
    }
}

#[test]
fn convolutions_give_what_tract_gives() {
    for (inputs, outputs, rows, columns) in [
        (3, 16, 64, 64),
        (16, 24, 32, 32),
        (1, 1, 19, 19),
        (7, 5, 140, 4),
        (48, 96, 6, 6),
        (96, 40, 4, 4),
        (3, 4, 90, 131),
    ] {
        for (side, stride, pads) in [
            (3, 1, [1, 1, 1, 1]),
            (3, 1, [0, 0, 0, 0]),
            (3, 1, [2, 0, 1, 2]),
            (3, 2, [1, 1, 1, 1]),
            (3, 2, [0, 0, 1, 1]),
            (5, 2, [1, 1, 2, 2]),
            (1, 1, [0, 0, 0, 0]),
            (1, 2, [0, 0, 0, 0]),
        ] {
            if rows.min(columns) + pads[0] + pads[2] < side || columns + pads[1] + pads[3] < side {
                continue;
            }
            let attributes: Attributes<'_> =
                &[("kernel_shape", &[side, side]), ("pads", &pads), ("strides", &[stride, stride])];
            let named: [(&str, &[i64]); 2] = [("w", &[outputs, inputs, side, side]), ("b", &[outputs])];
            let shape = [1, inputs, rows, columns];
            for named in [&named[..1], &named] {
                let (off, names) = compared(graph(&shape, "Conv", attributes, named), &shape);
                let what = format!("{inputs} to {outputs} x {rows} x {columns}, {side} by {stride}, {pads:?}");
                assert!(off < 3e-4 && is_own(&names), "{what}: {off}, {names:?}");
            }
        }
    }
}

#[test]
fn depthwise_convolutions_give_what_tract_gives() {
    for (channels, rows, columns) in [(16, 8, 8), (3, 5, 9), (20, 1, 6), (6, 32, 32), (2, 70, 131), (40, 7, 12)] {
        for (side, stride, pads) in [
            (3, 1, [1, 1, 1, 1]),
            (5, 1, [2, 2, 2, 2]),
            (5, 2, [1, 1, 2, 2]),
            (5, 1, [4, 0, 2, 3]),
            (3, 2, [0, 0, 1, 1]),
            (3, 2, [1, 1, 1, 1]),
            (3, 1, [2, 1, 0, 1]),
        ] {
            if rows + pads[0] + pads[2] < side || columns + pads[1] + pads[3] < side {
                continue;
            }
            let attributes: Attributes<'_> = &[
                ("kernel_shape", &[side, side]),
                ("strides", &[stride, stride]),
                ("pads", &pads),
                ("group", &[channels]),
            ];
            let named: [(&str, &[i64]); 2] = [("w", &[channels, 1, side, side]), ("b", &[channels])];
            let shape = [1, channels, rows, columns];
            let (off, names) = compared(graph(&shape, "Conv", attributes, &named), &shape);
            let what = format!("{channels} x {rows} x {columns}, {side} by {stride}, {pads:?}");
            assert!(off < 1e-5 && is_own(&names), "{what}: {off}, {names:?}");
        }
    }
}

#[test]
fn what_follows_a_convolution_is_done_with_it_and_gives_what_tract_gives() {
    let conv: Attributes<'_> = &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1])];
    let shape = [1, 6, 16, 16];
    let start = || weights(weights(Graph::new(&shape), "w", &[6, 6, 3, 3]), "b", &[6]);
    let block = |side: &'static [i64]| -> Vec<(&'static str, &'static [i64])> {
        vec![("kernel_shape", side), ("strides", side)]
    };
    let convolved = || start().node("Conv", &["x", "w", "b"], "c", conv);
    let cases = [
        ("relu", convolved().node("Relu", &["c"], "y", &[])),
        ("tanh of blocks", convolved().node("MaxPool", &["c"], "p", &block(&[2, 2])).node("Tanh", &["p"], "y", &[])),
        ("blocks of tanh", convolved().node("Tanh", &["c"], "t", &[]).node("MaxPool", &["t"], "y", &block(&[2, 2]))),
        ("means", convolved().node("Relu", &["c"], "r", &[]).node("AveragePool", &["r"], "y", &block(&[4, 4]))),
        ("large blocks", convolved().node("MaxPool", &["c"], "y", &block(&[8, 8]))),
        ("odd blocks", convolved().node("MaxPool", &["c"], "p", &block(&[3, 5])).node("Relu", &["p"], "y", &[])),
        ("a sum", convolved().node("Add", &["x", "c"], "a", &[]).node("Relu", &["a"], "y", &[])),
        (
            "a sum of two convolutions",
            convolved().node("Conv", &["x", "w"], "d", conv).node("Add", &["c", "d"], "a", &[]).node(
                "Relu",
                &["a"],
                "y",
                &[],
            ),
        ),
        ("both of it", convolved().node("Relu", &["c"], "r", &[]).node("Add", &["c", "r"], "y", &[])),
        ("a sum after the activation", convolved().node("Relu", &["c"], "r", &[]).node("Add", &["r", "x"], "y", &[])),
        (
            "other rows and columns",
            convolved().integers("s", &[1, 6, 8, 32]).node("Reshape", &["c", "s"], "r", &[]).node(
                "MaxPool",
                &["r"],
                "y",
                &block(&[2, 2]),
            ),
        ),
        (
            "a part of it",
            convolved()
                .integers("from", &[1])
                .integers("to", &[12])
                .integers("axes", &[3])
                .node("Slice", &["c", "from", "to", "axes"], "s", &[])
                .node("Relu", &["s"], "y", &[]),
        ),
        (
            "numbers in a row",
            convolved().node("Relu", &["c"], "r", &[]).node("Flatten", &["r"], "y", &[("axis", &[1])]),
        ),
        (
            "a dense layer",
            weights(convolved(), "m", &[1536, 5])
                .node("Flatten", &["c"], "f", &[("axis", &[1])])
                .node("MatMul", &["f", "m"], "d", &[])
                .node("Tanh", &["d"], "y", &[]),
        ),
    ];
    for (what, graph) in cases {
        let (off, names) = compared(graph, &shape);
        assert!(off < 2e-4 && is_own(&names), "{what}: {off}, {names:?}");
    }
}

#[test]
fn a_picture_whose_rows_were_put_above_each_other_gives_what_tract_gives() {
    let shape = [1, 3, 8, 10];
    let slice = |graph: Graph, row: i64| {
        let [from, to, cut] = [format!("from{row}"), format!("to{row}"), format!("cut{row}")];
        graph.integers(&from, &[10 * row]).integers(&to, &[10 * row + 60]).node(
            "Slice",
            &["row", &from, &to, "columns"],
            &cut,
            &[],
        )
    };
    let start = weights(Graph::new(&shape), "w", &[4, 3, 3, 3])
        .integers("columns", &[3])
        .integers("one", &[1, 3, 1, 80])
        .integers("back", &[1, 4, 2, 29])
        .node("Reshape", &["x", "one"], "row", &[]);
    let graph = (0..3)
        .fold(start, slice)
        .node("Concat", &["cut0", "cut1", "cut2"], "rows", &[("axis", &[2])])
        .node("Conv", &["rows", "w"], "c", &[("kernel_shape", &[3, 3])])
        .node("Reshape", &["c", "back"], "y", &[]);
    let (off, names) = compared(graph, &shape);
    assert!(off < 1e-4 && is_own(&names), "{off}, {names:?}");
}

#[test]
fn what_is_between_other_operators_gives_what_tract_gives() {
    // Exp is left to tract, so that there are two parts, the second with an input from before the first.
    let conv: Attributes<'_> = &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1])];
    let shape = [1, 4, 6, 6];
    let graph = weights(Graph::new(&shape), "w", &[4, 4, 3, 3])
        .node("Conv", &["x", "w"], "c", conv)
        .node("Tanh", &["c"], "t", &[])
        .node("Exp", &["t"], "e", &[])
        .node("Conv", &["e", "w"], "d", conv)
        .node("Add", &["d", "t"], "y", &[]);
    let (off, names) = compared(graph, &shape);
    assert!(off < 1e-3 && names.iter().filter(|name| *name == "Part").count() == 2, "{off}, {names:?}");
}

#[test]
fn a_graph_of_many_nodes_behind_each_other_needs_no_deep_stack() {
    let shape = [1, 4, 6, 6];
    let start = weights(Graph::new(&shape), "w", &[4, 4, 1, 1]).node("Conv", &["x", "w"], "t0", &[]);
    let graph = (0..900)
        .fold(start, |graph, at| graph.node("Add", &[&format!("t{at}"), "x"], &format!("t{}", at + 1), &[]))
        .node("Tanh", &["t900"], "y", &[]);
    let (off, names) = compared(graph, &shape);
    assert!(off < 1e-5 && is_own(&names), "{off}, {names:?}");
}

#[test]
fn other_convolutions_are_left_to_tract() {
    let cases: [(&[i64], Attributes<'_>); 2] = [
        (&[6, 1, 3, 3], &[("kernel_shape", &[3, 3]), ("dilations", &[2, 2]), ("pads", &[2, 2, 2, 2]), ("group", &[6])]),
        (&[6, 3, 3, 3], &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1]), ("group", &[2])]),
    ];
    let shape = [1, 6, 9, 9];
    for (kernel, attributes) in cases {
        let (off, names) = compared(graph(&shape, "Conv", attributes, &[("w", kernel)]), &shape);
        assert!(off < 1e-5 && !names.iter().any(|name| name == "Part"), "{attributes:?}: {names:?}");
    }
}
