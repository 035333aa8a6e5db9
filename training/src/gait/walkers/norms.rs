//! How people of an age and sex walk: the published norms, and how much people differ.
//!
//! | what | source |
//! |---|---|
//! | stride time | PhysioNet gait-maturation (Hausdorff et al., J. Appl. Physiol. 86, 1999): 0.90 s at 3-4 years, 0.955 at 6-7, 1.072 at 11-14; Sutherland, Gait Posture 6, 1997 for the youngest (155 steps a minute at 2); Öberg et al., J. Rehabil. Res. Dev. 30, 1993: women a little quicker |
//! | step over leg | Sutherland 1997: rises to 4 years; speeds of 0.82 to 1.34 m/s from 1 to 10 years (Dusing, Gait Posture 26, 2007), 1.24 m/s to 70 and 1.10 after (Van Criekinge, Sci. Data 10:852, 2023), 0.95 after 80 (Bohannon, Physiotherapy 97, 2011) |
//! | ranges of hip, knee, ankle | Van Criekinge 2023: nothing changes before 70; then knee 57 to 53, ankle 27 to 24 degrees |
//! | base, landing, arms of children | Sutherland 1997: to 3 or 4 years a wide base, flat landing, arms bent and held away, no swing |
//!
//! What no source gives in numbers (stoop, neck, elbows, sway) is set by eye, with a wide spread; so are the spreads between
//! people where the source gives none.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;

use super::walk::Style;

/// Values by age, years; straight between, flat outside.
type AgeTable<'a> = &'a [(f32, f32)];

fn by_age(age: f32, table: AgeTable) -> f32 {
    let after = table.partition_point(|(years, _)| *years <= age);
    match (after.checked_sub(1).map(|i| table[i]), table.get(after)) {
        (Some((from, a)), Some(&(to, b))) => a + (b - a) * (age - from) / (to - from),
        (Some((_, value)), None) => value,
        (None, first) => first.map_or(0.0, |(_, value)| *value),
    }
}

/// A draw from the normal distribution (Box and Muller), cut off at 2.5 deviations.
pub(super) fn normal(rng: &mut ChaCha8Rng, mean: f32, deviation: f32) -> f32 {
    let (a, b): (f32, f32) = (rng.random_range(f32::EPSILON..1.0), rng.random_range(0.0..1.0));
    let draw = (-2.0 * a.ln()).sqrt() * (std::f32::consts::TAU * b).cos();
    mean + deviation * draw.clamp(-2.5, 2.5)
}

/// Whether something of this chance happens.
pub(super) fn chance(rng: &mut ChaCha8Rng, share: f32) -> bool {
    rng.random_range(0.0..1.0) < share
}

const STRIDE_S: AgeTable = &[
    (2.0, 0.77),
    (3.0, 0.84),
    (4.0, 0.89),
    (6.5, 0.95),
    (9.0, 1.0),
    (12.5, 1.07),
    (18.0, 1.09),
    (65.0, 1.09),
    (75.0, 1.12),
    (85.0, 1.18),
    (90.0, 1.22),
];
const STEP_OVER_LEG: AgeTable = &[
    (2.0, 0.70),
    (3.0, 0.78),
    (4.0, 0.83),
    (10.0, 0.83),
    (14.0, 0.80),
    (18.0, 0.76),
    (60.0, 0.75),
    (70.0, 0.72),
    (80.0, 0.64),
    (90.0, 0.54),
];
const KNEE: AgeTable = &[(2.0, 0.9), (4.0, 1.0), (68.0, 1.0), (80.0, 0.93), (90.0, 0.86)];
const ANKLE: AgeTable = &[(2.0, 0.6), (4.0, 0.9), (7.0, 1.0), (55.0, 1.0), (68.0, 0.95), (80.0, 0.86), (90.0, 0.76)];
const STANCE: AgeTable =
    &[(2.0, 0.65), (4.0, 0.63), (7.0, 0.62), (18.0, 0.61), (60.0, 0.615), (75.0, 0.63), (90.0, 0.665)];
