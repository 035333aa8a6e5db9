//! What a stride says without any training.

use serde::{Deserialize, Serialize};

/// Figures of one stride, or the means of a person's strides. Each is `None` where the picture cannot tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Time of one stride (two steps), seconds.
    pub stride_s: Option<f32>,
    /// Steps a minute: 120 over the stride's time.
    pub cadence_per_min: Option<f32>,
    /// Length of a step over the length of the leg (hip to ankle); only from the side.
    pub step_over_leg: Option<f32>,
    /// Height of the head (crown to chin) over the person's height.
    pub head_over_height: Option<f32>,
    /// How far the trunk leans forward from upright, degrees; backward is negative. Only from the side.
    pub lean_deg: Option<f32>,
    /// Where the person walks to, degrees: 0 towards the camera, 90 to the picture's right, 180 away from the camera, 270 to
    /// the picture's left.
    pub direction_deg: Option<f32>,
    /// Height of the silhouette in the picture, pixels.
    pub height_px: Option<f32>,
}
