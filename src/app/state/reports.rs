//! What comes back from background tasks: files that were picked, models that were loaded or refused.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;
use facelens_core::model::{ModelError, ModelErrorKind, ModelSet, Task, TaskModel};
use facelens_core::{Analysis, StageTimings};
use facelens_media::SourceSpec;

use super::App;
use crate::app::background_tasks::{BackgroundTask, PickOrigin, Picked, Still, TaskNumber, TaskReport, common_tasks};
use crate::app::file_dialogs::can_drop;
use crate::app::models::files_text;
use crate::app::notices::Tone;

impl App {
    /// Saves what is shown, with its own overlay. A frame that is not analysed yet is saved without one.
    pub(super) fn snapshot(&mut self) {
        let Some(shot) = &self.viewer.shot else {
            self.notices.say(Tone::Info, "There is no image to save yet.");
            return;
        };
        let Some(folder) = self.snapshots_folder() else {
            self.notices.say(Tone::Bad, "The image cannot be saved: this user has no home folder.");
            return;
        };
        // The analysed frame rather than the newest: its faces are its own.
        let analysis = shot.analysis.as_ref().map_or_else(
            || {
                let frame = Arc::clone(&shot.frame);
                Arc::new(Analysis { frame, faces: Vec::new(), timings: StageTimings::default() })
            },
            Arc::clone,
        );
        let input = match self.replay.open() {
            Some(replay) => replay.session.info.source.name.clone(),
            None => self.info().map_or_else(|| self.source.spec.to_string(), |info| info.name.clone()),
        };
        let options = self.scene_options(1.0);
        self.tasks.start(BackgroundTask::Snapshot { still: Still(analysis), input, options, folder });
    }

    /// Where snapshots are kept.
    pub(in crate::app) fn snapshots_folder(&self) -> Option<PathBuf> {
        self.settings.snapshots_folder.clone().or_else(facelens_session::default_snapshot_folder)
    }

    pub(super) fn load_model(&mut self, task: Option<Task>, files: Vec<PathBuf>, origin: PickOrigin) {
        // A file dialog may have been open when the recording began.
        if origin == PickOrigin::Chosen && self.refuse_while_recording() {
            return;
        }
        let number = self.tasks.start(BackgroundTask::LoadModel { task, files, origin });
        self.models.start_loading(number, task);
    }

    pub(super) fn take_report(&mut self, ctx: &egui::Context, number: TaskNumber, report: TaskReport) {
        match report {
            TaskReport::Cameras(result) => self.take_cameras(result),
            TaskReport::VirtualCameras(result) => self.take_virtual_cameras(result),
            TaskReport::SourcePicked(Picked::Files(files)) => {
                if let Some(file) = files.into_iter().next() {
                    self.choose_source(SourceSpec::Path(file));
                }
            }
            TaskReport::ModelPicked(task, Picked::Files(files)) => {
                self.load_model(Some(task), files, PickOrigin::Chosen);
            }
            TaskReport::SessionPicked(Picked::Files(folders)) => {
                if let Some(folder) = folders.into_iter().next() {
                    self.open_session(folder);
                }
            }
            TaskReport::SessionPicked(Picked::NoDialog) => self.notices.say(
                Tone::Warn,
                format!(
                    "This system has no file dialog: {}start facelens replay FOLDER.",
                    drop_hint("the session's folder")
                ),
            ),
            // Something else was asked for meanwhile.
            TaskReport::Session(_) if number < self.sessions_from => {}
            TaskReport::Session(result) => self.take_session(result),
            TaskReport::SourcePicked(Picked::NoDialog) => self.notices.say(
                Tone::Warn,
                format!("This system has no file dialog: {}type its path in the side panel.", drop_hint("the file")),
            ),
            TaskReport::ModelPicked(task, Picked::NoDialog) => self.notices.say(
                Tone::Warn,
                format!(
                    "This system has no file dialog: {}start facelens with --model {task}=FILE.",
                    drop_hint("the model file")
                ),
            ),
            TaskReport::SessionsFolderPicked(Picked::Files(folders)) => {
                if let Some(folder) = folders.into_iter().next() {
                    self.settings.sessions_folder = Some(folder);
                }
            }
            TaskReport::SessionsFolderPicked(Picked::NoDialog) => self.notices.say(
                Tone::Warn,
                "This system has no file dialog: write `sessions_folder = \"FOLDER\"` into settings.toml and start \
                 facelens again.",
            ),
            TaskReport::SnapshotsFolderPicked(Picked::Files(folders)) => {
                if let Some(folder) = folders.into_iter().next() {
                    self.settings.snapshots_folder = Some(folder);
                }
            }
            TaskReport::SnapshotsFolderPicked(Picked::NoDialog) => self.notices.say(
                Tone::Warn,
                "This system has no file dialog: write `snapshots_folder = \"FOLDER\"` into settings.toml and start \
                 facelens again.",
            ),
            TaskReport::GaitModelPicked(Picked::Files(files)) => self.use_gait_model(files.into_iter().next()),
            TaskReport::GaitModelPicked(Picked::NoDialog) => self.notices.say(
                Tone::Warn,
                "This system has no file dialog: write `gait_model = \"FILE.toml\"` into settings.toml and start \
                 facelens again.",
            ),
            TaskReport::SourcePicked(Picked::Nothing)
            | TaskReport::GaitModelPicked(Picked::Nothing)
            | TaskReport::ModelPicked(_, Picked::Nothing)
            | TaskReport::SessionPicked(Picked::Nothing)
            | TaskReport::SnapshotsFolderPicked(Picked::Nothing)
            | TaskReport::SessionsFolderPicked(Picked::Nothing) => {}
            TaskReport::Unfinished(Ok(sessions)) => self.take_unfinished(sessions),
            TaskReport::Unfinished(Err(cause)) => self.notices.say(
                Tone::Warn,
                format!("Could not search for interrupted recordings: {cause}; try `facelens recover`."),
            ),
            TaskReport::Recovered(result) => {
                self.take_recovered(result);
                self.list_sessions();
            }
            TaskReport::Shipped(Ok(shipped)) => {
                self.models.take_shipped(shipped);
                self.engine.set_models(self.models.in_use.clone());
            }
            TaskReport::Shipped(Err(error)) => {
                self.models.take_shipped(ModelSet::default());
                self.notices.say(Tone::Bad, error.to_string());
            }
            TaskReport::Models(Ok(known)) => self.models.known = known,
            TaskReport::Models(Err(cause)) => self.notices.say(
                Tone::Warn,
                format!("The models of the library cannot be listed: {cause}; a model's file can still be loaded."),
            ),
            TaskReport::Model { task, files, origin, result } => {
                self.models.end_loading(number);
                self.take_model(number, task, &files, origin, result);
            }
            TaskReport::Snapshot(Ok(files)) => {
                self.notices
                    .say(Tone::Good, format!("Saved as {}, with its data beside it.", from_home(&files.picture)));
            }
            TaskReport::Snapshot(Err(error)) => self.notices.say(Tone::Bad, error.to_string()),
            TaskReport::AddressFound { output, purpose, text, found } => {
                self.take_found_address(number, output, purpose, &text, found);
            }
            TaskReport::CardDrafted(result) => self.take_draft(result),
            TaskReport::CardTried(result) => self.take_trial(result),
            TaskReport::CardKept(result) => self.take_kept(result),
            TaskReport::CameraControls(device, result) => self.take_controls(&device, result),
            TaskReport::Missing(Some(missing)) => self.recent.missing = missing,
            TaskReport::Missing(None) => {}
            TaskReport::Sessions(result) => self.take_sessions(result),
            TaskReport::SessionDetails { session, details } => self.take_session_details(ctx, &session, details),
            TaskReport::SessionsRead => self.library.reading = false,
            TaskReport::SessionRenamed(session, result) => self.take_renamed(&session, result),
            TaskReport::SessionTrashed(session, result) => self.take_trashed(&session, result),
            TaskReport::FolderShown(Ok(())) => {}
            TaskReport::FolderShown(Err(words)) => self.notices.say(Tone::Warn, format!("{words}.")),
            TaskReport::ReadyForExport(result) => self.take_ready_for_export(result),
            TaskReport::ExportFilePicked(picked) => self.take_export_file(picked),
            TaskReport::Exporting(progress) => self.take_export_progress(progress),
            TaskReport::Exported(file, result) => self.take_exported(file, result),
            TaskReport::SettingsSaved(Ok(())) => {}
            TaskReport::SettingsSaved(Err(error)) => self.notices.say(Tone::Warn, error.to_string()),
        }
    }

