//! What a person looks like, coarsely: colours of the head and of the clothes below it, and a small grey picture.
//!
//! It tells people apart that cross; it recognises nobody, is never stored, and is forgotten with the track.

use crate::frame::Frame;
use crate::geometry::Rect;

/// Colour bins per axis of the Cb-Cr plane, and bins of brightness.
const CHROMA: usize = 7;
const LUMA: usize = 6;
const BINS: usize = CHROMA * CHROMA + LUMA;
/// Rows and columns of points at which a region is looked at.
const POINTS: usize = 16;
/// Sides of the grey picture.
const THUMB: usize = 8;
/// The clothes: a region of this width, from below the chin on, in sides of the face.
const TORSO_WIDTH: f32 = 1.8;
const TORSO_TOP: f32 = 0.2;
const TORSO_HEIGHT: f32 = 1.0;
/// Clothes of which less than this share is in the picture do not count.
const TORSO_SEEN: f32 = 0.35;

/// Colours of a region: two histograms, each with sum 1.
type Histogram = [f32; BINS];

/// The looks of one person.
#[derive(Clone, Debug)]
pub struct AppearanceModel {
    head: Histogram,
    torso: Option<Histogram>,
    /// Grey values with mean 0 and length 1; all 0 for a flat region.
    thumb: [f32; THUMB * THUMB],
}

/// The part of the picture that the looks of the person with this face are taken from.
pub fn region(face: &Rect) -> Rect {
    let (head, torso) = (head(face), torso(face));
    let (x, y) = (head.x.min(torso.x), head.y.min(torso.y));
    Rect::new(x, y, head.right().max(torso.right()) - x, head.bottom().max(torso.bottom()) - y)
}

fn head(face: &Rect) -> Rect {
    face.scaled(1.15)
}

fn torso(face: &Rect) -> Rect {
    let width = TORSO_WIDTH * face.width;
    Rect::new(face.center().x - width / 2.0, face.bottom() + TORSO_TOP * face.height, width, TORSO_HEIGHT * face.height)
}

impl AppearanceModel {
    /// The looks of the person with the face `face` in `frame`; `None` where no part of the face is in the picture.
    pub fn of(frame: &Frame, face: &Rect) -> Option<Self> {
        let (head, _) = histogram(frame, &head(face))?;
        let torso = histogram(frame, &torso(face)).filter(|(_, seen)| *seen >= TORSO_SEEN).map(|(colours, _)| colours);
        Some(Self { head, torso, thumb: thumb(frame, face) })
    }

    /// How different two people look: 0 alike, 1 nothing in common.
    pub fn distance(&self, other: &Self) -> f32 {
        let head = hellinger(&self.head, &other.head);
        let likeness: f32 = self.thumb.iter().zip(&other.thumb).map(|(a, b)| a * b).sum();
        let flat = |thumb: &[f32]| thumb.iter().all(|value| *value == 0.0);
        let thumb = if flat(&self.thumb) || flat(&other.thumb) { head } else { (1.0 - likeness) / 2.0 };
        match (&self.torso, &other.torso) {
            (Some(mine), Some(theirs)) => 0.5 * hellinger(mine, theirs) + 0.35 * head + 0.15 * thumb,
            _ => 0.75 * head + 0.25 * thumb,
        }
    }

    /// Goes the share `rate` of the way towards `newer`.
    pub fn follow(&mut self, newer: &Self, rate: f32) {
        let blend = |mine: &mut [f32], theirs: &[f32]| {
            for (mine, theirs) in mine.iter_mut().zip(theirs) {
                *mine += rate * (theirs - *mine);
            }
        };
        blend(&mut self.head, &newer.head);
        blend(&mut self.thumb, &newer.thumb);
        normalise(&mut self.thumb);
        match (&mut self.torso, &newer.torso) {
            (Some(mine), Some(theirs)) => blend(mine, theirs),
            (None, theirs) => self.torso = *theirs,
            (Some(_), None) => {}
        }
    }
}

/// The Hellinger distance of the two colour planes and brightnesses together, 0 to 1.
fn hellinger(a: &Histogram, b: &Histogram) -> f32 {
    let common = |range: std::ops::Range<usize>| {
        a[range.clone()].iter().zip(&b[range]).map(|(a, b)| (a * b).sqrt()).sum::<f32>()
    };
    let (chroma, luma) = (common(0..CHROMA * CHROMA), common(CHROMA * CHROMA..BINS));
    (1.0 - (0.7 * chroma + 0.3 * luma)).clamp(0.0, 1.0).sqrt()
}

/// The colours of a region and the share of it that is in the picture; `None` where nothing is.
fn histogram(frame: &Frame, rect: &Rect) -> Option<(Histogram, f32)> {
    let mut bins = [0.0; BINS];
    let mut seen = 0;
    for (x, y) in points(rect, POINTS) {
        let Some([red, green, blue]) = pixel(frame, x, y) else { continue };
        seen += 1;
        // Rec. 601, as in JPEG.
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        let (cb, cr) = (0.564 * (blue - luma), 0.713 * (red - luma));
        // Few colours lie far from the middle of the plane; those beyond count for its edge.
        let place = |chroma: f32| ((chroma + 90.0) / 180.0).clamp(0.0, 1.0) * (CHROMA - 1) as f32;
        let ((column, right), (row, below)) = (split(place(cb), CHROMA), split(place(cr), CHROMA));
        for (dy, share_y) in [(0, 1.0 - below), (1, below)] {
            for (dx, share_x) in [(0, 1.0 - right), (1, right)] {
                bins[(row + dy) * CHROMA + column + dx] += share_x * share_y;
            }
        }
        let (bin, above) = split(luma / 255.0 * (LUMA - 1) as f32, LUMA);
        bins[CHROMA * CHROMA + bin] += 1.0 - above;
        bins[CHROMA * CHROMA + bin + 1] += above;
    }
    if seen == 0 {
        return None;
    }
    for bin in &mut bins {
        *bin /= seen as f32;
    }
    Some((bins, seen as f32 / (POINTS * POINTS) as f32))
}

