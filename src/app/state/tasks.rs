//! The background tasks of the window: their numbers, and which of their reports still count.

use std::collections::HashMap;

use crossbeam_channel::Receiver;

use crate::app::background_tasks::{BackgroundTask, BackgroundTasks, TaskKey, TaskNumber, TaskReport};

/// Starts background tasks and takes their reports.
pub(super) struct TaskRunner {
    tasks: Box<dyn BackgroundTasks>,
    reports: Receiver<(TaskNumber, TaskReport)>,
    /// The number of the task that was started last.
    newest: TaskNumber,
    /// The number of the task that was started last under each key.
    newest_of_key: HashMap<TaskKey, TaskNumber>,
}

impl TaskRunner {
    /// Tasks are started by `tasks`, and report to `reports`.
    pub fn new(tasks: Box<dyn BackgroundTasks>, reports: Receiver<(TaskNumber, TaskReport)>) -> Self {
        Self { tasks, reports, newest: 0, newest_of_key: HashMap::new() }
    }

    /// Starts a task, and gives its number.
    pub fn start(&mut self, task: BackgroundTask) -> TaskNumber {
        self.newest += 1;
        if let Some(key) = task.key() {
            self.newest_of_key.insert(key, self.newest);
        }
        self.tasks.start(self.newest, task);
        self.newest
    }

    /// Tells the task of this key to end.
    pub fn cancel(&self, key: TaskKey) {
        self.tasks.cancel(key);
    }

    /// The number of the task that was started last.
    pub fn newest(&self) -> TaskNumber {
        self.newest
    }

    /// The next report that came, with the number of its task. Reports are left out where the same was asked for again.
    pub fn next_report(&self) -> Option<(TaskNumber, TaskReport)> {
        self.reports.try_iter().find(|(number, report)| {
            let newest = report.key().and_then(|key| self.newest_of_key.get(&key));
            newest.is_none_or(|newest| number >= newest)
        })
    }
}
