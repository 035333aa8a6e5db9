//! `facelens models`: list, show, check and import model files.

mod list;
mod show;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use facelens_core::model::Task;
use facelens_import::{Library, Opened, Sandbox, install};

use super::output::print;

/// Options of `facelens models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    #[command(subcommand)]
    action: ModelsAction,
}

#[derive(Debug, Subcommand)]
enum ModelsAction {
    /// List the models that ship and those in your library.
    List {
        /// One JSON document instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Describe a model file: where it comes from, its input and output, and its layers.
    Show(FileArgs),
    /// Read a model file as an import would, run it, and report how far it is from the file's own arithmetic.
    Check(FileArgs),
    /// Convert a model file and put it into your library.
    Import {
        #[command(flatten)]
        file: FileArgs,

        /// The folder to write to instead of your library.
        #[arg(short, long, value_name = "DIR")]
        output: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct FileArgs {
    /// A Keras .h5, MXNet .params, TensorFlow.js .json or .onnx file, a model card (.toml), or a model's name.
    file: PathBuf,

    /// What the model estimates (age, gender or pose), if the file does not say.
    #[arg(long)]
    task: Option<Task>,
}

/// Runs `models list | show | check | import`.
pub(super) fn run(args: &ModelsArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let library = Library::open(sandbox);
    match &args.action {
        ModelsAction::List { json } => list::run(&library, *json)?,
        ModelsAction::Show(file) => print(&show::text(&library.open_any(&file.file, file.task)?)?)?,
        ModelsAction::Check(file) => {
            let opened = library.open_any(&file.file, file.task)?;
            let words = checked(&opened);
            opened.prepare()?;
            print(&format!("{}: {words}\n", file.file.display()))?;
        }
        ModelsAction::Import { file, output } => {
            let folder = output
                .as_deref()
                .or(library.folder())
                .context("the system has no data folder for this user; choose one with -o")?;
            let opened = library.open_any(&file.file, file.task)?;
            let words = checked(&opened);
            opened.clone().prepare()?;
            let installed = install(&opened, folder)?;
            let card = installed.card.display().to_string();
            let done = if installed.unchanged { "already exists" } else { "written" };
            print(&format!("{words}\n{card}: {done}; use it with {}\n", opened.card.options(&card)))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What was found out about a model.
fn checked(opened: &Opened) -> String {
    let card = &opened.card;
    let unit = match card.tasks.as_slice() {
        [Task::Age] => "years",
        [Task::Gender] => "of the score",
        [Task::Pose] => "degrees",
        _ => "in the output's units",
    };
    match opened.self_check {
        Some(off) => {
            format!("{} ({}), within {off:.1e} {unit} of the file's own arithmetic", card.name, card.task_words())
        }
        None => format!("{} ({}), loads and is the file that its card describes", card.name, card.task_words()),
    }
}
