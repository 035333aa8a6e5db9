//! The numbers of identities.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives each identity its number, from 1. Clones give out of the same row, so that those who share it never give one twice.
#[derive(Clone, Debug, Default)]
pub struct IdentityNumbers {
    given: Arc<AtomicU64>,
}

impl IdentityNumbers {
    /// A row of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next number.
    pub fn next(&self) -> u64 {
        self.given.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many were given so far.
    pub fn given(&self) -> u64 {
        self.given.load(Ordering::Relaxed)
    }

    /// The next number is above `given`.
    pub fn continue_from(&self, given: u64) {
        self.given.fetch_max(given, Ordering::Relaxed);
    }

    /// The next number is 1 again.
    pub fn restart(&self) {
        self.given.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_share_a_row_never_give_a_number_twice() {
        let (faces, walkers) = (IdentityNumbers::new(), IdentityNumbers::new());
        assert_eq!((faces.next(), walkers.next()), (1, 1));
        let walkers = faces.clone();
        assert_eq!((walkers.next(), faces.next(), faces.given()), (2, 3, 3));
        walkers.continue_from(9);
        walkers.continue_from(4);
        assert_eq!(faces.next(), 10);
        faces.restart();
        assert_eq!(walkers.next(), 1);
    }
}
