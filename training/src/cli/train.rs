//! `facelens-training train`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use facelens_base::{bounded_file, interrupt};
use facelens_core::model::Task;
use serde::Serialize;
use toml::{Table, Value};

use crate::device::DeviceKind;
use crate::nets::{Pretrained, StreamChannels, is_card};
use crate::train::{self, RunConfig, RunError, SetEntry, Surroundings};

/// Trains a network on sets of faces.
///
/// A run is a folder: run.toml (all its settings), history.csv (one row for each epoch) and state/ (the last finished
/// epoch). A stopped run is resumed with `train --run FOLDER --resume`, with the same result.
#[derive(Debug, Args)]
pub(super) struct TrainArgs {
    /// Folder of the run; it must be new, or hold the run to resume.
    #[arg(long, value_name = "FOLDER")]
    run: PathBuf,
    /// Resume the run after its last finished epoch.
    #[arg(long)]
    resume: bool,
    /// Settings in the form of a run.toml; other options take precedence.
    #[arg(long, value_name = "FILE.toml")]
    config: Option<PathBuf>,
    /// Sets of faces to train on.
    #[arg(long = "set", value_name = "FILE.faces", num_args = 1..)]
    sets: Vec<PathBuf>,
    /// Sets of faces to validate on after each epoch.
    #[arg(long, value_name = "FILE.faces", num_args = 1..)]
    validate: Vec<PathBuf>,
    /// What the network estimates: age, gender and pose in any number (SSR-Net), or pose alone (FSA-Net).
    #[arg(long = "task", value_name = "TASK", value_delimiter = ',')]
    tasks: Vec<Task>,
    /// Architecture [default: fsa-net for pose, else ssr-net].
    #[arg(long, value_enum)]
    network: Option<NetworkKind>,
    /// Channels: three of SSR-Net (relu stream, tanh stream, fusion; published: 32,16,10), nine of SSR-Net (four
    /// convolutions of the relu stream, four of the tanh stream, fusion) or four of FSA-Net (published: 16,32,64,128).
    #[arg(long, value_name = "N,N,N")]
    widths: Option<Widths>,
    /// FSA-Net's scoring [default: convolution].
    #[arg(long, value_enum)]
    scoring: Option<ScoringArg>,
    /// Start from the trained weights of a run, from a model that facelens-training exported (its card, .toml: the
    /// shipped ones, too), or from a published weight file (.h5). A run and a model also give the tasks, the network
    /// and the margin, unless an option does; if the network has other widths, or further tasks after those of the run,
    /// the tensors with the same shape in both are reused.
    #[arg(long, value_name = "RUN|CARD|FILE")]
    from: Option<PathBuf>,
    /// Number of epochs: how often each face is seen [default: 16].
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Batch size: faces per step [default: 64].
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Largest learning rate [default: 0.002].
    #[arg(long, value_name = "RATE")]
    learning_rate: Option<f64>,
    /// Margin of the crop on each side, in sides of the detector's box [default: 0.25].
    #[arg(long, value_name = "SHARE")]
    margin: Option<f32>,
    /// Seed of the first weights, the order and the augmentation [default: 1].
    #[arg(long, value_name = "N")]
    seed: Option<u32>,
    /// How much more rare age groups count, 0 to 1 [default: 0].
    #[arg(long, value_name = "SHARE")]
    balance: Option<f32>,
    /// Threads that share the faces of each step; their number changes the result a little [default: 1].
    #[arg(long, value_name = "N")]
    parallel: Option<usize>,
    /// Device to compute on.
    #[arg(long, value_enum, default_value_t = DeviceKind::Cpu)]
    device: DeviceKind,
    /// Threads that prepare images.
    #[arg(long, value_name = "N", default_value_t = 1)]
    makers: usize,
    /// Stop after this epoch, to be resumed later with --resume.
    #[arg(long, value_name = "EPOCH")]
    until: Option<usize>,
}

/// The networks of `--network`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum NetworkKind {
    /// SSR-Net: age, gender, head pose, or several with one trunk.
    SsrNet,
    /// FSA-Net: pose.
    FsaNet,
    /// SSR-Net-MD: pose, without FSA-Net's scoring, mapping and capsules.
    SsrNetMd,
}

/// The scorings of `--scoring`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
enum ScoringArg {
    /// A learnt 1x1 convolution.
    Convolution,
    /// The variance of the features at each position.
    Variance,
    /// None.
    None,
}

