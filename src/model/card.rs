//! The model card (`NAME.toml`): what a model file is, where it comes from, and how pictures go in and numbers come out.
//!
//! ```toml
//! name = "fsanet-capsule"
//! task = "pose"                       # age, gender or pose; of a network for several tasks, ["age", "gender"]
//! files = ["fsanet-capsule.onnx"]     # several: their outputs are averaged
//! sha256 = ["..."]                    # of each file, in the same order
//! source = "https://..."
//! licence = "Apache-2.0"
//! training_data = "300W-LP"
//!
//! [input]
//! width = 64
//! height = 64
//! layout = "NHWC"                     # or NCHW
//! channels = "BGR"                    # or RGB
//!
//! [input.scaling]
//! kind = "min-max"                    # or mean-std with mean = [..] and std = [..]
//!
//! [crop]
//! margin = 0.6
//! relative_to = "lbp"                 # or facelens
//! resize = "bilinear"                 # or triangle
//! upright = false                     # or true: a tilted face is turned back by its landmarks, where there are any
//!
//! [output]
//! kind = "angles"                     # years, years-and-log-scale, male-score, years-and-male-score,
//!                                     # years-male-score-and-angles, years-male-score-angles-and-log-scale,
//!                                     # hopenet-bins, rotation-matrix, rotation6d
//! order = ["yaw", "pitch", "roll"]
//!
//! [calibration]                       # where the age has a range and the gender a chance: see Calibration
//! data = "..."
//!
//! [[accuracy]]
//! data = "AFLW2000"
//! measure = "MAE in degrees"
//! value = 5.1
//! task = "pose"                       # only where the card has several tasks
//! ```

use serde::{Deserialize, Serialize};

use super::calibration::Calibration;
use super::task::{Task, one_or_several, task_words};

/// A model's card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelCard {
    /// Short name in kebab case, unique in the library.
    pub name: String,
    /// What it estimates; `task` in the file, one name or a list.
    #[serde(rename = "task", with = "one_or_several")]
    pub tasks: Vec<Task>,
    /// The .onnx files beside the card. Outputs of several files are averaged (the papers' fusion).
    pub files: Vec<String>,
    /// SHA-256 of each file, in lower-case hex, in the same order.
    pub sha256: Vec<String>,
    /// Where it comes from.
    pub source: String,
    /// Its licence, as an SPDX expression where there is one.
    pub licence: String,
    /// What it was trained on.
    pub training_data: String,
    /// What the network takes.
    pub input: InputSpec,
    /// What part of the picture it is shown.
    pub crop: CropSpec,
    /// What its output means.
    pub output: OutputForm,
    /// What makes a range of its age and a chance of its male score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration: Option<Calibration>,
    /// Measured accuracy, each with the set it was measured on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accuracy: Vec<Accuracy>,
    /// Anything a user should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

impl ModelCard {
    /// Whether the model estimates this.
    pub fn serves(&self, task: Task) -> bool {
        self.tasks.contains(&task)
    }

    /// What it estimates, in words: `age`, `age and gender`.
    pub fn task_words(&self) -> String {
        task_words(&self.tasks)
    }

    /// The known figures for one of its tasks, the first being the one to name where there is room for one.
    pub fn accuracy_of(&self, task: Task) -> impl Iterator<Item = &Accuracy> {
        let served = self.serves(task);
        self.accuracy.iter().filter(move |figure| served && figure.task.is_none_or(|about| about == task))
    }
}

/// What a network takes: one face, batch size 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSpec {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Order of the axes.
    pub layout: Layout,
    /// Order of the colour channels.
    pub channels: ChannelOrder,
    /// How bytes become numbers.
    pub scaling: Scaling,
}

/// Order of the axes of the input tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Layout {
    /// Batch, channel, row, column.
    Nchw,
    /// Batch, row, column, channel.
    Nhwc,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChannelOrder {
    /// Red first.
    Rgb,
    /// Blue first, as OpenCV reads pictures.
    Bgr,
}

/// How bytes become the network's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scaling {
    /// `(byte - mean) / std`, per channel in the card's channel order. Mean 0 and std 1 is the raw byte.
    MeanStd {
        /// Subtracted.
        mean: [f32; 3],
        /// Divided by; none may be 0.
        std: [f32; 3],
    },
    /// One minimum and one maximum over the crop's three channels together are stretched to 0..255; a flat crop gives
    /// zeros (`cv2.normalize` NORM_MINMAX, the published demos).
    MinMax,
}

/// What part of the picture a network is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CropSpec {
    /// Added on each side, as a fraction of the box's width and height; clamped to the picture.
    pub margin: f32,
    /// Whose box the margin refers to.
    pub relative_to: BoxStyle,
    /// How the crop becomes the input size.
    pub resize: ResizeFilter,
    /// Whether a tilted face is turned upright first, by the landmarks that the detector gives; the turn is added to the
    /// roll of a head pose. A turned crop is resized by the triangle filter and repeats the picture's edge.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub upright: bool,
}

/// Whose idea of a face's box a margin refers to. Each is a fixed factor and offset from the facelens box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoxStyle {
    /// The box that facelens reports.
    Facelens,
    /// The box of OpenCV's `lbpcascade_frontalface_improved`, which the published SSR-Net and FSA-Net demos used.
    Lbp,
}

/// How a crop is resized to the network's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResizeFilter {
    /// Four taps, half-pixel centres, no antialiasing: `cv2.resize` INTER_LINEAR. The published weights need it.
    Bilinear,
    /// Triangle filter with antialiasing: PIL's BILINEAR.
    Triangle,
}

/// What the numbers that a network gives mean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum OutputForm {
    /// One number: age in years.
    Years,
    /// Two numbers: age in years, then the natural logarithm of its scale in years: how far off the age may be. The age
    /// has a logistic distribution with this location and scale.
    YearsAndLogScale,
    /// One number: about 0 female, about 1 male; a regression, no probability.
    MaleScore,
    /// Two numbers: age in years, then the male score.
    YearsAndMaleScore,
    /// Five numbers: age in years, the male score, then three angles in degrees.
    YearsMaleScoreAndAngles {
        /// Which angle comes in which place.
        order: [Angle; 3],
    },
    /// Six numbers: age in years, the male score, three angles in degrees, then the natural logarithm of the age's scale
    /// in years, as in `years-and-log-scale`.
    YearsMaleScoreAnglesAndLogScale {
        /// Which angle comes in which place.
        order: [Angle; 3],
    },
    /// Three angles in degrees.
    Angles {
        /// Which angle comes in which place: `yaw`, `pitch`, `roll`.
        order: [Angle; 3],
    },
    /// Three heads of 66 bins, 3 degrees each, from -99 (Hopenet), one output each or one behind the other; as they
    /// leave the last layer or after a softmax.
    HopenetBins {
        /// Which angle comes in which place.
        order: [Angle; 3],
    },
    /// A 3x3 rotation matrix, row by row: `Rz(roll) Ry(yaw) Rx(pitch)`, as 6DRepNet makes it of 300W-LP's angles.
    RotationMatrix,
    /// The first two columns of that matrix, one behind the other, to be made orthonormal (6DRepNet).
    Rotation6d,
}

/// One of the three angles of a head pose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Angle {
    /// Left and right.
    Yaw,
    /// Up and down.
    Pitch,
    /// In the picture's plane.
    Roll,
}

/// One measured figure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accuracy {
    /// The data set and its part.
    pub data: String,
    /// What was measured, e.g. `MAE in years`.
    pub measure: String,
    /// The figure.
    pub value: f32,
    /// Which of the card's tasks it is about; may be left out where there is but one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}
