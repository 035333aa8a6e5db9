//! One walker's body: as tall and as far grown as people of that age and sex are, standing on the ground.

use super::bones::{COUNT, FOOT, HIP_JOINT, THIGH, TOES};
use super::model::{AgeMix, BodyShape, Model};
use super::vector::{Vec3, scaled, sub};

/// Median standing height in centimetres at 2, 3, ... 19 years, men and women. Source: WHO Child Growth Standards (2006) to 5 years, WHO
/// Reference 2007 from there on.
const MEDIAN_CM: [[f32; 18]; 2] = [
    [
        87.1, 96.1, 103.3, 110.0, 116.0, 121.7, 127.3, 132.6, 137.8, 143.1, 149.1, 156.0, 163.2, 169.0, 172.9, 175.2,
        176.1, 176.5,
    ],
    [
        85.7, 95.1, 102.7, 109.4, 115.1, 120.8, 126.6, 132.5, 138.6, 145.0, 151.2, 156.4, 159.8, 161.7, 162.5, 162.9,
        163.1, 163.2,
    ],
];

/// Age from which people shrink, years, and how much of their height they lose in a year: 1 cm in the decade after 50, 3 cm in
/// that after 75 (Sorkin, Muller, Andres, Am. J. Epidemiol. 150, 1999: men 3 cm and women 5 cm from 30 to 70, twice as much to 80).
const SHRINKING: [(f32, f32); 2] = [(50.0, 0.0007), (70.0, 0.0012)];

/// Median height at this age, metres.
pub(super) fn median_height_m(age: f32, male: bool) -> f32 {
    let table = &MEDIAN_CM[usize::from(!male)];
    let place = (age - 2.0).clamp(0.0, 17.0);
    let index = (place as usize).min(16);
    let grown = table[index] + (table[index + 1] - table[index]) * (place - index as f32);
    let lost: f32 = SHRINKING.iter().map(|(from, a_year)| (age - from).max(0.0) * a_year).sum();
    grown / 100.0 * (1.0 - lost)
}

/// Standard deviation of height between people of one age and sex, as a share of the median: 3.6 % at 2 years, 4.9 % at 13, 4.1 % later
/// (WHO, same tables).
pub(super) fn height_spread(age: f32) -> f32 {
    match age {
        ..13.0 => 0.036 + (age - 2.0) / 11.0 * 0.013,
        13.0..18.0 => 0.049 - (age - 13.0) / 5.0 * 0.008,
        _ => 0.041,
    }
}

/// How tall MakeHuman's average baby, child and grown person are, by which ages become bodies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Growth {
    /// Metres, men and women: `baby`, `child`, `young`.
    heights: [[f32; 3]; 2],
}

impl Growth {
    pub(super) fn of(model: &Model) -> Self {
        let height = |male, ages| {
            let vertices = model.morphed(&BodyShape::average(male, ages));
            let (low, high) = extent(model, &vertices);
            high - low
        };
        let heights = [true, false].map(|male| {
            [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]].map(|ages| height(male, ages))
        });
        Self { heights }
    }

    /// The mix of MakeHuman's ages for a person of this age. Children: so far between `baby`, `child` and `young` that the body has reached the
    /// share of its grown height that the WHO's tables say. Grown people: `old` begins at 25 and is full at 90, as MakeHuman counts; `aged`
    /// is added to its share, because people of one age are not equally aged.
    pub(super) fn ages(&self, age: f32, male: bool, aged: f32) -> AgeMix {
        let [baby, child, young] = self.heights[usize::from(!male)];
        if age < 19.0 {
            let wanted = young * median_height_m(age, male) / median_height_m(19.0, male);
            let share = |low: f32, high: f32| ((wanted - low) / (high - low)).clamp(0.0, 1.0);
            return if wanted < child {
                let grown = share(baby, child);
                [1.0 - grown, grown, 0.0, 0.0]
            } else {
                let grown = share(child, young);
                [0.0, 1.0 - grown, grown, 0.0]
            };
        }
        // Slow at first: bodies of 20 to 50 differ little.
        let old = (((age - 25.0) / 65.0).max(0.0).powf(1.5) + aged).clamp(0.0, 1.0);
        [0.0, 0.0, 1.0 - old, old]
    }
}

/// The lowest and the highest point of the body, metres.
fn extent(model: &Model, vertices: &[Vec3]) -> (f32, f32) {
    let heights = model.faces.body.iter().flatten().map(|vertex| vertices[*vertex as usize][1]);
    heights.fold((f32::MAX, f32::MIN), |(low, high), y| (low.min(y), high.max(y)))
}