/// The bin below a place on an axis of `bins` bins, and the share of the one above.
fn split(place: f32, bins: usize) -> (usize, f32) {
    let bin = (place as usize).min(bins - 2);
    (bin, (place - bin as f32).clamp(0.0, 1.0))
}

/// The face as a small grey picture, free of brightness and contrast.
fn thumb(frame: &Frame, face: &Rect) -> [f32; THUMB * THUMB] {
    let mut sums = [0.0; THUMB * THUMB];
    for (i, (x, y)) in points(face, POINTS).enumerate() {
        let [red, green, blue] = pixel(frame, x, y).unwrap_or([0.0; 3]);
        let (row, column) = (i / POINTS * THUMB / POINTS, i % POINTS * THUMB / POINTS);
        sums[row * THUMB + column] += red + green + blue;
    }
    let mean = sums.iter().sum::<f32>() / sums.len() as f32;
    for value in &mut sums {
        *value -= mean;
    }
    normalise(&mut sums);
    sums
}

fn normalise(values: &mut [f32]) {
    let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
    for value in values {
        *value = if length > 1e-6 { *value / length } else { 0.0 };
    }
}

/// `count` x `count` points spread over a rectangle, row by row.
fn points(rect: &Rect, count: usize) -> impl Iterator<Item = (f32, f32)> {
    let (rect, step) = (*rect, 1.0 / count as f32);
    (0..count * count).map(move |i| {
        let (column, row) = ((i % count) as f32 + 0.5, (i / count) as f32 + 0.5);
        (rect.x + rect.width * column * step, rect.y + rect.height * row * step)
    })
}

/// Red, green and blue, 0 to 255; `None` outside the picture.
fn pixel(frame: &Frame, x: f32, y: f32) -> Option<[f32; 3]> {
    let inside = x >= 0.0 && y >= 0.0 && x < frame.width() as f32 && y < frame.height() as f32;
    let start = inside.then_some((y as usize * frame.width() as usize + x as usize) * 3)?;
    let rgb = frame.rgb().get(start..start + 3)?;
    Some([f32::from(rgb[0]), f32::from(rgb[1]), f32::from(rgb[2])])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::scenarios::{Look, picture};

    const FACE: Rect = Rect::new(120.0, 40.0, 60.0, 60.0);

    fn seen(look: Look, brightness: f32) -> AppearanceModel {
        AppearanceModel::of(&picture(&[(FACE, look)], brightness), &FACE).unwrap()
    }

    #[test]
    fn other_clothes_look_different_and_other_light_does_not() {
        let (red, blue) = (seen(Look::Red, 1.0), seen(Look::Blue, 1.0));
        assert!(red.distance(&red) < 0.01);
        let light = red.distance(&seen(Look::Red, 0.85));
        assert!(red.distance(&blue) > 2.0 * light && red.distance(&blue) > 0.3, "{} {light}", red.distance(&blue));
    }

    #[test]
    fn a_real_person_looks_much_the_same_a_little_nearer_darker_or_beside() {
        let frame = crate::testing::astronaut();
        let face = Rect::new(165.0, 70.0, 115.0, 115.0);
        let known = AppearanceModel::of(&frame, &face).unwrap();
        let darker = frame.rgb().iter().map(|byte| (f32::from(*byte) * 0.7) as u8).collect();
        let darker = Frame::from_rgb(frame.width(), frame.height(), darker).unwrap();
        for (picture, rect) in [(&frame, face.scaled(1.2)), (&frame, face.translated(12.0, -8.0)), (&darker, face)] {
            let distance = known.distance(&AppearanceModel::of(picture, &rect).unwrap());
            assert!(distance < 0.25, "{rect:?}: {distance}");
        }
    }

    #[test]
    fn a_face_at_the_edge_is_known_by_its_visible_part_and_one_outside_not_at_all() {
        let frame = picture(&[(FACE, Look::Red)], 1.0);
        assert!(AppearanceModel::of(&frame, &FACE.translated(-140.0, 0.0)).is_some());
        assert!(AppearanceModel::of(&frame, &FACE.translated(-300.0, 0.0)).is_none());
        assert!(AppearanceModel::of(&frame, &FACE.translated(0.0, 70.0)).unwrap().torso.is_none());
    }

    #[test]
    fn it_follows_slowly() {
        let (mut person, other) = (seen(Look::Red, 1.0), seen(Look::Blue, 1.0));
        let before = person.distance(&other);
        person.follow(&other, 0.05);
        assert!(person.distance(&other) > 0.7 * before);
        for _ in 0..200 {
            person.follow(&other, 0.05);
        }
        assert!(person.distance(&other) < 0.1);
    }
}
