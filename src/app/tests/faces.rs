//! Faces that are clicked, zoom and pan, and the countdown before a recording.

use eframe::egui::{PointerButton, Pos2, Rect, pos2, vec2};
use facelens_session::overlay::SceneOptions;

use super::*;
use crate::app::command::{ChosenFace, FaceCommand};

impl Test {
    /// A window that shows a camera, not mirrored, with these people.
    fn with_people(ids: &[u64]) -> Self {
        let mut test = Self::with(&AppOptions::default(), Settings { mirror: false, ..Settings::default() });
        test.fake.play(0, ids);
        test.steps();
        test
    }

    /// Where the picture is on the screen.
    fn picture(&self) -> Rect {
        self.window.get_by_label_contains("Image of").rect()
    }

    /// A pixel of the picture, which is 64x48 and whole.
    fn pixel(&self, x: f32, y: f32) -> Pos2 {
        let picture = self.picture();
        picture.min + vec2(x, y) * picture.width() / 64.0
    }

    fn click_at(&mut self, at: Pos2) {
        for pressed in [true, false] {
            let modifiers = Modifiers::NONE;
            self.window.event(egui::Event::PointerMoved(at));
            self.window.event(egui::Event::PointerButton {
                pos: at,
                button: PointerButton::Primary,
                pressed,
                modifiers,
            });
            self.window.step();
        }
        self.steps();
    }
}

#[test]
fn a_face_that_is_clicked_has_a_menu_that_a_click_elsewhere_closes() {
    let mut test = Test::with_people(&[1]);
    test.click_at(test.pixel(20.0, 20.0));
    assert_eq!(test.window.state().viewer.chosen_face.map(|chosen| chosen.id), Some(1));
    assert!(test.shows("Show only this person") && !test.shows("Send to opentrack"), "opentrack is off");
    test.click_at(test.pixel(60.0, 45.0));
    assert!(!test.shows("Show only this person"));
    test.click_at(test.pixel(20.0, 20.0));
    test.press(Key::Escape);
    assert!(!test.shows("Show only this person"));
}

#[test]
fn one_person_is_drawn_alone_until_everybody_is_asked_for() {
    let mut test = Test::with_people(&[1, 2]);
    let drawn = |test: &Test| {
        let app = test.window.state();
        app.drawn_faces(app.viewer.shot.as_ref().unwrap().faces()).iter().map(|face| face.id).collect::<Vec<_>>()
    };
    assert_eq!(drawn(&test), [1, 2]);
    // Both boxes lie over each other but for a pixel at the right edge.
    test.click_at(test.pixel(31.5, 20.0));
    test.click("Show only this person");
    let only = drawn(&test);
    assert_eq!(only.len(), 1);
    assert!(test.shows(&format!("only person {} (0: everybody)", only[0])));
    test.press(Key::Num0);
    assert_eq!(drawn(&test), [1, 2]);
}

#[test]
fn the_figures_of_a_face_are_copied() {
    let mut test = Test::with_people(&[1]);
    test.click_at(test.pixel(20.0, 20.0));
    test.window.get_by_label("Copy the figures").click();
    let copied = |test: &Test| {
        test.window.output().platform_output.commands.iter().any(|command| {
            matches!(command, egui::OutputCommand::CopyText(text) if text.starts_with("Person 1: age 27–35, female"))
        })
    };
    let comes = (0..4).any(|_| {
        test.window.step();
        copied(&test)
    });
    assert!(comes);
    let ctx = test.window.ctx.clone();
    test.window.state_mut().run(&ctx, AppCommand::Face(FaceCommand::Copy(9)));
    assert!(test.window.state().notices.last().unwrap().1.contains("Person 9 is not in view"));
}

