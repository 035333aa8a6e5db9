//! From a trained network to `facelens-follow.onnx`: written only where tract gives what burn gives.

use std::path::{Path, PathBuf};

use burn::module::Module as _;
use facelens_core::detect::follow::SIDE;
use facelens_core::model::{Net, sha256_hex};

use super::run::some_crops;
use super::set::FollowSet;
use crate::export::{Comparison, EXPORTED, ExportError, Verified, VerifyError, answers, put};
use crate::nets::FollowNet;

/// Crops on which both are compared.
const CROPS: usize = 64;
/// Channels, rows and columns of a crop.
const INPUT: [usize; 3] = [3, SIDE, SIDE];

/// A network was not written.
#[derive(Debug, thiserror::Error)]
pub enum FollowExportError {
    /// As for faces.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The graph is not the network, or cannot be written or run.
    #[error(transparent)]
    Verify(#[from] VerifyError),
}

/// Compares tract on the graph with burn on the network, on these crops and with each weight tensor changed in turn.
///
/// # Errors
/// Where they differ by more than 1e-4.
pub fn verify(net: &FollowNet, crops: &[Vec<f32>]) -> Result<Verified, FollowExportError> {
    let burn = |net: &FollowNet, crops: &[Vec<f32>]| answers(net, crops, INPUT, |net, batch| net.forward(batch));
    let export = |net: &FollowNet| {
        Net::with_input_shape(&onnx(net)?, &[1, 3, SIDE, SIDE], Path::new(EXPORTED)).map_err(|error| error.to_string())
    };
    let comparison =
        Comparison { net, burn: &burn, export: &export, inputs: crops, unit: "crop", from: "a follow set" };
    Ok(comparison.run(|_, _| true)?)
}

fn onnx(net: &FollowNet) -> Result<Vec<u8>, String> {
    net.to_weights().and_then(|weights| weights.to_onnx()).map_err(|error| error.to_string())
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
) -> Result<(PathBuf, String, Verified), FollowExportError> {
    let file = folder.join(format!("{name}.onnx"));
    if !force && std::fs::symlink_metadata(&file).is_ok() {
        return Err(ExportError::Exists(file).into());
    }
    let verified = verify(net, &some_crops(set, CROPS))?;
    let onnx = onnx(&net.valid()).map_err(VerifyError::Graph)?;
    put(&file, &onnx)?;
    Ok((file, sha256_hex(&onnx), verified))
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

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
        assert_eq!((verified.inputs, verified.tensors), (24, 3 * 6 + 2 * 2));
        assert!(verified.silent.len() < 4 && verified.largest_of_all() < 1e-4, "{verified:?}");
        assert_eq!(sum, sha256_hex(&std::fs::read(&file).unwrap()));
        let again = export(&net(), &set, folder.path(), "made", false).unwrap_err().to_string();
        assert!(again.contains("already exists"), "{again}");
        assert!(export(&net(), &set, folder.path(), "made", true).is_ok());
    }
}
