//! Faces made unrecognisable.
//!
//! A face is replaced by a few squares of one colour each, over the whole head: what is left has no more than three
//! squares from ear to ear. Where a face is not found in a frame, the squares stand where it was found up to half a
//! second before or after, because that is how long a detector may miss somebody who turns or comes into view.

use std::time::Duration;

use facelens_core::geometry::Rect;

/// How far in time a face is hidden where it is not found.
pub(in super::super) const REACH: Duration = Duration::from_millis(500);

/// What is hidden beyond the box on each side, as a part of its longer side: hair, chin and ears.
const MARGIN: f32 = 0.35;
/// The same where the face was found in another frame: it may have moved.
const MARGIN_ELSEWHERE: f32 = 0.6;

/// Squares along the longer side of what is hidden.
const SQUARES: f32 = 5.0;

/// The boxes of one frame: time, identity and box of each face.
pub(super) struct FoundFaces {
    pub time: Duration,
    pub faces: Vec<(u64, Rect)>,
}

/// What is to be hidden in frame `at`: its own faces, and those that are missing in it but found in a frame not further
/// than [`REACH`], each once and where it was nearest in time.
pub(super) fn hidden<'a>(at: &FoundFaces, around: impl Iterator<Item = &'a FoundFaces>) -> Vec<Rect> {
    let mut hidden: Vec<Rect> = at.faces.iter().map(|(_, rect)| grown(*rect, MARGIN)).collect();
    let mut missing: Vec<(u64, Duration, Rect)> = Vec::new();
    for found in around {
        let distance = found.time.abs_diff(at.time);
        if distance > REACH {
            continue;
        }
        for (id, rect) in found.faces.iter().filter(|(id, _)| !at.faces.iter().any(|(known, _)| known == id)) {
            match missing.iter_mut().find(|(known, ..)| known == id) {
                Some((_, nearest, place)) if distance < *nearest => (*nearest, *place) = (distance, *rect),
                Some(_) => {}
                None => missing.push((*id, distance, *rect)),
            }
        }
    }
    hidden.extend(missing.into_iter().map(|(_, _, rect)| grown(rect, MARGIN_ELSEWHERE)));
    hidden
}

/// The box with a margin on each side.
fn grown(rect: Rect, margin: f32) -> Rect {
    let margin = rect.width.max(rect.height) * margin;
    Rect::new(rect.x - margin, rect.y - margin, rect.width + 2.0 * margin, rect.height + 2.0 * margin)
}

/// Replaces what lies in `rect` by squares of their mean colour. Tightly packed RGB8 rows of `width` pixels.
pub(in super::super) fn pixelate(rgb: &mut [u8], width: u32, rect: &Rect) {
    let height = rgb.len() / 3 / (width.max(1) as usize);
    let clip = |value: f32, most: usize| if value.is_finite() { (value.max(0.0) as usize).min(most) } else { 0 };
    let (left, right) = (clip(rect.x.floor(), width as usize), clip(rect.right().ceil(), width as usize));
    let (top, bottom) = (clip(rect.y.floor(), height), clip(rect.bottom().ceil(), height));
    let side = (rect.width.max(rect.height) / SQUARES).ceil().max(1.0) as usize;
    for y in (top..bottom).step_by(side) {
        for x in (left..right).step_by(side) {
            let end = |from: usize, most: usize| from.saturating_add(side).min(most);
            square(rgb, width as usize, (x, end(x, right)), (y, end(y, bottom)));
        }
    }
}

fn square(rgb: &mut [u8], width: usize, (left, right): (usize, usize), (top, bottom): (usize, usize)) {
    let mut sums = [0_u64; 3];
    let row = |y: usize| (y * width + left) * 3..(y * width + right) * 3;
    for y in top..bottom {
        for pixel in rgb[row(y)].as_chunks::<3>().0 {
            for (sum, value) in sums.iter_mut().zip(pixel) {
                *sum += u64::from(*value);
            }
        }
    }
    let count = ((right - left) * (bottom - top)).max(1) as u64;
    let mean = sums.map(|sum| (sum / count) as u8);
    for y in top..bottom {
        rgb[row(y)].as_chunks_mut::<3>().0.fill(mean);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(millis: u64, faces: &[(u64, f32)]) -> FoundFaces {
        let faces = faces.iter().map(|&(id, x)| (id, Rect::new(x, 100.0, 100.0, 100.0))).collect();
        FoundFaces { time: Duration::from_millis(millis), faces }
    }

    #[test]
    fn a_face_is_hidden_with_its_whole_head() {
        let at = found(0, &[(1, 200.0)]);
        let hidden = hidden(&at, std::iter::once(&at));
        assert_eq!(hidden, [Rect::new(165.0, 65.0, 170.0, 170.0)]);
    }

    #[test]
    fn a_face_that_is_missed_is_hidden_where_it_was_nearest_for_half_a_second() {
        let frames = [found(0, &[(1, 200.0)]), found(300, &[(1, 260.0)]), found(600, &[]), found(1000, &[(2, 500.0)])];
        let places = |at: usize| hidden(&frames[at], frames.iter()).iter().map(|rect| rect.x).collect::<Vec<_>>();
        assert_eq!(places(2), [200.0, 440.0], "one that went and one that comes, both with a larger margin");
        assert_eq!(places(3), [465.0], "after half a second nothing is there any more");
        assert_eq!(places(1), [225.0], "who is found is hidden once");
    }

    #[test]
    fn nothing_finer_than_a_third_of_the_face_is_left_and_nothing_else_is_touched() {
        let (width, height) = (200_u32, 120_u32);
        let noise = |index: usize| (index as u32).wrapping_mul(2_654_435_761).to_be_bytes()[0];
        let before: Vec<u8> = (0..width as usize * height as usize * 3).map(noise).collect();
        let mut after = before.clone();
        let face = Rect::new(60.0, 30.0, 50.0, 50.0);
        let hidden = grown(face, MARGIN);
        pixelate(&mut after, width, &hidden);
        let pixel = |rgb: &[u8], x: u32, y: u32| rgb[((y * width + x) * 3) as usize..][..3].to_vec();
        for y in 0..height {
            for x in 0..width {
                let inside = (42..128).contains(&x) && (12..98).contains(&y);
                if !inside {
                    assert_eq!(pixel(&before, x, y), pixel(&after, x, y), "{x} {y}");
                }
            }
        }
        let row: Vec<_> = (60..110).map(|x| pixel(&after, x, 55)).collect();
        let colours = 1 + row.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(colours <= 4, "{colours} squares across the face");
    }

    #[test]
    fn boxes_beyond_the_picture_and_boxes_that_are_none_do_no_harm() {
        let mut rgb = vec![7; 10 * 10 * 3];
        for rect in [
            Rect::new(-50.0, -50.0, 30.0, 30.0),
            Rect::new(8.0, 8.0, 500.0, 500.0),
            Rect::new(f32::NAN, 0.0, 5.0, 5.0),
            Rect::new(2.0, 2.0, f32::INFINITY, 5.0),
            Rect::new(3.0, 3.0, -5.0, 0.0),
        ] {
            pixelate(&mut rgb, 10, &rect);
        }
        assert_eq!(rgb, vec![7; 300]);
        pixelate(&mut [], 0, &Rect::new(0.0, 0.0, 5.0, 5.0));
    }
}
