//! How likely an age is: a logistic distribution around the estimate, whose scale the network gives, too.
//!
//! A label is an interval: a bin of years, open or not, or a known age to half a year. Its likelihood is the share of the
//! distribution in it, `S((high - y) / s) - S((low - y) / s)` with the sigmoid S (interval-censored regression). So a bin is a
//! bin: nothing says where in it the age is, and nothing pulls to its middle but that the rest of the distribution should be
//! inside, too.

use burn::tensor::{Tensor, TensorData};
use facelens_core::model::LOG_SCALES;

use super::loss::log_one_plus_exp;
use crate::data::{AgeHint, AgeRange};

/// Upper end of an open bin, years: so far beyond every age that nothing of a distribution lies above.
const OPEN_YEARS: f32 = 1000.0;
/// Half of the width of a known age, years.
const HALF_YEAR: f32 = 0.5;
/// Least width of a hint, years.
const LEAST_HINT_YEARS: f32 = 1.0;
/// What counts 1, in nats. At a scale of 4 years an estimate far off pulls as hard as an absolute error then.
pub(super) const UNIT_NATS: f32 = 8.0;

/// The ages of a batch: for each picture its bin and the hint inside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ages {
    bins: Intervals,
    hints: Intervals,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Intervals {
    low: Vec<f32>,
    high: Vec<f32>,
    weight: Vec<f32>,
}

impl Intervals {
    fn push(&mut self, low: f32, high: f32, weight: f32) {
        self.low.push(low);
        self.high.push(high);
        self.weight.push(weight);
    }

    /// The sum of weight times negative logarithm of the likelihood, over the rows from `first` on.
    fn loss(&self, first: usize, years: &Tensor<2>, scale: &Tensor<2>) -> Option<Tensor<1>> {
        let rows = years.dims()[0];
        let column = |numbers: &[f32]| -> Tensor<2> {
            let numbers = numbers[first..first + rows].to_vec();
            Tensor::from_data(TensorData::new(numbers, [rows, 1]), &years.device())
        };
        if self.weight[first..first + rows].iter().all(|weight| *weight == 0.0) {
            return None;
        }
        let (low, high) = (column(&self.low), column(&self.high));
        let below = (low.clone() - years.clone()) / scale.clone();
        let above = (high.clone() - years.clone()) / scale.clone();
        // S(b) - S(a) = S(b) S(-a) (1 - exp(a - b)), of which no factor loses digits.
        let width = ((high - low) / scale.clone()).clamp_max(80.0);
        let inside = (width.neg().exp().neg() + 1.0).log();
        let cost = log_one_plus_exp(above.neg()) + log_one_plus_exp(below) - inside;
        Some((cost * column(&self.weight)).sum())
    }
}

impl Ages {
    /// Adds a picture; the label counts `weight`, of which a share of `hinting` goes to a sure hint.
    pub(super) fn push(&mut self, age: Option<AgeRange>, hint: Option<AgeHint>, weight: f32, hinting: f32) {
        let Some(AgeRange { min, max }) = age else {
            self.bins.push(0.0, 1.0, 0.0);
            return self.hints.push(0.0, 1.0, 0.0);
        };
        let (low, high) = match max {
            Some(max) if max > min => (min, max),
            Some(_) => (min - HALF_YEAR, min + HALF_YEAR),
            None => (min, OPEN_YEARS),
        };
        let share = hint.map_or(0.0, |hint| hinting * hint.weight.clamp(0.0, 1.0));
        self.bins.push(low, high, weight * (1.0 - share));
        let hint = hint.map_or((low, high), |hint| {
            // Inside the bin, and as wide as a guess at least.
            let (from, to) = (hint.min.clamp(low, high), hint.max.clamp(low, high));
            let widen = (LEAST_HINT_YEARS - (to - from)).max(0.0) / 2.0;
            (from - widen, to + widen)
        });
        self.hints.push(hint.0, hint.1, weight * share);
    }

    /// Ends a batch: the loss becomes a mean over the faces that have an age.
    pub(super) fn finish(&mut self) {
        let Self { bins, hints } = self;
        let known = bins.weight.iter().zip(&hints.weight).filter(|(bin, hint)| **bin + **hint > 0.0).count().max(1);
        for weight in bins.weight.iter_mut().chain(&mut hints.weight) {
            *weight /= known as f32;
        }
    }

