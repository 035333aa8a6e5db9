//! How a walker moves: the pose at every moment, and the way over the ground.

use super::body::RestingBody;
use super::bones::{
    ARM, COUNT, FINGER_BASE, FINGERS, FOOT, FOREARM, HAND, HEAD, HIP_JOINT, HIPS, LOWER_BACK, NECK, NECK1, SHANK,
    SHOULDER, SPINE, SPINE1, THIGH, THUMB, TOES,
};
use super::bones::{BONES, Bone};
use super::curves::{self, window};
use super::vector::{Matrix3, Vec3, add, between, sub};

/// Toes bend this far at most when the heel lifts, degrees.
const MOST_TOE_BEND: f32 = 35.0;

/// Points that touch the ground within this share of the body's height bear it together: 5 mm of 1.75 m.
const CONTACT: f32 = 0.003;

/// How somebody walks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    /// Duration of a stride (two steps), seconds.
    pub stride_s: f32,
    /// Length of a step over that of the leg (hip joint to ground).
    pub step_over_leg: f32,
    /// Factors of the textbook's ranges of the knee and the ankle.
    pub knee: f32,
    pub ankle: f32,
    /// Share of the stride in which a foot stands.
    pub stance: f32,
    /// How flat the foot lands: 0 heel first, 1 with the whole sole, as small children and some old people do.
    pub flat: f32,
    /// Degrees by which the thighs are bent more than the textbook's.
    pub crouch: f32,
    /// Distance of the feet's middles across the walk, metres.
    pub step_width_m: f32,
    /// Degrees by which the feet point outwards.
    pub toe_out: f32,
    /// Half the range of the pelvis about the vertical, and across, degrees.
    pub pelvis_turn: f32,
    pub pelvis_drop: f32,
    /// How far the body sways to the standing leg, metres.
    pub sway_m: f32,
    /// Forward lean of the trunk, rounding of the upper back, and forward angle of the neck, degrees.
    pub lean: f32,
    pub stoop: f32,
    pub neck: f32,
    /// Downward pitch of the head, degrees.
    pub head_pitch: f32,
    /// Half the swing of each upper arm, degrees, left and right.
    pub arm_swing: [f32; 2],
    /// How far the elbows are bent in the mean, degrees.
    pub elbow: [f32; 2],
    /// How far the arms hang away from the body, degrees.
    pub arms_out: f32,
    /// By how much of itself the right leg's range exceeds the left one's.
    pub asymmetry: f32,
    /// By how much of a stride the right step comes late.
    pub late: f32,
}

/// Where every bone is: the point where it begins, and its rotation from the resting body.
#[derive(Clone, Debug)]
pub(super) struct BodyPose {
    pub origins: [Vec3; COUNT],
    pub rotations: [Matrix3; COUNT],
}

impl BodyPose {
    /// Where a point of the resting body that moves with one bone is now.
    pub(super) fn place(&self, body: &RestingBody, bone: Bone, point: Vec3) -> Vec3 {
        add(self.origins[bone], self.rotations[bone].apply(sub(point, body.ends[bone][0])))
    }

    fn moved(mut self, by: Vec3) -> Self {
        for origin in &mut self.origins {
            *origin = add(*origin, by);
        }
        self
    }
}

