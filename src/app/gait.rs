//! The gaits in the window: outlines over the picture, images and figures beside the people.

use std::sync::Arc;
use std::time::Duration;

use eframe::egui::{self, Color32, ColorImage, TextureHandle, TextureOptions};
use facelens_core::geometry::Point;
use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei, Measures, Walker};
use facelens_session::overlay::{GaitScene, Scene, SceneOptions};

use super::egui_painter;
use super::picture::Shot;
use crate::pipeline::GaitView;

/// Walkers are drawn over a picture that is no further from theirs than this.
const BELONGS: Duration = Duration::from_millis(600);

/// What the window knows of the gaits.
#[derive(Default)]
pub(crate) struct Gait {
    view: Option<Arc<GaitView>>,
    images: Vec<Image>,
    /// Where each walker was last and how fast they go, pixels a second.
    speeds: Vec<Speed>,
    last_error: Option<String>,
}

/// How fast a walker goes through the picture.
struct Speed {
    id: u64,
    time: Duration,
    center: Point,
    pixels_per_s: [f32; 2],
}

/// A gait energy image as it is painted.
struct Image {
    id: u64,
    gei: Arc<Gei>,
    texture: TextureHandle,
}

impl Gait {
    /// What is shown; `None` where the gaits are off.
    pub fn view(&self) -> Option<&GaitView> {
        self.view.as_deref()
    }

    /// Whether the gaits are on.
    pub fn is_on(&self) -> bool {
        self.view.is_some()
    }

    /// Takes in what the thread shows; gives an error that has not been told yet.
    pub fn update(&mut self, ctx: &egui::Context, view: Option<Arc<GaitView>>) -> Option<String> {
        if let (Some(old), Some(new)) = (&self.view, &view)
            && Arc::ptr_eq(old, new)
        {
            return None;
        }
        self.view = view;
        let walkers = self.view.as_ref().map_or(&[][..], |view| &view.walkers);
        let time = self.view.as_ref().map_or(Duration::ZERO, |view| view.time);
        self.speeds =
            walkers.iter().map(|walker| speed(self.speeds.iter().find(|s| s.id == walker.id), walker, time)).collect();
        self.images.retain(|image| walkers.iter().any(|walker| walker.id == image.id));
        for walker in walkers {
            let Some(gei) = &walker.gei else { continue };
            match self.images.iter_mut().find(|image| image.id == walker.id) {
                Some(image) if Arc::ptr_eq(&image.gei, gei) => {}
                Some(image) => {
                    image.gei = Arc::clone(gei);
                    image.texture.set(picture(gei), TextureOptions::LINEAR);
                }
                None => {
                    let texture = ctx.load_texture("gait energy image", picture(gei), TextureOptions::LINEAR);
                    self.images.push(Image { id: walker.id, gei: Arc::clone(gei), texture });
                }
            }
        }
        let error = self.view.as_ref().and_then(|view| view.error.clone());
        let news = error.clone().filter(|_| error != self.last_error);
        self.last_error = error;
        news
    }

    /// A walker where they should be by now.
    fn moved(&self, walker: &Walker, ahead_s: f32) -> Walker {
        let [across, down] =
            self.speeds.iter().find(|speed| speed.id == walker.id).map_or([0.0; 2], |s| s.pixels_per_s);
        let (across, down) = (across * ahead_s, down * ahead_s);
        let outline = walker
            .outline
            .iter()
            .map(|line| line.iter().map(|point| Point { x: point.x + across, y: point.y + down }).collect());
        Walker { rect: walker.rect.translated(across, down), outline: outline.collect(), ..walker.clone() }
    }

    /// The image of a walker.
    pub fn texture(&self, id: u64) -> Option<&TextureHandle> {
        self.images.iter().find(|image| image.id == id).map(|image| &image.texture)
    }

    /// Paints the walkers over a picture that is shown in `target`, clear of what `faces` says.
    pub fn paint(
        &self,
        shot: &Shot,
        faces: &Scene,
        options: &SceneOptions,
        painter: &egui::Painter,
        target: egui::Rect,
    ) {
        let Some(view) = self.view() else { return };
        let apart = shot.frame.time.abs_diff(view.time);
        if view.walkers.is_empty() || apart > BELONGS {
            return;
        }
        // The picture is further on than the outlines: they go as far as their walkers have gone meanwhile.
        let ahead_s = shot.frame.time.as_secs_f32() - view.time.as_secs_f32();
        let walkers: Vec<Walker> = view.walkers.iter().map(|walker| self.moved(walker, ahead_s)).collect();
        let (width, height) = (shot.frame.width(), shot.frame.height());
        let scene = GaitScene::of(&walkers, faces, width, height, options);
        egui_painter::paint(&scene.scene, painter, target);
        let scale = target.width() / width as f32;
        for place in &scene.images {
            let Some(texture) = self.texture(place.id) else { continue };
            let min = target.min + egui::vec2(place.rect.x, place.rect.y) * scale;
            let size = egui::vec2(place.rect.width, place.rect.height) * scale;
            let whole = egui::Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
            painter.image(texture.id(), egui::Rect::from_min_size(min, size), whole, Color32::WHITE);
        }
    }
}

