//! Model files: their cards, how they are read and checked, what is installed, and how they are run (tract).

mod card;
mod error;
mod guard;
mod hash;
pub mod import;
mod library;
mod runtime;

pub use card::{
    Accuracy, Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling,
    Task,
};
pub use error::{ModelError, ModelErrorKind};
pub use hash::sha256_hex;
pub use library::{Library, ModelSet, TaskModel};
pub use runtime::Net;

#[cfg(test)]
pub(crate) mod graphs;
