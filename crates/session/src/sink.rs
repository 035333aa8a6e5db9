//! Who sees every analysed frame.

use std::sync::Arc;

use facelens_core::Analysis;
use facelens_media::SourceInfo;

/// Sees every frame that the live pipeline analyses, not only the newest.
pub trait AnalysisSink: Send + Sync {
    /// A frame was analysed. Called on the analysis thread: must not wait.
    fn analysed(&self, analysis: &Arc<Analysis>);

    /// The source was changed or reopened: a sink of one source is removed, and sees nothing any more.
    fn source_changed(&self);

    /// The source is over or failed, and its last frame was analysed. Only the sink of one source is told; it may see more
    /// frames where a camera that failed comes back.
    fn source_ended(&self) {}

    /// Pictures of this source come from now on. Only a lasting sink is told.
    fn source_opened(&self, _info: &SourceInfo) {}
}
