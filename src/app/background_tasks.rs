//! What the window has done in the background so that it never waits: each [`BackgroundTask`] runs on a thread of its own
//! and comes back as a [`TaskReport`]. A task may report more than once: how far it is, or a list's parts. Of tasks with
//! the same [`TaskKey`] only the one that was started last counts; the ones before it are cancelled.

use std::any::Any;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::Sender;
use facelens_base::panic_words;
use facelens_core::Analysis;
use facelens_core::model::{ModelError, ModelSet, Task, TaskModel};
use facelens_import::{CardDraft, Installed, Sandbox};
use facelens_media::{CameraControl, CameraInfo, ControlKind, ControlValue, SourceError};
use facelens_session::export::{ExportEnd, ExportProgress, ExportRequest, SessionExportError};
use facelens_session::library::{SessionDetails, SessionEntry};
use facelens_session::overlay::SceneOptions;
use facelens_session::recovery::Recovered;
use facelens_session::{SessionError, SessionFolder, SnapshotFiles, WriteError};

mod failed;
mod work;

pub(crate) use super::file_dialogs::Picked;
use work::work_of;

use super::command::Output;
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

/// What an address is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To begin sending there.
    Start,
    /// To remember it, and to go on there where something is sent already.
    Keep,
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
    /// List the devices that can be a virtual camera.
    ListVirtualCameras,
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
    /// Read the graph of a network that has no card.
    DraftCard { file: PathBuf, task: Option<Task> },
    /// Try a network with a card that is being written.
    TryCard(Box<CardDraft>),
    /// Put a network and its card into the library.
    KeepCard(Box<CardDraft>),
    /// Set what the camera of this device has of these, and read how it is then.
    SetCameraControls { device: PathBuf, settings: Vec<(ControlKind, ControlValue)> },
    /// Look which of these files are not there.
    FindMissing(Vec<PathBuf>),
    /// List the sessions in a folder, and read the details of those that are not `known` with as many bytes.
    ListSessions { folder: PathBuf, known: Vec<(PathBuf, u64)> },
    /// Give a session another name.
    RenameSession { session: PathBuf, name: String },
    /// Move a session to the trash.
    TrashSession(PathBuf),
    /// Show a folder in the system's file manager.
    ShowFolder(PathBuf),
    /// Read a session that is to be exported.
    ReadForExport(PathBuf),
    /// Ask the user for the file of an export.
    PickExportFile(ExportRequest),
    /// Export a session.
    Export { session: SharedSession, request: ExportRequest },
}

/// Tasks of which only the one that was started last counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TaskKey {
    /// The list of sessions.
    Sessions,
    /// Which of the recent files are missing.
    Missing,
    /// The card that is being written.
    Card,
    /// An export, and what is asked before it.
    Export,
}

impl BackgroundTask {
    /// What it counts as; `None` where every one of its kind counts.
    pub fn key(&self) -> Option<TaskKey> {
        match self {
            Self::ListSessions { .. } => Some(TaskKey::Sessions),
            Self::FindMissing(_) => Some(TaskKey::Missing),
            Self::DraftCard { .. } | Self::TryCard(_) | Self::KeepCard(_) => Some(TaskKey::Card),
            Self::ReadForExport(_) | Self::Export { .. } => Some(TaskKey::Export),
            _ => None,
        }
    }
}

/// A session that a task shares with the window; the same only as itself.
#[derive(Clone, Debug)]
pub(crate) struct SharedSession(pub Arc<SessionFolder>);

