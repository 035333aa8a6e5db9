//! Networks: their cards, how their files are read and checked, what ships, and how they are run (tract).

mod axes;
mod calibration;
mod card;
pub mod card_file;
mod card_uses;
mod crop_spec;
mod error;
mod file;
pub mod guard;
mod hash;
mod layers;
mod one_or_three;
#[cfg(test)]
mod operator_tests;
mod output;
mod runtime;
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
pub use card_uses::{Graphs, is_card};
pub use crop_spec::{Alignment, BoxStyle, CropSpec, Edge, ResizeFilter};
pub use error::{ModelError, ModelErrorKind};
pub use facelens_operators::{Vectors, vectors};
pub use file::read_capped;
pub use hash::sha256_hex;
pub use layers::LayerTime;
pub use output::{Answers, LOG_SCALES};
pub use runtime::Net;
pub use selection::Selection;
pub use set::{ModelSet, TaskModel};
pub use shipped::{SHIPPED, Shipped, default_for, vouches_for};
pub use summary::{GraphSummary, GraphValue};
pub use task::Task;
pub use task::{one_or_several, task_words};

#[cfg(any(test, feature = "testing"))]
#[doc(hidden)]
pub mod graphs;
