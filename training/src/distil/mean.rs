//! Means with their intervals.

use std::fmt;

use serde::Serialize;

/// A mean with the 95 % interval in which the mean over all such faces probably lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// z of a two-sided 95 % interval.
const Z: f64 = 1.96;

impl Mean {
    /// Of measured values, with the normal interval, as `facelens eval` reckons it; `None` of no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let half = Z * (variance / n).sqrt();
        Some(Self { mean, low: mean - half, high: mean + half })
    }
}

impl fmt::Display for Mean {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{:.2} ({:.2}-{:.2})", self.mean, self.low, self.high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_normal_one() {
        let mean = Mean::of(&[1.0, 2.0, 3.0, 4.0]).unwrap();
        // The variance is 5/3, so the mean's standard error is 0.6455.
        assert!((mean.mean - 2.5).abs() < 1e-12);
        assert!((mean.high - 2.5 - 1.96 * 0.645_497).abs() < 1e-5);
        assert!((mean.mean - mean.low - (mean.high - mean.mean)).abs() < 1e-12);
        assert_eq!(Mean::of(&[]), None);
        assert_eq!(format!("{mean:>18}"), "  2.50 (1.23-3.77)");
    }
}