/// The pose at `phase` of the stride, 0 where the left foot lands; the hips' joint stays in the origin. `hip` is the factor of the
/// hips' range.
pub(super) fn pose(body: &RestingBody, style: &Style, hip: f32, phase: f32) -> BodyPose {
    let turn = std::f32::consts::TAU * phase;
    let mut rotations = [Matrix3::NONE; COUNT];

    let pelvis_turn = -style.pelvis_turn * turn.cos();
    let pelvis_drop = style.pelvis_drop * (turn - std::f32::consts::TAU * 0.15).cos();
    let trunk_turn = -pelvis_turn * 0.9;
    let pelvis = Matrix3::about_y(pelvis_turn).after(&Matrix3::about_z(pelvis_drop));
    let trunk = |share: f32, forwards: f32| {
        let across = Matrix3::about_z(-0.4 * share * pelvis_drop);
        let about = pelvis_turn + share * (trunk_turn - pelvis_turn);
        Matrix3::about_y(about).after(&across).after(&Matrix3::about_x(forwards))
    };
    rotations[HIPS] = pelvis;
    rotations[LOWER_BACK] = trunk(0.4, 0.6 * style.lean);
    rotations[SPINE] = trunk(0.8, style.lean + 0.35 * style.stoop);
    rotations[SPINE1] = trunk(1.0, style.lean + style.stoop);
    rotations[NECK] = trunk(0.7, style.lean + 0.8 * style.stoop + style.neck);
    rotations[NECK1] = trunk(0.4, 0.6 * (style.lean + style.stoop) + 0.8 * style.neck);
    rotations[HEAD] = trunk(0.2, style.head_pitch);

    // The body sways over the leg that stands; the feet stay in their tracks.
    let sway = style.sway_m * (turn - std::f32::consts::TAU * 0.3).cos();
    for side in 0..2 {
        let (out, own) = (if side == 0 { 1.0 } else { -1.0 }, own_phase(style, side, phase));
        rotations[HIP_JOINT[side]] = pelvis;
        leg(body, style, hip, (side, out, own, sway), &mut rotations);
        arm(body, style, (side, out, own), &mut rotations);
    }
    BodyPose { origins: chained(body, &rotations), rotations }
}

/// The phase of one side's own stride.
fn own_phase(style: &Style, side: usize, phase: f32) -> f32 {
    if side == 0 { phase } else { phase + 0.5 - style.late }
}

/// Thigh, shank, foot and toes of one side at this phase of its own.
fn leg(
    body: &RestingBody,
    style: &Style,
    hip: f32,
    (side, out, own, sway): (usize, f32, f32, f32),
    to: &mut [Matrix3; COUNT],
) {
    let phase = curves::warped(own, style.stance);
    let range = 1.0 + out * -0.5 * style.asymmetry;
    let thigh = hip * range * curves::thigh(phase) + style.crouch;
    let knee = style.knee * range * curves::knee(phase) + style.crouch;
    let tracks = out * style.step_width_m / 2.0 - sway - out * body.half_hips_m();
    let straight = [tracks / body.leg_m(), -1.0, 0.0];
    let resting = body.along(FOOT[side]);
    let toe_out = style.toe_out - (out * resting[0]).atan2(resting[2]).to_degrees();
    let about = Matrix3::about_y(out * 0.4 * toe_out);
    let bone = |bone: Bone, forwards: f32| {
        let hanging = Matrix3::from_to(body.along(bone), straight);
        Matrix3::about_x(-forwards).after(&about).after(&hanging)
    };
    to[THIGH[side]] = bone(THIGH[side], thigh);
    to[SHANK[side]] = bone(SHANK[side], thigh - knee);

    // The sole lies flat in the middle of the stance, and, where the foot lands flat, from its beginning.
    let lies = window(phase, 0.10, 0.34, 0.12).max(style.flat * window(phase, -0.08, 0.30, 0.08));
    let pitch = (1.0 - lies) * (thigh - knee + style.ankle * range * curves::ankle(phase));
    let bends = window(phase, 0.30, 0.64, 0.10);
    let toes = pitch + bends * (-pitch).clamp(0.0, MOST_TOE_BEND);
    let outwards = Matrix3::about_y(out * toe_out);
    to[FOOT[side]] = outwards.after(&Matrix3::about_x(-pitch));
    to[TOES[side]] = outwards.after(&Matrix3::about_x(-toes));
}

