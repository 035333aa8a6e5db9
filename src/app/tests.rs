//! The window by its widgets: what it shows for each state, and what clicks and keys do.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::{self, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use facelens_core::detect::DetectorKind;
use facelens_core::model::{ModelError, ModelErrorKind, ModelSet, Task};
use facelens_media::{CameraChoice, SourceError, SourceErrorKind, SourceSpec};
use facelens_session::recording::default_sessions_folder;

use super::background_tasks::{BackgroundTask, Known, PickOrigin, Picked, TaskNumber, TaskReport};
use super::command::{AppCommand, CameraCommand};
use super::fake::{FakePipeline, analysis, camera, camera_info, face, frame, model};
use super::notices::Tone;
use super::state::{App, Dialog};
use super::{AppOptions, theme};
use crate::pipeline::SourceState;
use crate::settings::{CameraSettings, Settings, SettingsFile};

mod access;
mod background;
mod camera_page;
mod cameras;
mod card_form;
mod dialogs;
mod faces;
mod files;
mod gait;
mod library;
mod messages;
mod outputs;
mod panel;
mod pictures;
mod preferences;
mod raster;
mod recording;
#[cfg(target_os = "linux")]
mod virtual_camera;

/// The usual settings, with every part of the side panel unfolded.
pub(super) fn unfolded() -> Settings {
    Settings { folded: Vec::new(), ..Settings::default() }
}

/// A file that is dropped on the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("nobody reads it".into())
    }
}

pub(super) struct Test {
    pub fake: FakePipeline,
    reports: crossbeam_channel::Sender<(TaskNumber, TaskReport)>,
    pub window: Harness<'static, App>,
    textures: raster::Textures,
}

impl Test {
    pub fn with(options: &AppOptions, settings: Settings) -> Self {
        let fake = FakePipeline::default();
        let app = fake.app(options, settings);
        Self::of(fake, app)
    }

    fn of(fake: FakePipeline, (app, reports): (App, crossbeam_channel::Sender<(TaskNumber, TaskReport)>)) -> Self {
        let textures = raster::Textures::default();
        let window = Harness::builder()
            .renderer(textures.clone())
            .with_size([1120.0, 700.0])
            .with_step_dt(0.1)
            .with_context_setup(theme::apply)
            .build_ui_state(
                |ui, app: &mut App| {
                    app.logic(ui.ctx());
                    app.ui(ui);
                },
                app,
            );
        let mut test = Self { fake, reports, window, textures };
        test.steps();
        test
    }

    pub fn new() -> Self {
        Self::with(&AppOptions::default(), unfolded())
    }

    pub fn steps(&mut self) {
        self.window.run_steps(4);
    }

    /// The report of the newest background task.
    pub fn report(&mut self, report: TaskReport) {
        let number = self.fake.0.borrow().tasks.last().map_or(0, |(number, _)| *number);
        self.report_of(number, report);
    }

    /// The report of the background task of this number.
    pub fn report_of(&mut self, number: TaskNumber, report: TaskReport) {
        self.reports.send((number, report)).unwrap();
        self.steps();
    }

    /// The number of the newest background task.
    pub fn newest(&self) -> TaskNumber {
        self.fake.0.borrow().tasks.last().unwrap().0
    }

    pub fn press(&mut self, key: Key) {
        self.window.key_press(key);
        self.steps();
    }

    pub fn click(&mut self, label: &str) {
        self.window.get_by_label(label).click();
        self.steps();
    }

    /// Opens the list of this name.
    fn open_list(&mut self, name: &str) {
        self.window.get_by_role_and_label(egui::Role::ComboBox, name).click();
        self.steps();
    }

    /// Files that are dropped on the window.
    fn drop_files(&mut self, files: &[&str]) {
        for file in files {
            self.window.input_mut().dropped_files.push(Arc::new(Dropped(file.into())));
        }
        self.steps();
    }

    pub fn shows(&self, words: &str) -> bool {
        self.window.query_all_by_label_contains(words).next().is_some()
    }

