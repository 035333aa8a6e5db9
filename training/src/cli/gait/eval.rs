//! `facelens-training gait eval`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use facelens_base::bounded_file;
use facelens_core::model::Accuracy;
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, GaitAgeModel, Gei};
use serde::Serialize;

use crate::export::put;
use crate::gait::prepare::gei_of;
use crate::gait::{GaitAgeEstimate, GaitFigures, GaitSet, Judgement, WalkerImage, figures, judge, walker_of};

/// Largest table of walkers, bytes.
const MAX_TABLE_BYTES: u64 = 64 << 20;

/// Evaluates a model.
///
/// On gait sets with ages: the mean absolute error, by age group and compared with always guessing the mean, and how
/// many ages lie in the 80 % range. On gait energy images of real walkers, as `facelens gait --gei` writes them:
/// whether a walker keeps an age and a stage over all strides, when mirrored and with silhouettes from another source,
/// and whether a grown person is called a child. What passes may be shown; `--write` records that in the card.
#[derive(Debug, Args)]
pub(super) struct GaitEvalArgs {
    /// The model's card.
    model: PathBuf,

    /// Gait sets with ages, preferably of people whom the network never saw.
    #[arg(long = "set", value_name = "FILE.gaits", num_args = 1..)]
    sets: Vec<PathBuf>,

    /// Take only people of the sets that a run with this seed holds out.
    #[arg(long, value_name = "RUN")]
    held_out_of: Option<PathBuf>,

    /// Folders with gait energy images of real walkers. If a folder has a walkers.csv, its columns `gei` (the file) and
    /// `walker` say whose each is; `source` (how the silhouettes were segmented) and `grown` (yes or no) are optional.
    /// Otherwise the names are read as `CLIP-WALKER-NUMBER.png`, and all walkers count as grown.
    #[arg(long, value_name = "DIR", num_args = 1..)]
    walkers: Vec<PathBuf>,

    /// Write what may be shown, and the metrics on the first set, into the card.
    #[arg(long, requires = "walkers")]
    write: bool,

    /// One JSON document instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Document {
    sets: Vec<(String, GaitFigures)>,
    judgement: Option<Judgement>,
}

/// Runs the command.
pub(super) fn run(args: &GaitEvalArgs) -> anyhow::Result<ExitCode> {
    ensure!(!args.sets.is_empty() || !args.walkers.is_empty(), "give --set, --walkers, or both");
    let model = GaitAgeModel::read(&args.model)?;
    let mut sets = Vec::new();
    for file in &args.sets {
        let set = GaitSet::read(file)?;
        let chosen: Vec<usize> = match &args.held_out_of {
            Some(run) => crate::gait::held_out(run, &set)?,
            None => (0..set.len()).collect(),
        };
        ensure!(!chosen.is_empty(), "{}: there is nobody in it to evaluate", file.display());
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        sets.push((name, on_set(&model, &set, &chosen)?));
    }
    let mut images = Vec::new();
    for folder in &args.walkers {
        images.extend(walkers(folder)?);
    }
    let judgement = if args.walkers.is_empty() {
        None
    } else {
        Some(judge(&model, &images, sets.first().map(|(_, figures)| figures)).map_err(anyhow::Error::msg)?)
    };
    let document = Document { sets, judgement };
    let mut out = std::io::stdout();
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&document)?)?;
    } else {
        write!(out, "{}", text(&document))?;
    }
    if args.write
        && let Some(judgement) = &document.judgement
    {
        write_card(&model, &args.model, judgement, &document.sets)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn text(document: &Document) -> String {
    let mut text = String::new();
    for (name, figures) in &document.sets {
        text += &format!("{name}: {} ages, {figures}\n", figures.ages);
        text += &format!("  {:<14} {:>7} {:>7} {:>9} {:>9}\n", "age", "n", "MAE", "the mean", "in range");
        for group in &figures.groups {
            let (held, ages) = (group.coverage * 100.0, group.ages);
            text +=
                &format!("  {:<14} {ages:>7} {:>7.2} {:>9.2} {held:>7.0} %\n", group.group, group.mae, group.mean_mae);
        }
        if let Some(share) = figures.grown_called_child {
            text += &format!("  people of 18 and older called a child: {:.2} %\n", share * 100.0);
        }
    }
    if let Some(judgement) = &document.judgement {
        text += &judgement.to_string();
    }
    text
}

fn on_set(model: &GaitAgeModel, set: &GaitSet, chosen: &[usize]) -> anyhow::Result<GaitFigures> {
    let said = chosen.iter().map(|index| {
        let gei = Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, set.picture(*index)).context("an image has another size")?;
        let answer = model.answer(&gei)?;
        Ok(GaitAgeEstimate { age: answer.distribution, male: answer.male })
    });
    let said = said.collect::<anyhow::Result<Vec<_>>>()?;
    let samples: Vec<_> = chosen.iter().map(|index| &set.samples[*index]).collect();
    Ok(figures(&samples, &said))
}

