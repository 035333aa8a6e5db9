//! What networks and background subtraction do to masks: few pixels, too wide or too narrow outlines, missing hands and feet, blobs, holes.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;

use super::norms::chance;
use super::raster::Canvas;

/// The faults of one clip's masks.
#[derive(Clone, Debug)]
pub(super) struct Faults {
    /// Pixels by which all outlines are too wide, or, negative, too narrow.
    pub wider: i32,
    /// Pixels over which edges are soft; 0 for sharp ones.
    pub blur: usize,
    /// Chances of each frame.
    pub lost: f32,
    pub limb: f32,
    pub blob: f32,
    pub hole: f32,
    /// Share of the height that is missing below in each frame.
    pub below: f32,
}

impl Faults {
    pub(super) const NONE: Self = Self { wider: 0, blur: 0, lost: 0.0, limb: 0.0, blob: 0.0, hole: 0.0, below: 0.0 };

    /// Those of one clip: mostly few, sometimes many.
    pub(super) fn drawn(rng: &mut ChaCha8Rng) -> Self {
        let bad = if chance(rng, 0.25) { 3.0 } else { 1.0 };
        Self {
            wider: [0, 0, 0, 1, 1, 2, -1, -1][rng.random_range(0..8)],
            blur: [0, 1, 2, 2, 3, 4][rng.random_range(0..6)],
            lost: 0.01 * bad,
            limb: 0.03 * bad,
            blob: 0.02 * bad,
            hole: 0.02 * bad,
            below: if chance(rng, 0.1) { rng.random_range(0.0..0.04) } else { 0.0 },
        }
    }

    /// Spoils one mask, whose person is so tall in pixels; `limbs` are the places of hands and feet. False: this frame is lost.
    pub(super) fn spoil(&self, canvas: &mut Canvas, tall: f32, limbs: &[[f32; 2]], rng: &mut ChaCha8Rng) -> bool {
        if chance(rng, self.lost) {
            return false;
        }
        widen(canvas, self.wider);
        if chance(rng, self.limb) && !limbs.is_empty() {
            let at = limbs[rng.random_range(0..limbs.len())];
            let half = tall * rng.random_range(0.02..0.07);
            ellipse(canvas, at, [half, half * rng.random_range(0.6..1.6)], 0);
        }
        let (middle, bottom) = (canvas.width as f32 / 2.0, canvas.height as f32 / 2.0 + tall / 2.0);
        let mut somewhere = |spread: f32| {
            [middle + tall * rng.random_range(-spread..spread), bottom - tall * rng.random_range(0.0..1.0)]
        };
        let (blob, hole) = (somewhere(0.3), somewhere(0.1));
        if chance(rng, self.blob) {
            let half = tall * rng.random_range(0.02..0.08);
            ellipse(canvas, blob, [half, half * rng.random_range(0.5..2.0)], 255);
        }
        if chance(rng, self.hole) {
            let half = tall * rng.random_range(0.01..0.05);
            ellipse(canvas, hole, [half, half * rng.random_range(0.5..2.0)], 0);
        }
        if self.below > 0.0 {
            let from = (bottom - tall * self.below).clamp(0.0, canvas.height as f32) as usize;
            canvas.coverage[from * canvas.width..].fill(0);
        }
        soften(canvas, self.blur);
        true
    }
}

fn ellipse(canvas: &mut Canvas, middle: [f32; 2], half: [f32; 2], value: u8) {
    let rows = (middle[1] - half[1]).max(0.0) as usize..((middle[1] + half[1]).max(0.0) as usize).min(canvas.height);
    for row in rows {
        let off = (row as f32 + 0.5 - middle[1]) / half[1];
        let wide = half[0] * (1.0 - off * off).max(0.0).sqrt();
        let from = ((middle[0] - wide).max(0.0) as usize).min(canvas.width);
        let to = ((middle[0] + wide).max(0.0) as usize).min(canvas.width);
        if from < to {
            canvas.coverage[row * canvas.width + from..row * canvas.width + to].fill(value);
        }
    }
}