    fn take_model(
        &mut self,
        number: TaskNumber,
        task: Option<Task>,
        files: &[PathBuf],
        origin: PickOrigin,
        result: Result<Vec<Arc<TaskModel>>, ModelError>,
    ) {
        match result {
            Ok(models) => {
                let mut tasks = task.map_or_else(|| common_tasks(&models), |task| vec![task]);
                // A model that was chosen later and came earlier stays.
                tasks.retain(|task| self.models.take(number, *task, &models));
                let Some(&first) = tasks.first() else { return };
                for &task in &tasks {
                    if origin == PickOrigin::Chosen {
                        self.settings.set_models(task, files.to_vec());
                    }
                }
                self.engine.set_models(self.models.in_use.clone());
                if origin == PickOrigin::Chosen {
                    let names = self.models.names(first).unwrap_or_default();
                    let others: String =
                        tasks.iter().skip(1).map(|task| format!(" and {}", title(*task).to_lowercase())).collect();
                    let are = if others.is_empty() { "is" } else { "are" };
                    let words = format!("{}{others} {are} estimated by {names} from now on.", title(first));
                    self.notices.say(Tone::Good, words);
                }
            }
            Err(error) if error.kind == ModelErrorKind::NoCard && origin == PickOrigin::Chosen && files.len() == 1 => {
                self.draft_card(files[0].clone(), task);
            }
            Err(error) => {
                let stays = if origin == PickOrigin::Chosen { "The model in use stays." } else { "It is left out." };
                let gone = error.kind == ModelErrorKind::Missing && origin == PickOrigin::Remembered;
                if let (true, Some(task)) = (gone, task) {
                    // The file is not there any more: do not ask for it at each start. What cannot be read now (a disk that
                    // is not plugged in, a network that is down) stays remembered.
                    self.settings.set_models(task, Vec::new());
                }
                let subject = if files.len() > 1 { format!(" ({})", files_text(files)) } else { String::new() };
                self.notices.say(Tone::Bad, format!("{error}{subject}. {stays}"));
            }
        }
    }
}

/// That something can be dropped on the window, where it can.
fn drop_hint(what: &str) -> String {
    if can_drop() { format!("drop {what} on the window, or ") } else { String::new() }
}

/// A task as a word at the start of a line.
pub(crate) const fn title(task: Task) -> &'static str {
    match task {
        Task::Age => "Age",
        Task::Gender => "Gender",
        Task::Pose => "Head pose",
    }
}

/// A path as it is shown: `~` stands for the user's home.
pub(crate) fn from_home(path: &Path) -> String {
    let home = directories::BaseDirs::new();
    let inside = home.as_ref().and_then(|home| path.strip_prefix(home.home_dir()).ok());
    inside.map_or_else(|| path.display().to_string(), |rest| Path::new("~").join(rest).display().to_string())
}
