//! How each background task is done.

use std::ops::ControlFlow;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use facelens_core::model::{ModelError, ModelSet, Task, TaskModel};
use facelens_import::{CardDraft, Entry, Library, Sandbox};
use facelens_session::SessionFolder;
use facelens_session::export::{self, ExportProgress, ExportRequest};
use facelens_session::library::{self, SessionEntry};
use facelens_session::recovery;

use super::super::file_dialogs::{
    export_dialog, folder_dialog, gait_model_dialog, model_dialog, source_dialog, wait_for,
};
use super::super::show_folder::show_folder;
use super::{BackgroundTask, Known, TaskContext, TaskReport, TaskWork, broken, common_tasks};

/// How often an export reports how far it is.
const EXPORT_REPORTS: Duration = Duration::from_millis(100);

/// How a task is done.
pub(super) fn work_of(task: BackgroundTask, sandbox: &Sandbox, context: TaskContext) -> TaskWork {
    let library = Library::open(sandbox);
    match task {
        BackgroundTask::ListCameras => Box::new(|| TaskReport::Cameras(facelens_media::list_cameras())),
        BackgroundTask::ListVirtualCameras => {
            Box::new(|| TaskReport::VirtualCameras(facelens_media::list_virtual_cameras()))
        }
        BackgroundTask::PickSource { folder } => {
            let dialog = source_dialog(folder);
            Box::new(move || TaskReport::SourcePicked(wait_for(dialog)))
        }
        BackgroundTask::PickSession(folder) => {
            let dialog = folder_dialog("Open a session: a folder that facelens recorded", folder.as_deref());
            Box::new(move || TaskReport::SessionPicked(wait_for(dialog)))
        }
        BackgroundTask::OpenSession(path) => {
            Box::new(move || TaskReport::Session(SessionFolder::open(&path).map(Box::new)))
        }
        BackgroundTask::PickModel(task) => {
            let dialog = model_dialog(task);
            Box::new(move || TaskReport::ModelPicked(task, wait_for(dialog)))
        }
        BackgroundTask::LoadShipped => Box::new(|| TaskReport::Shipped(ModelSet::shipped())),
        BackgroundTask::ListModels => Box::new(move || TaskReport::Models(Ok(known_models(&library)))),
        BackgroundTask::LoadModel { task, files, origin } => Box::new(move || {
            let result = load_models(&library, task, &files);
            TaskReport::Model { task, files, origin, result }
        }),
        BackgroundTask::Snapshot { still, input, options, folder } => {
            Box::new(move || TaskReport::Snapshot(facelens_session::save_snapshot(&folder, &input, &still.0, &options)))
        }
        BackgroundTask::PickGaitModel => {
            let dialog = gait_model_dialog();
            Box::new(move || TaskReport::GaitModelPicked(wait_for(dialog)))
        }
        BackgroundTask::PickSessionsFolder => {
            let dialog = folder_dialog("Choose where recordings are kept", None);
            Box::new(move || TaskReport::SessionsFolderPicked(wait_for(dialog)))
        }
        BackgroundTask::PickSnapshotsFolder => {
            let dialog = folder_dialog("Choose where snapshots are kept", None);
            Box::new(move || TaskReport::SnapshotsFolderPicked(wait_for(dialog)))
        }
        BackgroundTask::FindUnfinished(folder) => {
            Box::new(move || TaskReport::Unfinished(Ok(recovery::unfinished(&folder))))
        }
        BackgroundTask::Recover(session) => Box::new(move || TaskReport::Recovered(recovery::recover(&session))),
        BackgroundTask::FindAddress { output, purpose, text, name } => {
            Box::new(move || TaskReport::AddressFound { output, purpose, text, found: name.find() })
        }
        BackgroundTask::SaveSettings(save) => Box::new(move || TaskReport::SettingsSaved(save.write())),
        BackgroundTask::DraftCard { file, task } => {
            Box::new(move || TaskReport::CardDrafted(CardDraft::of(&file, task).map(Box::new)))
        }
        BackgroundTask::TryCard(draft) => Box::new(move || TaskReport::CardTried(draft.load(&library).map(Arc::new))),
        BackgroundTask::KeepCard(draft) => Box::new(move || TaskReport::CardKept(draft.keep(&library))),
        BackgroundTask::SetCameraControls { device, settings } => Box::new(move || {
            let result = facelens_media::set_camera_controls(&device, &settings);
            TaskReport::CameraControls(device, result)
        }),
        BackgroundTask::FindMissing(files) => Box::new(move || {
            // Where the system does not say, the file may be there.
            let missing = |file: &PathBuf| file.try_exists().is_ok_and(|there| !there);
            TaskReport::Missing(Some(files.into_iter().filter(missing).collect()))
        }),
        BackgroundTask::ListSessions { folder, known } => Box::new(move || list_sessions(&folder, &known, &context)),
        BackgroundTask::RenameSession { session, name } => Box::new(move || {
            let renamed = library::rename(&session, &name);
            TaskReport::SessionRenamed(session, renamed)
        }),
        BackgroundTask::TrashSession(session) => Box::new(move || {
            let trashed = library::move_to_trash(&session);
            TaskReport::SessionTrashed(session, trashed)
        }),
        BackgroundTask::ShowFolder(folder) => Box::new(move || TaskReport::FolderShown(show_folder(&folder))),
        BackgroundTask::ReadForExport(session) => {
            Box::new(move || TaskReport::ReadyForExport(SessionFolder::open(&session).map(Arc::new)))
        }
        BackgroundTask::PickExportFile(request) => {
            let dialog = export_dialog(&request);
            Box::new(move || TaskReport::ExportFilePicked(wait_for(dialog)))
        }
        BackgroundTask::Export { session, request } => Box::new(move || export_session(&session.0, request, &context)),
    }
}

