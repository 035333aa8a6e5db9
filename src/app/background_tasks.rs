//! What the window has done in the background so that it never waits: each [`BackgroundTask`] runs on a thread of its own
//! and comes back as a [`TaskReport`].

use std::any::Any;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::Sender;
use facelens_base::panic_words;
use facelens_core::Analysis;
use facelens_core::model::{ModelError, ModelErrorKind, ModelSet, Task, TaskModel};
use facelens_import::{Entry, Library, Sandbox};
use facelens_media::{CameraInfo, SourceError, SourceErrorKind};
use facelens_session::overlay::SceneOptions;
use facelens_session::recovery::{self, Recovered};
use facelens_session::{SessionError, SessionFolder, SnapshotFiles, WriteError, WriteErrorKind};

use super::file_dialogs::{folder_dialog, gait_model_dialog, model_dialog, source_dialog, wait_for};
use super::state::{Output, Purpose};
use crate::outputs::Address;
use crate::settings::{PendingSave, SettingsError};

/// Why a model is loaded: decides what is said and remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PickOrigin {
    /// The command line named it: for this run only.
    CommandLine,
    /// It was in use when the window was closed.
    Remembered,
    /// The user has just chosen it.
    Chosen,
}

/// A picture with its faces; the same only as itself.
#[derive(Clone, Debug)]
pub(crate) struct Still(pub Arc<Analysis>);

impl PartialEq for Still {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Something to do off the window's thread.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum BackgroundTask {
    /// List the cameras.
    ListCameras,
    /// Ask the user for a video, picture or folder.
    PickSource { folder: bool },
    /// Ask the user for a session's folder, beginning in this one.
    PickSession(Option<PathBuf>),
    /// Read a session.
    OpenSession(PathBuf),
    /// Ask the user for model files.
    PickModel(Task),
    /// Prepare the models that ship.
    LoadShipped,
    /// List the models of the library.
    ListModels,
    /// Prepare model files; without a task, they are for all tasks that each of them serves.
    LoadModel { task: Option<Task>, files: Vec<PathBuf>, origin: PickOrigin },
    /// Save a picture with its overlay; `input` is what the data call the source.
    Snapshot { still: Still, input: String, options: SceneOptions, folder: PathBuf },
    /// Ask the user for the folder in which sessions are kept.
    PickSessionsFolder,
    /// Ask the user for the folder in which snapshots are kept.
    PickSnapshotsFolder,
    /// Ask the user for a model that tells the age by gait.
    PickGaitModel,
    /// Look for recordings in this folder that were broken off.
    FindUnfinished(PathBuf),
    /// Finish this recording.
    Recover(PathBuf),
    /// Look up the machine of a name that was typed as `text`.
    FindAddress { output: Output, purpose: Purpose, text: String, name: Address },
    /// Write the settings.
    SaveSettings(PendingSave),
}

/// A model of the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub name: String,
    pub tasks: Vec<Task>,
}

/// What came of a background task.
pub(crate) enum TaskReport {
    /// The cameras.
    Cameras(Result<Vec<CameraInfo>, SourceError>),
    /// The user's answer to [`BackgroundTask::PickSource`].
    SourcePicked(Picked),
    /// The user's answer to [`BackgroundTask::PickSession`].
    SessionPicked(Picked),
    /// Of [`BackgroundTask::OpenSession`].
    Session(Result<Box<SessionFolder>, SessionError>),
    /// The user's answer to [`BackgroundTask::PickModel`].
    ModelPicked(Task, Picked),
    /// The models that ship.
    Shipped(Result<ModelSet, ModelError>),
    /// The models of the library that can be used; or why there is no list.
    Models(Result<Vec<Known>, String>),
    /// Model files: ready, or refused.
    Model {
        task: Option<Task>,
        files: Vec<PathBuf>,
        origin: PickOrigin,
        result: Result<Vec<Arc<TaskModel>>, ModelError>,
    },
    /// The user's answer to [`BackgroundTask::PickSessionsFolder`].
    SessionsFolderPicked(Picked),
    /// The user's answer to [`BackgroundTask::PickSnapshotsFolder`].
    SnapshotsFolderPicked(Picked),
    /// The user's answer to [`BackgroundTask::PickGaitModel`].
    GaitModelPicked(Picked),
    /// The recordings that were broken off; or why they were not looked for.
    Unfinished(Result<Vec<PathBuf>, String>),
    /// Of [`BackgroundTask::Recover`]; `None` where it was finished already.
    Recovered(Result<Option<Recovered>, WriteError>),
    /// Of [`BackgroundTask::Snapshot`].
    Snapshot(Result<SnapshotFiles, WriteError>),
    /// Of [`BackgroundTask::FindAddress`].
    AddressFound { output: Output, purpose: Purpose, text: String, found: Result<SocketAddr, String> },
    /// Of [`BackgroundTask::SaveSettings`].
    SettingsSaved(Result<(), SettingsError>),
}

/// The answer of a file dialog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// These files.
    Files(Vec<PathBuf>),
    /// The user closed the dialog.
    Nothing,
    /// The system has no file dialog.
    NoDialog,
}

/// The number of a background task: each one has a larger number than those that were started before it, which tells
/// an answer to an older question from the newest.
pub(crate) type TaskNumber = u64;

/// Starts background tasks. No call waits.
pub(crate) trait BackgroundTasks {
    /// Starts one. Its report comes later, with its number, whatever happens: a task that fails reports that.
    fn start(&self, number: TaskNumber, task: BackgroundTask);
}