const FLAT: AgeTable = &[(2.0, 0.8), (3.0, 0.45), (4.0, 0.2), (6.0, 0.05), (60.0, 0.05), (75.0, 0.2), (90.0, 0.55)];
const CROUCH: AgeTable = &[(2.0, 6.0), (4.0, 3.0), (7.0, 1.0), (18.0, 0.0), (60.0, 0.5), (75.0, 2.5), (90.0, 7.0)];
const STEP_WIDTH_M: AgeTable =
    &[(2.0, 0.115), (4.0, 0.09), (10.0, 0.085), (20.0, 0.09), (65.0, 0.095), (80.0, 0.11), (90.0, 0.125)];
const TOE_OUT: AgeTable = &[(2.0, 9.0), (4.0, 7.0), (8.0, 5.0), (18.0, 7.0), (70.0, 8.0), (90.0, 10.0)];
const PELVIS_TURN: AgeTable = &[(2.0, 9.0), (4.0, 7.0), (8.0, 5.5), (18.0, 4.5), (65.0, 4.2), (90.0, 3.0)];
const PELVIS_DROP: AgeTable = &[(2.0, 3.0), (5.0, 4.0), (60.0, 4.0), (80.0, 2.8)];
const SWAY_M: AgeTable = &[(2.0, 0.022), (6.0, 0.016), (18.0, 0.018), (65.0, 0.019), (85.0, 0.026)];
const LEAN: AgeTable = &[(2.0, 4.0), (5.0, 2.0), (18.0, 1.5), (60.0, 2.0), (75.0, 4.5), (90.0, 9.0)];
const STOOP: AgeTable = &[(50.0, 0.0), (60.0, 1.0), (70.0, 3.0), (80.0, 6.0), (90.0, 10.0)];
const STOOP_SPREAD: AgeTable = &[(20.0, 2.5), (60.0, 3.5), (80.0, 6.0)];
const NECK: AgeTable = &[(2.0, -2.0), (18.0, 1.0), (60.0, 3.0), (80.0, 8.0), (90.0, 11.0)];
const ARM_SWING: AgeTable =
    &[(2.0, 6.0), (3.0, 11.0), (4.0, 15.0), (8.0, 18.0), (20.0, 16.0), (65.0, 15.0), (80.0, 11.0), (90.0, 8.0)];
const ELBOW: AgeTable = &[(2.0, 55.0), (3.0, 36.0), (4.0, 26.0), (7.0, 20.0), (60.0, 18.0), (80.0, 27.0), (90.0, 33.0)];
const ARMS_OUT: AgeTable = &[(2.0, 22.0), (3.0, 14.0), (5.0, 9.0), (18.0, 7.0), (75.0, 8.0), (90.0, 10.0)];

/// The usual walk at this age and sex.
pub(super) fn usual(age: f32, male: bool) -> Style {
    let of = |table| by_age(age, table);
    // Women take shorter steps at a quicker pace, and move the pelvis more.
    let woman = if male { 0.0 } else { ((age - 10.0) / 8.0).clamp(0.0, 1.0) };
    Style {
        stride_s: of(STRIDE_S) * (1.0 - 0.045 * woman),
        step_over_leg: of(STEP_OVER_LEG) * (1.0 - 0.02 * woman),
        knee: of(KNEE),
        ankle: of(ANKLE),
        stance: of(STANCE),
        flat: of(FLAT),
        crouch: of(CROUCH),
        step_width_m: of(STEP_WIDTH_M) * (1.0 - 0.2 * woman),
        toe_out: of(TOE_OUT) - 1.5 * woman,
        pelvis_turn: of(PELVIS_TURN) + 0.5 * woman,
        pelvis_drop: of(PELVIS_DROP) + 1.2 * woman,
        sway_m: of(SWAY_M),
        lean: of(LEAN),
        stoop: of(STOOP),
        neck: of(NECK),
        head_pitch: 2.0,
        arm_swing: [of(ARM_SWING); 2],
        elbow: [of(ELBOW); 2],
        arms_out: of(ARMS_OUT) + 2.0 * woman,
        asymmetry: 0.0,
        late: 0.0,
    }
}

