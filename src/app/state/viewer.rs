//! The picture in the centre of the window, and how it is looked at.

use eframe::egui;

use crate::app::command::ChosenFace;
use crate::app::picture::{Picture, PictureAlignment, Shot};
use crate::app::picture_view::PictureView;
use crate::pipeline::Status;

/// What the centre of the window shows.
#[derive(Default)]
pub(crate) struct Viewer {
    /// The image with its analysis.
    pub shot: Option<Shot>,
    /// The same image as it is painted.
    pub picture: Picture,
    alignment: PictureAlignment,
    /// Which part of the picture is shown.
    pub view: PictureView,
    /// Where the whole picture would lie, and the room for it, at the last repaint.
    pub place: Option<(egui::Rect, egui::Rect)>,
    /// The face that was clicked.
    pub chosen_face: Option<ChosenFace>,
    /// The person of the live picture who is drawn alone.
    pub only: Option<u64>,
}

impl Viewer {
    /// Shows this from now on.
    pub(super) fn show(&mut self, shot: Option<Shot>) {
        if shot.is_none() {
            self.picture.clear();
        }
        self.shot = shot;
    }

    /// Makes the picture ready to be painted.
    pub fn prepare_picture(&mut self, ctx: &egui::Context) {
        if let Some(shot) = &self.shot {
            self.picture.set(ctx, &shot.frame);
        }
    }

    /// Whether live images are shown only once they are analysed, as their rates and delays allow.
    pub(super) fn follows_analysis(&mut self, status: &Status) -> bool {
        self.alignment.update(status)
    }

    /// Another source: nothing of it is there yet.
    pub(super) fn forget_picture(&mut self) {
        self.shot = None;
        self.alignment = PictureAlignment::default();
        self.picture.clear();
    }

    /// Another source: nobody is chosen, and the whole picture is shown.
    pub(super) fn forget_view(&mut self) {
        (self.chosen_face, self.only) = (None, None);
        self.view = PictureView::default();
    }

    /// Zooms in the middle; a wheel zooms at its pointer.
    pub(super) fn zoom(&mut self, factor: f32) {
        if let Some((fitted, area)) = self.place {
            self.view.zoom_at(factor, area.center(), fitted, area);
        }
    }
}