/// The images of a folder with their walkers.
fn walkers(folder: &Path) -> anyhow::Result<Vec<WalkerImage>> {
    let table = folder.join("walkers.csv");
    let mut images = Vec::new();
    if table.is_file() {
        let text = bounded_file::read_text(&table, MAX_TABLE_BYTES)?;
        let mut csv = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = csv.headers()?.clone();
        let find = |name: &str| header.iter().position(|own| own.eq_ignore_ascii_case(name));
        let (Some(gei), Some(walker)) = (find("gei"), find("walker")) else {
            bail!("{}: it lacks the column `gei` or `walker`", table.display());
        };
        for record in csv.records() {
            let record = record.with_context(|| table.display().to_string())?;
            let cell = |place: Option<usize>| place.and_then(|place| record.get(place)).unwrap_or_default();
            let grown = match cell(find("grown")) {
                "" | "yes" => true,
                "no" => false,
                other => bail!("{}: grown is `{other}`; it is yes or no", table.display()),
            };
            images.push(WalkerImage {
                name: cell(Some(gei)).to_owned(),
                walker: cell(Some(walker)).to_owned(),
                source: cell(find("source")).to_owned(),
                grown,
                gei: read(&folder.join(cell(Some(gei))))?,
            });
        }
    } else {
        let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
        let mut files = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
        files.sort();
        for file in files {
            let Some(walker) = walker_of(&file) else { continue };
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            images.push(WalkerImage { name, walker, source: String::new(), grown: true, gei: read(&file)? });
        }
    }
    ensure!(!images.is_empty(), "{}: there is no image of a walker in it", folder.display());
    Ok(images)
}

fn read(file: &Path) -> anyhow::Result<Gei> {
    gei_of(file).map_err(|cause| anyhow::anyhow!("{}: {cause}", file.display()))
}

/// Writes the card with what may be shown and with the first set's figures.
fn write_card(
    model: &GaitAgeModel,
    file: &Path,
    judgement: &Judgement,
    sets: &[(String, GaitFigures)],
) -> anyhow::Result<()> {
    let mut card = model.card().clone();
    card.shows = judgement.shows;
    if let Some((name, figures)) = sets.first() {
        let data = format!("{name}, {} images of people whom it never saw", figures.ages);
        let figure = |measure: &str, value: Option<f64>| {
            let value = (value? * 100.0).round() as f32 / 100.0;
            Some(Accuracy { data: data.clone(), measure: measure.to_owned(), value, task: None })
        };
        card.accuracy = [
            figure("MAE in years", figures.mae),
            figure("MAE of who says the mean, years", figures.mean_mae),
            figure("share of ages in the 80 % range", figures.coverage),
            figure("share of right stages among those named", figures.stage_right),
            figure("share of right genders", figures.gender_accuracy),
        ]
        .into_iter()
        .flatten()
        .collect();
    }
    let file = if file.extension().is_some_and(|extension| extension == "toml") {
        file.to_owned()
    } else {
        file.with_extension("toml")
    };
    put(&file, card.to_toml()?.as_bytes()).context("the card stays as it was")?;
    Ok(())
}
