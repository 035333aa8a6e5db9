//! The history of a run: one row for each epoch, as CSV and as a line for people.

use std::fmt::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::{RunError, write_whole};
use super::validate::Figures;

/// What is known after an epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaceEpoch {
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
pub(super) fn write(run: &Path, rows: &[FaceEpoch]) -> Result<(), RunError> {
    let file = run.join("history.csv");
    let text = csv(rows).map_err(|cause| RunError::io(&file, "written", cause))?;
    write_whole(&file, &text)
}

fn csv(rows: &[FaceEpoch]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    table(&rows.iter().map(FaceEpoch::cells).collect::<Vec<_>>())
}

/// A table as CSV, from the names and values of each row.
pub(crate) fn table(rows: &[Vec<(String, String)>]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // The last row has every column: a run that an earlier version began lacks some before.
    let names: Vec<&str> = rows.last().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
    if !names.is_empty() {
        writer.write_record(&names)?;
    }
    for cells in rows {
        let of = |name: &&str| cells.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str());
        writer.write_record(names.iter().map(of))?;
    }
    Ok(writer.into_inner()?)
}

impl FaceEpoch {
    /// Names and values for a table.
    fn cells(&self) -> Vec<(String, String)> {
        let mut cells = vec![
            ("epoch".to_owned(), self.epoch.to_string()),
            ("learning_rate".to_owned(), format!("{:.3e}", self.learning_rate)),
            ("loss".to_owned(), format!("{:.5}", self.loss)),
            ("gradient_norm".to_owned(), format!("{:.4}", self.gradient_norm)),
            ("seconds".to_owned(), format!("{:.1}", self.seconds)),
            ("images_per_second".to_owned(), format!("{:.1}", self.images_per_second)),
        ];
        for (name, figures) in &self.sets {
            let named =
                figures.cells().into_iter().map(|(cell, value)| (format!("{name}_{cell}"), format!("{value:.4}")));
            cells.extend(named);
        }
        cells
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_of_an_earlier_version_have_empty_cells_for_what_came_later() {
        let row = |epoch, pose_geodesic| FaceEpoch {
            epoch,
            learning_rate: 1e-3,
            loss: 0.5,
            gradient_norm: 1.0,
            seconds: 2.0,
            images_per_second: 3.0,
            sets: vec![(
                "val".to_owned(),
                Figures { pose: Some([1.0, 2.0, 3.0]), pose_geodesic, ..Figures::default() },
            )],
        };
        let text = String::from_utf8(csv(&[row(1, None), row(2, Some(4.5))]).unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("val_roll_mae,val_pose_geodesic"), "{text}");
        assert!(lines[1].ends_with("3.0000,") && lines[2].ends_with("3.0000,4.5000"), "{text}");
        assert!(csv(&[]).unwrap().is_empty());
    }
}
