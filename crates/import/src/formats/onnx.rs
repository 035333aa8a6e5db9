//! ONNX files: taken as they are, with a card beside them or a built-in one for known files.

use std::path::Path;

use facelens_core::model::{InputSpec, ModelCard, ModelError, ModelErrorKind, Net, Scaling, guard};

use super::cards::{self, Facts};
use super::self_check::{drawn_faces, run};
use super::{Imported, is_another_format, unknown_format};
use crate::net::{INPUT_SIDE, Tensor};

/// `ir_version`, the first field of every ONNX file in the wild, up to a version that is far from reached.
fn starts_like_onnx(bytes: &[u8]) -> bool {
    matches!(bytes, [0x08, 1..=32, ..])
}

pub(super) fn import(file: &Path, bytes: &[u8]) -> Result<Imported, ModelError> {
    let Some(card) = card_of_onnx(file, bytes)? else { return Err(without_card(file, bytes)) };
    let net = Net::from_onnx(bytes, &card.input, file)?;
    card.check_output(&net, file)?;
    run_on_faces(&net, &card.input, file)?;
    Ok(Imported { card, onnx: bytes.to_vec(), self_check: None })
}

/// The card of an ONNX file: the one beside it, or the built-in one of a known file. `None` where there is no card, or the
/// file is of another format.
///
/// # Errors
/// Where the card beside it cannot be read, or is not the file's.
pub(crate) fn card_of_onnx(file: &Path, bytes: &[u8]) -> Result<Option<ModelCard>, ModelError> {
    if is_another_format(bytes) {
        return Ok(None);
    }
    let beside = file.with_extension("toml");
    if beside.is_file() {
        return card_beside(file, &beside, bytes).map(Some);
    }
    Ok(cards::known_onnx(&Facts::of(bytes), bytes))
}

/// Runs a network on two drawn faces.
///
/// # Errors
/// `SelfCheck` where it fails or gives a number that is not finite.
pub(crate) fn run_on_faces(net: &Net, input: &InputSpec, file: &Path) -> Result<(), ModelError> {
    for face in drawn_faces().iter().take(2) {
        run(net, input, &prepared(face, input)).map_err(|cause| {
            ModelError::new(ModelErrorKind::SelfCheck, file, cause, "check the card's input, or get another file")
        })?;
    }
    Ok(())
}

/// The card `NAME.toml` beside `NAME.onnx`.
fn card_beside(file: &Path, beside: &Path, bytes: &[u8]) -> Result<ModelCard, ModelError> {
    let card = ModelCard::read(beside)?;
    let bad = |cause: String, remedy: &str| ModelError::new(ModelErrorKind::BadCard, beside, cause, remedy);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    match card.files.as_slice() {
        [only] if *only == name => {
            card.verify(0, bytes, file)?;
            Ok(card)
        }
        [_] => Err(bad(format!("the card is not about {name}"), "rename the card or correct its `files`")),
        _ => Err(bad("the card averages several files".to_owned(), "give the card itself instead of one file")),
    }
}

/// What to say of a file that nothing is known of: is it ONNX at all?
fn without_card(file: &Path, bytes: &[u8]) -> ModelError {
    if !starts_like_onnx(bytes) {
        return unknown_format(file);
    }
    match guard::decode(bytes) {
        Err(refusal) => refusal.about(file),
        Ok(_) => ModelError::new(
            ModelErrorKind::NoCard,
            file,
            "an ONNX file without a card says neither what it estimates nor what it takes",
            format!("write a card beside it ({})", file.with_extension("toml").display()),
        ),
    }
}

/// A drawn face `[1, 64, 64, 3]` as the card wants it: its size (nearest pixel), channels and scaling.
fn prepared(face: &Tensor, input: &InputSpec) -> Tensor {
    let (rows, columns, channels) = (input.height as usize, input.width as usize, input.channels.count());
    Tensor::from_fn(&[1, rows, columns, channels], |i| {
        let (row, column, channel) = (i / channels / columns, i / channels % columns, i % channels);
        let source = (row * INPUT_SIDE / rows * INPUT_SIDE + column * INPUT_SIDE / columns) * 3 + channel;
        let value = face.data()[source];
        match input.scaling {
            Scaling::MeanStd { mean, std } => (value - mean[channel]) / std[channel],
            Scaling::MinMax => value,
            Scaling::Brighten { subtract, .. } => value / 255.0 - subtract,
        }
    })
}
