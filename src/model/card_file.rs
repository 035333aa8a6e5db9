//! Reads, checks and writes cards.

use std::path::{Path, PathBuf};

use super::card::{InputSpec, ModelCard, OutputForm, Scaling};
use super::error::{ModelError, ModelErrorKind};
use super::file::read_capped;
use super::hash::sha256_hex;
use super::task::{Task, task_words};

/// Largest card, bytes.
pub(crate) const MAX_CARD_BYTES: u64 = 64 << 10;
/// Most files whose outputs are averaged.
const MAX_FILES: usize = 16;
/// Largest side of a network's input, pixels.
const MAX_INPUT_SIDE: u32 = 1024;
/// Largest crop margin; the published demos use 0.4 to 0.6.
const MAX_MARGIN: f32 = 3.0;

impl ModelCard {
    /// Reads a card's text; `file` is named in errors.
    ///
    /// # Errors
    /// `BadCard` with the line and the key.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ModelError> {
        let bad = |cause: String| {
            ModelError::new(ModelErrorKind::BadCard, file, cause, "correct the card; a shipped one shows every key")
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
                "get the file again, or import it anew if you changed it",
            )),
            None => Err(ModelError::new(ModelErrorKind::BadCard, file, "the card has no SHA-256 for it", "add it")),
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
        let margin = self.crop.margin;
        if !(0.0..=MAX_MARGIN).contains(&margin) {
            return Err(format!("`crop.margin` must lie between 0 and {MAX_MARGIN}, but is {margin}"));
        }
        self.output.problems(&self.tasks)?;
        if let Some(calibration) = &self.calibration {
            if !calibration.gender.is_empty() && !self.serves(Task::Gender) {
                return Err("`calibration.gender` is for a model that gives a gender".to_owned());
            }
            calibration.problems(self.serves(Task::Age))?;
        }
        for figure in &self.accuracy {
            let about = |what: String| Err(format!("`accuracy`: the figure for {:?} {what}", figure.data));
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
pub(crate) fn name_problems(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if name.is_empty() || name.len() > 80 || !name.chars().all(fits) || name.starts_with(['.', '-']) {
        return Err(format!("`name` must be made of a-z, 0-9, `-`, `_` and `.`, but is {name:?}"));
    }
    Ok(())
}

/// Whether this is the name of a file, without a way to another folder.
pub(crate) fn is_plain_file_name(name: &str) -> bool {
    !name.is_empty()
        && !matches!(name, "." | "..")
        && !name.contains(['/', '\\', ':'])
        && !name.chars().any(char::is_control)
}

/// Whether this is a SHA-256 as cards have it.
pub(crate) fn sha256_problems(sum: &str) -> Result<(), String> {
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
        if let Scaling::MeanStd { mean, std } = &self.scaling {
            if mean.iter().chain(std).any(|value| !value.is_finite()) {
                return Err("`input.scaling` holds a number that is not finite".to_owned());
            }
            if std.contains(&0.0) {
                return Err(format!("`input.scaling.std` must not contain 0, but is {std:?}"));
            }
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
        match self {
            Self::Angles { order: [a, b, c] }
            | Self::HopenetBins { order: [a, b, c] }
            | Self::YearsMaleScoreAndAngles { order: [a, b, c] }
            | Self::YearsMaleScoreAnglesAndLogScale { order: [a, b, c] }
                if a == b || b == c || a == c =>
            {
                Err("`output.order` must name yaw, pitch and roll once each".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// The first digits of a sum; enough to tell files apart.
pub(crate) fn short(sum: &str) -> String {
    sum.chars().take(12).collect()
}

/// Line, key and cause of a TOML error, in one sentence.
pub(crate) fn toml_cause(text: &str, error: &toml::de::Error) -> String {
    let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(start) = error.span().map(|span| span.start.min(text.len())).filter(|start| *start > 0) else {
        return message;
    };
    let before = text.get(..start).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let key = text.lines().nth(line - 1).and_then(|line| line.split_once('=')).map(|(key, _)| key.trim());
    match key {
        Some(key) if !key.is_empty() && key.len() < 40 => format!("line {line}, key `{key}`: {message}"),
        _ => format!("line {line}: {message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Accuracy, Angle, BoxStyle, ChannelOrder, CropSpec, Layout, ResizeFilter};

    fn card() -> ModelCard {
        ModelCard {
            name: "fsanet-capsule".into(),
            tasks: vec![Task::Pose],
            files: vec!["a.onnx".into(), "b.onnx".into()],
            sha256: vec![sha256_hex(b"a"), sha256_hex(b"b")],
            source: "a test".into(),
            licence: "MIT".into(),
            training_data: "300W-LP".into(),
            input: InputSpec {
                width: 64,
                height: 48,
                layout: Layout::Nhwc,
                channels: ChannelOrder::Bgr,
                scaling: Scaling::MeanStd { mean: [127.5, 0.1, -3.0], std: [128.0, 1.0, 0.5] },
            },
            crop: CropSpec { margin: 0.6, relative_to: BoxStyle::Lbp, resize: ResizeFilter::Bilinear, upright: false },
            output: OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
            calibration: None,
            accuracy: vec![Accuracy {
                data: "AFLW2000".into(),
                measure: "MAE in degrees".into(),
                value: 5.07,
                task: None,
            }],
            notes: "two\nlines".into(),
        }
    }

    /// The error for a card changed by `change`.
    fn problem(change: impl FnOnce(&mut ModelCard)) -> String {
        let mut card = card();
        change(&mut card);
        let error = card.validate(Path::new("dir/x.toml")).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::BadCard);
        error.to_string()
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut card = card();
        let five = OutputForm::YearsMaleScoreAndAngles { order: [Angle::Roll, Angle::Yaw, Angle::Pitch] };
        let six = OutputForm::YearsMaleScoreAnglesAndLogScale { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] };
        for output in [card.output.clone(), OutputForm::RotationMatrix, OutputForm::Rotation6d, five, six] {
            card.tasks = output.tasks().to_vec();
            card.accuracy[0].task = (card.tasks.len() > 1).then_some(Task::Pose);
            for scaling in [card.input.scaling.clone(), Scaling::MinMax] {
                card.output = output.clone();
                card.input.scaling = scaling;
                let text = card.to_toml().unwrap();
                assert_eq!(ModelCard::parse(&text, Path::new("x.toml")).unwrap(), card, "{text}");
            }
        }
        assert!(card.to_toml().unwrap().contains("margin = 0.6\n"), "floats are written as they were given");
    }

    #[test]
    fn a_card_for_two_tasks_says_of_each_figure_what_it_is_about() {
        let mut card = card();
        card.tasks = vec![Task::Age, Task::Gender];
        card.output = OutputForm::YearsAndMaleScore;
        let error = card.validate(Path::new("x.toml")).unwrap_err().to_string();
        assert!(
            error
                .contains("`accuracy`: the figure for \"AFLW2000\" needs a `task`, as the model is for age and gender")
        );
        let figure = |measure: &str, task| Accuracy { measure: measure.into(), task, ..card.accuracy[0].clone() };
        card.accuracy = vec![figure("share of right genders", Some(Task::Gender)), figure("MAE", Some(Task::Age))];
        let text = card.to_toml().unwrap();
        assert!(
            text.contains("task = [\n    \"age\",\n    \"gender\",\n]\n")
                || text.contains("task = [\"age\", \"gender\"]\n"),
            "{text}"
        );
        assert!(text.contains("kind = \"years-and-male-score\"\n"), "{text}");
        assert_eq!(ModelCard::parse(&text, Path::new("x.toml")).unwrap(), card);
        let measures = |task| card.accuracy_of(task).map(|figure| figure.measure.as_str()).collect::<Vec<_>>();
        assert_eq!(measures(Task::Age), ["MAE"]);
        assert_eq!(measures(Task::Gender), ["share of right genders"]);
        assert!(measures(Task::Pose).is_empty());
    }

    #[test]
    fn each_contradiction_names_its_key() {
        assert!(problem(|card| card.name = "../up".into()).starts_with("dir/x.toml: `name` must"));
        assert!(problem(|card| card.files[0] = "../up.onnx".into()).contains("`files` must be plain names"));
        assert!(problem(|card| card.files[0] = "C:\\up.onnx".into()).contains("`files` must be plain names"));
        assert!(problem(|card| card.files[1] = "a.onnx".into()).contains("`files` names \"a.onnx\" twice"));
        assert!(problem(|card| drop(card.sha256.pop())).contains("`sha256` has 1 entries for 2 files"));
        assert!(problem(|card| card.sha256[0] = "ABC".into()).contains("64 digits"));
        assert!(problem(|card| card.files.clear()).contains("`files` must name"));
        assert!(problem(|card| card.input.width = 0).contains("`input.width` must"));
        assert!(problem(|card| card.input.height = 1 << 20).contains("`input.height` must"));
        assert!(problem(|card| card.crop.margin = -0.1).contains("`crop.margin` must"));
        assert!(problem(|card| card.crop.margin = f32::NAN).contains("`crop.margin` must"));
        assert!(problem(|card| card.tasks = vec![Task::Age]).contains("`output.kind` is for pose, but `task` is age"));
        assert!(problem(|card| card.output = OutputForm::Angles { order: [Angle::Yaw; 3] }).contains("once each"));
        let pair = |card: &mut ModelCard| card.tasks = vec![Task::Age, Task::Gender];
        assert!(problem(pair).contains("`output.kind` is for pose, but `task` is age and gender"));
        assert!(problem(|card| card.tasks.clear()).contains("`output.kind` is for pose, but `task` is nothing"));
        assert!(problem(|card| card.output = OutputForm::YearsAndMaleScore).contains("is for age and gender, but"));
        assert!(problem(|card| card.tasks = vec![Task::Pose; 2]).contains("`task` is pose and pose"));
        assert!(
            problem(|card| card.accuracy[0].task = Some(Task::Age)).contains("is for age, but the model is for pose")
        );
        let zero = Scaling::MeanStd { mean: [0.0; 3], std: [1.0, 0.0, 1.0] };
        assert!(problem(|card| card.input.scaling = zero).contains("`input.scaling.std` must not contain 0"));
        assert!(problem(|card| card.source.push('\u{1b}')).contains("`source` must not contain control"));
        assert!(problem(|card| card.notes.push('\r')).contains("`notes` must not contain control"));
        assert!(problem(|card| card.accuracy[0].value = f32::INFINITY).contains("`accuracy`"));
    }

    #[test]
    fn a_mistake_in_the_text_names_line_and_key() {
        let text = card().to_toml().unwrap();
        let cause = |text: &str| ModelCard::parse(text, Path::new("x.toml")).unwrap_err().to_string();
        let line = text.lines().position(|line| line.starts_with("margin")).unwrap() + 1;
        let wrong = cause(&text.replace("margin = 0.6", "margin = \"wide\""));
        assert!(wrong.starts_with(&format!("x.toml: line {line}, key `margin`: ")), "{wrong}");
        let unknown = cause(&text.replace("margin = ", "border = "));
        assert!(unknown.contains(&format!("line {line}, key `border`: unknown field `border`")), "{unknown}");
        let missing = cause(&text.replace("licence = \"MIT\"\n", ""));
        assert!(missing.contains("missing field `licence`"), "{missing}");
        assert!(cause("name = [").contains("line 1"));
        assert!(!cause("this is no card\n").contains('\n'), "one sentence");
    }

    #[test]
    fn another_file_than_the_card_says_shows_both_sums() {
        assert_eq!(card().verify(0, b"a", Path::new("a.onnx")), Ok(()));
        let error = card().verify(0, b"b", Path::new("a.onnx")).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::HashMismatch);
        assert!(error.to_string().contains(&sha256_hex(b"a")[..12]), "{error}");
        assert!(error.to_string().contains(&sha256_hex(b"b")[..12]), "{error}");
    }
}
