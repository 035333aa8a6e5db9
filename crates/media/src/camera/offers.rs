//! All formats of a camera, also of one whose driver does not list them.

use super::driver::{Driver, Set, Sizes};
use super::format::{CameraPixels, Offer};
use super::interval::{Interval, Rates};

/// Sizes that are tried on a camera that offers every size in a range, or none that it says.
const USUAL_SIZES: [(u32, u32); 6] = [(1280, 720), (640, 480), (640, 360), (800, 600), (320, 240), (1920, 1080)];

/// What the driver offers, in its own order.
pub(super) fn offers(driver: &dyn Driver) -> Vec<Offer> {
    let mut offers: Vec<Offer> = Vec::new();
    for fourcc in driver.fourccs() {
        for (width, height) in sizes(driver, fourcc) {
            let known = |offer: &Offer| (offer.fourcc, offer.width, offer.height) == (fourcc, width, height);
            if !offers.iter().any(known) {
                offers.push(offer(driver, fourcc, width, height));
            }
        }
    }
    if offers.is_empty()
        && let Ok(Set { fourcc, width, height, .. }) = driver.current()
    {
        // A driver that lists nothing has at least a format that it is in.
        offers.push(offer(driver, fourcc, width, height));
    }
    offers
}

fn offer(driver: &dyn Driver, fourcc: [u8; 4], width: u32, height: u32) -> Offer {
    let rates = match driver.rates(fourcc, width, height) {
        Ok(Rates::Each(intervals)) if intervals.is_empty() => Rates::Unknown,
        Ok(rates) => rates,
        Err(_) => Rates::Unknown,
    };
    Offer { fourcc, pixels: CameraPixels::of_fourcc(fourcc), width, height, rates }
}

fn sizes(driver: &dyn Driver, fourcc: [u8; 4]) -> Vec<(u32, u32)> {
    let listed = driver.sizes(fourcc).unwrap_or_default();
    let listed: Vec<(u32, u32)> = listed.into_iter().flat_map(of_range).collect();
    if !listed.is_empty() {
        return listed;
    }
    // What it would take instead of the usual sizes.
    let mut found = Vec::new();
    let taken = USUAL_SIZES.iter().filter_map(|&(width, height)| driver.probe(fourcc, width, height).ok());
    for set in taken.chain(driver.current()).filter(|set| set.fourcc == fourcc) {
        if !found.contains(&(set.width, set.height)) {
            found.push((set.width, set.height));
        }
    }
    if found.is_empty() {
        // It is not known before the camera is opened.
        found.push((640, 480));
    }
    found
}

/// The usual sizes in a range, or the one that is nearest to the best.
fn of_range(sizes: Sizes) -> Vec<(u32, u32)> {
    let (smallest, largest, step) = match sizes {
        Sizes::One(width, height) => return vec![(width, height)],
        Sizes::Range { smallest, largest, step } => (smallest, largest, step),
    };
    let fits = |value: u32, min: u32, max: u32, step: u32| {
        (min..=max).contains(&value) && (value - min).is_multiple_of(step.max(1))
    };
    let usual = USUAL_SIZES.iter().copied().filter(|&(width, height)| {
        fits(width, smallest.0, largest.0, step.0) && fits(height, smallest.1, largest.1, step.1)
    });
    let usual: Vec<(u32, u32)> = usual.collect();
    if !usual.is_empty() || smallest.0 > largest.0 || smallest.1 > largest.1 {
        return usual;
    }
    let near = |wanted: u32, min: u32, max: u32, step: u32| {
        let wanted = wanted.clamp(min, max);
        wanted - (wanted - min) % step.max(1)
    };
    vec![(near(1280, smallest.0, largest.0, step.0), near(720, smallest.1, largest.1, step.1))]
}

/// The interval to ask for at a size that a driver took of its own accord: its best.
pub(super) fn best_interval(driver: &dyn Driver, set: &Set) -> Interval {
    let offer = offer(driver, set.fourcc, set.width, set.height);
    super::format::ranked(offer.formats()).first().map_or(Interval::UNKNOWN, |format| format.interval)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_range_the_usual_sizes_are_taken_or_the_nearest() {
        let range = |smallest, largest, step| of_range(Sizes::Range { smallest, largest, step });
        assert_eq!(range((2, 1), (800, 480), (2, 1)), [(640, 480), (640, 360), (320, 240)]);
        assert_eq!(range((128, 96), (300, 288), (16, 16)), [(288, 288)]);
        assert_eq!(range((100, 100), (300, 200), (64, 7)), [(292, 198)]);
        // What a driver says that has no size.
        assert_eq!(range((9, 9), (0, 0), (0, 0)), []);
        assert_eq!(of_range(Sizes::One(160, 120)), [(160, 120)]);
    }
}
