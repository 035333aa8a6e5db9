//! The window's state and what changes it: keys, clicks, files dropped on it, reports of background tasks, news of the pipeline.

mod actions;
mod camera;
mod cameras;
mod card;
mod export;
mod faces;
mod keys;
mod library;
mod live_source;
mod outputs;
mod recent;
mod recording;
mod replay;
mod reports;
mod seek;
mod settings_keeper;
mod sources;
mod tasks;
mod viewer;
mod virtual_camera;
mod window;

pub(crate) use cameras::first_camera_format;
pub(crate) use card::{CardForm, CardTrial};
pub(crate) use export::{ExportPhase, SessionExport};
pub(crate) use library::{LibraryItem, LibraryPage};
pub(crate) use outputs::STANDARD_OUTPUT;
pub(crate) use recent::RecentFiles;
pub(crate) use recording::{LOCKED, RecordedSession};
pub(crate) use reports::{from_home, title};
pub(crate) use seek::{FilePosition, FolderImage};

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use cameras::Cameras;
use crossbeam_channel::Receiver;
use eframe::egui;
use facelens_core::detect::DetectorKind;
use facelens_core::model::Task;
use facelens_media::{CameraChoice, SourceErrorKind, SourceInfo, SourceKind, SourceSpec};
use facelens_session::overlay::SceneOptions;
use live_source::LiveSource;
use outputs::Outputs;
use recording::Recording;
use settings_keeper::SettingsKeeper;
use tasks::TaskRunner;
use viewer::Viewer;
use virtual_camera::VirtualCameras;
use window::WindowState;

use super::AppOptions;
use super::action::Action;
use super::background_tasks::{BackgroundTask, BackgroundTasks, PickOrigin, TaskNumber, TaskReport};
use super::command::AppCommand;
use super::engine::Engine;
use super::gait::Gait;
use super::key_map::KeyMap;
use super::models::Models;
use super::notices::{Notices, Tone};
use super::people::People;
use super::picture::Shot;
use super::replay::ReplayState;
use super::view::{capitalised, name_of};
use crate::pipeline::SourceState;
use crate::settings::{Settings, SettingsFile};

/// A dialog over the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Dialog {
    Help,
    About,
    /// What is recorded, and where.
    RecordOptions,
    /// What other programs get live.
    Outputs,
    /// A session is exported.
    Export,
    /// All messages of this run.
    Messages,
    Preferences,
    /// What this program is, at its first start.
    Welcome,
    /// The window is to be closed while something is recorded.
    CloseRecording,
}

impl Dialog {
    /// The dialog that an action opens and closes.
    pub const fn of(action: Action) -> Option<Self> {
        match action {
            Action::Help => Some(Self::Help),
            Action::About => Some(Self::About),
            Action::RecordOptions => Some(Self::RecordOptions),
            Action::Outputs => Some(Self::Outputs),
            Action::Export => Some(Self::Export),
            Action::Messages => Some(Self::Messages),
            Action::Preferences => Some(Self::Preferences),
            Action::Welcome => Some(Self::Welcome),
            _ => None,
        }
    }
}

/// What an [`App`] is made of.
pub(crate) struct AppParts {
    pub engine: Box<dyn Engine>,
    pub tasks: Box<dyn BackgroundTasks>,
    pub reports: Receiver<(TaskNumber, TaskReport)>,
    pub settings: Settings,
    /// Where the settings are kept; `None` where nothing can be remembered.
    pub settings_file: Option<SettingsFile>,
    /// The source that the engine was started with.
    pub source: SourceSpec,
    /// Becomes `true` when the program is asked to end.
    pub stop: &'static AtomicBool,
}

/// The first source: what the command line says, else the remembered one, else the first camera there is; at the very
/// first start the demo.
pub(crate) fn first_source(options: &AppOptions, settings: &Settings) -> SourceSpec {
    let remembered = options.source.clone().or_else(|| settings.source.clone());
    let first =
        if is_first_start(options, settings) { SourceSpec::Demo } else { SourceSpec::Camera(CameraChoice::Any) };
    remembered.unwrap_or(first)
}

/// Whether nothing was ever chosen: then the user is told first what this program is.
fn is_first_start(options: &AppOptions, settings: &Settings) -> bool {
    !settings.welcomed && settings.source.is_none() && options.source.is_none() && options.session.is_none()
}

/// The first detector: what the command line says, else the remembered one.
pub(crate) fn first_detector(options: &AppOptions, settings: &Settings) -> DetectorKind {
    options.detector.unwrap_or(settings.detector)
}