impl PartialEq for SharedSession {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
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
    /// The devices that can be a virtual camera.
    VirtualCameras(Result<Vec<CameraInfo>, SourceError>),
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
    /// Of [`BackgroundTask::DraftCard`].
    CardDrafted(Result<Box<CardDraft>, ModelError>),
    /// Of [`BackgroundTask::TryCard`].
    CardTried(Result<Arc<TaskModel>, ModelError>),
    /// Of [`BackgroundTask::KeepCard`].
    CardKept(Result<Installed, ModelError>),
    /// Of [`BackgroundTask::SetCameraControls`].
    CameraControls(PathBuf, Result<Vec<CameraControl>, SourceError>),
    /// Of [`BackgroundTask::FindMissing`]; `None` where nobody could look.
    Missing(Option<Vec<PathBuf>>),
    /// The sessions in a folder; the details of new ones follow.
    Sessions(Result<Vec<SessionEntry>, SessionError>),
    /// What was read of a session, or why it cannot be.
    SessionDetails { session: PathBuf, details: Result<SessionDetails, String> },
    /// All details of [`BackgroundTask::ListSessions`] were told.
    SessionsRead,
    /// Of [`BackgroundTask::RenameSession`]: the old folder, and the new one.
    SessionRenamed(PathBuf, Result<PathBuf, WriteError>),
    /// Of [`BackgroundTask::TrashSession`].
    SessionTrashed(PathBuf, Result<(), WriteError>),
    /// Of [`BackgroundTask::ShowFolder`]; why it is not shown.
    FolderShown(Result<(), String>),
    /// Of [`BackgroundTask::ReadForExport`].
    ReadyForExport(Result<Arc<SessionFolder>, SessionError>),
    /// The user's answer to [`BackgroundTask::PickExportFile`].
    ExportFilePicked(Picked),
    /// How far an export is.
    Exporting(ExportProgress),
    /// Of [`BackgroundTask::Export`], with the file.
    Exported(PathBuf, Result<ExportEnd, SessionExportError>),
}

impl TaskReport {
    /// The key of the task that it came from.
    pub fn key(&self) -> Option<TaskKey> {
        match self {
            Self::Sessions(_) | Self::SessionDetails { .. } | Self::SessionsRead => Some(TaskKey::Sessions),
            Self::Missing(_) => Some(TaskKey::Missing),
            Self::CardDrafted(_) | Self::CardTried(_) | Self::CardKept(_) => Some(TaskKey::Card),
            Self::ReadyForExport(_) | Self::Exporting(_) | Self::Exported(..) => Some(TaskKey::Export),
            _ => None,
        }
    }
}

/// The number of a background task: each one has a larger number than those that were started before it, which tells
/// an answer to an older question from the newest.
pub(crate) type TaskNumber = u64;

/// Starts background tasks. No call waits.
pub(crate) trait BackgroundTasks {
    /// Starts one. Its report comes later, with its number, whatever happens: a task that fails reports that.
    fn start(&self, number: TaskNumber, task: BackgroundTask);
    /// Tells the task of this key to end; its report says whether it was over before.
    fn cancel(&self, key: TaskKey);
}

/// Background tasks on threads.
pub(crate) struct Threads {
    /// Where reports go.
    pub reporter: Reporter,
    /// Where model files are tried before they are used.
    pub sandbox: Sandbox,
    /// What tells the newest task of each key to end.
    running: Mutex<HashMap<TaskKey, Arc<AtomicBool>>>,
}

/// Brings reports to the window.
#[derive(Clone)]
pub(crate) struct Reporter {
    /// Where reports go.
    pub reports: Sender<(TaskNumber, TaskReport)>,
    /// Called after each report.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// What a task has besides its own work.
#[derive(Clone)]
struct TaskContext {
    number: TaskNumber,
    reporter: Reporter,
    cancelled: Arc<AtomicBool>,
}

type TaskWork = Box<dyn FnOnce() -> TaskReport + Send>;

impl Reporter {
    fn report(&self, number: TaskNumber, report: TaskReport) {
        // The window may be gone by now; then nobody wants the report.
        if self.reports.send((number, report)).is_ok() {
            (self.wake)();
        }
    }
}

impl TaskContext {
    /// Reports something before the task is over.
    fn report(&self, report: TaskReport) {
        self.reporter.report(self.number, report);
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

impl BackgroundTasks for Threads {
    fn start(&self, number: TaskNumber, task: BackgroundTask) {
        let context = TaskContext { number, reporter: self.reporter.clone(), cancelled: self.take_over(task.key()) };
        // A dialog must be made on the window's thread (macOS); it is waited for on its own.
        match catch_unwind(AssertUnwindSafe(|| work_of(task.clone(), &self.sandbox, context))) {
            Ok(work) => self.spawn(number, task, work),
            Err(panic) => self.reporter.report(number, task.failed(broken(panic.as_ref()))),
        }
    }

    fn cancel(&self, key: TaskKey) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cancelled) = running.get(&key) {
            cancelled.store(true, Ordering::Relaxed);
        }
    }
}

impl Threads {
    /// Reports go to `reporter`, and model files are tried in `sandbox`.
    pub fn new(reporter: Reporter, sandbox: Sandbox) -> Self {
        Self { reporter, sandbox, running: Mutex::default() }
    }

