//! The operators of `facelens-operators` give what tract gives, in graphs as they are loaded.

use std::path::Path;

use crate::model::graphs::Graph;
use crate::model::{Net, guard};

type Attributes<'a> = &'a [(&'a str, &'a [i64])];

/// A graph of one operator on an input of this shape, with these weights.
fn graph(input: &[i64], op: &str, attributes: Attributes<'_>, weights: &[(&str, &[i64])]) -> Vec<u8> {
    let names: Vec<&str> = std::iter::once("x").chain(weights.iter().map(|(name, _)| *name)).collect();
    let mut graph = Graph::new(input);
    for (name, shape) in weights {
        let count: i64 = shape.iter().product();
        let values: Vec<f32> = (0..count).map(|i| (i as f32 * 1.7).sin()).collect();
        graph = graph.floats(name, shape, &values);
    }
    graph.node(op, &names, "y", attributes).bytes()
}

/// The largest difference between the graph as the app runs it and as tract runs it by itself, and the operators'
/// names as the app runs it.
fn compared(onnx: &[u8], shape: &[usize]) -> (f32, Vec<String>) {
    use tract_onnx::prelude::{IntoRunnable as _, Tensor, tvec};
    let count: usize = shape.iter().product();
    let input: Vec<f32> = (0..count).map(|i| (i as f32 * 0.73).sin() * 3.0 + 0.5).collect();
    let own = Net::with_input_shape(onnx, shape, Path::new("own")).unwrap();
    let tensor = Tensor::from_shape(shape, &input).unwrap();
    let theirs = guard::typed(onnx, shape).unwrap().into_optimized().unwrap().into_runnable().unwrap();
    let theirs = theirs.run(tvec!(tensor.into())).unwrap();
    let theirs: Vec<f32> = theirs[0].to_plain_array_view::<f32>().unwrap().iter().copied().collect();
    let ours = own.run(&input).unwrap();
    assert_eq!(ours.len(), theirs.len());
    assert!(theirs.iter().any(|x| x.abs() > 0.05), "zeros show nothing");
    let off = ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    (off, own.operators())
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|other| other == name)
}

#[test]
fn pooling_of_blocks_gives_what_tract_gives() {
    for (op, rows, columns) in [("MaxPool", 9, 7), ("AveragePool", 9, 7), ("MaxPool", 8, 31), ("AveragePool", 8, 31)] {
        for (height, width) in [(2, 2), (4, 4), (8, 7), (1, 2), (3, 1)] {
            let sides: &[i64] = &[height, width];
            let onnx = graph(&[1, 5, rows, columns], op, &[("kernel_shape", sides), ("strides", sides)], &[]);
            let (off, names) = compared(&onnx, &[1, 5, rows as usize, columns as usize]);
            assert!(off < 1e-5, "{op} {sides:?} of {rows}x{columns}: {off}");
            assert!(has(&names, "BlockPool"), "{names:?}");
        }
    }
}

#[test]
fn overlapping_or_padded_poolings_are_left_to_tract() {
    for attributes in [
        &[("kernel_shape", &[2, 2][..]), ("strides", &[1, 1])][..],
        &[("kernel_shape", &[3, 3]), ("strides", &[2, 2])],
        &[("kernel_shape", &[2, 2]), ("strides", &[2, 2]), ("pads", &[1, 1, 1, 1])],
    ] {
        let (off, names) = compared(&graph(&[1, 4, 8, 8], "MaxPool", attributes, &[]), &[1, 4, 8, 8]);
        assert!(off < 1e-6 && !has(&names, "BlockPool"), "{attributes:?}: {names:?}");
    }
}

#[test]
fn depthwise_convolutions_give_what_tract_gives() {
    for (channels, rows, columns) in [(16, 8, 8), (3, 5, 9), (20, 1, 6), (6, 32, 32), (2, 70, 131), (2, 3, 2500)] {
        for bias in [true, false] {
            let attributes: Attributes<'_> =
                &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1]), ("group", &[channels])];
            let kernel = [channels, 1, 3, 3];
            let mut weights: Vec<(&str, &[i64])> = vec![("w", &kernel)];
            let length = [channels];
            if bias {
                weights.push(("b", &length));
            }
            let onnx = graph(&[1, channels, rows, columns], "Conv", attributes, &weights);
            let (off, names) = compared(&onnx, &[1, channels as usize, rows as usize, columns as usize]);
            assert!(off < 1e-5, "{channels} x {rows} x {columns}: {off}");
            assert!(has(&names, "Depthwise3x3"), "{names:?}");
        }
    }
}