/// The walk of somebody of this age and sex.
pub(super) fn drawn(age: f32, male: bool, rng: &mut ChaCha8Rng) -> Style {
    let usual = usual(age, male);
    let frail = ((age - 60.0) / 30.0).clamp(0.0, 1.0);
    let young = ((7.0 - age) / 5.0).clamp(0.0, 1.0);
    // People of one age are more or less aged, or grown; that moves all at once.
    let pace = normal(rng, 0.0, 0.06 + 0.05 * frail);
    let mut draw = |mean: f32, deviation: f32| normal(rng, mean, deviation);
    let swing = draw(1.0, 0.22);
    let elbow = draw(usual.elbow[0], 7.0);
    let mut style = Style {
        stride_s: usual.stride_s * (1.0 - 0.4 * pace) * draw(1.0, 0.05 + 0.02 * young),
        step_over_leg: usual.step_over_leg * (1.0 + pace) * draw(1.0, 0.05 + 0.02 * young),
        knee: usual.knee * draw(1.0, 0.08),
        ankle: usual.ankle * draw(1.0, 0.12),
        stance: draw(usual.stance, 0.012),
        flat: draw(usual.flat, 0.1).clamp(0.0, 1.0),
        crouch: draw(usual.crouch, 2.0 + 2.0 * frail),
        step_width_m: draw(usual.step_width_m, 0.022),
        toe_out: draw(usual.toe_out, 5.0),
        pelvis_turn: draw(usual.pelvis_turn, 1.5).max(0.0),
        pelvis_drop: draw(usual.pelvis_drop, 1.0).max(0.0),
        sway_m: draw(usual.sway_m, 0.004),
        lean: draw(usual.lean, 2.5),
        stoop: draw(usual.stoop, by_age(age, STOOP_SPREAD)),
        neck: draw(usual.neck, 4.0),
        head_pitch: draw(usual.head_pitch, 5.0),
        arm_swing: [0, 1].map(|_| (usual.arm_swing[0] * swing * draw(1.0, 0.12)).max(1.0)),
        elbow: [0, 1].map(|_| (elbow + draw(0.0, 4.0)).clamp(3.0, 85.0)),
        arms_out: draw(usual.arms_out, 2.5).max(1.0),
        asymmetry: draw(0.0, 0.03 + 0.03 * frail),
        late: draw(0.0, 0.006 + 0.008 * frail),
    };
    if chance(rng, 0.03 + 0.07 * frail) {
        let side = if chance(rng, 0.5) { 1.0 } else { -1.0 };
        style.asymmetry += side * rng.random_range(0.1..0.35);
        style.late += side * rng.random_range(0.0..0.05);
    }
    style
}

/// How much one stride of somebody differs from the next: standard deviation of its time, as a share (PhysioNet: 6 % at 3-4 years, 4 % at
/// 6-7, 2 to 3 % grown up).
pub(super) fn unevenness(age: f32) -> f32 {
    by_age(age, &[(3.0, 0.06), (6.5, 0.04), (13.0, 0.025), (70.0, 0.025), (85.0, 0.035)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::generator;

    #[test]
    fn tables_are_straight_between_their_ages_and_flat_outside() {
        let table: AgeTable = &[(2.0, 1.0), (4.0, 3.0)];
        assert_eq!([1.0, 2.0, 2.5, 4.0, 9.0].map(|age| by_age(age, table)), [1.0, 1.0, 1.5, 3.0, 3.0]);
    }

    #[test]
    fn people_differ_as_published() {
        let mut rng = generator(1, 2, 3);
        let strides: Vec<f32> = (0..4000).map(|_| drawn(40.0, true, &mut rng).stride_s).collect();
        let mean = strides.iter().sum::<f32>() / 4000.0;
        let spread = (strides.iter().map(|s| (s - mean).powi(2)).sum::<f32>() / 4000.0).sqrt() / mean;
        assert!((mean - 1.09).abs() < 0.01, "{mean}");
        assert!((0.045..0.075).contains(&spread), "{spread}");
        assert!(strides.iter().all(|stride| (0.75..1.5).contains(stride)));
    }

    #[test]
    fn norms_are_those_of_the_sources() {
        assert!((usual(6.5, true).stride_s - 0.955).abs() < 0.01);
        assert!((usual(12.5, true).stride_s - 1.072).abs() < 0.01);
        assert!(usual(2.0, false).step_over_leg < usual(4.0, false).step_over_leg);
        assert_eq!(usual(30.0, true).knee, usual(65.0, true).knee);
        assert!((usual(78.0, true).knee / usual(50.0, true).knee - 53.0 / 57.0).abs() < 0.03);
        assert!(usual(25.0, false).stride_s < usual(25.0, true).stride_s);
    }
}
