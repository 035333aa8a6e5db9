//! Brings files to the disk itself, lest a power cut takes more than a kill would. On a thread of its own: a slow disk
//! may need seconds.

use std::fs::File;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Sender, bounded};

/// The thread `recorder-sync`.
pub(super) struct Syncer {
    wish: Option<Sender<()>>,
    error: Arc<Mutex<Option<io::Error>>>,
    thread: Option<JoinHandle<()>>,
}

impl Syncer {
    /// Starts a thread that syncs `files`, the first one first. Without a thread, the system syncs when it likes.
    pub(super) fn new(files: Vec<File>) -> Self {
        let (wish, wishes) = bounded(1);
        let error = Arc::new(Mutex::new(None));
        let told = Arc::clone(&error);
        let work = move || {
            for () in wishes {
                for file in &files {
                    if let Err(error) = file.sync_data() {
                        told.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                }
            }
        };
        let thread = thread::Builder::new().name("recorder-sync".into()).spawn(work);
        if let Err(error) = &thread {
            tracing::warn!("the system gives no thread for bringing a recording to the disk: {error}");
        }
        Self { wish: Some(wish), error, thread: thread.ok() }
    }

    /// Asks for a sync. Where one has not even begun yet, that one does.
    pub(super) fn sync(&self) {
        if let Some(wish) = &self.wish {
            let _ = wish.try_send(());
        }
    }

    /// What went wrong since the last question: some file systems tell only now that the disk is full.
    pub(super) fn error(&self) -> Option<io::Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for Syncer {
    fn drop(&mut self) {
        self.wish = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread recorder-sync ended by a panic");
        }
    }
}
