//! GL-CNN (H. Zhu, Y. Zhang, G. Li, J. Zhang, H. Shan, "Ordinal distribution regression for gait-based age estimation",
//! arXiv 1905.11005, section 3): the age and the gender of a walker from a gait energy image (GEI).
//!
//! ```text
//! GEI 64 x 44 -+- global: conv, conv ------------------------------+
//!              +- head  |                                          |
//!              +- body  | each conv, conv; then put together again -+- side by side: conv - hidden, hidden -+- age
//!              +- legs  |                                                                                  +- gender
//! ```
//!
//! Behind each convolution and each hidden layer stands a leaky relu, behind each convolution a 2x2 maximum.
//!
//! The age is a series of questions, "has the walker lived k years?" for k = 1 to K. The network answers with chances q_k
//! that fall from question to question ([`AgeHead::Ordered`]), and the age is their sum: the expectation of an age is the
//! integral of the chance to be older, E\[A\] = ∫ P(A > t) dt, and q_k stands for the year from k - 1 to k.
//!
//! Two layouts are known ([`GlCnnParts`]): the paper's, in which head, body and legs have sub-networks of their own, and that of a
//! PyTorch program that circulates, in which one sub-network looks at all three, and rows go astray between its layers. The
//! number of channels of each layer is told from the tensors.

use super::graph::{GraphWriter, Value};
use super::layers::{dense, expect_shape, fold};
use super::{Affine, Convention, ShapeError, Tensor};

/// Rows of the GEI.
pub const ROWS: usize = 64;
/// Columns of the GEI.
pub const COLUMNS: usize = 44;
/// Questions of the published age head.
pub const QUESTIONS: usize = 100;
/// Rows and columns of the first convolution's window, in the global and in the local networks.
pub const FIRST_WINDOW: [usize; 2] = [7, 7];
/// Of the second convolution's in the global network.
pub const GLOBAL_WINDOW: [usize; 2] = [7, 7];
/// Of the second convolution's in the local networks.
pub const LOCAL_WINDOW: [usize; 2] = [5, 7];
/// Of the convolution's behind both.
pub const JOINED_WINDOW: [usize; 2] = [5, 5];
/// Rows and columns of the map behind that convolution and its maximum.
pub const JOINED_MAP: [usize; 2] = [ROWS / 8, COLUMNS / 8];
/// Slope of the leaky relu below 0.
pub const SLOPE: f32 = 0.01;
/// The ordered head's answers are at most so many times sharper or duller than its thresholds are: e to the power of this.
pub const SHARPEST: f32 = 1.386_294_4;

/// As PyTorch stores layers.
const CONVENTION: Convention = Convention::MXNET;

/// A GL-CNN, with its kernels as PyTorch stores them: `[out, in, row, column]` and `[out, in]`.
#[derive(Clone, Debug, PartialEq)]
pub struct GlCnnWeights {
    /// What head, body and legs are, and who looks at them.
    pub parts: GlCnnParts,
    /// The two convolutions of the global network.
    pub global: [Affine; 2],
    /// The two convolutions of each local network: three networks, or one that all parts share.
    pub local: Vec<[Affine; 2]>,
    /// The convolution behind the global network's channels and the local ones'.
    pub joined: Affine,
    /// The two hidden layers.
    pub hidden: [Affine; 2],
    /// What tells the age.
    pub age: AgeHead,
    /// What tells the gender.
    pub gender: GenderHead,
}

/// How a GEI is divided into head, body and legs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GlCnnParts {
    /// As in the paper: three networks, each on its rows from end to end.
    Own,
    /// As in the PyTorch program that circulates: one network for all parts. They have 10, 24 and 30 rows, which become 5, 12 and
    /// 15; but the second layer takes 6, 12 and what is left of 15, so that it counts a row of the body to the head and one of
    /// the legs to the body.
    Shared,
}

impl GlCnnParts {
    /// How many local networks there are.
    pub const fn networks(self) -> usize {
        match self {
            Self::Own => 3,
            Self::Shared => 1,
        }
    }

    /// First row and row behind the last of each part, of the GEI.
    pub const fn rows(self) -> [[usize; 2]; 3] {
        match self {
            Self::Own => [[0, 12], [12, 36], [36, 64]],
            Self::Shared => [[0, 10], [10, 34], [34, 64]],
        }
    }

    /// The same of what the first layer gives, 32 rows. For [`GlCnnParts::Own`] these are the halves of [`GlCnnParts::rows`]; for
    /// [`GlCnnParts::Shared`], where they should be, too, they are not.
    pub const SECOND_ROWS: [[usize; 2]; 3] = [[0, 6], [6, 18], [18, 32]];
}

