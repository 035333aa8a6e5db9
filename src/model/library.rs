//! What is installed: the models that ship, the user's own, and the sets that the estimator runs.

use std::path::Path;
use std::sync::Arc;

use super::error::ModelError;
use super::{ModelCard, Net, Task};

/// One model, ready to run: a card and a network for each of its files (their outputs are averaged).
pub struct TaskModel {
    /// The card; preprocessing belongs to it.
    pub card: ModelCard,
    /// One network per file.
    pub nets: Vec<Net>,
}

/// The models in use. Several models under one task are averaged, each with its own preprocessing.
#[derive(Clone, Default)]
pub struct ModelSet {
    /// Age models; empty: no age is estimated.
    pub age: Vec<Arc<TaskModel>>,
    /// Gender models.
    pub gender: Vec<Arc<TaskModel>>,
    /// Head pose models.
    pub pose: Vec<Arc<TaskModel>>,
}

impl ModelSet {
    /// The models of one task.
    pub fn of(&self, task: Task) -> &[Arc<TaskModel>] {
        match task {
            Task::Age => &self.age,
            Task::Gender => &self.gender,
            Task::Pose => &self.pose,
        }
    }

    /// Replaces the models of one task.
    pub fn set(&mut self, task: Task, models: Vec<Arc<TaskModel>>) {
        match task {
            Task::Age => self.age = models,
            Task::Gender => self.gender = models,
            Task::Pose => self.pose = models,
        }
    }
}

/// The models that ship and those in the user's folder.
pub struct Library {
    _private: (),
}

impl Library {
    /// Reads any model file that `models import` understands and prepares it; several files need several calls.
    ///
    /// # Errors
    /// [`ModelError`], also where the model's task is not `task`.
    pub fn load_file(file: &Path, task: Option<Task>) -> Result<TaskModel, ModelError> {
        let _ = (file, task);
        todo!("model rooms")
    }

    /// The models that ship with the program.
    ///
    /// # Errors
    /// Where a shipped file is damaged.
    pub fn shipped() -> Result<ModelSet, ModelError> {
        todo!("model rooms")
    }
}
