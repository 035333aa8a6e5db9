//! What the window has done in the background so that it never waits: each [`BackgroundTask`] runs on a thread of its own
//! and comes back as a [`Report`].

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crossbeam_channel::Sender;

use super::state::{Output, Purpose};
use crate::model::{Entry, Library, ModelError, ModelSet, Task, TaskModel};
use crate::outputs::Address;
use crate::overlay::SceneOptions;
use crate::pipeline::Analysis;
use crate::session::recovery::{self, Recovered};
use crate::session::{self, SessionError, SessionFolder, SnapshotFiles, WriteError};
use crate::settings::{PendingSave, SettingsError};
use crate::source::{self, CameraInfo, SourceError};

/// Why a model is loaded: decides what is said and remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
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
    /// Ask the user for a session's folder.
    PickSession,
    /// Read a session.
    OpenSession(PathBuf),
    /// Ask the user for model files.
    PickModel(Task),
    /// Prepare the models that ship.
    LoadShipped,
    /// List the models of the library.
    ListModels,
    /// Prepare model files; without a task, they are for all tasks that each of them serves.
    LoadModel { task: Option<Task>, files: Vec<PathBuf>, origin: Origin },
    /// Save a picture with its overlay; `input` is what the data call the source.
    Snapshot { still: Still, input: String, options: SceneOptions, folder: PathBuf },
    /// Ask the user for the folder in which sessions are kept.
    PickSessionsFolder,
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
pub(crate) enum Report {
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
    /// The models of the library that can be used.
    Models(Vec<Known>),
    /// Model files: ready, or refused.
    Model { task: Option<Task>, files: Vec<PathBuf>, origin: Origin, result: Result<Vec<Arc<TaskModel>>, ModelError> },
    /// The user's answer to [`BackgroundTask::PickSessionsFolder`].
    SessionsFolderPicked(Picked),
    /// The recordings that were broken off.
    Unfinished(Vec<PathBuf>),
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

/// Starts background tasks. No call waits.
pub(crate) trait BackgroundTasks {
    /// Starts one; its report comes later.
    fn start(&self, task: BackgroundTask);
}

/// BackgroundTasks on threads.
pub(crate) struct Threads {
    /// Where reports go.
    pub reports: Sender<Report>,
    /// Called after each report.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

impl BackgroundTasks for Threads {
    fn start(&self, task: BackgroundTask) {
        let (reports, wake) = (self.reports.clone(), Arc::clone(&self.wake));
        // A dialog must be made on the window's thread (macOS); it is waited for on its own.
        let work: Box<dyn FnOnce() -> Report + Send> = match task {
            BackgroundTask::ListCameras => Box::new(|| Report::Cameras(source::list_cameras())),
            BackgroundTask::PickSource { folder } => {
                let dialog = source_dialog(folder);
                Box::new(move || Report::SourcePicked(wait_for(dialog)))
            }
            BackgroundTask::PickSession => {
                let dialog = folder_dialog("Open a session: a folder that facelens recorded");
                Box::new(move || Report::SessionPicked(wait_for(dialog)))
            }
            BackgroundTask::OpenSession(path) => {
                Box::new(move || Report::Session(SessionFolder::open(&path).map(Box::new)))
            }
            BackgroundTask::PickModel(task) => {
                let dialog = model_dialog(task);
                Box::new(move || Report::ModelPicked(task, wait_for(dialog)))
            }
            BackgroundTask::LoadShipped => Box::new(|| Report::Shipped(Library::shipped())),
            BackgroundTask::ListModels => Box::new(|| Report::Models(known_models(&Library::open()))),
            BackgroundTask::LoadModel { task, files, origin } => Box::new(move || {
                let result = load_models(task, &files);
                Report::Model { task, files, origin, result }
            }),
            BackgroundTask::Snapshot { still, input, options, folder } => {
                Box::new(move || Report::Snapshot(session::save_snapshot(&folder, &input, &still.0, &options)))
            }
            BackgroundTask::PickSessionsFolder => {
                let dialog = folder_dialog("Choose where recordings are kept");
                Box::new(move || Report::SessionsFolderPicked(wait_for(dialog)))
            }
            BackgroundTask::FindUnfinished(folder) => {
                Box::new(move || Report::Unfinished(recovery::unfinished(&folder)))
            }
            BackgroundTask::Recover(session) => Box::new(move || Report::Recovered(recovery::recover(&session))),
            BackgroundTask::FindAddress { output, purpose, text, name } => {
                Box::new(move || Report::AddressFound { output, purpose, text, found: name.find() })
            }
            BackgroundTask::SaveSettings(save) => Box::new(move || Report::SettingsSaved(save.write())),
        };
        let spawned = std::thread::Builder::new().name("background".into()).spawn(move || {
            // The window may be gone by now; then nobody wants the report.
            if reports.send(work()).is_ok() {
                wake();
            }
        });
        if let Err(error) = spawned {
            tracing::error!("the system gives no thread: {error}; close other programs and try again");
        }
    }
}

/// Those of the library's models that are whole.
fn known_models(library: &Library) -> Vec<Known> {
    let known = |entry: Entry| entry.card.ok().map(|(card, _)| Known { name: card.name, tasks: card.tasks });
    library.list().into_iter().filter_map(known).collect()
}

/// Loads every file. Without a task, there must be one at least that all of them serve.
fn load_models(task: Option<Task>, files: &[PathBuf]) -> Result<Vec<Arc<TaskModel>>, ModelError> {
    let library = Library::open();
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

type Dialog = std::pin::Pin<Box<dyn Future<Output = Option<Vec<PathBuf>>> + Send>>;

/// Names of files that are read as a source without asking: videos and pictures.
const SOURCE_EXTENSIONS: [&str; 13] =
    ["mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "jpg", "jpeg", "png", "webp", "bmp", "gif"];
/// Names of files that are read as models.
const MODEL_EXTENSIONS: [&str; 6] = ["onnx", "h5", "hdf5", "keras", "params", "json"];

/// Whether a file dropped on the window is a model rather than something to look at.
pub(crate) fn is_model_file(file: &Path) -> bool {
    file.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| MODEL_EXTENSIONS.into_iter().any(|known| known.eq_ignore_ascii_case(extension)))
}

fn source_dialog(folder: bool) -> Dialog {
    if folder {
        return folder_dialog("Open a folder of pictures");
    }
    let dialog = rfd::AsyncFileDialog::new()
        .set_title("Open a video or a picture")
        .add_filter("Videos and pictures", &SOURCE_EXTENSIONS)
        .add_filter("All files", &["*"])
        .pick_file();
    Box::pin(async { dialog.await.map(|file| vec![file.path().to_owned()]) })
}

fn folder_dialog(title: &str) -> Dialog {
    let dialog = rfd::AsyncFileDialog::new().set_title(title).pick_folder();
    Box::pin(async { dialog.await.map(|folder| vec![folder.path().to_owned()]) })
}

fn model_dialog(task: Task) -> Dialog {
    let dialog = rfd::AsyncFileDialog::new()
        .set_title(format!("Load a model for {task}; several files are averaged"))
        .add_filter("Model files", &MODEL_EXTENSIONS)
        .add_filter("All files", &["*"])
        .pick_files();
    Box::pin(async { dialog.await.map(|files| files.iter().map(|file| file.path().to_owned()).collect()) })
}

/// Nobody answers a dialog this fast: it was never shown.
const TOO_FAST_FOR_A_USER: Duration = Duration::from_millis(400);

fn wait_for(dialog: Dialog) -> Picked {
    let asked = Instant::now();
    match block_on(dialog) {
        Some(files) if !files.is_empty() => Picked::Files(files),
        _ if asked.elapsed() < TOO_FAST_FOR_A_USER => Picked::NoDialog,
        _ => Picked::Nothing,
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread until it is ready.
fn block_on<T>(mut future: std::pin::Pin<Box<dyn Future<Output = T> + Send>>) -> T {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelErrorKind;
    use crate::model::graphs::{save_card, small_card, small_pair_card};

    #[test]
    fn models_are_told_from_pictures_by_their_names() {
        for name in ["a.onnx", "b.H5", "model-0000.params", "model.json"] {
            assert!(is_model_file(Path::new(name)), "{name}");
        }
        for name in ["a.mp4", "b.png", "folder", "c"] {
            assert!(!is_model_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn files_without_a_task_are_for_what_all_of_them_serve() {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_card("age"));
        save_card(folder.path(), &small_pair_card("pair"));
        let files = |names: &[&str]| names.iter().map(|name| folder.path().join(name)).collect::<Vec<_>>();
        let tasks = |names: &[&str]| load_models(None, &files(names)).map(|models| common_tasks(&models));
        assert_eq!(tasks(&["pair.toml"]), Ok(vec![Task::Age, Task::Gender]));
        for names in [["pair.toml", "age.toml"], ["age.toml", "pair.toml"]] {
            assert_eq!(tasks(&names), Ok(vec![Task::Age]));
        }
        assert_eq!(common_tasks(&[]), []);
        let wrong = load_models(None, &[folder.path().join("pair.toml"), "ssrnet-pose".into()]).unwrap_err();
        assert_eq!(wrong.kind, ModelErrorKind::Io);
        let wrong = load_models(None, &[folder.path().join("age.toml"), "ssrnet-gender-imdb".into()]).unwrap_err();
        assert_eq!(wrong.kind, ModelErrorKind::WrongTask);
    }

    #[test]
    fn the_library_is_listed_without_what_is_broken() {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_pair_card("pair"));
        std::fs::write(folder.path().join("broken.toml"), "name = 1").unwrap();
        let known = known_models(&Library::at(folder.path()));
        assert!(known.contains(&Known { name: "pair".into(), tasks: vec![Task::Age, Task::Gender] }));
        assert!(known.iter().any(|model| model.name == "ssrnet-age-imdb"));
        assert!(known.iter().all(|model| model.name != "broken"));
    }

    #[test]
    fn a_future_that_is_woken_from_another_thread_is_finished() {
        let (sender, receiver) = std::sync::mpsc::channel::<Waker>();
        let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let flag = Arc::clone(&done);
        let thread = std::thread::spawn(move || {
            let waker = receiver.recv().unwrap();
            flag.store(true, std::sync::atomic::Ordering::SeqCst);
            waker.wake();
        });
        let mut sent = false;
        let future = std::future::poll_fn(move |context| {
            if done.load(std::sync::atomic::Ordering::SeqCst) {
                return Poll::Ready(7);
            }
            if !std::mem::replace(&mut sent, true) {
                sender.send(context.waker().clone()).unwrap();
            }
            Poll::Pending
        });
        assert_eq!(block_on(Box::pin(future)), 7);
        thread.join().unwrap();
    }

    #[test]
    fn an_answer_without_time_to_read_means_that_there_is_no_dialog() {
        assert_eq!(wait_for(Box::pin(async { None })), Picked::NoDialog);
        assert_eq!(wait_for(Box::pin(async { Some(vec!["a".into()]) })), Picked::Files(vec!["a".into()]));
    }
}
