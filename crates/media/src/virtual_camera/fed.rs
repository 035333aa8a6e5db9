//! The devices that this program gives pictures to: shown as a camera, its own picture would be in its own picture.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

static FED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A list of paths is whole at any moment.
fn lock() -> MutexGuard<'static, Vec<PathBuf>> {
    FED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A device that gets pictures as long as this lives.
pub(super) struct Fed(PathBuf);

impl Fed {
    pub(super) fn new(device: PathBuf) -> Self {
        lock().push(device.clone());
        Self(device)
    }
}

impl Drop for Fed {
    fn drop(&mut self) {
        let mut fed = lock();
        if let Some(place) = fed.iter().position(|device| *device == self.0) {
            fed.swap_remove(place);
        }
    }
}

/// Whether this program gives pictures to this device.
pub(crate) fn is_fed(device: &Path) -> bool {
    lock().iter().any(|fed| fed == device)
}
