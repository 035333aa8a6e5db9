//! Where a network's time goes: how long each operator takes, and how much it multiplies.

use std::time::{Duration, Instant};

use tract_onnx::prelude::{Tensor, TractResult, tvec};
use tract_onnx::tract_core::internal::Cost;
use tract_onnx::tract_core::plan;

use super::{Net, guard};

/// One operator of a network, as it runs on this machine.
#[derive(Clone, Debug)]
pub struct LayerTime {
    /// The node's name in the graph.
    pub name: String,
    /// The operator, e.g. `Conv3x3`.
    pub operator: String,
    /// Shape of what it gives.
    pub output: Vec<usize>,
    /// Multiplications with an addition in one run, as far as the operator tells them.
    pub multiply_adds: u64,
    /// Median time of one run.
    pub time: Duration,
}

impl Net {
    /// Times each operator over so many runs on an input of zeros and ones by turns; constants are left out.
    ///
    /// # Errors
    /// Words for the log where an operator fails.
    pub fn layer_times(&self, runs: usize) -> Result<Vec<LayerTime>, String> {
        guard::catch(|| self.time_layers(runs.max(1)))
            .map_err(|panic| format!("an operator failed ({panic})"))?
            .map_err(|error| format!("an operator failed ({})", guard::one_line(&error)))
    }

    fn time_layers(&self, runs: usize) -> TractResult<Vec<LayerTime>> {
        let model = self.plan.model();
        let mut times: Vec<Vec<Duration>> = vec![Vec::with_capacity(runs); model.nodes().len()];
        let numbers = self.input_shape.iter().product();
        let input: Vec<f32> = (0..numbers).map(|at| (at % 2) as f32).collect();
        let mut state = self.plan.spawn()?;
        for _ in 0..runs {
            let input = Tensor::from_shape(&self.input_shape, &input)?;
            state.run_plan_with_eval(tvec!(input.into()), |context, state, node, inputs| {
                let started_at = Instant::now();
                let outputs = plan::eval(context, state, node, inputs);
                times[node.id].push(started_at.elapsed());
                outputs
            })?;
        }
        let mut layers = Vec::new();
        for (node, mut times) in model.nodes().iter().zip(times) {
            times.sort_unstable();
            let Some(&time) = times.get(times.len() / 2) else { continue };
            let facts = model.node_input_facts(node.id)?;
            let costs = node.op.cost(&facts)?;
            let multiply_adds = costs.iter().filter(|(kind, _)| matches!(kind, Cost::FMA(_)));
            let output = model.outlet_fact(node.id.into())?.shape.as_concrete().unwrap_or_default().to_vec();
            layers.push(LayerTime {
                name: node.name.clone(),
                operator: node.op.name().into_owned(),
                output,
                multiply_adds: multiply_adds.filter_map(|(_, count)| u64::try_from(count.to_i64().ok()?).ok()).sum(),
                time,
            });
        }
        Ok(layers)
    }
}
