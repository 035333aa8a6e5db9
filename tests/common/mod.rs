//! What the whole-program tests share.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

pub mod clip;
pub mod mp4;
pub mod session;

use std::path::{Path, PathBuf};

/// The folder with reference weights and golden vectors that lies beside the project on some machines, or `None`
/// with a word that the test is skipped.
#[expect(clippy::print_stderr, reason = "tests say what they skip")]
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FACELENS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    if folder.is_dir() {
        Some(folder)
    } else {
        eprintln!("skipped: {} is not there", folder.display());
        None
    }
}

/// A file in `assets/`.
pub fn asset(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets").join(name)
}
