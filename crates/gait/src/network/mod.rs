//! The network that tells the age: its card, what its answers mean, and how weights of others come in.

mod card;
mod ordinal;
mod run;
mod weights;

pub use card::{GaitCard, GaitGender, GaitTask, OrdinalAge, OrdinalKind, Shows};
pub use ordinal::{AgeDistribution, CHILD_BELOW, OLDER_FROM};
pub use run::{GaitAgeModel, GaitAnswer};
pub use weights::read_weights;
