//! Crops as the app makes them of moving faces, with exact labels: of a picture whose landmarks are known, shifted, scaled
//! and turned by known amounts, on a ground of something else; and crops without a face.

use facelens_core::detect::follow::{CROP_BOXES, SIDE};
use facelens_core::detect::{box_from_landmarks, roll_from_landmarks};
use facelens_core::geometry::{Point, Rect};
use rand::RngExt;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::degrade::{motion, normal};
use super::set::{FollowSet, PICTURE_SIDE};
use crate::augment::{Augmentation, INPUT_LEN, chance, degrade};

/// How crops are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FollowAugmentation {
    /// Share of crops without a face.
    pub absent: f32,
    /// Share of the others in which the face is nearly where it is expected, as from frame to frame.
    pub near: f32,
    /// How far it is off in the rest, along each axis, in sides of its box.
    pub shift: f32,
    /// How much larger or smaller it is, the natural logarithm of the ratio.
    pub log_scale: f32,
    /// How far it is turned against the crop, degrees.
    pub turn_degrees: f32,
    /// Share of crops that are blurred by motion.
    pub motion_share: f32,
    /// How far the longest motion goes, pixels of the input.
    pub motion_pixels: f32,
    /// Light, blur, noise, and what covers a part; of its geometry nothing is used.
    pub picture: Augmentation,
}

impl Default for FollowAugmentation {
    fn default() -> Self {
        let picture = Augmentation {
            blur_share: 0.4,
            blur_pixels: 2.0,
            brightness: 0.2,
            contrast: 0.5,
            gamma: 0.4,
            grey_share: 0.1,
            noise_share: 0.4,
            noise_levels: 12.0,
            erase_share: 0.25,
            ..Augmentation::default()
        };
        Self {
            absent: 0.4,
            near: 0.5,
            shift: 0.5,
            log_scale: 0.4,
            turn_degrees: 30.0,
            motion_share: 0.2,
            motion_pixels: 9.0,
            picture,
        }
    }
}

impl FollowAugmentation {
    /// Whether these can be done.
    ///
    /// # Errors
    /// Names the setting that cannot, and what it may be.
    pub fn check(&self) -> Result<(), String> {
        let within = |name: &str, value: f32, most: f32| {
            let fits = (0.0..=most).contains(&value);
            if fits { Ok(()) } else { Err(format!("augmentation.{name} is {value}; it must be from 0 to {most}")) }
        };
        for (name, share) in [("absent", self.absent), ("near", self.near), ("motion_share", self.motion_share)] {
            within(name, share, 1.0)?;
        }
        // Beyond, a face is hardly in the crop any more.
        within("shift", self.shift, 0.6)?;
        within("log_scale", self.log_scale, 0.5)?;
        within("turn_degrees", self.turn_degrees, 90.0)?;
        within("motion_pixels", self.motion_pixels, 32.0)?;
        self.picture.check()
    }
}

/// What a crop shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CropKind {
    /// A face, about where it is expected.
    Present,
    /// What is beside a face, of which half at most is in the crop.
    Beside,
    /// A detail of a picture: cheek, hair, wall.
    Detail,
    /// A face so far away that it is none for this crop.
    Distant,
    /// The colours and edges of a face in another order.
    Shuffled,
    /// A plain surface or stripes.
    Plain,
    /// A face behind something.
    Covered,
}

impl CropKind {
    /// The kinds without a face, and how often each is drawn.
    const ABSENT: [(Self, f32); 6] = [
        (Self::Beside, 0.34),
        (Self::Detail, 0.22),
        (Self::Distant, 0.04),
        (Self::Shuffled, 0.12),
        (Self::Plain, 0.12),
        (Self::Covered, 0.16),
    ];

    fn draw(absent: f32, rng: &mut ChaCha8Rng) -> Self {
        if !chance(absent, rng) {
            return Self::Present;
        }
        let mut left = rng.random_range(0.0..1.0);
        for (kind, share) in Self::ABSENT {
            left -= share;
            if left < 0.0 {
                return kind;
            }
        }
        Self::Beside
    }
}

/// What a network should say of a crop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FollowTarget {
    /// What it shows.
    pub kind: CropKind,
    /// The landmarks from the crop's middle, in sides of the crop; of use where there is a face.
    pub landmarks: [[f32; 2]; 6],
    /// Side of the facelens box in sides of the crop.
    pub side: f32,
}