#[test]
fn convolutions_over_all_channels_give_what_tract_gives() {
    for (inputs, outputs, rows, columns) in [
        (3, 16, 64, 64),
        (16, 24, 32, 32),
        (1, 1, 19, 19),
        (7, 5, 140, 4),
        (2, 3, 5, 131),
        (48, 8, 290, 2),
        (3, 4, 90, 131),
    ] {
        for (bias, pads) in [(true, [1, 1, 1, 1]), (false, [0, 0, 0, 0]), (true, [0, 0, 0, 0]), (true, [2, 0, 1, 3])] {
            if columns + pads[1] + pads[3] < 3 {
                continue;
            }
            let attributes: Attributes<'_> = &[("kernel_shape", &[3, 3]), ("pads", &pads)];
            let kernel = [outputs, inputs, 3, 3];
            let mut weights: Vec<(&str, &[i64])> = vec![("w", &kernel)];
            let length = [outputs];
            if bias {
                weights.push(("b", &length));
            }
            let onnx = graph(&[1, inputs, rows, columns], "Conv", attributes, &weights);
            let (off, names) = compared(&onnx, &[1, inputs as usize, rows as usize, columns as usize]);
            assert!(off < 1e-4, "{inputs} to {outputs} x {rows} x {columns}, {pads:?}: {off}");
            assert!(has(&names, "Conv3x3"), "{names:?}");
        }
    }
}

#[test]
fn wide_and_striding_depthwise_convolutions_give_what_tract_gives() {
    for (channels, rows, columns) in [(5, 8, 8), (3, 7, 12), (4, 16, 33), (2, 1, 9), (2, 40, 5)] {
        for (side, stride, pads) in [
            (5, 1, [2, 2, 2, 2]),
            (5, 2, [1, 1, 2, 2]),
            (5, 2, [2, 2, 2, 2]),
            (5, 1, [4, 0, 2, 3]),
            (3, 2, [0, 0, 1, 1]),
            (3, 2, [1, 1, 1, 1]),
            (3, 1, [2, 1, 0, 1]),
            (5, 1, [0, 0, 0, 0]),
        ] {
            let fits = |size: i64, before: i64, after: i64| size + before + after >= side;
            if !(fits(rows, pads[0], pads[2]) && fits(columns, pads[1], pads[3])) {
                continue;
            }
            let attributes: Attributes<'_> = &[
                ("kernel_shape", &[side, side]),
                ("strides", &[stride, stride]),
                ("pads", &pads),
                ("group", &[channels]),
            ];
            let weights: [(&str, &[i64]); 2] = [("w", &[channels, 1, side, side]), ("b", &[channels])];
            let onnx = graph(&[1, channels, rows, columns], "Conv", attributes, &weights);
            let (off, names) = compared(&onnx, &[1, channels as usize, rows as usize, columns as usize]);
            assert!(off < 1e-5, "{channels} x {rows} x {columns}, {side} by {stride}, {pads:?}: {off}");
            assert!(has(&names, "DepthwiseWide"), "{side} by {stride}, {pads:?}: {names:?}");
        }
    }
}

#[test]
fn other_convolutions_are_left_to_tract() {
    let kernel: &[i64] = &[6, 1, 3, 3];
    let cases: [(&[i64], Attributes<'_>); 5] = [
        (kernel, &[("kernel_shape", &[3, 3]), ("dilations", &[2, 2]), ("pads", &[2, 2, 2, 2]), ("group", &[6])]),
        (kernel, &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1]), ("strides", &[2, 1]), ("group", &[6])]),
        (&[6, 1, 4, 4], &[("kernel_shape", &[4, 4]), ("pads", &[1, 1, 2, 2]), ("group", &[6])]),
        (&[6, 6, 3, 3], &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1]), ("strides", &[2, 2])]),
        (&[6, 6, 3, 3], &[("kernel_shape", &[3, 3])]),
    ];
    for (kernel, attributes) in cases {
        let onnx = graph(&[1, 6, 9, 9], "Conv", attributes, &[("w", kernel)]);
        let (off, names) = compared(&onnx, &[1, 6, 9, 9]);
        let own = ["Conv3x3", "Depthwise3x3", "DepthwiseWide"].iter().any(|own| has(&names, own));
        assert!(off < 1e-5 && !own, "{attributes:?}: {names:?}");
    }
}
