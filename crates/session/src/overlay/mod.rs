//! A [`Scene`]: what is drawn over a picture, made once as a list of shapes and texts, painted by egui and by the
//! software painter alike, so that a saved picture shows what the screen showed. The charts of `eval` are scenes, too,
//! painted by the software painter or written as SVG.

mod axes;
mod compose;
mod gait;
mod layout;
mod leader;
mod palette;
mod scene;
mod software_painter;
mod steady;
mod svg;
mod text;
mod wording;

pub use axes::axis_tips;
pub use gait::{GaitScene, GeiPlace, gait_age_words, gait_words};
pub use palette::identity_color;
pub use scene::{Color, Scene, SceneOptions, Shape};
pub use software_painter::paint_on_picture;
pub use steady::SteadyLabels;
pub use svg::to_svg;
pub use text::{TextSize, has_glyph};
pub use wording::{Words, age as age_words, gender as gender_words};