    fn failed(&mut self, kind: SourceErrorKind) {
        self.fake.show(SourceState::Failed(SourceError::new(kind, "camera:9", "the cause", "do this")));
        self.steps();
    }

    fn shipped(&mut self) {
        let age = vec![model("shipped-age", Task::Age)];
        let gender = vec![model("shipped-gender", Task::Gender)];
        self.report(TaskReport::Shipped(Ok(ModelSet { age, gender, pose: vec![] })));
    }

    pub fn tasks(&self) -> Vec<BackgroundTask> {
        self.fake.0.borrow().tasks.iter().map(|(_, task)| task.clone()).collect()
    }

    pub fn last_source(&self) -> Option<SourceSpec> {
        self.fake.0.borrow().sources.last().cloned()
    }
}

#[test]
fn the_window_opens_on_the_first_camera_and_asks_for_what_it_needs() {
    let test = Test::new();
    assert_eq!(test.window.state().source.spec, SourceSpec::Camera(CameraChoice::Any));
    assert!(test.shows("Opening the camera"));
    let mut expected = vec![BackgroundTask::ListCameras, BackgroundTask::LoadShipped, BackgroundTask::ListModels];
    expected.extend(default_sessions_folder().map(BackgroundTask::FindUnfinished));
    assert_eq!(test.tasks(), expected);
}

#[test]
fn without_a_camera_and_without_a_choice_the_demo_takes_its_place() {
    let mut test = Test::new();
    test.failed(SourceErrorKind::NoCamera);
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
    test.fake.play(0, &[1]);
    test.steps();
    assert!(test.shows("This is the demo"));
    assert_eq!(test.window.state().settings.source, None, "a stopgap is not remembered");
}

#[test]
fn a_camera_that_was_asked_for_gets_a_page_when_it_is_not_there() {
    let options = AppOptions { source: Some("camera:9".parse().unwrap()), ..AppOptions::default() };
    let mut test = Test::with(&options, unfolded());
    test.failed(SourceErrorKind::NoSuchCamera);
    assert_eq!(test.last_source(), None);
    assert!(test.shows("Camera 9 was not found"));
    test.report(TaskReport::Cameras(Ok(vec![camera(0, "HD Webcam")])));
    test.click("Use HD Webcam");
    let named = SourceSpec::Camera(CameraChoice::Name("HD Webcam".into()));
    assert_eq!(test.last_source(), Some(named.clone()));
    assert_eq!(test.window.state().settings.source, Some(named));
}

#[test]
fn each_failure_has_its_page_and_each_page_a_way_on() {
    let mut test =
        Test::with(&AppOptions::default(), Settings { source: Some("camera".parse().unwrap()), ..unfolded() });
    for (kind, title) in [
        (SourceErrorKind::NoCamera, "No camera found"),
        (SourceErrorKind::PermissionDenied, "Camera permission missing"),
        (SourceErrorKind::Busy, "Camera busy"),
        (SourceErrorKind::Unreadable, "This file cannot be read"),
    ] {
        test.failed(kind);
        assert!(test.shows(title), "{title}");
    }
    test.failed(SourceErrorKind::NoCamera);
    test.click("Try again");
    assert_eq!(test.fake.0.borrow().restarts, 1);
    test.failed(SourceErrorKind::NoCamera);
    test.click("Open a file…");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickSource { folder: false }));
    test.click("Watch the demo");
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
}

#[test]
fn a_lost_camera_is_waited_for_over_its_last_picture() {
    let mut test = Test::new();
    test.fake.play(0, &[]);
    test.fake.show(SourceState::Disconnected { info: camera_info(), reason: "No such device".into() });
    test.steps();
    assert!(test.shows("waiting for it to come back"));
    test.fake.play(1, &[]);
    test.steps();
    assert!(!test.shows("waiting for it to come back"));
}