/// Where a foot touches the ground, in the resting body.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sole {
    pub heel: Vec3,
    pub ball: Vec3,
    pub tip: Vec3,
}

/// A body at rest: arms a little away, soles on y = 0; metres.
pub(super) struct RestingBody {
    pub vertices: Vec<Vec3>,
    /// Where each bone begins and ends.
    pub ends: [[Vec3; 2]; COUNT],
    /// Left and right.
    pub soles: [Sole; 2],
    /// From the soles to the crown.
    pub height_m: f32,
}

impl RestingBody {
    /// A body of this shape, as tall as that.
    pub(super) fn new(model: &Model, shape: &BodyShape, height_m: f32) -> Self {
        let mut vertices = model.morphed(shape);
        let (low, high) = extent(model, &vertices);
        let scale = height_m / (high - low);
        for vertex in &mut vertices {
            *vertex = scaled(sub(*vertex, [0.0, low, 0.0]), scale);
        }
        let middle = |corners: &Vec<u32>| {
            let sum = corners.iter().fold([0.0; 3], |sum, v| super::vector::add(sum, vertices[*v as usize]));
            scaled(sum, 1.0 / corners.len().max(1) as f32)
        };
        let ends: [[Vec3; 2]; COUNT] = std::array::from_fn(|bone| [0, 1].map(|end| middle(&model.joints[bone][end])));
        let soles = [0, 1].map(|side| sole(model, &vertices, &ends, side));
        Self { vertices, ends, soles, height_m }
    }

    /// From the hip joints to the ground, metres.
    pub(super) fn leg_m(&self) -> f32 {
        (self.ends[THIGH[0]][0][1] + self.ends[THIGH[1]][0][1]) / 2.0
    }

    /// The way from a bone's beginning to its end.
    pub(super) fn along(&self, bone: usize) -> Vec3 {
        sub(self.ends[bone][1], self.ends[bone][0])
    }

    /// Half the distance of the hip joints, metres.
    pub(super) fn half_hips_m(&self) -> f32 {
        (self.ends[HIP_JOINT[0]][1][0] - self.ends[HIP_JOINT[1]][1][0]).abs() / 2.0
    }
}

/// The ends of the foot, from the vertices that move with it.
fn sole(model: &Model, vertices: &[Vec3], ends: &[[Vec3; 2]; COUNT], side: usize) -> Sole {
    let (mut back, mut front) = (f32::MAX, f32::MIN);
    for vertex in model.faces.body.iter().flatten() {
        if model.skin[*vertex as usize].share(&[FOOT[side], TOES[side]]) > 0.9 {
            let z = vertices[*vertex as usize][2];
            (back, front) = (back.min(z), front.max(z));
        }
    }
    let (ankle, toes) = (ends[FOOT[side]][0], ends[TOES[side]][0]);
    if back > front {
        (back, front) = (ankle[2], toes[2]);
    }
    Sole { heel: [ankle[0], 0.0, back], ball: [toes[0], 0.0, toes[2]], tip: [toes[0], 0.0, front] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heights_follow_the_tables_and_shrink_late() {
        assert!((median_height_m(2.0, true) - 0.871).abs() < 1e-4);
        assert!((median_height_m(12.5, false) - 1.538).abs() < 1e-4);
        assert!((median_height_m(40.0, true) - 1.765).abs() < 1e-4);
        let lost = median_height_m(30.0, false) - median_height_m(80.0, false);
        assert!((0.03..0.07).contains(&lost), "{lost}");
        assert!(height_spread(2.0) < height_spread(13.0) && height_spread(30.0) < height_spread(13.0));
    }

    #[test]
    fn children_are_as_far_grown_as_the_tables_say() {
        let growth = Growth { heights: [[0.7, 1.3, 1.7], [0.7, 1.3, 1.6]] };
        let height = |age: f32| {
            let mix = growth.ages(age, true, 0.0);
            mix[0] * 0.7 + mix[1] * 1.3 + (mix[2] + mix[3]) * 1.7
        };
        for age in [2.0, 5.5, 9.0, 14.0, 18.0] {
            let expected = 1.7 * median_height_m(age, true) / 1.765;
            assert!((height(age) - expected).abs() < 1e-3, "{age}: {} instead of {expected}", height(age));
        }
        assert_eq!(growth.ages(22.0, true, 0.0), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(growth.ages(90.0, true, 0.0), [0.0, 0.0, 0.0, 1.0]);
        assert!(growth.ages(50.0, true, 0.1)[3] > growth.ages(50.0, true, 0.0)[3]);
    }
}
