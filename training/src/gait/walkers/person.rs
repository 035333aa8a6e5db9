//! The people that walk.

use rand::RngExt as _;

use super::body::{Growth, RestingBody, height_spread, median_height_m};
use super::model::{BodyShape, Model};
use super::norms::{self, chance, normal};
use super::walk::Style;
use crate::augment::generator;

/// Youngest and oldest, years.
pub(super) const AGES: (f32, f32) = (2.0, 90.0);

/// Up to this age bodies and walks change from year to year, years; a third of the people is younger.
const GROWN: f32 = 18.0;
const YOUNG_SHARE: f32 = 0.35;

/// Who walks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WalkingPerson {
    pub age: f32,
    pub male: bool,
    pub height_m: f32,
    pub shape: BodyShape,
    pub style: Style,
}

impl WalkingPerson {
    /// Person `id` of the set with this seed: the same whenever and wherever drawn. Every second one is male.
    pub(super) fn drawn(growth: &Growth, seed: u64, id: u32) -> Self {
        let mut rng = generator(seed, id.into(), 0);
        let (from, to) = if chance(&mut rng, YOUNG_SHARE) { (AGES.0, GROWN) } else { (GROWN, AGES.1) };
        let age = rng.random_range(from..to);
        Self::of_age(growth, age, id.is_multiple_of(2), &mut rng)
    }

    /// Somebody of this age and sex.
    pub(super) fn of_age(growth: &Growth, age: f32, male: bool, rng: &mut rand::rngs::ChaCha8Rng) -> Self {
        let old = ((age - 50.0) / 40.0).clamp(0.0, 1.0);
        let grown = ((age - 12.0) / 8.0).clamp(0.0, 1.0);
        let tall = normal(rng, 0.0, 1.0);
        // Children of one age are not equally grown: half of what they are taller is growth, half is build.
        let seen_age = if age < GROWN { (age * (1.0 + 0.03 * tall)).min(GROWN) } else { age };
        let ages = growth.ages(seen_age, male, if age < 25.0 { 0.0 } else { normal(rng, 0.0, 0.12) });
        let looks: [f32; 3] = std::array::from_fn(|_| -rng.random_range(f32::EPSILON..1.0_f32).ln());
        let sum: f32 = looks.iter().sum();
        let middle_aged = grown * (1.0 - (age - 55.0).abs() / 60.0).max(0.0);
        let shape = BodyShape {
            male,
            ages,
            looks: looks.map(|look| look / sum),
            muscle: normal(rng, if male { 0.1 * grown } else { 0.0 } - 0.3 * old, 0.3).clamp(-1.0, 1.0),
            weight: normal(rng, 0.2 * middle_aged - 0.1 * old, 0.25 + 0.15 * grown).clamp(-1.0, 1.0),
            proportions: normal(rng, 0.0, 0.35).clamp(-1.0, 1.0),
            height: (0.25 * tall + normal(rng, 0.0, 0.2)).clamp(-1.0, 1.0),
        };
        let height_m = median_height_m(age, male) * (1.0 + height_spread(age) * tall);
        let mut style = norms::drawn(age, male, rng);
        style.arms_out += 4.0 * shape.weight.max(0.0);
        style.step_width_m += 0.03 * shape.weight.max(0.0);
        Self { age, male, height_m, shape, style }
    }

    pub(super) fn body(&self, model: &Model) -> RestingBody {
        RestingBody::new(model, &self.shape, self.height_m)
    }
}
