//! `facelens models show`: a card in prose, and what its graphs are made of.

use std::fmt::Write as _;

use facelens_core::model::{
    Angle, Axes, BoxStyle, ChannelOrder, CropSpec, Edge, GenderClass, GraphSummary, InputSpec, Layout, Maps,
    ModelError, OutputForm, QuaternionOrder, ResizeFilter, Scaling, Selection,
};
use facelens_import::Opened;

use super::list::{accuracy_words, size_words};

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
    if let Some(select) = &card.select {
        lines.push(("Taken from", taken_from(select, card.output.len())));
    }
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
        ChannelOrder::Grey => "grey",
    };
    let scaling = match &input.scaling {
        Scaling::MinMax => "each crop stretched from its minimum and maximum to 0..255".to_owned(),
        Scaling::MeanStd { mean: [0.0, 0.0, 0.0], std: [1.0, 1.0, 1.0] } => "raw bytes".to_owned(),
        Scaling::MeanStd { mean, std } if input.channels == ChannelOrder::Grey => {
            format!("(byte - {}) / {}", mean[0], std[0])
        }
        Scaling::MeanStd { mean, std } => format!("(byte - {mean:?}) / {std:?}"),
        Scaling::Brighten { quantile, below, to, subtract } => format!(
            "byte / 255, or where the {quantile} quantile of the crop lies below {below}, that brought to {to}; less \
             {subtract}"
        ),
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
    let mirrored = if crop.mirrored { "; new faces also in their mirror image" } else { "" };
    let moved = match crop.down {
        0.0 => String::new(),
        down if down > 0.0 => format!(", moved down by {down} of its height"),
        up => format!(", moved up by {} of its height", -up),
    };
    let edge = match crop.edge {
        Edge::Cut => "",
        Edge::Repeat => "; the image's edge repeated outside of it",
        Edge::Black => "; black outside the image",
    };
    let of_box = format!("{whose} plus {} of its sides all around{moved}", crop.margin);
    let what = match &crop.align {
        None => of_box,
        Some(align) => format!(
            "aligned to the landmarks ({}); of faces without them, as SeetaFace gives them, {of_box}",
            align.landmarks().join(", ")
        ),
    };
    format!("{what}; {filter}{upright}{mirrored}{edge}")
}

fn taken_from(select: &Selection, numbers: usize) -> String {
    let outputs = match select.outputs.as_slice() {
        [] => "all outputs".to_owned(),
        names => format!("the output {}", names.join(", ")),
    };
    let undone =
        if select.mean.is_empty() && select.std.is_empty() { "" } else { ", mean and standard deviation undone" };
    let last = u64::from(select.first) + numbers as u64 - 1;
    format!("{outputs}, numbers {} to {last}{undone}", select.first)
}

/// `x right, y down, z away, from the head to the camera`.
fn axes([x, y, z]: &Axes, maps: Maps) -> String {
    let way = match maps {
        Maps::HeadToCamera => "from the head to the camera",
        Maps::CameraToHead => "from the camera to the head",
    };
    format!("x {}, y {}, z {}, {way}", x.name(), y.name(), z.name())
}

/// The same, where 6DRepNet's may be meant.
fn axes_if_any(named: Option<&Axes>, maps: Option<Maps>) -> String {
    named.map_or_else(|| "as 6DRepNet's".to_owned(), |named| axes(named, maps.unwrap_or_default()))
}

fn output(form: &OutputForm) -> String {
    let name = |angle: &Angle| match angle {
        Angle::Yaw => "yaw",
        Angle::Pitch => "pitch",
        Angle::Roll => "roll",
    };
    let names = |order: &[Angle; 3]| order.iter().map(name).collect::<Vec<_>>().join(", ");
    let scale = "logarithm of the age's scale";
    let both = "age in years; male score, about 0 female and about 1 male, not a probability";
    match form {
        OutputForm::Years => "age in years".to_owned(),
        OutputForm::YearsAndLogScale => format!("age in years; {scale}"),
        OutputForm::MaleScore => "male score, about 0 female and about 1 male; not a probability".to_owned(),
        OutputForm::YearsAndMaleScore => both.to_owned(),
        OutputForm::YearsMaleScoreAndAngles { order } => format!("{both}; {} in degrees", names(order)),
        OutputForm::YearsMaleScoreAnglesAndLogScale { order } => {
            format!("{both}; {} in degrees; {scale}", names(order))
        }
        OutputForm::Angles { order } => format!("{} in degrees", names(order)),
        OutputForm::HopenetBins { order } => format!("66 bins of 3 degrees each for {}", names(order)),
        OutputForm::Bins { order, bins, first, width } => {
            let bins = order.iter().enumerate().map(|(head, angle)| {
                let (count, first, width) = (bins[head], first[head], width[head]);
                format!("{} ({count} bins from {first}, {width} degrees each)", name(angle))
            });
            format!("expected angles: {}", bins.collect::<Vec<_>>().join(", "))
        }
        OutputForm::Quaternion { order, axes: named, maps } => {
            let order = match order {
                QuaternionOrder::Xyzw => "xyzw",
                QuaternionOrder::Wxyz => "wxyz",
            };
            format!("quaternion {order}; {}", axes(named, *maps))
        }
        OutputForm::RotationMatrix { axes, maps } => {
            format!("rotation matrix; {}", axes_if_any(axes.as_ref(), *maps))
        }
        OutputForm::PoseMatrix { columns, axes: named, maps } => {
            format!("3x{columns} matrix of a rotation times a size; {}", axes(named, *maps))
        }
        OutputForm::Rotation6d { axes, maps } => {
            format!("first two columns of the rotation matrix; {}", axes_if_any(axes.as_ref(), *maps))
        }
        OutputForm::AgeBins { years } => match years.as_slice() {
            [first, .., last] => format!("expected age of {} ages, {first} to {last} years", years.len()),
            _ => "expected age".to_owned(),
        },
        OutputForm::GenderClasses { order } => {
            let name = |gender: &GenderClass| match gender {
                GenderClass::Female => "female",
                GenderClass::Male => "male",
            };
            format!(
                "the shares of {} and {}: the male one is the score, not a probability",
                name(&order[0]),
                name(&order[1])
            )
        }
    }
}
