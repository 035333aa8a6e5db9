//! Models that are ready to run, and the sets that the estimator runs.

use std::path::Path;
use std::sync::Arc;

use super::error::{ModelError, ModelErrorKind};
use super::{Answers, ModelCard, Net, Task};

/// One model, ready to run: a card and a network for each of its files (their outputs are averaged).
#[derive(Clone, Debug)]
pub struct TaskModel {
    /// The card; preprocessing belongs to it.
    pub card: ModelCard,
    /// One network per file.
    pub nets: Vec<Net>,
}

impl TaskModel {
    /// Prepares a card's networks from its files: bytes and name of each, in the card's order.
    ///
    /// # Errors
    /// `HashMismatch` where a file is not the card's, `WrongShape` where its output is not what the card says, and those
    /// of [`Net::from_onnx`].
    pub fn prepare(card: ModelCard, files: &[(&[u8], &Path)]) -> Result<Self, ModelError> {
        let mut nets = Vec::with_capacity(files.len());
        for (index, (onnx, file)) in files.iter().enumerate() {
            card.verify(index, onnx, file)?;
            let net = Net::from_onnx(onnx, &card.input, file)?;
            card.check_output(&net, file)?;
            nets.push(net);
        }
        if nets.is_empty() {
            return Err(ModelError::new(ModelErrorKind::BadCard, &card.name, "it has no files", "import it again"));
        }
        Ok(Self { card, nets })
    }

    /// What it says of one prepared input, averaged over its networks (FSA-Net's fusion).
    ///
    /// # Errors
    /// Words for the log where a network fails.
    pub fn answers(&self, input: &[f32]) -> Result<Answers, String> {
        let each = self.nets.iter().map(|net| self.card.answers(net, &net.run(input)?));
        let mut answers = Answers::mean(&each.collect::<Result<Vec<_>, _>>()?);
        if let Some(calibration) = &self.card.calibration {
            let Answers { age_years, age_scale_years, male_score, .. } = answers;
            answers.age_range = age_years.and_then(|years| calibration.range(years, age_scale_years));
            answers.male_chance = male_score.and_then(|score| calibration.chance(score, age_years));
        }
        Ok(answers)
    }

    /// Whether `other` gives the same answers: the same files, shown the same part of the picture in the same way.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let (a, b) = (&self.card, &other.card);
        a.sha256 == b.sha256
            && a.input == b.input
            && a.crop == b.crop
            && a.output == b.output
            && a.select == b.select
            && a.calibration == b.calibration
    }
}

/// The models in use. Several models under one task are averaged, each with its own preprocessing. One model may stand
/// under several tasks; it runs once for all of them.
#[derive(Clone, Debug, Default)]
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

    /// Replaces the models of one task. One that is in use for another task already is kept in memory once.
    pub fn set(&mut self, task: Task, mut models: Vec<Arc<TaskModel>>) {
        for model in &mut models {
            let others = Task::ALL.into_iter().filter(|other| *other != task);
            let known = others.flat_map(|other| self.of(other)).find(|known| known.card == model.card);
            if let Some(known) = known {
                *model = Arc::clone(known);
            }
        }
        match task {
            Task::Age => self.age = models,
            Task::Gender => self.gender = models,
            Task::Pose => self.pose = models,
        }
    }

    /// Each model once, with the tasks that it is in use for, in the order of [`Task::ALL`].
    pub fn distinct(&self) -> Vec<(Arc<TaskModel>, Vec<Task>)> {
        let mut distinct: Vec<(Arc<TaskModel>, Vec<Task>)> = Vec::new();
        for task in Task::ALL {
            for model in self.of(task) {
                match distinct.iter_mut().find(|(known, _)| known.is_same_as(model)) {
                    Some((_, tasks)) if tasks.contains(&task) => {}
                    Some((_, tasks)) => tasks.push(task),
                    None => distinct.push((Arc::clone(model), vec![task])),
                }
            }
        }
        distinct
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OutputForm;
    use crate::model::graphs::{small, small_card, small_pair};

    #[test]
    fn the_files_of_a_model_are_averaged() {
        let one = small(&[1, 3, 8, 8]);
        let other = one.clone().change(|graph| graph.initializer[2].raw_data.fill(0));
        let (one, other) = (one.bytes(), other.bytes());
        let mut card = small_card("pair");
        card.files = vec!["a.onnx".into(), "b.onnx".into()];
        card.sha256 = vec![crate::model::sha256_hex(&one), crate::model::sha256_hex(&other)];
        let files: [(&[u8], &Path); 2] = [(&one, Path::new("a.onnx")), (&other, Path::new("b.onnx"))];
        let model = TaskModel::prepare(card, &files).unwrap();
        let input = [0.5; 192];
        let alone = model.nets[0].run(&input).unwrap()[0];
        assert_ne!(alone, 0.0);
        assert_eq!(model.nets[1].run(&input).unwrap(), [0.0]);
        assert_eq!(model.answers(&input).unwrap(), Answers { age_years: Some(alone / 2.0), ..Answers::default() });
    }

    #[test]
    fn a_model_for_two_tasks_stands_under_both_and_is_one() {
        let (one, again) = (Arc::new(small_pair()), Arc::new(small_pair()));
        let other = |margin| {
            let mut model = small_pair();
            model.card.crop.margin = margin;
            Arc::new(model)
        };
        let mut set = ModelSet::default();
        set.set(Task::Age, vec![Arc::clone(&one), other(0.25)]);
        set.set(Task::Gender, vec![again, other(0.75)]);
        assert!(Arc::ptr_eq(&set.gender[0], &one), "kept in memory once");
        let tasks: Vec<_> = set.distinct().into_iter().map(|(model, tasks)| (model.card.crop.margin, tasks)).collect();
        let expected = [(0.0, vec![Task::Age, Task::Gender]), (0.25, vec![Task::Age]), (0.75, vec![Task::Gender])];
        assert_eq!(tasks, expected);
        set.set(Task::Gender, vec![Arc::clone(&one), Arc::clone(&one)]);
        assert_eq!(set.distinct().len(), 2);
    }

    #[test]
    fn an_output_that_is_not_the_cards_is_refused() {
        let onnx = small(&[1, 3, 8, 8]).bytes();
        let mut card = small_card("six");
        card.tasks = vec![Task::Pose];
        card.output = OutputForm::Rotation6d { axes: None, maps: None };
        let error = TaskModel::prepare(card, &[(&onnx, Path::new("six.onnx"))]).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::WrongShape);
        assert!(error.to_string().contains("gives 1 numbers where the card's output form has 6"), "{error}");
    }
}