#[test]
fn there_is_one_row_for_each_person_and_it_outlasts_a_blink() {
    let mut test = Test::new();
    test.fake.play(0, &[1, 2]);
    test.steps();
    let rows = |test: &Test| test.window.query_all_by_label_contains("Person ").count();
    assert_eq!(rows(&test), 2);
    assert!(test.shows("Person 2: age 28–36, female"));
    let before = test.window.get_by_label_contains("Person 2").rect();
    test.fake.play(20, &[2]);
    test.steps();
    assert_eq!(rows(&test), 2);
    assert_eq!(test.window.get_by_label_contains("Person 2").rect(), before, "nothing moves");
    test.fake.play(200, &[]);
    test.steps();
    assert_eq!(rows(&test), 0);
}

#[test]
fn what_lies_below_the_people_does_not_move_when_they_come_and_go() {
    let mut test = Test::new();
    test.shipped();
    test.steps();
    let before = test.window.get_by_label("PERFORMANCE").rect();
    test.fake.play(0, &[1, 2, 3, 4, 5, 6]);
    test.steps();
    assert_eq!(test.window.get_by_label("PERFORMANCE").rect(), before);
}

#[test]
fn switches_and_keys_change_what_is_drawn() {
    let mut test = Test::new();
    test.fake.play(0, &[1]);
    test.steps();
    let options = |test: &Test| test.window.state().scene_options(1.0);
    let start = options(&test);
    assert!(start.boxes && start.labels && start.axes && start.angles && start.mirrored);
    for (key, label) in
        [(Key::B, "Boxes"), (Key::L, "Labels"), (Key::A, "Pose axes"), (Key::G, "Angles"), (Key::M, "Mirror")]
    {
        let before = options(&test);
        test.press(key);
        assert_ne!(options(&test), before, "{key:?}");
        test.click(label);
        assert_eq!(options(&test), before, "{label}");
    }
}

#[test]
fn files_are_not_mirrored_and_their_mirror_is_not_remembered() {
    let mut test = Test::new();
    test.report(TaskReport::SourcePicked(Picked::Files(vec!["clip.mp4".into()])));
    assert_eq!(test.last_source(), Some(SourceSpec::Path("clip.mp4".into())));
    assert!(!test.window.state().mirrored());
    test.press(Key::M);
    assert!(test.window.state().mirrored());
    assert!(test.window.state().settings.mirror, "the cameras' own switch is untouched");
}

#[test]
fn space_holds_the_picture_and_a_new_source_lets_it_go() {
    let mut test = Test::new();
    test.fake.play(0, &[]);
    test.press(Key::Space);
    assert_eq!(test.fake.0.borrow().paused, [true]);
    test.press(Key::D);
    assert_eq!(test.fake.0.borrow().paused, [true, false]);
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
}

#[test]
fn keys_typed_into_the_path_field_are_text() {
    let mut test = Test::new();
    let field = test.window.get_by_role(egui::accesskit::Role::TextInput);
    field.focus();
    test.steps();
    test.window.get_by_role(egui::accesskit::Role::TextInput).type_text("demo.mp4");
    test.press(Key::D);
    assert_eq!(test.last_source(), None);
    test.press(Key::Enter);
    assert_eq!(test.last_source(), Some(SourceSpec::Path("demo.mp4".into())));
}

#[test]
fn help_lists_every_key_and_escape_closes_it() {
    let mut test = Test::new();
    test.press(Key::F1);
    assert_eq!(test.window.state().dialog, Some(Dialog::Help));
    for action in super::action::Action::ALL {
        assert!(test.shows(action.explanation()), "{action:?}");
    }
    test.press(Key::Escape);
    assert_eq!(test.window.state().dialog, None);
    test.window.key_press_modifiers(Modifiers::SHIFT, Key::Questionmark);
    test.steps();
    test.click("Close");
    assert_eq!(test.window.state().dialog, None);
    test.press(Key::I);
    assert!(test.shows("Nothing is sent anywhere"));
}

