//! Model files that nobody vouches for are read, prepared and tried in a child process of the program, under limits of
//! memory and time. The guard bounds what it can see in a graph, but no check of one operator after the other can promise
//! that tract bears whatever a file asks for.
//!
//! ```text
//! program                                           child (`facelens try-model`)
//! ships, or passed before? --yes--> read here
//!        no -------------- file, limits ----------> set the limits -> read, convert -> prepare -> run on drawn faces
//!        read here <----- card and graphs, or the reason for refusing them -------- answer
//!        remember the SHA-256
//! ```
//!
//! The child has the user's rights; only memory, processor time, elapsed time and the size of its answer are limited.

mod answer;
mod child;
mod limits;
mod passes;
mod trial;

use std::path::{Path, PathBuf};

use child::Program;
use facelens_core::model::{ModelError, Task, vouches_for};

use crate::opened::Opened;
pub use limits::Limits;
use passes::Passes;
pub use trial::try_model;

/// The command of the program that runs [`try_model`].
pub const TRY_COMMAND: &str = "try-model";

/// Where model files are read and tried before they are used.
#[derive(Clone, Debug)]
pub struct Sandbox {
    child: Option<Child>,
}

#[derive(Clone, Debug)]
struct Child {
    program: Program,
    limits: Limits,
    passes: Option<Passes>,
}

impl Sandbox {
    /// A child process of the running program, which must understand [`TRY_COMMAND`]. What passed is remembered in the
    /// user's cache folder (`~/.cache/facelens` on Linux).
    pub fn of_this_program() -> Self {
        let folders = directories::ProjectDirs::from("", "", "facelens");
        let passes = folders.map(|folders| Passes::in_folder(folders.cache_dir()));
        Self { child: Some(Child { program: Program::This, limits: Limits::default(), passes }) }
    }

    /// A child process of another program that understands [`TRY_COMMAND`]; what passed is remembered in `cache`, where
    /// one is given.
    pub fn of_program(program: impl Into<PathBuf>, limits: Limits, cache: Option<&Path>) -> Self {
        let program = Program::At(program.into());
        Self { child: Some(Child { program, limits, passes: cache.map(Passes::in_folder) }) }
    }

    /// No child process: files are read in this one, and only the guard limits what they ask for. For files that one made
    /// oneself or trusts; a hostile file may take all memory or never end.
    pub const fn in_process() -> Self {
        Self { child: None }
    }

    /// Reads a model file or card, and tries it where that was not done before.
    ///
    /// # Errors
    /// [`ModelError`] with the reason why the file is refused.
    pub(super) fn open(&self, file: &Path, task: Option<Task>) -> Result<Opened, ModelError> {
        let Some(child) = &self.child else { return Opened::file(file, task) };
        let carded = Opened::carded(file)?;
        if let Some(opened) = &carded {
            opened.card.fits(file, task)?;
        }
        match carded {
            Some(opened) if vouches_for(&opened.card) || child.passed(&opened) => Ok(opened),
            _ => child.open(file, task),
        }
    }
}

impl Child {
    fn open(&self, file: &Path, task: Option<Task>) -> Result<Opened, ModelError> {
        let opened = child::open(&self.program, &self.limits, file, task)?;
        // A converted file is converted anew each time; its graph alone is no reason to trust the file.
        if let (Some(passes), None) = (&self.passes, opened.self_check) {
            passes.add(&self.key(&opened));
        }
        Ok(opened)
    }

    fn passed(&self, opened: &Opened) -> bool {
        self.passes.as_ref().is_some_and(|passes| passes.contains(&self.key(opened)))
    }

    /// What a pass is about: the program, the limits, the card and, by their SHA-256 in the card, the graphs.
    fn key(&self, opened: &Opened) -> String {
        let version = env!("CARGO_PKG_VERSION");
        // A card that cannot be written cannot have been read either; its words still make a key of their own.
        let card = opened.card.to_toml().unwrap_or_else(|error| error.to_string());
        facelens_core::model::sha256_hex(format!("facelens {version}, {:?}\n{card}", self.limits).as_bytes())
    }
}

#[cfg(test)]
mod tests;
