//! From a trained network to `NAME.onnx` and its card: written only where tract gives what burn gives.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::model::{ModelError, Net, sha256_hex};
use facelens_gait::{
    GEI_HEIGHT, GEI_WIDTH, GaitAgeModel, GaitCard, GaitGender, GaitTask, OrdinalAge, OrdinalKind, Shows,
};
use facelens_import::net::gl_cnn::{AgeHead, GenderHead, GlCnn as Stored};

use super::augment::plain;
use super::set::GaitSet;
use crate::export::perturb::{Change, changed, names};
use crate::export::{CardTexts, ExportError, TOLERANCE, put};
use crate::nets::GlCnn;

/// Images on which both are compared.
pub const IMAGES: usize = 64;
/// How each tensor is changed until the answers move.
const CHANGES: [Change; 3] = [Change::Up(0.1), Change::Up(1.0), Change::Up(5.0)];
/// A change is big enough where it moves an answer by so many tolerances.
const VISIBLE: f32 = 20.0;
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
    /// The graph cannot be written or run.
    #[error("the network cannot be exported: {0}")]
    Graph(String),
    /// The graph is not the network.
    #[error(
        "on image {image} tract gives {tract} where burn gives {burn} (output {output}{what}); the export is refused"
    )]
    Differs {
        /// The image, counted from 0.
        image: usize,
        /// The output, counted from 0.
        output: usize,
        /// What tract gives.
        tract: f32,
        /// What burn gives.
        burn: f32,
        /// `, with a changed NAME`, or nothing.
        what: String,
    },
    /// There is nothing to compare on.
    #[error("there is no image to compare on; give a gait set")]
    NoImages,
}

/// What was compared.
#[derive(Clone, Debug, PartialEq)]
pub struct GaitVerified {
    /// Images on which the exported network was compared.
    pub images: usize,
    /// The largest difference on them.
    pub largest: f32,
    /// Weight tensors that were changed in turn.
    pub tensors: usize,
    /// Those that move no answer to any image.
    pub silent: Vec<String>,
}

/// Compares tract on the graph with burn on the network, on these images and with each weight tensor changed in turn.
///
/// # Errors
/// Where they differ by more than 1e-4.
pub fn verify(net: &GlCnn, images: &[Vec<f32>]) -> Result<GaitVerified, GaitExportError> {
    if images.is_empty() {
        return Err(GaitExportError::NoImages);
    }
    let net = net.valid();
    let expected = burn(&net, images);
    let largest = compare(&expected, &tract(&net, images)?, "")?;
    let names = names(&net);
    let mut silent = Vec::new();
    // One in eight shows what a tensor does.
    let few: Vec<Vec<f32>> = images.iter().step_by(images.len().div_ceil(8)).cloned().collect();
    let before = burn(&net, &few);
    for (index, name) in names.iter().enumerate() {
        let moved = CHANGES.into_iter().find_map(|change| {
            let other = changed(&net, index, change);
            let after = burn(&other, &few);
            let mut pairs = before.iter().flatten().zip(after.iter().flatten());
            pairs.any(|(before, after)| (before - after).abs() > VISIBLE * TOLERANCE).then_some((other, after))
        });
        match moved {
            Some((other, after)) => drop(compare(&after, &tract(&other, &few)?, &format!(", with a changed {name}"))?),
            None => silent.push(name.clone()),
        }
    }
    Ok(GaitVerified { images: images.len(), largest, tensors: names.len(), silent })
}

fn burn(net: &GlCnn, images: &[Vec<f32>]) -> Vec<Vec<f32>> {
    let device = net.devices().first().cloned().unwrap_or_else(Device::flex);
    let data = TensorData::new(images.concat(), [images.len(), 1, GEI_HEIGHT, GEI_WIDTH]);
    let answers = net.forward(&Tensor::from_data(data, &device));
    let width = answers.dims()[1];
    let numbers: Vec<f32> = answers.into_data().iter::<f32>().collect();
    numbers.chunks(width.max(1)).map(<[f32]>::to_vec).collect()
}

