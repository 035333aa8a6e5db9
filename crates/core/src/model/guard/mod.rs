//! Keeps hostile and damaged ONNX files away from tract: what is cheap and sure to be told of a file is bounded before
//! anything is allocated or evaluated. What slips through meets the limits of the sandbox of `facelens-import`.
//!
//! ```text
//! bytes --wire--> counted protobuf --tidy, half--> 32-bit floats --proto--> known operators, honest tensors, one input
//!       --shapes--> every intermediate's size and every node's work bounded --> tract's typed graph
//! ```
//!
//! tract folds constants while it infers shapes, so a small graph (an `Expand`, an outer product, a pooling with huge
//! padding) may ask for terabytes before it ever runs; hence the own pass in `shapes`, which looks at each operator's
//! output shape before that operator is evaluated.

mod half;
mod proto;
mod shapes;
#[cfg(test)]
mod tests;
mod tidy;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use tract_onnx::pb;
use tract_onnx::prelude::{Framework as _, TypedModel};

use super::error::{ModelError, ModelErrorKind};

/// Largest model file, bytes. The largest face networks in use (ResNet-152) stay below it.
pub const MAX_FILE_BYTES: u64 = 256 << 20;
/// Most nodes and most initializers in a graph.
const MAX_NODES: usize = 4096;
/// Most elements of one tensor: 256 MiB of 32-bit floats.
const MAX_ELEMENTS: u64 = 64 << 20;
/// Most elements of all intermediate tensors together.
const MAX_TOTAL_ELEMENTS: u64 = 512 << 20;
/// Most multiplications of one run; ResNet-152 on 224x224 has 1.2e10.
const MAX_WORK: u64 = 15_000_000_000;
/// Most multiplications on constants alone, done while a graph is prepared.
const MAX_CONSTANT_WORK: u64 = 400_000_000;
/// Most elements of all tensors that are computed from constants alone.
const MAX_CONSTANT_ELEMENTS: u64 = 64 << 20;

/// What to do about a graph that does not run here.
pub(super) const UNFIT: &str =
    "export it again with constants folded and one of the opsets 11 to 18, or simplify it (onnxsim)";

/// Why a graph is refused; becomes a [`ModelError`] once the file's name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind.
    pub kind: ModelErrorKind,
    /// The cause.
    pub cause: String,
    /// What to do; may be empty.
    pub remedy: &'static str,
}

impl Refusal {
    fn corrupt(cause: impl Into<String>) -> Self {
        Self { kind: ModelErrorKind::Corrupt, cause: cause.into(), remedy: "get the file again from its source" }
    }

    /// A graph that tract does not take, for a reason that only tract knows.
    fn unfit(cause: impl Into<String>) -> Self {
        Self { remedy: UNFIT, ..Self::corrupt(cause) }
    }

    fn too_large(cause: impl Into<String>) -> Self {
        Self { kind: ModelErrorKind::TooLarge, cause: cause.into(), remedy: "use a model made for faces" }
    }

    fn wrong_shape(cause: impl Into<String>, remedy: &'static str) -> Self {
        Self { kind: ModelErrorKind::WrongShape, cause: cause.into(), remedy }
    }

    /// Puts the file's name to it.
    pub fn about(self, file: &Path) -> ModelError {
        ModelError::new(self.kind, file, self.cause, self.remedy)
    }
}

/// Decodes an ONNX file after its protobuf has been counted.
pub fn decode(onnx: &[u8]) -> Result<pb::ModelProto, Refusal> {
    if onnx.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::too_large(format!("it has {} MiB, more than {}", onnx.len() >> 20, MAX_FILE_BYTES >> 20)));
    }
    wire::count(onnx)?;
    let mut reader = onnx;
    let proto =
        catch(|| tract_onnx::onnx().proto_model_for_read(&mut reader)).map_err(Refusal::corrupt)?.map_err(|error| {
            Refusal::corrupt(format!("it is not an ONNX file, or a damaged one ({})", one_line(&error)))
        })?;
    if proto.graph.is_none() {
        return Err(Refusal::corrupt("it is not an ONNX file: there is no graph in it"));
    }
    Ok(proto)
}

/// Checks a graph and gives it to tract for inputs of this shape. Nothing large is allocated on the way.
pub fn typed(onnx: &[u8], input_shape: &[usize]) -> Result<TypedModel, Refusal> {
    let mut proto = decode(onnx)?;
    tidy::functions(&proto)?;
    if let Some(graph) = &mut proto.graph {
        tidy::tidy(graph);
    }
    half::widen(&mut proto);
    proto::check(&mut proto, input_shape)?;
    // tract panics on some malformed graphs; that is the file's fault, not the program's.
    catch(|| shapes::typed(&proto))
        .map_err(|panic| Refusal::corrupt(format!("the graph contradicts itself ({panic})")))?
}

/// Runs `work` and turns a panic into its message. The panic is reported as the program reports panics: `try-model` is
/// silent, and elsewhere none is expected.
///
/// What `work` captured must be dropped by the caller after a panic: it may be half changed.
pub fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let words = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic".to_owned());
        one_line(&words)
    })
}

/// An error chain on one line, short enough for a message.
pub fn one_line(error: &impl std::fmt::Display) -> String {
    let text = format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= 300 { text } else { text.chars().take(300).chain("...".chars()).collect() }
}
