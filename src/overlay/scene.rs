//! What is drawn over a picture, in pixels of the picture as it is shown (mirrored where the view is).

use crate::geometry::{Point, Rect};
use crate::track::Face;

/// A colour with straight alpha.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// Opacity, 255 is opaque.
    pub a: u8,
}

/// One thing to draw. Lengths are in pixels of the picture; the painters scale them with the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line with round ends.
    Line {
        /// From here.
        from: Point,
        /// To here.
        to: Point,
        /// Stroke width.
        width: f32,
        /// Its colour.
        color: Color,
    },
    /// A rectangle with round corners.
    Rect {
        /// Where.
        rect: Rect,
        /// Corner radius.
        radius: f32,
        /// Inside, if any.
        fill: Option<Color>,
        /// Outline width and colour, if any.
        stroke: Option<(f32, Color)>,
    },
    /// One line of text; never mirrored.
    Text {
        /// Top left corner.
        at: Point,
        /// What it says.
        text: String,
        /// Font size.
        size: f32,
        /// Its colour.
        color: Color,
    },
}

/// What to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneOptions {
    /// Boxes around the faces.
    pub boxes: bool,
    /// ID, age with spread, gender.
    pub labels: bool,
    /// The three pose axes.
    pub axes: bool,
    /// Yaw, pitch and roll in figures.
    pub angles: bool,
    /// The picture is shown mirrored: the overlay's places are mirrored with it, its texts and the data are not.
    pub mirrored: bool,
    /// Pixels of the screen for one pixel of the picture, so that text keeps a legible size on the screen.
    pub zoom: f32,
}

/// A list of shapes over a picture of `width` x `height` pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// Width of the picture in pixels.
    pub width: f32,
    /// Height of the picture in pixels.
    pub height: f32,
    /// In the order of painting.
    pub shapes: Vec<Shape>,
}

impl Scene {
    /// The overlay of these faces.
    pub fn of(faces: &[Face], width: u32, height: u32, options: &SceneOptions) -> Self {
        let _ = (faces, options);
        Self { width: width as f32, height: height as f32, shapes: Vec::new() }
    }
}
