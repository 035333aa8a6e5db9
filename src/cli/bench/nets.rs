//! Each network by itself, by tract on one thread, and by ONNX Runtime where that feature is on.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use facelens_core::model::{InputSpec, ModelSet, Scaling, Task, one_or_several, task_words};
use serde::Serialize;

use super::peer::Peer;
use super::statistics::median;

/// What one face costs in one network.
#[derive(Debug, Serialize)]
pub(super) struct NetFigures {
    /// The model, with the file where it has several.
    name: String,
    #[serde(rename = "task", serialize_with = "one_or_several::serialize")]
    tasks: Vec<Task>,
    median_ms: f64,
    /// The same graph in ONNX Runtime, one thread, where the program was built with that and the library is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    onnx_runtime_median_ms: Option<f64>,
}

/// Times every network of the set, each for `time`; one for several tasks once.
pub(super) fn measure(models: &ModelSet, peer: &mut Peer, time: Duration) -> anyhow::Result<Vec<NetFigures>> {
    let mut figures = Vec::new();
    for (model, tasks) in models.distinct() {
        let input = input(&model.card.input);
        let place = models.of(tasks[0]).iter().position(|other| other.is_same_as(&model)).unwrap_or_default();
        let peers = peer.medians_ms(tasks[0], place, &model, &input, time)?;
        for (at, net) in model.nets.iter().enumerate() {
            let name = match model.card.files.get(at) {
                Some(file) if model.nets.len() > 1 => format!("{}/{file}", model.card.name),
                _ => model.card.name.clone(),
            };
            let median_ms = time_calls(time, || match net.run(&input) {
                Ok(output) => {
                    std::hint::black_box(output);
                    Ok(())
                }
                Err(cause) => Err(anyhow!("the model {name} failed: {cause}")),
            })?;
            let (tasks, onnx_runtime_median_ms) = (tasks.clone(), peers.get(at).copied());
            figures.push(NetFigures { name, tasks, median_ms, onnx_runtime_median_ms });
        }
    }
    Ok(figures)
}

/// The median time of a call in milliseconds, over at least 20 calls and for about `time`; the first ones are not
/// counted.
pub(super) fn time_calls(time: Duration, mut call: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    const WARM_UP: usize = 5;
    const AT_LEAST: usize = 20;
    let mut times = Vec::new();
    for _ in 0..WARM_UP {
        call()?;
    }
    let start = Instant::now();
    while times.len() < AT_LEAST || start.elapsed() < time {
        let before = Instant::now();
        call()?;
        times.push(before.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(median(times))
}

/// An input as a face gives it: a smooth pattern over the whole range of bytes, scaled as the card says.
pub(super) fn input(spec: &InputSpec) -> Vec<f32> {
    let count: usize = spec.shape().iter().product();
    let byte = |at: usize| (127.5 + 127.5 * (at as f32 * 0.37).sin()).round();
    (0..count)
        .map(|at| match &spec.scaling {
            Scaling::MinMax => byte(at),
            Scaling::MeanStd { mean, std } => (byte(at) - mean[0]) / std[0],
            Scaling::Brighten { subtract, .. } => byte(at) / 255.0 - subtract,
        })
        .collect()
}

impl NetFigures {
    /// Titles of [`NetFigures::cells`].
    pub(super) fn titles() -> Vec<String> {
        let mut titles = vec!["net".to_owned(), "task".to_owned(), "median ms".to_owned()];
        if cfg!(feature = "bench-ort") {
            titles.push("ONNX Runtime ms".to_owned());
        }
        titles
    }

    /// A line of the table.
    pub(super) fn cells(&self) -> Vec<String> {
        let mut cells = vec![self.name.clone(), task_words(&self.tasks), format!("{:.3}", self.median_ms)];
        if cfg!(feature = "bench-ort") {
            cells.push(self.onnx_runtime_median_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.3}")));
        }
        cells
    }
}
