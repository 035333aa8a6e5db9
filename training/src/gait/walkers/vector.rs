//! Points and rotations in space: what the walkers need of it. x points to the walker's left, y up, z forwards (right-handed).

/// A point or a direction.
pub(super) type Vec3 = [f32; 3];

pub(super) fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub(super) fn scaled(a: Vec3, factor: f32) -> Vec3 {
    [a[0] * factor, a[1] * factor, a[2] * factor]
}

pub(super) fn dot(a: Vec3, b: Vec3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn length(a: Vec3) -> f32 {
    dot(a, a).sqrt()
}

/// The same direction with length 1; upwards where there is none.
pub(super) fn unit(a: Vec3) -> Vec3 {
    let length = length(a);
    if length > 1e-9 { scaled(a, 1.0 / length) } else { [0.0, 1.0, 0.0] }
}

/// The point `share` of the way from `a` to `b`.
pub(super) fn between(a: Vec3, b: Vec3, share: f32) -> Vec3 {
    add(scaled(a, 1.0 - share), scaled(b, share))
}

/// A rotation, by rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix3(pub [Vec3; 3]);

impl Matrix3 {
    pub(super) const NONE: Self = Self([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    /// About x: the head tips forwards, a hanging leg swings backwards.
    pub(super) fn about_x(degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
    }

    /// About y: turns to the left.
    pub(super) fn about_y(degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    }

    /// About z: the left side rises, a hanging leg swings to the left.
    pub(super) fn about_z(degrees: f32) -> Self {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Self([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    }

    /// The smallest rotation that brings direction `from` to direction `to` (Rodrigues' formula).
    pub(super) fn from_to(from: Vec3, to: Vec3) -> Self {
        let (from, to) = (unit(from), unit(to));
        let (axis, cos) = (cross(from, to), dot(from, to));
        if cos < -0.9999 {
            return Self::about_x(180.0);
        }
        let [x, y, z] = axis;
        let k = 1.0 / (1.0 + cos);
        Self([
            [cos + k * x * x, k * x * y - z, k * x * z + y],
            [k * x * y + z, cos + k * y * y, k * y * z - x],
            [k * x * z - y, k * y * z + x, cos + k * z * z],
        ])
    }

    /// First `other`, then this.
    pub(super) fn after(&self, other: &Self) -> Self {
        let column = |j: usize| self.apply([other.0[0][j], other.0[1][j], other.0[2][j]]);
        let (a, b, c) = (column(0), column(1), column(2));
        Self([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [a[2], b[2], c[2]]])
    }

    /// The rotation back.
    pub(super) fn inverse(&self) -> Self {
        let Self([a, b, c]) = *self;
        Self([[a[0], b[0], c[0]], [a[1], b[1], c[1]], [a[2], b[2], c[2]]])
    }

    pub(super) fn apply(&self, v: Vec3) -> Vec3 {
        [dot(self.0[0], v), dot(self.0[1], v), dot(self.0[2], v)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Vec3, b: Vec3) -> bool {
        length(sub(a, b)) < 1e-5
    }

    #[test]
    fn rotations_turn_the_way_they_say() {
        assert!(near(Matrix3::about_x(90.0).apply([0.0, 1.0, 0.0]), [0.0, 0.0, 1.0]), "the head tips forwards");
        assert!(near(Matrix3::about_y(90.0).apply([0.0, 0.0, 1.0]), [1.0, 0.0, 0.0]), "forwards turns to the left");
        assert!(near(Matrix3::about_z(90.0).apply([0.0, -1.0, 0.0]), [1.0, 0.0, 0.0]), "down swings to the left");
    }

    #[test]
    fn from_to_brings_one_direction_to_the_other_and_keeps_lengths() {
        let (from, to) = ([0.3, -0.9, 0.1], unit([-0.2, -0.5, 0.7]));
        let rotation = Matrix3::from_to(from, to);
        assert!(near(rotation.apply(unit(from)), to));
        let other = [0.4, 0.2, -0.6];
        assert!((length(rotation.apply(other)) - length(other)).abs() < 1e-6);
    }

    #[test]
    fn after_applies_the_other_first() {
        let (a, b) = (Matrix3::about_x(30.0), Matrix3::about_y(50.0));
        let v = [0.1, 0.7, -0.4];
        assert!(near(a.after(&b).apply(v), a.apply(b.apply(v))));
        assert!(!near(a.after(&b).apply(v), b.apply(a.apply(v))));
        assert!(near(a.inverse().apply(a.apply(v)), v));
    }
}
