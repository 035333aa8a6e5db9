//! Pieces of a figure: meshes whose vertices move with the bones.

use super::body::RestingBody;
use super::bones::{BONES, COUNT, FOOT, HAND, HIPS};
use super::model::{Quad, Skin};
use super::vector::{Matrix3, Vec3, add, cross, sub, unit};
use super::walk::BodyPose;

/// Things in a hand hang upright: left, right.
pub(super) const GRIP: [usize; 2] = [COUNT, COUNT + 1];

/// Things at the hips hang upright.
pub(super) const BELT: usize = COUNT + 2;

/// A stick in the left or the right hand, that goes to the ground beside the other foot.
pub(super) const STICK: [usize; 2] = [COUNT + 3, COUNT + 4];

/// How many transforms move a mesh: the bones and what hangs on them.
const TRANSFORMS: usize = COUNT + 5;

/// A mesh in the resting body's pose.
#[derive(Clone, Debug, Default)]
pub(super) struct MeshPart {
    pub vertices: Vec<Vec3>,
    pub skin: Vec<Skin>,
    pub quads: Vec<Quad>,
    /// Of the clip's pictures, RGB.
    pub colour: [u8; 3],
    /// Whether its inside can be seen, as a skirt's.
    pub open: bool,
}

impl MeshPart {
    /// These faces of the body, with the vertices that they use and no others.
    pub(super) fn of(vertices: &[Vec3], skin: &[Skin], quads: &[Quad]) -> Self {
        let mut places = vec![u32::MAX; vertices.len()];
        let mut part = Self::default();
        for quad in quads {
            let local = quad.map(|corner| {
                let place = &mut places[corner as usize];
                if *place == u32::MAX {
                    *place = part.vertices.len() as u32;
                    part.vertices.push(vertices[corner as usize]);
                    part.skin.push(skin[corner as usize]);
                }
                *place
            });
            part.quads.push(local);
        }
        part
    }

    /// An ellipsoid, or with `edge` under 1 rather a box with round edges, that moves with one bone.
    pub(super) fn ball(middle: Vec3, half: Vec3, edge: f32, bone: usize) -> Self {
        const ROWS: usize = 7;
        const COLUMNS: usize = 12;
        let power = |value: f32| value.abs().powf(edge).copysign(value);
        let mut part = Self::default();
        for row in 0..=ROWS {
            let (sin, cos) = (std::f32::consts::PI * row as f32 / ROWS as f32).sin_cos();
            for column in 0..COLUMNS {
                let (a, b) = (std::f32::consts::TAU * column as f32 / COLUMNS as f32).sin_cos();
                let unit = [power(sin) * power(b), power(cos), power(sin) * power(a)];
                part.vertices.push(add(middle, [half[0] * unit[0], half[1] * unit[1], half[2] * unit[2]]));
            }
        }
        for row in 0..ROWS {
            for column in 0..COLUMNS {
                let at = |r: usize, c: usize| (r * COLUMNS + c % COLUMNS) as u32;
                part.quads.push([at(row, column), at(row, column + 1), at(row + 1, column + 1), at(row + 1, column)]);
            }
        }
        part.skin = vec![Skin::one(bone); part.vertices.len()];
        part
    }

    /// The direction outwards at each vertex.
    pub(super) fn normals(&self) -> Vec<Vec3> {
        let mut normals = vec![[0.0; 3]; self.vertices.len()];
        for quad in &self.quads {
            let [a, b, c, d] = quad.map(|corner| self.vertices[corner as usize]);
            let normal = cross(sub(c, a), sub(d, b));
            for corner in quad {
                normals[*corner as usize] = add(normals[*corner as usize], normal);
            }
        }
        normals.into_iter().map(unit).collect()
    }

    /// Moves each vertex outwards by so many metres.
    pub(super) fn inflate(&mut self, by: impl Fn(&Vec3, &Skin) -> f32) {
        let normals = self.normals();
        for ((vertex, skin), normal) in self.vertices.iter_mut().zip(&self.skin).zip(normals) {
            let by = by(vertex, skin);
            *vertex = add(*vertex, [normal[0] * by, normal[1] * by, normal[2] * by]);
        }
    }
}

