//! A person's outline in the size and place that a gait energy image averages.

use super::mask::Mask;
use super::{GEI_HEIGHT, GEI_WIDTH};

/// Fewest rows of a mask that still make a silhouette.
const FEWEST_ROWS: usize = 16;

/// A person's mask, cut to its rows, brought to [`GEI_HEIGHT`] rows by averages of areas, and centred on the column where half of
/// its mass is reached; what lies beyond [`GEI_WIDTH`] columns is cut off. As OULP-Age, GaitSet and OpenGait make theirs.
#[derive(Clone, Debug, PartialEq)]
pub struct Silhouette {
    pixels: Vec<f32>,
}

impl Silhouette {
    /// The silhouette of a mask; `None` where nobody is in it or the person has fewer than 16 rows.
    pub fn from_mask(mask: &Mask) -> Option<Self> {
        let extent = mask.extent()?;
        let rows = extent.bottom - extent.top;
        if rows < FEWEST_ROWS {
            return None;
        }
        let scale = rows as f32 / GEI_HEIGHT as f32;
        let left = mask.middle_column() - GEI_WIDTH as f32 / 2.0 * scale;
        // Columns first, then rows: an average over an area is one over each side in turn.
        let across = weights(GEI_WIDTH, left, scale, mask.width());
        let down = weights(GEI_HEIGHT, extent.top as f32, scale, mask.height());
        let mut narrow = vec![0.0_f32; rows * GEI_WIDTH];
        for (row, target) in narrow.chunks_exact_mut(GEI_WIDTH).enumerate() {
            let start = (extent.top + row) * mask.width();
            let source = &mask.coverage()[start..start + mask.width()];
            for (value, (first, weights)) in target.iter_mut().zip(&across) {
                *value = source[*first..].iter().zip(weights).map(|(&c, w)| f32::from(c) / 255.0 * w).sum();
            }
        }
        let mut pixels = vec![0.0_f32; GEI_WIDTH * GEI_HEIGHT];
        for (target, (first, weights)) in pixels.chunks_exact_mut(GEI_WIDTH).zip(&down) {
            for (row, weight) in weights.iter().enumerate() {
                let Some(row) = (first + row).checked_sub(extent.top).filter(|row| *row < rows) else { continue };
                for (value, &source) in target.iter_mut().zip(&narrow[row * GEI_WIDTH..]) {
                    *value += source * weight;
                }
            }
        }
        Some(Self { pixels })
    }

    /// Coverage of each pixel, 0 to 1: [`GEI_HEIGHT`] rows of [`GEI_WIDTH`], from the top.
    pub fn pixels(&self) -> &[f32] {
        &self.pixels
    }
}

/// For each of `count` cells of `scale` pixels, the first from `start`: the first pixel that it touches, and the share of the cell
/// that each pixel from there on fills. Pixels outside 0..`size` have no share.
fn weights(count: usize, start: f32, scale: f32, size: usize) -> Vec<(usize, Vec<f32>)> {
    (0..count)
        .map(|cell| {
            let (from, to) = (start + cell as f32 * scale, start + (cell + 1) as f32 * scale);
            let first = from.floor().clamp(0.0, size as f32) as usize;
            let end = to.ceil().clamp(0.0, size as f32) as usize;
            let share = |pixel: usize| (to.min(pixel as f32 + 1.0) - from.max(pixel as f32)).max(0.0) / scale;
            (first, (first..end).map(share).collect())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A mask with a filled rectangle.
    fn rectangle(width: usize, height: usize, (left, top): (usize, usize), (w, h): (usize, usize)) -> Mask {
        let inside = |i: usize| (left..left + w).contains(&(i % width)) && (top..top + h).contains(&(i / width));
        Mask::new(width, height, (0..width * height).map(|i| if inside(i) { 255 } else { 0 }).collect()).unwrap()
    }

    fn row(silhouette: &Silhouette, y: usize) -> &[f32] {
        &silhouette.pixels()[y * GEI_WIDTH..(y + 1) * GEI_WIDTH]
    }

    #[test]
    fn a_rectangle_is_scaled_and_centred_wherever_it_stands() {
        // 20 x 128 pixels: scaled by a half to 10 columns, in the middle of 44.
        for place in [(0, 0), (70, 10), (81, 1)] {
            let silhouette = Silhouette::from_mask(&rectangle(101, 140, place, (20, 128))).unwrap();
            for y in [0, 31, 63] {
                let row = row(&silhouette, y);
                assert!((row.iter().sum::<f32>() - 10.0).abs() < 1e-3, "{row:?}");
                assert!(row[17..27].iter().all(|v| (v - 1.0).abs() < 1e-3), "{row:?}");
                assert!(row[..17].iter().chain(&row[27..]).all(|v| v.abs() < 1e-3), "{row:?}");
            }
        }
    }

    #[test]
    fn an_uneven_scale_keeps_the_mass() {
        let silhouette = Silhouette::from_mask(&rectangle(60, 90, (13, 7), (17, 75))).unwrap();
        let mass: f32 = silhouette.pixels().iter().sum();
        let expected = 17.0 * 75.0 * (GEI_HEIGHT as f32 / 75.0).powi(2);
        assert!((mass - expected).abs() < 0.5, "{mass} instead of {expected}");
    }

    #[test]
    fn nobody_and_a_speck_have_no_silhouette() {
        assert_eq!(Silhouette::from_mask(&rectangle(40, 40, (0, 0), (0, 0))), None);
        assert_eq!(Silhouette::from_mask(&rectangle(40, 40, (3, 3), (5, 15))), None);
    }
}
