//! The gaits in the window, and in a session that was recorded with them.

use std::time::Duration;

use facelens_core::geometry::Rect;
use facelens_gait::{Gei, Measures, Waiting, WalkState, Walker};

use super::*;
use crate::app::action::Action;
use crate::pipeline::GaitView;

fn walker(id: u64, state: WalkState) -> Walker {
    let walks = matches!(state, WalkState::Walking { .. });
    Walker {
        id,
        face: None,
        rect: Rect::new(4.0, 2.0, 12.0, 40.0),
        outline: Vec::new(),
        state,
        gei: Gei::from_grey(44, 64, &[90; 44 * 64]).filter(|_| walks).map(Arc::new),
        measures: Measures { stride_s: walks.then_some(1.084), direction_deg: Some(91.0), ..Measures::default() },
        age: None,
    }
}

fn show(test: &mut Test, view: GaitView) {
    test.fake.0.borrow_mut().gait = Some(Arc::new(view));
    test.steps();
}

#[test]
fn w_switches_the_gaits_on_and_off() {
    let mut test = Test::new();
    test.fake.play(0, &[]);
    test.steps();
    assert!(test.fake.0.borrow().gait.is_none(), "they are off at the start");
    assert_eq!(test.window.state().is_on(Action::Gait), Some(false));
    test.press(Key::W);
    test.steps();
    assert_eq!(test.window.state().is_on(Action::Gait), Some(true));
    assert!(test.shows("GAIT  0"));
    show(&mut test, GaitView { loading: true, ..GaitView::default() });
    assert!(test.shows("Preparing the networks…"));
    show(&mut test, GaitView::default());
    assert!(test.shows("Nobody is fully visible: head to feet, at least 80 pixels high."));
    test.press(Key::W);
    test.steps();
    assert!(!test.shows("GAIT  0") && test.fake.0.borrow().gait.is_none());
}

#[test]
fn walkers_have_a_row_with_their_figures_or_why_there_are_none() {
    let mut test = Test::new();
    test.fake.play(0, &[]);
    test.press(Key::W);
    let walkers =
        vec![walker(3, WalkState::Walking { strides: 2 }), walker(5, WalkState::Waiting(Waiting::FeetHidden))];
    show(&mut test, GaitView { walkers, fps: 17.6, ..GaitView::default() });
    assert!(test.shows("GAIT  2  ·  18 a second"));
    // A camera's picture is mirrored: who walks to its right walks to the screen's left.
    let spoken = "Gait of person 3: walks to the left · 2 strides, 1.08 s per stride";
    assert!(test.window.query_by_label(spoken).is_some());
    assert!(test.window.query_by_label("Gait of person 5: feet not visible").is_some());
    assert!(test.window.state().gait.texture(3).is_some() && test.window.state().gait.texture(5).is_none());
    show(&mut test, GaitView { time: Duration::from_secs(1), ..GaitView::default() });
    assert!(test.window.state().gait.texture(3).is_none(), "images of those who left are let go");
}

#[test]
fn a_model_for_the_age_is_chosen_remembered_and_given_up() {
    let mut test = Test::new();
    test.fake.play(0, &[]);
    test.press(Key::W);
    test.steps();
    assert!(test.fake.0.borrow().gait_models.is_empty() && test.shows("No model estimates the age from gait."));
    test.window.get_by_label("Load a model for the age by gait").click();
    test.steps();
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickGaitModel));
    test.report(TaskReport::GaitModelPicked(Picked::Files(vec!["/models/walks.toml".into()])));
    assert_eq!(test.fake.0.borrow().gait_models, [Some(PathBuf::from("/models/walks.toml"))]);
    assert!(test.shows("Age by gait: walks"));
    show(&mut test, GaitView { age_error: Some("walks.toml: it is no card".to_owned()), ..GaitView::default() });
    assert!(test.shows("walks.toml: it is no card"));
    // Off and on again it is used again.
    test.press(Key::W);
    test.press(Key::W);
    assert_eq!(test.fake.0.borrow().gait_models.len(), 2);
    test.window.get_by_label("None").click();
    test.steps();
    assert_eq!(test.fake.0.borrow().gait_models.last(), Some(&None));
    assert_eq!(test.window.state().settings.gait_model, None);
}

#[test]
fn an_error_of_the_gaits_is_told_once() {
    let mut test = Test::new();
    test.fake.play(0, &[]);
    test.press(Key::W);
    let failed = GaitView { error: Some("the body network failed: no memory".to_owned()), ..GaitView::default() };
    show(&mut test, failed.clone());
    let last = |test: &Test| test.window.state().notices.last().map(|(_, words)| words.to_owned());
    assert_eq!(last(&test).as_deref(), Some("The body network failed: no memory"));
    test.window.state_mut().notices.say(Tone::Info, "something else");
    show(&mut test, failed);
    assert_eq!(last(&test).as_deref(), Some("something else"));
}
