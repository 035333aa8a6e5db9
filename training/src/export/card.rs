//! The card of an exported network.

use facelens_core::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
};
use facelens_import::net::INPUT_SIDE;

use super::ExportError;
use crate::nets::NetworkConfig;

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
    /// What a card says.
    pub fn of(card: &ModelCard) -> Self {
        Self {
            name: card.name.clone(),
            source: card.source.clone(),
            licence: card.licence.clone(),
            training_data: card.training_data.clone(),
            notes: card.notes.clone(),
        }
    }

    /// The card of a network that was trained on crops with `margin`; `sha256` is its graph's.
    pub(crate) fn card(&self, network: &NetworkConfig, margin: f32, sha256: String) -> Result<ModelCard, ExportError> {
        let tasks = network.tasks();
        let order = [Angle::Yaw, Angle::Pitch, Angle::Roll];
        let output = match (tasks, network.age_scale()) {
            ([Task::Age], false) => OutputForm::Years,
            ([Task::Age], true) => OutputForm::YearsAndLogScale,
            ([Task::Gender], false) => OutputForm::MaleScore,
            ([Task::Age, Task::Gender], false) => OutputForm::YearsAndMaleScore,
            ([Task::Age, Task::Gender, Task::Pose], false) => OutputForm::YearsMaleScoreAndAngles { order },
            ([Task::Age, Task::Gender, Task::Pose], true) => OutputForm::YearsMaleScoreAnglesAndLogScale { order },
            ([Task::Pose], false) => OutputForm::Angles { order },
            (other, scale) => {
                let mut names: Vec<_> = other.iter().map(Task::to_string).collect();
                names.extend(scale.then(|| "the age's scale".to_owned()));
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
            crop: CropSpec {
                margin,
                relative_to: BoxStyle::Facelens,
                resize: ResizeFilter::Triangle,
                upright: true,
                mirrored: true,
                ..CropSpec::default()
            },
            output,
            select: None,
            calibration: None,
            accuracy: Vec::new(),
            notes: self.notes.clone(),
        })
    }
}