#[test]
fn without_a_pose_model_a_card_says_how_to_load_one() {
    let mut test = Test::new();
    assert!(!test.shows("Head pose: no model"), "while models are loading nothing is missing");
    test.shipped();
    assert!(test.shows("Age: shipped-age"));
    assert!(test.shows("Head pose: no model"));
    test.click("Load a head pose model");
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickModel(Task::Pose)));
    let files: Vec<PathBuf> = vec!["a.h5".into()];
    test.report(TaskReport::ModelPicked(Task::Pose, Picked::Files(files.clone())));
    let load = BackgroundTask::LoadModel { task: Some(Task::Pose), files: files.clone(), origin: PickOrigin::Chosen };
    assert_eq!(test.tasks().last(), Some(&load));
    let result = Ok(vec![model("fsanet", Task::Pose)]);
    test.report(TaskReport::Model { task: Some(Task::Pose), files: files.clone(), origin: PickOrigin::Chosen, result });
    assert!(test.shows("Head pose: fsanet"));
    assert_eq!(test.fake.0.borrow().models.last().unwrap().pose.len(), 1);
    assert_eq!(test.window.state().settings.pose_models, files);
}

#[test]
fn a_refused_model_is_named_and_the_one_in_use_stays() {
    let mut test = Test::new();
    test.shipped();
    let sent = test.fake.0.borrow().models.len();
    let error = ModelError::new(ModelErrorKind::Corrupt, "bad.onnx", "it ends in the middle", "copy it again");
    let files = vec!["bad.onnx".into()];
    test.report(TaskReport::Model { task: Some(Task::Age), files, origin: PickOrigin::Chosen, result: Err(error) });
    let (tone, words) = test.window.state().notices.last().unwrap();
    assert_eq!(tone, Tone::Bad);
    assert!(words.contains("bad.onnx") && words.contains("The model in use stays"), "{words}");
    assert_eq!(test.fake.0.borrow().models.len(), sent);
    assert!(test.shows("Age: shipped-age"));
    assert_eq!(test.window.state().settings.age_models, Vec::<PathBuf>::new());
}

#[test]
fn a_remembered_model_is_forgotten_only_where_its_file_is_gone() {
    let files: Vec<PathBuf> = vec!["/disk/old.h5".into()];
    let settings = Settings { pose_models: files.clone(), ..unfolded() };
    for (kind, kept) in [(ModelErrorKind::Io, true), (ModelErrorKind::Corrupt, true), (ModelErrorKind::Missing, false)]
    {
        let mut test = Test::with(&AppOptions::default(), settings.clone());
        let result = Err(ModelError::new(kind, "/disk/old.h5", "it cannot be read (a reason)", ""));
        let (task, origin) = (Some(Task::Pose), PickOrigin::Remembered);
        test.report(TaskReport::Model { task, files: files.clone(), origin, result });
        assert_eq!(!test.window.state().settings.pose_models.is_empty(), kept, "{kind:?}");
        assert!(test.window.state().notices.last().unwrap().1.contains("old.h5"));
    }
}

#[test]
fn settings_that_are_being_saved_when_the_window_closes_are_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = SettingsFile::in_folder(folder.path());
    let (settings, _) = file.load();
    let fake = FakePipeline::default();
    let app = fake.app_with_file(&AppOptions::default(), settings, Some(file.clone()));
    let mut test = Test::of(fake, app);
    test.window.state_mut().settings.boxes = false;
    for _ in 0..20 {
        test.steps();
    }
    // It was asked for, and its thread has not come to it: the fake runs no task.
    assert!(matches!(test.tasks().last(), Some(BackgroundTask::SaveSettings(_))), "{:?}", test.tasks().last());
    assert!(!file.path().exists());
    test.window.state_mut().save_now();
    assert!(!file.load().0.boxes);
}

