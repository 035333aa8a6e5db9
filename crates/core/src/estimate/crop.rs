//! Which pixels of the frame a network is shown: exactly the published programs' arithmetic.

use crate::geometry::Rect;

/// Whole pixels inside a picture, at least one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelRect {
    /// First column.
    pub(super) left: u32,
    /// First row.
    pub(super) top: u32,
    /// Columns, at least 1.
    pub(super) width: u32,
    /// Rows, at least 1.
    pub(super) height: u32,
}

impl PixelRect {
    /// A whole picture.
    pub(super) fn whole(width: u32, height: u32) -> Self {
        Self { left: 0, top: 0, width, height }
    }
}

/// The crop around `face` (a box in the style that the card names) with `margin` times its width and height on each side.
///
/// As SSR-Net's and FSA-Net's webcam demos do it: `xw1 = max(int(x1 - ad*w), 0)`, `xw2 = min(int(x2 + ad*w), width - 1)`
/// with `x2 = x1 + w`, the slice including `xw2`; the same for rows. At the picture's edge the crop is cut, not moved or
/// padded, and squeezed to the network's input afterwards. `None` where nothing of it lies in the picture or the box has
/// no finite size.
pub(super) fn crop_rect(face: &Rect, margin: f32, width: u32, height: u32) -> Option<PixelRect> {
    let numbers = [face.x, face.y, face.width, face.height, margin];
    if numbers.iter().any(|number| !number.is_finite()) || face.width <= 0.0 || face.height <= 0.0 {
        return None;
    }
    // The demos reckon in f64; a margin of 0.6 read as f32 would be 0.600000024 there and could move a pixel.
    let margin = (f64::from(margin) * 1e6).round() / 1e6;
    let (left, columns) = span(f64::from(face.x), f64::from(face.width), margin, width)?;
    let (top, rows) = span(f64::from(face.y), f64::from(face.height), margin, height)?;
    Some(PixelRect { left, top, width: columns, height: rows })
}

/// First pixel and number of pixels along one axis of `size` pixels.
fn span(start: f64, length: f64, margin: f64, size: u32) -> Option<(u32, u32)> {
    let first = (start - margin * length).trunc().max(0.0);
    let last = (start + length + margin * length).trunc().min(f64::from(size) - 1.0);
    // Both are whole and within 0..size where this holds.
    (first <= last).then_some((first as u32, (last - first) as u32 + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect::new(x, y, width, height)
    }

    #[test]
    fn crops_are_those_of_the_published_demos() {
        // Side and corner of the LBP box, the picture's size, and the first and last pixels, both included, with the
        // margins 0.5 and 0.6, of five reference faces.
        for (side, x, y, picture, half, three_fifths) in [
            (73.0, 188.0, 86.0, (512, 512), [151, 49, 297, 195], [144, 42, 304, 202]),
            (232.0, 476.0, 269.0, (970, 2204), [360, 153, 824, 617], [336, 129, 847, 640]),
            (192.0, 400.0, 169.0, (910, 1137), [304, 73, 688, 457], [284, 53, 707, 476]),
            (222.0, 190.0, 324.0, (626, 1200), [79, 213, 523, 657], [56, 190, 545, 679]),
            (209.0, 693.0, 338.0, (1434, 2333), [588, 233, 1006, 651], [567, 212, 1027, 672]),
        ] {
            for (margin, [left, top, right, bottom]) in [(0.5, half), (0.6, three_fifths)] {
                let crop = crop_rect(&rect(x, y, side, side), margin, picture.0, picture.1).unwrap();
                let expected = PixelRect { left, top, width: right - left + 1, height: bottom - top + 1 };
                assert_eq!(crop, expected, "{x},{y} with {margin}");
            }
        }
    }

    #[test]
    fn at_the_edge_the_crop_is_cut() {
        let crop = crop_rect(&rect(-20.0, 80.0, 40.0, 40.0), 0.5, 100, 90).unwrap();
        assert_eq!(crop, PixelRect { left: 0, top: 60, width: 41, height: 30 });
        assert_eq!(crop_rect(&rect(0.0, 0.0, 9.0, 9.0), 3.0, 1, 1), Some(PixelRect::whole(1, 1)));
        assert_eq!(crop_rect(&rect(-1e30, -1e30, 2e30, 2e30), 0.5, 640, 480), Some(PixelRect::whole(640, 480)));
    }

    #[test]
    fn a_box_outside_or_without_a_size_has_no_crop() {
        for outside in [rect(300.0, 5.0, 20.0, 20.0), rect(-90.0, 5.0, 20.0, 20.0), rect(5.0, 1e9, 20.0, 20.0)] {
            assert_eq!(crop_rect(&outside, 0.5, 100, 100), None, "{outside:?}");
        }
        for senseless in [rect(f32::NAN, 0.0, 9.0, 9.0), rect(0.0, 0.0, f32::INFINITY, 9.0), rect(5.0, 5.0, 0.0, 9.0)] {
            assert_eq!(crop_rect(&senseless, 0.5, 100, 100), None, "{senseless:?}");
        }
        assert_eq!(crop_rect(&rect(0.0, 0.0, 9.0, 9.0), f32::NAN, 100, 100), None);
    }
}
