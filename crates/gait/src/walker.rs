//! What is known of the people in a frame, and of their strides.

use std::sync::Arc;
use std::time::Duration;

use facelens_core::geometry::{Point, Rect};

use super::age::GaitEstimate;
use super::gei::Gei;
use super::measures::Measures;

/// What a frame shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaitFrame {
    /// The people that are seen, by identity.
    pub walkers: Vec<Walker>,
    /// The strides that ended with this frame.
    pub strides: Vec<Stride>,
    /// What it cost.
    pub timings: GaitTimings,
}

/// Milliseconds on the calling thread.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct GaitTimings {
    /// The search for people; 0 in most frames.
    pub people_ms: f32,
    /// The outlines.
    pub body_ms: f32,
    /// How many outlines were cut.
    pub bodies: u32,
    /// Who is who, silhouettes, strides.
    pub stride_ms: f32,
    /// The age.
    pub age_ms: f32,
}

/// A person in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Walker {
    /// Identity, kept through gaps of a second. From when the person's face is known it is the face's and stays so.
    pub id: u64,
    /// The identity of the person's face, where it was seen.
    pub face: Option<u64>,
    /// Their box, pixels of the picture.
    pub rect: Rect,
    /// The closed lines around the person, pixels of the picture; empty where they were not cut out of this frame.
    pub outline: Vec<Vec<Point>>,
    /// What is known of their gait.
    pub state: WalkState,
    /// The mean of all their strides.
    pub gei: Option<Arc<Gei>>,
    /// The means of their last strides.
    pub measures: Measures,
    /// The age by their gait, where there is a network for it.
    pub age: Option<GaitEstimate>,
}

/// What is known of somebody's gait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkState {
    /// They walk and are seen whole.
    Walking {
        /// Whole strides so far.
        strides: u32,
    },
    /// There is no gait in this frame.
    Waiting(Waiting),
}

/// Why there is no gait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Waiting {
    /// They just came into view.
    JustSeen,
    /// They stand.
    Standing,
    /// They are so near that the picture does not hold them.
    TooNear,
    /// They are less than 80 pixels high.
    TooFar,
    /// They are at the edge of the picture.
    AtEdge,
    /// Their feet are not seen.
    FeetHidden,
    /// Somebody or something is in front of them.
    Hidden,
    /// They move, but no steps come again and again.
    NoRhythm,
    /// The pictures come too slowly to show steps.
    TooFewFrames,
    /// More people than are cut out at once.
    Crowd,
}

impl Waiting {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::JustSeen,
        Self::Standing,
        Self::TooNear,
        Self::TooFar,
        Self::AtEdge,
        Self::FeetHidden,
        Self::Hidden,
        Self::NoRhythm,
        Self::TooFewFrames,
        Self::Crowd,
    ];

    /// A few plain words for the screen.
    pub const fn words(self) -> &'static str {
        match self {
            Self::JustSeen => "just seen",
            Self::Standing => "standing: walk a few steps",
            Self::TooNear => "too near: step back until head and feet are visible",
            Self::TooFar => "too far: under 80 pixels high",
            Self::AtEdge => "at the edge of the image",
            Self::FeetHidden => "feet not visible",
            Self::Hidden => "partly hidden",
            Self::NoRhythm => "no regular steps",
            Self::TooFewFrames => "too few frames per second",
            Self::Crowd => "not measured: too many people",
        }
    }
}

/// A whole stride of one walker, or as many as make 12 frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Stride {
    /// The walker's identity when it ended.
    pub id: u64,
    /// The identity of the walker's face, where it was seen.
    pub face: Option<u64>,
    /// When it began, in the times of the frames.
    pub start: Duration,
    /// When it ended.
    pub end: Duration,
    /// How many strides it holds: more than one where frames come slowly.
    pub strides: u32,
    /// How many frames it is made of.
    pub frames: usize,
    /// Its gait energy image.
    pub gei: Gei,
    /// Its figures.
    pub measures: Measures,
    /// The age by all strides of the walker so far, where there is a network for it.
    pub age: Option<GaitEstimate>,
    /// How alike frames are that lie a stride apart, up to 1.
    pub likeness: f32,
}
