//! The history of a run: one row for each epoch, as CSV and as a line for people.

use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{RunError, write_whole};
use super::validate::Figures;

/// What is known after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    /// From 1.
    pub(super) epoch: usize,
    /// Of its last step.
    pub(super) learning_rate: f64,
    /// Mean over its steps.
    pub(super) loss: f64,
    /// Mean over its steps of the norm of all gradients together, before it is shortened to `schedule.clip_norm`.
    #[serde(default)]
    pub(super) gradient_norm: f64,
    /// How long its steps took.
    pub(super) seconds: f64,
    /// Faces learned from in a second.
    pub(super) images_per_second: f64,
    /// Name and figures of each validation set.
    pub(super) sets: Vec<(String, Figures)>,
}

/// Writes `history.csv` into the run's folder.
pub(super) fn write(run: &Path, rows: &[Row]) -> Result<(), RunError> {
    let file = run.join("history.csv");
    let text = csv(rows).map_err(|cause| RunError::io(&file, "written", cause))?;
    write_whole(&file, &text)
}

fn csv(rows: &[Row]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for (index, row) in rows.iter().enumerate() {
        let mut cells = vec![
            ("epoch".to_owned(), row.epoch.to_string()),
            ("learning_rate".to_owned(), format!("{:.3e}", row.learning_rate)),
            ("loss".to_owned(), format!("{:.5}", row.loss)),
            ("gradient_norm".to_owned(), format!("{:.4}", row.gradient_norm)),
            ("seconds".to_owned(), format!("{:.1}", row.seconds)),
            ("images_per_second".to_owned(), format!("{:.1}", row.images_per_second)),
        ];
        for (name, figures) in &row.sets {
            let named =
                figures.cells().into_iter().map(|(cell, value)| (format!("{name}_{cell}"), format!("{value:.4}")));
            cells.extend(named);
        }
        if index == 0 {
            writer.write_record(cells.iter().map(|(name, _)| name))?;
        }
        writer.write_record(cells.iter().map(|(_, value)| value))?;
    }
    Ok(writer.into_inner()?)
}

impl Row {
    /// The row in one line.
    pub(super) fn line(&self, epochs: usize) -> String {
        let mut line = format!(
            "epoch {}/{epochs}: loss {:.4}, {:.0} s, {:.0} faces/s",
            self.epoch, self.loss, self.seconds, self.images_per_second
        );
        for (name, figures) in &self.sets {
            // Writing into a text does not fail.
            let _ = write!(line, "; {name}: {figures}");
        }
        line
    }
}
