//! A card for an ONNX file that has none: what its graph tells, what there is to choose, and a trial before it is kept.

use std::fs;
use std::path::{Path, PathBuf};

use facelens_core::model::guard::MAX_FILE_BYTES;
use facelens_core::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, Direction, Edge, GenderClass, GraphSummary, GraphValue, InputSpec, Layout,
    Maps, ModelCard, ModelError, ModelErrorKind, OutputForm, QuaternionOrder, ResizeFilter, Scaling, Selection, Task,
    TaskModel, read_capped, sha256_hex,
};

use crate::formats::kebab_case;
use crate::opened::Opened;
use crate::{Installed, Library, install};

/// Sides of the input of face networks, pixels: offered where the graph leaves them open.
pub const USUAL_SIDES: [u32; 6] = [64, 96, 112, 128, 160, 224];

/// What is chosen of a card, and what its graph says.
#[derive(Clone, Debug, PartialEq)]
pub struct CardDraft {
    /// The .onnx file.
    pub file: PathBuf,
    /// Its SHA-256 in hex.
    pub sha256: String,
    /// The graph's input; `None` where it is none of one picture.
    pub input: Option<GraphValue>,
    /// The graph's outputs.
    pub outputs: Vec<GraphValue>,
    /// The model's name.
    pub name: String,
    /// What it estimates.
    pub task: Task,
    /// Width of the input, pixels.
    pub width: u32,
    /// Height of the input, pixels.
    pub height: u32,
    /// Order of the axes.
    pub layout: Layout,
    /// Order of the colour channels.
    pub channels: ChannelOrder,
    /// How bytes become numbers.
    pub scaling: ScalingOffer,
    /// Added to the face's box on each side, as a part of it.
    pub margin: f32,
    /// How far the crop's middle lies below the box's, as a part of its height.
    pub down: f32,
    /// What stands in place of what lies outside the picture.
    pub edge: Edge,
    /// The output that is taken; `None`: all of them, one behind the other.
    pub output: Option<String>,
    /// What its numbers mean.
    pub form: OutputForm,
    /// Where it comes from.
    pub source: String,
    /// Its licence.
    pub licence: String,
    /// What it was trained on.
    pub training_data: String,
}

/// Ways to scale bytes that most networks have one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalingOffer {
    /// Divided by 255.
    ZeroToOne,
    /// From -1 to 1.
    MinusOneToOne,
    /// ImageNet's mean and deviation, as most networks of PyTorch.
    ImageNet,
    /// As they are.
    Bytes,
    /// The crop's own minimum and maximum, as the published SSR-Net and FSA-Net programs.
    MinMax,
}

impl ScalingOffer {
    /// All, the most usual first.
    pub const ALL: [Self; 5] = [Self::ImageNet, Self::ZeroToOne, Self::MinusOneToOne, Self::Bytes, Self::MinMax];

    /// As the card has it.
    pub const fn scaling(self) -> Scaling {
        const fn mean_std(mean: [f32; 3], std: [f32; 3]) -> Scaling {
            Scaling::MeanStd { mean, std }
        }
        match self {
            Self::ZeroToOne => mean_std([0.0; 3], [255.0; 3]),
            Self::MinusOneToOne => mean_std([127.5; 3], [127.5; 3]),
            Self::ImageNet => mean_std([123.675, 116.28, 103.53], [58.395, 57.12, 57.375]),
            Self::Bytes => mean_std([0.0; 3], [1.0; 3]),
            Self::MinMax => Scaling::MinMax,
        }
    }
}

/// A meaning that a network's numbers may have.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputOffer {
    /// In words.
    pub title: String,
    /// As the card has it.
    pub form: OutputForm,
}

impl CardDraft {
    /// Reads the graph of an ONNX file and chooses what is most likely; `task` where somebody has said it.
    ///
    /// # Errors
    /// [`ModelError`] where the file cannot be read or is no ONNX graph.
    pub fn of(file: &Path, task: Option<Task>) -> Result<Self, ModelError> {
        let bytes = read_capped(file, MAX_FILE_BYTES)?;
        let summary = GraphSummary::of(&bytes, file)?;
        let input = summary.inputs.into_iter().next();
        let (layout, channels, height, width) = picture_of(input.as_ref());
        let mut draft = Self {
            file: file.to_owned(),
            sha256: sha256_hex(&bytes),
            input,
            outputs: summary.outputs,
            name: kebab_case(file),
            task: Task::Age,
            width,
            height,
            layout,
            channels,
            scaling: ScalingOffer::ImageNet,
            margin: 0.25,
            down: 0.0,
            edge: Edge::Black,
            output: None,
            form: OutputForm::Years,
            source: file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            licence: "unknown".to_owned(),
            training_data: "unknown".to_owned(),
        };
        draft.task = task.unwrap_or_else(|| draft.likely_task());
        draft.choose_likely_output();
        Ok(draft)
    }