#[test]
fn keys_and_a_drag_zoom_and_move_the_picture() {
    let mut test = Test::with_people(&[1]);
    let whole = test.picture();
    for _ in 0..4 {
        test.press(Key::Plus);
    }
    assert!(test.shows("2.4× (Z: whole image)"));
    let zoom = |test: &Test| test.window.state().viewer.view;
    let (fitted, area) = test.window.state().viewer.place.unwrap();
    assert_eq!(fitted, whole);
    let before = zoom(&test).place(fitted, area);
    let center = whole.center();
    test.window.drag_at(center);
    test.window.step();
    test.window.hover_at(center + vec2(20.0, 10.0));
    test.window.step();
    test.window.hover_at(center + vec2(40.0, 20.0));
    test.window.step();
    test.window.drop_at(center + vec2(40.0, 20.0));
    test.steps();
    let after = zoom(&test).place(fitted, area);
    assert!(after.left() > before.left() + 10.0 && after.top() > before.top() + 5.0, "{before:?} {after:?}");
    assert!(test.window.state().viewer.chosen_face.is_none(), "a drag is no click");
    // What is drawn over it grows with it.
    let SceneOptions { zoom: scale, .. } = test.window.state().scene_options(after.width() / 64.0);
    assert!(scale > 2.0 * fitted.width() / 64.0);
    test.press(Key::Z);
    assert_eq!(zoom(&test).place(fitted, area), whole);
    test.press(Key::Plus);
    test.press(Key::D);
    test.fake.play(0, &[]);
    test.steps();
    assert!(!test.shows("(Z: whole image)"), "another source is shown whole");
}

#[test]
fn the_wheel_zooms_at_the_pointer() {
    let mut test = Test::with_people(&[1]);
    let (fitted, area) = test.window.state().viewer.place.unwrap();
    let at = fitted.min + fitted.size() * 0.25;
    test.window.hover_at(at);
    test.window.step();
    let wheel = egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: vec2(0.0, 200.0),
        source: egui::MouseWheelSource::Unknown,
        phase: egui::TouchPhase::Move,
        modifiers: Modifiers::NONE,
    };
    test.window.event(wheel);
    test.window.run_steps(20);
    let place = test.window.state().viewer.view.place(fitted, area);
    assert!(place.width() > 1.5 * fitted.width(), "{place:?}");
    let under = (at - place.min) / place.size();
    assert!((under - vec2(0.25, 0.25)).length() < 0.02, "{under:?}");
}

#[test]
fn a_countdown_runs_before_a_recording_and_can_be_cancelled() {
    let mut test = Test::with(&AppOptions::default(), Settings { record_countdown_secs: 3, ..Settings::default() });
    test.press(Key::E);
    assert!(test.window.state().recording.countdown.is_none(), "nothing can be recorded yet, and that is said at once");
    test.shipped();
    test.fake.play(0, &[1]);
    test.steps();
    let recorders = |test: &Test| test.fake.0.borrow().recorders.len();
    for key in [Key::E, Key::Escape] {
        test.press(Key::E);
        assert!(test.shows("Recording begins in 3 s"));
        test.press(key);
        assert!(!test.shows("Recording begins") && test.window.state().recording.countdown.is_none());
    }
    test.press(Key::E);
    test.window.run_steps(15);
    assert!(test.shows("Recording begins in 2 s") && recorders(&test) == 0);
    test.window.run_steps(20);
    assert!(!test.shows("Recording begins") && recorders(&test) == 1);
}

#[test]
fn another_source_ends_the_countdown() {
    let mut test = Test::with(&AppOptions::default(), Settings { record_countdown_secs: 3, ..Settings::default() });
    test.shipped();
    test.fake.play(0, &[1]);
    test.steps();
    test.press(Key::E);
    test.press(Key::D);
    test.fake.play(0, &[1]);
    test.window.run_steps(40);
    assert!(test.fake.0.borrow().recorders.is_empty());
    test.window.key_press_modifiers(Modifiers::SHIFT, Key::E);
    test.steps();
    test.click("10 s");
    assert_eq!(test.window.state().settings.record_countdown_secs, 10);
}

/// Not only what lies there: also where it lies.
#[test]
fn the_menu_stays_inside_the_picture_s_room() {
    let mut test = Test::with_people(&[1]);
    let right = pos2(test.picture().right() - 4.0, test.picture().bottom() - 4.0);
    test.window.state_mut().viewer.chosen_face = Some(ChosenFace { id: 1, at: right });
    test.steps();
    let (_, area) = test.window.state().viewer.place.unwrap();
    assert!(area.expand(8.0).contains_rect(test.window.get_by_label("Show only this person").rect()));
}
