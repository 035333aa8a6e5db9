//! What a background task reports that broke off.

use std::path::Path;

use facelens_core::model::{ModelError, ModelErrorKind};
use facelens_media::{SourceError, SourceErrorKind};
use facelens_session::{SessionError, WriteError, WriteErrorKind};

use super::{BackgroundTask, Picked, TaskReport};
use crate::settings::SettingsError;

impl BackgroundTask {
    /// The report of a task that broke off: whoever waits for it gets an error of the kind that it knows.
    pub(in crate::app) fn failed(self, cause: String) -> TaskReport {
        let not_written =
            |path: &Path, cause: String, remedy: &str| WriteError::new(WriteErrorKind::Io, path, cause, remedy);
        match self {
            Self::ListCameras => TaskReport::Cameras(Err(SourceError::new(
                SourceErrorKind::Other,
                "the list of cameras",
                cause,
                "unplug the camera that was plugged in last, then press Refresh",
            ))),
            Self::ListVirtualCameras => TaskReport::VirtualCameras(Err(SourceError::new(
                SourceErrorKind::Other,
                "the list of virtual cameras",
                cause,
                "load the module v4l2loopback again, then press Refresh",
            ))),
            Self::PickSource { .. } => TaskReport::SourcePicked(no_dialog(&cause)),
            Self::PickSession(_) => TaskReport::SessionPicked(no_dialog(&cause)),
            Self::PickModel(task) => TaskReport::ModelPicked(task, no_dialog(&cause)),
            Self::PickSessionsFolder => TaskReport::SessionsFolderPicked(no_dialog(&cause)),
            Self::PickSnapshotsFolder => TaskReport::SnapshotsFolderPicked(no_dialog(&cause)),
            Self::PickGaitModel => TaskReport::GaitModelPicked(no_dialog(&cause)),
            Self::OpenSession(path) => TaskReport::Session(Err(SessionError::Io { path, cause })),
            Self::LoadShipped => {
                let remedy = "load models of your own, or install facelens again";
                TaskReport::Shipped(Err(ModelError::new(ModelErrorKind::Corrupt, "the shipped models", cause, remedy)))
            }
            Self::ListModels => TaskReport::Models(Err(cause)),
            Self::LoadModel { task, files, origin } => {
                let file = files.first().cloned().unwrap_or_default();
                let error = ModelError::new(ModelErrorKind::Corrupt, file, cause, "choose another file");
                TaskReport::Model { task, files, origin, result: Err(error) }
            }
            Self::Snapshot { folder, .. } => TaskReport::Snapshot(Err(not_written(&folder, cause, "try again"))),
            Self::FindUnfinished(_) => TaskReport::Unfinished(Err(cause)),
            Self::Recover(session) => {
                TaskReport::Recovered(Err(not_written(&session, cause, "it is left as it was; try `facelens recover`")))
            }
            Self::FindAddress { output, purpose, text, .. } => {
                TaskReport::AddressFound { output, purpose, text, found: Err(cause) }
            }
            Self::SaveSettings(save) => {
                TaskReport::SettingsSaved(Err(SettingsError { file: save.path().to_owned(), cause }))
            }
            Self::DraftCard { file, .. } => TaskReport::CardDrafted(Err(broken_model(&file, cause))),
            Self::TryCard(draft) => TaskReport::CardTried(Err(broken_model(&draft.file, cause))),
            Self::KeepCard(draft) => TaskReport::CardKept(Err(broken_model(&draft.file, cause))),
            Self::SetCameraControls { device, .. } => {
                let subject = device.display().to_string();
                let error = SourceError::new(SourceErrorKind::Other, subject, cause, "choose the camera again");
                TaskReport::CameraControls(device, Err(error))
            }
            Self::FindMissing(_) => TaskReport::Missing(None),
            Self::ListSessions { folder, .. } => TaskReport::Sessions(Err(SessionError::Io { path: folder, cause })),
            Self::RenameSession { session, .. } => {
                let error = not_written(&session, cause, "try again");
                TaskReport::SessionRenamed(session, Err(error))
            }
            Self::TrashSession(session) => {
                let error = not_written(&session, cause, "try again");
                TaskReport::SessionTrashed(session, Err(error))
            }
            Self::ShowFolder(_) => TaskReport::FolderShown(Err(cause)),
            Self::ReadForExport(path) => TaskReport::ReadyForExport(Err(SessionError::Io { path, cause })),
            Self::PickExportFile(_) => TaskReport::ExportFilePicked(no_dialog(&cause)),
            Self::Export { request, .. } => {
                let error = not_written(&request.file, cause, "try again");
                TaskReport::Exported(request.file, Err(error.into()))
            }
        }
    }
}

/// A model that broke the task that read it.
fn broken_model(file: &Path, cause: String) -> ModelError {
    ModelError::new(ModelErrorKind::Corrupt, file, cause, "choose another file")
}

/// A file dialog that broke off is as good as none: the words that come with that name the other ways.
fn no_dialog(cause: &str) -> Picked {
    tracing::error!("the file dialog failed: {cause}");
    Picked::NoDialog
}