    /// How many numbers the chosen output has, where the graph says so.
    pub fn numbers(&self) -> Option<usize> {
        let chosen: Vec<&GraphValue> = match &self.output {
            Some(name) => self.outputs.iter().filter(|output| output.name == *name).collect(),
            None => self.outputs.iter().collect(),
        };
        chosen.into_iter().map(numbers_of).sum()
    }

    /// The meanings that are offered for the task, those that fit the chosen output first.
    pub fn offers(&self) -> Vec<OutputOffer> {
        let numbers = self.numbers();
        let mut offers = offers(self.task, numbers);
        offers.sort_by_key(|offer| numbers.is_some_and(|numbers| offer.form.len() != numbers));
        offers
    }

    /// Whether a meaning has as many numbers as the chosen output, or nobody knows how many that has.
    pub fn fits(&self, form: &OutputForm) -> bool {
        self.numbers().is_none_or(|numbers| numbers == form.len())
    }

    /// Chooses the output and the meaning that are most likely for the task.
    pub fn choose_likely_output(&mut self) {
        // All outputs together, or the first one that has as many numbers as something known.
        let names = std::iter::once(None).chain(self.outputs.iter().map(|output| Some(output.name.clone())));
        let found = names.into_iter().find_map(|output| {
            let asked = Self { output, ..self.clone() };
            let numbers = asked.numbers()?;
            let offer = offers(self.task, Some(numbers)).into_iter().find(|offer| offer.form.len() == numbers)?;
            Some((asked.output, offer.form))
        });
        let first = || offers(self.task, None).into_iter().next().map(|offer| offer.form);
        (self.output, self.form) = match found {
            Some(found) => found,
            None => (None, first().unwrap_or(OutputForm::Years)),
        };
    }

    /// What so many numbers are most likely an estimate of.
    fn likely_task(&self) -> Task {
        let fits = |task: &Task| {
            let outputs = std::iter::once(None).chain(self.outputs.iter().map(|output| Some(output.name.clone())));
            outputs.into_iter().any(|output| {
                let numbers = Self { output, ..self.clone() }.numbers();
                numbers
                    .is_some_and(|numbers| offers(*task, Some(numbers)).iter().any(|offer| offer.form.len() == numbers))
            })
        };
        // One number is an age more often than a gender; two are a gender's classes.
        let two = self.numbers() == Some(2);
        let order = if two { [Task::Gender, Task::Age, Task::Pose] } else { [Task::Pose, Task::Age, Task::Gender] };
        let likely = order.into_iter().find(fits).unwrap_or(Task::Pose);
        if self.numbers() == Some(1) { Task::Age } else { likely }
    }

    /// The card.
    ///
    /// # Errors
    /// `BadCard` with the key and what is wrong with its value.
    pub fn card(&self) -> Result<ModelCard, ModelError> {
        let text = |text: &str| if text.trim().is_empty() { "unknown".to_owned() } else { text.trim().to_owned() };
        let card = ModelCard {
            name: self.name.trim().to_owned(),
            tasks: vec![self.task],
            files: vec![format!("{}.onnx", self.name.trim())],
            sha256: vec![self.sha256.clone()],
            source: text(&self.source),
            licence: text(&self.licence),
            training_data: text(&self.training_data),
            input: InputSpec {
                width: self.width,
                height: self.height,
                layout: self.layout,
                channels: self.channels,
                scaling: self.scaling.scaling(),
            },
            crop: CropSpec {
                margin: self.margin,
                relative_to: BoxStyle::Facelens,
                resize: ResizeFilter::Triangle,
                down: self.down,
                edge: self.edge,
                ..CropSpec::default()
            },
            output: self.form.clone(),
            select: self.output.clone().map(|output| Selection { outputs: vec![output], ..Selection::default() }),
            calibration: None,
            accuracy: Vec::new(),
            notes: "The card was written by hand, and its accuracy was not measured.".to_owned(),
        };
        card.validate(Path::new(&format!("{}.toml", self.name)))?;
        Ok(card)
    }