/// What tells the age.
#[derive(Clone, Debug, PartialEq)]
pub enum AgeHead {
    /// Cumulative logits (P. McCullagh, "Regression models for ordinal data", J. R. Stat. Soc. B 42, 1980, equation 2.1 with
    /// the scale of section 6.1): `q_k = sigmoid(sharpness (score - threshold_k))`. As thresholds rise, answers fall.
    Ordered {
        /// A fully connected layer to the score and to `x` in `sharpness = exp(SHARPEST tanh(x))`.
        score: Affine,
        /// The thresholds, in order.
        thresholds: Tensor,
    },
    /// `q_k = sigmoid(x_k)`, each question for itself: their answers may contradict each other.
    Independent(Affine),
}

impl AgeHead {
    /// How many questions it answers.
    pub fn questions(&self) -> usize {
        match self {
            Self::Ordered { thresholds, .. } => thresholds.data().len(),
            Self::Independent(layer) => width_of(layer),
        }
    }
}

/// What tells the gender.
#[derive(Clone, Debug, PartialEq)]
pub enum GenderHead {
    /// The chance of a man, a sigmoid: one number.
    Chance(Affine),
    /// The chances of two classes, a softmax: two numbers. Which is which depends on the training.
    Classes(Affine),
}

impl GenderHead {
    /// How many numbers it gives.
    pub const fn len(&self) -> usize {
        match self {
            Self::Chance(_) => 1,
            Self::Classes(_) => 2,
        }
    }

    /// Never: there is at least one number.
    pub const fn is_empty(&self) -> bool {
        false
    }

    fn layer(&self) -> &Affine {
        match self {
            Self::Chance(layer) | Self::Classes(layer) => layer,
        }
    }
}

/// How many channels or numbers a layer gives.
pub(super) fn width_of(layer: &Affine) -> usize {
    layer.bias.data().len()
}

impl GlCnnWeights {
    /// How many numbers it gives: the answers, then the gender's.
    pub fn outputs(&self) -> usize {
        self.age.questions() + self.gender.len()
    }

    /// How many parameters it has.
    pub fn parameters(&self) -> usize {
        let thresholds = match &self.age {
            AgeHead::Ordered { thresholds, .. } => thresholds.data().len(),
            AgeHead::Independent(_) => 0,
        };
        let count = |layer: &Affine| layer.kernel.data().len() + layer.bias.data().len();
        self.layers().map(|(_, layer)| count(layer)).sum::<usize>() + thresholds
    }

    /// Every layer with its name in messages.
    fn layers(&self) -> impl Iterator<Item = (&'static str, &Affine)> {
        let age = match &self.age {
            AgeHead::Ordered { score, .. } => score,
            AgeHead::Independent(layer) => layer,
        };
        let local = self.local.iter().flatten().map(|layer| ("local convolution", layer));
        let rest = [("joined convolution", &self.joined), ("age head", age), ("gender head", self.gender.layer())];
        let global = self.global.iter().map(|layer| ("global convolution", layer));
        global.chain(local).chain(self.hidden.iter().map(|layer| ("hidden layer", layer))).chain(rest)
    }

    /// Checks the shape of every layer, and that the thresholds are in order.
    ///
    /// # Errors
    /// Names the first layer that does not fit.
    pub fn validate(&self) -> Result<(), ShapeError> {
        if self.local.len() != self.parts.networks() {
            let (given, wanted) = (self.local.len(), self.parts.networks());
            return Err(ShapeError(format!("there are {given} local networks where the layout has {wanted}")));
        }
        if let Some((name, _)) = self.layers().find(|(_, layer)| width_of(layer) == 0) {
            return Err(ShapeError(format!("a {name} has no output")));
        }
        let window = |name: &str, layer: &Affine, window, inputs| {
            named(name, layer.expect_window(CONVENTION.kernel, window, inputs, width_of(layer)))
        };
        window("global convolution 1", &self.global[0], FIRST_WINDOW, 1)?;
        window("global convolution 2", &self.global[1], GLOBAL_WINDOW, width_of(&self.global[0]))?;
        let local_width = self.local.first().map_or(0, |[_, second]| width_of(second));
        for [first, second] in &self.local {
            window("local convolution 1", first, FIRST_WINDOW, 1)?;
            window("local convolution 2", second, LOCAL_WINDOW, width_of(first))?;
            if width_of(second) != local_width {
                return Err(ShapeError("the local networks give different numbers of channels".to_owned()));
            }
        }
        window("joined convolution", &self.joined, JOINED_WINDOW, width_of(&self.global[1]) + local_width)?;
        let full = |name: &str, layer: &Affine, inputs, outputs| {
            named(name, layer.expect_dense(CONVENTION.dense, inputs, outputs))
        };
        let [first, second] = &self.hidden;
        full("hidden layer 1", first, width_of(&self.joined) * JOINED_MAP[0] * JOINED_MAP[1], width_of(first))?;
        full("hidden layer 2", second, width_of(first), width_of(second))?;
        match &self.age {
            AgeHead::Ordered { score, thresholds } => {
                full("age head", score, width_of(second), 2)?;
                expect_shape("list of thresholds", thresholds, &[thresholds.data().len()])?;
                if thresholds.data().is_empty() || !thresholds.data().is_sorted() || !thresholds.is_finite() {
                    return Err(ShapeError("the thresholds of the age head are not in order".to_owned()));
                }
            }
            AgeHead::Independent(layer) => full("age head", layer, width_of(second), width_of(layer))?,
        }
        full("gender head", self.gender.layer(), width_of(second), self.gender.len())
    }

