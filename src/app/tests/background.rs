//! Background tasks that fail, and answers that come in another order than the questions.

use egui_kittest::kittest::NodeT as _;
use facelens_session::SessionFolder;

use super::*;
use crate::app::background_tasks::{Purpose, TaskNumber};
use crate::app::command::Output;

/// The number of the newest background task that `which` fits, and the task.
fn started(test: &Test, which: impl Fn(&BackgroundTask) -> bool) -> (TaskNumber, BackgroundTask) {
    let stage = test.fake.0.borrow();
    stage.tasks.iter().rev().find(|(_, task)| which(task)).cloned().expect("it was started")
}

/// Lets the newest task that `which` fits break off.
fn breaks_off(test: &mut Test, which: impl Fn(&BackgroundTask) -> bool) {
    let (number, task) = started(test, which);
    test.report_of(number, task.failed("broken inside".to_owned()));
}

fn said(test: &Test) -> String {
    test.window.state().notices.last().map(|(_, words)| words.to_owned()).unwrap_or_default()
}

fn load(test: &mut Test, task: Option<Task>, file: &str) -> TaskNumber {
    match task {
        Some(task) => test.report(TaskReport::ModelPicked(task, Picked::Files(vec![file.into()]))),
        None => test.drop_files(&[file]),
    }
    test.newest()
}

fn loaded(test: &mut Test, number: TaskNumber, task: Option<Task>, name: &str, tasks: &[Task]) {
    let mut loaded = Arc::unwrap_or_clone(model(name, tasks[0]));
    loaded.card.tasks = tasks.to_vec();
    let (files, result) = (vec![name.into()], Ok(vec![Arc::new(loaded)]));
    test.report_of(number, TaskReport::Model { task, files, origin: PickOrigin::Chosen, result });
}

#[test]
fn a_list_of_cameras_that_breaks_off_can_be_asked_for_again() {
    let mut test = Test::new();
    assert!(test.window.get_by_label("Refresh").accesskit_node().is_disabled());
    breaks_off(&mut test, |task| *task == BackgroundTask::ListCameras);
    assert!(said(&test).contains("the list of cameras") && said(&test).contains("broken inside"), "{}", said(&test));
    test.click("Refresh");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::ListCameras));
}

#[test]
fn models_that_break_off_do_not_keep_a_recording_waiting() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.steps();
    test.press(Key::E);
    assert!(said(&test).contains("still loading"));
    breaks_off(&mut test, |task| *task == BackgroundTask::LoadShipped);
    assert!(said(&test).contains("broken inside"), "{}", said(&test));
    breaks_off(&mut test, |task| *task == BackgroundTask::ListModels);
    assert!(said(&test).contains("cannot be listed"), "{}", said(&test));
    let number = load(&mut test, Some(Task::Age), "a.onnx");
    test.press(Key::E);
    assert!(test.fake.0.borrow().recorders.is_empty(), "{}", said(&test));
    let (_, task) = started(&test, |task| matches!(task, BackgroundTask::LoadModel { .. }));
    test.report_of(number, task.failed("broken inside".to_owned()));
    assert!(said(&test).contains("a.onnx") && said(&test).contains("The model in use stays"), "{}", said(&test));
    test.press(Key::E);
    assert_eq!(test.fake.0.borrow().recorders.len(), 1, "{}", said(&test));
}

#[test]
fn a_session_that_breaks_off_has_its_page() {
    let options = AppOptions { session: Some("some/session-1".into()), ..AppOptions::default() };
    let mut test = Test::with(&options, unfolded());
    breaks_off(&mut test, |task| matches!(task, BackgroundTask::OpenSession(_)));
    assert!(test.shows("This session cannot be opened") && test.shows("broken inside"));
}