    /// Prepares the network with this card, tried in the library's sandbox first; nothing is kept.
    ///
    /// # Errors
    /// [`ModelError`] with the reason why the card or the file is refused.
    pub fn load(&self, library: &Library) -> Result<TaskModel, ModelError> {
        self.checked(library).map(|(_, model)| model)
    }

    fn checked(&self, library: &Library) -> Result<(Opened, TaskModel), ModelError> {
        let card = self.card()?;
        let io = |error: std::io::Error| {
            let cause = format!("it cannot be tried ({error})");
            ModelError::new(ModelErrorKind::Io, &self.file, cause, "make room in the folder for temporary files")
        };
        let folder = tempfile::tempdir().map_err(io)?;
        let (file, toml) = (folder.path().join(&card.files[0]), folder.path().join(format!("{}.toml", card.name)));
        // The same file by another name, where both are on one disk.
        fs::hard_link(&self.file, &file).or_else(|_| fs::copy(&self.file, &file).map(drop)).map_err(io)?;
        fs::write(&toml, card.to_toml()?).map_err(io)?;
        let named = |error: ModelError| ModelError { file: self.file.clone(), ..error };
        let opened = library.open_file(&toml, Some(self.task)).map_err(named)?;
        let model = opened.clone().prepare().map_err(named)?;
        Ok((opened, model))
    }

    /// Puts the network and its card into the user's library.
    ///
    /// # Errors
    /// As [`load`](Self::load) and [`install`](crate::install); also where this user has no library.
    pub fn keep(&self, library: &Library) -> Result<Installed, ModelError> {
        let Some(folder) = library.folder() else {
            let cause = "this user has no home folder, and so no library";
            return Err(ModelError::new(ModelErrorKind::Io, &self.file, cause, "write the card beside the file"));
        };
        if library.list().iter().any(|entry| entry.name == self.name.trim()) {
            let cause = "there is another model with this name in the library";
            return Err(ModelError::new(ModelErrorKind::Io, &self.name, cause, "choose another name"));
        }
        install(&self.checked(library)?.0, folder)
    }
}

/// Order of the axes, channels, height and width that an input most likely has.
fn picture_of(input: Option<&GraphValue>) -> (Layout, ChannelOrder, u32, u32) {
    const USUAL: u32 = 224;
    let side = |dim: Option<u64>| dim.and_then(|dim| u32::try_from(dim).ok()).filter(|side| *side > 0).unwrap_or(USUAL);
    let channels = |dim: Option<u64>| match dim {
        Some(1) => Some(ChannelOrder::Grey),
        Some(3) => Some(ChannelOrder::Rgb),
        _ => None,
    };
    match input.map(|input| input.shape.as_slice()) {
        Some(&[_, second, third, last]) => match (channels(second), channels(last)) {
            (Some(order), _) => (Layout::Nchw, order, side(third), side(last)),
            (None, Some(order)) => (Layout::Nhwc, order, side(second), side(third)),
            (None, None) => (Layout::Nchw, ChannelOrder::Rgb, side(third), side(last)),
        },
        _ => (Layout::Nchw, ChannelOrder::Rgb, USUAL, USUAL),
    }
}

/// How many numbers an output has for one face; an axis that is left open is that of the batch.
fn numbers_of(output: &GraphValue) -> Option<usize> {
    let mut dims = output.shape.iter();
    let first = dims.next()?.unwrap_or(1);
    let rest = dims.try_fold(1_u64, |count, dim| count.checked_mul((*dim)?))?;
    usize::try_from(first.checked_mul(rest)?).ok()
}

const YAW_PITCH_ROLL: [Angle; 3] = [Angle::Yaw, Angle::Pitch, Angle::Roll];
const PITCH_YAW_ROLL: [Angle; 3] = [Angle::Pitch, Angle::Yaw, Angle::Roll];
const ROLL_PITCH_YAW: [Angle; 3] = [Angle::Roll, Angle::Pitch, Angle::Yaw];
/// The axes that most programs have: OpenCV's, OpenGL's.
const AXES: [([Direction; 3], &str); 2] = [
    ([Direction::Right, Direction::Down, Direction::Away], "OpenCV's axes"),
    ([Direction::Right, Direction::Up, Direction::Towards], "OpenGL's axes"),
];
/// A head pose in bins has no fewer for an angle, and no more.
const POSE_BINS: std::ops::RangeInclusive<usize> = 20..=360;
/// An age in bins has no fewer, and no more.
const AGE_BINS: std::ops::RangeInclusive<usize> = 5..=130;

