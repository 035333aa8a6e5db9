//! Models that are ready to run, and the sets that the estimator runs.

use std::path::Path;
use std::sync::Arc;

use super::error::{ModelError, ModelErrorKind};
use super::{ModelCard, Net, Task};
use crate::geometry::Pose;

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
    /// `HashMismatch` where a file is not the card's, `WrongShape` where its output is not the card's form, and those
    /// of [`Net::from_onnx`].
    pub fn prepare(card: ModelCard, files: &[(&[u8], &Path)]) -> Result<Self, ModelError> {
        let mut nets = Vec::with_capacity(files.len());
        for (index, (onnx, file)) in files.iter().enumerate() {
            card.verify(index, onnx, file)?;
            let net = Net::from_onnx(onnx, &card.input, file)?;
            if net.output_len() != card.output.len() {
                return Err(ModelError::new(
                    ModelErrorKind::WrongShape,
                    file,
                    format!(
                        "it gives {} numbers where the card's output form has {}",
                        net.output_len(),
                        card.output.len()
                    ),
                    "correct `output` in the card",
                ));
            }
            nets.push(net);
        }
        if nets.is_empty() {
            return Err(ModelError::new(ModelErrorKind::BadCard, &card.name, "it has no files", "import it anew"));
        }
        Ok(Self { card, nets })
    }

    /// Age in years or male score for one prepared input, averaged over the networks, not clamped.
    ///
    /// # Errors
    /// Words for the log where a network fails or the model is for head pose.
    pub fn scalar(&self, input: &[f32]) -> Result<f32, String> {
        let mut sum = 0.0;
        for net in &self.nets {
            sum += self.card.output.decode_scalar(&net.run(input)?)?;
        }
        Ok(sum / self.nets.len() as f32)
    }

    /// Head pose for one prepared input, each angle averaged over the networks (FSA-Net's fusion).
    ///
    /// # Errors
    /// Words for the log where a network fails or the model is for another task.
    pub fn pose(&self, input: &[f32]) -> Result<Pose, String> {
        let mut sum = Pose::default();
        for net in &self.nets {
            let pose = self.card.output.decode_pose(&net.run(input)?)?;
            sum = Pose { yaw: sum.yaw + pose.yaw, pitch: sum.pitch + pose.pitch, roll: sum.roll + pose.roll };
        }
        let count = self.nets.len() as f32;
        Ok(Pose { yaw: sum.yaw / count, pitch: sum.pitch / count, roll: sum.roll / count })
    }
}

/// The models in use. Several models under one task are averaged, each with its own preprocessing.
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

    /// Replaces the models of one task.
    pub fn set(&mut self, task: Task, models: Vec<Arc<TaskModel>>) {
        match task {
            Task::Age => self.age = models,
            Task::Gender => self.gender = models,
            Task::Pose => self.pose = models,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::OutputForm;
    use crate::model::graphs::{small, small_card};

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
        assert_eq!(model.scalar(&input).unwrap(), alone / 2.0);
        assert!(model.pose(&input).is_err());
    }

    #[test]
    fn an_output_that_is_not_the_cards_is_refused() {
        let onnx = small(&[1, 3, 8, 8]).bytes();
        let mut card = small_card("six");
        card.task = Task::Pose;
        card.output = OutputForm::Rotation6d;
        let error = TaskModel::prepare(card, &[(&onnx, Path::new("six.onnx"))]).unwrap_err();
        assert_eq!(error.kind, ModelErrorKind::WrongShape);
        assert!(error.to_string().contains("gives 1 numbers where the card's output form has 6"), "{error}");
    }
}
