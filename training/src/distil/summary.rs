//! What the labels of a set are like.

use std::fmt;

use super::TeacherLabel;

/// The labels of a set, for a look at them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Faces that got no pose because their views disagree.
    pub unsure: usize,
    yaw: Vec<f32>,
    pitch: Vec<f32>,
    roll: Vec<f32>,
    spread: Vec<f32>,
}

/// How numbers are distributed: the share of them below each is 5, 25, 50, 75 and 95 per cent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Distribution {
    /// The five quantiles.
    pub quantiles: [f32; 5],
}

impl Distribution {
    /// Of these numbers; all 0 of none.
    pub fn of(numbers: &[f32]) -> Self {
        let mut sorted = numbers.to_vec();
        sorted.sort_by(f32::total_cmp);
        let at = |share: f32| {
            let place = (share * sorted.len().saturating_sub(1) as f32).round() as usize;
            sorted.get(place).copied().unwrap_or_default()
        };
        Self { quantiles: [0.05, 0.25, 0.5, 0.75, 0.95].map(at) }
    }
}

impl Summary {
    /// How many faces have a label.
    pub fn len(&self) -> usize {
        self.yaw.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.yaw.is_empty()
    }

    pub(super) fn push(&mut self, label: &TeacherLabel) {
        self.yaw.push(label.pose.yaw);
        self.pitch.push(label.pose.pitch);
        self.roll.push(label.pose.roll);
        self.spread.push(label.spread);
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} faces labelled, {} not, as unsure", self.len(), self.unsure)?;
        writeln!(f, "{:8}{:>8}{:>8}{:>8}{:>8}{:>8}", "degrees", "5 %", "25 %", "50 %", "75 %", "95 %")?;
        for (name, numbers) in
            [("yaw", &self.yaw), ("pitch", &self.pitch), ("roll", &self.roll), ("spread", &self.spread)]
        {
            write!(f, "{name:8}")?;
            for quantile in Distribution::of(numbers).quantiles {
                write!(f, "{quantile:8.1}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_numbers() {
        let numbers: Vec<f32> = (0..=100).rev().map(|i| i as f32).collect();
        assert_eq!(Distribution::of(&numbers).quantiles, [5.0, 25.0, 50.0, 75.0, 95.0]);
        assert_eq!(Distribution::of(&[3.0]).quantiles, [3.0; 5]);
        assert_eq!(Distribution::of(&[]), Distribution::default());
    }
}
