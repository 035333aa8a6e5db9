//! The time from one picture to the next, as cameras say it: a fraction of a second.

use std::fmt;

/// A fraction of a second; not known where a camera does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Interval {
    numerator: u32,
    denominator: u32,
}

impl Interval {
    pub(super) const UNKNOWN: Self = Self { numerator: 0, denominator: 0 };

    /// `numerator / denominator` seconds, in lowest terms. Not known where one of them is 0.
    pub(super) const fn new(numerator: u32, denominator: u32) -> Self {
        if numerator == 0 || denominator == 0 {
            return Self::UNKNOWN;
        }
        let (mut common, mut rest) = (numerator, denominator);
        while rest != 0 {
            (common, rest) = (rest, common % rest);
        }
        Self { numerator: numerator / common, denominator: denominator / common }
    }

    /// A whole number of frames a second; not known for 0.
    pub(super) const fn of_fps(fps: u32) -> Self {
        Self::new(1, fps)
    }

    pub(super) fn numerator(self) -> u32 {
        self.numerator
    }

    pub(super) fn denominator(self) -> u32 {
        self.denominator
    }

    /// Frames a second, where known.
    pub(super) fn fps(self) -> Option<f64> {
        (self.numerator > 0).then(|| f64::from(self.denominator) / f64::from(self.numerator))
    }
}

/// The rate in frames a second, with two decimals where it needs them.
impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.fps() {
            Some(fps) => f.write_str(&rate(fps)),
            None => f.write_str("?"),
        }
    }
}

