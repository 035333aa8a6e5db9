//! What a gait energy image may look like, too: the same walker a pixel aside, from the other side, with a part hidden or badly
//! cut out, in weaker or stronger grey.

use facelens_gait::{GEI_HEIGHT, GEI_WIDTH};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How images are varied in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaitAugmentation {
    /// Half of the images are mirrored.
    pub mirror: bool,
    /// Most pixels by which an image is moved, to each side, up and down.
    pub shift: u8,
    /// Share of images of which some rows or columns are erased.
    pub erase: f32,
    /// Most rows or columns that are erased.
    pub erased: u8,
    /// How far the grey of the moving parts is bent: levels become their power, between 1 - this and 1 + this.
    pub intensity: f32,
}

impl Default for GaitAugmentation {
    fn default() -> Self {
        Self { mirror: true, shift: 1, erase: 0.3, erased: 6, intensity: 0.3 }
    }
}

impl GaitAugmentation {
    /// Whether these can be done.
    ///
    /// # Errors
    /// Names the setting that cannot.
    pub fn check(&self) -> Result<(), String> {
        let finite = |name: &str, value: f32, most: f32| {
            let fits = (0.0..=most).contains(&value);
            if fits { Ok(()) } else { Err(format!("augmentation.{name} is {value}; it must be from 0 to {most}")) }
        };
        finite("shift", self.shift.into(), 8.0)?;
        finite("erase", self.erase, 1.0)?;
        finite("erased", self.erased.into(), 20.0)?;
        finite("intensity", self.intensity, 0.9)
    }

    /// Writes the image `source` (64 rows of 44 grey bytes) into `target`, 0 to 1, varied.
    pub(super) fn vary(&self, source: &[u8], rng: &mut ChaCha8Rng, target: &mut [f32]) {
        let mirrored = self.mirror && rng.random_bool(0.5);
        let shift = i32::from(self.shift);
        let (right, down) = (rng.random_range(-shift..=shift), rng.random_range(-shift..=shift));
        let power = 1.0 + self.intensity * rng.random_range(-1.0..=1.0_f32);
        let bent: Vec<f32> = (0..=255_u8).map(|level| (f32::from(level) / 255.0).powf(power)).collect();
        for (place, value) in target.iter_mut().enumerate() {
            let (row, column) = ((place / GEI_WIDTH) as i32 - down, (place % GEI_WIDTH) as i32 - right);
            let inside = (0..GEI_HEIGHT as i32).contains(&row) && (0..GEI_WIDTH as i32).contains(&column);
            let column = if mirrored { GEI_WIDTH as i32 - 1 - column } else { column };
            *value = if inside { bent[usize::from(source[row as usize * GEI_WIDTH + column as usize])] } else { 0.0 };
        }
        if self.erased > 0 && rng.random_range(0.0..1.0) < self.erase {
            let count = rng.random_range(1..=usize::from(self.erased));
            let rows = rng.random_bool(0.5);
            let length = if rows { GEI_HEIGHT } else { GEI_WIDTH };
            let first = rng.random_range(0..=length - count);
            for (place, value) in target.iter_mut().enumerate() {
                let at = if rows { place / GEI_WIDTH } else { place % GEI_WIDTH };
                if (first..first + count).contains(&at) {
                    *value = 0.0;
                }
            }
        }
    }
}

/// The image as it is, 0 to 1.
pub(super) fn plain(source: &[u8]) -> impl Iterator<Item = f32> + '_ {
    source.iter().map(|level| f32::from(*level) / 255.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::generator;

    const NOTHING: GaitAugmentation =
        GaitAugmentation { mirror: false, shift: 0, erase: 0.0, erased: 0, intensity: 0.0 };
    const LENGTH: usize = GEI_WIDTH * GEI_HEIGHT;

    fn image() -> Vec<u8> {
        (0..LENGTH).map(|i| (i * 37 % 251 + 4) as u8).collect()
    }

    fn varied(settings: &GaitAugmentation, index: u64) -> Vec<f32> {
        let mut target = vec![-1.0; LENGTH];
        settings.vary(&image(), &mut generator(1, 2, index), &mut target);
        target
    }

    #[test]
    fn without_any_it_is_the_image_itself() {
        assert_eq!(varied(&NOTHING, 0), plain(&image()).collect::<Vec<_>>());
    }

    #[test]
    fn a_mirrored_and_moved_image_has_its_pixels_elsewhere() {
        let settings = GaitAugmentation { mirror: true, shift: 1, ..NOTHING };
        let image = image();
        let mut found = std::collections::BTreeSet::new();
        for index in 0..200 {
            let varied = varied(&settings, index);
            for mirrored in [false, true] {
                for (right, down) in (-1..=1).flat_map(|right| (-1..=1).map(move |down| (right, down))) {
                    // A pixel in the middle, and the edge that came in.
                    let at = |x: i32, y: i32| varied[(y * 44 + x) as usize];
                    let from = |x: i32, y: i32| {
                        f32::from(image[(y * 44 + if mirrored { 43 - x } else { x }) as usize]) / 255.0
                    };
                    let same = (5..38).all(|x| (5..58).all(|y| at(x, y) == from(x - right, y - down)));
                    if same {
                        assert!(right != 1 || (0..64).all(|y| at(0, y) == 0.0));
                        assert!(down != -1 || (0..44).all(|x| at(x, 63) == 0.0));
                        found.insert((mirrored, right, down));
                    }
                }
            }
        }
        assert_eq!(found.len(), 18, "{found:?}");
    }

    #[test]
    fn erased_bands_are_whole_and_grey_is_bent_in_order() {
        let erase = GaitAugmentation { erase: 1.0, erased: 6, ..NOTHING };
        for index in 0..20 {
            let varied = varied(&erase, index);
            let rows = (0..64).filter(|y| varied[y * 44..][..44].iter().all(|v| *v == 0.0)).count();
            let columns = (0..44).filter(|x| (0..64).all(|y| varied[y * 44 + x] == 0.0)).count();
            assert!((1..=6).contains(&(rows + columns)) && rows * columns == 0, "{rows} rows, {columns} columns");
        }
        let bend = GaitAugmentation { intensity: 0.3, ..NOTHING };
        let (plain, bent): (Vec<f32>, _) = (plain(&image()).collect(), varied(&bend, 3));
        let power = bent[10].ln() / plain[10].ln();
        assert!((power - 1.0).abs() > 1e-3 && (0.7..=1.3).contains(&power), "{power}");
        assert!(plain.iter().zip(&bent).all(|(plain, bent)| (plain.powf(power) - bent).abs() < 1e-4));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let settings = GaitAugmentation { intensity: f32::NAN, ..NOTHING };
        assert!(settings.check().unwrap_err().contains("augmentation.intensity"));
        assert!(GaitAugmentation { shift: 9, ..NOTHING }.check().unwrap_err().contains("augmentation.shift"));
    }
}
