//! What is done with a face that was clicked, and which part of the picture is shown.

use eframe::egui;
use facelens_core::track::Face;
use facelens_session::overlay::{age_words, gender_words};

use super::App;
use crate::app::action::Action;
use crate::app::command::FaceCommand;
use crate::app::notices::Tone;
use crate::app::picture_view::{KEY_ZOOM, PictureView};

impl App {
    /// The person who is drawn alone.
    pub(in crate::app) fn only_person(&self) -> Option<u64> {
        match self.replay.open() {
            Some(replay) => replay.playback.only(),
            None => self.viewer.only,
        }
    }

    /// The faces to draw over the live picture.
    pub(in crate::app) fn drawn_faces<'a>(&self, faces: &'a [Face]) -> std::borrow::Cow<'a, [Face]> {
        match self.only_person() {
            Some(id) => faces.iter().filter(|face| face.id == id).cloned().collect(),
            None => faces.into(),
        }
    }

    /// Does what is asked for a person.
    pub(super) fn run_face(&mut self, ctx: &egui::Context, command: FaceCommand) {
        match command {
            FaceCommand::Choose(chosen) => self.viewer.chosen_face = chosen,
            FaceCommand::Only(id) => {
                let only = Some(id).filter(|id| self.only_person() != Some(*id));
                match self.replay.open_mut() {
                    Some(replay) => replay.playback.show_only(only),
                    None => self.viewer.only = only,
                }
            }
            FaceCommand::Copy(id) => {
                let faces = self.viewer.shot.as_ref().map_or(&[][..], |shot| shot.faces());
                let seen = self.people.list().iter().map(|person| &person.face);
                match faces.iter().chain(seen).find(|face| face.id == id) {
                    Some(face) => {
                        ctx.copy_text(figures(face));
                        self.notices.say(Tone::Good, format!("The figures of person {id} are copied."));
                    }
                    None => self.notices.say(Tone::Info, format!("Person {id} is not in view any more.")),
                }
            }
        }
    }

    /// Does what an action means for the view; `false` where it is none of these.
    pub(super) fn act_on_view(&mut self, action: Action) -> bool {
        let factor = match action {
            Action::ZoomIn => KEY_ZOOM,
            Action::ZoomOut => 1.0 / KEY_ZOOM,
            Action::WholePicture => {
                self.viewer.view = PictureView::default();
                return true;
            }
            Action::Everybody if self.replay.is_none() => {
                self.viewer.only = None;
                return true;
            }
            _ => return false,
        };
        self.viewer.zoom(factor);
        true
    }
}

/// The figures of a face as text, in words that say how sure they are.
fn figures(face: &Face) -> String {
    let age = face.age.map_or_else(|| "no age".to_owned(), |age| age_words(age).text);
    let gender = face.gender.map_or_else(|| "no gender".to_owned(), |gender| gender_words(gender).text);
    let pose = face.pose.map_or_else(
        || "no head pose".to_owned(),
        // Without a rounded zero's sign.
        |pose| {
            let [yaw, pitch, roll] = [pose.yaw, pose.pitch, pose.roll].map(|angle| (angle * 10.0).round() / 10.0 + 0.0);
            format!("yaw {yaw:.1}°, pitch {pitch:.1}°, roll {roll:.1}°")
        },
    );
    format!("Person {}: {age}, {gender}, {pose}", face.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake::face;

    #[test]
    fn the_figures_say_how_sure_they_are() {
        assert_eq!(figures(&face(1)), "Person 1: age 27–35, female, 9 in 10, yaw -12.0°, pitch 3.0°, roll 1.0°");
        let bare = Face { age: None, gender: None, pose: None, ..face(2) };
        assert_eq!(figures(&bare), "Person 2: no age, no gender, no head pose");
    }
}