/// The speed of a walker who was seen at `time`, by where they were before. Arms and legs make the box wide and narrow:
/// what is new counts a third.
fn speed(before: Option<&Speed>, walker: &Walker, time: Duration) -> Speed {
    const NEW: f32 = 0.33;
    let (center, id) = (walker.rect.center(), walker.id);
    let Some(before) = before else { return Speed { id, time, center, pixels_per_s: [0.0; 2] } };
    let elapsed_s = time.as_secs_f32() - before.time.as_secs_f32();
    if elapsed_s <= 0.0 {
        return Speed { id, pixels_per_s: before.pixels_per_s, time, center };
    }
    let now = [center.x - before.center.x, center.y - before.center.y].map(|way| way / elapsed_s);
    let [x, y] = before.pixels_per_s;
    Speed { id, time, center, pixels_per_s: [x + NEW * (now[0] - x), y + NEW * (now[1] - y)] }
}

/// An image for the screen.
pub(super) fn picture(gei: &Gei) -> ColorImage {
    ColorImage::from_gray([GEI_WIDTH, GEI_HEIGHT], &gei.to_grey())
}

/// Where somebody walks to, as the screen shows it.
pub(super) fn direction_words(direction_deg: f32, mirrored: bool) -> &'static str {
    match (direction_deg.rem_euclid(360.0), mirrored) {
        (degrees, _) if !(45.0..315.0).contains(&degrees) => "walks towards the camera",
        (degrees, _) if (135.0..225.0).contains(&degrees) => "walks away",
        (degrees, mirrored) if (degrees < 180.0) != mirrored => "walks to the right",
        _ => "walks to the left",
    }
}

/// The figures of a gait in two lines; what cannot be told is left out.
pub(super) fn measure_words(measures: &Measures) -> [String; 2] {
    let said = |value: Option<f32>, words: fn(f32) -> String| value.filter(|value| value.is_finite()).map(words);
    let pace = [
        said(measures.stride_s, |seconds| format!("{seconds:.2} s per stride")),
        said(measures.cadence_per_min, |steps| format!("{steps:.0} steps per minute")),
    ];
    let body = [
        said(measures.step_over_leg, |share| format!("step {share:.2} of the leg")),
        said(measures.head_over_height, |share| format!("head {share:.2}")),
        // Without a rounded zero's sign.
        said(measures.lean_deg, |degrees| format!("lean {:.0}°", degrees.round() + 0.0)),
    ];
    let joined = |words: &[Option<String>]| words.iter().flatten().cloned().collect::<Vec<_>>().join(" · ");
    [joined(&pace), joined(&body)]
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Rect;
    use facelens_gait::WalkState;

    use super::*;

    #[test]
    fn directions_are_said_as_the_screen_shows_them() {
        for (degrees, plain, mirrored) in [
            (2.0, "walks towards the camera", "walks towards the camera"),
            (330.0, "walks towards the camera", "walks towards the camera"),
            (90.0, "walks to the right", "walks to the left"),
            (270.0, "walks to the left", "walks to the right"),
            (180.0, "walks away", "walks away"),
            (-90.0, "walks to the left", "walks to the right"),
        ] {
            assert_eq!(
                (direction_words(degrees, false), direction_words(degrees, true)),
                (plain, mirrored),
                "{degrees}"
            );
        }
    }

    #[test]
    fn outlines_go_as_far_as_their_walkers() {
        let ctx = egui::Context::default();
        let mut gait = Gait::default();
        let at = |x: f32| Walker {
            id: 4,
            face: None,
            rect: Rect::new(x, 50.0, 40.0, 120.0),
            outline: vec![vec![Point { x, y: 50.0 }]],
            state: WalkState::Walking { strides: 0 },
            gei: None,
            measures: Measures::default(),
            age: None,
        };
        for step in 0..30_u16 {
            let (time, x) = (Duration::from_millis(u64::from(step) * 100), 10.0 + f32::from(step) * 8.0);
            gait.update(&ctx, Some(Arc::new(GaitView { walkers: vec![at(x)], time, ..GaitView::default() })));
        }
        // 80 pixels a second to the right.
        let moved = gait.moved(&at(242.0), 0.25);
        assert!((moved.rect.x - 262.0).abs() < 0.1 && (moved.outline[0][0].x - 262.0).abs() < 0.1, "{moved:?}");
        assert!((moved.rect.y - 50.0).abs() < 0.1);
        let stranger = gait.moved(&Walker { id: 5, ..at(242.0) }, 0.25);
        assert_eq!(stranger.rect.x, 242.0);
    }

    #[test]
    fn figures_that_cannot_be_told_are_left_out() {
        let measures = Measures {
            stride_s: Some(1.084),
            cadence_per_min: Some(110.7),
            head_over_height: Some(0.131),
            lean_deg: Some(-0.3),
            step_over_leg: Some(f32::NAN),
            ..Measures::default()
        };
        assert_eq!(measure_words(&measures), ["1.08 s per stride · 111 steps per minute", "head 0.13 · lean 0°"]);
        assert_eq!(measure_words(&Measures::default()), ["", ""]);
    }
}
