//! The numeric self-check: tract on the converted graph against the file's own arithmetic.

use std::path::Path;

use facelens_core::model::{InputSpec, Layout, ModelError, ModelErrorKind, Net};

use crate::net::{INPUT_SIDE, ShapeError, Tensor};

/// Largest difference that is rounding, in the output's unit (years, score, degrees).
const TOLERANCE: f32 = 1e-3;

/// Compares `net` with `reference` on drawn faces and gives the largest difference.
///
/// # Errors
/// [`ModelErrorKind::SelfCheck`] where they differ by more than 1e-3, or where either gives no finite numbers.
pub(super) fn self_check(
    file: &Path,
    onnx: &[u8],
    input: &InputSpec,
    reference: impl Fn(&Tensor) -> Result<Vec<f32>, ShapeError>,
) -> Result<f32, ModelError> {
    let refuse = |cause: String| {
        ModelError::new(ModelErrorKind::SelfCheck, file, cause, "the file is damaged or of an unknown variant")
    };
    let net = Net::from_onnx(onnx, input, file)?;
    let mut largest = 0.0_f32;
    for face in drawn_faces() {
        let expected = reference(&face).map_err(|ShapeError(cause)| refuse(cause))?;
        let got = run(&net, input, &face).map_err(refuse)?;
        if expected.len() != got.len() {
            return Err(refuse(format!("{} outputs where the file's arithmetic has {}", got.len(), expected.len())));
        }
        for (expected, got) in expected.iter().zip(&got) {
            let difference = (expected - got).abs();
            if difference.is_nan() || difference > TOLERANCE {
                return Err(refuse(format!("gives {got} where the file's own arithmetic gives {expected}")));
            }
            largest = largest.max(difference);
        }
    }
    Ok(largest)
}

/// Runs `net` on a face `[1, 64, 64, 3]`.
pub(super) fn run(net: &Net, input: &InputSpec, face: &Tensor) -> Result<Vec<f32>, String> {
    match input.layout {
        Layout::Nhwc => net.run(face.data()),
        Layout::Nchw => net.run(face.permuted(&[0, 3, 1, 2]).map_err(|error| error.to_string())?.data()),
    }
}

/// A few simple faces, values 0 to 255, channels last: an ellipse with eyes and a mouth before a background, in several
/// places, turns, tones and contrasts. Natural enough that the layers behind a relu are alive for some of them, so that
/// a mistake anywhere shows.
pub(super) fn drawn_faces() -> Vec<Tensor> {
    // Centre (x, y) and half axes in halves of the side, turn in radians, brightness of skin and background.
    [
        ([0.0, 0.0], [0.62, 0.82], 0.0_f32, [0.72, 0.54, 0.47], 0.25_f32),
        ([0.12, -0.05], [0.50, 0.70], 0.35, [0.50, 0.36, 0.30], 0.80),
        ([-0.15, 0.10], [0.70, 0.88], -0.30, [0.95, 0.86, 0.80], 0.05),
        ([0.05, 0.12], [0.42, 0.55], 0.10, [0.33, 0.24, 0.20], 0.55),
        // Darker and nearer: a gender network gives exactly 0 on the first three, where nothing behind its relus shows.
        ([0.0, 0.0], [0.80, 1.00], 0.0, [0.30, 0.24, 0.21], 0.90),
        ([0.0, 0.0], [0.80, 1.00], 0.0, [0.60, 0.48, 0.42], 0.50),
    ]
    .into_iter()
    .map(|(centre, axes, turn, skin, background)| {
        let (sin, cos) = turn.sin_cos();
        Tensor::from_fn(&[1, INPUT_SIDE, INPUT_SIDE, 3], |i| {
            let (row, column, channel) = (i / 3 / INPUT_SIDE, i / 3 % INPUT_SIDE, i % 3);
            let half = INPUT_SIDE as f32 / 2.0;
            let (dx, dy) =
                ((column as f32 + 0.5) / half - 1.0 - centre[0], (row as f32 + 0.5) / half - 1.0 - centre[1]);
            // Place within the upright face; its outline is the unit circle.
            let (u, v) = ((cos * dx + sin * dy) / axes[0], (cos * dy - sin * dx) / axes[1]);
            let spot = |x: f32, y: f32, width: f32, height: f32| {
                (-((u - x) / width).powi(2) - ((v - y) / height).powi(2)).exp()
            };
            let dark = spot(-0.38, -0.2, 0.17, 0.08)
                + spot(0.38, -0.2, 0.17, 0.08)
                + 0.7 * spot(0.0, 0.5, 0.3, 0.07)
                + 0.4 * spot(0.0, 0.15, 0.08, 0.2);
            let shade = 1.0 - 0.25 * u - 0.85 * dark;
            let hair = if v < -0.55 { 0.35 } else { 1.0 };
            let wall = background + 0.15 * (9.0 * dx).sin() * (7.0 * dy).cos();
            let inside = 1.0 / (1.0 + ((u * u + v * v - 1.0) * 12.0).exp());
            // Blue first, as the published networks see it.
            let tone = skin[2 - channel] * shade * hair;
            (255.0 * (inside * tone + (1.0 - inside) * wall)).clamp(0.0, 255.0).round()
        })
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_of_a_hundredth_or_no_number_is_refused() {
        use crate::net::reference::{Padding, average_pool, convolution};
        // A graph is only needed as something that runs: the mean of the first channel's first block.
        let first = |face: &Tensor| -> Result<f32, ShapeError> {
            let kernel = Tensor::new(&[1, 1, 3, 1], vec![1.0, 0.0, 0.0])?;
            let bias = Tensor::new(&[1], vec![0.0])?;
            let map = convolution(face, &kernel, crate::net::KernelLayout::Hwio, &bias, Padding::Valid)?;
            Ok(average_pool(&map, 64)?.data()[0])
        };
        let (onnx, input) = crate::net::tests::mean_of_first_channel();
        let file = Path::new("x");
        let check = |offset: f32| self_check(file, &onnx, &input, |face| Ok(vec![first(face)? + offset]));
        assert!(check(0.0).unwrap() < 1e-4);
        for offset in [0.01, -0.01, f32::NAN, f32::INFINITY] {
            assert_eq!(check(offset).unwrap_err().kind, ModelErrorKind::SelfCheck);
        }
        let two = self_check(file, &onnx, &input, |_| Ok(vec![0.0, 0.0]));
        assert!(two.unwrap_err().cause.contains("1 outputs"));
    }

    #[test]
    fn half_of_the_drawn_faces_reach_the_output_of_the_saturating_gender_network() {
        let onnx = include_bytes!("../../../../models/ssrnet-gender-imdb.onnx");
        let net = Net::with_input_shape(onnx, &[1, 3, INPUT_SIDE, INPUT_SIDE], Path::new("gender")).unwrap();
        let scores = drawn_faces()
            .iter()
            .map(|face| net.run(face.permuted(&[0, 3, 1, 2]).unwrap().data()).unwrap()[0])
            .collect::<Vec<_>>();
        let alive = scores.iter().filter(|score| **score != 0.0).count();
        assert!(alive * 2 >= scores.len(), "{scores:?}");
    }

    #[test]
    fn the_drawn_faces_are_pictures_and_differ() {
        let faces = drawn_faces();
        for face in &faces {
            let (low, high) =
                face.data().iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
            assert!(low >= 0.0 && high <= 255.0 && high - low > 100.0, "{low} to {high}");
        }
        assert!(faces.iter().enumerate().all(|(i, face)| !faces[..i].contains(face)));
    }
}
