//! Playing a session back: where in time it is, who is shown, and the pictures, without a window.

mod curves;
mod pictures;
mod playback;

pub use curves::{Curve, CurvePoint, Quantity, curve};
pub use pictures::{PictureState, Pictures};
pub use playback::{Playback, SPEEDS};