/// Widens by so many pixels on all sides, or narrows.
fn widen(canvas: &mut Canvas, by: i32) {
    for _ in 0..by.max(0) {
        along(canvas, |a, b, c| a.max(b).max(c));
    }
    for _ in by.min(0)..0 {
        along(canvas, |a, b, c| a.min(b).min(c));
    }
}

/// Averages over `2 * by + 1` pixels each way, as a picture of fewer pixels that was drawn larger.
fn soften(canvas: &mut Canvas, by: usize) {
    for _ in 0..by {
        along(canvas, |a, b, c| ((u16::from(a) + 2 * u16::from(b) + u16::from(c) + 2) / 4) as u8);
    }
}

/// Combines each pixel with its two neighbours, first in the row, then in the column; beyond the edges is nothing.
fn along(canvas: &mut Canvas, combine: impl Fn(u8, u8, u8) -> u8) {
    let width = canvas.width;
    // The row as it was, with nothing at both ends.
    let mut padded = vec![0; width + 2];
    for row in canvas.coverage.chunks_exact_mut(width) {
        padded[1..=width].copy_from_slice(row);
        let neighbours = padded.iter().zip(&padded[1..]).zip(&padded[2..]);
        for (value, ((before, own), after)) in row.iter_mut().zip(neighbours) {
            *value = combine(*before, *own, *after);
        }
    }
    let (mut above, mut own) = (vec![0; width], vec![0; width]);
    let nothing = vec![0; width];
    for y in 0..canvas.height {
        let (rows, below) = canvas.coverage.split_at_mut((y + 1) * width);
        let row = &mut rows[y * width..];
        let below = below.get(..width).unwrap_or(&nothing);
        own.copy_from_slice(row);
        for (value, ((above, own), below)) in row.iter_mut().zip(above.iter().zip(&own).zip(below)) {
            *value = combine(*above, *own, *below);
        }
        std::mem::swap(&mut above, &mut own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::augment::generator;

    fn square() -> Canvas {
        let mut canvas = Canvas::new(20, 20);
        canvas.fill([[5.0, 5.0], [5.0, 15.0], [15.0, 15.0], [15.0, 5.0]], false);
        canvas
    }

    fn filled(canvas: &Canvas) -> usize {
        canvas.coverage.iter().filter(|v| **v >= 128).count()
    }

    #[test]
    fn outlines_widen_narrow_and_soften() {
        let mut canvas = square();
        widen(&mut canvas, 2);
        assert_eq!(filled(&canvas), 14 * 14);
        widen(&mut canvas, -3);
        assert_eq!(filled(&canvas), 8 * 8);
        let mut soft = square();
        let sum = |canvas: &Canvas| canvas.coverage.iter().map(|v| u32::from(*v)).sum::<u32>();
        let before = sum(&soft);
        soften(&mut soft, 2);
        assert!(sum(&soft).abs_diff(before) < before / 100, "the mass stays");
        assert!(soft.coverage.iter().filter(|v| (1..255).contains(*v)).count() > 60);
    }

    #[test]
    fn faults_come_as_often_as_they_say_and_none_changes_nothing() {
        let mut rng = generator(3, 0, 0);
        let whole = square();
        let mut canvas = whole.clone();
        assert!(Faults::NONE.spoil(&mut canvas, 10.0, &[[5.0, 15.0]], &mut rng));
        assert_eq!(canvas.coverage, whole.coverage);
        let faults = Faults { lost: 0.2, limb: 0.5, ..Faults::NONE };
        let (mut lost, mut cut) = (0, 0);
        for _ in 0..500 {
            let mut canvas = whole.clone();
            let kept = faults.spoil(&mut canvas, 100.0, &[[10.0, 10.0]], &mut rng);
            lost += usize::from(!kept);
            cut += usize::from(canvas.coverage != whole.coverage);
        }
        assert!((70..130).contains(&lost), "{lost}");
        assert!((150..250).contains(&cut), "{cut}");
    }
}