#[test]
fn everything_else_that_breaks_off_is_said() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.steps();
    test.press(Key::S);
    breaks_off(&mut test, |task| matches!(task, BackgroundTask::Snapshot { .. }));
    assert!(said(&test).contains("broken inside"), "{}", said(&test));
    test.report(TaskReport::Unfinished(Ok(vec!["/videos/session-1".into()])));
    breaks_off(&mut test, |task| matches!(task, BackgroundTask::Recover(_)));
    assert!(said(&test).contains("session-1") && said(&test).contains("broken inside"), "{}", said(&test));
    let find = BackgroundTask::FindUnfinished("/videos".into());
    test.report(find.failed("broken inside".to_owned()));
    assert!(said(&test).contains("Could not search for interrupted recordings: broken inside"), "{}", said(&test));
    for (key, way_out) in [(Key::O, "type its path"), (Key::H, "facelens replay")] {
        test.press(key);
        breaks_off(&mut test, |task| {
            matches!(task, BackgroundTask::PickSource { .. } | BackgroundTask::PickSession(_))
        });
        assert!(said(&test).contains(way_out), "{}", said(&test));
    }
}

#[test]
fn a_look_up_that_breaks_off_ends_the_waiting() {
    let mut test = Test::new();
    let settle = |test: &mut Test, text: &str| {
        test.window.state_mut().outputs.typed(Output::Opentrack).text = text.to_owned();
        test.window.key_press_modifiers(Modifiers::NONE, Key::T);
        test.steps();
        test.newest()
    };
    let first = settle(&mut test, "studio:5005");
    let second = settle(&mut test, "attic:5005");
    let looking = |test: &mut Test| test.window.state_mut().outputs.typed(Output::Opentrack).looking;
    let found = Ok("10.0.0.9:5005".parse().unwrap());
    let (output, purpose) = (Output::Opentrack, Purpose::Start);
    test.report_of(first, TaskReport::AddressFound { output, purpose, text: "studio:5005".into(), found });
    assert!(test.fake.0.borrow().outputs.is_empty(), "another machine was asked for meanwhile");
    assert_eq!(looking(&mut test), Some(second), "the newer one is still looked up");
    breaks_off(&mut test, |task| matches!(task, BackgroundTask::FindAddress { .. }));
    assert_eq!(looking(&mut test), None);
    assert!(said(&test).contains("broken inside"), "{}", said(&test));
}

#[test]
fn of_two_models_the_one_chosen_later_stays() {
    let mut test = Test::new();
    test.shipped();
    let both = [Task::Age, Task::Gender];
    let dropped = load(&mut test, None, "dropped.onnx");
    let slow = load(&mut test, Some(Task::Age), "slow.onnx");
    let quick = load(&mut test, Some(Task::Age), "quick.onnx");
    loaded(&mut test, quick, Some(Task::Age), "quick", &[Task::Age]);
    loaded(&mut test, slow, Some(Task::Age), "slow", &[Task::Age]);
    assert!(test.shows("Age: quick"));
    assert_eq!(test.window.state().settings.age_models, [PathBuf::from("quick")]);
    loaded(&mut test, dropped, None, "dropped", &both);
    assert!(test.shows("Age: quick") && test.shows("Gender: dropped"), "each task has its own order");
    assert_eq!(test.window.state().settings.age_models, [PathBuf::from("quick")]);

    let late = load(&mut test, Some(Task::Age), "late.onnx");
    test.click("Change the model for age");
    test.click("Back to shipped");
    loaded(&mut test, late, Some(Task::Age), "late", &[Task::Age]);
    assert!(test.shows("Age: shipped-age"));
}

#[test]
fn a_session_that_is_read_slowly_does_not_push_out_what_was_chosen_later() {
    let mut test = Test::new();
    let folder = tempfile::tempdir().unwrap();
    crate::testing::session::write(folder.path(), &crate::testing::session::rows(), &[]);
    let session = || TaskReport::Session(SessionFolder::open(folder.path()).map(Box::new));
    let open = |test: &mut Test| {
        test.report(TaskReport::SessionPicked(Picked::Files(vec![folder.path().to_owned()])));
        test.newest()
    };
    let first = open(&mut test);
    test.press(Key::D);
    test.report_of(first, session());
    assert!(test.window.state().replay.is_none(), "the demo was chosen after it");

    let second = open(&mut test);
    let third = open(&mut test);
    let error = facelens_session::SessionError::Empty("older".into());
    test.report_of(third, session());
    test.report_of(second, TaskReport::Session(Err(error)));
    assert!(test.window.state().replay.open().is_some() && !said(&test).contains("older"), "{}", said(&test));
}
