//! Which pixels of a picture belong to a person.

/// Coverage from which a pixel belongs to the person.
const INSIDE: u8 = 128;

/// A person cut out of a picture: one byte a pixel, 0 outside and 255 inside, edges soft or hard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask {
    width: usize,
    height: usize,
    coverage: Vec<u8>,
}

/// Rows and columns that a mask's person covers; the ends are exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl Mask {
    /// A mask from `width` x `height` bytes, top row first; `None` where there are not as many, or none.
    pub fn new(width: usize, height: usize, coverage: Vec<u8>) -> Option<Self> {
        let expected = width.checked_mul(height)?;
        (expected > 0 && coverage.len() == expected).then_some(Self { width, height, coverage })
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The coverage of each pixel, rows from the top.
    pub fn coverage(&self) -> &[u8] {
        &self.coverage
    }

    /// What the person covers; `None` where nobody is there.
    pub(crate) fn extent(&self) -> Option<Extent> {
        let mut extent: Option<Extent> = None;
        for (y, row) in self.coverage.chunks_exact(self.width).enumerate() {
            let Some(left) = row.iter().position(|&value| value >= INSIDE) else { continue };
            let right = row.iter().rposition(|&value| value >= INSIDE).unwrap_or(left) + 1;
            let whole = extent.get_or_insert(Extent { left, top: y, right, bottom: y + 1 });
            (whole.left, whole.right) = (whole.left.min(left), whole.right.max(right));
            whole.bottom = y + 1;
        }
        extent
    }

    /// The largest connected part alone, with its soft edge; `None` where nobody is there.
    pub fn largest_part(&self) -> Option<Self> {
        let mut parts = vec![0_u32; self.coverage.len()];
        let (mut best, mut best_size, mut count) = (0, 0, 0);
        let mut waiting = Vec::new();
        for start in 0..parts.len() {
            if parts[start] != 0 || self.coverage[start] < INSIDE {
                continue;
            }
            count += 1;
            parts[start] = count;
            waiting.push(start);
            let mut size = 0;
            while let Some(place) = waiting.pop() {
                size += 1;
                for next in self.neighbours(place) {
                    if parts[next] == 0 && self.coverage[next] >= INSIDE {
                        parts[next] = count;
                        waiting.push(next);
                    }
                }
            }
            if size > best_size {
                (best, best_size) = (count, size);
            }
        }
        if best == 0 {
            return None;
        }
        let belongs = |place: usize| {
            parts[place] == best || (parts[place] == 0 && self.neighbours(place).any(|next| parts[next] == best))
        };
        let coverage = (0..parts.len()).map(|place| if belongs(place) { self.coverage[place] } else { 0 }).collect();
        Some(Self { width: self.width, height: self.height, coverage })
    }

    /// The places above, below, left and right.
    fn neighbours(&self, place: usize) -> impl Iterator<Item = usize> {
        let (width, column, last) = (self.width, place % self.width, self.coverage.len());
        let up = place.checked_sub(width);
        let left = (column > 0).then(|| place - 1);
        let right = (column + 1 < width).then(|| place + 1);
        let down = Some(place + width).filter(|next| *next < last);
        [up, left, right, down].into_iter().flatten()
    }

    /// The column, in pixels from the left edge, on whose two sides equal parts of the coverage lie.
    pub(crate) fn middle_column(&self) -> f32 {
        let mut columns = vec![0_u64; self.width];
        for row in self.coverage.chunks_exact(self.width) {
            for (sum, &value) in columns.iter_mut().zip(row) {
                *sum += u64::from(value);
            }
        }
        let half = columns.iter().sum::<u64>() as f32 / 2.0;
        let mut before = 0.0;
        for (x, &sum) in columns.iter().enumerate() {
            let sum = sum as f32;
            if sum > 0.0 && before + sum >= half {
                return x as f32 + (half - before) / sum;
            }
            before += sum;
        }
        self.width as f32 / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_and_the_middle_are_those_of_the_person() {
        // Columns 1, 2 and 4: half of the six pixels lie left of the middle of column 2.
        #[rustfmt::skip]
        let mask = Mask::new(5, 4, vec![
            0,   0,   0, 0,   0,
            0, 255, 255, 0, 255,
            0, 255, 255, 0, 255,
            0,   0,   0, 0,   0,
        ]).unwrap();
        assert_eq!(mask.extent(), Some(Extent { left: 1, top: 1, right: 5, bottom: 3 }));
        assert!((mask.middle_column() - 2.5).abs() < 1e-6, "{}", mask.middle_column());
    }

    #[test]
    fn only_the_largest_part_stays_with_its_soft_edge() {
        #[rustfmt::skip]
        let mask = Mask::new(6, 3, vec![
            255, 100,   0, 90, 200, 210,
              0,   0,   0,  0,  80, 255,
            255, 255, 120,  0,   0,   0,
        ]).unwrap();
        #[rustfmt::skip]
        let alone = vec![
              0,   0,   0, 90, 200, 210,
              0,   0,   0,  0,  80, 255,
              0,   0,   0,  0,   0,   0,
        ];
        assert_eq!(mask.largest_part().unwrap().coverage(), alone);
        assert_eq!(Mask::new(2, 2, vec![127; 4]).unwrap().largest_part(), None);
    }

    #[test]
    fn an_empty_mask_has_no_extent_and_a_wrong_size_is_none() {
        assert_eq!(Mask::new(3, 2, vec![0; 6]).unwrap().extent(), None);
        assert_eq!(Mask::new(3, 2, vec![0; 5]), None);
        assert_eq!(Mask::new(0, 2, Vec::new()), None);
    }
}
