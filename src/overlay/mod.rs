//! A [`Scene`]: what is drawn over a picture, made once as a list of shapes and texts, painted by egui and by the
//! software painter alike, so that a saved picture shows what the screen showed.

mod egui_painter;
mod scene;

pub use egui_painter::paint;
pub use scene::{Color, Scene, SceneOptions, Shape};
