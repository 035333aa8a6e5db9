//! One person who is followed.

use std::sync::Arc;

use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Rect};
use facelens_core::track::appearance::AppearanceModel;

use super::age::GaitEstimate;
use super::body::{Body, Landmark, point};
use super::gei::Gei;
use super::measures::Measures;
use super::stride::StrideCutter;
use super::walker::{Waiting, WalkState};

/// Somebody this long out of sight is forgotten: a second, and what a search for people may take.
pub(super) const LONGEST_GAP_S: f64 = 1.2;
/// Lower than this, a silhouette says too little, pixels.
pub(super) const LEAST_HEIGHT_PX: f32 = 80.0;
/// Sureness from which a foot is seen.
const SEEN: f32 = 0.5;
/// How far ankles may lie below the mask, in heights.
const BELOW_MASK: f32 = 0.06;
/// How near to the picture's edge a mask touches it, in pixels of the mask.
const EDGE: f32 = 2.5;
/// A body that fills more than this share of the picture's height and touches its edge is too near.
const NEAR_SHARE: f32 = 0.85;
/// Slower than this, heights a second, and with still feet, somebody stands.
const STANDS: f32 = 0.12;
/// The time constant of the velocity, seconds.
const VELOCITY_TIME_S: f64 = 0.35;
/// The time constant of the looks, seconds.
const LOOKS_TIME_S: f64 = 1.5;
/// A face is a walker's after so many frames.
const FACE_VOTES: u32 = 3;
/// So many strides' figures are averaged.
const KEPT_MEASURES: usize = 32;

/// A person from frame to frame.
pub(super) struct WalkerTrack {
    /// Which walker it is; `None` while nothing but a find.
    pub id: Option<u64>,
    /// The identity of their face.
    pub face: Option<u64>,
    face_votes: Option<(u64, u32)>,
    /// Where they were last, pixels of the picture.
    pub rect: Rect,
    /// Pixels a second.
    velocity: [f32; 2],
    pub looks: Option<AppearanceModel>,
    /// When they were last seen, and when last apart from all others, seconds.
    pub seen_s: f64,
    pub apart_s: f64,
    /// Frames in which they were cut out, and searches in which they were found.
    pub cuts: u32,
    pub finds: u32,
    /// The best score of a find.
    pub score: f32,
    pub cutter: StrideCutter,
    pub gei: Option<Arc<Gei>>,
    pub strides: u32,
    measures: Vec<Measures>,
    pub age: Option<GaitEstimate>,
    pub state: WalkState,
    /// The closed lines around them in this frame, pixels of the picture.
    pub outline: Vec<Vec<Point>>,
    /// Where their nose is in this frame, pixels of the picture.
    pub head: Option<Point>,
    /// Where they should be, of somebody who is only found now and then.
    pub shown: Option<Rect>,
}

impl WalkerTrack {
    /// Somebody who was just found.
    pub(super) fn new(rect: Rect, score: f32, now_s: f64) -> Self {
        Self {
            id: None,
            face: None,
            face_votes: None,
            rect,
            velocity: [0.0; 2],
            looks: None,
            seen_s: now_s,
            apart_s: now_s,
            cuts: 0,
            finds: 1,
            score,
            cutter: StrideCutter::default(),
            gei: None,
            strides: 0,
            measures: Vec::new(),
            age: None,
            state: WalkState::Waiting(Waiting::JustSeen),
            outline: Vec::new(),
            head: None,
            shown: None,
        }
    }

    /// Where they should be now.
    pub(super) fn expected(&self, now_s: f64) -> Rect {
        let elapsed_s = (now_s - self.seen_s).clamp(0.0, LONGEST_GAP_S) as f32;
        self.rect.translated(self.velocity[0] * elapsed_s, self.velocity[1] * elapsed_s)
    }

