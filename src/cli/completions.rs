//! What a package installs beside the program: completions for shells, and the manual page.

use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, output};

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell. Its completions go where it looks for them, e.g. `~/.local/share/bash-completion/completions/facelens`.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Writes the completions of a shell.
pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "facelens", &mut script);
    print(script)
}

/// Writes the manual page, in roff.
pub(super) fn man() -> anyhow::Result<ExitCode> {
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).context("the manual page cannot be made")?;
    print(page)
}

fn print(bytes: Vec<u8>) -> anyhow::Result<ExitCode> {
    let text = String::from_utf8(bytes).context("what is to be written is not UTF-8 text")?;
    output::print(&text)?;
    Ok(ExitCode::SUCCESS)
}
