//! The peer that the networks are timed beside: ONNX Runtime with the feature `bench-ort`, nobody without it.

use std::path::PathBuf;
use std::time::Duration;

use facelens_core::model::{Task, TaskModel};
#[cfg(feature = "bench-ort")]
use facelens_import::Library;
use facelens_import::Sandbox;

/// The peer, where there is one.
pub(super) struct Peer {
    #[cfg(feature = "bench-ort")]
    runtime: Option<super::onnx_runtime::OnnxRuntime>,
    #[cfg(feature = "bench-ort")]
    files: Vec<(Task, PathBuf)>,
    #[cfg(feature = "bench-ort")]
    sandbox: Sandbox,
}

#[cfg(feature = "bench-ort")]
impl Peer {
    /// Loads ONNX Runtime; says why where that does not work, and goes on without it. `files` are those of `--model`.
    pub(super) fn load(files: &[(Task, PathBuf)], sandbox: &Sandbox) -> Self {
        let runtime = super::onnx_runtime::OnnxRuntime::load()
            .inspect_err(|error| crate::cli::output::note(format_args!("{error:#}")))
            .ok();
        Self { runtime, files: files.to_vec(), sandbox: sandbox.clone() }
    }

    /// The medians of each graph of `model`, which is the one at `place` among those of its task; empty without a peer.
    pub(super) fn medians_ms(
        &mut self,
        task: Task,
        place: usize,
        model: &TaskModel,
        input: &[f32],
        time: Duration,
    ) -> anyhow::Result<Vec<f64>> {
        let Some(runtime) = &self.runtime else { return Ok(Vec::new()) };
        // A prepared network has no graph any more, so the model is opened a second time, from where it came.
        let file = self.files.iter().filter(|(of, _)| *of == task).nth(place);
        let opened = match file {
            Some((_, file)) => Library::open(&self.sandbox).open_any(file, Some(task))?,
            None => Library::open(&self.sandbox).open_named(&model.card.name, Some(task))?,
        };
        opened.graphs.iter().map(|(_, onnx)| runtime.median_ms(onnx, &model.card.input, input, time)).collect()
    }
}

#[cfg(not(feature = "bench-ort"))]
impl Peer {
    /// Nobody.
    pub(super) fn load(_files: &[(Task, PathBuf)], _sandbox: &Sandbox) -> Self {
        Self {}
    }

    /// Nothing.
    pub(super) fn medians_ms(
        &mut self,
        _task: Task,
        _place: usize,
        _model: &TaskModel,
        _input: &[f32],
        _time: Duration,
    ) -> anyhow::Result<Vec<f64>> {
        Ok(Vec::new())
    }
}