    /// They were seen at `rect`.
    pub(super) fn moved_to(&mut self, rect: Rect, now_s: f64) {
        let elapsed_s = now_s - self.seen_s;
        if elapsed_s > 1e-3 {
            // Their feet's middle: arms and legs make the box wide and narrow.
            let (old, new) = (self.rect.center(), rect.center());
            let speed = [(new.x - old.x) / elapsed_s as f32, (rect.bottom() - self.rect.bottom()) / elapsed_s as f32];
            let share = if self.cuts < 2 { 1.0 } else { 1.0 - (-elapsed_s / VELOCITY_TIME_S).exp() as f32 };
            for (velocity, speed) in self.velocity.iter_mut().zip(speed) {
                *velocity += share * (speed - *velocity);
            }
        }
        (self.rect, self.seen_s, self.shown) = (rect, now_s, None);
    }

    /// How they look now, of use as long as nobody else is in front of them.
    pub(super) fn follow_looks(&mut self, newer: Option<AppearanceModel>, elapsed_s: f64) {
        match (&mut self.looks, newer) {
            (Some(looks), Some(newer)) => {
                let share = (1.0 - (-elapsed_s / LOOKS_TIME_S).exp()).max(1.0 / f64::from(self.cuts.max(1)));
                looks.follow(&newer, share.min(0.5) as f32);
            }
            (None, newer) => self.looks = newer,
            (Some(_), None) => {}
        }
    }

    /// A face with this identity lies on their head in this frame. After a few frames it is theirs, and stays so.
    pub(super) fn vote_for_face(&mut self, face: u64) {
        if self.face.is_some() {
            return;
        }
        let votes = match self.face_votes {
            Some((known, votes)) if known == face => votes + 1,
            _ => 1,
        };
        self.face_votes = Some((face, votes));
        if votes >= FACE_VOTES {
            self.face = Some(face);
            self.id = Some(face);
        }
    }

    /// Adds the image and the figures of whole strides.
    pub(super) fn add(&mut self, strides: u32, gei: &Gei, measures: Measures) {
        let joined = self.gei.as_ref().map_or_else(|| gei.clone(), |known| known.joined(gei));
        self.gei = Some(Arc::new(joined));
        self.strides += strides;
        if self.measures.len() == KEPT_MEASURES {
            self.measures.remove(0);
        }
        self.measures.push(measures);
    }

    /// The means over their strides.
    pub(super) fn measures(&self) -> Measures {
        Measures::mean(&self.measures)
    }

    /// Whether they are found but not cut out: too far, or one too many.
    pub(super) fn is_left_out(&self) -> bool {
        matches!(self.state, WalkState::Waiting(Waiting::Crowd | Waiting::TooFar))
    }

    /// Whether they hardly move through the picture.
    pub(super) fn stays(&self) -> bool {
        self.velocity[0].hypot(self.velocity[1]) < STANDS * self.rect.height
    }
}

/// How somebody with this box looks.
pub(super) fn looks(frame: &Frame, rect: &Rect) -> Option<AppearanceModel> {
    // A head of about a seventh of the height, below which the clothes are.
    let side = rect.height / 7.0;
    AppearanceModel::of(frame, &Rect::new(rect.center().x - side / 2.0, rect.y, side, side))
}

/// Why this body's outline is not fit for a gait, if it is not.
pub(super) fn unfit(body: &Body, frame: &Frame) -> Option<Waiting> {
    let (width, height) = (frame.width() as f32, frame.height() as f32);
    let rect = &body.rect;
    let edge = EDGE * body.placement.scale;
    let (at_top, at_bottom) = (rect.y <= edge, rect.bottom() >= height - edge);
    if (at_top || at_bottom) && rect.height > NEAR_SHARE * height {
        return Some(Waiting::TooNear);
    }
    let feet = [point::ANKLES, point::HEELS, point::TOES];
    let foot = |side: usize| feet.iter().any(|points| is_seen(&body.landmarks[points[side]]));
    let ankles = point::ANKLES.map(|ankle| body.landmarks[ankle].point.y);
    let lowest = ankles[0].max(ankles[1]);
    if at_bottom || !(foot(0) || foot(1)) || lowest > rect.bottom() + BELOW_MASK * rect.height {
        return Some(Waiting::FeetHidden);
    }
    if at_top || rect.x <= edge || rect.right() >= width - edge {
        return Some(Waiting::AtEdge);
    }
    (rect.height < LEAST_HEIGHT_PX).then_some(Waiting::TooFar)
}

fn is_seen(landmark: &Landmark) -> bool {
    landmark.visible > SEEN && landmark.present > SEEN
}