#[test]
fn models_of_the_command_line_are_used_but_not_remembered() {
    let options = AppOptions { models: vec![(Task::Pose, "p.h5".into())], ..AppOptions::default() };
    let settings = Settings { pose_models: vec!["old.h5".into()], ..unfolded() };
    let mut test = Test::with(&options, settings.clone());
    let files = vec![PathBuf::from("p.h5")];
    let load =
        BackgroundTask::LoadModel { task: Some(Task::Pose), files: files.clone(), origin: PickOrigin::CommandLine };
    assert_eq!(test.tasks().last(), Some(&load));
    let result = Ok(vec![model("fsanet", Task::Pose)]);
    test.report(TaskReport::Model { task: Some(Task::Pose), files, origin: PickOrigin::CommandLine, result });
    assert_eq!(test.window.state().settings.pose_models, settings.pose_models);
    assert!(test.shows("Head pose: fsanet"));
}

#[test]
fn the_shipped_model_comes_back_by_its_button() {
    let mut test = Test::new();
    test.shipped();
    let result = Ok(vec![model("mine", Task::Age)]);
    test.report(TaskReport::Model { task: None, files: vec!["m.onnx".into()], origin: PickOrigin::Chosen, result });
    assert!(test.shows("Age: mine"));
    test.click("Change the model for age");
    test.click("Back to shipped");
    assert!(test.shows("Age: shipped-age"));
    assert_eq!(test.window.state().settings.age_models, Vec::<PathBuf>::new());
}

#[test]
fn a_dropped_model_for_two_tasks_takes_both_and_is_remembered_for_both() {
    let mut test = Test::new();
    test.shipped();
    let mut pair = Arc::unwrap_or_clone(model("pair", Task::Age));
    pair.card.tasks = vec![Task::Age, Task::Gender];
    let files: Vec<PathBuf> = vec!["pair.onnx".into()];
    let result = Ok(vec![Arc::new(pair.clone())]);
    test.report(TaskReport::Model { task: None, files: files.clone(), origin: PickOrigin::Chosen, result });
    assert!(test.shows("Age: pair") && test.shows("Gender: pair"));
    assert_eq!(test.window.state().notices.last().unwrap().1, "Age and gender are estimated by pair from now on.");
    let settings = test.window.state().settings.clone();
    assert_eq!((&settings.age_models, &settings.gender_models), (&files, &files));
    assert_eq!(test.fake.0.borrow().models.last().unwrap().distinct().len(), 1);

    // Chosen for one task, it serves that alone.
    test.click("Change the model for gender");
    test.click("Back to shipped");
    assert!(test.shows("Age: pair") && test.shows("Gender: shipped-gender"));
    let result = Ok(vec![Arc::new(pair)]);
    test.click("Change the model for age");
    test.click("Back to shipped");
    test.report(TaskReport::ModelPicked(Task::Gender, Picked::Files(files.clone())));
    test.report(TaskReport::Model { task: Some(Task::Gender), files, origin: PickOrigin::Chosen, result });
    assert!(test.shows("Age: shipped-age") && test.shows("Gender: pair"));
}

#[test]
fn models_of_the_library_are_chosen_in_the_menu() {
    let mut test = Test::new();
    test.shipped();
    let known = |name: &str, tasks: &[Task]| Known { name: name.into(), tasks: tasks.to_vec() };
    test.report(TaskReport::Models(Ok(vec![known("shipped-age", &[Task::Age]), known("published", &[Task::Age])])));
    test.click("Change the model for gender");
    assert!(!test.shows("published"));
    test.press(Key::Escape);
    test.click("Change the model for age");
    test.click("published");
    let load = BackgroundTask::LoadModel {
        task: Some(Task::Age),
        files: vec!["published".into()],
        origin: PickOrigin::Chosen,
    };
    assert_eq!(test.tasks().last(), Some(&load));
}

#[test]
fn s_saves_the_picture_with_its_own_faces() {
    let mut test = Test::new();
    test.press(Key::S);
    assert_eq!(test.window.state().notices.last().unwrap().0, Tone::Info, "there is nothing to save yet");
    test.fake.play(3, &[1]);
    test.steps();
    test.press(Key::S);
    let Some(BackgroundTask::Snapshot { still, input, options, folder }) = test.tasks().pop() else {
        panic!("no snapshot")
    };
    assert!(Arc::ptr_eq(&still.0, test.fake.0.borrow().analysis.as_ref().unwrap()));
    assert_eq!((input.as_str(), options.mirrored), ("HD Webcam", true));
    assert!(folder.ends_with("facelens"));
}

