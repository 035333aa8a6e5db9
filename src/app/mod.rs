//! The window. One file per panel or dialog; no vision code here.
//!
//! The window is a thin shell: [`state::App`] holds what is known, an owner for each part, and changes it, [`view`] says
//! what the centre shows for each state of the source, and the other files paint. Nothing here waits: pictures come from
//! an [`engine::Engine`], and what takes time is a [`background_tasks::BackgroundTask`] on a thread of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;
use facelens_base::interrupt;
use facelens_core::detect::DetectorKind;
use facelens_core::model::{ModelSet, Task};
use facelens_import::Sandbox;
use facelens_media::{CameraFormat, SourceSpec};

use crate::outputs::WantedOutputs;
use crate::pipeline::{LiveOptions, LiveSession};
use crate::settings::{Settings, SettingsFile};

mod action;
mod background_tasks;
mod banner;
mod camera_page;
mod card_form;
mod central_panel;
mod command;
mod countdown;
mod dialogs;
mod egui_painter;
mod elide;
mod engine;
mod export_dialog;
mod face_menu;
#[cfg(test)]
mod fake;
mod file_dialogs;
mod first_run;
mod gait;
mod key_map;
mod keys_page;
mod library;
mod menu_bar;
mod metrics;
mod models;
mod notices;
mod outputs_dialog;
mod outputs_mark;
mod panel;
mod people;
mod picture;
mod picture_view;
mod preferences;
mod recent_files;
mod recorded_bar;
mod recording_dialog;
mod recording_mark;
mod recording_text;
mod replay;
mod seek_bar;
mod show_folder;
mod sparkline;
mod state;
#[cfg(test)]
mod tests;
mod theme;
mod tool_bar;
mod view;
mod virtual_camera;
mod wake;
mod walker_row;

use notices::Tone;
use state::{App, AppParts};
use wake::Waker;

/// What the command line asks of the window; what it leaves open comes from the settings.
#[derive(Clone, Debug, Default)]
pub struct AppOptions {
    /// The first source.
    pub source: Option<SourceSpec>,
    /// Model files to use instead of those remembered or shipped.
    pub models: Vec<(Task, PathBuf)>,
    /// The detector.
    pub detector: Option<DetectorKind>,
    /// The format in which cameras are opened.
    pub camera_format: Option<CameraFormat>,
    /// A session to replay; no source is opened then.
    pub session: Option<PathBuf>,
    /// What other programs get live from the start.
    pub outputs: WantedOutputs,
}

/// The smallest window in which everything can be reached, points.
const MIN_SIZE: [f32; 2] = [720.0, 480.0];

/// Opens the window and returns when it is closed. Model files are tried in `sandbox` before they are used.
///
/// # Errors
/// Where the system gives no window, e.g. without a display.
pub fn run(options: AppOptions, sandbox: &Sandbox) -> anyhow::Result<()> {
    if !has_display() {
        anyhow::bail!(
            "the window cannot be opened: there is no display (neither WAYLAND_DISPLAY nor DISPLAY is set); use \
             `facelens analyze` on a machine without one"
        );
    }
    let file = SettingsFile::of_user();
    let (settings, warnings) = file.as_ref().map_or_else(|| (Settings::default(), Vec::new()), SettingsFile::load);
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("facelens")
            // The name of the desktop entry, by which a desktop finds the icon.
            .with_app_id("io.github.facelens.facelens")
            .with_icon(icon())
            .with_min_inner_size(MIN_SIZE)
            .with_inner_size(settings.window_size)
            .with_maximized(settings.maximized)
            .with_drag_and_drop(true),
        renderer: eframe::Renderer::Glow,
        // Nothing is painted in gradients, and without a graphics card each pixel costs.
        dithering: false,
        centered: true,
        ..Default::default()
    };
    let sandbox = sandbox.clone();
    let create: eframe::AppCreator<'_> = Box::new(move |cc| {
        theme::apply(&cc.egui_ctx);
        let waker = Waker::new(cc.egui_ctx.clone());
        let of_threads = waker.clone();
        let wake: Arc<dyn Fn() + Send + Sync> = Arc::new(move || of_threads.wake());
        let source = state::first_source(&options, &settings);
        let first = LiveOptions {
            source: options.session.is_none().then(|| source.clone()),
            models: ModelSet::default(),
            detector: state::first_detector(&options, &settings),
            sink: None,
            camera_format: state::first_camera_format(&options, &settings, &source),
            wake: Arc::clone(&wake),
        };
        let live = LiveSession::start(first)?;
        let (sender, reports) = crossbeam_channel::unbounded();
        let engine = engine::LiveEngine::new(live, Arc::clone(&wake));
        end_when_asked(engine.finisher(), Arc::clone(&wake));
        let parts = AppParts {
            engine: Box::new(engine),
            tasks: Box::new(background_tasks::Threads::new(
                background_tasks::Reporter { reports: sender, wake },
                sandbox,
            )),
            reports,
            settings,
            settings_file: file,
            source,
            stop: interrupt::flag(),
        };
        let mut app = App::new(parts, &options);
        for warning in warnings {
            app.notices.say(Tone::Warn, warning);
        }
        Ok(Box::new(MainWindow { app, waker }))
    });
    eframe::run_native("facelens", native, create).map_err(|error| anyhow::anyhow!(cannot_open(&error)))
}