/// The meanings of an output of so many numbers for this task.
fn offers(task: Task, numbers: Option<usize>) -> Vec<OutputOffer> {
    let offer = |title: &str, form| OutputOffer { title: title.to_owned(), form };
    match task {
        Task::Age => {
            let mut offers = vec![
                offer("Age in years", OutputForm::Years),
                offer("Age in years, logarithm of its scale", OutputForm::YearsAndLogScale),
            ];
            if let Some(bins) = numbers.filter(|numbers| AGE_BINS.contains(numbers)) {
                let years = |first: usize| (first..first + bins).map(|year| year as f32).collect();
                offers
                    .push(offer(&format!("Classes: 0 to {} years", bins - 1), OutputForm::AgeBins { years: years(0) }));
                offers.push(offer(&format!("Classes: 1 to {bins} years"), OutputForm::AgeBins { years: years(1) }));
            }
            offers
        }
        Task::Gender => {
            let classes = |first, second| OutputForm::GenderClasses { order: [first, second] };
            vec![
                offer("Classes: female, male", classes(GenderClass::Female, GenderClass::Male)),
                offer("Classes: male, female", classes(GenderClass::Male, GenderClass::Female)),
                offer("One number: 0 female, 1 male", OutputForm::MaleScore),
            ]
        }
        Task::Pose => pose_offers(numbers),
    }
}

fn pose_offers(numbers: Option<usize>) -> Vec<OutputOffer> {
    let offer = |title: String, form| OutputOffer { title, form };
    let mut offers = Vec::new();
    for (order, words) in [
        (YAW_PITCH_ROLL, "yaw, pitch, roll"),
        (PITCH_YAW_ROLL, "pitch, yaw, roll"),
        (ROLL_PITCH_YAW, "roll, pitch, yaw"),
    ] {
        offers.push(offer(format!("Degrees: {words}"), OutputForm::Angles { order }));
    }
    offers.push(offer("6D rotation, as 6DRepNet".to_owned(), OutputForm::Rotation6d { axes: None, maps: None }));
    offers
        .push(offer("Rotation matrix, as 6DRepNet".to_owned(), OutputForm::RotationMatrix { axes: None, maps: None }));
    for (axes, words) in AXES {
        let (axes, maps) = (Some(axes), Some(Maps::HeadToCamera));
        offers.push(offer(format!("Rotation matrix, {words}"), OutputForm::RotationMatrix { axes, maps }));
        offers.push(offer(format!("6D rotation, {words}"), OutputForm::Rotation6d { axes, maps }));
    }
    for (order, part) in [(QuaternionOrder::Xyzw, "real part last"), (QuaternionOrder::Wxyz, "real part first")] {
        for (axes, words) in AXES {
            let form = OutputForm::Quaternion { order, axes, maps: Maps::HeadToCamera };
            offers.push(offer(format!("Quaternion, {part}, {words}"), form));
        }
    }
    for (axes, words) in AXES {
        let form = OutputForm::PoseMatrix { columns: 4, axes, maps: Maps::HeadToCamera };
        offers.push(offer(format!("Pose matrix of 3x4, {words}"), form));
    }
    let bins =
        numbers.filter(|numbers| numbers % 3 == 0 && POSE_BINS.contains(&(numbers / 3))).map(|numbers| numbers / 3);
    let hopenet = bins.is_none_or(|bins| bins == 66);
    if let Some(bins) = bins {
        for (order, words) in [(YAW_PITCH_ROLL, "yaw, pitch, roll"), (PITCH_YAW_ROLL, "pitch, yaw, roll")] {
            // From -99 to 99 degrees, each bin standing for its middle.
            let width = 198.0 / bins as f32;
            let form =
                OutputForm::Bins { order, bins: [bins as u32; 3], first: [-99.0 + width / 2.0; 3], width: [width; 3] };
            offers.push(offer(format!("{bins} bins each, ±99°: {words}"), form));
        }
    }
    if hopenet {
        offers.push(offer("Hopenet's 66 bins".to_owned(), OutputForm::HopenetBins { order: YAW_PITCH_ROLL }));
    }
    offers
}

#[cfg(test)]
mod tests {
    use facelens_core::model::graphs::{Graph, small, value};

    use super::*;
    use crate::Sandbox;

    fn graph(input: &[i64], outputs: &[(&str, &[i64])]) -> Vec<u8> {
        let outputs: Vec<_> = outputs.iter().map(|(name, shape)| value(name, shape)).collect();
        Graph::new(input).node("Flatten", &["x"], "y", &[]).change(|graph| graph.output = outputs).bytes()
    }

