//! Where a network's time goes: how long each operator takes, and how much it multiplies.

use std::time::{Duration, Instant};

use facelens_operators::StepTime;
use tract_onnx::prelude::{Tensor, TractResult, TypedModel, TypedNode, tvec};
use tract_onnx::tract_core::internal::Cost;
use tract_onnx::tract_core::plan;

use super::{Net, guard};

/// One operator of a network, as it runs on this machine.
#[derive(Clone, Debug)]
pub struct LayerTime {
    /// The node's name in the graph.
    pub name: String,
    /// The operator, e.g. `Conv`.
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
        let mut times: Vec<Vec<Vec<LayerTime>>> = vec![Vec::with_capacity(runs); model.nodes().len()];
        let numbers = self.input_shape.iter().product();
        let input: Vec<f32> = (0..numbers).map(|at| (at % 2) as f32).collect();
        let mut state = self.plan.spawn()?;
        for _ in 0..runs {
            let input = Tensor::from_shape(&self.input_shape, &input)?;
            state.run_plan_with_eval(tvec!(input.into()), |context, state, node, inputs| -> TractResult<_> {
                // An operator that has steps runs twice: what it gives is needed, too.
                let steps = facelens_operators::step_times(node.op.as_ref(), &inputs)?;
                let started_at = Instant::now();
                let outputs = plan::eval(context, state, node, inputs)?;
                let whole = started_at.elapsed();
                times[node.id].push(match steps {
                    Some(steps) => steps.into_iter().map(LayerTime::of_step).collect(),
                    None => vec![LayerTime::of_node(model, node, whole)?],
                });
                Ok(outputs)
            })?;
        }
        Ok(times.iter().flat_map(|runs| medians(runs)).collect())
    }
}

/// The layers of one node, each with its median time.
fn medians(runs: &[Vec<LayerTime>]) -> Vec<LayerTime> {
    let Some(mut layers) = runs.first().cloned() else { return Vec::new() };
    for (at, layer) in layers.iter_mut().enumerate() {
        let mut times: Vec<Duration> = runs.iter().map(|run| run[at].time).collect();
        times.sort_unstable();
        layer.time = times[times.len() / 2];
    }
    layers
}

impl LayerTime {
    fn of_step(step: StepTime) -> Self {
        Self {
            name: step.name,
            operator: step.operator.to_owned(),
            output: step.output,
            multiply_adds: step.multiply_adds as u64,
            time: step.time,
        }
    }

    fn of_node(model: &TypedModel, node: &TypedNode, time: Duration) -> TractResult<Self> {
        let costs = node.op.cost(&model.node_input_facts(node.id)?)?;
        let multiply_adds = costs.iter().filter(|(kind, _)| matches!(kind, Cost::FMA(_)));
        Ok(Self {
            name: node.name.clone(),
            operator: node.op.name().into_owned(),
            output: model.outlet_fact(node.id.into())?.shape.as_concrete().unwrap_or_default().to_vec(),
            multiply_adds: multiply_adds.filter_map(|(_, count)| u64::try_from(count.to_i64().ok()?).ok()).sum(),
            time,
        })
    }
}
