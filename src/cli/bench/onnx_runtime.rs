//! ONNX Runtime as the peer of tract: loaded while the program runs, from where `ORT_DYLIB_PATH` says.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use facelens_core::model::{InputSpec, Layout};
use ort::environment::Environment;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::TensorRef;

use super::nets::time_calls;

/// The loaded library.
pub(super) struct OnnxRuntime(Environment);

impl OnnxRuntime {
    /// Loads the library that `ORT_DYLIB_PATH` names.
    ///
    /// # Errors
    /// The variable is not set, names no file, or names something else than ONNX Runtime 1.17 or later.
    pub fn load() -> anyhow::Result<Self> {
        const HINT: &str = "set ORT_DYLIB_PATH to the file libonnxruntime.so of ONNX Runtime 1.17 or later";
        let path = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty());
        let path = path.with_context(|| format!("ONNX Runtime is not timed; {HINT}"))?;
        let path = Path::new(&path);
        // Looked at here, because the loader's own words do not name the variable.
        ensure!(path.is_file(), "{}: there is no such file, so ONNX Runtime is not timed; {HINT}", path.display());
        let environment = ort::init_from(path)
            .map_err(anyhow::Error::new)
            .and_then(|builder| Ok(builder.with_telemetry(false).build()?))
            .with_context(|| format!("{}: this library cannot be used; {HINT}", path.display()))?;
        Ok(Self(environment))
    }

    /// The median time of one input through a graph, one thread, milliseconds.
    ///
    /// # Errors
    /// The library does not take the graph or fails on it.
    pub fn median_ms(&self, onnx: &[u8], spec: &InputSpec, input: &[f32], time: Duration) -> anyhow::Result<f64> {
        let words = |error: &dyn std::fmt::Display| anyhow!("ONNX Runtime: {error}");
        let mut session = Session::builder(&self.0)
            .map_err(|error| words(&error))?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(|error| words(&error))?
            .with_intra_threads(1)
            .map_err(|error| words(&error))?
            .with_inter_threads(1)
            .map_err(|error| words(&error))?
            .commit_from_memory(onnx)
            .map_err(|error| words(&error))?;
        let shape = spec.shape();
        time_calls(time, || {
            let tensor = TensorRef::from_array_view((shape, input)).map_err(|error| words(&error))?;
            let outputs = session.run(ort::inputs![tensor]).map_err(|error| words(&error))?;
            std::hint::black_box(outputs.len());
            Ok(())
        })
    }
}
