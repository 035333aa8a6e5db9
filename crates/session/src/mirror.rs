//! Pictures as in a mirror.

/// Mirrors tightly packed RGB8 rows of `width` pixels, left for right.
pub(super) fn mirror_rows(rgb: &mut [u8], width: u32) {
    for row in rgb.chunks_exact_mut(width as usize * 3) {
        row.reverse();
        row.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| pixel.reverse());
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn rows_turn_round_and_pixels_do_not() {
        let mut rgb = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 18, 19];
        super::mirror_rows(&mut rgb, 3);
        assert_eq!(rgb, [7, 8, 9, 4, 5, 6, 1, 2, 3, 17, 18, 19, 14, 15, 16, 11, 12, 13]);
    }
}
