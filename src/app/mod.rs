//! The window. One file per panel or dialog; no vision code here.

use std::path::PathBuf;

use crate::detect::DetectorKind;
use crate::model::Task;
use crate::source::SourceSpec;

/// What the command line asks of the window; what it leaves open comes from the settings.
#[derive(Clone, Debug, Default)]
pub struct AppOptions {
    /// The first source.
    pub source: Option<SourceSpec>,
    /// Model files to use instead of those remembered or shipped.
    pub models: Vec<(Task, PathBuf)>,
    /// The detector.
    pub detector: Option<DetectorKind>,
}

/// Opens the window and returns when it is closed.
///
/// # Errors
/// Where the system gives no window, e.g. without a display.
pub fn run(options: AppOptions) -> anyhow::Result<()> {
    let _ = options;
    todo!("window rooms")
}
