//! Where in the stored picture the network looks: one affine map.

use rand::rngs::ChaCha8Rng;

use super::{Augmentation, Turn, around, factor};

/// Where in the stored picture the network looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct CropPlacement {
    /// From a point of the input, in sides of the input from its middle, to a point of the stored picture, in sides of
    /// the detector's box from its middle: `x = a u + b v + shift`, rows of (a, b).
    pub(super) matrix: [[f32; 2]; 2],
    /// The point of the picture that lies in the input's middle, sides of the detector's box.
    pub(super) shift: [f32; 2],
    turn: Turn,
}

impl CropPlacement {
    /// The crop with a side of `boxes` sides of the detector's box, as the app makes it.
    pub(super) fn centred(boxes: f32) -> Self {
        Self { matrix: [[boxes, 0.0], [0.0, boxes]], shift: [0.0; 2], turn: Turn::default() }
    }

    /// A crop around that one, `mirrored` or not.
    pub(super) fn draw(boxes: f32, mirrored: bool, augmentation: &Augmentation, rng: &mut ChaCha8Rng) -> Self {
        let clockwise_degrees = around(augmentation.rotation_degrees, rng);
        let side = boxes * factor(augmentation.scale, rng);
        let (along, across) = (around(augmentation.stretch, rng), around(augmentation.stretch, rng));
        let shift = [around(augmentation.shift, rng), around(augmentation.shift, rng)];
        // To show the head turned clockwise, the points are looked up counter-clockwise (y goes down).
        let (sin, cos) = clockwise_degrees.to_radians().sin_cos();
        let turn = [[cos, sin], [-sin, cos]];
        // Symmetric, so that it turns nothing: a stretch along the axes and one along the diagonals.
        let stretch = [[1.0 + along, across], [across, 1.0 - along]];
        let mut matrix = product(stretch, turn);
        for value in matrix.as_flattened_mut() {
            *value *= side;
        }
        if mirrored {
            // The head is mirrored first and turned then, so looking up it goes the other way round.
            matrix[0] = matrix[0].map(|value| -value);
        }
        Self { matrix, shift: shift.map(|value| value * side), turn: Turn { mirrored, clockwise_degrees } }
    }

    pub(super) fn turn(&self) -> Turn {
        self.turn
    }
}

fn product(a: [[f32; 2]; 2], b: [[f32; 2]; 2]) -> [[f32; 2]; 2] {
    std::array::from_fn(|row| std::array::from_fn(|column| a[row][0] * b[0][column] + a[row][1] * b[1][column]))
}
