//! Writing the card of a network that has none, and trying it on the picture.

use std::path::PathBuf;
use std::sync::Arc;

use facelens_core::model::{ModelError, Task, TaskModel};
use facelens_import::{CardDraft, Installed};

use super::App;
use crate::app::background_tasks::{BackgroundTask, PickOrigin, TaskKey};
use crate::app::command::CardCommand;
use crate::app::notices::Tone;

/// A card that is being written.
pub(crate) struct CardForm {
    pub draft: CardDraft,
    pub trial: CardTrial,
    /// It is being put into the library.
    pub saving: bool,
}

/// What the network makes of the card.
pub(crate) enum CardTrial {
    /// It is being tried.
    Running,
    /// It runs on what is shown.
    Works,
    /// Why it does not.
    Failed(String),
}

impl App {
    /// A file that was chosen has no card: its graph is read, and the form is shown.
    pub(super) fn draft_card(&mut self, file: PathBuf, task: Option<Task>) {
        self.tasks.start(BackgroundTask::DraftCard { file, task });
    }

    pub(super) fn take_draft(&mut self, result: Result<Box<CardDraft>, ModelError>) {
        match result {
            Ok(draft) => {
                self.settings.panel_open = true;
                self.card_form = Some(CardForm { draft: *draft, trial: CardTrial::Running, saving: false });
                self.try_card();
            }
            Err(error) => self.notices.say(Tone::Bad, format!("{error}. The model in use stays.")),
        }
    }

    fn try_card(&mut self) {
        let Some(form) = &mut self.card_form else { return };
        form.trial = CardTrial::Running;
        let draft = Box::new(form.draft.clone());
        self.tasks.start(BackgroundTask::TryCard(draft));
    }

    /// Does what a widget of the form asks for.
    pub(super) fn run_card(&mut self, command: CardCommand) {
        match command {
            CardCommand::Change(draft) => {
                if let Some(form) = &mut self.card_form {
                    let runs_alike = same_network(&form.draft, &draft);
                    form.draft = *draft;
                    // Words about the model change nothing of what it does.
                    if !runs_alike || form.draft.card().is_err() || matches!(form.trial, CardTrial::Failed(_)) {
                        self.try_card();
                    }
                }
            }
            CardCommand::Save => {
                if let Some(form) = self.card_form.as_mut().filter(|form| !form.saving) {
                    form.saving = true;
                    let draft = Box::new(form.draft.clone());
                    self.tasks.start(BackgroundTask::KeepCard(draft));
                }
            }
            CardCommand::Cancel => {
                self.card_form = None;
                self.tasks.cancel(TaskKey::Card);
                self.engine.set_models(self.models.in_use.clone());
            }
        }
    }

    /// What came of a trial: it runs on the picture at once, in the place of the model in use.
    pub(super) fn take_trial(&mut self, result: Result<Arc<TaskModel>, ModelError>) {
        let Some(form) = &mut self.card_form else { return };
        let mut models = self.models.in_use.clone();
        form.trial = match result {
            Ok(model) => {
                models.set(form.draft.task, vec![model]);
                CardTrial::Works
            }
            Err(error) => CardTrial::Failed(format!("{error}.")),
        };
        self.engine.set_models(models);
    }

    pub(super) fn take_kept(&mut self, result: Result<Installed, ModelError>) {
        let Some(form) = &mut self.card_form else { return };
        match result {
            Ok(installed) => {
                let task = form.draft.task;
                self.card_form = None;
                self.tasks.start(BackgroundTask::ListModels);
                self.load_model(Some(task), vec![installed.card], PickOrigin::Chosen);
            }
            Err(error) => {
                form.saving = false;
                form.trial = CardTrial::Failed(format!("{error}."));
            }
        }
    }
}

/// Whether two drafts differ in words alone.
fn same_network(a: &CardDraft, b: &CardDraft) -> bool {
    let CardDraft { name, source, licence, training_data, .. } = b.clone();
    CardDraft { name, source, licence, training_data, ..a.clone() } == *b
}
