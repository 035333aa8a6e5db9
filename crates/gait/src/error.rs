//! Why gaits cannot be analysed.

use super::age::AgeError;

/// A network could not be prepared, or failed on a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GaitError {
    /// One of the networks that find people and cut them out.
    #[error("the {network} failed: {cause}")]
    Network {
        /// Which network.
        network: &'static str,
        /// What went wrong.
        cause: String,
    },
    /// The network that tells the age.
    #[error(transparent)]
    Age(#[from] AgeError),
}

impl GaitError {
    pub(super) fn network(network: &'static str, cause: String) -> Self {
        Self::Network { network, cause }
    }
}