    fn draft_of(bytes: &[u8], task: Option<Task>) -> CardDraft {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("My Net (v2).onnx");
        fs::write(&file, bytes).unwrap();
        CardDraft::of(&file, task).unwrap()
    }

    #[test]
    fn the_input_s_axes_channels_and_sides_are_read() {
        let read = |shape: &[i64]| {
            let draft = draft_of(&graph(shape, &[("y", &[1, 3])]), None);
            (draft.layout, draft.channels, draft.width, draft.height)
        };
        assert_eq!(read(&[1, 3, 96, 64]), (Layout::Nchw, ChannelOrder::Rgb, 64, 96));
        assert_eq!(read(&[0, 112, 112, 3]), (Layout::Nhwc, ChannelOrder::Rgb, 112, 112));
        assert_eq!(read(&[1, 1, 129, 129]), (Layout::Nchw, ChannelOrder::Grey, 129, 129));
        assert_eq!(read(&[0, 3, 0, 0]), (Layout::Nchw, ChannelOrder::Rgb, 224, 224), "left open: the usual");
    }

    #[test]
    fn the_task_and_the_meaning_follow_from_the_numbers() {
        let likely = |outputs: &[(&str, &[i64])]| {
            let draft = draft_of(&graph(&[1, 3, 64, 64], outputs), None);
            (draft.task, draft.form.len(), draft.output)
        };
        assert_eq!(likely(&[("y", &[1, 3])]), (Task::Pose, 3, None));
        assert_eq!(likely(&[("y", &[0, 6])]), (Task::Pose, 6, None));
        assert_eq!(likely(&[("y", &[1, 3, 3])]), (Task::Pose, 9, None));
        assert_eq!(likely(&[("y", &[1, 1])]), (Task::Age, 1, None));
        assert_eq!(likely(&[("y", &[1, 2])]), (Task::Gender, 2, None));
        assert_eq!(likely(&[("y", &[1, 101])]), (Task::Age, 101, None));
        let heads: [(&str, &[i64]); 3] = [("yaw", &[1, 66]), ("pitch", &[1, 66]), ("roll", &[1, 66])];
        assert_eq!(likely(&heads), (Task::Pose, 198, None));
        // Of several outputs, the one that fits.
        let several: [(&str, &[i64]); 2] = [("box", &[1, 7]), ("quat", &[1, 4])];
        assert_eq!(likely(&several), (Task::Pose, 4, Some("quat".into())));
    }

    #[test]
    fn offers_that_fit_come_first() {
        let mut draft = draft_of(&graph(&[1, 3, 64, 64], &[("y", &[1, 9])]), Some(Task::Pose));
        let offers = draft.offers();
        assert!(draft.fits(&offers[0].form) && offers[0].form.len() == 9);
        assert!(!draft.fits(&offers.last().unwrap().form));
        for task in Task::ALL {
            draft.task = task;
            let titles: Vec<String> = draft.offers().into_iter().map(|offer| offer.title).collect();
            let mut distinct = titles.clone();
            distinct.sort();
            distinct.dedup();
            assert!(distinct.len() == titles.len() && titles.len() >= 2, "{titles:?}");
        }
    }

    #[test]
    fn a_draft_is_tried_and_kept_and_what_is_wrong_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Small Net.onnx");
        fs::write(&file, small(&[1, 3, 8, 8]).bytes()).unwrap();
        let library = Library::at(folder.path().join("models"), &Sandbox::in_process());
        let mut draft = CardDraft::of(&file, Some(Task::Age)).unwrap();
        assert_eq!((draft.name.as_str(), draft.width, draft.height), ("small-net", 8, 8));
        let model = draft.load(&library).unwrap();
        assert!(model.card.serves(Task::Age) && model.card.input.layout == Layout::Nchw);

        draft.form = OutputForm::YearsAndLogScale;
        let error = draft.load(&library).unwrap_err();
        assert!(error.to_string().contains("Small Net.onnx: it gives 1 numbers"), "{error}");
        draft.form = OutputForm::Years;
        draft.name = "With Blanks".into();
        assert!(draft.card().unwrap_err().to_string().contains("`name` must be made of a-z"));

        draft.name = "small-net".into();
        let kept = draft.keep(&library).unwrap();
        assert!(
            kept.card.ends_with("models/small-net.toml") && library.load_named("small-net", Some(Task::Age)).is_ok()
        );
        assert!(draft.keep(&library).unwrap_err().to_string().contains("another model with this name"));
    }
}
