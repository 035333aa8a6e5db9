//! In what axes a network gives a head's rotation.

use serde::{Deserialize, Serialize};

use crate::geometry::{Pose, Rotation};

/// Where the x, y and z axis of a network point, of the camera and of a head that looks straight into it alike. Whether
/// they are right-handed or left-handed follows from it.
pub type Axes = [Direction; 3];

/// A direction as the unmirrored picture shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// To the picture's right.
    Right,
    /// To the picture's left.
    Left,
    /// To its lower edge.
    Down,
    /// To its upper edge.
    Up,
    /// From the camera to the face and beyond.
    Away,
    /// From the face to the camera.
    Towards,
}

/// What a network's rotation does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Maps {
    /// It turns a point's coordinates in the head's axes into those in the camera's: the columns of its matrix are the
    /// head's axes.
    #[default]
    HeadToCamera,
    /// The inverse.
    CameraToHead,
}

/// Those of 6DRepNet: it makes its matrix `Rz(roll) Ry(yaw) Rx(pitch)` of 300W-LP's angles, whose order is the other one.
/// In 300W-LP's axes the head's rotation is `Rx(-pitch) Ry(-yaw) Rz(-roll)`, which is the inverse of that.
pub(super) const SIX_D_REP_NET: (Axes, Maps) =
    ([Direction::Right, Direction::Up, Direction::Towards], Maps::CameraToHead);

impl Direction {
    /// The place of its axis in [`Rotation`]'s coordinates (right, down, away), and its sign there.
    const fn place(self) -> (usize, f64) {
        match self {
            Self::Right => (0, 1.0),
            Self::Left => (0, -1.0),
            Self::Down => (1, 1.0),
            Self::Up => (1, -1.0),
            Self::Away => (2, 1.0),
            Self::Towards => (2, -1.0),
        }
    }

    /// The word in the card.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Left => "left",
            Self::Down => "down",
            Self::Up => "up",
            Self::Away => "away",
            Self::Towards => "towards",
        }
    }
}

/// What is wrong with the axes, in words.
pub(super) fn problems(axes: &Axes) -> Result<(), String> {
    let mut places = axes.map(|axis| axis.place().0);
    places.sort_unstable();
    if places == [0, 1, 2] {
        Ok(())
    } else {
        Err("`output.axes` must name one of right and left, one of down and up, and one of away and towards".to_owned())
    }
}

/// The head pose of a rotation matrix by rows in a network's axes, which need not be quite orthonormal.
///
/// # Errors
/// In words, where it is no rotation.
pub(super) fn pose(matrix: &[[f64; 3]; 3], axes: &Axes, maps: Maps) -> Result<Pose, String> {
    let unit = |row: &[f64; 3]| (row.iter().map(|value| value * value).sum::<f64>() - 1.0).abs() < 0.1;
    // Not so of numbers that are not finite, either.
    if !(matrix.iter().all(unit) && determinant(matrix) > 0.5) {
        return Err("the network's output is not a rotation matrix".to_owned());
    }
    // With C the matrix whose rows are the network's axes in facelens's, a head's R becomes C R C^T.
    let mut own = [[0.0; 3]; 3];
    for (row, (to_row, row_sign)) in axes.iter().map(|axis| axis.place()).enumerate() {
        for (column, (to_column, column_sign)) in axes.iter().map(|axis| axis.place()).enumerate() {
            let value = match maps {
                Maps::HeadToCamera => matrix[row][column],
                Maps::CameraToHead => matrix[column][row],
            };
            own[to_row][to_column] = row_sign * column_sign * value;
        }
    }
    Ok(Rotation::from_matrix(&own).into())
}

fn determinant([a, b, c]: &[[f64; 3]; 3]) -> f64 {
    let cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]];
    a.iter().zip(cross).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POSE: Pose = Pose { yaw: 40.0, pitch: -20.0, roll: 15.0 };

    fn near(pose: Pose, other: Pose) -> bool {
        pose.rotation().angle_to(other.rotation()) < 1e-3
    }

    #[test]
    fn the_axes_of_300w_lp_see_what_its_own_program_writes() {
        // `Rx(-pitch) Ry(-yaw) Rz(-roll)` with x right, y up, z to the camera, multiplied out by hand.
        let [y, p, r] = [POSE.yaw, POSE.pitch, POSE.roll].map(|angle| -f64::from(angle).to_radians());
        let matrix = [
            [y.cos() * r.cos(), -y.cos() * r.sin(), y.sin()],
            [
                p.cos() * r.sin() + p.sin() * y.sin() * r.cos(),
                p.cos() * r.cos() - p.sin() * y.sin() * r.sin(),
                -p.sin() * y.cos(),
            ],
            [
                p.sin() * r.sin() - p.cos() * y.sin() * r.cos(),
                p.sin() * r.cos() + p.cos() * y.sin() * r.sin(),
                p.cos() * y.cos(),
            ],
        ];
        let axes = [Direction::Right, Direction::Up, Direction::Towards];
        assert!(near(pose(&matrix, &axes, Maps::HeadToCamera).unwrap(), POSE));
        // Every other choice is another head.
        assert!(!near(pose(&matrix, &axes, Maps::CameraToHead).unwrap(), POSE));
        for x in [Direction::Right, Direction::Left] {
            for y in [Direction::Down, Direction::Up] {
                for z in [Direction::Away, Direction::Towards] {
                    let other = [x, y, z];
                    // Turning all three round changes nothing.
                    let same = other == axes || other == [Direction::Left, Direction::Down, Direction::Away];
                    let told = pose(&matrix, &other, Maps::HeadToCamera).unwrap();
                    assert_eq!(near(told, POSE), same, "{other:?}: {told:?}");
                }
            }
        }
    }

    #[test]
    fn axes_may_come_in_any_order() {
        // z, x, y of facelens's own, and each turned round.
        let own = POSE.rotation().matrix();
        let moved = [2, 0, 1].map(|row| [2, 0, 1].map(|column: usize| own[row][column]));
        let axes = [Direction::Away, Direction::Right, Direction::Down];
        assert!(near(pose(&moved, &axes, Maps::HeadToCamera).unwrap(), POSE));
        let swapped = [Direction::Away, Direction::Down, Direction::Right];
        assert!(!near(pose(&moved, &swapped, Maps::HeadToCamera).unwrap(), POSE));
    }

    #[test]
    fn what_is_no_rotation_is_refused() {
        let axes = [Direction::Right, Direction::Down, Direction::Away];
        for matrix in [
            [[0.0; 3]; 3],
            [[f64::NAN; 3]; 3],
            [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]],
            // A mirror.
            [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]],
        ] {
            assert!(pose(&matrix, &axes, Maps::HeadToCamera).is_err(), "{matrix:?}");
        }
        assert!(problems(&axes).is_ok());
        let twice = [Direction::Right, Direction::Left, Direction::Away];
        assert!(problems(&twice).unwrap_err().contains("`output.axes` must name"));
    }
}
