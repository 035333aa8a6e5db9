//! `facelens-training gait`: trains, exports and judges networks that tell the age by gait.

mod eval;
mod train;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use facelens_gait::{GaitGender, read_weights};

use crate::data::SetError;
use crate::device::DeviceKind;
use crate::export::CardTexts;
use crate::gait::{self, GaitSet};

/// Options of `facelens-training gait`.
#[derive(Debug, Args)]
pub(super) struct GaitTrainingArgs {
    #[command(subcommand)]
    action: GaitAction,
}

#[derive(Debug, Subcommand)]
enum GaitAction {
    /// Train GL-CNN on gait sets, or resume a stopped run.
    Train(train::GaitTrainArgs),
    /// Export a trained network as a model for facelens. `gait eval` determines afterwards what it may show.
    Export(GaitExportArgs),
    /// Convert weights of the GL-CNN that circulates in PyTorch (a .safetensors file) to a model for facelens.
    Import(ImportArgs),
    /// Evaluate a model on sets with ages, and on real walkers without.
    Eval(eval::GaitEvalArgs),
}

/// What a card says in words.
#[derive(Debug, Args)]
struct Texts {
    /// Name of the model and its files: a-z, 0-9, `-`, `_` and `.`.
    #[arg(long)]
    name: String,

    /// The model's licence, as an SPDX expression where there is one.
    #[arg(long, default_value = "not stated")]
    licence: String,

    /// Where it comes from.
    #[arg(long, value_name = "WORDS", default_value = "trained with facelens-training")]
    source: String,

    /// Anything a user should know.
    #[arg(long, value_name = "WORDS", default_value = "")]
    notes: String,

    /// The folder to write to.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,

    /// Replace a model of this name.
    #[arg(long)]
    force: bool,
}

impl Texts {
    fn card(&self, training_data: String) -> CardTexts {
        CardTexts {
            name: self.name.clone(),
            source: self.source.clone(),
            licence: self.licence.clone(),
            training_data,
            notes: self.notes.clone(),
        }
    }
}

#[derive(Debug, Args)]
struct GaitExportArgs {
    /// The folder of a run, as `gait train` writes it.
    run: PathBuf,

    /// Description of the training data; by default the names of the run's sets.
    #[arg(long, value_name = "WORDS")]
    training_data: Option<String>,

    #[command(flatten)]
    texts: Texts,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The weights. Of a PyTorch file:
    /// `save_file({k: v.contiguous() for k, v in torch.load("x.pth", map_location="cpu").items()}, "x.safetensors")` with
    /// `from safetensors.torch import save_file`.
    weights: PathBuf,

    /// Description of the training data.
    #[arg(long, value_name = "WORDS", default_value = "unknown")]
    training_data: String,

    /// Which of the two gender outputs means male; only whoever trained it knows.
    #[arg(long, value_enum)]
    male: Option<MaleClass>,

    #[command(flatten)]
    texts: Texts,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum MaleClass {
    /// The first.
    First,
    /// The second.
    Second,
}

/// Runs `gait train | export | import | eval`.
pub(super) fn run(args: &GaitTrainingArgs) -> anyhow::Result<ExitCode> {
    match &args.action {
        GaitAction::Train(args) => train::run(args),
        GaitAction::Export(args) => export(args),
        GaitAction::Import(args) => import(args),
        GaitAction::Eval(args) => eval::run(args),
    }
}

fn export(args: &GaitExportArgs) -> anyhow::Result<ExitCode> {
    let (config, net) = gait::load(&args.run, &DeviceKind::Cpu.open()?)?;
    let sets =
        config.sets.train.iter().map(|entry| GaitSet::read(&entry.file)).collect::<Result<Vec<_>, SetError>>()?;
    let names = config.sets.train.iter().map(|entry| entry.file.file_stem().unwrap_or_default().to_string_lossy());
    let names = names.collect::<Vec<_>>().join(", ");
    let texts = args.texts.card(args.training_data.clone().unwrap_or(names));
    let empty = GaitSet::default();
    let set = sets.first().unwrap_or(&empty);
    let (card, verified) = gait::export(&net, set, &texts, &args.texts.output, args.texts.force)?;
    if !verified.silent.is_empty() {
        tracing::warn!(
            "weight tensors that change no output, so that an error in them would not show: {}",
            verified.silent.join(", ")
        );
    }
    writeln!(
        std::io::stdout(),
        "{}: tract agrees with burn on {} images within {:.1e}, and follows each of {} weight tensors",
        card.display(),
        verified.inputs,
        verified.largest_of_all(),
        verified.tensors - verified.silent.len()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn import(args: &ImportArgs) -> anyhow::Result<ExitCode> {
    let weights = read_weights(&args.weights)?;
    let gender = match args.male {
        Some(MaleClass::First) => GaitGender::MaleFirst,
        Some(MaleClass::Second) => GaitGender::MaleSecond,
        None => GaitGender::UnknownOrder,
    };
    let texts = args.texts.card(args.training_data.clone());
    let card = gait::write(&weights, &texts, gender, false, &args.texts.output, args.texts.force)?;
    writeln!(std::io::stdout(), "{}: {} parameters", card.display(), weights.parameters())?;
    Ok(ExitCode::SUCCESS)
}
