//! Where each network's time goes, operator by operator.

use anyhow::anyhow;
use facelens_core::model::ModelSet;
use serde::Serialize;

use super::statistics::hundredths;

/// Runs of each network.
const RUNS: usize = 200;

/// What the operators of a network cost.
#[derive(Debug, Serialize)]
pub(super) struct NetLayers {
    name: String,
    layers: Vec<LayerFigures>,
}

/// What one operator costs in one run.
#[derive(Debug, Serialize)]
struct LayerFigures {
    name: String,
    operator: String,
    output: Vec<usize>,
    multiply_adds: u64,
    median_us: f64,
}

/// Times the operators of every network of the set.
pub(super) fn measure(models: &ModelSet) -> anyhow::Result<Vec<NetLayers>> {
    let mut figures = Vec::new();
    for (model, _) in models.distinct() {
        for net in model.nets.iter() {
            let name = model.card.name.clone();
            let times = net.layer_times(RUNS).map_err(|cause| anyhow!("the model {name} failed: {cause}"))?;
            let layers = times.into_iter().map(|layer| LayerFigures {
                name: layer.name,
                operator: layer.operator,
                output: layer.output,
                multiply_adds: layer.multiply_adds,
                median_us: hundredths(layer.time.as_secs_f64() * 1e6),
            });
            figures.push(NetLayers { name, layers: layers.collect() });
        }
    }
    Ok(figures)
}

impl NetLayers {
    /// The operators that take a hundredth of the time or more, what the others take together, and the sum.
    pub(super) fn rows(&self) -> Vec<Vec<String>> {
        let total: f64 = self.layers.iter().map(|layer| layer.median_us).sum();
        let titles = ["operator", "output", "million multiply-adds", "us", "share", "billion a second"];
        let mut rows = vec![titles.map(str::to_owned).to_vec()];
        let (large, small): (Vec<_>, Vec<_>) = self.layers.iter().partition(|layer| layer.median_us * 100.0 >= total);
        rows.extend(large.iter().map(|layer| {
            let output = layer.output.iter().map(usize::to_string).collect::<Vec<_>>().join("x");
            cells(&layer.operator, output, layer.multiply_adds, layer.median_us, total)
        }));
        for (name, layers) in [("others", &small), ("all", &self.layers.iter().collect())] {
            let multiply_adds = layers.iter().map(|layer| layer.multiply_adds).sum();
            let time = layers.iter().map(|layer| layer.median_us).sum();
            rows.push(cells(name, format!("{} operators", layers.len()), multiply_adds, time, total));
        }
        rows
    }

    /// The network's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

fn cells(operator: &str, output: String, multiply_adds: u64, time_us: f64, total_us: f64) -> Vec<String> {
    let rate = if multiply_adds > 0 && time_us > 0.0 {
        format!("{:.1}", multiply_adds as f64 / time_us / 1000.0)
    } else {
        "-".to_owned()
    };
    vec![
        operator.to_owned(),
        output,
        format!("{:.2}", multiply_adds as f64 / 1e6),
        format!("{time_us:.1}"),
        format!("{:.0} %", 100.0 * time_us / total_us.max(f64::MIN_POSITIVE)),
        rate,
    ]
}
