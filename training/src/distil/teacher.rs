//! Teachers: models of the app, asked about each view of a face.

use std::path::PathBuf;
use std::sync::Arc;

use facelens_core::estimate::{EstimateError, Estimator};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Point, Pose, Rect};
use facelens_core::model::{ModelError, ModelSet, Task, sha256_hex};
use facelens_import::{Library, Sandbox};

use super::{TeacherLabel, View};
use crate::data::FaceSet;

/// Models for head pose that are averaged, as `facelens --model pose=FILE` given several times.
pub struct Teacher {
    estimator: Estimator,
}

impl Teacher {
    /// Loads the models: each a file that `facelens models import` understands, a card, or a name in the library.
    ///
    /// # Errors
    /// The first that cannot be used; also where it is for another task than head pose.
    pub fn load(models: &[PathBuf]) -> Result<Self, ModelError> {
        let library = Library::open(&Sandbox::in_process());
        let load = |file: &PathBuf| library.open_any(file, Some(Task::Pose))?.prepare().map(Arc::new);
        let mut set = ModelSet::default();
        set.set(Task::Pose, models.iter().map(load).collect::<Result<_, _>>()?);
        Ok(Self { estimator: Estimator::new(set) })
    }

    /// The same models with buffers of its own, for another thread.
    pub fn fork(&self) -> Self {
        Self { estimator: Estimator::new(self.estimator.models().clone()) }
    }

    /// Names of the models.
    pub fn names(&self) -> Vec<String> {
        self.estimator.models().of(Task::Pose).iter().map(|model| model.card.name.clone()).collect()
    }

    /// SHA-256 of all that decides a label: the models' cards, which hold the sums of their files, and the views.
    ///
    /// # Errors
    /// Where a card cannot be written.
    pub fn fingerprint(&self, views: &[View]) -> Result<String, ModelError> {
        let mut text = format!("{views:?}");
        for model in self.estimator.models().of(Task::Pose) {
            text += &model.card.to_toml()?;
        }
        Ok(sha256_hex(text.as_bytes()))
    }

    /// The pose of a square picture's face (`side * side * 3` bytes, RGB; the middle of its box is the picture's,
    /// `context` boxes make a side), in degrees; `None` where the teacher is of no model.
    ///
    /// # Errors
    /// Where a network fails, or the picture is none.
    pub fn pose(&mut self, picture: Vec<u8>, side: usize, context: f32) -> Result<Option<Pose>, EstimateError> {
        let (frame, face) = as_frame(picture, side, context)
            .map_err(|cause| EstimateError { model: "of the teacher".to_owned(), cause })?;
        Ok(self.estimator.estimate(&frame, &face)?.0.pose)
    }

    /// What the teacher says of face `index` of a set: the mean over these views, each turned back.
    ///
    /// # Errors
    /// Where a network fails.
    pub fn label(&mut self, faces: &FaceSet, index: usize, views: &[View]) -> Result<TeacherLabel, EstimateError> {
        let poses: Result<Vec<_>, _> = views.iter().map(|view| self.pose_in(view, faces, index)).collect();
        Ok(TeacherLabel::of(&poses?))
    }

    /// The pose of face `index` of a set, told from one view and turned back.
    ///
    /// # Errors
    /// Where a network fails.
    pub fn pose_in(&mut self, view: &View, faces: &FaceSet, index: usize) -> Result<Pose, EstimateError> {
        let picture = view.of(faces.picture(index), faces.side);
        let seen = self.pose(picture, faces.side, faces.context)?.ok_or_else(|| EstimateError {
            model: "of the teacher".to_owned(),
            cause: "it estimates no head pose".to_owned(),
        })?;
        Ok(view.undo(seen))
    }
}

/// A stored picture as the app's frame, and its face's box: the middle of the box is the picture's, `context` boxes make
/// a side.
///
/// # Errors
/// In words, where the numbers are no picture.
pub(crate) fn as_frame(picture: Vec<u8>, side: usize, context: f32) -> Result<(Frame, Rect), String> {
    let pixels = u32::try_from(side).map_err(|error| error.to_string())?;
    let frame = Frame::from_rgb(pixels, pixels, picture).map_err(|error| error.to_string())?;
    let middle = side as f32 / 2.0;
    Ok((frame, Rect::square(Point { x: middle, y: middle }, side as f32 / context)))
}
