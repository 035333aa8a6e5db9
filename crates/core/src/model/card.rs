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
//! channels = "BGR"                    # RGB, or GREY: one channel
//!
//! [input.scaling]                     # of bytes, 0 to 255
//! kind = "min-max"                    # mean-std with mean = [..] and std = [..], in bytes: (byte - mean) / std;
//!                                     # or brighten: see Scaling
//!
//! [crop]                              # see CropSpec
//! margin = 0.6
//! relative_to = "lbp"                 # or facelens
//! resize = "bilinear"                 # or triangle
//! upright = false                     # or true: a tilted face is turned back by its landmarks, where there are any
//! mirrored = false                    # or true: a face that is new is also read in its mirror image
//! down = 0.0                          # the crop's middle lies so far below the box's, in box heights
//! edge = "cut"                        # repeat or black: what stands in place of what lies outside the picture
//!
//! [crop.align]                        # instead: landmarks are brought to these points; see Alignment
//! width = 112
//! height = 112
//! left_eye = [38.3, 51.7]
//! right_eye = [73.5, 51.5]
//!
//! [output]                            # see OutputForm
//! kind = "angles"                     # age: years, years-and-log-scale, age-bins; gender: male-score, gender-classes;
//!                                     # head pose: bins, hopenet-bins, quaternion, rotation-matrix, pose-matrix,
//!                                     # rotation6d; several: years-and-male-score, years-male-score-and-angles,
//!                                     # years-male-score-angles-and-log-scale
//! order = ["yaw", "pitch", "roll"]
//!
//! [select]                            # where the network gives more numbers than these: see Selection
//! outputs = ["pose"]
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
//!
//! `docs/cards.md` has whole cards of well-known networks.

use serde::{Deserialize, Serialize};

use super::axes::{Axes, Maps};
use super::calibration::Calibration;
use super::crop_spec::CropSpec;
use super::one_or_three;
use super::selection::Selection;
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
    /// Which of the network's numbers the output is made of; without it they are all it gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Selection>,
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

impl InputSpec {
    /// The shape of the input tensor, batch axis first.
    pub const fn shape(&self) -> [usize; 4] {
        let (width, height, channels) = (self.width as usize, self.height as usize, self.channels.count());
        match self.layout {
            Layout::Nchw => [1, channels, height, width],
            Layout::Nhwc => [1, height, width, channels],
        }
    }
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
    /// One channel of brightness: 0.299 red, 0.587 green, 0.114 blue, rounded (Rec. 601, `cv2.COLOR_RGB2GRAY`).
    Grey,
}

impl ChannelOrder {
    /// How many channels there are.
    pub const fn count(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Grey => 1,
        }
    }
}

/// How bytes become the network's numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scaling {
    /// `(byte - mean) / std`, per channel in the card's channel order; one number stands for all channels. Mean 0 and std
    /// 1 is the raw byte, mean 0 and std 255 goes from 0 to 1, ImageNet's mean and deviation in bytes are
    /// `[123.675, 116.28, 103.53]` and `[58.395, 57.12, 57.375]`.
    MeanStd {
        /// Subtracted.
        #[serde(deserialize_with = "one_or_three::deserialize")]
        mean: [f32; 3],
        /// Divided by; none may be 0.
        #[serde(deserialize_with = "one_or_three::deserialize")]
        std: [f32; 3],
    },
    /// Dark crops are made brighter, as opentrack does it. The byte that `quantile` of the crop's bytes do not exceed is
    /// the crop's brightness; where it lies below `below`, it is brought to `to`, and all bytes with it: they are
    /// multiplied by `to / max(5, brightness)`. The bytes of brighter crops are divided by 255. Then `subtract` is
    /// subtracted.
    Brighten {
        /// Share of the bytes, above 0 and below 1.
        quantile: f32,
        /// The least brightness of a crop that is left as it is, 0 to 255.
        below: f32,
        /// What the brightness becomes, above 0 and at most 1.
        to: f32,
        /// Subtracted at last.
        #[serde(default)]
        subtract: f32,
    },
    /// One minimum and one maximum over the crop's three channels together are stretched to 0..255; a flat crop gives
    /// zeros (`cv2.normalize` NORM_MINMAX, the published demos).
    MinMax,
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
    /// Three heads of bins, one output each or one behind the other, as they leave the last layer or after a softmax.
    /// With `p` the softmax of a head, its angle is `first + width * sum(i p_i)`, `i` from 0. One number for `bins`,
    /// `first` or `width` stands for all three heads; a list has the heads' order.
    Bins {
        /// Which angle comes in which place.
        order: [Angle; 3],
        /// How many bins each head has.
        #[serde(deserialize_with = "one_or_three::deserialize")]
        bins: [u32; 3],
        /// The angle that the first bin stands for (its middle, in most programs), degrees.
        #[serde(deserialize_with = "one_or_three::deserialize")]
        first: [f32; 3],
        /// From one bin to the next, degrees; below 0 where the bins go down, or the angle's sign is the other one.
        #[serde(deserialize_with = "one_or_three::deserialize")]
        width: [f32; 3],
    },
    /// A quaternion of any length.
    Quaternion {
        /// Which part comes in which place: w is the real one.
        order: QuaternionOrder,
        /// Where the network's axes point.
        axes: Axes,
        /// Whether it turns the head's coordinates into the camera's.
        #[serde(default)]
        maps: Maps,
    },
    /// A 3x3 rotation matrix, row by row. Without `axes` and `maps`: `Rz(roll) Ry(yaw) Rx(pitch)`, as 6DRepNet makes it
    /// of 300W-LP's angles.
    RotationMatrix {
        /// Where the network's axes point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        axes: Option<Axes>,
        /// Whether it turns the head's coordinates into the camera's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maps: Option<Maps>,
    },
    /// A matrix of three rows of `columns` numbers, row by row, whose first three columns are a rotation times the face's
    /// size, as 3DDFA's. The first two rows are brought to length 1 and made orthogonal, the third is their cross product.
    PoseMatrix {
        /// 3, or 4 where each row ends with a translation.
        columns: u32,
        /// Where the network's axes point.
        axes: Axes,
        /// Whether it turns the head's coordinates into the camera's.
        #[serde(default)]
        maps: Maps,
    },
    /// The first two columns of a rotation matrix, one behind the other, to be made orthonormal. Without `axes` and
    /// `maps` that of 6DRepNet, as of `rotation-matrix`.
    Rotation6d {
        /// Where the network's axes point.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        axes: Option<Axes>,
        /// Whether it turns the head's coordinates into the camera's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        maps: Option<Maps>,
    },
    /// One number for each age, as they leave the last layer or after a softmax; the age is the expected one. The
    /// distribution's standard deviation tells the age's scale for `[calibration]`.
    AgeBins {
        /// The age that each number stands for, years.
        years: Vec<f32>,
    },
    /// Two numbers, one for each gender, as they leave the last layer or after a softmax: the male one's share is the male
    /// score.
    GenderClasses {
        /// Which gender comes in which place.
        order: [GenderClass; 2],
    },
}

/// The order of a quaternion's four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuaternionOrder {
    /// The real part last.
    Xyzw,
    /// The real part first.
    Wxyz,
}

/// A gender as a class of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenderClass {
    /// Female.
    Female,
    /// Male.
    Male,
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
