//! `facelens models show`: a card in prose, and what its graphs are made of.

use std::fmt::Write as _;

use super::list::{accuracy_words, size_words};
use crate::model::{
    Angle, BoxStyle, ChannelOrder, CropSpec, GraphSummary, InputSpec, Layout, ModelError, Opened, OutputForm,
    ResizeFilter, Scaling,
};

/// The whole text.
pub(super) fn text(opened: &Opened) -> Result<String, ModelError> {
    let card = &opened.card;
    let mut lines = vec![
        ("Task", card.task_words()),
        ("Source", card.source.clone()),
        ("Licence", card.licence.clone()),
        ("Trained on", card.training_data.clone()),
        ("Input", input(&card.input)),
        ("Crop", crop(&card.crop)),
        ("Output", output(&card.output)),
    ];
    if card.accuracy.is_empty() {
        lines.push(("Accuracy", "not known".to_owned()));
    }
    lines.extend(card.accuracy.iter().map(|figure| ("Accuracy", accuracy_words(figure))));
    if !card.notes.is_empty() {
        lines.push(("Notes", card.notes.trim().to_owned()));
    }
    for (index, (path, onnx)) in opened.graphs.iter().enumerate() {
        let summary = GraphSummary::of(onnx, path)?;
        let name = card.files.get(index).map_or("", String::as_str);
        let sum = card.sha256.get(index).map_or("", String::as_str);
        lines.push(("File", format!("{name}, {}, SHA-256 {sum}", size_words(onnx.len() as u64))));
        lines.push(("Made of", graph(&summary)));
    }
    let mut text = format!("{}\n", card.name);
    for (key, value) in lines {
        // Further lines of a value stay in its column; writing to a String cannot fail.
        let _ = writeln!(text, "  {key:<11} {}", value.replace('\n', &format!("\n{:14}", "")));
    }
    Ok(text)
}

fn graph(summary: &GraphSummary) -> String {
    let operators: Vec<_> = summary.operators.iter().map(|(name, count)| format!("{name} {count}")).collect();
    format!(
        "{} tensors, {} parameters, ONNX operator set {}; {}",
        summary.tensors,
        summary.parameters,
        summary.opset,
        operators.join(", ")
    )
}

fn input(input: &InputSpec) -> String {
    let layout = match input.layout {
        Layout::Nchw => "NCHW",
        Layout::Nhwc => "NHWC",
    };
    let channels = match input.channels {
        ChannelOrder::Rgb => "RGB",
        ChannelOrder::Bgr => "BGR",
    };
    let scaling = match &input.scaling {
        Scaling::MinMax => "each crop stretched from its minimum and maximum to 0..255".to_owned(),
        Scaling::MeanStd { mean: [0.0, 0.0, 0.0], std: [1.0, 1.0, 1.0] } => "raw bytes".to_owned(),
        Scaling::MeanStd { mean, std } => format!("(byte - {mean:?}) / {std:?}"),
    };
    format!("{}x{} pixels, {channels}, {layout}, {scaling}", input.width, input.height)
}

fn crop(crop: &CropSpec) -> String {
    let whose = match crop.relative_to {
        BoxStyle::Facelens => "facelens's face box",
        BoxStyle::Lbp => "the box of OpenCV's LBP cascade",
    };
    let filter = match crop.resize {
        ResizeFilter::Bilinear => "bilinear with four taps, no antialiasing",
        ResizeFilter::Triangle => "triangle filter with antialiasing",
    };
    let upright = if crop.upright { "; tilted faces turned upright" } else { "" };
    format!("{whose} plus {} of its sides all around; {filter}{upright}", crop.margin)
}

fn output(form: &OutputForm) -> String {
    let names = |order: &[Angle; 3]| {
        let name = |angle: &Angle| match angle {
            Angle::Yaw => "yaw",
            Angle::Pitch => "pitch",
            Angle::Roll => "roll",
        };
        order.iter().map(name).collect::<Vec<_>>().join(", ")
    };
    let scale = "logarithm of the age's scale";
    let both = "age in years; male score, about 0 female and about 1 male, no probability";
    match form {
        OutputForm::Years => "age in years".to_owned(),
        OutputForm::YearsAndLogScale => format!("age in years; {scale}"),
        OutputForm::MaleScore => "male score, about 0 female and about 1 male; no probability".to_owned(),
        OutputForm::YearsAndMaleScore => both.to_owned(),
        OutputForm::YearsMaleScoreAndAngles { order } => format!("{both}; {} in degrees", names(order)),
        OutputForm::YearsMaleScoreAnglesAndLogScale { order } => {
            format!("{both}; {} in degrees; {scale}", names(order))
        }
        OutputForm::Angles { order } => format!("{} in degrees", names(order)),
        OutputForm::HopenetBins { order } => format!("66 bins of 3 degrees each for {}", names(order)),
        OutputForm::RotationMatrix => "rotation matrix".to_owned(),
        OutputForm::Rotation6d => "first two columns of the rotation matrix".to_owned(),
    }
}
