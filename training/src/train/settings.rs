//! The settings of a run, whatever it trains: `run.toml` in its folder.

use std::path::Path;

use facelens_base::bounded_file;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::RunConfig;
use super::error::{RunError, write_whole};

/// The file in the run's folder.
pub(crate) const FILE: &str = "run.toml";

/// Reads settings from a file in the form of a run.toml, without checking what they say.
pub(crate) fn read_file<Settings: DeserializeOwned>(file: &Path) -> Result<Settings, RunError> {
    let text = bounded_file::read_text(file, RunConfig::MAX_BYTES)
        .map_err(|error| RunError::io(file, "read", std::io::Error::from(error)))?;
    toml::from_str(&text)
        .map_err(|error| RunError::Settings { file: file.display().to_string(), cause: error.to_string() })
}

/// Reads and checks the settings of the run in `folder`.
pub(crate) fn read<Settings: DeserializeOwned>(
    folder: &Path,
    check: impl FnOnce(&Settings) -> Result<(), String>,
) -> Result<Settings, RunError> {
    let file = folder.join(FILE);
    if !file.is_file() {
        let cause = std::io::ErrorKind::NotFound.into();
        return Err(RunError::NoRun { folder: folder.display().to_string(), cause });
    }
    let settings = read_file(&file)?;
    check(&settings).map_err(|cause| RunError::Settings { file: file.display().to_string(), cause })?;
    Ok(settings)
}

/// Writes the settings of the run in `folder`.
pub(crate) fn write(folder: &Path, settings: &impl Serialize) -> Result<(), RunError> {
    let file = folder.join(FILE);
    let text = toml::to_string(settings)
        .map_err(|error| RunError::Settings { file: file.display().to_string(), cause: error.to_string() })?;
    write_whole(&file, text.as_bytes())
}

/// Whether a number lies from 0 to `most`.
pub(crate) fn within(name: &str, value: f64, most: f64) -> Result<(), String> {
    let fits = (0.0..=most).contains(&value);
    if fits { Ok(()) } else { Err(format!("{name} is {value}; it must be from 0 to {most}")) }
}
