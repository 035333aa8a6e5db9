//! The models in use, and those that are on their way.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use facelens_core::model::{ModelCard, ModelSet, Task, TaskModel};

use super::background_tasks::{Known, TaskNumber};

/// What the window knows of the models.
#[derive(Default)]
pub(crate) struct Models {
    /// What ships, once it is loaded.
    shipped: ModelSet,
    /// What the pipeline runs.
    pub in_use: ModelSet,
    /// Tasks with files instead of what ships.
    own: HashSet<Task>,
    /// Files that are being loaded: by which background task, and for which task; without one, for all that they serve.
    loading: Vec<(TaskNumber, Option<Task>)>,
    /// The background task whose model was taken last for a task, or that was the newest when something else was chosen.
    chosen: HashMap<Task, TaskNumber>,
    /// The shipped models are not there yet.
    shipped_loading: bool,
    /// What the library has.
    pub known: Vec<Known>,
}

impl Models {
    /// Nothing yet, but the shipped models are on their way.
    pub fn waiting() -> Self {
        Self { shipped_loading: true, ..Self::default() }
    }

    /// Takes the shipped models in: they are used for every task that has no files of its own. Files that are still
    /// loading take their place later, and only if they are sound.
    pub fn take_shipped(&mut self, shipped: ModelSet) {
        self.shipped_loading = false;
        for task in Task::ALL {
            if !self.own.contains(&task) {
                self.in_use.set(task, shipped.of(task).to_vec());
            }
        }
        self.shipped = shipped;
    }

    /// Background task `number` loads files for this task; without one, for all that they serve.
    pub fn start_loading(&mut self, number: TaskNumber, task: Option<Task>) {
        self.loading.push((number, task));
    }

    /// Background task `number` is done.
    pub fn end_loading(&mut self, number: TaskNumber) {
        self.loading.retain(|(loading, _)| *loading != number);
    }

    /// Uses what background task `number` loaded for this task; `false` where something was chosen after that was asked
    /// for: files that load slowly do not push out a later choice.
    pub fn take(&mut self, number: TaskNumber, task: Task, models: &[Arc<TaskModel>]) -> bool {
        if self.chosen.get(&task).is_some_and(|newer| number < *newer) {
            return false;
        }
        self.chosen.insert(task, number);
        self.in_use.set(task, models.to_vec());
        self.own.insert(task);
        true
    }

    /// Goes back to what ships; what background tasks up to `newest` are still loading comes too late.
    pub fn use_shipped(&mut self, task: Task, newest: TaskNumber) {
        self.chosen.insert(task, newest + 1);
        self.in_use.set(task, self.shipped.of(task).to_vec());
        self.own.remove(&task);
    }

    /// Whether files have taken the place of what ships.
    pub fn is_own(&self, task: Task) -> bool {
        self.own.contains(&task)
    }

    /// Whether something for this task may still come by itself.
    pub fn is_loading(&self, task: Task) -> bool {
        self.shipped_loading || self.loading.iter().any(|(_, of)| of.is_none_or(|of| of == task))
    }

    /// Whether there is no model for this task, and none on its way.
    pub fn is_missing(&self, task: Task) -> bool {
        self.in_use.of(task).is_empty() && !self.is_loading(task)
    }

    /// The models of a task in one line: their names.
    pub fn names(&self, task: Task) -> Option<String> {
        let models = self.in_use.of(task);
        (!models.is_empty()).then(|| {
            let names: Vec<&str> = models.iter().map(|model| model.card.name.as_str()).collect();
            names.join(" + ")
        })
    }

    /// Licence and known accuracy of the models of a task in one line.
    pub fn facts(&self, task: Task) -> Option<String> {
        self.in_use.of(task).first().map(|model| facts(&model.card, task))
    }

    /// Names of the library's models for a task, and whether each is the one in use.
    pub fn choices(&self, task: Task) -> Vec<(&str, bool)> {
        let names = self.known.iter().filter(|known| known.tasks.contains(&task)).map(|known| known.name.as_str());
        let in_use = self.in_use.of(task);
        names.map(|name| (name, matches!(in_use, [only] if only.card.name == name))).collect()
    }

    /// Everything that the cards say, for those who want to know.
    pub fn details(&self, task: Task) -> String {
        let cards: Vec<String> = self.in_use.of(task).iter().map(|model| details(&model.card)).collect();
        cards.join("\n\n")
    }
}

fn facts(card: &ModelCard, task: Task) -> String {
    let accuracy = card.accuracy_of(task).next().map(|accuracy| {
        let value =
            if accuracy.value < 1.0 { format!("{:.2}", accuracy.value) } else { format!("{:.1}", accuracy.value) };
        format!("{} {value}", accuracy.measure)
    });
    match accuracy {
        Some(accuracy) => format!("{accuracy} · {}", card.licence),
        None => card.licence.clone(),
    }
}

