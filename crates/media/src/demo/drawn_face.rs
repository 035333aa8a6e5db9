//! The drawn man's face, painted once: brows, eyes, nose, mouth and a beard over skin, from soft spots. Lengths are in half heights of
//! his head, from its middle: x to the right of the picture, y down.

use super::blend;

/// Colours are of red, green and blue, 0 to 255.
type Rgb = [f32; 3];

const SKIN: Rgb = [198.0, 142.0, 112.0];

/// What is painted: from here on to the right and down.
const LEFT: f32 = -0.8;
const TOP: f32 = -1.05;
/// Dots a unit, and how many there are across and down.
const DOTS: f32 = 96.0;
const COLUMNS: usize = 154;
const ROWS: usize = 202;

/// The painted face.
pub(super) struct FacePaint {
    /// Colours, and how much of each dot is hair, by rows.
    dots: Vec<(Rgb, f32)>,
}

impl FacePaint {
    pub(super) fn new() -> Self {
        let dot = |row: usize, column: usize| {
            let (x, y) = (LEFT + (column as f32 + 0.5) / DOTS, TOP + (row as f32 + 0.5) / DOTS);
            (paint(x, y), rises(0.03, -0.03, y - hairline(x)))
        };
        Self { dots: (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| dot(row, column))).collect() }
    }

    /// The colour there, and how much of it is hair; bilinear.
    pub(super) fn face(&self, x: f32, y: f32) -> (Rgb, f32) {
        let place = |at: f32, count: usize| (at * DOTS - 0.5).clamp(0.0, count as f32 - 1.001);
        let (column, row) = (place(x - LEFT, COLUMNS), place(y - TOP, ROWS));
        let (left, top) = (column as usize, row as usize);
        let (right, down) = (column - left as f32, row - top as f32);
        let at = |row: usize, column: usize| self.dots[row * COLUMNS + column];
        let mix = |a: (Rgb, f32), b: (Rgb, f32), share: f32| (blend(a.0, b.0, share), a.1 + (b.1 - a.1) * share);
        let upper = mix(at(top, left), at(top, left + 1), right);
        let lower = mix(at(top + 1, left), at(top + 1, left + 1), right);
        mix(upper, lower, down)
    }

    /// Whether hair grows there: above the hairline in front, and behind.
    pub(super) fn is_hair(&self, [x, y, z]: [f32; 3]) -> bool {
        if z > 0.16 { y < 0.36 } else { y < hairline(x) }
    }
}

/// The colour of hair: strands from front to back.
pub(super) fn hair([x, y, z]: [f32; 3]) -> Rgb {
    let strand = 0.6 * (47.0 * x + 9.0 * y + 3.0 * (7.0 * y + 5.0 * x).sin()).sin()
        + 0.4 * (91.0 * x - 13.0 * y + 31.0 * z).sin();
    [96.0 + 20.0 * strand, 88.0 + 19.0 * strand, 82.0 + 18.0 * strand]
}

/// How far down the hair comes.
fn hairline(x: f32) -> f32 {
    -0.58 + 0.10 * (x / 0.5).powi(2) + 0.035 * (13.0 * x + 0.7).sin()
}

