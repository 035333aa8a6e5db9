//! What is kept after each epoch, so that a run can go on after the program or the machine was stopped.
//!
//! ```text
//! state/progress.json     which epoch was finished last, and the history: replaced last, by a rename
//! state/net-N.bpk         weights and statistics after epoch N (burnpack, as the next one)
//! state/average-N.bpk     their moving average, where there is one
//! state/optimiser-N.bpk   the optimiser's moments
//! ```

use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::store::ModuleRecord;
use burn::tensor::Device;
use facelens_base::bounded_file::{self, ReadErrorKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::config::RunConfig;
use super::error::{RunError, write_whole};
use super::history::Epoch;
use super::step::{Learner, optimiser};
use super::validate::Figures;
use crate::nets::Network;

/// Largest progress.json, bytes: the history of tens of thousands of epochs.
const MAX_PROGRESS_BYTES: u64 = 64 << 20;

/// How far a run has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunProgress<R = Epoch<Figures>> {
    /// Epochs that are finished.
    pub(crate) epochs: usize,
    /// Steps that are done.
    pub(crate) steps: usize,
    /// One row for each epoch.
    pub(crate) history: Vec<R>,
}

fn folder(run: &Path) -> PathBuf {
    run.join("state")
}

pub(crate) fn file(run: &Path, part: &str, epochs: usize) -> PathBuf {
    folder(run).join(format!("{part}-{epochs}.bpk"))
}

fn progress_file(run: &Path) -> PathBuf {
    folder(run).join("progress.json")
}

// Derived, it would want rows to have a default.
impl<R> Default for RunProgress<R> {
    fn default() -> Self {
        Self { epochs: 0, steps: 0, history: Vec::new() }
    }
}

impl<R: DeserializeOwned> RunProgress<R> {
    /// How far the run in `run` has come.
    pub(crate) fn read(run: &Path) -> Result<Self, RunError> {
        let file = progress_file(run);
        let text = match bounded_file::read(&file, MAX_PROGRESS_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind == ReadErrorKind::NotFound => {
                return Err(RunError::NoState { folder: run.display().to_string() });
            }
            Err(error) => return Err(RunError::io(&file, "read", std::io::Error::from(error))),
        };
        let progress: Self = serde_json::from_slice(&text).map_err(|error| RunError::damaged(&file, error))?;
        if progress.epochs == 0 || progress.history.len() != progress.epochs {
            return Err(RunError::damaged(&file, "its epochs and its history do not match"));
        }
        Ok(progress)
    }
}

/// Keeps what a run has come to. Until the progress is replaced, the epoch before counts.
pub(super) fn save(run: &Path, progress: &RunProgress, learner: &Learner) -> Result<(), RunError> {
    keep(run, progress, &learner.net, learner.average.as_ref(), &learner.optimiser)
}

/// As [`save`], of any network.
pub(crate) fn keep<M: Module, R: Serialize>(
    run: &Path,
    progress: &RunProgress<R>,
    net: &M,
    average: Option<&M>,
    optimiser: &ModuleOptimizer,
) -> Result<(), RunError> {
    let folder = folder(run);
    std::fs::create_dir_all(&folder).map_err(|cause| RunError::io(&folder, "written", cause))?;
    let write_net = |part: &str, net: &M| {
        let file = file(run, part, progress.epochs);
        let bytes = net.valid().into_record().into_bytes().map_err(|cause| RunError::io(&file, "written", cause))?;
        write_whole(&file, &bytes)
    };
    write_net("net", net)?;
    if let Some(average) = average {
        write_net("average", average)?;
    }
    let file = file(run, "optimiser", progress.epochs);
    let bytes = optimiser.into_bytes().map_err(|cause| RunError::io(&file, "written", cause))?;
    write_whole(&file, &bytes)?;
    let text = serde_json::to_vec(progress).map_err(|cause| RunError::io(&progress_file(run), "written", cause))?;
    write_whole(&progress_file(run), &text)?;
    remove_others(&folder, progress.epochs);
    Ok(())
}

/// Removes the files of other epochs. One that cannot be removed costs room and nothing else.
fn remove_others(folder: &Path, epochs: usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let kept = format!("-{epochs}.bpk");
    for file in entries.flatten().map(|entry| entry.path()) {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name != "progress.json"
            && !name.ends_with(&kept)
            && let Err(cause) = std::fs::remove_file(&file)
        {
            tracing::debug!("{} cannot be removed: {cause}", file.display());
        }
    }
}

pub(crate) fn load_net<M: Module>(net: M, file: &Path) -> Result<M, RunError> {
    let damaged = |cause| RunError::damaged(file, cause);
    net.try_load_record(ModuleRecord::load(file).map_err(damaged)?).map_err(damaged)
}

/// What [`save`] kept. `device` has automatic differentiation.
pub(super) fn load(run: &Path, config: &RunConfig, epochs: usize, device: Device) -> Result<Learner, RunError> {
    let net = load_net(config.network.init(&device), &file(run, "net", epochs))?;
    // Loading brings back the ids of the weights, but not those of the statistics, by which the average finds them: so
    // the average is loaded into a copy of the net.
    let average =
        (config.schedule.average > 0.0).then(|| load_net(net.valid(), &file(run, "average", epochs))).transpose()?;
    let file = file(run, "optimiser", epochs);
    let optimiser = optimiser(&config.schedule).load(&file).map_err(|cause| RunError::damaged(&file, cause))?;
    Ok(Learner { device, net, average, optimiser })
}

/// The settings of the run in `run` and its network after the last finished epoch: the averaged one where the run keeps
/// an average. `device` is one without automatic differentiation.
///
/// # Errors
/// Where there is no run, no epoch was finished, or a file is damaged.
pub fn load_trained(run: &Path, device: &Device) -> Result<(RunConfig, Network), RunError> {
    let config = RunConfig::read(run)?;
    let progress: RunProgress = RunProgress::read(run)?;
    let part = if config.schedule.average > 0.0 { "average" } else { "net" };
    let net = load_net(config.network.init(device), &file(run, part, progress.epochs))?;
    Ok((config, net))
}