impl FollowTarget {
    /// Whether there is a face.
    pub fn is_present(&self) -> bool {
        self.kind == CropKind::Present
    }
}

/// Where in a picture a crop lies.
#[derive(Clone, Copy, Debug)]
struct CropView {
    /// Pixels of the picture.
    middle: Point,
    side: f32,
    sin: f32,
    cos: f32,
    /// The crop shows the mirror image.
    mirrored: bool,
}

impl CropView {
    fn new(middle: Point, side: f32, turn_degrees: f32, mirrored: bool) -> Self {
        let (sin, cos) = turn_degrees.to_radians().sin_cos();
        Self { middle, side, sin, cos, mirrored }
    }

    /// The point of the picture at a place in the crop, from its middle in sides of it.
    #[inline]
    fn to_picture(self, u: f32, v: f32) -> (f32, f32) {
        let u = if self.mirrored { -u } else { u };
        let (x, y) = (self.cos * u - self.sin * v, self.sin * u + self.cos * v);
        (self.middle.x + self.side * x, self.middle.y + self.side * y)
    }

    fn to_crop(self, point: Point) -> [f32; 2] {
        let (dx, dy) = ((point.x - self.middle.x) / self.side, (point.y - self.middle.y) / self.side);
        let (u, v) = (self.cos * dx + self.sin * dy, -self.sin * dx + self.cos * dy);
        [if self.mirrored { -u } else { u }, v]
    }

    /// The view in which `from` lies at `at` (from the crop's middle in sides of the crop).
    fn with_at(from: Point, at: [f32; 2], side: f32, turn_degrees: f32, mirrored: bool) -> Self {
        let view = Self::new(from, side, turn_degrees, mirrored);
        let (x, y) = view.to_picture(-at[0], -at[1]);
        Self { middle: Point { x, y }, ..view }
    }

    fn landmarks(&self, points: &[Point; 6]) -> [[f32; 2]; 6] {
        let [a, b, nose, mouth, c, d] = points.map(|point| self.to_crop(point));
        // Left and right are exchanged in a mirror image.
        if self.mirrored { [b, a, nose, mouth, d, c] } else { [a, b, nose, mouth, c, d] }
    }
}

/// What is outside of a picture.
enum Ground {
    /// Its edge, repeated, as the app has it at a frame's edge.
    Edge,
    /// Its mirror image.
    Reflection,
    /// Two colours, one fading into the other.
    Plain(Surface),
    /// A part of another picture.
    Other(usize, CropView),
}

/// A plain surface, a gradient, or stripes.
struct Surface {
    colours: [[f32; 3]; 2],
    direction: [f32; 2],
    /// Stripes in the crop; 0: a gradient.
    stripes: f32,
}

impl Surface {
    fn draw(rng: &mut ChaCha8Rng) -> Self {
        let base: [f32; 3] = std::array::from_fn(|_| rng.random_range(0.0..255.0));
        let spread = rng.random_range(0.0..80.0_f32);
        let other = base.map(|value| value + rng.random_range(-1.0..=1.0) * spread);
        let angle = rng.random_range(0.0..std::f32::consts::TAU);
        let stripes = if chance(0.3, rng) { rng.random_range(1.0..14.0) } else { 0.0 };
        Self { colours: [base, other], direction: [angle.cos(), angle.sin()], stripes }
    }

    fn at(&self, u: f32, v: f32) -> [f32; 3] {
        let along = self.direction[0] * u + self.direction[1] * v;
        let share = if self.stripes > 0.0 {
            0.5 + 0.5 * (along * self.stripes * std::f32::consts::TAU).sin()
        } else {
            (along + 0.5).clamp(0.0, 1.0)
        };
        std::array::from_fn(|c| self.colours[0][c] + share * (self.colours[1][c] - self.colours[0][c]))
    }
}

