//! The live picture: which frame is shown, its texture, and its place on the screen.

use std::sync::Arc;

use eframe::egui::{self, Color32, ColorImage, Rect, TextureHandle, TextureOptions, pos2, vec2};
use facelens_core::Analysis;
use facelens_core::frame::Frame;
use facelens_core::track::Face;
use fast_image_resize as resize;

use crate::pipeline::Status;

/// Decides whether the picture waits for its own overlay.
///
/// Where the analysis keeps up with the camera, each frame is shown with its own overlay, and both fit to the pixel.
/// Where it does not, the newest frame is shown at the camera's rate with the last overlay. Between the two lies a
/// band in which nothing changes, so that the view does not switch to and fro.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureAlignment {
    aligned: bool,
}

/// Aligned from this delay down, in frame intervals.
const NEAR: f32 = 1.5;
/// Not aligned from this delay up, in frame intervals.
const FAR: f32 = 2.25;

impl Default for PictureAlignment {
    fn default() -> Self {
        Self { aligned: true }
    }
}

impl PictureAlignment {
    /// Takes the figures into account; gives whether the analysed frame is the one to show.
    pub fn update(&mut self, status: &Status) -> bool {
        // Below a frame a second (a still picture, a pause) the rates say nothing.
        if status.capture_fps >= 1.0 {
            let intervals = status.delay_ms * status.capture_fps / 1000.0;
            let share = status.analysed_fps / status.capture_fps;
            if intervals > FAR || share < 0.75 {
                self.aligned = false;
            } else if intervals <= NEAR && share > 0.9 {
                self.aligned = true;
            }
        }
        self.aligned
    }
}

/// A frame and the faces to draw over it.
#[derive(Clone)]
pub(crate) struct Shot {
    pub frame: Arc<Frame>,
    pub analysis: Option<Arc<Analysis>>,
}

impl Shot {
    /// The frame to show now: the analysed one with its own faces where `aligned`, else the newest with the last faces.
    pub fn choose(aligned: bool, frame: Option<Arc<Frame>>, analysis: Option<Arc<Analysis>>) -> Option<Self> {
        match (frame, analysis) {
            (_, Some(analysis)) if aligned => {
                Some(Self { frame: Arc::clone(&analysis.frame), analysis: Some(analysis) })
            }
            (Some(frame), analysis) => {
                // Faces of a picture of another size cannot belong here.
                let size = (frame.width(), frame.height());
                let analysis = analysis.filter(|analysis| (analysis.frame.width(), analysis.frame.height()) == size);
                Some(Self { frame, analysis })
            }
            (None, Some(analysis)) => Some(Self { frame: Arc::clone(&analysis.frame), analysis: Some(analysis) }),
            (None, None) => None,
        }
    }

    /// The faces to draw.
    pub fn faces(&self) -> &[Face] {
        self.analysis.as_ref().map_or(&[], |analysis| &analysis.faces)
    }
}

/// Textures wider or higher than this are scaled down before they are uploaded: no screen shows more of them, and
/// graphics drivers refuse very large ones.
const MAX_TEXTURE_SIDE: u32 = 2048;

/// The picture as a texture; uploaded once for each new frame.
#[derive(Default)]
pub(crate) struct Picture {
    shown: Option<Arc<Frame>>,
    texture: Option<TextureHandle>,
    /// How often a texture was uploaded.
    pub uploads: u64,
}

impl Picture {
    /// Forgets the picture, so that the next source does not begin with the last one's.
    pub fn clear(&mut self) {
        self.shown = None;
    }

    /// Uploads `frame` unless it is the one that is shown. Where the window is painted: each upload waits until then.
    pub fn set(&mut self, ctx: &egui::Context, frame: &Arc<Frame>) {
        if self.shown.as_ref().is_some_and(|shown| Arc::ptr_eq(shown, frame)) {
            return;
        }
        let image = image_of(frame);
        match &mut self.texture {
            Some(texture) => set_texture(texture, image),
            None => self.texture = Some(ctx.load_texture("picture", image, TextureOptions::LINEAR)),
        }
        self.shown = Some(Arc::clone(frame));
        self.uploads += 1;
    }

    /// Paints the picture into `target`.
    pub fn paint(&self, painter: &egui::Painter, target: Rect, mirrored: bool, dimmed: bool) {
        if let (Some(_), Some(texture)) = (&self.shown, &self.texture) {
            let uv = if mirrored {
                Rect::from_min_max(pos2(1.0, 0.0), pos2(0.0, 1.0))
            } else {
                Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0))
            };
            let tint = if dimmed { Color32::from_gray(90) } else { Color32::WHITE };
            painter.image(texture.id(), target, uv, tint);
        }
    }
}