/// Why there is no window, the cause and what to do in one sentence.
fn cannot_open(error: &eframe::Error) -> String {
    let no_gl = |cause: String| {
        format!(
            "the window cannot be opened: this display offers no OpenGL that facelens can draw with ({}); install or \
             update the driver of the graphics card{}, or use `facelens analyze`, which needs none",
            plain(&cause),
            if cfg!(target_os = "linux") { " (Mesa's without one: the package libgl1-mesa-dri)" } else { "" },
        )
    };
    match error {
        eframe::Error::Glutin(cause) => no_gl(cause.to_string()),
        eframe::Error::NoGlutinConfigs(_, cause) => no_gl(cause.to_string()),
        eframe::Error::OpenGL(cause) => no_gl(cause.to_string()),
        eframe::Error::AppCreation(cause) => format!("the window cannot be opened: {}", plain(&cause.to_string())),
        other => format!(
            "the window cannot be opened: {}; use `facelens analyze` on a machine without a display",
            plain(&other.to_string())
        ),
    }
}

/// How long a recording has to be saved when the program is asked to end.
const SAVING: Duration = Duration::from_secs(30);
/// How long the window then has to close by itself.
const CLOSING: Duration = Duration::from_secs(3);

/// At Ctrl-C, SIGTERM or SIGHUP the recording is finished and the window closed; the program ends also where the window
/// does not answer, as when its display went before it.
fn end_when_asked(recording: engine::Finisher, wake: Arc<dyn Fn() + Send + Sync>) {
    interrupt::on_stop(move || {
        let saved = recording.finish();
        wake();
        let end = move || {
            saved(SAVING);
            wake();
            std::thread::sleep(CLOSING);
            interrupt::exit_now();
        };
        if let Err(error) = std::thread::Builder::new().name("ending".into()).spawn(end) {
            tracing::debug!("the window has to end by itself: {error}");
        }
    });
}

/// An error of the window system on one line, without the place in somebody's source that winit puts before the cause
/// (`os error at FILE:LINE: CAUSE`).
fn plain(error: &str) -> String {
    let cause = match error.split_once("os error at ") {
        Some((_, rest)) => rest.split_once(": ").map_or(rest, |(_, cause)| cause),
        None => error,
    };
    cause.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether there can be a window at all. Only X11 and Wayland can say so beforehand.
fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(all(unix, not(target_os = "macos"), not(target_os = "android"))))
        || set("WAYLAND_DISPLAY")
        || set("WAYLAND_SOCKET")
        || set("DISPLAY")
}

/// The window's icon; the system's own where it cannot be read.
fn icon() -> egui::IconData {
    image::load_from_memory(include_bytes!("../../assets/icon.png")).map_or_else(
        |error| {
            tracing::warn!("the icon cannot be read: {error}");
            egui::IconData::default()
        },
        |icon| {
            let icon = icon.into_rgba8();
            let (width, height) = icon.dimensions();
            egui::IconData { rgba: icon.into_raw(), width, height }
        },
    )
}

/// The window as eframe sees it.
struct MainWindow {
    app: App,
    waker: Waker,
}

impl eframe::App for MainWindow {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.app.logic(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.waker.painted();
        self.app.ui(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.app.save_now();
    }

    /// The colour of the bars and panels, which are not filled then; see [`theme::bar`].
    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

impl App {
    /// Paints the window and does what is clicked.
    fn ui(&mut self, ui: &mut egui::Ui) {
        theme::choose(ui.ctx(), self.settings.theme);
        let mut commands = Vec::new();
        if !self.window.full_screen {
            menu_bar::show(self, ui, &mut commands);
            tool_bar::show(self, ui, &mut commands);
            if !self.library.open {
                if let Some(replay) = self.replay.open_mut() {
                    replay::timeline(replay, ui, &mut commands);
                }
                seek_bar::show(self, ui, &mut commands);
            }
        }
        if self.settings.panel_open {
            panel::show(self, ui, &mut commands);
        }
        let stage = ui.available_rect_before_wrap();
        theme::on_stage(ui, |ui| central_panel::show(self, ui, &mut commands));
        dialogs::show(self, ui.ctx(), &mut commands);
        notices::show_toasts(&mut self.notices, ui.ctx(), stage, &mut commands);
        for command in commands {
            self.run(ui.ctx(), command);
        }
    }
}