/// Draws a crop of face `index` of a set into `tensor`, as the network takes it (channels first, -1 to 1), and says what the
/// network should say.
pub fn draw(
    set: &FollowSet,
    index: usize,
    augmentation: &FollowAugmentation,
    rng: &mut ChaCha8Rng,
    tensor: &mut [f32],
) -> FollowTarget {
    let kind = CropKind::draw(augmentation.absent, rng);
    let (mut colour, mut work) = (vec![0.0; INPUT_LEN], vec![0.0; INPUT_LEN]);
    let target = picture(set, index, kind, augmentation, rng, &mut colour);
    if chance(augmentation.motion_share, rng) {
        let length = rng.random_range(1.0..=augmentation.motion_pixels.max(1.0));
        motion(length, rng.random_range(0.0..std::f32::consts::PI), &mut colour, &mut work);
    }
    degrade(&augmentation.picture, rng, &mut colour, &mut work);
    for (channel, plane) in tensor.chunks_exact_mut(SIDE * SIDE).enumerate() {
        for (value, pixel) in plane.iter_mut().zip(colour.chunks_exact(3)) {
            // Bytes, as the app has them.
            *value = pixel[channel].round().clamp(0.0, 255.0) / 127.5 - 1.0;
        }
    }
    target
}

/// The crop before light and noise: values of 0 to 255, row by row.
fn picture(
    set: &FollowSet,
    index: usize,
    kind: CropKind,
    augmentation: &FollowAugmentation,
    rng: &mut ChaCha8Rng,
    colour: &mut [f32],
) -> FollowTarget {
    let points = set.faces[index].points();
    let face = box_from_landmarks(&points);
    let view = view(&points, &face, kind, augmentation, rng);
    let shuffled = (kind == CropKind::Shuffled).then(|| shuffled(set.picture(index), rng));
    let source = shuffled.as_deref().unwrap_or_else(|| set.picture(index));
    let ground = ground(set, index, kind, &view, &face, rng);
    let bounds = bounds(kind, &face, &ground, rng);
    // Sometimes it is softer than it need be, as far faces are.
    let soft = if chance(0.3, rng) { rng.random_range(1.0..=2.2) } else { 1.0 };
    let feather = rng.random_range(0.5..=6.0_f32);
    if kind == CropKind::Plain {
        let surface = Surface::draw(rng);
        fill(colour, |u, v| surface.at(u, v));
    } else {
        let reach = |view: &CropView| (view.side / SIDE as f32).max(1.0) * soft;
        let (own_reach, other) = (reach(&view), &ground);
        let fold = if matches!(ground, Ground::Reflection) { reflected } else { clamped };
        fill(colour, |u, v| {
            let (x, y) = view.to_picture(u, v);
            let inside = match other {
                Ground::Edge | Ground::Reflection => 1.0,
                Ground::Plain(_) | Ground::Other(..) => share_inside(x, y, &bounds, feather),
            };
            let mut value = [0.0; 3];
            if inside > 0.0 {
                value = read(source, x, y, own_reach, &bounds, fold);
            }
            if inside < 1.0 {
                let ground = match other {
                    Ground::Plain(surface) => surface.at(u, v),
                    Ground::Other(index, view) => {
                        let (x, y) = view.to_picture(u, v);
                        read(set.picture(*index), x, y, reach(view), &WHOLE, reflected)
                    }
                    Ground::Edge | Ground::Reflection => value,
                };
                value = std::array::from_fn(|c| ground[c] + inside * (value[c] - ground[c]));
            }
            value
        });
    }
    let target = FollowTarget { kind, landmarks: view.landmarks(&points), side: face.width / view.side };
    if kind == CropKind::Covered {
        cover(set, index, &target, rng, colour);
    }
    target
}

/// Where the crop lies.
fn view(
    points: &[Point; 6],
    face: &Rect,
    kind: CropKind,
    augmentation: &FollowAugmentation,
    rng: &mut ChaCha8Rng,
) -> CropView {
    let (roll, mirrored) = (roll_from_landmarks(points).unwrap_or_default(), rng.random_bool(0.5));
    let even = |most: f32, rng: &mut ChaCha8Rng| most * rng.random_range(-1.0..=1.0_f32);
    let (log_scale, turn, [x, y]) = match kind {
        CropKind::Beside => {
            let (angle, distance) = (rng.random_range(0.0..std::f32::consts::TAU), rng.random_range(1.05..2.2_f32));
            let scale = even(augmentation.log_scale, rng);
            (scale, even(augmentation.turn_degrees, rng), [distance * angle.cos(), distance * angle.sin()])
        }
        CropKind::Detail => {
            let place = [even(0.7, rng), even(0.7, rng)];
            (-rng.random_range(1.3..2.2_f32), even(90.0, rng), place)
        }
        CropKind::Distant => (rng.random_range(1.0..1.5_f32), even(45.0, rng), [even(1.5, rng), even(1.5, rng)]),
        _ if chance(augmentation.near, rng) => {
            (0.07 * normal(rng), 6.0 * normal(rng), [0.07 * normal(rng), 0.07 * normal(rng)])
        }
        _ => {
            let scale = even(augmentation.log_scale, rng);
            // A face that is larger than expected leaves the crop sooner.
            let shift = augmentation.shift * scale.min(0.0).exp();
            (scale, even(augmentation.turn_degrees, rng), [even(shift, rng), even(shift, rng)])
        }
    };
    let side = CROP_BOXES * face.width * log_scale.exp();
    let at = [x, y].map(|boxes| boxes * face.width / side);
    CropView::with_at(face.center(), at, side, roll + turn, mirrored)
}

