//! Runs an ONNX graph by tract, one face at a time, on the calling thread.

use super::InputSpec;
use super::error::ModelError;

/// A network ready to run: optimised, batch size 1. Cheap to clone and to share between threads.
#[derive(Clone)]
pub struct Net {
    _private: (),
}

impl Net {
    /// Prepares an ONNX graph for inputs as the card describes them. `file` is named in errors.
    ///
    /// # Errors
    /// [`ModelError`] where the bytes are no ONNX graph, ask for too much memory, or do not take the card's input.
    pub fn from_onnx(onnx: &[u8], input: &InputSpec, file: &std::path::Path) -> Result<Self, ModelError> {
        let _ = (onnx, input, file);
        todo!("model rooms")
    }

    /// Runs the network on one input (length width x height x 3, in the card's layout) and gives all outputs, one
    /// behind the other.
    ///
    /// # Errors
    /// Words for the log where the input has the wrong length or an operator fails.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, String> {
        let _ = input;
        todo!("model rooms")
    }
}
