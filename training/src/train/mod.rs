//! Training: settings, loss, loop, and what is kept of a run.
//!
//! A run is a folder:
//!
//! ```text
//! run.toml      the settings, all of them
//! history.csv   one row for each epoch
//! state/        the last finished epoch
//! ```

mod age_loss;
mod batches;
mod config;
pub(crate) mod course;
pub(crate) mod error;
mod faces;
pub(crate) mod history;
mod loss;
mod pairs;
mod pose_loss;
pub(crate) mod run;
pub(crate) mod schedule;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod step;
#[cfg(test)]
mod tests;
mod validate;
pub(crate) mod weights;

pub use config::{GenderError, LossConfig, PoseError, RunConfig, ScheduleConfig, SetEntry, Sets};
pub use course::CourseSurroundings;
pub use error::RunError;
pub use run::{Outcome, Surroundings, resume, start};
pub use state::load_trained as load;
pub use validate::{AgeFigures, Figures, RotationFigures, estimates, figures};
