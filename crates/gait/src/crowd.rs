//! Who is who: finds and outlines of a frame are given to the people who are followed.

use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use facelens_core::track::assignment::{NEVER, assign};

use super::body::Body;
use super::people::Person;
use super::track::{LONGEST_GAP_S, WalkerTrack, looks};

/// How far from the expected place somebody may be found, in heights, and how much this grows with each second unseen.
const REACH: f32 = 0.25;
const REACH_PER_S: f32 = 0.7;
/// By what factor the height may change, and how much this grows a second.
const HEIGHT_RATIO: f32 = 1.35;
const HEIGHT_RATIO_PER_S: f32 = 0.4;
/// What distance, height and looks cost; the distance costs 1.
const HEIGHT_COST: f32 = 0.4;
const LOOKS_COST: f32 = 1.5;
/// Above this sum a find is rather somebody new.
const ALONE_COST: f64 = 2.0;
/// What costs nobody who is not a walker yet.
const TENTATIVE_COST: f32 = 0.3;
/// After a gap this long, somebody who looks this different is somebody else.
const OTHER_AFTER_S: f64 = 0.4;
const OTHER_LOOKS: f32 = 0.5;
/// A find that shares so much with somebody seen, or lies so far within them, is them.
const SAME_IOU: f32 = 0.4;
const INSIDE: f32 = 0.75;
/// Outlines that share so much of the smaller one are one person.
const SAME_OUTLINE: f32 = 0.5;
/// Steps in which two outlines are compared, pixels of the mask.
const OUTLINE_STEP: usize = 3;

/// What it costs to take somebody at `rect` for this person; [`NEVER`] where it cannot be.
pub(super) fn cost(track: &WalkerTrack, rect: &Rect, frame: &Frame, now_s: f64) -> f64 {
    let unseen_s = now_s - track.seen_s;
    let expected = track.expected(now_s);
    let (here, there) = (expected.center(), rect.center());
    let unsure_s = unseen_s.max((now_s - track.apart_s).min(0.5)) as f32;
    let reach = expected.height * (REACH + REACH_PER_S * unsure_s);
    let distance = (here.x - there.x).hypot(here.y - there.y) / reach;
    let ratio = HEIGHT_RATIO + HEIGHT_RATIO_PER_S * unsure_s;
    let height = (rect.height / expected.height).ln().abs() / ratio.ln();
    if !(distance <= 1.0 && height <= 1.0) {
        return NEVER;
    }
    let other = match (&track.looks, looks(frame, rect)) {
        (Some(known), Some(seen)) => known.distance(&seen),
        _ => 0.0,
    };
    if unseen_s > OTHER_AFTER_S && other > OTHER_LOOKS {
        return NEVER;
    }
    let tentative = if track.id.is_none() { TENTATIVE_COST } else { 0.0 };
    f64::from(distance * distance + HEIGHT_COST * height * height + LOOKS_COST * other + tentative)
}

/// Gives finds to the people who are followed: for each track its find, and the finds that are somebody new.
pub(super) fn match_finds(
    tracks: &[WalkerTrack],
    finds: &[Person],
    frame: &Frame,
    now_s: f64,
    step_s: f64,
) -> (Vec<Option<usize>>, Vec<usize>) {
    let costs: Vec<Vec<f64>> =
        finds.iter().map(|find| tracks.iter().map(|track| cost(track, &find.rect, frame, now_s)).collect()).collect();
    let chosen = assign(&costs, tracks.len(), ALONE_COST);
    let mut found = vec![None; tracks.len()];
    for (find, track) in chosen.iter().enumerate() {
        if let Some(track) = *track {
            found[track] = Some(find);
        }
    }
    let is_seen = |track: &&WalkerTrack| now_s - track.seen_s <= step_s + 1e-6;
    let is_new = |find: &usize| {
        let rect = finds[*find].rect;
        chosen[*find].is_none()
            && !tracks.iter().filter(is_seen).any(|track| {
                let known = track.expected(now_s);
                let common = rect.intersection(&known).map_or(0.0, |common| common.area());
                rect.iou(&known) > SAME_IOU || common > INSIDE * rect.area().min(known.area())
            })
    };
    let new = (0..finds.len()).filter(is_new).collect();
    (found, new)
}

/// Whether two outlines are of the same person.
pub(super) fn is_same(a: &Body, b: &Body) -> bool {
    if a.rect.intersection(&b.rect).is_none() {
        return false;
    }
    let (mut of_a, mut common) = (0_u32, 0_u32);
    for y in (0..a.mask.height()).step_by(OUTLINE_STEP) {
        for x in (0..a.mask.width()).step_by(OUTLINE_STEP) {
            if covers(a, x, y) {
                of_a += 1;
                let point = a.placement.to_frame(Point { x: x as f32 + 0.5, y: y as f32 + 0.5 });
                common += u32::from(covers_point(b, point));
            }
        }
    }
    // The other's size in the same squares of the picture.
    let scale = (b.placement.scale / a.placement.scale).powi(2);
    let inside_b = b.mask.coverage().iter().filter(|value| **value >= 128).count() as f32;
    let of_b = inside_b * scale / (OUTLINE_STEP * OUTLINE_STEP) as f32;
    common as f32 > SAME_OUTLINE * (of_a as f32).min(of_b)
}

fn covers(body: &Body, x: usize, y: usize) -> bool {
    body.mask.coverage()[y * body.mask.width() + x] >= 128
}

fn covers_point(body: &Body, point: Point) -> bool {
    let place = &body.placement;
    let (x, y) = (point.x / place.scale + place.left, point.y / place.scale + place.top);
    x >= 0.0
        && y >= 0.0
        && (x as usize) < body.mask.width()
        && (y as usize) < body.mask.height()
        && covers(body, x as usize, y as usize)
}

/// Whether nobody waits for this person any more.
pub(super) fn is_gone(track: &WalkerTrack, now_s: f64, step_s: f64) -> bool {
    let longest_s = if track.id.is_some() { LONGEST_GAP_S.max(2.5 * step_s) } else { 0.6_f64.max(1.5 * step_s) };
    now_s - track.seen_s > longest_s
}
