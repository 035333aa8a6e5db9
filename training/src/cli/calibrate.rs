//! `facelens-training calibrate`: what a model's numbers mean.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use clap::Args;
use facelens_core::model::ModelCard;
use facelens_import::{Library, Sandbox};
use indicatif::{ProgressBar, ProgressStyle};

use crate::calibrate::calibrate;
use crate::data::FaceSet;
use crate::export::put;

/// Options of `facelens-training calibrate`.
///
/// The age range is made wide enough to contain four out of five true ages, separately for groups of the estimated age;
/// the gender score becomes the probability with which such faces are labelled male. Use faces that the network was not
/// trained on, and evaluate it on others.
#[derive(Debug, Args)]
pub(super) struct CalibrateArgs {
    /// The model's card; it is rewritten.
    card: PathBuf,

    /// Faces with ages or genders.
    set: PathBuf,

    /// Share of true ages that the range should contain.
    #[arg(long, value_name = "SHARE", default_value_t = 0.8, value_parser = share)]
    coverage: f32,

    /// How much rare ages count for the range: an age group with frequency f counts f^-BALANCE, as with `train --balance`.
    #[arg(long, default_value_t = 0.0, value_parser = balance)]
    balance: f32,

    /// Description of the faces; by default their number and their set.
    #[arg(long, value_name = "WORDS")]
    data: Option<String>,
}

/// Runs `calibrate`.
pub(super) fn run(args: &CalibrateArgs) -> anyhow::Result<ExitCode> {
    let mut card = ModelCard::read(&args.card)?;
    card.calibration = None;
    let mut opened = Library::open(&Sandbox::in_process()).open_file(&args.card, None)?;
    opened.card.calibration = None;
    let model = opened.prepare()?;
    let faces = FaceSet::read(&args.set)?;
    ensure!(!faces.is_empty(), "{}: there is no face in it", args.set.display());
    let data = args.data.clone().unwrap_or_else(|| {
        let name = args.set.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        format!("{} faces of {name}", faces.len())
    });
    let bar = ProgressBar::new(faces.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} faces, {eta} left") {
        bar.set_style(style);
    }
    let fitted = calibrate(&model, &faces, args.coverage, args.balance, &data, |done| bar.set_position(done as u64));
    bar.finish_and_clear();
    let fitted = fitted?;
    let mut out = std::io::stdout();
    for range in &fitted.age {
        writeln!(out, "age about {:.0}: {:.2} scales down, {:.2} up", range.years, range.lower, range.upper)?;
    }
    for chance in &fitted.gender {
        writeln!(out, "gender at about {:.0}: slope {:.2}, offset {:.2}", chance.years, chance.slope, chance.offset)?;
    }
    card.calibration = Some(fitted);
    card.validate(&args.card)?;
    put(&args.card, card.to_toml()?.as_bytes()).context("the card stays as it was")?;
    writeln!(out, "{}", args.card.display())?;
    Ok(ExitCode::SUCCESS)
}

fn share(text: &str) -> Result<f32, String> {
    let share = text.parse::<f32>().ok().filter(|share| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a number between 0 and 1".to_owned())
}

fn balance(text: &str) -> Result<f32, String> {
    let balance = text.parse::<f32>().ok().filter(|balance| (0.0..=1.0).contains(balance));
    balance.ok_or_else(|| "expected a number from 0 to 1".to_owned())
}
