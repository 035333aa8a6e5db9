//! Model files: their cards, how they are read and checked, what is installed, and how they are run (tract).

mod axes;
mod calibration;
mod card;
pub(crate) mod card_file;
mod crop_spec;
mod error;
pub(crate) mod file;
pub(crate) mod guard;
mod hash;
pub mod import;
mod install;
mod library;
mod one_or_three;
mod opened;
mod operators;
mod output;
mod runtime;
mod sandbox;
mod selection;
mod set;
mod shipped;
mod summary;
mod task;

pub use axes::{Axes, Direction, Maps};
pub use calibration::{Calibration, ChanceAt, RangeAt};
pub use card::{
    Accuracy, Angle, ChannelOrder, GenderClass, InputSpec, Layout, ModelCard, OutputForm, QuaternionOrder, Scaling,
};
pub use crop_spec::{Alignment, BoxStyle, CropSpec, Edge, ResizeFilter};
pub use error::{ModelError, ModelErrorKind};
pub use hash::sha256_hex;
pub use install::{Installed, install};
pub(crate) use library::is_card;
pub use library::{Entry, Library, Origin};
pub use opened::{Graphs, Opened};
pub use output::{Answers, LOG_SCALES};
pub use runtime::Net;
pub use sandbox::{Limits, Sandbox, TRY_COMMAND, try_model};
pub use selection::Selection;
pub use set::{ModelSet, TaskModel};
pub use summary::GraphSummary;
pub use task::Task;
pub(crate) use task::{one_or_several, task_words};

#[cfg(test)]
pub(crate) mod graphs;