/// Shoulder to fingers of one side: against the leg of that side.
fn arm(body: &RestingBody, style: &Style, (side, out, own): (usize, f32, f32), to: &mut [Matrix3; COUNT]) {
    let swing = -(std::f32::consts::TAU * own).cos();
    let flexion = style.arm_swing[side] * swing - 8.0;
    // An elbow bends more on the way forwards.
    let elbow = style.elbow[side] + 0.4 * style.arm_swing[side] * swing;
    let trunk = to[SPINE1].after(&Matrix3::about_x(-0.6 * (style.lean + style.stoop)));
    let bone = |bone: Bone, forwards: f32, away: f32| {
        let hanging = [out * away.to_radians().tan(), -1.0, 0.0];
        trunk.after(&Matrix3::about_x(-forwards)).after(&Matrix3::from_to(body.along(bone), hanging))
    };
    to[SHOULDER[side]] = to[SPINE1];
    to[ARM[side]] = bone(ARM[side], flexion, style.arms_out);
    let forearm = bone(FOREARM[side], flexion + elbow, 0.5 * style.arms_out);
    for bone in [FOREARM, HAND, THUMB, FINGER_BASE, FINGERS] {
        to[bone[side]] = forearm;
    }
}

/// Where the bones begin, each at the end of its parent.
fn chained(body: &RestingBody, rotations: &[Matrix3; COUNT]) -> [Vec3; COUNT] {
    let mut origins = [[0.0; 3]; COUNT];
    for (bone, (_, parent)) in BONES.into_iter().enumerate().skip(1) {
        let offset = sub(body.ends[bone][0], body.ends[parent][0]);
        origins[bone] = add(origins[parent], rotations[parent].apply(offset));
    }
    origins
}

/// A point that may touch the ground.
#[derive(Clone, Copy)]
struct Contact {
    place: Vec3,
    /// Whether its foot stands at this phase.
    stands: bool,
}

/// Heels, balls and tips of both feet.
fn contacts(body: &RestingBody, style: &Style, pose: &BodyPose, phase: f32) -> [Contact; 6] {
    std::array::from_fn(|i| {
        let (side, sole) = (i / 3, body.soles[i / 3]);
        let place = match i % 3 {
            0 => pose.place(body, FOOT[side], sole.heel),
            1 => pose.place(body, FOOT[side], sole.ball),
            _ => pose.place(body, TOES[side], sole.tip),
        };
        Contact { place, stands: own_phase(style, side, phase).rem_euclid(1.0) < style.stance }
    })
}

/// The height of the lowest point that stands.
fn lowest(contacts: &[Contact; 6]) -> f32 {
    contacts.iter().filter(|contact| contact.stands).map(|contact| contact.place[1]).fold(f32::MAX, f32::min)
}

/// How far the body goes forwards from one moment to the next, if what bears it stays where it is.
fn forwards(before: &[Contact; 6], now: &[Contact; 6], softness: f32) -> f32 {
    let (low_before, low_now) = (lowest(before), lowest(now));
    let (mut sum, mut weights) = (0.0, 0.0);
    for (a, b) in before.iter().zip(now).filter(|(a, b)| a.stands && b.stands) {
        let above = (a.place[1] - low_before + b.place[1] - low_now) / 2.0;
        let weight = (-above.max(0.0) / softness).exp();
        sum += weight * (a.place[2] - b.place[2]);
        weights += weight;
    }
    if weights > 0.0 { sum / weights } else { 0.0 }
}

/// Moments a stride at which the way is worked out.
const MOMENTS: usize = 64;

/// Length of a stride with this factor of the hips' range, metres.
fn stride_m(body: &RestingBody, style: &Style, hip: f32) -> f32 {
    let softness = CONTACT * body.height_m;
    let at = |moment: usize| {
        let phase = moment as f32 / MOMENTS as f32;
        contacts(body, style, &pose(body, style, hip, phase), phase)
    };
    let mut before = at(0);
    let mut sum = 0.0;
    for moment in 1..=MOMENTS {
        let now = at(moment);
        sum += forwards(&before, &now, softness);
        before = now;
    }
    sum
}

