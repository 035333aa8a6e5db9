//! Puts an imported model into a folder: the network and its card, both or none.

use std::fs;
use std::path::{Path, PathBuf};

use facelens_core::model::guard::MAX_FILE_BYTES;
use facelens_core::model::{ModelError, ModelErrorKind, read_capped};

use super::opened::Opened;
use super::staged::{Staged, unwritable};

/// What an installation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The card.
    pub card: PathBuf,
    /// Whether the same model was there already, and nothing was written.
    pub unchanged: bool,
}

/// Writes a model's graphs and its card (`NAME.toml`) into `folder`, which is made where it does not exist. Another
/// model of that name stays; on failure nothing half-written does.
///
/// # Errors
/// `Io` where the folder cannot be written or holds another model of that name.
pub fn install(model: &Opened, folder: &Path) -> Result<Installed, ModelError> {
    let card = folder.join(format!("{}.toml", model.card.name));
    model.card.validate(&card)?;
    let toml = model.card.to_toml()?;
    let mut files: Vec<(PathBuf, &[u8])> = model
        .card
        .files
        .iter()
        .map(|name| folder.join(name))
        .zip(model.graphs.iter().map(|(_, onnx)| &**onnx))
        .collect();
    // The card comes last: it makes the graphs a model.
    files.push((card.clone(), toml.as_bytes()));

    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    let mut staged = Staged::default();
    let mut unchanged = true;
    for (file, bytes) in files {
        if !is_there(&file, bytes)? {
            unchanged = false;
            staged.write(&file, bytes)?;
        }
    }
    staged.commit()?;
    Ok(Installed { card, unchanged })
}

/// Whether a file with this content is there; an error where another is.
fn is_there(file: &Path, bytes: &[u8]) -> Result<bool, ModelError> {
    // A link that leads nowhere is something, too, that must not be written through.
    if fs::symlink_metadata(file).is_err() {
        return Ok(false);
    }
    if read_capped(file, MAX_FILE_BYTES).is_ok_and(|there| there == bytes) {
        return Ok(true);
    }
    let remedy = "remove it first, or choose another folder with -o";
    Err(ModelError::new(ModelErrorKind::Io, file, "another model of this name already exists", remedy))
}

#[cfg(test)]
mod tests {
    use facelens_core::model::graphs::{small, small_card};

    use super::*;
    use crate::{Library, Sandbox};

    fn imported() -> Opened {
        let graphs = vec![("small.onnx".into(), small(&[1, 3, 8, 8]).bytes().into())];
        Opened { card: small_card("small"), graphs, self_check: None }
    }

    #[test]
    fn what_is_installed_loads_and_installing_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let models = folder.path().join("new/models");
        let first = install(&imported(), &models).unwrap();
        assert_eq!(first, Installed { card: models.join("small.toml"), unchanged: false });
        assert_eq!(
            Library::at(&models, &Sandbox::in_process()).load_file(&first.card, None).unwrap().card,
            imported().card
        );
        assert!(install(&imported(), &models).unwrap().unchanged);
        assert_eq!(fs::read_dir(&models).unwrap().count(), 2);
    }

    #[test]
    fn another_model_of_that_name_stays() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("small.onnx"), "precious").unwrap();
        let error = install(&imported(), folder.path()).unwrap_err();
        assert!(error.to_string().contains("small.onnx: another model of this name already exists"), "{error}");
        assert_eq!(fs::read(folder.path().join("small.onnx")).unwrap(), b"precious");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = install(&imported(), &file.join("models")).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::Io);
        assert!(error.to_string().contains("cannot be written"), "{error}");
    }
}