/// What moves the vertices of a pose.
pub(super) struct Transforms([(Matrix3, Vec3); TRANSFORMS]);

impl Transforms {
    pub(super) fn new(body: &RestingBody, pose: &BodyPose) -> Self {
        let about = |rotation: Matrix3, resting: Vec3, now: Vec3| (rotation, sub(now, rotation.apply(resting)));
        let mut all = [(Matrix3::NONE, [0.0; 3]); TRANSFORMS];
        for (bone, transform) in all.iter_mut().enumerate().take(BONES.len()) {
            *transform = about(pose.rotations[bone], body.ends[bone][0], pose.origins[bone]);
        }
        all[BELT] = about(Matrix3::NONE, body.ends[HIPS][0], pose.origins[HIPS]);
        for side in 0..2 {
            let (resting, now) = (body.ends[HAND[side]][1], pose.place(body, HAND[side], body.ends[HAND[side]][1]));
            all[GRIP[side]] = about(Matrix3::NONE, resting, now);
            // The stick goes with the foot of the other side, and rises with it.
            let other = pose.place(body, FOOT[1 - side], body.soles[1 - side].ball);
            let tip = [now[0] + 0.3 * (now[0] - other[0]), other[1], other[2] + 0.05 * body.height_m];
            all[STICK[side]] = about(Matrix3::from_to([0.0, -1.0, 0.0], sub(tip, now)), resting, now);
        }
        Self(all)
    }

    /// Where the vertices of a part are, blended linearly between the bones that move them.
    pub(super) fn apply(&self, part: &MeshPart, out: &mut Vec<Vec3>) {
        out.clear();
        out.extend(part.vertices.iter().zip(&part.skin).map(|(vertex, skin)| {
            let mut sum = [0.0; 3];
            for (bone, share) in skin.bones.into_iter().zip(skin.shares) {
                if share == 0.0 {
                    break;
                }
                let (rotation, offset) = &self.0[usize::from(bone)];
                let moved = add(rotation.apply(*vertex), *offset);
                sum = add(sum, [moved[0] * share, moved[1] * share, moved[2] * share]);
            }
            sum
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gait::walkers::vector::{dot, length};

    #[test]
    fn a_ball_has_its_size_and_its_normals_point_outwards() {
        let ball = MeshPart::ball([1.0, 2.0, 3.0], [0.1, 0.2, 0.3], 1.0, 4);
        let offsets = ball.vertices.iter().map(|v| sub(*v, [1.0, 2.0, 3.0]));
        assert!(
            offsets
                .clone()
                .all(|o| ((o[0] / 0.1).powi(2) + (o[1] / 0.2).powi(2) + (o[2] / 0.3).powi(2) - 1.0).abs() < 1e-3)
        );
        let (equator, normals) = (12 * 3..12 * 5, ball.normals());
        for (normal, offset) in normals.iter().zip(offsets).take(equator.end).skip(equator.start) {
            assert!(dot(*normal, offset) > 0.0);
            assert!((length(*normal) - 1.0).abs() < 1e-4);
        }
        let mut larger = ball.clone();
        larger.inflate(|_, skin| if skin.share(&[4]) > 0.5 { 0.05 } else { 0.0 });
        let height = |part: &MeshPart| part.vertices.iter().map(|v| v[1]).fold(f32::MIN, f32::max);
        assert!(height(&larger) > height(&ball) - 1e-6);
        let width = |part: &MeshPart| part.vertices.iter().map(|v| v[0]).fold(f32::MIN, f32::max);
        assert!((width(&larger) - width(&ball) - 0.05).abs() < 0.01);
    }

    #[test]
    fn a_part_keeps_only_what_it_uses() {
        let vertices = [[0.0; 3], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0], [3.0, 0.0, 0.0], [4.0, 0.0, 0.0]];
        let skin: Vec<Skin> = (0..5).map(Skin::one).collect();
        let part = MeshPart::of(&vertices, &skin, &[[4, 2, 1, 1]]);
        assert_eq!(part.vertices, [vertices[4], vertices[2], vertices[1]]);
        assert_eq!((part.quads[0], part.skin[1]), ([0, 1, 2, 2], Skin::one(2)));
    }
}