/// Channels of the parts of a network.
#[derive(Clone, Debug)]
struct Widths(Vec<usize>);

impl FromStr for Widths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let widths: Result<Vec<usize>, _> = text.split(',').map(|width| width.trim().parse()).collect();
        widths
            .ok()
            .filter(|widths| matches!(widths.len(), 3 | 4 | 9) && widths.iter().all(|width| (1..=1024).contains(width)))
            .map(Self)
            .ok_or_else(|| "give three, four or nine numbers from 1 to 1024, as in 32,16,10".to_owned())
    }
}

/// Runs the command.
pub(super) fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let device = args.device.open()?;
    let settings = args.settings()?;
    let stop = interrupt::flag();
    let surroundings = Surroundings { device, makers: args.makers, until: args.until, stop };
    let outcome = if args.resume {
        let begun = RunConfig::read(&args.run)?;
        if let Err(error) = check_same(&args.run, &settings, &begun) {
            return Ok(wrong_usage(&error));
        }
        train::resume(&args.run, &surroundings)?
    } else {
        match config(settings) {
            Ok(config) => train::start(&args.run, config, &surroundings)?,
            Err(error) => return Ok(wrong_usage(&error)),
        }
    };
    Ok(super::tell_outcome(outcome, &args.run, "train"))
}

/// Says what is wrong with the options.
fn wrong_usage(error: &anyhow::Error) -> ExitCode {
    tracing::error!("{error:#}");
    ExitCode::from(2)
}

impl TrainArgs {
    /// What the options and `--config` say, as a table in the form of run.toml.
    fn settings(&self) -> anyhow::Result<Table> {
        let mut table = match &self.config {
            None => Table::new(),
            Some(file) => bounded_file::read_text(file, RunConfig::MAX_BYTES)?
                .parse()
                .with_context(|| format!("{} is not valid TOML", file.display()))?,
        };
        set(&mut table, &["tasks"], (!self.tasks.is_empty()).then_some(&self.tasks))?;
        set(&mut table, &["margin"], self.margin.map(short))?;
        set(&mut table, &["seed"], self.seed)?;
        set(&mut table, &["epochs"], self.epochs)?;
        set(&mut table, &["batch"], self.batch)?;
        set(&mut table, &["parallel"], self.parallel)?;
        set(&mut table, &["from"], self.from.as_ref())?;
        set(&mut table, &["loss", "balance"], self.balance.map(short))?;
        set(&mut table, &["schedule", "learning_rate"], self.learning_rate)?;
        set(&mut table, &["network", "kind"], self.network)?;
        set(&mut table, &["network", "scoring"], self.scoring)?;
        match self.widths.as_ref().map(|Widths(widths)| widths.as_slice()) {
            Some(&[relu, tanh, fusion]) => ssr_net_channels(&mut table, relu.into(), tanh.into(), fusion)?,
            Some(&[r1, r2, r3, r4, t1, t2, t3, t4, fusion]) => {
                let (relu, tanh) = (StreamChannels([r1, r2, r3, r4]), StreamChannels([t1, t2, t3, t4]));
                ssr_net_channels(&mut table, relu, tanh, fusion)?;
            }
            channels => set(&mut table, &["network", "channels"], channels)?,
        }
        let entries = |files: &[PathBuf]| -> Option<Vec<SetEntry>> {
            (!files.is_empty()).then(|| files.iter().map(|file| SetEntry::new(file)).collect())
        };
        set(&mut table, &["sets", "train"], entries(&self.sets))?;
        set(&mut table, &["sets", "validate"], entries(&self.validate))?;
        Ok(table)
    }
}

/// Puts the channels of an SSR-Net into the table.
fn ssr_net_channels(
    table: &mut Table,
    relu: StreamChannels,
    tanh: StreamChannels,
    fusion: usize,
) -> anyhow::Result<()> {
    set(table, &["network", "relu_channels"], Some(relu))?;
    set(table, &["network", "tanh_channels"], Some(tanh))?;
    set(table, &["network", "fusion_channels"], Some(fusion))
}