    /// Cancels the task that has this key, and gives what will tell the next one to end.
    fn take_over(&self, key: Option<TaskKey>) -> Arc<AtomicBool> {
        let cancelled = Arc::new(AtomicBool::new(false));
        if let Some(key) = key {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(before) = running.insert(key, Arc::clone(&cancelled)) {
                before.store(true, Ordering::Relaxed);
            }
        }
        cancelled
    }

    /// Does `work` on a thread of its own. A panic in it, and a thread that the system does not give, are reports too:
    /// somebody waits for an answer.
    fn spawn(&self, number: TaskNumber, task: BackgroundTask, work: TaskWork) {
        let of_thread = self.reporter.clone();
        let asked = task.clone();
        let spawned = std::thread::Builder::new().name("background".into()).spawn(move || {
            let report = catch_unwind(AssertUnwindSafe(work));
            of_thread.report(number, report.unwrap_or_else(|panic| asked.failed(broken(panic.as_ref()))));
        });
        if let Err(error) = spawned {
            let cause = format!("the system cannot start a thread ({error}); close other programs and try again");
            self.reporter.report(number, task.failed(cause));
        }
    }
}

/// What a panic means for whoever asked.
fn broken(panic: &(dyn Any + Send)) -> String {
    format!("an error in facelens itself: {}", panic_words(panic))
}

/// The tasks that each of these models serves.
pub(crate) fn common_tasks(models: &[Arc<TaskModel>]) -> Vec<Task> {
    let all = Task::ALL.into_iter().filter(|_| !models.is_empty());
    all.filter(|task| models.iter().all(|model| model.card.serves(*task))).collect()
}

#[cfg(test)]
mod tests {
    use facelens_core::model::ModelErrorKind;

    use super::*;

    /// Starts `work` in the place of what the task does; gives its number and its report.
    fn report_of(task: BackgroundTask, work: impl FnOnce() -> TaskReport + Send + 'static) -> (TaskNumber, TaskReport) {
        let (sender, reports) = crossbeam_channel::unbounded();
        let (woken, wakes) = crossbeam_channel::unbounded();
        let wake = Arc::new(move || woken.send(()).unwrap());
        let reporter = Reporter { reports: sender, wake };
        Threads::new(reporter, Sandbox::in_process()).spawn(7, task, Box::new(work));
        let report = reports.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        wakes.recv_timeout(std::time::Duration::from_secs(30)).unwrap();
        report
    }

    /// Background tasks on threads, and where their reports come.
    fn threads() -> (Threads, crossbeam_channel::Receiver<(TaskNumber, TaskReport)>) {
        let (sender, reports) = crossbeam_channel::unbounded();
        let reporter = Reporter { reports: sender, wake: Arc::new(|| ()) };
        (Threads::new(reporter, Sandbox::in_process()), reports)
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
    fn of_tasks_with_one_key_the_newest_alone_goes_on() {
        let (threads, _reports) = threads();
        let first = threads.take_over(Some(TaskKey::Sessions));
        let other = threads.take_over(Some(TaskKey::Export));
        let second = threads.take_over(Some(TaskKey::Sessions));
        threads.take_over(None);
        let cancelled = |flag: &Arc<AtomicBool>| flag.load(Ordering::Relaxed);
        assert_eq!([&first, &second, &other].map(cancelled), [true, false, false]);
        threads.cancel(TaskKey::Export);
        assert_eq!([&first, &second, &other].map(cancelled), [true, false, true]);
    }
}