/// Gives a texture other pixels, in its old memory where the size is the same.
pub(crate) fn set_texture(texture: &mut TextureHandle, image: ColorImage) {
    if texture.size() == image.size {
        texture.set_partial([0, 0], image, TextureOptions::LINEAR);
    } else {
        texture.set(image, TextureOptions::LINEAR);
    }
}

fn image_of(frame: &Frame) -> ColorImage {
    let (width, height) = (frame.width(), frame.height());
    let longest = width.max(height);
    if longest > MAX_TEXTURE_SIDE {
        let scaled = |side: u32| (u64::from(side) * u64::from(MAX_TEXTURE_SIDE) / u64::from(longest)).max(1) as u32;
        if let Some(image) = shrunk(frame, scaled(width), scaled(height)) {
            return image;
        }
    }
    ColorImage::from_rgb([width as usize, height as usize], frame.rgb())
}

/// The frame at another size, averaged over its pixels; `None` where the resizer refuses it.
fn shrunk(frame: &Frame, width: u32, height: u32) -> Option<ColorImage> {
    use resize::images::{Image, ImageRef};
    let from = ImageRef::new(frame.width(), frame.height(), frame.rgb(), resize::PixelType::U8x3).ok()?;
    let mut to = Image::new(width, height, resize::PixelType::U8x3);
    let options = resize::ResizeOptions::new().resize_alg(resize::ResizeAlg::Convolution(resize::FilterType::Box));
    resize::Resizer::new().resize(&from, &mut to, &options).ok()?;
    Some(ColorImage::from_rgb([width as usize, height as usize], to.buffer()))
}

/// The largest place inside `area` for a picture of `width` x `height` pixels, its aspect kept, in the middle.
pub(crate) fn letterbox(area: Rect, width: u32, height: u32) -> Rect {
    let size = vec2(width as f32, height as f32);
    let scale = (area.width() / size.x).min(area.height() / size.y).max(0.0);
    Rect::from_center_size(area.center(), size * scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake::{analysis, frame, status};

    fn figures(capture_fps: f32, analysed_fps: f32, delay_ms: f32) -> Status {
        Status { capture_fps, analysed_fps, delay_ms, ..status() }
    }

    #[test]
    fn the_overlay_is_waited_for_only_while_the_analysis_keeps_up() {
        let mut alignment = PictureAlignment::default();
        assert!(alignment.update(&figures(30.0, 30.0, 20.0)));
        assert!(alignment.update(&figures(30.0, 28.0, 60.0)), "inside the band nothing changes");
        assert!(!alignment.update(&figures(30.0, 12.0, 90.0)));
        assert!(!alignment.update(&figures(30.0, 30.0, 60.0)), "inside the band nothing changes");
        assert!(!alignment.update(&figures(0.0, 0.0, 0.0)), "a pause changes nothing");
        assert!(alignment.update(&figures(30.0, 29.0, 45.0)));
    }

    #[test]
    fn an_aligned_shot_is_the_analysed_frame_and_the_other_the_newest() {
        let old = analysis(frame(64, 48, 1), vec![]);
        let new = frame(64, 48, 2);
        let shot = Shot::choose(true, Some(Arc::clone(&new)), Some(Arc::clone(&old))).unwrap();
        assert!(Arc::ptr_eq(&shot.frame, &old.frame));
        let shot = Shot::choose(false, Some(Arc::clone(&new)), Some(Arc::clone(&old))).unwrap();
        assert!(Arc::ptr_eq(&shot.frame, &new) && shot.analysis.is_some());
        let other_size = frame(32, 32, 3);
        assert!(Shot::choose(false, Some(other_size), Some(old)).unwrap().analysis.is_none());
        assert!(Shot::choose(true, None, None).is_none());
    }

    #[test]
    fn the_aspect_is_kept_and_the_picture_stands_in_the_middle() {
        let area = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 400.0));
        let place = letterbox(area, 640, 480);
        assert_eq!(place.size(), vec2(400.0, 300.0));
        assert_eq!(place.center(), area.center());
    }

    #[test]
    fn a_texture_is_uploaded_once_for_each_frame() {
        let ctx = egui::Context::default();
        let mut picture = Picture::default();
        let first = frame(64, 48, 0);
        picture.set(&ctx, &first);
        picture.set(&ctx, &first);
        assert_eq!(picture.uploads, 1);
        picture.set(&ctx, &frame(64, 48, 1));
        assert_eq!(picture.uploads, 2);
    }

    #[test]
    fn a_very_large_picture_is_scaled_down_and_keeps_its_colours() {
        let image = image_of(&frame(5000, 1000, 0));
        assert_eq!(image.size, [2048, 409]);
        assert_eq!(image.pixels[0], image_of(&frame(64, 48, 0)).pixels[0]);
    }
}
