//! Reads, checks and writes cards.

use std::path::{Path, PathBuf};

use super::card::{InputSpec, ModelCard, OutputForm, Scaling};
use super::error::{ModelError, ModelErrorKind};
use super::file::read_capped;
use super::hash::sha256_hex;
use super::runtime::Net;
use super::task::{Task, task_words};
use super::{Answers, axes};

/// Largest card, bytes.
pub const MAX_CARD_BYTES: u64 = 64 << 10;
/// Most files whose outputs are averaged.
const MAX_FILES: usize = 16;
/// Largest side of a network's input, pixels.
const MAX_INPUT_SIDE: u32 = 1024;
/// Most bins of an angle, and most ages.
const MAX_BINS: usize = 1024;

impl ModelCard {
    /// Reads a card's text; `file` is named in errors.
    ///
    /// # Errors
    /// `BadCard` with the line and the key.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ModelError> {
        let bad = |cause: String| {
            ModelError::new(
                ModelErrorKind::BadCard,
                file,
                cause,
                "correct the card; docs/cards.md shows cards of every kind",
            )
        };
        let card: Self = toml::from_str(text).map_err(|error| {
            // A gait model's card has other keys: the first of those would be named, not the task.
            let task = toml::from_str::<toml::Table>(text).ok().and_then(|mut card| card.remove("task"));
            let gait = task.filter(|task| task.as_str() == Some("gait")).and_then(|_| "gait".parse::<Task>().err());
            bad(gait.unwrap_or_else(|| toml_cause(text, &error)))
        })?;
        card.problems().map_err(bad)?;
        Ok(card)
    }

    /// Reads a card from a file.
    ///
    /// # Errors
    /// `Io`, or as [`ModelCard::parse`].
    pub fn read(file: &Path) -> Result<Self, ModelError> {
        let bytes = read_capped(file, MAX_CARD_BYTES)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            ModelError::new(ModelErrorKind::BadCard, file, "the card is not UTF-8 text", "give a model card (.toml)")
        })?;
        Self::parse(text, file)
    }

    /// Whether the card makes sense in itself; `file` is named in errors.
    ///
    /// # Errors
    /// `BadCard` with the key and what is wrong with its value.
    pub fn validate(&self, file: &Path) -> Result<(), ModelError> {
        self.problems().map_err(|cause| ModelError::new(ModelErrorKind::BadCard, file, cause, "correct the card"))
    }

    /// The card as TOML.
    ///
    /// # Errors
    /// `BadCard` where a value cannot be written.
    pub fn to_toml(&self) -> Result<String, ModelError> {
        toml::to_string_pretty(self).map_err(|error| {
            ModelError::new(ModelErrorKind::BadCard, format!("{}.toml", self.name), error.to_string(), "")
        })
    }

    /// Whether these bytes are the card's file number `index`.
    ///
    /// # Errors
    /// `HashMismatch` with both sums, shortened.
    pub fn verify(&self, index: usize, bytes: &[u8], file: &Path) -> Result<(), ModelError> {
        let found = sha256_hex(bytes);
        match self.sha256.get(index) {
            Some(expected) if *expected == found => Ok(()),
            Some(expected) => Err(ModelError::new(
                ModelErrorKind::HashMismatch,
                file,
                format!("its SHA-256 begins with {}, but the card says {}", &found[..12], short(expected)),
                "get the file again, or import it again if you changed it",
            )),
            None => Err(ModelError::new(ModelErrorKind::BadCard, file, "the card has no SHA-256 for it", "add it")),
        }
    }

    /// Whether a network gives the numbers that the card makes its output of; `file` is named in errors.
    ///
    /// # Errors
    /// `WrongShape` with what it gives instead.
    pub fn check_output(&self, net: &Net, file: &Path) -> Result<(), ModelError> {
        let (given, wanted) = (net.output_len(), self.output.len());
        let wrong = |cause: String, remedy: &str| ModelError::new(ModelErrorKind::WrongShape, file, cause, remedy);
        match &self.select {
            Some(select) => {
                select.check(net, wanted).map_err(|cause| wrong(cause, "correct `select` or `output` in the card"))
            }
            None if given != wanted => Err(wrong(
                format!("it gives {given} numbers where the card's output form has {wanted}"),
                "correct `output` in the card, or say in its `select` which of the numbers are meant",
            )),
            None => Ok(()),
        }
    }

    /// What these numbers, all that `net` gave, say.
    ///
    /// # Errors
    /// In words, where they are not what the card says, or no rotation.
    pub fn answers(&self, net: &Net, values: &[f32]) -> Result<Answers, String> {
        match &self.select {
            Some(select) => self.output.decode(&select.take(net, self.output.len(), values)?),
            None => self.output.decode(values),
        }
    }

    /// Where the card's files are: beside the card.
    pub fn paths(&self, card_file: &Path) -> Vec<PathBuf> {
        self.files.iter().map(|name| card_file.with_file_name(name)).collect()
    }

    fn problems(&self) -> Result<(), String> {
        name_problems(&self.name)?;
        self.text_problems()?;
        self.file_problems()?;
        self.input.problems()?;
        self.crop.problems()?;
        self.output.problems(&self.tasks)?;
        self.select.as_ref().map_or(Ok(()), |select| select.problems(self.output.len()))?;
        if let Some(calibration) = &self.calibration {
            if !calibration.gender.is_empty() && !self.serves(Task::Gender) {
                return Err("`calibration.gender` is for a model that gives a gender".to_owned());
            }
            calibration.problems(self.serves(Task::Age))?;
        }
        for figure in &self.accuracy {
            let about = |what: String| Err(format!("`accuracy`: the number for {:?} {what}", figure.data));
            match figure.task {
                _ if !figure.value.is_finite() => return about("is not a finite number".to_owned()),
                None if self.tasks.len() > 1 => {
                    return about(format!("needs a `task`, as the model is for {}", self.task_words()));
                }
                Some(task) if !self.serves(task) => {
                    return about(format!("is for {task}, but the model is for {}", self.task_words()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Texts go to terminals as they are.
    fn text_problems(&self) -> Result<(), String> {
        let figures =
            self.accuracy.iter().flat_map(|figure| [("accuracy", &figure.data), ("accuracy", &figure.measure)]);
        let texts = [("source", &self.source), ("licence", &self.licence), ("training_data", &self.training_data)];
        let calibration = self.calibration.iter().map(|calibration| ("calibration.data", &calibration.data));
        let one_line =
            texts.into_iter().chain(figures).chain(calibration).find(|(_, text)| text.contains(char::is_control));
        let notes = self.notes.contains(|c: char| c.is_control() && c != '\n').then_some(("notes", &self.notes));
        match one_line.or(notes) {
            Some((key, _)) => Err(format!("`{key}` must not contain control characters")),
            None => Ok(()),
        }
    }

    fn file_problems(&self) -> Result<(), String> {
        if self.files.is_empty() || self.files.len() > MAX_FILES {
            return Err(format!("`files` must name 1 to {MAX_FILES} files, but names {}", self.files.len()));
        }
        if self.files.len() != self.sha256.len() {
            return Err(format!("`sha256` has {} entries for {} files", self.sha256.len(), self.files.len()));
        }
        for (index, name) in self.files.iter().enumerate() {
            if !is_plain_file_name(name) {
                return Err(format!("`files` must be plain names of files beside the card, but one is {name:?}"));
            }
            if self.files[..index].contains(name) {
                return Err(format!("`files` names {name:?} twice"));
            }
        }
        self.sha256.iter().try_for_each(|sum| sha256_problems(sum))
    }
}

/// Whether this is a model's name.
pub fn name_problems(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 80 || !name.chars().all(fits) || name.starts_with(['.', '-']) {
        return Err(format!("`name` must be made of a-z, 0-9, `-`, `_` and `.`, but is {name:?}"));
    }
    Ok(())
}

/// Whether this is the name of a file, without a way to another folder.
pub fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}

/// Whether this is a SHA-256 as cards have it.
pub fn sha256_problems(sum: &str) -> Result<(), String> {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if sum.len() == 64 && sum.chars().all(is_hex) {
        Ok(())
    } else {
        Err(format!("`sha256` must be 64 digits of lower-case hex, but one is {:?}", short(sum)))
    }
}

impl InputSpec {
    fn problems(&self) -> Result<(), String> {
        for (key, side) in [("width", self.width), ("height", self.height)] {
            if !(1..=MAX_INPUT_SIDE).contains(&side) {
                return Err(format!("`input.{key}` must lie between 1 and {MAX_INPUT_SIDE}, but is {side}"));
            }
        }
        match &self.scaling {
            Scaling::MeanStd { mean, std } => {
                if mean.iter().chain(std).any(|value| !value.is_finite()) {
                    return Err("`input.scaling` holds a number that is not finite".to_owned());
                }
                if std.contains(&0.0) {
                    return Err(format!("`input.scaling.std` must not contain 0, but is {std:?}"));
                }
                let differ = |[a, b, c]: &[f32; 3]| a != b || b != c;
                if self.channels.count() == 1 && (differ(mean) || differ(std)) {
                    return Err("`input.scaling` has a number for each of three channels, but `input.channels` is GREY; give one \
                                number"
                        .to_owned());
                }
            }
            Scaling::Brighten { quantile, below, to, subtract } => {
                let within = |key: &str, value: f32, low: f32, high: f32| {
                    if value > low && value <= high {
                        Ok(())
                    } else {
                        Err(format!("`input.scaling.{key}` must lie above {low} and be at most {high}, but is {value}"))
                    }
                };
                within("quantile", *quantile, 0.0, 0.999)?;
                within("below", *below, 0.0, 255.0)?;
                within("to", *to, 0.0, 1.0)?;
                within("subtract", *subtract, -1e3, 1e3)?;
            }
            Scaling::MinMax => {}
        }
        Ok(())
    }
}

impl OutputForm {
    fn problems(&self, tasks: &[Task]) -> Result<(), String> {
        let mut sorted = tasks.to_vec();
        sorted.sort_unstable();
        if sorted != self.tasks() {
            let gives = task_words(self.tasks());
            return Err(format!("`output.kind` is for {gives}, but `task` is {}", task_words(tasks)));
        }
        let bins = |key: &str, count: usize| match count {
            2..=MAX_BINS => Ok(()),
            _ => Err(format!("`output.{key}` must give 2 to {MAX_BINS} numbers, but gives {count}")),
        };
        match self {
            Self::Angles { order }
            | Self::HopenetBins { order }
            | Self::Bins { order, .. }
            | Self::YearsMaleScoreAndAngles { order }
            | Self::YearsMaleScoreAnglesAndLogScale { order } => {
                let [a, b, c] = order;
                if a == b || b == c || a == c {
                    return Err("`output.order` must name yaw, pitch and roll once each".to_owned());
                }
            }
            Self::Quaternion { axes, .. } => axes::problems(axes)?,
            Self::PoseMatrix { columns, axes, .. } => {
                if !matches!(columns, 3 | 4) {
                    return Err(format!("`output.columns` must be 3 or 4, but is {columns}"));
                }
                axes::problems(axes)?;
            }
            Self::RotationMatrix { axes, maps } | Self::Rotation6d { axes, maps } => {
                axes.as_ref().map_or(Ok(()), axes::problems)?;
                if axes.is_none() && maps.is_some() {
                    return Err(
                        "`output.maps` needs `output.axes`, too; without both, the rotation is read as 6DRepNet's"
                            .to_owned(),
                    );
                }
            }
            Self::AgeBins { years } => {
                bins("years", years.len())?;
                if let Some(age) = years.iter().find(|age| !(0.0..=150.0).contains(*age)) {
                    return Err(format!("`output.years` must lie between 0 and 150, but one is {age}"));
                }
            }
            Self::GenderClasses { order: [a, b] } if a == b => {
                return Err("`output.order` must name female and male once each".to_owned());
            }
            _ => {}
        }
        if let Self::Bins { bins: counts, first, width, .. } = self {
            counts.iter().try_for_each(|count| bins("bins", *count as usize))?;
            for (key, numbers) in [("first", first), ("width", width)] {
                if let Some(number) = numbers.iter().find(|number| !(-360.0..=360.0).contains(*number)) {
                    return Err(format!("`output.{key}` must lie between -360 and 360 degrees, but is {number}"));
                }
            }
            if width.contains(&0.0) {
                return Err("`output.width` must not be 0".to_owned());
            }
        }
        Ok(())
    }
}

/// The first digits of a sum; enough to tell files apart.
pub fn short(sum: &str) -> String {
    sum.chars().take(12).collect()
}

/// Line, key and cause of a TOML error, in one sentence.
pub fn toml_cause(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(start) = error.span().map(|span| span.start.min(text.len())).filter(|start| *start > 0) else {
        return message;
    };
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let words = text.lines().nth(line - 1).unwrap_or_default().trim();
    // Of what a `kind` decides only the table is known.
    if words.starts_with('[') && words.len() < 40 {
        return format!("line {line}, under `{words}`: {message}");
    }
    match words.split_once('=').map(|(key, _)| key.trim()) {
        Some(key) if !key.is_empty() && key.len() < 40 => format!("line {line}, key `{key}`: {message}"),
        _ => format!("line {line}: {message}"),
    }
}

#[cfg(test)]
mod tests;
