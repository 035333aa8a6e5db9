//! How much room a disk has left.

use std::path::Path;

/// Bytes that this user may still write to the disk of `folder`; `None` where the system does not say.
pub(super) fn free_bytes(folder: &Path) -> Option<u64> {
    fs4::available_space(folder).ok()
}