fn tract(net: &GlCnn, images: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, GaitExportError> {
    let graph = |error: String| GaitExportError::Graph(error);
    let onnx = net.to_weights().and_then(|weights| weights.to_onnx()).map_err(|error| graph(error.to_string()))?;
    let net = Net::with_input_shape(&onnx, &[1, 1, GEI_HEIGHT, GEI_WIDTH], Path::new("the exported graph"))
        .map_err(|error| graph(error.to_string()))?;
    images.iter().map(|image| net.run(image)).collect::<Result<_, _>>().map_err(graph)
}

/// The largest difference.
fn compare(burn: &[Vec<f32>], tract: &[Vec<f32>], what: &str) -> Result<f32, GaitExportError> {
    let mut largest = 0.0_f32;
    for (image, (burn, tract)) in burn.iter().zip(tract).enumerate() {
        if burn.len() != tract.len() {
            let cause = format!("it gives {} numbers where the network gives {}", tract.len(), burn.len());
            return Err(GaitExportError::Graph(cause));
        }
        for (output, (&burn, &tract)) in burn.iter().zip(tract).enumerate() {
            let off = (burn - tract).abs();
            if off.is_nan() || off > TOLERANCE {
                return Err(GaitExportError::Differs { image, output, tract, burn, what: what.to_owned() });
            }
            largest = largest.max(off);
        }
    }
    Ok(largest)
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
) -> Result<(PathBuf, GaitVerified), GaitExportError> {
    let count = set.len().min(IMAGES);
    // From all over the set: neighbours may be strides of one walker.
    let chosen = (0..count).map(|place| place * set.len() / count);
    let images: Vec<Vec<f32>> = chosen.map(|index| plain(set.picture(index)).collect()).collect();
    let verified = verify(net, &images)?;
    let weights = net.valid().to_weights().map_err(|error| GaitExportError::Graph(error.to_string()))?;
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
    let onnx = weights.to_onnx().map_err(|error| GaitExportError::Graph(error.to_string()))?;
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
        assert_eq!((verified.images, verified.tensors), (5, 9 * 2 + 4 * 2 + 2));
        assert!(verified.silent.len() < 4 && verified.largest < 1e-4, "{verified:?}");
        let model = GaitAgeModel::read(&card).unwrap();
        assert_eq!((model.shows(), model.card().output.questions), (Shows::Measures, 20));
        let gei = Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, set.picture(2)).unwrap();
        let both: Vec<Vec<f32>> = [&gei, &gei.mirrored()].map(|gei| gei.pixels().to_vec()).into();
        let expected = burn(&net, &both);
        let years: f32 = expected.iter().map(|row| row[..20].iter().sum::<f32>()).sum::<f32>() / 2.0;
        let answer = model.answer(&gei).unwrap();
        assert!((answer.age.years - years).abs() < 1e-3, "{} instead of {years}", answer.age.years);
        assert!((answer.male.unwrap() - (expected[0][20] + expected[1][20]) / 2.0).abs() < 1e-4);
        let again = export(&net, &set, &texts(), folder.path(), false).unwrap_err().to_string();
        assert!(again.contains("already exists"), "{again}");
        assert!(export(&net, &set, &texts(), folder.path(), true).is_ok());
    }

    #[test]
    fn a_graph_that_is_not_the_network_is_refused() {
        let images = vec![vec![0.5; GEI_WIDTH * GEI_HEIGHT]];
        let (expected, mut found) = (burn(&net(), &images), tract(&net(), &images).unwrap());
        assert!(compare(&expected, &found, "").is_ok());
        found[0][7] += 1e-3;
        let error = compare(&expected, &found, ", with a changed x").unwrap_err().to_string();
        assert!(error.contains("output 7, with a changed x"), "{error}");
        assert!(verify(&net(), &[]).is_err());
    }
}
