//! Runs an ONNX graph by tract, one face at a time, on the calling thread.

use std::path::Path;
use std::sync::{Arc, Once};

use tract_onnx::prelude::{
    IntoRunnable as _, IntoTensor as _, Tensor, TractResult, TypedModel, TypedRunnableModel, tvec,
};
use tract_onnx::tract_core::knobs;

use super::error::{ModelError, ModelErrorKind};
use super::{InputSpec, guard};

/// A network ready to run: optimised, batch size 1. Cheap to clone and to share between threads.
#[derive(Clone)]
pub struct Net {
    pub(super) plan: Arc<TypedRunnableModel>,
    pub(super) input_shape: Arc<[usize]>,
    output_names: Arc<[String]>,
    output_shapes: Arc<[Vec<usize>]>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").field("input", &self.input_shape).field("outputs", &self.output_shapes).finish()
    }
}

impl Net {
    /// Prepares an ONNX graph for inputs as the card describes them. `file` is named in errors.
    ///
    /// # Errors
    /// [`ModelError`] where the bytes are no ONNX graph, ask for too much memory, or do not take the card's input.
    pub fn from_onnx(onnx: &[u8], input: &InputSpec, file: &Path) -> Result<Self, ModelError> {
        Self::with_input_shape(onnx, &input.shape(), file)
    }

    /// Prepares an ONNX graph with one input of this shape, batch axis included. `file` is named in errors.
    ///
    /// Hostile files are refused before they allocate: at most 256 MiB of file, 64 Mi elements for a tensor, 4,096
    /// nodes of operators that networks for pictures are made of, and sizes that are known without running the graph.
    ///
    /// # Errors
    /// [`ModelError`] where the bytes are no ONNX graph, ask for too much memory, or do not take this input.
    pub fn with_input_shape(onnx: &[u8], shape: &[usize], file: &Path) -> Result<Self, ModelError> {
        let typed = guard::typed(onnx, shape).map_err(|refusal| refusal.about(file))?;
        let output_names =
            typed.outputs.iter().map(|&outlet| typed.outlet_label(outlet).unwrap_or_default().to_owned());
        let output_names = output_names.collect();
        let corrupt =
            |cause: String| ModelError::new(ModelErrorKind::Corrupt, file, cause, "get the file again from its source");
        let unfit = |words: String| {
            let cause = format!("its graph cannot be optimised ({words})");
            ModelError::new(ModelErrorKind::Corrupt, file, cause, guard::UNFIT)
        };
        let plan = guard::catch(|| prepare(typed)).map_err(unfit)?.map_err(|error| unfit(guard::one_line(&error)))?;
        let outputs = guard::catch(|| output_shapes(&plan))
            .map_err(corrupt)?
            .map_err(|error| corrupt(format!("its outputs have no known size ({})", guard::one_line(&error))))?;
        Ok(Self { plan, input_shape: shape.into(), output_names, output_shapes: outputs.into() })
    }

    /// The input's shape, batch axis first.
    pub fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// The name of each output in the graph's order.
    pub fn output_names(&self) -> &[String] {
        &self.output_names
    }

    /// The shape of each output in the graph's order, batch axis first.
    pub fn output_shapes(&self) -> &[Vec<usize>] {
        &self.output_shapes
    }

    /// Names of the operators that run, for tests.
    #[cfg(test)]
    pub(super) fn operators(&self) -> Vec<String> {
        self.plan.model().nodes().iter().map(|node| node.op().name().to_string()).collect()
    }

    /// How many numbers [`Net::run`] gives.
    pub fn output_len(&self) -> usize {
        self.output_shapes.iter().map(|shape| shape.iter().product::<usize>()).sum()
    }