/// From 0 at `from` to 1 at `to`, smoothly.
fn rises(from: f32, to: f32, at: f32) -> f32 {
    let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// A soft spot: 1 in its middle, little beyond its half widths.
fn spot(x: f32, y: f32, middle: (f32, f32), half: (f32, f32)) -> f32 {
    (-((x - middle.0) / half.0).powi(2) - ((y - middle.1) / half.1).powi(2)).exp()
}

/// A soft line about a curve that is `away` from here.
fn line(away: f32, half: f32) -> f32 {
    (-(away / half).powi(2)).exp()
}

fn paint(x: f32, y: f32) -> Rgb {
    let a = x.abs();
    let mut color = SKIN;
    let mut lay = |over: Rgb, share: f32| color = blend(color, over, share);
    // Cheeks, sockets, a shaved chin.
    lay([206.0, 124.0, 104.0], 0.45 * spot(a, y, (0.36, 0.34), (0.20, 0.17)));
    lay([150.0, 96.0, 76.0], 0.50 * spot(a, y, (0.30, -0.07), (0.22, 0.12)));
    lay([128.0, 104.0, 92.0], 0.38 * rises(0.36, 0.62, y) * rises(0.62, 0.50, a));
    // Folds beside the mouth, lines on the forehead and at the eyes' corners.
    let fold = a - 0.17 - 0.30 * (y - 0.34);
    lay([140.0, 90.0, 70.0], 0.55 * line(fold, 0.022) * rises(0.30, 0.36, y) * rises(0.66, 0.56, y));
    lay([158.0, 108.0, 84.0], 0.50 * (line(y + 0.33, 0.014) + line(y + 0.40, 0.014)) * rises(0.40, 0.30, a));
    let corner = 0.25 * (a - 0.46);
    let crows_feet = line(y - 0.02 - corner, 0.010) + line(y + 0.03 + corner, 0.010);
    lay([150.0, 98.0, 76.0], 0.45 * crows_feet * rises(0.44, 0.47, a) * rises(0.56, 0.52, a));
    // The nose: its sides, nostrils, the shade below it, its light ridge.
    lay([150.0, 96.0, 74.0], 0.50 * spot(a, y, (0.12, 0.20), (0.045, 0.20)));
    lay([104.0, 60.0, 48.0], 0.80 * spot(a, y, (0.065, 0.335), (0.028, 0.022)));
    lay([138.0, 86.0, 66.0], 0.55 * spot(x, y, (0.0, 0.37), (0.12, 0.03)));
    lay([214.0, 160.0, 130.0], 0.50 * spot(x, y, (0.0, 0.12), (0.05, 0.20)));
    // An eye: white, iris, pupil, a glint, lids.
    let (along, above) = (a - 0.30, y + 0.02);
    let lid = 0.052 * (1.0 - (along / 0.14).powi(2)).max(0.0).powf(0.6);
    let open = if along.abs() < 0.14 { rises(0.012, -0.006, above.abs() - lid) } else { 0.0 };
    lay([240.0, 236.0, 232.0], open);
    let from_pupil = along.hypot(above + 0.006);
    lay([62.0, 84.0, 92.0], open * rises(0.062, 0.052, from_pupil));
    lay([14.0, 12.0, 12.0], open * rises(0.032, 0.024, from_pupil));
    // The light comes from the left, so both glints are on the same side.
    let glint = (x - 0.30_f32.copysign(x) + 0.02).hypot(above + 0.024);
    lay([255.0, 255.0, 255.0], open * rises(0.016, 0.008, glint));
    let near = rises(0.165, 0.13, along.abs());
    lay([44.0, 28.0, 24.0], 0.90 * near * line(above + lid, 0.014));
    lay([120.0, 76.0, 62.0], 0.55 * near * line(above - lid, 0.010));
    lay([150.0, 98.0, 78.0], 0.50 * near * line(above + lid + 0.045, 0.014));
    // Brows and mouth.
    let brow = y + 0.195 - 0.035 * ((a - 0.28) / 0.2).powi(2);
    lay([60.0, 44.0, 34.0], 0.90 * line(brow, 0.030) * rises(0.50, 0.46, a) * rises(0.09, 0.14, a));
    let mouth = y - 0.565 + 0.04 * (a / 0.26).powi(2);
    lay([168.0, 92.0, 82.0], 0.80 * line(mouth + 0.028, 0.028) * rises(0.27, 0.19, a));
    lay([182.0, 106.0, 94.0], 0.80 * line(mouth - 0.045, 0.038) * rises(0.23, 0.14, a));
    lay([92.0, 42.0, 40.0], 0.90 * line(mouth, 0.013) * rises(0.29, 0.23, a));
    // A short beard around the mouth and along the jaw.
    let lips = (x / 0.25).powi(2) + ((y - 0.575) / 0.085).powi(2);
    let chin = rises(0.60, 0.72, y + 0.75 * (a - 0.1).max(0.0));
    let moustache = line(y - 0.475 - 0.12 * a, 0.035) * rises(0.30, 0.22, a);
    let beard = chin.max(moustache) * rises(0.8, 1.2, lips);
    let grain = 0.85 + 0.15 * (61.0 * x + 7.0 * (9.0 * y).sin()).sin() * (53.0 * y).sin();
    lay([78.0, 64.0, 56.0], 0.82 * beard * grain);
    color
}
