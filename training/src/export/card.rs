//! The card of an exported network.

use facelens::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
};
use facelens::net::INPUT_SIDE;

use super::ExportError;

/// The middle of a byte's range; all networks that are trained here take `(byte - 127.5) / 127.5`.
const MIDDLE: f32 = 127.5;

/// What a card says in words.
#[derive(Clone, Debug, PartialEq)]
pub struct CardTexts {
    /// Name of the model, and of its files: a-z, 0-9, `-`, `_` and `.`.
    pub name: String,
    /// Where it comes from.
    pub source: String,
    /// Its licence, as an SPDX expression where there is one.
    pub licence: String,
    /// What it was trained on.
    pub training_data: String,
    /// Anything a user should know; may be empty.
    pub notes: String,
}

impl CardTexts {
    /// The card of a network that was trained for `tasks` on crops with `margin`; `sha256` is its graph's.
    pub(super) fn card(&self, tasks: &[Task], margin: f32, sha256: String) -> Result<ModelCard, ExportError> {
        let output = match tasks {
            [Task::Age] => OutputForm::Years,
            [Task::Gender] => OutputForm::MaleScore,
            [Task::Age, Task::Gender] => OutputForm::YearsAndMaleScore,
            [Task::Age, Task::Gender, Task::Pose] => {
                OutputForm::YearsMaleScoreAndAngles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] }
            }
            [Task::Pose] => OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
            other => {
                let names: Vec<_> = other.iter().map(Task::to_string).collect();
                return Err(ExportError::Tasks(names.join(", ")));
            }
        };
        Ok(ModelCard {
            name: self.name.clone(),
            tasks: tasks.to_vec(),
            files: vec![format!("{}.onnx", self.name)],
            sha256: vec![sha256],
            source: self.source.clone(),
            licence: self.licence.clone(),
            training_data: self.training_data.clone(),
            input: InputSpec {
                width: INPUT_SIDE as u32,
                height: INPUT_SIDE as u32,
                layout: Layout::Nchw,
                channels: ChannelOrder::Rgb,
                scaling: Scaling::MeanStd { mean: [MIDDLE; 3], std: [MIDDLE; 3] },
            },
            crop: CropSpec { margin, relative_to: BoxStyle::Facelens, resize: ResizeFilter::Triangle, upright: true },
            output,
            accuracy: Vec::new(),
            notes: self.notes.clone(),
        })
    }
}
