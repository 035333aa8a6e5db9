//! Points, rectangles, head poses and rotations, in the units that the whole program shares.

mod pose;
mod rect;
mod rotation;

pub use pose::Pose;
pub use rect::{Point, Rect};
pub use rotation::Rotation;