/// What is around the picture.
fn ground(set: &FollowSet, index: usize, kind: CropKind, view: &CropView, face: &Rect, rng: &mut ChaCha8Rng) -> Ground {
    let mut other = rng.random_range(0..set.len());
    if other == index {
        other = (other + 1) % set.len();
    }
    let choice = rng.random_range(0.0..1.0_f32);
    // Only where the crop has a face of its own another one may be in sight: the mirror image's, or a neighbour's.
    if kind == CropKind::Present && choice < 0.2 {
        return Ground::Reflection;
    }
    if kind == CropKind::Present && choice < 0.32 {
        let theirs = set.faces[other].points();
        let (their, roll) = (box_from_landmarks(&theirs), roll_from_landmarks(&theirs).unwrap_or_default());
        // Both are about as large; the neighbour stands beside, and farther from the crop's middle.
        let (side, boxes) = (face.width / view.side, rng.random_range(1.15..1.7_f32));
        let own = view.to_crop(face.center());
        let right = if own[0].abs() > 0.05 { own[0] > 0.0 } else { rng.random_bool(0.5) };
        let away = if right { boxes } else { -boxes };
        let at = [own[0] + away * side, own[1] + 0.3 * side * normal(rng)];
        let scale = view.side * their.width / face.width * (0.15 * normal(rng)).exp();
        let view = CropView::with_at(their.center(), at, scale, roll + 8.0 * normal(rng), rng.random_bool(0.5));
        return Ground::Other(other, view);
    }
    if choice < 0.55 {
        return Ground::Edge;
    }
    if choice < 0.75 {
        return Ground::Plain(Surface::draw(rng));
    }
    Ground::Other(other, texture(rng))
}

/// A part of a picture so small that no face is in it.
fn texture(rng: &mut ChaCha8Rng) -> CropView {
    let place = || PICTURE_SIDE as f32;
    let mut anywhere = || rng.random_range(0.0..1.0_f32) * place();
    let middle = Point { x: anywhere(), y: anywhere() };
    CropView::new(middle, rng.random_range(10.0..34.0), rng.random_range(0.0..360.0), rng.random_bool(0.5))
}

/// Left, top, right and bottom of the part of a picture that is used, pixels.
type Bounds = [f32; 4];

const WHOLE: Bounds = [0.0, 0.0, PICTURE_SIDE as f32, PICTURE_SIDE as f32];

/// The used part of a picture: all of it, or less around the face, so that no edge tells where the face is. As at a frame's
/// edge, one side may cut into the face.
fn bounds(kind: CropKind, face: &Rect, ground: &Ground, rng: &mut ChaCha8Rng) -> Bounds {
    if kind != CropKind::Present || chance(0.4, rng) {
        return WHOLE;
    }
    let (side, last) = (face.width, PICTURE_SIDE as f32);
    let mut inner = [face.x, face.y, face.right(), face.bottom()];
    if matches!(ground, Ground::Edge) && chance(0.4, rng) {
        let cut = rng.random_range(0.0..=0.3) * side;
        let at = rng.random_range(0..4_usize);
        inner[at] += if at < 2 { cut } else { -cut };
    }
    std::array::from_fn(|at| {
        let (edge, inner) = (WHOLE[at], inner[at].clamp(0.0, last));
        (edge + (inner - edge) * rng.random_range(0.0..=1.0_f32)).round()
    })
}

/// 1 inside, 0 outside, between where the edge is soft.
fn share_inside(x: f32, y: f32, [left, top, right, bottom]: &Bounds, feather: f32) -> f32 {
    let deep = (x - left).min(y - top).min(right - x).min(bottom - y);
    (deep / feather).clamp(0.0, 1.0)
}