fn details(card: &ModelCard) -> String {
    use std::fmt::Write as _;
    let mut text = format!(
        "{}\nLicence: {}\nSource: {}\nTrained on: {}",
        card.name, card.licence, card.source, card.training_data
    );
    for accuracy in &card.accuracy {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n{} on {}: {}", accuracy.measure, accuracy.data, accuracy.value);
    }
    if !card.notes.is_empty() {
        let _ = write!(text, "\n{}", card.notes);
    }
    text
}

/// Files as they are named to the user.
pub(crate) fn files_text(files: &[PathBuf]) -> String {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use facelens_core::model::Accuracy;

    use super::*;
    use crate::app::fake::model;

    fn shipped() -> ModelSet {
        ModelSet { age: vec![model("shipped-age", Task::Age)], ..ModelSet::default() }
    }

    #[test]
    fn files_stay_in_use_when_the_shipped_models_come_later() {
        let mut models = Models::waiting();
        assert!(!models.is_missing(Task::Pose), "something may still come");
        assert!(models.take(1, Task::Age, &[model("mine", Task::Age)]));
        models.take_shipped(shipped());
        assert_eq!(models.names(Task::Age).as_deref(), Some("mine"));
        assert!(models.is_missing(Task::Pose));
        models.use_shipped(Task::Age, 1);
        assert_eq!(models.names(Task::Age).as_deref(), Some("shipped-age"));
        assert!(!models.is_own(Task::Age));
    }

    #[test]
    fn a_model_for_two_tasks_shows_each_task_its_own_figure() {
        let mut pair = Arc::unwrap_or_clone(model("pair", Task::Age));
        pair.card.tasks = vec![Task::Age, Task::Gender];
        let figure = |measure: &str, value, task| Accuracy { measure: measure.into(), data: "x".into(), value, task };
        pair.card.accuracy =
            vec![figure("MAE in years", 6.9, Some(Task::Age)), figure("right genders", 0.91, Some(Task::Gender))];
        let mut models = Models::default();
        let pair = Arc::new(pair);
        models.take(1, Task::Age, &[Arc::clone(&pair)]);
        models.take(1, Task::Gender, &[pair]);
        assert_eq!(models.facts(Task::Age).as_deref(), Some("MAE in years 6.9 · MIT"));
        assert_eq!(models.facts(Task::Gender).as_deref(), Some("right genders 0.91 · MIT"));
        models.known = vec![
            Known { name: "pair".into(), tasks: vec![Task::Age, Task::Gender] },
            Known { name: "old".into(), tasks: vec![Task::Gender] },
        ];
        assert_eq!(models.choices(Task::Age), [("pair", true)]);
        assert_eq!(models.choices(Task::Gender), [("pair", true), ("old", false)]);
    }

    #[test]
    fn a_choice_that_loads_slowly_does_not_push_out_a_later_one() {
        let mut models = Models::default();
        for (number, task) in [(1, Some(Task::Age)), (2, Some(Task::Age)), (3, None)] {
            models.start_loading(number, task);
        }
        assert!(models.take(2, Task::Age, &[model("second", Task::Age)]));
        models.end_loading(2);
        assert!(models.is_loading(Task::Age), "two more are on their way");
        assert!(!models.take(1, Task::Age, &[model("first", Task::Age)]));
        models.end_loading(1);
        assert_eq!(models.names(Task::Age).as_deref(), Some("second"));
        assert!(models.is_loading(Task::Pose), "files without a task may be for any");
        assert!(models.take(3, Task::Age, &[model("third", Task::Age)]));
        models.end_loading(3);
        assert!(!Task::ALL.into_iter().any(|task| models.is_loading(task)));

        models.start_loading(4, Some(Task::Age));
        models.use_shipped(Task::Age, 4);
        assert!(!models.take(4, Task::Age, &[model("fourth", Task::Age)]), "the shipped one was chosen after it");
        assert!(models.take(5, Task::Age, &[model("fifth", Task::Age)]));
    }

    #[test]
    fn averaged_models_are_named_together() {
        let mut models = Models::default();
        models.take(1, Task::Pose, &[model("a", Task::Pose), model("b", Task::Pose)]);
        assert_eq!(models.names(Task::Pose).as_deref(), Some("a + b"));
        assert_eq!(models.facts(Task::Pose).as_deref(), Some("MAE in degrees 5.1 · MIT"));
        assert!(models.details(Task::Pose).contains("Trained on: 300W-LP"));
    }
}