/// The window.
pub(crate) struct App {
    pub engine: Box<dyn Engine>,
    tasks: TaskRunner,
    /// Sessions that were asked for before this task were overtaken: by another one, or by a source.
    sessions_from: TaskNumber,
    pub settings: Settings,
    /// The detector in use; the settings hold the one to remember.
    pub detector: DetectorKind,
    keeper: SettingsKeeper,
    pub source: LiveSource,
    pub window: WindowState,
    /// Which keys do what.
    pub keys: KeyMap,
    /// The next key that is pressed is to be that of this action.
    pub waits_for_key: Option<Action>,
    /// The banner over the demo was closed.
    pub banner_hidden: bool,
    pub dialog: Option<Dialog>,
    pub cameras: Cameras,
    pub models: Models,
    pub notices: Notices,
    /// The session in the place of the live picture.
    pub replay: ReplayState,
    pub viewer: Viewer,
    pub people: People,
    pub recording: Recording,
    pub outputs: Outputs,
    pub virtual_cameras: VirtualCameras,
    pub gait: Gait,
    /// The card of a network that has none.
    pub card_form: Option<CardForm>,
    pub recent: RecentFiles,
    /// The list of all sessions.
    pub library: LibraryPage,
    /// The export that is being chosen, that runs, or that was the last one.
    pub export: Option<SessionExport>,
    stop: &'static AtomicBool,
}

impl App {
    /// The window's state at its start. The first background tasks are started at once.
    pub fn new(parts: AppParts, options: &AppOptions) -> Self {
        let AppParts { engine, tasks, reports, settings, settings_file, source, stop } = parts;
        let status = engine.status();
        let first_start = is_first_start(options, &settings);
        let (keys, key_warnings) = KeyMap::of(&settings.keys);
        let source_is_a_guess = options.source.is_none() && settings.source.is_none();
        let mut app = Self {
            engine,
            tasks: TaskRunner::new(tasks, reports),
            sessions_from: 0,
            keeper: SettingsKeeper::new(settings_file, settings.clone()),
            window: WindowState::new(settings.text_size),
            detector: first_detector(options, &settings),
            outputs: Outputs::new(&settings),
            virtual_cameras: VirtualCameras::default(),
            settings,
            source: LiveSource::new(source, source_is_a_guess, status),
            keys,
            waits_for_key: None,
            banner_hidden: false,
            dialog: first_start.then_some(Dialog::Welcome),
            cameras: Cameras::new(options.camera_format.clone()),
            models: Models::waiting(),
            notices: Notices::default(),
            replay: ReplayState::None,
            viewer: Viewer::default(),
            people: People::default(),
            recording: Recording::default(),
            gait: Gait::default(),
            card_form: None,
            recent: RecentFiles::default(),
            library: LibraryPage::default(),
            export: None,
            stop,
        };
        if first_start {
            app.settings.welcomed = true;
        }
        for warning in key_warnings {
            app.notices.say(Tone::Warn, format!("settings.toml: {warning}."));
        }
        app.start_outputs(options.outputs.clone());
        app.list_cameras();
        app.tasks.start(BackgroundTask::LoadShipped);
        app.tasks.start(BackgroundTask::ListModels);
        app.find_unfinished();
        for task in Task::ALL {
            let asked: Vec<PathBuf> =
                options.models.iter().filter(|(of, _)| *of == task).map(|(_, file)| file.clone()).collect();
            let remembered = app.settings.models(task).to_vec();
            if !asked.is_empty() {
                app.load_model(Some(task), asked, PickOrigin::CommandLine);
            } else if !remembered.is_empty() {
                app.load_model(Some(task), remembered, PickOrigin::Remembered);
            }
        }
        if let Some(session) = &options.session {
            app.replay = ReplayState::Opening(session.clone());
            app.open_session(session.clone());
        }
        app
    }

    /// Takes in what is new; called before each repaint, and when a worker has something while the window is hidden.
    pub fn logic(&mut self, ctx: &egui::Context) {
        self.follow_text_size(ctx);
        while let Some((number, report)) = self.tasks.next_report() {
            self.take_report(ctx, number, report);
        }
        if !self.read_replay(ctx) {
            self.read_engine(ctx);
        }
        self.read_countdown(ctx);
        self.read_recording(ctx);
        self.read_outputs(ctx);
        self.read_gait(ctx);
        self.read_input(ctx);
        self.remember(ctx);
        if self.stop.load(Ordering::SeqCst) {
            self.end(ctx);
        }
    }

