//! Means, medians and how figures are rounded.

/// The mean; 0 of no value.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / f64::from(count) }
}

/// The middle value, to a thousandth; 0 of no value.
pub(super) fn median(values: Vec<f64>) -> f64 {
    quantile(values, 0.5)
}

/// The value that `part` (0 to 1) of the values do not exceed, between two neighbours in proportion, to a thousandth; 0 of
/// no value.
pub(super) fn quantile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let place = part.clamp(0.0, 1.0) * last as f64;
    let (lower, upper) = (values[place.floor() as usize], values[place.ceil() as usize]);
    rounded(lower + (upper - lower) * place.fract())
}

/// To a thousandth.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

/// To a hundredth.
pub(super) fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![]), 0.0);
    }

    #[test]
    fn quantiles_lie_between_the_values() {
        let values: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(quantile(values.clone(), 0.95), 95.0);
        assert_eq!((quantile(values.clone(), 0.0), quantile(values, 1.0)), (0.0, 100.0));
        assert_eq!(quantile(vec![1.0, 2.0], 0.25), 1.25);
        assert_eq!(quantile(vec![7.0], 0.95), 7.0);
    }

    #[test]
    fn means_and_roundings() {
        assert_eq!(mean([1.0, 2.0, 6.0].into_iter()), 3.0);
        assert_eq!(mean(std::iter::empty()), 0.0);
        assert_eq!((rounded(1.234_56), hundredths(1.234_56)), (1.235, 1.23));
    }
}
