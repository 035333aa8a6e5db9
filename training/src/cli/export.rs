//! `facelens-training export`: a trained network as a model of facelens.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use anyhow::Context as _;
use burn::tensor::Device;
use clap::Args;
use facelens_base::interrupt;
use indicatif::{ProgressBar, ProgressStyle};

use crate::data::FaceSet;
use crate::device::DeviceKind;
use crate::export::{CardTexts, Export, ExportError, FACES, VerifyError, blend};
use crate::nets::Network;
use crate::train::{self, RunConfig};

/// Options of `facelens-training export`.
///
/// Writes NAME.onnx and its card NAME.toml. The graph must agree with the network to within 1e-4 (male score, years,
/// degrees) on 64 real faces and with each weight tensor changed in turn.
#[derive(Debug, Args)]
pub(super) struct FaceExportArgs {
    /// The folder of a run, as `train` writes it.
    run: PathBuf,

    /// The folder to write to.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Name of the model and its files: a-z, 0-9, `-`, `_` and `.`.
    #[arg(long)]
    name: String,

    /// Real faces to compare on, preferably none that the network was trained on: the first 64 of this set; by default
    /// of the run's first set for validation.
    #[arg(long, value_name = "SET.faces")]
    crops: Option<PathBuf>,

    /// The model's licence, as an SPDX expression where there is one.
    #[arg(long, default_value = "not stated")]
    licence: String,

    /// Description of the training data; by default the names of the run's sets.
    #[arg(long, value_name = "WORDS")]
    training_data: Option<String>,

    /// Where it comes from.
    #[arg(long, value_name = "WORDS", default_value = "trained with facelens-training")]
    source: String,

    /// Anything a user should know.
    #[arg(long, value_name = "WORDS", default_value = "")]
    notes: String,

    /// Blend the weights with those of this model, preferably the one that the run started from (its card): a network
    /// that is trained on other labels forgets a part of what it knew.
    #[arg(long, value_name = "CARD.toml", requires = "share")]
    blend: Option<PathBuf>,

    /// The share of that model, 0 to 1.
    #[arg(long, value_name = "SHARE", value_parser = share, requires = "blend")]
    share: Option<f32>,

    /// Replace a model of this name.
    #[arg(long)]
    force: bool,
}

/// Runs `export`.
pub(super) fn run(args: &FaceExportArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let device = DeviceKind::Cpu.open()?;
    let (config, net) = train::load(&args.run, &device)?;
    let net = match (&args.blend, args.share) {
        (Some(card), Some(share)) => blended(&net, card, share, &config, &device)?,
        _ => net,
    };
    let crops = crops(args, &config)?;
    let texts = CardTexts {
        name: args.name.clone(),
        source: args.source.clone(),
        licence: args.licence.clone(),
        training_data: args.training_data.clone().unwrap_or_else(|| set_names(&config)),
        notes: args.notes.clone(),
    };
    let export = Export {
        net: &net,
        config: &config.network,
        margin: config.margin,
        texts: &texts,
        folder: &args.output,
        force: args.force,
    };
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} weight tensors, {eta} left") {
        bar.set_style(style);
    }
    let exported = export.run(&crops, |done, of| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        !stop.load(Ordering::Relaxed)
    });
    bar.finish_and_clear();
    let exported = match exported {
        Err(ExportError::Verify(VerifyError::Interrupted)) => return Ok(interrupt::exit_code()),
        other => other?,
    };
    let verified = &exported.verified;
    if !verified.silent.is_empty() {
        tracing::warn!(
            "{} of {} weight tensors change no output of any face, so that an error in them would not show: {}",
            verified.silent.len(),
            verified.tensors,
            verified.silent.join(", ")
        );
    }
    let largest: Vec<_> = verified.largest.iter().map(|off| format!("{off:.1e}")).collect();
    writeln!(
        std::io::stdout(),
        "{}: tract agrees with burn on {} faces within {}, and follows each of {} weight tensors",
        exported.card.display(),
        verified.inputs,
        largest.join(", "),
        verified.tensors - verified.silent.len()
    )?;
    Ok(ExitCode::SUCCESS)
}

/// The network with a share of another, and how it does: no epoch of the run has told.
fn blended(net: &Network, card: &Path, share: f32, config: &RunConfig, device: &Device) -> anyhow::Result<Network> {
    let net = blend(net, card, share, device)?;
    for entry in &config.sets.validate {
        let figures = train::figures(&net, &FaceSet::read(&entry.file)?, &config.tasks, config.margin, device);
        tracing::info!("{}: {figures}", entry.file.display());
    }
    Ok(net)
}

fn share(text: &str) -> Result<f32, String> {
    let share = text.parse::<f32>().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}

/// The faces to compare on.
fn crops(args: &FaceExportArgs, config: &RunConfig) -> anyhow::Result<FaceSet> {
    let file = match (&args.crops, config.sets.validate.first()) {
        (Some(file), _) => file,
        (None, Some(set)) => &set.file,
        (None, None) => anyhow::bail!("the run has no set for validation; give a set of faces with --crops"),
    };
    let trained_on = |file: &Path| config.sets.train.iter().any(|set| set.file == file);
    if trained_on(file) {
        tracing::warn!("the network was trained on {}; faces that it has not seen prove more", file.display());
    }
    let mut set = FaceSet::read(file).context("give a set of faces with --crops")?;
    set.truncate(FACES);
    Ok(set)
}

fn set_names(config: &RunConfig) -> String {
    let stem = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    config.sets.train.iter().map(|set| stem(&set.file)).collect::<Vec<_>>().join(", ")
}
