//! The history of a run: one row for each epoch, as CSV and as a line for people.

use std::fmt::Display;
use std::path::Path;
use std::time::Instant;

use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

use super::error::{RunError, write_whole};
use super::step::Met;

/// What a validation comes to.
pub(crate) trait EpochFigures: Display {
    /// Names and values for a table.
    fn cells(&self) -> Vec<(&'static str, f64)>;
}

/// What is known after an epoch; `F` are the figures of a validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Epoch<F> {
    /// From 1.
    pub(super) epoch: usize,
    /// Of its last step.
    pub(super) learning_rate: f64,
    /// Mean over its steps.
    pub(crate) loss: f64,
    /// Mean over its steps of the norm of all gradients together, before it is shortened to `schedule.clip_norm`.
    #[serde(default)]
    pub(super) gradient_norm: f64,
    /// How long its steps took.
    pub(super) seconds: f64,
    /// Faces, crops or images learned from in a second. Runs of earlier versions have the other names.
    #[serde(rename = "images_per_second", alias = "crops_per_second")]
    pub(super) samples_per_second: f64,
    /// Name and figures of each validation set.
    pub(crate) sets: Vec<(String, F)>,
}

/// Writes `history.csv` into the run's folder; `samples` is what is learnt from, in the plural.
pub(super) fn write<F: EpochFigures>(run: &Path, rows: &[Epoch<F>], samples: &str) -> Result<(), RunError> {
    let file = run.join("history.csv");
    let text = csv(rows, samples).map_err(|cause| RunError::io(&file, "written", cause))?;
    write_whole(&file, &text)
}

fn csv<F: EpochFigures>(rows: &[Epoch<F>], samples: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    table(&rows.iter().map(|row| row.cells(samples)).collect::<Vec<_>>())
}

/// A table as CSV, from the names and values of each row.
fn table(rows: &[Vec<(String, String)>]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
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

impl<F: EpochFigures> Epoch<F> {
    /// Names and values for a table.
    fn cells(&self, samples: &str) -> Vec<(String, String)> {
        let mut cells = vec![
            ("epoch".to_owned(), self.epoch.to_string()),
            ("learning_rate".to_owned(), format!("{:.3e}", self.learning_rate)),
            ("loss".to_owned(), format!("{:.5}", self.loss)),
            ("gradient_norm".to_owned(), format!("{:.4}", self.gradient_norm)),
            ("seconds".to_owned(), format!("{:.1}", self.seconds)),
            (format!("{samples}_per_second"), format!("{:.1}", self.samples_per_second)),
        ];
        for (name, figures) in &self.sets {
            let named = figures.cells().into_iter();
            cells.extend(named.map(|(cell, value)| (format!("{name}_{cell}"), format!("{value:.4}"))));
        }
        cells
    }

    /// The row in one line.
    pub(super) fn line(&self, epochs: usize, samples: &str) -> String {
        let sets: String = self.sets.iter().map(|(name, figures)| format!("; {name}: {figures}")).collect();
        let Self { epoch, loss, seconds, samples_per_second, .. } = self;
        format!("epoch {epoch}/{epochs}: loss {loss:.4}, {seconds:.0} s, {samples_per_second:.0} {samples}/s{sets}")
    }
}

/// The steps of an epoch, as they are made.
pub(super) struct EpochSteps {
    /// From 1.
    epoch: usize,
    started: Instant,
    steps: usize,
    losses: f64,
    norms: f64,
}

impl EpochSteps {
    /// Of epoch `epoch`, counted from 1, which begins now.
    pub(super) fn start(epoch: usize) -> Self {
        Self { epoch, started: Instant::now(), steps: 0, losses: 0.0, norms: 0.0 }
    }

    /// Counts what a step met.
    ///
    /// # Errors
    /// Where the loss or the gradients are not finite numbers.
    pub(super) fn note(&mut self, met: Met, bar: &ProgressBar) -> Result<(), RunError> {
        self.steps += 1;
        for (what, value) in [("loss", met.loss), ("gradient", met.gradient)] {
            if !value.is_finite() {
                return Err(RunError::NotFinite { what, value, epoch: self.epoch, step: self.steps });
            }
        }
        self.losses += f64::from(met.loss);
        self.norms += f64::from(met.gradient);
        bar.inc(1);
        bar.set_message(format!("epoch {}, loss {:.4}", self.epoch, self.losses / self.steps as f64));
        Ok(())
    }

    /// What is known after the last step, without validations.
    pub(super) fn finish<F>(self, learning_rate: f64, samples: usize) -> Epoch<F> {
        let (seconds, steps) = (self.started.elapsed().as_secs_f64(), self.steps as f64);
        Epoch {
            epoch: self.epoch,
            learning_rate,
            loss: self.losses / steps,
            gradient_norm: self.norms / steps,
            seconds,
            samples_per_second: samples as f64 / seconds.max(1e-9),
            sets: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Figures;

    #[test]
    fn epochs_that_earlier_versions_kept_can_be_read() {
        let kept = |more: &str| {
            let text = format!(r#"{{"epoch":2,"learning_rate":0.1,"loss":0.5,"seconds":4.0,"sets":[],{more}}}"#);
            serde_json::from_str::<Epoch<Figures>>(&text)
        };
        let faces = kept(r#""images_per_second":3.0,"gradient_norm":1.5"#).unwrap();
        assert_eq!((faces.samples_per_second, faces.gradient_norm), (3.0, 1.5));
        let follow = kept(r#""crops_per_second":7.0"#).unwrap();
        assert_eq!((follow.samples_per_second, follow.gradient_norm), (7.0, 0.0));
        assert!(kept(r#""images_per_second":3.0,"x":1"#).is_err());
    }

    #[test]
    fn epochs_of_an_earlier_version_have_empty_cells_for_what_came_later() {
        let row = |epoch, pose_geodesic| Epoch {
            epoch,
            learning_rate: 1e-3,
            loss: 0.5,
            gradient_norm: 1.0,
            seconds: 2.0,
            samples_per_second: 3.0,
            sets: vec![(
                "val".to_owned(),
                Figures { pose: Some([1.0, 2.0, 3.0]), pose_geodesic, ..Figures::default() },
            )],
        };
        let text = String::from_utf8(csv(&[row(1, None), row(2, Some(4.5))], "images").unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].ends_with("val_roll_mae,val_pose_geodesic"), "{text}");
        assert!(lines[1].ends_with("3.0000,") && lines[2].ends_with("3.0000,4.5000"), "{text}");
        assert!(csv::<Figures>(&[], "images").unwrap().is_empty());
    }
}
