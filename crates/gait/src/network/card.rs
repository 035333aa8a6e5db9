//! The card of a gait model, `NAME.toml`.
//!
//! ```toml
//! name = "facelens-gait"
//! task = "gait"
//! file = "facelens-gait.onnx"         # takes [1, 1, 64, 44], 0 to 1
//! sha256 = "..."
//! source = "https://..."
//! licence = "MIT OR Apache-2.0"
//! training_data = "drawn walkers"
//! shows = "stage"                     # age, stage or measures: what is known to hold
//! least_mass = 0.7                    # of the age's distribution, before a stage is named
//! mirrored = true                     # the answers to an image and its mirror image are averaged
//!
//! [output]
//! kind = "ordinal-age"
//! questions = 100
//! offset_years = 0.0                  # added to the sum of the answers
//! gender = "male-chance"              # or none, male-first, male-second, unknown-order
//!
//! [[accuracy]]
//! data = "..."
//! measure = "MAE in years"
//! value = 5.1
//! ```

use std::path::{Path, PathBuf};

use facelens_core::model::card_file::{
    MAX_CARD_BYTES, is_plain_file_name, name_problems, sha256_problems, short, toml_cause,
};
use facelens_core::model::{Accuracy, ModelError, ModelErrorKind, read_capped, sha256_hex};
use serde::{Deserialize, Serialize};

/// Most questions of an age head.
const MAX_QUESTIONS: usize = 150;
/// Largest offset, years.
const MAX_OFFSET: f32 = 20.0;

/// The card of a gait model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaitCard {
    /// Short name in kebab case.
    pub name: String,
    /// Always `gait`.
    pub task: GaitTask,
    /// The .onnx file beside the card.
    pub file: String,
    /// Its SHA-256, in lower-case hex.
    pub sha256: String,
    /// Where it comes from.
    pub source: String,
    /// Its licence, as an SPDX expression where there is one.
    pub licence: String,
    /// What it was trained on.
    pub training_data: String,
    /// What of its answers may be shown.
    pub shows: Shows,
    /// Share of the age's distribution that a stage must hold to be named, above 0.5 so that it holds more than all others.
    pub least_mass: f32,
    /// Whether the answers to the image and to its mirror image are averaged: a walker's age does not depend on the side.
    #[serde(default)]
    pub mirrored: bool,
    /// What its numbers mean.
    pub output: OrdinalAge,
    /// Measured accuracy, each with the set it was measured on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accuracy: Vec<Accuracy>,
    /// Anything a user should know.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub notes: String,
}

/// The task of a gait model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GaitTask {
    /// Age by gait.
    #[default]
    Gait,
}

/// What of a model's answers is known to hold, and may be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// The age in years with its range, and the stage.
    Age,
    /// Child, adult, older or unsure.
    Stage,
    /// Nothing of it: what is measured of a stride stands alone.
    #[default]
    Measures,
}

/// What the numbers that a network gives mean: the answers q_1 to q_K, then the gender's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrdinalAge {
    /// Always `ordinal-age`.
    #[serde(default)]
    pub kind: OrdinalKind,
    /// K, how many questions.
    pub questions: usize,
    /// Years added to the sum of the answers: 1 where the first question is "older than 1?", which nobody is asked "older than
    /// 0?" before.
    #[serde(default)]
    pub offset_years: f32,
    /// What follows the answers.
    pub gender: GaitGender,
}

/// The form of a gait model's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OrdinalKind {
    /// The answers to the questions of an ordinal age, then the gender's.
    #[default]
    OrdinalAge,
}

/// What a network says of the gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GaitGender {
    /// Nothing.
    None,
    /// One number: the chance of a man.
    MaleChance,
    /// Two numbers, the chances of a man and of a woman.
    MaleFirst,
    /// Two numbers, the chances of a woman and of a man.
    MaleSecond,
    /// Two numbers; nobody knows which is which, so they are left out.
    UnknownOrder,
}

impl GaitGender {
    /// How many numbers there are.
    pub const fn len(self) -> usize {
        match self {
            Self::None => 0,
            Self::MaleChance => 1,
            Self::MaleFirst | Self::MaleSecond | Self::UnknownOrder => 2,
        }
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The chance of a man.
    pub(super) fn male(self, numbers: &[f32]) -> Option<f32> {
        match self {
            Self::None | Self::UnknownOrder => None,
            Self::MaleChance | Self::MaleFirst => numbers.first().copied(),
            Self::MaleSecond => numbers.get(1).copied(),
        }
    }
}

impl OrdinalAge {
    /// How many numbers the network gives.
    pub const fn len(&self) -> usize {
        self.questions + self.gender.len()
    }

    /// Whether there is none; no card has that.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl GaitCard {
    /// Reads a card's text; `file` is named in errors.
    ///
    /// # Errors
    /// `BadCard` with the line and the key.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ModelError> {
        let bad = |cause: String| {
            ModelError::new(ModelErrorKind::BadCard, file, cause, "correct the card; docs/gait.md shows every key")
        };
        let card: Self = toml::from_str(text).map_err(|error| bad(toml_cause(text, &error)))?;
        card.problems().map_err(bad)?;
        Ok(card)
    }

