//! How the outputs do.

use std::sync::Mutex;

use super::lock;

/// How the outputs do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputStatus {
    /// Heads that went to opentrack.
    pub heads: u64,
    /// Analyses that went out as JSONL.
    pub lines: u64,
    /// Lines that gave way to newer ones because their reader was too slow.
    pub dropped: u64,
    /// Whose head went to opentrack last; `None` while there is nobody to follow.
    pub followed: Option<u64>,
    /// Why the last head could not be sent, in words; gone with the next success.
    pub head_error: Option<String>,
    /// Why the last line could not be sent.
    pub line_error: Option<String>,
    /// Images that the virtual camera showed; one that is shown again counts once.
    pub images: u64,
    /// The virtual camera and its format, in words; `None` while it is not open.
    pub camera: Option<String>,
    /// Why the virtual camera shows nothing; it is tried again by itself.
    pub camera_error: Option<String>,
}

impl OutputStatus {
    /// What cannot be sent at the moment, in words.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        [&self.head_error, &self.line_error, &self.camera_error].into_iter().flatten().map(String::as_str)
    }
}

/// The status that the threads change.
#[derive(Default)]
pub(super) struct SharedStatus(Mutex<OutputStatus>);

impl SharedStatus {
    pub(super) fn change(&self, change: impl FnOnce(&mut OutputStatus)) {
        change(&mut lock(&self.0));
    }

    pub(super) fn get(&self) -> OutputStatus {
        lock(&self.0).clone()
    }
}
