//! From a trained network to `facelens-follow.onnx`: written only where tract gives what burn gives.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use burn::tensor::Device;
use facelens_core::detect::follow::SIDE;
use facelens_core::model::{Net, sha256_hex};

use super::run::{answers, some_crops};
use super::set::FollowSet;
use crate::export::perturb::{Change, changed, names};
use crate::export::{ExportError, TOLERANCE, put};
use crate::nets::FollowNet;

/// Crops on which both are compared.
const CROPS: usize = 64;
/// How each tensor is changed until the answers move.
const CHANGES: [Change; 4] = [Change::Up(0.1), Change::Up(1.0), Change::Down, Change::Up(5.0)];
/// A change is big enough where it moves an answer by so many tolerances.
const VISIBLE: f32 = 20.0;

/// A network was not written.
#[derive(Debug, thiserror::Error)]
pub enum FollowExportError {
    /// As for faces.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The graph cannot be written or run.
    #[error("the network cannot be exported: {0}")]
    Graph(String),
    /// The graph is not the network.
    #[error(
        "on crop {crop} tract gives {tract} where burn gives {burn} (output {output}{what}); the export is refused"
    )]
    Differs {
        /// The crop, counted from 0.
        crop: usize,
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
    #[error("there is no face to compare on; give a follow set")]
    NoFaces,
}

/// What was compared.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowVerified {
    /// Crops on which the exported network was compared.
    pub crops: usize,
    /// The largest difference on them.
    pub largest: f32,
    /// Weight tensors that were changed in turn.
    pub tensors: usize,
    /// Those that move no answer to any crop.
    pub silent: Vec<String>,
}

/// Compares tract on the graph with burn on the network, on these crops and with each weight tensor changed in turn.
///
/// # Errors
/// Where they differ by more than 1e-4 of an answer's size.
pub fn verify(net: &FollowNet, crops: &[Vec<f32>]) -> Result<FollowVerified, FollowExportError> {
    if crops.is_empty() {
        return Err(FollowExportError::NoFaces);
    }
    let net = net.valid();
    let device = net.devices().first().cloned().unwrap_or_else(Device::flex);
    let burn = |net: &FollowNet, crops: &[Vec<f32>]| answers(net, crops.concat(), &device);
    let largest = compare(&burn(&net, crops), &tract(&net, crops)?, "")?;
    let names = names(&net);
    let mut silent = Vec::new();
    // One in eight shows what a tensor does.
    let few: Vec<Vec<f32>> = crops.iter().step_by(crops.len().div_ceil(8)).cloned().collect();
    let before = burn(&net, &few);
    for (index, name) in names.iter().enumerate() {
        let moved = CHANGES.into_iter().find_map(|change| {
            let other = changed(&net, index, change);
            let after = burn(&other, &few);
            let mut pairs = before.iter().flatten().zip(after.iter().flatten());
            let moved = |(before, after): (&f32, &f32)| (before - after).abs() > VISIBLE * tolerance(*after);
            pairs.any(moved).then_some((other, after))
        });
        match moved {
            Some((other, after)) => {
                compare(&after, &tract(&other, &few)?, &format!(", with a changed {name}"))?;
            }
            None => silent.push(name.clone()),
        }
    }
    Ok(FollowVerified { crops: crops.len(), largest, tensors: names.len(), silent })
}

/// What is rounding: answers of a changed network may be large.
fn tolerance(answer: f32) -> f32 {
    TOLERANCE * answer.abs().max(1.0)
}

fn onnx(net: &FollowNet) -> Result<Vec<u8>, FollowExportError> {
    net.to_weights().and_then(|weights| weights.to_onnx()).map_err(|error| FollowExportError::Graph(error.to_string()))
}

fn tract(net: &FollowNet, crops: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, FollowExportError> {
    let graph = |error: String| FollowExportError::Graph(error);
    let net = Net::with_input_shape(&onnx(net)?, &[1, 3, SIDE, SIDE], Path::new("the exported graph"))
        .map_err(|error| graph(error.to_string()))?;
    crops.iter().map(|crop| net.run(crop)).collect::<Result<_, _>>().map_err(graph)
}

/// The largest difference.
fn compare(burn: &[Vec<f32>], tract: &[Vec<f32>], what: &str) -> Result<f32, FollowExportError> {
    let mut largest = 0.0_f32;
    for (crop, (burn, tract)) in burn.iter().zip(tract).enumerate() {
        if burn.len() != tract.len() {
            let cause = format!("it gives {} numbers where the network gives {}", tract.len(), burn.len());
            return Err(FollowExportError::Graph(cause));
        }
        for (output, (&burn, &tract)) in burn.iter().zip(tract).enumerate() {
            let off = (burn - tract).abs();
            if off.is_nan() || off > tolerance(burn) {
                return Err(FollowExportError::Differs { crop, output, tract, burn, what: what.to_owned() });
            }
            largest = largest.max(off);
        }
    }
    Ok(largest)
}

/// Writes `folder/NAME.onnx`; gives its path, its SHA-256 and what was compared on crops of the set's faces.
///
/// # Errors
/// Where the graph is not the network, a file of this name is there and not to be replaced, or it cannot be written.
pub fn export(
    net: &FollowNet,
    set: &FollowSet,
    folder: &Path,
    name: &str,
    force: bool,
) -> Result<(PathBuf, String, FollowVerified), FollowExportError> {
    let file = folder.join(format!("{name}.onnx"));
    if !force && std::fs::symlink_metadata(&file).is_ok() {
        return Err(ExportError::Exists(file).into());
    }
    let verified = verify(net, &some_crops(set, CROPS))?;
    let onnx = onnx(&net.valid())?;
    put(&file, &onnx)?;
    Ok((file, sha256_hex(&onnx), verified))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::follow::run::tests::faces;
    use crate::nets::FollowNetConfig;
    use crate::nets::tests::Numbers;

    fn net() -> FollowNet {
        let config = FollowNetConfig { layers: vec![[4, 4], [5, 2], [6, 2]], hidden: 8 };
        config.init(&Device::flex()).map(&mut Numbers(4))
    }

    #[test]
    fn what_is_exported_is_what_burn_gives_in_every_tensor() {
        let folder = tempfile::tempdir().unwrap();
        let set = FollowSet::read(&faces(folder.path())).unwrap();
        let (file, sum, verified) = export(&net(), &set, folder.path(), "made", false).unwrap();
        assert_eq!((verified.crops, verified.tensors), (24, 3 * 6 + 2 * 2));
        assert!(verified.silent.len() < 4 && verified.largest < 1e-4, "{verified:?}");
        assert_eq!(sum, sha256_hex(&std::fs::read(&file).unwrap()));
        let again = export(&net(), &set, folder.path(), "made", false).unwrap_err().to_string();
        assert!(again.contains("already exists"), "{again}");
        assert!(export(&net(), &set, folder.path(), "made", true).is_ok());
    }

    #[test]
    fn a_graph_that_is_not_the_network_is_refused() {
        let crops = vec![vec![0.5; 3 * SIDE * SIDE]];
        let net = net().valid();
        let expected = answers(&net, crops.concat(), &Device::flex());
        let mut found = tract(&net, &crops).unwrap();
        assert!(compare(&expected, &found, "").is_ok());
        found[0][7] += 1.0;
        let error = compare(&expected, &found, ", with a changed x").unwrap_err().to_string();
        assert!(error.contains("output 7, with a changed x"), "{error}");
        assert!(verify(&net, &[]).is_err());
    }
}