    /// Reads a card from a file.
    ///
    /// # Errors
    /// `Io`, or as [`GaitCard::parse`].
    pub fn read(file: &Path) -> Result<Self, ModelError> {
        let bytes = read_capped(file, MAX_CARD_BYTES)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            ModelError::new(ModelErrorKind::BadCard, file, "the card is not UTF-8 text", "give a model card (.toml)")
        })?;
        Self::parse(text, file)
    }

    /// The card as TOML.
    ///
    /// # Errors
    /// `BadCard` where it makes no sense in itself or cannot be written.
    pub fn to_toml(&self) -> Result<String, ModelError> {
        let bad = |cause: String| {
            ModelError::new(ModelErrorKind::BadCard, format!("{}.toml", self.name), cause, "correct the card")
        };
        self.problems().map_err(bad)?;
        toml::to_string_pretty(self).map_err(|error| bad(error.to_string()))
    }

    /// Whether these bytes are the card's file.
    ///
    /// # Errors
    /// `HashMismatch` with both sums, shortened.
    pub fn verify(&self, bytes: &[u8], file: &Path) -> Result<(), ModelError> {
        let found = sha256_hex(bytes);
        if found == self.sha256 {
            return Ok(());
        }
        Err(ModelError::new(
            ModelErrorKind::HashMismatch,
            file,
            format!("its SHA-256 begins with {}, but the card says {}", short(&found), short(&self.sha256)),
            "get the file again",
        ))
    }

    /// Where the card's network is: beside the card.
    pub fn path(&self, card_file: &Path) -> PathBuf {
        card_file.with_file_name(&self.file)
    }

    fn problems(&self) -> Result<(), String> {
        name_problems(&self.name)?;
        if !is_plain_file_name(&self.file) {
            return Err(format!("`file` must be the plain name of a file beside the card, but is {:?}", self.file));
        }
        sha256_problems(&self.sha256)?;
        let texts = [("source", &self.source), ("licence", &self.licence), ("training_data", &self.training_data)];
        let figures =
            self.accuracy.iter().flat_map(|figure| [("accuracy", &figure.data), ("accuracy", &figure.measure)]);
        if let Some((key, _)) = texts.into_iter().chain(figures).find(|(_, text)| text.contains(char::is_control)) {
            return Err(format!("`{key}` must not contain control characters"));
        }
        if self.notes.contains(|c: char| c.is_control() && c != '\n') {
            return Err("`notes` must not contain control characters".to_owned());
        }
        if !(0.5..=1.0).contains(&self.least_mass) {
            return Err(format!("`least_mass` must lie between 0.5 and 1, but is {}", self.least_mass));
        }
        let OrdinalAge { questions, offset_years, .. } = self.output;
        if !(1..=MAX_QUESTIONS).contains(&questions) {
            return Err(format!("`output.questions` must lie between 1 and {MAX_QUESTIONS}, but is {questions}"));
        }
        if !(-MAX_OFFSET..=MAX_OFFSET).contains(&offset_years) {
            return Err(format!(
                "`output.offset_years` must lie between -{MAX_OFFSET} and {MAX_OFFSET}, but is {offset_years}"
            ));
        }
        match self.accuracy.iter().find(|figure| !figure.value.is_finite() || figure.task.is_some()) {
            Some(figure) => Err(format!("`accuracy`: the number for {:?} is not finite or has a `task`", figure.data)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::network) fn card(onnx: &[u8], questions: usize, gender: GaitGender) -> GaitCard {
        GaitCard {
            name: "a-gait".into(),
            task: GaitTask::Gait,
            file: "a-gait.onnx".into(),
            sha256: sha256_hex(onnx),
            source: "a test".into(),
            licence: "MIT".into(),
            training_data: "none".into(),
            shows: Shows::Stage,
            least_mass: 0.7,
            mirrored: false,
            output: OrdinalAge { kind: OrdinalKind::OrdinalAge, questions, offset_years: 0.0, gender },
            accuracy: vec![Accuracy { data: "x".into(), measure: "MAE in years".into(), value: 5.5, task: None }],
            notes: String::new(),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let card = card(b"x", 100, GaitGender::MaleChance);
        let text = card.to_toml().unwrap();
        assert!(text.contains("task = \"gait\"") && text.contains("kind = \"ordinal-age\""), "{text}");
        assert!(text.contains("shows = \"stage\"") && text.contains("gender = \"male-chance\""), "{text}");
        assert_eq!(GaitCard::parse(&text, Path::new("x.toml")).unwrap(), card);
    }

    #[test]
    fn each_contradiction_names_its_key() {
        let problem = |change: &dyn Fn(&mut GaitCard)| {
            let mut card = card(b"x", 100, GaitGender::None);
            change(&mut card);
            card.to_toml().unwrap_err().to_string()
        };
        assert!(problem(&|card| card.file = "../x.onnx".into()).contains("`file` must"));
        assert!(problem(&|card| card.name = "Über".into()).contains("`name` must"));
        assert!(problem(&|card| card.sha256 = "00".into()).contains("`sha256` must"));
        assert!(problem(&|card| card.least_mass = 0.2).contains("`least_mass` must"));
        assert!(problem(&|card| card.least_mass = f32::NAN).contains("`least_mass` must"));
        assert!(problem(&|card| card.output.questions = 0).contains("`output.questions` must"));
        assert!(problem(&|card| card.output.offset_years = f32::INFINITY).contains("`output.offset_years` must"));
        assert!(problem(&|card| card.source = "\u{1b}[2J".into()).contains("`source` must not"));
    }

    #[test]
    fn a_card_for_faces_and_one_for_gait_are_told_apart() {
        let text = card(b"x", 100, GaitGender::None).to_toml().unwrap();
        let error = facelens_core::model::ModelCard::parse(&text, Path::new("x.toml")).unwrap_err().to_string();
        assert!(error.contains("facelens gait --model"), "{error}");
        let face = text.replace("\"gait\"", "\"age\"");
        assert!(GaitCard::parse(&face, Path::new("x.toml")).unwrap_err().to_string().contains("task"));
    }
}
