//! What is drawn over a picture, in pixels of the picture as it is shown (mirrored where the view is).

use facelens_core::geometry::{Point, Rect};

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

impl Color {
    /// A colour that hides what is below.
    pub const fn opaque(r: u8, g: u8, b: u8) -> Self {
        Self { r, g, b, a: 255 }
    }
}

/// One thing to draw. Lengths are in pixels of the picture; the painters scale them with the view.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A line with round ends; a dot where it has no length.
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
    /// Lines from point to point with round joins and ends.
    Polyline {
        /// At least two.
        points: Vec<Point>,
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
        /// Outline width and colour, if any; the outline lies half inside and half outside.
        stroke: Option<(f32, Color)>,
    },
    /// One line of text; never mirrored.
    Text {
        /// Top left corner.
        at: Point,
        /// What it says.
        text: String,
        /// Font size: pixels per em.
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
    /// Labels: the ID, and of [`age`](Self::age) and [`gender`](Self::gender) what is to be shown.
    pub labels: bool,
    /// The age range in the labels.
    pub age: bool,
    /// The gender in the labels.
    pub gender: bool,
    /// The three pose axes.
    pub axes: bool,
    /// Yaw, pitch and roll in figures.
    pub angles: bool,
    /// The picture is shown mirrored: the overlay's places are mirrored with it, its texts and the data are not.
    pub mirrored: bool,
    /// Pixels of the screen for one pixel of the picture, so that text keeps a legible size on the screen.
    pub zoom: f32,
}

impl Default for SceneOptions {
    /// Everything, unmirrored, one pixel of the screen for one of the picture.
    fn default() -> Self {
        Self {
            boxes: true,
            labels: true,
            age: true,
            gender: true,
            axes: true,
            angles: true,
            mirrored: false,
            zoom: 1.0,
        }
    }
}

/// The height on the screen that a saved picture is made for, points: about that of a video player's window.
const SAVED_VIEW_HEIGHT: f32 = 720.0;

impl SceneOptions {
    /// The same for a picture that is saved: texts of a large picture grow with it, because it will be seen as a whole;
    /// those of a small one keep their size in pixels.
    #[must_use]
    pub fn for_saving(self, height: u32) -> Self {
        Self { zoom: (SAVED_VIEW_HEIGHT / height.max(1) as f32).min(1.0), ..self }
    }
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
