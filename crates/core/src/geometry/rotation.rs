//! Rotations of a head. All arithmetic on head poses is done on these; angles are for people and for files.

use std::ops::Mul;

/// A rotation that takes a head's coordinates to the camera's: x to the right of the picture, y down, z away from the
/// camera. The unturned head looks into the camera, against z.
///
/// Kept as a unit quaternion in double precision, so that [`Pose`](super::Pose)s in single precision pass through it to
/// the last bit.
#[derive(Clone, Copy, Debug)]
pub struct Rotation {
    w: f64,
    x: f64,
    y: f64,
    z: f64,
}

impl Default for Rotation {
    fn default() -> Self {
        Self::IDENTITY
    }
}

impl Rotation {
    /// A head that looks straight into the camera.
    pub const IDENTITY: Self = Self { w: 1.0, x: 0.0, y: 0.0, z: 0.0 };

    /// By the length of `degrees` about its direction (the exponential map). The right-hand rule holds: about z, a
    /// positive turn is clockwise as the picture shows it.
    pub fn from_vector(degrees: [f64; 3]) -> Self {
        let [x, y, z] = degrees;
        let angle = length(degrees);
        let (sin, cos) = (angle.to_radians() / 2.0).sin_cos();
        let scale = if angle == 0.0 { 0.0 } else { sin / angle };
        Self { w: cos, x: scale * x, y: scale * y, z: scale * z }
    }

    /// The axis, as long as the angle about it in degrees, 0 to 180 (the logarithm).
    pub fn vector(self) -> [f64; 3] {
        // The same rotation with the shorter angle.
        let sign = if self.w < 0.0 { -1.0 } else { 1.0 };
        let axis = [self.x, self.y, self.z];
        let sin = length(axis);
        let angle = 2.0 * sin.atan2(sign * self.w).to_degrees();
        let scale = if sin == 0.0 { 0.0 } else { sign * angle / sin };
        axis.map(|part| scale * part)
    }

    /// The rotation nearest to a 3x3 matrix given by rows, which need not be quite orthonormal (the largest eigenvector of
    /// Bar-Itzhack, "New Method for Extracting the Quaternion from a Rotation Matrix", JGCD 2000). Numbers that are not
    /// finite give a rotation that [is not](Self::is_finite) either.
    pub fn from_matrix(matrix: &[[f64; 3]; 3]) -> Self {
        let [[a, b, c], [d, e, f], [g, h, i]] = *matrix;
        principal([
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ])
    }

    /// The matrix by rows. Its columns are the head's own axes (to the picture's right, down, out of the back of the head)
    /// in the camera's coordinates.
    pub fn matrix(self) -> [[f64; 3]; 3] {
        let Self { w, x, y, z } = self;
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    }

    /// The rotation that undoes this one.
    pub fn inverse(self) -> Self {
        Self { w: self.w, x: -self.x, y: -self.y, z: -self.z }
    }

    /// The angle of the rotation that leads from this one to the other (geodesic distance), 0 to 180 degrees.
    pub fn angle_to(self, other: Self) -> f64 {
        length((other * self.inverse()).vector())
    }

    /// The same head where the picture is turned clockwise as displayed: `Rz(clockwise) R`.
    pub fn turned(self, clockwise_degrees: f32) -> Self {
        Self::from_vector([0.0, 0.0, f64::from(clockwise_degrees)]) * self
    }

    /// The same head seen in a mirror: left and right are exchanged.
    pub fn mirrored(self) -> Self {
        Self { y: -self.y, z: -self.z, ..self }
    }

    /// How far the head is tilted in the picture's plane, clockwise degrees from -180 to 180, and the head without that
    /// tilt: `self = upright.turned(tilt)`, where the upright head is turned about an axis in the picture's plane alone
    /// (the swing-twist decomposition about the line of sight).
    pub fn upright(self) -> (Self, f32) {
        let sign = if self.w < 0.0 { -1.0 } else { 1.0 };
        let tilt = (2.0 * (sign * self.z).atan2(sign * self.w).to_degrees()) as f32;
        (self.turned(-tilt), tilt)
    }

    /// The chordal mean: the rotation with the least sum of squared differences of its matrix from theirs (Hartley et al.,
    /// "Rotation Averaging", IJCV 2013, section 5.3; by quaternions as Markley et al., JGCD 2007). `None` of none.
    pub fn mean(rotations: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut sum = [[0.0; 4]; 4];
        let mut count = 0_u32;
        for Self { w, x, y, z } in rotations {
            let quaternion = [w, x, y, z];
            for (row, a) in sum.iter_mut().zip(quaternion) {
                for (place, b) in row.iter_mut().zip(quaternion) {
                    *place += a * b;
                }
            }
            count += 1;
        }
        (count > 0).then(|| principal(sum))
    }

    /// Whether it is made of numbers.
    pub fn is_finite(self) -> bool {
        [self.w, self.x, self.y, self.z].iter().all(|part| part.is_finite())
    }
}

/// `a * b` turns by `b` first and then by `a`.
impl Mul for Rotation {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let (a, b) = (self, other);
        normalized([
            a.w * b.w - a.x * b.x - a.y * b.y - a.z * b.z,
            a.w * b.x + a.x * b.w + a.y * b.z - a.z * b.y,
            a.w * b.y - a.x * b.z + a.y * b.w + a.z * b.x,
            a.w * b.z + a.x * b.y - a.y * b.x + a.z * b.w,
        ])
    }
}

fn length([x, y, z]: [f64; 3]) -> f64 {
    (x * x + y * y + z * z).sqrt()
}

/// Long chains of products stay rotations.
fn normalized(quaternion: [f64; 4]) -> Rotation {
    let length = quaternion.iter().map(|part| part * part).sum::<f64>().sqrt();
    let [w, x, y, z] = quaternion.map(|part| part / length);
    Rotation { w, x, y, z }
}

/// The quaternion that is the eigenvector of the largest eigenvalue of a symmetric matrix, by Jacobi's cyclic method (Golub
/// and Van Loan, "Matrix Computations", section 8.5).
fn principal(mut matrix: [[f64; 4]; 4]) -> Rotation {
    /// Convergence is quadratic: a 4x4 matrix is diagonal to the last bit after five or six.
    const SWEEPS: usize = 10;
    let mut vectors: [[f64; 4]; 4] = std::array::from_fn(|row| std::array::from_fn(|column| f64::from(row == column)));
    for _ in 0..SWEEPS {
        for (p, q) in [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)] {
            if matrix[p][q] == 0.0 {
                continue;
            }
            let slope = (matrix[q][q] - matrix[p][p]) / (2.0 * matrix[p][q]);
            let tan = slope.signum() / (slope.abs() + slope.hypot(1.0));
            let cos = 1.0 / tan.hypot(1.0);
            let sin = tan * cos;
            for row in matrix.iter_mut().chain(&mut vectors) {
                (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
            }
            let (upper, lower) = (matrix[p], matrix[q]);
            matrix[p] = std::array::from_fn(|column| cos * upper[column] - sin * lower[column]);
            matrix[q] = std::array::from_fn(|column| sin * upper[column] + cos * lower[column]);
        }
    }
    let largest = (0..4).fold(0, |best, place| if matrix[place][place] > matrix[best][best] { place } else { best });
    normalized(vectors.map(|row| row[largest]))
}

#[cfg(test)]
mod tests;
