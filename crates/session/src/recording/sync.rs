//! Brings files to the disk itself, lest a power cut takes more than a kill would, and after them `session.json`, which
//! never counts what is not there. On a thread of its own: a slow disk may need seconds.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded};

use super::super::file_error::WriteError;
use super::super::info::SessionInfo;
use super::folder::save_info;

/// The thread `recorder-sync`.
pub(super) struct Syncer {
    wish: Option<Sender<SessionInfo>>,
    worker: Arc<SyncWorker>,
    thread: Option<JoinHandle<()>>,
}

struct SyncWorker {
    folder: PathBuf,
    files: Mutex<Vec<(PathBuf, Arc<File>)>>,
    outcome: Mutex<SyncOutcome>,
}

/// What syncing came to.
#[derive(Clone, Debug, Default)]
pub(super) struct SyncOutcome {
    /// Why no more can be recorded: some file systems tell only now that the disk is full.
    pub failure: Option<WriteError>,
    /// How often `session.json` could not be written, and why the last time. It is written again a second later.
    pub unsaved: u32,
    pub unsaved_cause: Option<String>,
}

impl Syncer {
    /// Starts the thread for the session in `folder`. Where the system gives none, its work is done by the caller.
    pub(super) fn new(folder: &Path) -> Self {
        let worker =
            Arc::new(SyncWorker { folder: folder.to_owned(), files: Mutex::default(), outcome: Mutex::default() });
        let (wish, wishes) = bounded(1);
        let work = Arc::clone(&worker);
        let thread = thread::Builder::new()
            .name("recorder-sync".into())
            .spawn(move || wishes.into_iter().for_each(|info| work.work(&info)));
        match thread {
            Ok(thread) => Self { wish: Some(wish), worker, thread: Some(thread) },
            Err(error) => {
                tracing::warn!("the system cannot start a thread for syncing a recording to disk: {error}");
                Self { wish: None, worker, thread: None }
            }
        }
    }

    /// One more file to sync; those that were added first are synced first.
    pub(super) fn add(&self, path: PathBuf, file: File) {
        lock(&self.worker.files).push((path, Arc::new(file)));
    }

    /// Asks for a sync, after which `session.json` says `info`. Where one has not even begun yet, that one does.
    pub(super) fn sync(&self, info: &SessionInfo) {
        match &self.wish {
            Some(wish) => drop(wish.try_send(info.clone())),
            None => self.worker.work(info),
        }
    }

    /// What went wrong so far.
    pub(super) fn outcome(&self) -> SyncOutcome {
        lock(&self.worker.outcome).clone()
    }

    /// Waits for what is under way.
    pub(super) fn finish(mut self) -> SyncOutcome {
        self.join();
        self.outcome()
    }

    fn join(&mut self) {
        self.wish = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread recorder-sync ended by a panic");
        }
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.join();
    }
}

impl SyncWorker {
    fn work(&self, info: &SessionInfo) {
        // Handles of their own: adding a file never waits for the disk.
        let files = lock(&self.files).clone();
        for (path, file) in &files {
            if let Err(error) = file.sync_data() {
                lock(&self.outcome).failure.get_or_insert_with(|| WriteError::io(path, &error));
                return;
            }
        }
        let Err(error) = save_info(&self.folder, info) else { return };
        let mut outcome = lock(&self.outcome);
        let gone = fs::symlink_metadata(&self.folder).is_err_and(|error| error.kind() == ErrorKind::NotFound);
        if gone {
            outcome.failure.get_or_insert(error);
            return;
        }
        if outcome.unsaved == 0 {
            tracing::warn!("{error}; it is tried again");
        }
        outcome.unsaved += 1;
        outcome.unsaved_cause = Some(error.to_string());
    }
}

/// A thread that panicked leaves nothing half changed, so the lock is taken as it is.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