/// Background tasks on threads.
pub(crate) struct Threads {
    /// Where reports go.
    pub reports: Sender<(TaskNumber, TaskReport)>,
    /// Called after each report.
    pub wake: Arc<dyn Fn() + Send + Sync>,
    /// Where model files are tried before they are used.
    pub sandbox: Sandbox,
}

type TaskWork = Box<dyn FnOnce() -> TaskReport + Send>;

impl BackgroundTasks for Threads {
    fn start(&self, number: TaskNumber, task: BackgroundTask) {
        // A dialog must be made on the window's thread (macOS); it is waited for on its own.
        match catch_unwind(AssertUnwindSafe(|| work_of(task.clone(), &self.sandbox))) {
            Ok(work) => self.spawn(number, task, work),
            Err(panic) => self.report(number, task.failed(broken(panic.as_ref()))),
        }
    }
}

impl Threads {
    /// Does `work` on a thread of its own. A panic in it, and a thread that the system does not give, are reports too:
    /// somebody waits for an answer.
    fn spawn(&self, number: TaskNumber, task: BackgroundTask, work: TaskWork) {
        let (reports, wake) = (self.reports.clone(), Arc::clone(&self.wake));
        let of_thread = Self { reports, wake, sandbox: self.sandbox.clone() };
        let asked = task.clone();
        let spawned = std::thread::Builder::new().name("background".into()).spawn(move || {
            let report = catch_unwind(AssertUnwindSafe(work));
            of_thread.report(number, report.unwrap_or_else(|panic| asked.failed(broken(panic.as_ref()))));
        });
        if let Err(error) = spawned {
            let cause = format!("the system cannot start a thread ({error}); close other programs and try again");
            self.report(number, task.failed(cause));
        }
    }

    fn report(&self, number: TaskNumber, report: TaskReport) {
        // The window may be gone by now; then nobody wants the report.
        if self.reports.send((number, report)).is_ok() {
            (self.wake)();
        }
    }
}

/// What a panic means for whoever asked.
fn broken(panic: &(dyn Any + Send)) -> String {
    format!("an error in facelens itself: {}", panic_words(panic))
}

/// How a task is done.
fn work_of(task: BackgroundTask, sandbox: &Sandbox) -> TaskWork {
    let library = Library::open(sandbox);
    match task {
        BackgroundTask::ListCameras => Box::new(|| TaskReport::Cameras(facelens_media::list_cameras())),
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
    }
}

impl BackgroundTask {
    /// The report of a task that broke off: whoever waits for it gets an error of the kind that it knows.
    pub(super) fn failed(self, cause: String) -> TaskReport {
        let not_written =
            |path: &Path, cause: String, remedy: &str| WriteError::new(WriteErrorKind::Io, path, cause, remedy);
        match self {
            Self::ListCameras => TaskReport::Cameras(Err(SourceError::new(
                SourceErrorKind::Other,
                "the list of cameras",
                cause,
                "unplug the camera that was plugged in last, then press Refresh",
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
        }
    }
}

/// A file dialog that broke off is as good as none: the words that come with that name the other ways.
fn no_dialog(cause: &str) -> Picked {
    tracing::error!("the file dialog failed: {cause}");
    Picked::NoDialog
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

/// The tasks that each of these models serves.
pub(crate) fn common_tasks(models: &[Arc<TaskModel>]) -> Vec<Task> {
    let all = Task::ALL.into_iter().filter(|_| !models.is_empty());
    all.filter(|task| models.iter().all(|model| model.card.serves(*task))).collect()
}

#[cfg(test)]
mod tests {
    use facelens_core::model::graphs::{save_card, small_card, small_pair_card};

    use super::*;

    /// Starts `work` in the place of what the task does; gives its number and its report.
    fn report_of(task: BackgroundTask, work: impl FnOnce() -> TaskReport + Send + 'static) -> (TaskNumber, TaskReport) {
        let (sender, reports) = crossbeam_channel::unbounded();
        let (woken, wakes) = crossbeam_channel::unbounded();
        let wake = Arc::new(move || woken.send(()).unwrap());
        Threads { reports: sender, wake, sandbox: Sandbox::in_process() }.spawn(7, task, Box::new(work));
        let report = reports.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        wakes.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        report
    }

    #[test]
    fn a_panic_is_a_report_of_the_kind_that_is_waited_for() {
        let (number, report) = report_of(BackgroundTask::ListCameras, || panic!("bad name"));
        let TaskReport::Cameras(Err(error)) = report else { panic!("no error about cameras") };
        assert!(number == 7 && error.to_string().contains("bad name"), "{number} {error}");

        let files = vec![PathBuf::from("a.onnx")];
        let task =
            BackgroundTask::LoadModel { task: Some(Task::Age), files: files.clone(), origin: PickOrigin::Remembered };
        let (_, report) = report_of(task, || panic!("{}", "no layer".to_owned()));
        let TaskReport::Model { task: Some(Task::Age), files: of, origin: PickOrigin::Remembered, result: Err(error) } =
            report
        else {
            panic!("no error about the model")
        };
        assert!(of == files && error.file == files[0] && error.cause.contains("no layer"), "{error}");
        assert_ne!(error.kind, ModelErrorKind::Io, "a remembered file is not forgotten for our own fault");

        let (_, report) = report_of(BackgroundTask::PickSession(None), || panic!("no portal"));
        assert!(matches!(report, TaskReport::SessionPicked(Picked::NoDialog)));
        let (_, report) = report_of(BackgroundTask::ListModels, || TaskReport::Models(Ok(Vec::new())));
        assert!(matches!(report, TaskReport::Models(Ok(known)) if known.is_empty()));
    }

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
}