#[test]
fn a_missing_file_dialog_is_explained() {
    let mut test = Test::new();
    test.press(Key::O);
    assert_eq!(test.tasks().last(), Some(&BackgroundTask::PickSource { folder: false }));
    test.report(TaskReport::SourcePicked(Picked::NoDialog));
    assert!(test.window.state().notices.last().unwrap().1.contains("drop the file on the window"));
}

#[test]
fn the_detector_is_chosen_and_remembered() {
    let mut test = Test::new();
    test.click("Detector");
    test.click("SeetaFace: upright, frontal");
    assert_eq!(test.fake.0.borrow().detectors, [DetectorKind::Seeta]);
    assert_eq!(test.window.state().settings.detector, DetectorKind::Seeta);
}

#[test]
fn a_detector_of_the_command_line_is_used_but_not_remembered() {
    let options = AppOptions { detector: Some(DetectorKind::Seeta), ..AppOptions::default() };
    let test = Test::with(&options, unfolded());
    assert_eq!(test.window.state().detector, DetectorKind::Seeta);
    assert_eq!(test.window.state().settings, unfolded());
}

#[test]
fn an_error_of_the_window_system_is_one_plain_line() {
    let error = "winit EventLoopError: os error at /a/b.rs:788: Failed to open\n connection to X server";
    assert_eq!(super::plain(error), "Failed to open connection to X server");
    assert_eq!(super::plain("no OpenGL"), "no OpenGL");
    let missing = eframe::Error::NoGlutinConfigs(Default::default(), "no suitable config".into());
    let words = super::cannot_open(&missing);
    assert!(
        words.contains("no OpenGL") && words.contains("(no suitable config)") && words.contains("driver"),
        "{words}"
    );
    assert!(!words.contains("Template") && !words.contains('\n'), "{words}");
    let broken = eframe::Error::AppCreation("the system cannot start a thread".into());
    assert_eq!(super::cannot_open(&broken), "the window cannot be opened: the system cannot start a thread");
}

#[test]
fn the_panel_closes_and_opens_by_its_key() {
    let mut test = Test::new();
    assert!(test.shows("PERFORMANCE"));
    test.press(Key::P);
    assert!(!test.shows("PERFORMANCE"));
    test.click("Show panel");
    assert!(test.shows("PERFORMANCE"));
}

#[test]
fn full_screen_shows_the_picture_alone_until_escape() {
    let mut test = Test::new();
    test.press(Key::F11);
    assert!(test.window.query_by_label("File").is_none());
    test.press(Key::Escape);
    assert!(test.window.query_by_label("File").is_some());
}

#[test]
fn menus_do_what_the_keys_do() {
    let mut test = Test::new();
    for menu in ["View", "Help", "File"] {
        test.click(menu);
    }
    test.window.get_by_label_contains("Watch the demo").click();
    test.steps();
    assert_eq!(test.last_source(), Some(SourceSpec::Demo));
}

#[test]
fn the_figures_come_from_the_pipeline() {
    let mut test = Test::new();
    test.fake.play(59, &[1]);
    for _ in 0..3 {
        test.steps();
    }
    assert!(test.shows("30.0 fps") && test.shows("12.0 ms") && test.shows("MJPEG 640x480 at 30 fps"));
}

#[test]
fn a_frame_without_analysis_is_shown_at_once() {
    let mut test = Test::new();
    test.fake.show(SourceState::Running(camera_info()));
    test.fake.0.borrow_mut().frame = Some(frame(64, 48, 0));
    test.steps();
    assert!(test.shows("Image of HD Webcam"));
    test.fake.0.borrow_mut().analysis = Some(analysis(frame(64, 48, 1), vec![face(1)]));
    test.steps();
    assert_eq!(Arc::clone(&test.window.state().viewer.shot.as_ref().unwrap().frame).sequence, 1);
}