    /// The loss of the rows from `first` on. `years` and the logarithm of the scale are `[rows, 1]`.
    pub(super) fn loss(&self, first: usize, years: &Tensor<2>, log_scale: Tensor<2>) -> Option<Tensor<1>> {
        // Within the scales that an age has; a quarter of the pull goes on beyond, so that a scale never sticks there.
        let within = log_scale.clone().clamp(*LOG_SCALES.start(), *LOG_SCALES.end());
        let beyond = (log_scale - within.clone()).abs().sum() * (0.25 / UNIT_NATS / years.dims()[0] as f32);
        let scale = within.exp();
        let parts = [self.bins.loss(first, years, &scale), self.hints.loss(first, years, &scale)];
        parts.into_iter().flatten().reduce(|a, b| a + b).map(|loss| loss + beyond)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn sigmoid(x: f64) -> f64 {
        1.0 / (1.0 + (-x).exp())
    }

    fn nats(age: AgeRange, hint: Option<AgeHint>, hinting: f32, years: f32, log_scale: f32) -> f64 {
        let mut ages = Ages::default();
        ages.push(Some(age), hint, 1.0, hinting);
        ages.push(None, None, 1.0, hinting);
        ages.finish();
        let column = |x: f32| Tensor::from_data(TensorData::new(vec![x, 900.0], [2, 1]), &Device::flex());
        let log_scale = Tensor::from_data(TensorData::new(vec![log_scale, 0.0], [2, 1]), &Device::flex());
        f64::from(ages.loss(0, &column(years), log_scale).unwrap().into_scalar::<f32>())
    }

    #[test]
    fn a_bin_costs_what_of_the_distribution_lies_outside() {
        for (low, high, years, scale) in
            [(20.0, 30.0, 25.0, 4.0), (20.0, 30.0, 45.0, 4.0), (0.0, 3.0, 1.0, 1.0), (20.0, 30.0, 120.0, 2.0)]
        {
            let (a, b) = ((low - years) / scale, (high - years) / scale);
            let expected = -(sigmoid(b) - sigmoid(a)).ln();
            let age = AgeRange { min: low as f32, max: Some(high as f32) };
            let found = nats(age, None, 0.0, years as f32, (scale as f32).ln());
            assert!((found - expected).abs() < 1e-4 * expected.max(1.0), "{years}: {found} instead of {expected}");
        }
        // An open bin: what lies below costs, and nothing above, however far.
        let open = AgeRange { min: 70.0, max: None };
        let expected = -sigmoid(-(70.0 - 64.0) / 4.0_f64).ln();
        assert!((nats(open, None, 0.0, 64.0, 4_f32.ln()) - expected).abs() < 1e-4);
        assert!(nats(open, None, 0.0, 130.0, 4_f32.ln()) < 1e-5);
        // A known age is a year wide.
        let known = AgeRange { min: 40.0, max: Some(40.0) };
        let year = AgeRange { min: 39.5, max: Some(40.5) };
        assert_eq!(nats(known, None, 0.0, 43.0, 1.0), nats(year, None, 0.0, 43.0, 1.0));
    }

    #[test]
    fn a_hint_takes_its_share_of_the_bin() {
        let bin = AgeRange { min: 10.0, max: Some(20.0) };
        let hint = AgeHint { min: 15.0, max: 18.0, weight: 0.8 };
        let inside = AgeRange { min: 15.0, max: Some(18.0) };
        let found = nats(bin, Some(hint), 0.5, 12.0, 1.0);
        let expected = 0.6 * nats(bin, None, 0.0, 12.0, 1.0) + 0.4 * nats(inside, None, 0.0, 12.0, 1.0);
        assert!((found - expected).abs() < 1e-4, "{found} instead of {expected}");
        assert_eq!(nats(bin, Some(hint), 0.0, 12.0, 1.0), nats(bin, None, 0.0, 12.0, 1.0));
        // A hint that reaches over the bin is cut.
        let over = AgeHint { min: 15.0, max: 40.0, weight: 1.0 };
        let cut = AgeHint { max: 20.0, ..over };
        assert_eq!(nats(bin, Some(over), 0.5, 12.0, 1.0), nats(bin, Some(cut), 0.5, 12.0, 1.0));
    }

    #[test]
    fn the_best_scale_is_that_of_the_errors() {
        // Ages of a logistic distribution of scale 3 around the estimate: no other scale makes them likelier.
        let mut ages = Ages::default();
        let count = 400;
        for place in 0..count {
            let share = (place as f32 + 0.5) / count as f32;
            let age = 50.0 + 3.0 * (share / (1.0 - share)).ln();
            ages.push(Some(AgeRange { min: age, max: Some(age) }), None, 1.0, 0.0);
        }
        ages.finish();
        let cost = |scale: f32| {
            let column = |x: f32| Tensor::from_data(TensorData::new(vec![x; count], [count, 1]), &Device::flex());
            ages.loss(0, &column(50.0), column(scale.ln())).unwrap().into_scalar::<f32>()
        };
        assert!(cost(3.0) < cost(2.6) && cost(3.0) < cost(3.5));
    }

    #[test]
    fn far_off_estimates_give_finite_gradients() {
        let device = Device::flex().autodiff();
        let mut ages = Ages::default();
        ages.push(Some(AgeRange { min: 70.0, max: None }), None, 1.0, 0.0);
        ages.push(Some(AgeRange { min: 0.0, max: Some(3.0) }), None, 1.0, 0.0);
        ages.finish();
        let column = |x: [f32; 2]| Tensor::<2>::from_data(TensorData::new(x.to_vec(), [2, 1]), &device).require_grad();
        let (years, log_scale) = (column([-500.0, 5000.0]), column([-30.0, 30.0]));
        let gradients = ages.loss(0, &years, log_scale.clone()).unwrap().backward();
        for tensor in [years, log_scale] {
            let numbers: Vec<f32> = tensor.grad(&gradients).unwrap().into_data().iter::<f32>().collect();
            assert!(numbers.iter().all(|number| number.is_finite() && number.abs() > 0.0), "{numbers:?}");
        }
    }
}
