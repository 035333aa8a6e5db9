//! From a trained network to `NAME.onnx` and its card: written only where tract gives what burn gives.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use facelens_core::model::{ModelError, Net, sha256_hex};
use facelens_gait::{
    GEI_HEIGHT, GEI_WIDTH, GaitAgeModel, GaitCard, GaitGender, GaitTask, OrdinalAge, OrdinalKind, Shows,
};
use facelens_import::net::gl_cnn::{AgeHead, GenderHead, GlCnnWeights as Stored};

use super::augment::plain;
use super::set::GaitSet;
use crate::export::{CardTexts, Comparison, EXPORTED, ExportError, Verified, VerifyError, answers, put};
use crate::nets::GlCnn;

/// Images on which both are compared.
pub const IMAGES: usize = 64;
/// Channels, rows and columns of an image.
const INPUT: [usize; 3] = [1, GEI_HEIGHT, GEI_WIDTH];
/// Share of the age's distribution that a stage must hold.
const LEAST_MASS: f32 = 0.7;

/// A gait model was not written.
#[derive(Debug, thiserror::Error)]
pub enum GaitExportError {
    /// As for faces.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The card does not make sense, or the graph does not load by it.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The graph is not the network, or cannot be written or run.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// Compares tract on the graph with burn on the network, on these images and with each weight tensor changed in turn.
///
/// # Errors
/// Where they differ by more than 1e-4.
pub fn verify(net: &GlCnn, images: &[Vec<f32>]) -> Result<Verified, GaitExportError> {
    let burn = |net: &GlCnn, images: &[Vec<f32>]| answers(net, images, INPUT, |net, batch| net.forward(&batch));
    let export = |net: &GlCnn| {
        let onnx = net.to_weights().and_then(|weights| weights.to_onnx()).map_err(|error| error.to_string())?;
        Net::with_input_shape(&onnx, &[1, 1, GEI_HEIGHT, GEI_WIDTH], Path::new(EXPORTED))
            .map_err(|error| error.to_string())
    };
    let comparison =
        Comparison { net, burn: &burn, export: &export, inputs: images, unit: "image", from: "a gait set" };
    Ok(comparison.run(|_, _| true)?)
}

/// Writes a trained network as a model that shows nothing yet: what may be shown is judged afterwards. Gives the card's file.
///
/// # Errors
/// Where the graph is not the network, a model of this name is there and not to be replaced, or a file cannot be written.
pub fn export(
    net: &GlCnn,
    set: &GaitSet,
    texts: &CardTexts,
    folder: &Path,
    force: bool,
) -> Result<(PathBuf, Verified), GaitExportError> {
    let count = set.len().min(IMAGES);
    // From all over the set: neighbours may be strides of one walker.
    let chosen = (0..count).map(|place| place * set.len() / count);
    let images: Vec<Vec<f32>> = chosen.map(|index| plain(set.picture(index)).collect()).collect();
    let verified = verify(net, &images)?;
    let weights = net.valid().to_weights().map_err(|error| VerifyError::Graph(error.to_string()))?;
    let card = write(&weights, texts, GaitGender::MaleChance, true, folder, force)?;
    Ok((card, verified))
}

/// Writes stored weights as a model that shows nothing yet, and gives the card's file.
///
/// # Errors
/// Where the weights do not fit, a model of this name is there and not to be replaced, or a file cannot be written.
pub fn write(
    weights: &Stored,
    texts: &CardTexts,
    gender: GaitGender,
    mirrored: bool,
    folder: &Path,
    force: bool,
) -> Result<PathBuf, GaitExportError> {
    let onnx = weights.to_onnx().map_err(|error| VerifyError::Graph(error.to_string()))?;
    debug_assert_eq!(gender.len(), if matches!(weights.gender, GenderHead::Chance(_)) { 1 } else { 2 });
    debug_assert!(!mirrored || matches!(weights.age, AgeHead::Ordered { .. }));
    let card = GaitCard {
        name: texts.name.clone(),
        task: GaitTask::Gait,
        file: format!("{}.onnx", texts.name),
        sha256: sha256_hex(&onnx),
        source: texts.source.clone(),
        licence: texts.licence.clone(),
        training_data: texts.training_data.clone(),
        shows: Shows::Measures,
        least_mass: LEAST_MASS,
        mirrored,
        output: OrdinalAge {
            kind: OrdinalKind::OrdinalAge,
            questions: weights.age.questions(),
            offset_years: 0.0,
            gender,
        },
        accuracy: Vec::new(),
        notes: texts.notes.clone(),
    };
    let toml = card.to_toml()?;
    let (card_file, onnx_file) =
        (folder.join(format!("{}.toml", texts.name)), folder.join(format!("{}.onnx", texts.name)));
    if !force && let Some(there) = [&card_file, &onnx_file].into_iter().find(|file| file.exists()) {
        return Err(ExportError::Exists(there.clone()).into());
    }
    GaitAgeModel::prepare(card, &onnx, &onnx_file)?;
    put(&onnx_file, &onnx)?;
    // Last: it makes the graph a model.
    put(&card_file, toml.as_bytes())?;
    Ok(card_file)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use facelens_gait::Gei;

    use super::*;
    use crate::gait::{GaitSample, GaitSetWriter};
    use crate::nets::GlCnnConfig;
    use crate::nets::tests::Numbers;

    fn net() -> GlCnn {
        let config =
            GlCnnConfig { global: [2, 3], local: [2, 2], joined: 3, hidden: [6, 5], questions: 20, dropout: 0.0 };
        config.init(&Device::flex()).map(&mut Numbers(4))
    }

    fn set(folder: &Path) -> GaitSet {
        let file = folder.join("some.gaits");
        let mut writer = GaitSetWriter::create(&file).unwrap();
        for index in 0..5 {
            let grey: Vec<u8> = (0..GEI_WIDTH * GEI_HEIGHT).map(|i| ((i * 31 + index * 97) % 256) as u8).collect();
            let gei = Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap();
            writer.push(GaitSample::default(), &gei).unwrap();
        }
        writer.finish().unwrap();
        GaitSet::read(&file).unwrap()
    }

    fn texts() -> CardTexts {
        let words = |text: &str| text.to_owned();
        CardTexts {
            name: words("a-gait"),
            source: words("a test"),
            licence: words("MIT"),
            training_data: words("none"),
            notes: String::new(),
        }
    }

    #[test]
    fn what_is_exported_loads_and_is_what_burn_gives() {
        let folder = tempfile::tempdir().unwrap();
        let (set, net) = (set(folder.path()), net());
        let (card, verified) = export(&net, &set, &texts(), folder.path(), false).unwrap();
        assert_eq!((verified.inputs, verified.tensors), (5, 9 * 2 + 4 * 2 + 2));
        assert!(verified.silent.len() < 4 && verified.largest_of_all() < 1e-4, "{verified:?}");
        let model = GaitAgeModel::read(&card).unwrap();
        assert_eq!((model.shows(), model.card().output.questions), (Shows::Measures, 20));
        let gei = Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, set.picture(2)).unwrap();
        let both: Vec<Vec<f32>> = [&gei, &gei.mirrored()].map(|gei| gei.pixels().to_vec()).into();
        let expected = answers(&net, &both, INPUT, |net, batch| net.forward(&batch));
        let years: f32 = expected.iter().map(|row| row[..20].iter().sum::<f32>()).sum::<f32>() / 2.0;
        let answer = model.answer(&gei).unwrap();
        assert!((answer.age.years - years).abs() < 1e-3, "{} instead of {years}", answer.age.years);
        assert!((answer.male.unwrap() - (expected[0][20] + expected[1][20]) / 2.0).abs() < 1e-4);
        let again = export(&net, &set, &texts(), folder.path(), false).unwrap_err().to_string();
        assert!(again.contains("already exists"), "{again}");
        assert!(export(&net, &set, &texts(), folder.path(), true).is_ok());
    }
}
