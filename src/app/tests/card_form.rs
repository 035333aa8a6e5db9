//! The form for the card of a network that has none.

use facelens_core::model::OutputForm;
use facelens_core::model::graphs::small;
use facelens_import::{CardDraft, Installed};

use super::*;
use crate::app::command::CardCommand;
use crate::app::state::CardTrial;

/// A window in which a network without a card was chosen, and the network's folder.
fn drafted() -> (Test, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new-net.onnx");
    std::fs::write(&file, small(&[1, 3, 8, 8]).bytes()).unwrap();
    let mut test = Test::new();
    test.shipped();
    test.fake.play(0, &[1]);
    test.report(TaskReport::ModelPicked(Task::Age, Picked::Files(vec![file.clone()])));
    let error = ModelError::new(ModelErrorKind::NoCard, &file, "it has no card", "write one");
    let (task, files, origin) = (Some(Task::Age), vec![file.clone()], PickOrigin::Chosen);
    test.report(TaskReport::Model { task, files, origin, result: Err(error) });
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::DraftCard { file: file.clone(), task: Some(Task::Age) }));
    test.report(TaskReport::CardDrafted(CardDraft::of(&file, Some(Task::Age)).map(Box::new)));
    (test, folder)
}

/// The card that is being tried.
fn tried(test: &Test) -> CardDraft {
    match test.tasks().pop() {
        Some(BackgroundTask::TryCard(draft)) => *draft,
        other => panic!("{other:?}"),
    }
}

fn is_disabled(test: &Test, label: &str) -> bool {
    egui_kittest::kittest::NodeT::accesskit_node(&test.window.get_by_label(label)).is_disabled()
}

#[test]
fn a_network_without_a_card_opens_the_form_and_is_tried_on_the_picture() {
    let (mut test, _folder) = drafted();
    assert!(test.shows("new-net.onnx") && test.shows("x: 1 × 3 × 8 × 8") && test.shows("Trying it…"));
    assert_eq!(tried(&test).form, OutputForm::Years);
    assert!(is_disabled(&test, "Save and use"));
    test.report(TaskReport::CardTried(Ok(model("new-net", Task::Age))));
    let names = |test: &Test| test.fake.0.borrow().models.last().unwrap().age[0].card.name.clone();
    assert_eq!(names(&test), "new-net", "the picture shows what it estimates");
    assert!(test.shows("It runs") && !is_disabled(&test, "Save and use"));
    test.click("Cancel");
    assert_eq!(names(&test), "shipped-age", "nothing is left of it");
    assert!(!test.shows("NEW MODEL"));
}

#[test]
fn each_change_is_tried_and_words_are_not() {
    let (mut test, _folder) = drafted();
    test.report(TaskReport::CardTried(Ok(model("new-net", Task::Age))));
    let tries = |test: &Test| test.tasks().iter().filter(|task| matches!(task, BackgroundTask::TryCard(_))).count();
    test.open_list("Estimates");
    test.click("Gender");
    assert_eq!((tried(&test).task, tries(&test)), (Task::Gender, 2));
    let error = ModelError::new(ModelErrorKind::WrongShape, "new-net.onnx", "it gives 1 numbers", "choose another");
    test.report(TaskReport::CardTried(Err(error)));
    assert!(test.shows("it gives 1 numbers") && is_disabled(&test, "Save and use"));
    test.open_list("Meaning");
    test.click("One number: 0 female, 1 male");
    assert_eq!((tried(&test).form, tries(&test)), (OutputForm::MaleScore, 3));
    test.report(TaskReport::CardTried(Ok(model("new-net", Task::Gender))));
    let ctx = test.window.ctx.clone();
    let renamed = CardDraft { licence: "MIT".into(), ..tried(&test) };
    test.window.state_mut().run(&ctx, AppCommand::Card(CardCommand::Change(Box::new(renamed))));
    assert_eq!(tries(&test), 3);
    assert!(matches!(test.window.state().card_form.as_ref().unwrap().trial, CardTrial::Works));
}

#[test]
fn a_saved_model_stands_in_the_list_and_is_used() {
    let (mut test, folder) = drafted();
    test.report(TaskReport::CardTried(Ok(model("new-net", Task::Age))));
    test.click("Save and use");
    assert!(matches!(test.tasks().last(), Some(BackgroundTask::KeepCard(_))) && test.shows("Saving…"));
    let error = ModelError::new(ModelErrorKind::Io, "new-net", "there is another model", "choose another name");
    test.report(TaskReport::CardKept(Err(error)));
    assert!(test.shows("there is another model"));
    test.report(TaskReport::CardTried(Ok(model("new-net", Task::Age))));
    test.click("Save and use");
    let card = folder.path().join("new-net.toml");
    test.report(TaskReport::CardKept(Ok(Installed { card: card.clone(), unchanged: false })));
    assert!(!test.shows("NEW MODEL"));
    let tasks = test.tasks();
    let load = BackgroundTask::LoadModel { task: Some(Task::Age), files: vec![card], origin: PickOrigin::Chosen };
    assert_eq!(tasks[tasks.len() - 2..], [BackgroundTask::ListModels, load]);
}

#[test]
fn nothing_is_recorded_while_a_model_is_tried() {
    let (mut test, _folder) = drafted();
    test.press(Key::E);
    assert!(test.window.state().notices.last().unwrap().1.contains("A new model is being tried"));
    assert!(test.fake.0.borrow().recorders.is_empty());
}

#[test]
fn a_model_whose_path_is_typed_is_loaded_as_one_that_is_dropped() {
    let mut test = Test::new();
    test.report(TaskReport::SourcePicked(Picked::Files(vec!["nets/new.onnx".into()])));
    let files = vec![PathBuf::from("nets/new.onnx")];
    let load = BackgroundTask::LoadModel { task: None, files, origin: PickOrigin::Chosen };
    assert_eq!(test.tasks().last(), Some(&load));
    assert_eq!(test.last_source(), None);
}