    /// The network as an ONNX file: `[1, 1, 64, 44]`, 0 to 1, `-> [1, K + 1]` or `[1, K + 2]`: the answers q_k, then the chance
    /// of a man or the chances of two classes.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn to_onnx(&self) -> Result<Vec<u8>, ShapeError> {
        self.validate()?;
        let mut graph = GraphWriter::taking("GL-CNN", &[1, 1, ROWS, COLUMNS]);
        let gei = graph.input();
        let global = block(&mut graph, &gei, &self.global[0])?;
        let global = block(&mut graph, &global, &self.global[1])?;
        let local = self.local_maps(&mut graph, &gei, 0, self.parts.rows())?;
        let local = self.local_maps(&mut graph, &local, 1, GlCnnParts::SECOND_ROWS)?;
        let joined = graph.concatenate(&[global, local], 1);
        let joined = block(&mut graph, &joined, &self.joined)?;
        let length = width_of(&self.joined) * JOINED_MAP[0] * JOINED_MAP[1];
        let mut x = graph.reshape(&joined, &[1, length as i64]);
        for layer in &self.hidden {
            let layer = dense(layer, CONVENTION, None)?;
            x = graph.dense(&x, &layer);
            x = graph.leaky_relu(&x, SLOPE);
        }
        let answers = self.answers(&mut graph, &x)?;
        let gender = graph.dense(&x, &dense(self.gender.layer(), CONVENTION, None)?);
        let gender = match self.gender {
            GenderHead::Chance(_) => graph.sigmoid(&gender),
            GenderHead::Classes(_) => graph.softmax(&gender, 1),
        };
        let output = graph.concatenate(&[answers, gender], 1);
        Ok(graph.finish(&output, self.outputs()))
    }

    /// Layer `index` of the local networks on these rows of `x`, one part below the other again.
    fn local_maps(
        &self,
        graph: &mut GraphWriter,
        x: &Value,
        index: usize,
        rows: [[usize; 2]; 3],
    ) -> Result<Value, ShapeError> {
        let mut maps = Vec::new();
        for ([from, to], network) in rows.into_iter().zip(self.local.iter().cycle()) {
            let part = graph.slice(x, 2, from as i64, to as i64);
            maps.push(block(graph, &part, &network[index])?);
        }
        Ok(graph.concatenate(&maps, 2))
    }

    /// The answers q_k, `[1, K]`.
    fn answers(&self, graph: &mut GraphWriter, x: &Value) -> Result<Value, ShapeError> {
        let logits = match &self.age {
            AgeHead::Independent(layer) => graph.dense(x, &dense(layer, CONVENTION, None)?),
            AgeHead::Ordered { score, thresholds } => {
                let both = graph.dense(x, &dense(score, CONVENTION, None)?);
                let (score, sharpness) = (graph.slice(&both, 1, 0, 1), graph.slice(&both, 1, 1, 2));
                let bounded = graph.tanh(&sharpness);
                let sharpest = graph.scalar(SHARPEST);
                let logarithm = graph.multiply(&bounded, &sharpest);
                let sharpness = graph.exp(&logarithm);
                let thresholds = graph.constant(&thresholds.clone().reshaped(&[1, self.age.questions()])?);
                let distance = graph.subtract(&score, &thresholds);
                graph.multiply(&distance, &sharpness)
            }
        };
        Ok(graph.sigmoid(&logits))
    }
}

/// A convolution that keeps the size, the maximum of 2x2 and the leaky relu. The paper's order has the leaky relu first; as it
/// keeps the order of numbers, the maximum is the same, and there are fewer to be bent.
fn block(graph: &mut GraphWriter, x: &Value, layer: &Affine) -> Result<Value, ShapeError> {
    let layer = fold(layer, None, CONVENTION.kernel)?;
    let padding = [2, 3].map(|axis| layer.kernel.shape()[axis] as i64 / 2);
    let x = graph.padded_convolution(x, &layer, padding);
    let x = graph.max_pool(&x, 2);
    Ok(graph.leaky_relu(&x, SLOPE))
}

/// Puts a layer's name to what is wrong with it.
fn named(name: &str, checked: Result<(), ShapeError>) -> Result<(), ShapeError> {
    checked.map_err(|ShapeError(cause)| ShapeError(format!("{name}: {cause}")))
}