/// 0.1 as an f32 would be written as 0.10000000149 otherwise.
fn short(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

/// Puts `value`, if there is one, into the table.
fn set(table: &mut Table, path: &[&str], value: Option<impl Serialize>) -> anyhow::Result<()> {
    let Some(value) = value else { return Ok(()) };
    let [tables @ .., key] = path else { return Ok(()) };
    let mut place = table;
    for name in tables {
        let inner = place.entry(*name).or_insert_with(|| Value::Table(Table::new()));
        place = inner.as_table_mut().with_context(|| format!("`{name}` in the settings is not a table"))?;
    }
    place.insert((*key).to_owned(), Value::try_from(value)?);
    Ok(())
}

/// The settings of a new run.
fn config(mut settings: Table) -> anyhow::Result<RunConfig> {
    if let Some(from) = settings.get("from").and_then(Value::as_str).map(Path::new)
        && let Some(begun) = begun(from)?
    {
        let from = Table::try_from(begun).context("the settings of the run cannot be adopted")?;
        for name in ["tasks", "network", "margin"] {
            match (settings.get_mut(name), from.get(name)) {
                (None, Some(value)) => {
                    settings.insert(name.to_owned(), value.clone());
                }
                // What is said of the network goes before that run's; the rest of it is taken over.
                (Some(Value::Table(said)), Some(Value::Table(taken))) if is_same_kind(said, taken) => {
                    for (key, value) in taken {
                        said.entry(key).or_insert_with(|| value.clone());
                    }
                }
                _ => {}
            }
        }
    }
    let network = settings.entry("network").or_insert_with(|| Value::Table(Table::new())).clone();
    let kind = network.get("kind").and_then(Value::as_str);
    let pose = Value::from(vec![Task::Pose.name()]);
    let Some(tasks) =
        settings.get("tasks").cloned().or_else(|| matches!(kind, Some("fsa-net" | "ssr-net-md")).then(|| pose.clone()))
    else {
        bail!("choose what the network estimates: --task age, --task gender, --task age,gender or --task pose");
    };
    let kind = kind.unwrap_or(if tasks == pose { "fsa-net" } else { "ssr-net" }).to_owned();
    if kind == "ssr-net" && network.get("tasks").is_none() {
        set(&mut settings, &["network", "tasks"], Some(&tasks))?;
    }
    set(&mut settings, &["network", "kind"], Some(kind))?;
    settings.insert("tasks".to_owned(), tasks);
    let config: RunConfig = settings.try_into().context("the settings cannot be used")?;
    config.check().map_err(anyhow::Error::msg).context("the settings cannot be used")?;
    Ok(config)
}

/// The settings of what a run begins from: of another run or of a model; `None` where it is a published file.
fn begun(from: &Path) -> anyhow::Result<Option<RunConfig>> {
    if from.is_dir() {
        return Ok(Some(RunConfig::read(from)?));
    }
    if !is_card(from) {
        return Ok(None);
    }
    let model = Pretrained::read(from, &DeviceKind::Cpu.open()?)?.model;
    Ok(model.map(|(network, margin)| RunConfig { margin, ..RunConfig::new(network.tasks().to_vec(), network) }))
}

/// Whether settings of a network leave its kind open or name that of another.
fn is_same_kind(said: &Table, other: &Table) -> bool {
    said.get("kind").is_none_or(|kind| other.get("kind") == Some(kind))
}

/// Refuses settings that are not those that the run was begun with.
fn check_same(run: &Path, settings: &Table, begun: &RunConfig) -> anyhow::Result<()> {
    let begun = Table::try_from(begun).context("the settings of the run cannot be compared")?;
    let mut differences = Vec::new();
    compare("", settings, &begun, &mut differences);
    if differences.is_empty() {
        return Ok(());
    }
    Err(RunError::Differs { folder: run.display().to_string(), what: differences.join(", ") }.into())
}

/// Names what `given` says otherwise than `begun`.
fn compare(path: &str, given: &Table, begun: &Table, differences: &mut Vec<String>) {
    for (key, value) in given {
        let name = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match (value, begun.get(key)) {
            (Value::Table(given), Some(Value::Table(begun))) => compare(&name, given, begun, differences),
            // What a set was when the run began is not given again.
            (Value::Array(given), Some(Value::Array(begun))) if path == "sets" => {
                let files = |sets: &[Value]| sets.iter().map(|set| set.get("file").cloned()).collect::<Vec<_>>();
                if files(given) != files(begun) {
                    differences.push(name);
                }
            }
            (given, Some(begun)) if given == begun => {}
            _ => differences.push(name),
        }
    }
}
