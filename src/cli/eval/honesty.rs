//! Whether what is claimed holds: how often true ages lie in their ranges, and chances come true.

use serde::Serialize;

use super::labels::AgeLabel;
use super::metrics::{RunningMean, round4};

/// What a range claims: four true ages of five lie in it.
const CLAIMED: f64 = 0.8;
/// How many years an open bin is taken to reach, for the share of it that a range covers.
const OPEN_BIN_YEARS: f64 = 20.0;
/// Groups of chances of equal width, of which the calibration error is the mean.
const CHANCE_GROUPS: usize = 10;

/// How ranges of ages hold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct RangeMetrics {
    /// Share of true ages in their range; of a bin, the share of its years.
    pub coverage: RunningMean,
    /// Mean width of a range, years.
    pub width: RunningMean,
    /// The interval score for 80 % ranges: width, and 10 years for each year that a true age lies outside. The lower, the
    /// better (T. Gneiting and A. Raftery, "Strictly Proper Scoring Rules", JASA 2007, eq. 43). Of exact ages only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_score: Option<RunningMean>,
}

impl RangeMetrics {
    /// Of labels and ranges; `None` of none.
    pub(super) fn of(ranges: &[(AgeLabel, (f32, f32))]) -> Option<Self> {
        let mut scores = Vec::new();
        let (mut inside, mut widths) = (Vec::new(), Vec::new());
        for (label, (low, high)) in ranges {
            let (low, high) = (f64::from(*low), f64::from(*high));
            widths.push(high - low);
            match *label {
                AgeLabel::Years(years) => {
                    let years = f64::from(years);
                    inside.push(f64::from(u8::from((low..=high).contains(&years))));
                    let outside = (low - years).max(years - high).max(0.0);
                    scores.push(high - low + 2.0 / (1.0 - CLAIMED) * outside);
                }
                AgeLabel::Bin { min, max } => {
                    let from = f64::from(min);
                    let to = max.map_or(from + OPEN_BIN_YEARS, |max| f64::from(max) + 1.0);
                    // Of an open bin, what lies beyond the range may lie beyond the bin's years, too.
                    let high = if max.is_none() && high > to { to } else { high };
                    inside.push((high.min(to) - low.max(from)).max(0.0) / (to - from));
                }
            }
        }
        Some(Self {
            coverage: RunningMean::of(&inside)?,
            width: RunningMean::of(&widths)?,
            interval_score: RunningMean::of(&scores),
        })
    }
}

/// How chances come true.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct ChanceMetrics {
    /// Expected calibration error: mean difference of chance and share in groups of equal chance, 0 to 1 (M. Naeini et al.,
    /// AAAI 2015).
    #[serde(serialize_with = "rounded")]
    pub ece: f64,
    /// Mean square of chance less truth (G. Brier, 1950).
    #[serde(serialize_with = "rounded")]
    pub brier: f64,
    /// The groups that any face is in, by rising chance.
    pub reliability: Vec<Reliability>,
}

/// Faces of about one chance of being labelled male.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(in crate::cli) struct Reliability {
    /// Mean chance.
    #[serde(serialize_with = "rounded")]
    pub chance: f64,
    /// Share that is labelled male.
    pub male: RunningMean,
    /// Faces.
    pub n: usize,
}

fn rounded<S: serde::Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(round4(*value))
}

impl ChanceMetrics {
    /// Of labels and chances; `None` of none.
    pub(super) fn of(chances: &[(bool, f32)]) -> Option<Self> {
        let mut groups: Vec<Vec<(bool, f64)>> = vec![Vec::new(); CHANCE_GROUPS];
        for (male, chance) in chances {
            let group = (chance * CHANCE_GROUPS as f32).floor().clamp(0.0, (CHANCE_GROUPS - 1) as f32) as usize;
            groups[group].push((*male, f64::from(*chance)));
        }
        let reliability = groups.iter().filter_map(|group| {
            let males: Vec<bool> = group.iter().map(|(male, _)| *male).collect();
            let chance = group.iter().map(|(_, chance)| chance).sum::<f64>() / group.len().max(1) as f64;
            Some(Reliability { chance, male: RunningMean::share(&males)?, n: group.len() })
        });
        let reliability: Vec<Reliability> = reliability.collect();
        let n = chances.len() as f64;
        let ece = reliability.iter().map(|group| group.n as f64 / n * (group.chance - group.male.value).abs()).sum();
        let brier = chances.iter().map(|(male, chance)| (f64::from(*chance) - f64::from(u8::from(*male))).powi(2));
        (!chances.is_empty()).then(|| Self { ece, brier: brier.sum::<f64>() / n, reliability })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_ages_and_parts_of_bins() {
        let years = [(20.0, (15.0, 25.0)), (40.0, (30.0, 38.5)), (1.5, (0.0, 4.0))];
        let figures = RangeMetrics::of(&years.map(|(years, range)| (AgeLabel::Years(years), range))).unwrap();
        assert!((figures.coverage.value - 2.0 / 3.0).abs() < 1e-6);
        assert!((figures.width.value - 7.5).abs() < 1e-6);
        // 1.5 years outside cost 15.
        assert!((figures.interval_score.unwrap().value - (10.0 + 23.5 + 4.0) / 3.0).abs() < 1e-6);

        let bin = |min: u16, max: Option<u16>| AgeLabel::Bin { min, max };
        let bins = [(bin(30, Some(39)), (35.0, 60.0)), (bin(70, None), (75.0, 84.0)), (bin(3, Some(9)), (20.0, 30.0))];
        let figures = RangeMetrics::of(&bins).unwrap();
        assert!((figures.coverage.value - (0.5 + 0.45 + 0.0) / 3.0).abs() < 1e-6, "{figures:?}");
        assert_eq!(figures.interval_score, None);
        assert_eq!(RangeMetrics::of(&[]), None);
    }

    #[test]
    fn chances_that_come_true_have_no_calibration_error() {
        let mut chances = Vec::new();
        for i in 0..100 {
            chances.push((i < 90, 0.9));
            chances.push((i < 30, 0.3));
        }
        let honest = ChanceMetrics::of(&chances).unwrap();
        assert!(honest.ece < 1e-6, "{honest:?}");
        assert!((honest.brier - (0.09 + 0.21) / 2.0).abs() < 1e-6);
        assert_eq!(honest.reliability.iter().map(|group| group.n).collect::<Vec<_>>(), [100, 100]);
        // The same faces, all said to be male for sure.
        let sure: Vec<_> = chances.iter().map(|(male, _)| (*male, 1.0)).collect();
        let sure = ChanceMetrics::of(&sure).unwrap();
        assert!((sure.ece - 0.4).abs() < 1e-6 && (sure.brier - 0.4).abs() < 1e-6);
        assert_eq!(ChanceMetrics::of(&[]), None);
    }
}
