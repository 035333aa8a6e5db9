//! The live source: which it is, how it is played, and how it does.

use std::sync::Arc;

use facelens_media::{SourceInfo, SourceSpec};

use crate::app::metrics::MetricsPanel;
use crate::pipeline::Status;

/// The source that the pipeline reads.
pub(crate) struct LiveSource {
    pub spec: SourceSpec,
    /// Nobody chose it: without a camera, the demo takes its place.
    pub(super) is_a_guess: bool,
    /// Files and the demo are shown mirrored; not remembered.
    pub(super) mirrored: bool,
    pub paused: bool,
    /// The pointer holds the seek bar.
    pub(super) seeking: bool,
    /// The path that is typed for another one.
    pub path_field: String,
    /// How it does.
    pub status: Arc<Status>,
    /// The same in words.
    pub figures: MetricsPanel,
    last_error: Option<String>,
}

impl LiveSource {
    /// The one that the pipeline was started with.
    pub(super) fn new(spec: SourceSpec, is_a_guess: bool, status: Arc<Status>) -> Self {
        Self {
            spec,
            is_a_guess,
            mirrored: false,
            paused: false,
            seeking: false,
            path_field: String::new(),
            status,
            figures: MetricsPanel::default(),
            last_error: None,
        }
    }

    /// What it is, where it is open.
    pub(super) fn info(&self) -> Option<&SourceInfo> {
        self.status.shown.info()
    }

    /// An error of the analysis that has not been told yet.
    pub(super) fn new_error(&mut self) -> Option<String> {
        if self.status.analysis_error == self.last_error {
            return None;
        }
        self.last_error.clone_from(&self.status.analysis_error);
        self.last_error.clone()
    }
}