    /// Runs the network on one input (length width x height x channels, in the card's layout) and gives all outputs, one
    /// behind the other in the graph's order.
    ///
    /// # Errors
    /// Words for the log where the input has the wrong length, an operator fails, or a result is not finite.
    pub fn run(&self, input: &[f32]) -> Result<Vec<f32>, String> {
        let expected: usize = self.input_shape.iter().product();
        if input.len() != expected {
            return Err(format!("the network takes {expected} numbers, but was given {}", input.len()));
        }
        let values = guard::catch(|| self.run_plan(input))
            .map_err(|panic| format!("an operator failed ({panic})"))?
            .map_err(|error| format!("an operator failed ({})", guard::one_line(&error)))?;
        if values.iter().all(|value| value.is_finite()) {
            Ok(values)
        } else {
            Err("the network gave a value that is not a finite number".to_owned())
        }
    }

    fn run_plan(&self, input: &[f32]) -> TractResult<Vec<f32>> {
        let input = Tensor::from_shape(&self.input_shape, input)?;
        let outputs = self.plan.run(tvec!(input.into()))?;
        let mut values = Vec::with_capacity(self.output_len());
        for output in outputs {
            let output = output.into_tensor().cast_to::<f32>()?.into_owned();
            values.extend(output.to_plain_array_view::<f32>()?.iter());
        }
        Ok(values)
    }
}

/// Simplifies a graph and chooses how each operator runs on this machine.
fn prepare(typed: TypedModel) -> TractResult<Arc<TypedRunnableModel>> {
    prefer_narrow_kernels();
    let mut model = typed;
    facelens_operators::put_into(&mut model)?;
    model.into_decluttered()?.into_optimized()?.into_runnable()
}

/// Has tract multiply matrices by AVX2 where it would by AVX-512: in 0.23 the AVX-512 kernels store their results number
/// by number, which costs networks as small as these more than the wider multiplication saves. The environment variable
/// `TRACT_CPU_ISA` overrides it.
fn prefer_narrow_kernels() {
    static ONCE: Once = Once::new();
    if cfg!(target_arch = "x86_64") {
        ONCE.call_once(|| {
            if let Err(error) = knobs::set_config_global("TRACT_CPU_ISA", "-avx512f,-avx512vnni") {
                tracing::debug!("tract chooses its kernels by itself: {error}");
            }
        });
    }
}

fn output_shapes(plan: &TypedRunnableModel) -> TractResult<Vec<Vec<usize>>> {
    let model = plan.model();
    model
        .output_outlets()?
        .iter()
        .map(|outlet| {
            let shape = &model.outlet_fact(*outlet)?.shape;
            shape.iter().map(|dim| Ok(usize::try_from(dim.to_i64()?)?)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ChannelOrder, Layout, Scaling};

    fn input(layout: Layout) -> InputSpec {
        let scaling = Scaling::MeanStd { mean: [0.0; 3], std: [1.0; 3] };
        InputSpec { width: 64, height: 64, layout, channels: ChannelOrder::Bgr, scaling }
    }

    #[test]
    fn a_net_runs_on_several_threads_at_once() {
        let bytes = crate::model::graphs::small(&[1, 3, 8, 8]).bytes();
        let net = Net::with_input_shape(&bytes, &[1, 3, 8, 8], Path::new("small.onnx")).unwrap();
        let here = net.run(&[0.5; 192]).unwrap();
        let there: Vec<_> = (0..3)
            .map(|_| {
                let net = net.clone();
                std::thread::spawn(move || net.run(&[0.5; 192]).unwrap())
            })
            .collect();
        for thread in there {
            assert_eq!(thread.join().unwrap(), here);
        }
    }

    #[test]
    fn a_published_graph_loads_in_its_layout_only() {
        let Some(shared) = crate::testing::shared() else { return };
        let file = shared.join("reference/omasaht/fsanet-var-iter-688590.onnx");
        let onnx = std::fs::read(&file).unwrap();
        let net = Net::from_onnx(&onnx, &input(Layout::Nchw), &file).unwrap();
        assert_eq!(net.output_len(), 3);
        assert_eq!(net.run(&[0.0; 64 * 64 * 3]).unwrap().len(), 3);
        let error = Net::from_onnx(&onnx, &input(Layout::Nhwc), &file).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::WrongShape);
        assert!(error.to_string().contains("1x64x64x3 is wanted"), "{error}");
    }
}
