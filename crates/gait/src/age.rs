//! What an estimate of the age by gait looks like, and who gives one.

use serde::{Deserialize, Serialize};

use super::gei::Gei;
use super::measures::Measures;

/// The part of life that a gait tells. Years by gait are wide; this is as much as they say with some certainty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The body and the steps of a child.
    Child,
    /// Grown, and not clearly old.
    Adult,
    /// The short, careful steps of old age.
    Older,
    /// The walk does not say.
    #[default]
    Unsure,
}

impl Stage {
    /// The word in files and on the screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Adult => "adult",
            Self::Older => "older",
            Self::Unsure => "unsure",
        }
    }
}

/// An age by gait with its 80 % range. It is never averaged into the age that a face tells.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaitAge {
    /// The middle of the distribution, years.
    pub years: f32,
    /// Lower end of the 80 % range, years.
    pub low: f32,
    /// Upper end of the 80 % range, years.
    pub high: f32,
    /// The part of life.
    pub stage: Stage,
}

/// What is told of somebody's age by their gait: as much as is known to hold ([`super::network::Shows`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaitEstimate {
    /// The part of life.
    pub stage: Stage,
    /// The age; `None` where the model may name a part of life alone.
    pub age: Option<GaitAge>,
}

/// Tells the age from a gait energy image.
pub trait AgeByGait: Send {
    /// What may be told of the age of the walker whose image and measures these are; `None` where the model may tell nothing.
    ///
    /// # Errors
    /// Where the network fails.
    fn estimate(&mut self, gei: &Gei, measures: &Measures) -> Result<Option<GaitEstimate>, AgeError>;
}

/// The network of [`AgeByGait`] failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the age by gait could not be computed: {cause}")]
pub struct AgeError {
    /// What went wrong.
    pub cause: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_has_the_same_name_everywhere() {
        for stage in [Stage::Child, Stage::Adult, Stage::Older, Stage::Unsure] {
            assert_eq!(serde_json::to_string(&stage).unwrap(), format!("\"{}\"", stage.name()));
        }
    }
}