/// Lists the sessions, then reads those that are not known yet, the newest first.
fn list_sessions(folder: &Path, known: &[(PathBuf, u64)], context: &TaskContext) -> TaskReport {
    let sessions = match library::list(folder) {
        Ok(sessions) => sessions,
        Err(error) => return TaskReport::Sessions(Err(error)),
    };
    let is_new =
        |entry: &&SessionEntry| !known.iter().any(|(path, bytes)| (path, *bytes) == (&entry.path, entry.bytes));
    let new: Vec<PathBuf> = sessions.iter().filter(is_new).map(|entry| entry.path.clone()).collect();
    context.report(TaskReport::Sessions(Ok(sessions)));
    for session in new {
        if context.is_cancelled() {
            break;
        }
        // A session that breaks the reader must not hide the others.
        let details = catch_unwind(|| library::details(&session).map_err(|error| error.to_string()))
            .unwrap_or_else(|panic| Err(broken(panic.as_ref())));
        context.report(TaskReport::SessionDetails { session, details });
    }
    TaskReport::SessionsRead
}

/// Exports a session; reports how far it is at most ten times a second.
fn export_session(session: &SessionFolder, request: ExportRequest, context: &TaskContext) -> TaskReport {
    let mut told: Option<Instant> = None;
    let mut go_on = |progress: ExportProgress| {
        if told.is_none_or(|told| told.elapsed() >= EXPORT_REPORTS) {
            told = Some(Instant::now());
            context.report(TaskReport::Exporting(progress));
        }
        if context.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let end = export::export_to_file(session, &request, &mut go_on);
    TaskReport::Exported(request.file, end)
}

/// Those of the library's models that are whole.
fn known_models(library: &Library) -> Vec<Known> {
    let known = |entry: Entry| entry.card.ok().map(|(card, _)| Known { name: card.name, tasks: card.tasks });
    library.list().into_iter().filter_map(known).collect()
}

/// Loads every file. Without a task, there must be one at least that all of them serve.
fn load_models(library: &Library, task: Option<Task>, files: &[PathBuf]) -> Result<Vec<Arc<TaskModel>>, ModelError> {
    let mut models: Vec<Arc<TaskModel>> = Vec::with_capacity(files.len());
    for file in files {
        let common = common_tasks(&models);
        // Files that do not say what they estimate follow those that do; a file for another task is refused by name.
        let wanted = task.or(common.first().copied().filter(|_| common.len() == 1));
        let model = library.open_any(file, wanted)?.prepare()?;
        if let Some(first) = common.first()
            && !common.iter().any(|task| model.card.serves(*task))
        {
            model.card.fits(file, Some(*first))?;
        }
        models.push(Arc::new(model));
    }
    Ok(models)
}

#[cfg(test)]
mod tests {
    use facelens_core::model::ModelErrorKind;
    use facelens_core::model::graphs::{save_card, small_card, small_pair_card};
    use facelens_session::export::ExportEnd;

    use super::super::{BackgroundTasks as _, Reporter, Threads};
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[test]
    fn files_without_a_task_are_for_what_all_of_them_serve() {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_card("age"));
        save_card(folder.path(), &small_pair_card("pair"));
        let library = Library::open(&Sandbox::in_process());
        let files = |names: &[&str]| names.iter().map(|name| folder.path().join(name)).collect::<Vec<_>>();
        let tasks = |names: &[&str]| load_models(&library, None, &files(names)).map(|models| common_tasks(&models));
        assert_eq!(tasks(&["pair.toml"]), Ok(vec![Task::Age, Task::Gender]));
        for names in [["pair.toml", "age.toml"], ["age.toml", "pair.toml"]] {
            assert_eq!(tasks(&names), Ok(vec![Task::Age]));
        }
        assert_eq!(common_tasks(&[]), []);
        let wrong = load_models(&library, None, &[folder.path().join("pair.toml"), "ssrnet-pose".into()]).unwrap_err();
        assert_eq!(wrong.kind, ModelErrorKind::Io);
        let wrong =
            load_models(&library, None, &[folder.path().join("age.toml"), "ssrnet-gender-imdb".into()]).unwrap_err();
        assert_eq!(wrong.kind, ModelErrorKind::WrongTask);
    }

    #[test]
    fn the_library_is_listed_without_what_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_pair_card("pair"));
        std::fs::write(folder.path().join("broken.toml"), "name = 1").unwrap();
        let known = known_models(&Library::at(folder.path(), &Sandbox::in_process()));
        assert!(known.contains(&Known { name: "pair".into(), tasks: vec![Task::Age, Task::Gender] }));
        assert!(known.iter().any(|model| model.name == "ssrnet-age-imdb"));
        assert!(known.iter().all(|model| model.name != "broken"));
    }

    #[test]
    fn sessions_are_listed_at_once_and_what_is_known_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["session-a", "session-b"] {
            crate::testing::session::write(&folder.path().join(name), &crate::testing::session::rows(), &[]);
        }
        let listed = library::list(folder.path()).unwrap();
        let (sender, reports) = crossbeam_channel::unbounded();
        let threads = Threads::new(Reporter { reports: sender, wake: Arc::new(|| ()) }, Sandbox::in_process());
        let known = vec![(listed[0].path.clone(), listed[0].bytes)];
        threads.start(1, BackgroundTask::ListSessions { folder: folder.path().to_owned(), known });
        let next = || reports.recv_timeout(PATIENCE).unwrap();
        assert!(matches!(next(), (1, TaskReport::Sessions(Ok(sessions))) if sessions == listed));
        let (1, TaskReport::SessionDetails { session, details: Ok(details) }) = next() else { panic!("no details") };
        assert_eq!((&session, details.people), (&listed[1].path, Some(2)));
        assert!(matches!(next(), (1, TaskReport::SessionsRead)));
    }

    #[test]
    fn an_export_reports_and_a_cancelled_one_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        crate::testing::session::write(folder.path(), &crate::testing::session::rows(), &[("clean.mp4", false)]);
        let session = Arc::new(SessionFolder::open(folder.path()).unwrap());
        let file = folder.path().join("new.mp4");
        let format = export::ExportFormat::Mp4;
        let request = ExportRequest { format, people: vec![], overlay: true, file: file.clone(), replace: false };
        let context = |cancelled: bool, reports| TaskContext {
            number: 3,
            reporter: Reporter { reports, wake: Arc::new(|| ()) },
            cancelled: Arc::new(std::sync::atomic::AtomicBool::new(cancelled)),
        };
        let (sender, reports) = crossbeam_channel::unbounded();
        let end = export_session(&session, request.clone(), &context(true, sender.clone()));
        assert!(matches!(end, TaskReport::Exported(_, Ok(ExportEnd::Cancelled))) && !file.exists());
        let end = export_session(&session, request, &context(false, sender));
        assert!(matches!(end, TaskReport::Exported(of, Ok(ExportEnd::Written)) if of == file) && file.is_file());
        let (3, TaskReport::Exporting(first)) = reports.try_recv().unwrap() else { panic!("no progress") };
        assert_eq!((first.done, first.all), (0, crate::testing::session::FRAMES));
    }
}
