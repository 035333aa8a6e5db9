//! What unit tests share.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

pub mod film;

use std::path::{Path, PathBuf};

use crate::frame::Frame;

/// The folder with reference weights and golden vectors that lies beside the project on some machines, or `None`
/// with a word that the test is skipped.
pub fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("FACELENS_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if folder.is_dir() {
        Some(folder)
    } else {
        eprintln!("skipped: {} is not there", folder.display());
        None
    }
}

/// The astronaut picture (512x512; NASA, public domain).
pub fn astronaut() -> Frame {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/astronaut.png");
    let picture = image::open(file).unwrap().to_rgb8();
    Frame::from_rgb(picture.width(), picture.height(), picture.into_raw()).unwrap()
}
