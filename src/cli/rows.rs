//! The rows' way out of `analyze` and `gait`.

use std::io::{self, IsTerminal as _};
use std::path::Path;

use facelens_session::RowFormat;

use super::output::OutputTarget;

/// A format of the output.
pub(super) trait OutputFormat: Copy {
    /// What standard output gets where no format is chosen.
    const ON_STDOUT: Self;
    /// The names of all formats, for an error.
    const NAMES: &'static str;

    /// The format that a file's extension stands for.
    fn of_extension(file: &Path) -> Option<Self>;
}

impl OutputFormat for RowFormat {
    const ON_STDOUT: Self = Self::Jsonl;
    const NAMES: &'static str = "csv or jsonl";

    fn of_extension(file: &Path) -> Option<Self> {
        Self::of_extension(file)
    }
}

/// Makes the writer of rows for a target.
type MakeWriter<Writer> = Box<dyn FnOnce(&OutputTarget) -> anyhow::Result<Writer>>;

/// The rows' way out. A file is made when the first row comes, so that a mistake in the inputs destroys nothing.
pub(super) struct Rows<Writer> {
    target: OutputTarget,
    /// Until the first row comes.
    make: Option<MakeWriter<Writer>>,
    writer: Option<Writer>,
    flush: fn(&mut Writer) -> io::Result<()>,
}

impl<Writer> Rows<Writer> {
    /// Rows that nothing was written of yet. `flush` is the writer's own.
    pub(super) fn new(
        target: OutputTarget,
        make: MakeWriter<Writer>,
        flush: fn(&mut Writer) -> io::Result<()>,
    ) -> Self {
        Self { target, make: Some(make), writer: None, flush }
    }

    /// Writes by the writer, which is made for it where there is none yet.
    pub(super) fn write(&mut self, write: impl FnOnce(&mut Writer) -> io::Result<()>) -> anyhow::Result<()> {
        if let Some(make) = self.make.take() {
            self.writer = Some(make(&self.target)?);
        }
        match &mut self.writer {
            Some(writer) => write(writer).map_err(|error| self.target.failed(&error)),
            // It could not be made, which was returned then.
            None => Ok(()),
        }
    }

    /// Makes the file also where there was nothing to write, unless the inputs failed.
    pub(super) fn finish(mut self, all_well: bool) -> anyhow::Result<()> {
        let flush = self.flush;
        if self.writer.is_some() || all_well { self.write(flush) } else { Ok(()) }
    }

    pub(super) fn on_terminal(&self) -> bool {
        is_terminal(&self.target)
    }
}

/// Whether the rows go to a terminal, where a progress bar would be in their way.
pub(super) fn is_terminal(target: &OutputTarget) -> bool {
    *target == OutputTarget::Stdout && io::stdout().is_terminal()
}
