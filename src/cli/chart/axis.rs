//! A value axis: its range and where its ticks are.

/// A value axis from `low` to `high`, with ticks at round values.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct ChartAxis {
    pub low: f64,
    pub high: f64,
    pub ticks: Vec<f64>,
}

/// About as many ticks as a panel has room for.
const TICKS: f64 = 5.0;

impl ChartAxis {
    /// An axis that shows 0 and all of `values`, and ends at a tick on the sides where there are any.
    pub fn around(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = values
            .filter(|value| value.is_finite())
            .fold((0.0_f64, 0.0_f64), |(low, high), value| (low.min(value), high.max(value)));
        let high = if high > low { high } else { 1.0 };
        let step = round_step((high - low) / TICKS);
        let (first, last) = ((low / step).floor(), (high / step).ceil().max((low / step).floor() + 1.0));
        // Counted in whole steps, so that no tick is off by a rounding error; a handful at most.
        let ticks: Vec<f64> = (first as i64..=last as i64).map(|tick| tick as f64 * step).collect();
        Self { low: first * step, high: last * step, ticks }
    }

    /// From 0 to 100 %.
    pub fn percent() -> Self {
        Self { low: 0.0, high: 1.0, ticks: (0..=5).map(|tick| f64::from(tick) / 5.0).collect() }
    }

    /// Where a value lies between the ends: 0 to 1.
    pub fn place(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// Decimals that tell the ticks apart.
    pub fn decimals(&self) -> usize {
        let step = self.ticks.get(1).zip(self.ticks.first()).map_or(1.0, |(second, first)| second - first);
        (-step.log10()).ceil().max(0.0) as usize
    }
}

/// The next of 1, 2, 5, 10, ... times a power of ten.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        .find(|round| *round >= step * 0.999)
        .unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(values: &[f64]) -> Vec<f64> {
        ChartAxis::around(values.iter().copied()).ticks
    }

    #[test]
    fn ticks_are_round_and_hold_all_values() {
        assert_eq!(ticks(&[14.2, 33.0]), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert_eq!(ticks(&[-32.0, 28.0]), [-40.0, -20.0, 0.0, 20.0, 40.0]);
        assert_eq!(ticks(&[-3.0]), [-3.0, -2.0, -1.0, 0.0]);
        assert_eq!(ticks(&[f64::NAN, 0.0]).len(), 6);
        assert_eq!(ChartAxis::around([0.34].into_iter()).decimals(), 1);
        assert_eq!(ChartAxis::around([14.0].into_iter()).decimals(), 0);
    }

    #[test]
    fn a_value_has_its_place_between_the_ends() {
        let axis = ChartAxis::around([-10.0, 10.0].into_iter());
        assert_eq!((axis.place(axis.low), axis.place(0.0), axis.place(1e9)), (0.0, 0.5, 1.0));
        assert_eq!(ChartAxis::percent().place(0.25), 0.25);
    }
}