fn fill(colour: &mut [f32], mut at: impl FnMut(f32, f32) -> [f32; 3]) {
    for (place, pixel) in colour.chunks_exact_mut(3).enumerate() {
        let along = |index: usize| (index as f32 + 0.5) / SIDE as f32 - 0.5;
        pixel.copy_from_slice(&at(along(place % SIDE), along(place / SIDE)));
    }
}

/// Which pixel stands in a place along one axis, of those from `first` to before `end`.
type EdgeRule = fn(i32, i32, i32) -> usize;

fn clamped(index: i32, first: i32, end: i32) -> usize {
    index.clamp(first, (end - 1).max(first)) as usize
}

fn reflected(index: i32, first: i32, end: i32) -> usize {
    let length = (end - first).max(1);
    let place = (index - first).rem_euclid(2 * length);
    (first + if place < length { place } else { 2 * length - 1 - place }) as usize
}

/// The colour at a place, by a triangle that reaches so many pixels.
fn read(picture: &[u8], x: f32, y: f32, reach: f32, bounds: &Bounds, fold: EdgeRule) -> [f32; 3] {
    let [left, top, right, bottom] = bounds.map(|edge| edge as i32);
    let (x, y) = (x - 0.5, y - 0.5);
    let range = |place: f32| ((place - reach).floor() as i32 + 1, (place + reach).ceil() as i32);
    let ((first_column, end_column), (first_row, end_row)) = (range(x), range(y));
    let (mut sum, mut total) = ([0.0; 3], 0.0);
    for row in first_row..end_row {
        let row_weight = 1.0 - (row as f32 - y).abs() / reach;
        let line = fold(row, top, bottom) * PICTURE_SIDE;
        for column in first_column..end_column {
            let weight = row_weight * (1.0 - (column as f32 - x).abs() / reach);
            let start = (line + fold(column, left, right)) * 3;
            total += weight;
            for (sum, byte) in sum.iter_mut().zip(&picture[start..start + 3]) {
                *sum += weight * f32::from(*byte);
            }
        }
    }
    sum.map(|sum| sum / total.max(1e-6))
}

/// A picture whose blocks lie in another order.
fn shuffled(picture: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let block = [8, 12, 16][rng.random_range(0..3_usize)];
    let across = PICTURE_SIDE / block;
    let mut places: Vec<usize> = (0..across * across).collect();
    rand::seq::SliceRandom::shuffle(places.as_mut_slice(), rng);
    let mut out = vec![0; picture.len()];
    for (to, from) in places.into_iter().enumerate() {
        let start =
            |place: usize, row: usize| ((place / across * block + row) * PICTURE_SIDE + place % across * block) * 3;
        for row in 0..block {
            let (a, b) = (start(to, row), start(from, row));
            out[a..a + block * 3].copy_from_slice(&picture[b..b + block * 3]);
        }
    }
    out
}

/// Covers the face, and what surrounds it a little, with a part of another picture or a plain surface.
fn cover(set: &FollowSet, index: usize, target: &FollowTarget, rng: &mut ChaCha8Rng, colour: &mut [f32]) {
    let points = target.landmarks.map(|[x, y]| Point { x, y });
    let face = box_from_landmarks(&points);
    let mut grow = || face.width * rng.random_range(0.45..0.8_f32);
    let middle = face.center();
    let (left, right, up, down) = (grow(), grow(), grow(), grow());
    let other = (index + 1 + rng.random_range(0..set.len().max(2) - 1)) % set.len();
    let (surface, view) = (chance(0.4, rng).then(|| Surface::draw(rng)), texture(rng));
    let before = colour.to_vec();
    let mut place = 0;
    fill(colour, |u, v| {
        let start = place * 3;
        place += 1;
        let inside = (middle.x - left..middle.x + right).contains(&u) && (middle.y - up..middle.y + down).contains(&v);
        if !inside {
            return [before[start], before[start + 1], before[start + 2]];
        }
        match &surface {
            Some(surface) => surface.at(u, v),
            None => {
                let (x, y) = view.to_picture(u, v);
                read(set.picture(other), x, y, 1.0, &WHOLE, reflected)
            }
        }
    });
}

#[cfg(test)]
#[path = "sample_tests.rs"]
mod tests;
