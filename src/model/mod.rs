//! Model files: their cards, how they are read and checked, what is installed, and how they are run (tract).

mod calibration;
mod card;
pub(crate) mod card_file;
mod error;
pub(crate) mod file;
pub(crate) mod guard;
mod hash;
pub mod import;
mod install;
mod library;
mod opened;
mod operators;
mod output;
mod runtime;
mod sandbox;
mod set;
mod shipped;
mod summary;
mod task;

pub use calibration::{Calibration, ChanceAt, RangeAt};
pub use card::{
    Accuracy, Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling,
};
pub use error::{ModelError, ModelErrorKind};
pub use hash::sha256_hex;
pub use install::{Installed, install};
pub(crate) use library::is_card;
pub use library::{Entry, Library, Origin};
pub use opened::{Graphs, Opened};
pub use output::{Answers, LOG_SCALES};
pub use runtime::Net;
pub use sandbox::{Limits, Sandbox, TRY_COMMAND, try_model};
pub use set::{ModelSet, TaskModel};
pub use summary::GraphSummary;
pub use task::Task;
pub(crate) use task::{one_or_several, task_words};

#[cfg(test)]
pub(crate) mod graphs;