/// The factor of the hips' range that makes the steps as long as the style says (bisection; the length grows with the range).
pub(super) fn hip_range(body: &RestingBody, style: &Style) -> f32 {
    let wanted = 2.0 * style.step_over_leg * body.leg_m();
    let (mut low, mut high) = (0.2, 2.0);
    for _ in 0..12 {
        let middle = (low + high) / 2.0;
        if stride_m(body, style, middle) < wanted { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// One stride of a walk.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WalkStride {
    pub start_s: f32,
    pub duration_s: f32,
    /// Factor of all ranges in it.
    pub range: f32,
}

/// Some strides of one walker, from the left foot's landing in the origin, straight along z.
pub(super) struct Walk<'a> {
    pub body: &'a RestingBody,
    pub style: Style,
    hip: f32,
    strides: Vec<WalkStride>,
    /// Where the hips are at `MOMENTS` moments a stride.
    way: Vec<Vec3>,
}

impl<'a> Walk<'a> {
    /// A walk of strides with these durations and ranges, as factors of the style's; `None` without any.
    pub(super) fn new(body: &'a RestingBody, style: Style, factors: &[(f32, f32)]) -> Option<Self> {
        let hip = hip_range(body, &style);
        let mut strides: Vec<WalkStride> = Vec::with_capacity(factors.len());
        for (duration, range) in factors {
            let start_s = strides.last().map_or(0.0, |last| last.start_s + last.duration_s);
            strides.push(WalkStride { start_s, duration_s: style.stride_s * duration, range: *range });
        }
        if strides.is_empty() {
            return None;
        }
        let mut walk = Self { body, style, hip, strides, way: Vec::new() };
        walk.work_out_the_way();
        Some(walk)
    }

    fn work_out_the_way(&mut self) {
        let softness = CONTACT * self.body.height_m;
        let mut before: Option<[Contact; 6]> = None;
        let mut z = 0.0;
        for moment in 0..=self.strides.len() * MOMENTS {
            let phase = moment as f32 / MOMENTS as f32;
            let now = contacts(self.body, &self.style, &self.in_place(phase), phase);
            z += before.map_or(0.0, |before| forwards(&before, &now, softness));
            let x = self.style.sway_m * (std::f32::consts::TAU * (phase - 0.3)).cos();
            self.way.push([x, -lowest(&now), z]);
            before = Some(now);
        }
    }

    pub(super) fn strides(&self) -> &[WalkStride] {
        &self.strides
    }

    pub(super) fn duration_s(&self) -> f32 {
        self.strides.last().map_or(0.0, |last| last.start_s + last.duration_s)
    }

    /// How many strides were done at this time: whole part the stride's number, fraction the phase in it.
    pub(super) fn phase(&self, time_s: f32) -> f32 {
        let index = self.strides.partition_point(|stride| stride.start_s <= time_s).saturating_sub(1);
        let stride = self.strides[index];
        index as f32 + ((time_s - stride.start_s) / stride.duration_s).clamp(0.0, 1.0)
    }

    /// When the walker is so far: the inverse of [`Self::phase`].
    pub(super) fn time_s(&self, phase: f32) -> f32 {
        let stride = self.strides[(phase.max(0.0) as usize).min(self.strides.len() - 1)];
        stride.start_s + (phase - (phase.max(0.0) as usize).min(self.strides.len() - 1) as f32) * stride.duration_s
    }

    /// The pose at this phase, the hips in the origin. Ranges go over smoothly from stride to stride.
    fn in_place(&self, phase: f32) -> BodyPose {
        let last = self.strides.len() - 1;
        let index = (phase as usize).min(last);
        let (a, b) = (self.strides[index].range, self.strides[(index + 1).min(last)].range);
        let range = a + (b - a) * (phase - index as f32).clamp(0.0, 1.0);
        let style = Style { knee: self.style.knee * range, ..self.style };
        pose(self.body, &style, self.hip * range, phase)
    }

    /// The pose at this time, in its place on the ground.
    pub(super) fn at(&self, time_s: f32) -> BodyPose {
        let phase = self.phase(time_s);
        let place = phase * MOMENTS as f32;
        let index = (place as usize).min(self.way.len() - 2);
        self.in_place(phase).moved(between(self.way[index], self.way[index + 1], place - index as f32))
    }
}
