//! Rare groups count more: of FairFace's validation faces, four in a hundred are over 60.

use super::AgeRange;

/// Youngest age of each age group, years: FairFace's bins.
const AGE_GROUPS: [f32; 9] = [0.0, 3.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0];
/// Rare ages and rare poses count at most so many times as much as the mean: of a few faces, each with its mistakes, nothing
/// should depend.
pub(crate) const LARGEST_WEIGHT: f32 = 8.0;

/// An age to sort by: the exact one, the bin's middle, or the open bin's youngest.
pub(crate) fn typical_age(age: AgeRange) -> f32 {
    age.max.map_or(age.min, |max| (age.min + max) / 2.0)
}

/// Which age group an age falls into.
pub(crate) fn age_group(age: AgeRange) -> usize {
    AGE_GROUPS.partition_point(|youngest| *youngest <= typical_age(age)).saturating_sub(1)
}

/// frequency^-balance of each face's group, 1 on average; faces without a group have 1.
pub(crate) fn balanced(groups: &[Option<usize>], balance: f32) -> Vec<f32> {
    let count_of_groups = groups.iter().flatten().max().map_or(0, |group| group + 1);
    let mut counts = vec![0_usize; count_of_groups];
    for group in groups.iter().flatten() {
        counts[*group] += 1;
    }
    let total: usize = counts.iter().sum();
    let weight = |count: &usize| (total as f64 / (*count).max(1) as f64).powf(balance.into());
    let raw: Vec<f64> = counts.iter().map(weight).collect();
    let sum: f64 = counts.iter().zip(&raw).map(|(count, weight)| *count as f64 * weight).sum();
    let scale = if sum > 0.0 { total as f64 / sum } else { 1.0 };
    let limited = |weight: f64| (weight * scale).min(LARGEST_WEIGHT.into()) as f32;
    groups.iter().map(|group| group.map_or(1.0, |group| limited(raw[group]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(age: f32) -> AgeRange {
        AgeRange { min: age, max: Some(age) }
    }

    #[test]
    fn rare_ages_count_more_and_the_mean_stays() {
        let groups: Vec<_> = [[Some(1); 2], [None; 2]].concat().into_iter().chain(vec![Some(4); 18]).collect();
        let weights = balanced(&groups, 0.5);
        assert_eq!(weights[2], 1.0);
        assert!((weights[0] / weights[5] - 3.0).abs() < 1e-5, "the root of 18 / 2");
        let mean = weights.iter().sum::<f32>() / weights.len() as f32;
        assert!((mean - 1.0).abs() < 1e-5, "{mean}");
        assert!(balanced(&groups, 0.0).iter().all(|weight| *weight == 1.0));
    }

    #[test]
    fn ages_fall_into_their_groups() {
        for (age, group) in [(exact(0.0), 0), (exact(9.9), 2 - 1), (exact(10.0), 2), (exact(116.0), 8)] {
            assert_eq!(age_group(age), group, "{age:?}");
        }
        assert_eq!(age_group(AgeRange { min: 20.0, max: Some(30.0) }), 3);
        assert_eq!(age_group(AgeRange { min: 70.0, max: None }), 8);
    }
}