/// A rate with as many decimals as it needs, two at most.
pub(super) fn rate(fps: f64) -> String {
    let text = format!("{fps:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Which intervals a camera offers at one size.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rates {
    /// It does not say.
    Unknown,
    /// These.
    Each(Vec<Interval>),
    /// From the shortest to the longest, in steps, or all between them where the step is not known.
    Range {
        /// The highest rate.
        shortest: Interval,
        /// The lowest rate.
        longest: Interval,
        /// From one to the next.
        step: Interval,
    },
}

/// Rates that are tried on a camera that offers every rate in a range.
const USUAL: [Interval; 5] = [
    Interval::of_fps(30),
    Interval::new(1001, 30_000),
    Interval::of_fps(25),
    Interval::of_fps(20),
    Interval::of_fps(15),
];

impl Rates {
    /// The intervals to choose from: of a range the usual ones, and its ends. Never empty.
    pub(super) fn choices(&self) -> Vec<Interval> {
        match self {
            Self::Each(intervals) if !intervals.is_empty() => intervals.clone(),
            Self::Unknown | Self::Each(_) => vec![Interval::UNKNOWN],
            Self::Range { shortest, longest, .. } => {
                let usual = USUAL.iter().copied().filter(|&interval| self.offers(interval));
                let mut choices: Vec<Interval> = usual.collect();
                for end in [*shortest, *longest] {
                    // A camera that says "up to a million a second" means nothing by it.
                    let sane = end.fps().is_some_and(|fps| (0.1..=1000.0).contains(&fps));
                    if sane && !choices.contains(&end) {
                        choices.push(end);
                    }
                }
                if choices.is_empty() { vec![Interval::UNKNOWN] } else { choices }
            }
        }
    }

    /// Whether a range holds this interval. The kernel's own way: its driver rounds what lies between two steps.
    fn offers(&self, interval: Interval) -> bool {
        let Self::Range { shortest, longest, .. } = self else { return false };
        let (Some(fps), highest, lowest) = (interval.fps(), shortest.fps(), longest.fps()) else { return false };
        let slack = 1.0 + 1e-6;
        highest.is_none_or(|highest| fps <= highest * slack) && lowest.is_none_or(|lowest| fps * slack >= lowest)
    }

    /// The interval that is meant by a rate: within half a hundredth of it, so that 29.97 is found by its two decimals.
    pub(super) fn of(&self, fps: f64) -> Option<Interval> {
        let near = |interval: &Interval| interval.fps().is_some_and(|offered| (offered - fps).abs() <= 0.0051);
        match self {
            Self::Unknown => Some(exact(fps)),
            Self::Each(intervals) => intervals.iter().copied().find(near),
            Self::Range { .. } => {
                let wanted = USUAL.iter().copied().find(near).unwrap_or_else(|| exact(fps));
                self.offers(wanted).then_some(wanted)
            }
        }
    }
}

/// An interval for any rate, to the thousandth.
fn exact(fps: f64) -> Interval {
    let thousandths = (fps * 1000.0).round().clamp(0.0, f64::from(u32::MAX));
    Interval::new(1000, thousandths as u32)
}

/// For people: `30`, `15, 30`, `1 to 60`.
impl fmt::Display for Rates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("?"),
            Self::Each(intervals) => {
                let mut rates: Vec<f64> = intervals.iter().filter_map(|interval| interval.fps()).collect();
                rates.sort_by(|a, b| b.total_cmp(a));
                let rates: Vec<String> = rates.into_iter().map(rate).collect();
                f.write_str(&rates.join(", "))
            }
            Self::Range { shortest, longest, .. } => write!(f, "{longest} to {shortest}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_the_decimals_that_they_need() {
        let said = |numerator, denominator| Interval::new(numerator, denominator).to_string();
        assert_eq!(
            [said(1, 30), said(1001, 30_000), said(2, 15), said(333_333, 10_000_000), said(0, 30), said(1, 0)],
            ["30", "29.97", "7.5", "30", "?", "?"]
        );
        assert_eq!((Interval::of_fps(30), Interval::of_fps(0)), (Interval::new(2, 60), Interval::UNKNOWN));
    }

    fn range(shortest: (u32, u32), longest: (u32, u32)) -> Rates {
        let interval = |(numerator, denominator)| Interval::new(numerator, denominator);
        Rates::Range { shortest: interval(shortest), longest: interval(longest), step: interval((1, 1)) }
    }

    #[test]
    fn of_a_range_the_usual_rates_and_its_ends_are_tried() {
        let tried = |rates: Rates| rates.choices().iter().map(Interval::to_string).collect::<Vec<_>>().join(" ");
        assert_eq!(tried(range((1, 60), (1, 1))), "30 29.97 25 20 15 60 1");
        assert_eq!(tried(range((1, 1000), (1_000_000, 1))), "30 29.97 25 20 15 1000");
        assert_eq!(tried(range((2, 15), (1, 5))), "7.5 5");
        // What a driver leaves open.
        assert_eq!(tried(range((0, 0), (0, 0))), "30 29.97 25 20 15");
        assert_eq!(tried(Rates::Unknown), "?");
        assert_eq!(tried(Rates::Each(Vec::new())), "?");
    }

    #[test]
    fn a_rate_is_found_by_its_two_decimals() {
        let each = Rates::Each(vec![Interval::of_fps(30), Interval::new(1001, 30_000)]);
        assert_eq!(each.of(29.97), Some(Interval::new(1001, 30_000)));
        assert_eq!((each.of(30.0), each.of(29.0)), (Some(Interval::of_fps(30)), None));
        let range = range((1, 60), (1, 5));
        assert_eq!((range.of(29.97), range.of(12.5)), (Some(Interval::new(1001, 30_000)), Some(Interval::new(2, 25))));
        assert_eq!(range.of(90.0), None);
        assert_eq!(Rates::Unknown.of(15.0), Some(Interval::of_fps(15)));
    }

    #[test]
    fn rates_are_told_highest_first() {
        let each = Rates::Each([15, 30, 5].map(Interval::of_fps).to_vec());
        assert_eq!((each.to_string(), range((1, 60), (2, 15)).to_string()), ("30, 15, 5".into(), "7.5 to 60".into()));
    }
}
