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
mod error;
mod faces;
mod history;
mod loss;
mod pairs;
mod pose_loss;
mod run;
mod schedule;
mod state;
mod step;
#[cfg(test)]
mod tests;
mod validate;
mod weights;

pub use config::{GenderError, LossConfig, PoseError, RunConfig, ScheduleConfig, SetEntry, Sets};
pub use error::RunError;
pub use run::{Outcome, Surroundings, resume, start};
pub use state::load_trained as load;
pub use validate::{AgeFigures, Figures, RotationFigures, estimates, figures};