    /// The program is asked to end: what is recorded is saved first, without a question.
    fn end(&mut self, ctx: &egui::Context) {
        if !self.is_recording() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        } else if !self.recording.closing {
            self.save_and_close();
        }
    }

    fn read_engine(&mut self, ctx: &egui::Context) {
        self.source.status = self.engine.status();
        if let SourceState::Failed(error) = &self.source.status.shown
            && self.source.is_a_guess
            && error.kind == SourceErrorKind::NoCamera
        {
            self.source.is_a_guess = false;
            self.show_source(SourceSpec::Demo);
        }
        self.watch_camera();
        if let Some(error) = self.source.new_error() {
            self.notices.say(Tone::Bad, error);
        }
        let aligned = self.viewer.follows_analysis(&self.source.status) || self.info().is_some_and(is_pictures);
        self.engine.set_waits_for_analysis(aligned);
        let analysis = self.engine.analysis();
        if let Some(analysis) = &analysis {
            let unrelated = self.info().is_some_and(is_pictures);
            self.people.update(analysis, unrelated);
        }
        self.viewer.show(Shot::choose(aligned, self.engine.frame(), analysis));
        self.source.figures.update(ctx.input(|input| input.time), &self.source.status);
    }

    fn read_input(&mut self, ctx: &egui::Context) {
        let dropped: Vec<PathBuf> =
            ctx.input(|input| input.raw.dropped_files.iter().map(|file| file.path().to_owned()).collect());
        if !dropped.is_empty() {
            self.take_dropped(dropped);
        }
        if !self.take_key(ctx) {
            for action in keys::pressed_actions(ctx, &self.keys, self.dialog) {
                self.act(ctx, action);
            }
        }
        if ctx.input(|input| input.viewport().close_requested()) && self.ask_before_closing() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        }
        if ctx.input(|input| input.key_pressed(egui::Key::Escape)) && self.dialog.is_none() {
            if self.recording.countdown.take().is_some() || self.viewer.chosen_face.take().is_some() {
                // That is what Esc was for.
            } else if egui::Popup::is_any_open(ctx) {
                // It closes a menu or a list.
            } else if self.library.open && self.library.renaming.is_none() {
                self.close_library();
            } else if self.window.full_screen {
                self.act(ctx, Action::FullScreen);
            }
        }
    }

    /// What the source is, where it is open.
    pub fn info(&self) -> Option<&SourceInfo> {
        self.source.info()
    }

    /// Whether the picture is shown as a mirror would show it.
    pub fn mirrored(&self) -> bool {
        if self.shows_camera() { self.settings.mirror } else { self.source.mirrored }
    }

    fn shows_camera(&self) -> bool {
        self.replay.is_none() && matches!(self.source.spec, SourceSpec::Camera(_))
    }

    /// What is drawn over the picture when one of its pixels is `zoom` points wide.
    pub fn scene_options(&self, zoom: f32) -> SceneOptions {
        let Settings { boxes, labels, axes, angles, show_age: age, show_gender: gender, .. } = self.settings;
        SceneOptions { boxes, labels, age, gender, axes, angles, mirrored: self.mirrored(), zoom }
    }

    /// Does what a widget asks for.
    pub fn run(&mut self, ctx: &egui::Context, command: AppCommand) {
        if self.is_locked(&command) {
            self.refuse_while_recording();
            return;
        }
        match command {
            AppCommand::Do(action) => self.act(ctx, action),
            AppCommand::Source(source) => self.choose_source(source),
            AppCommand::ListCameras => self.list_cameras(),
            AppCommand::Detector(detector) => {
                (self.detector, self.settings.detector) = (detector, detector);
                self.engine.set_detector(detector);
            }
            AppCommand::LoadModel(task) => {
                self.tasks.start(BackgroundTask::PickModel(task));
            }
            AppCommand::UseModel(task, name) => self.load_model(Some(task), vec![name.into()], PickOrigin::Chosen),
            AppCommand::ShippedModel(task) => {
                // Whatever is still loading was asked for before.
                self.models.use_shipped(task, self.tasks.newest());
                self.settings.set_models(task, Vec::new());
                self.engine.set_models(self.models.in_use.clone());
            }
            AppCommand::Replay(command) => self.replay.run(command),
            AppCommand::RecordPictures(pictures) => self.settings.record_pictures = pictures,
            AppCommand::RecordBlur(blur) => self.settings.record_blur = blur,
            AppCommand::RecordMirror(mirror) => self.settings.record_mirror = mirror,
            AppCommand::PickSessionsFolder => {
                self.tasks.start(BackgroundTask::PickSessionsFolder);
            }
            AppCommand::PickGaitModel => {
                self.tasks.start(BackgroundTask::PickGaitModel);
            }
            AppCommand::NoGaitModel => self.use_gait_model(None),
            AppCommand::DefaultSessionsFolder => self.settings.sessions_folder = None,
            AppCommand::Opentrack(on) => self.switch_opentrack(on),
            AppCommand::JsonLines(on) => self.switch_json_lines(on),
            AppCommand::VirtualCamera(command) => self.run_virtual_camera(command),
            AppCommand::OutputAddress(output) => self.use_output_address(output),
            AppCommand::Follow(id) => self.toggle_follow(id),
            AppCommand::Face(command) => self.run_face(ctx, command),
            AppCommand::PictureView(view) => self.viewer.view = view,
            AppCommand::RecordCountdown(secs) => self.settings.record_countdown_secs = secs,
            AppCommand::Card(command) => self.run_card(command),
            AppCommand::Camera(command) => self.run_camera(command),
            AppCommand::SeekFile { time, holds } => self.seek_file(time, holds),
            AppCommand::SeekReleased => self.seek_released(),
            AppCommand::FindMissing => {
                self.recent.looked_at = Some(ctx.input(|input| input.time));
                self.tasks.start(BackgroundTask::FindMissing(self.settings.recent_files.clone()));
            }
            AppCommand::ForgetRecentFiles => self.settings.recent_files.clear(),
            AppCommand::Library(command) => self.run_library(command),
            AppCommand::Export(command) => self.run_export(command, ctx.input(|input| input.time)),
            AppCommand::ForgetRecorded => self.recording.recorded = None,
            AppCommand::SaveAndClose => self.save_and_close(),
            AppCommand::Fold(section) => self.fold(section),
            AppCommand::WaitForKey(action) => self.wait_for_key(ctx, action),
            AppCommand::UsualKeys(action) => self.usual_keys(action),
            AppCommand::Prefer(preference) => self.prefer(preference),
            AppCommand::PickSnapshotsFolder => {
                self.tasks.start(BackgroundTask::PickSnapshotsFolder);
            }
            AppCommand::HideBanner => self.banner_hidden = true,
            AppCommand::CloseNotice(number) => self.notices.close(number),
            AppCommand::Copy(text) => ctx.copy_text(text),
            AppCommand::CloseDialog => self.close_dialog(),
        }
        ctx.request_repaint();
    }

    fn toggle_gait(&mut self) {
        let on = !self.gait.is_on();
        if let Err(error) = self.engine.set_gait(on) {
            self.notices.say(
                Tone::Bad,
                format!(
                    "The gait analysis cannot start a thread ({error}): close other programs and switch it on again."
                ),
            );
        } else if on && self.settings.gait_model.is_some() {
            self.engine.set_gait_model(self.settings.gait_model.clone());
        }
    }

    /// From now on this model tells the age by gait.
    fn use_gait_model(&mut self, file: Option<PathBuf>) {
        self.settings.gait_model.clone_from(&file);
        self.engine.set_gait_model(file);
    }

    /// Takes in what the gaits show. A session has its own.
    fn read_gait(&mut self, ctx: &egui::Context) {
        let view = if self.replay.is_none() { self.engine.gait() } else { None };
        if let Some(error) = self.gait.update(ctx, view) {
            self.notices.say(Tone::Bad, capitalised(&error));
        }
    }

    fn close_dialog(&mut self) {
        // Who chose nothing at the first start goes on with the demo: no camera is opened without being chosen.
        if self.dialog.take() == Some(Dialog::Welcome) && self.settings.source.is_none() {
            self.settings.source = Some(self.source.spec.clone());
        }
    }

    fn toggle(&mut self, dialog: Option<Dialog>) {
        // The question whether to save is not answered by a key for something else.
        if self.dialog == Some(Dialog::CloseRecording) {
            return;
        }
        self.dialog = if self.dialog == dialog { None } else { dialog };
        self.list_virtual_cameras_for(self.dialog);
    }

    /// What the menu bar says of the source.
    pub fn source_title(&self) -> String {
        if let Some(name) = self.replay.name() {
            return name;
        }
        match self.info() {
            Some(info) => match self.source.spec {
                SourceSpec::Demo | SourceSpec::Path(_) => name_of(&self.source.spec),
                // Of two cameras of one model, which.
                SourceSpec::Camera(_) => match self.shown_camera().and_then(|place| self.cameras.list.get(place)) {
                    Some(camera) if camera.name == info.name => camera.label(&self.cameras.list),
                    _ => info.name.clone(),
                },
            },
            None => name_of(&self.source.spec),
        }
    }
}

fn is_pictures(info: &SourceInfo) -> bool {
    info.kind == SourceKind::Pictures
}
