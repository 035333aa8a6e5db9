//! `facelens record`: a session without the window.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use facelens_base::interrupt;
use facelens_core::model::ModelSet;
use facelens_import::Sandbox;
use facelens_media::{CameraChoice, CameraFormat, SourceInfo, SourceSpec};
use facelens_session::recording::{
    RecordedPictures, Recorder, RecorderOptions, RecordingStatus, default_sessions_folder,
};
use facelens_session::{AnalysisSink, PictureLook, SessionEnd, SessionInfo};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use super::batch::parse_seconds;
use super::output::usage;
use super::{ModelArgs, one_of, output};
use crate::outputs::{LiveOutputs, OutputOptions, OutputStatus};
use crate::pipeline::{LastingSink, LiveOptions, LiveSession, SourceState, Status};
use crate::settings::SettingsFile;

/// How often the recording is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Options of `facelens record`.
#[derive(Debug, clap::Args)]
pub struct RecordArgs {
    /// `camera`, `camera:NAME`, `camera:INDEX`, `demo`, a video file, an image, or a folder of images.
    #[arg(value_name = "SOURCE", default_value = "camera")]
    pub source: SourceSpec,

    /// The camera's format: its size, rate and pixels, e.g. `1280x720@30:MJPG`; each part may be left out. `facelens cameras
    /// --all` lists them. By default the one that is best for faces.
    #[arg(long, value_name = "WxH@RATE:PIXELS")]
    pub camera_format: Option<CameraFormat>,

    /// The folder in which the session's folder is created; by default that of the settings, or `facelens` in your
    /// videos.
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,

    /// Stop after this many seconds: of the source's own time (an image of a folder counts as two seconds), or by the
    /// clock for a camera. By default at Ctrl-C or SIGTERM, or when the source ends.
    #[arg(long, value_name = "N", value_parser = parse_seconds)]
    pub seconds: Option<Duration>,

    /// Which videos: `both` (with the overlay and without), `annotated`, `clean`, or `none` for data only.
    #[arg(long, value_name = "WHICH", default_value = "both", value_parser = one_of(&RecordedPictures::ALL, RecordedPictures::name))]
    pub pictures: RecordedPictures,

    /// Blur the faces in the videos.
    #[arg(long)]
    pub blur: bool,

    /// Mirror the videos; the data never are.
    #[arg(long)]
    pub mirror: bool,

    /// Show the images as a camera to other programs meanwhile (Linux with the module v4l2loopback), with the overlay and,
    /// with --blur, blurred: on the first virtual camera that is free, or on the one of this number, device or name.
    #[arg(long, value_name = "DEVICE", num_args = 0..=1, default_missing_value = "")]
    pub virtual_camera: Option<CameraChoice>,

    /// Print the session's folder and its counts as JSON.
    #[arg(long)]
    pub json: bool,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// Where sessions are kept: as the user has set it, or else among the user's videos.
pub(super) fn sessions_folder(given: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    let set = || SettingsFile::of_user().and_then(|file| file.load().0.sessions_folder);
    given
        .or_else(set)
        .or_else(default_sessions_folder)
        .ok_or_else(|| usage("this user has no home folder; choose a folder with -o FOLDER"))
}

/// Records until the time is up, the source is over, or Ctrl-C.
pub(super) fn run(args: &RecordArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    let folder = sessions_folder(args.output.clone())?;
    let stop = interrupt::flag();
    let models = args.models.load(sandbox)?;
    let threads = "the system cannot start a thread; close other programs and try again";
    let recorder = Recorder::start(options(args, folder, &models), Arc::new(|| ())).context(threads)?;
    // A camera has a name of its own, which is known when it is open; of a file, no frame may be missed.
    let is_camera = matches!(args.source, SourceSpec::Camera(_));
    let first = LiveOptions {
        source: Some(args.source.clone()),
        models,
        detector: args.models.detector(),
        sink: (!is_camera).then(|| recorder.sink()),
        camera_format: args.camera_format.clone(),
        wake: Arc::new(|| ()),
    };
    let live = LiveSession::start(first).context(threads)?;
    if let Some(seconds) = args.seconds.filter(|_| !is_camera) {
        recorder.stop_after(seconds);
    }
    let outputs = args.virtual_camera.clone().map(|camera| show_on(&live, camera, args.blur)).transpose();
    let outputs = outputs.context(threads)?;
    let Some(source) = opened(&live, stop)? else { return Ok(interrupt::exit_code()) };
    recorder.set_source(&source.name, &source.format);
    if is_camera {
        live.set_sink(Some(recorder.sink()));
    }
    watch(args, &live, &recorder, outputs.as_deref(), stop);
    tell(args, &recorder.status())
}

/// Shows the images on a virtual camera from now on.
fn show_on(live: &LiveSession, camera: CameraChoice, blur: bool) -> std::io::Result<Arc<LiveOutputs>> {
    let outputs = LiveOutputs::start(OutputOptions { camera: Some(camera), ..OutputOptions::default() })?;
    outputs.set_look(PictureLook { blur, ..PictureLook::default() });
    let outputs = Arc::new(outputs);
    live.set_lasting_sink(LastingSink::Outputs, Some(Arc::clone(&outputs) as Arc<dyn AnalysisSink>));
    Ok(outputs)
}

/// Waits until the source is open; `None` where Ctrl-C was pressed before.
fn opened(live: &LiveSession, stop: &AtomicBool) -> anyhow::Result<Option<SourceInfo>> {
    while !stop.load(Ordering::SeqCst) {
        match &live.status().shown {
            SourceState::Opening => std::thread::sleep(LOOK_EVERY),
            SourceState::Failed(error) => return Err(error.clone().into()),
            SourceState::Running(info)
            | SourceState::Stalled { info, .. }
            | SourceState::Disconnected { info, .. }
            | SourceState::Ended(info) => return Ok(Some(info.clone())),
        }
    }
    Ok(None)
}

fn options(args: &RecordArgs, folder: PathBuf, models: &ModelSet) -> RecorderOptions {
    let mut info = SessionInfo::default();
    info.source.name = args.source.to_string();
    info.set_models(models);
    info.detector = args.models.detector().name().to_owned();
    RecorderOptions {
        folder,
        pictures: args.pictures,
        blur: args.blur,
        mirror: args.mirror,
        scene: Default::default(),
        info,
    }
}

/// Stops the recording when it is time, and waits until it is over: the pipeline ends it with the source.
fn watch(args: &RecordArgs, live: &LiveSession, recorder: &Recorder, outputs: Option<&LiveOutputs>, stop: &AtomicBool) {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    // A template that cannot be read would be a bar without words, no reason to stop.
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
        bar.set_style(style);
    }
    let by_clock = matches!(args.source, SourceSpec::Camera(_));
    let started_at = Instant::now();
    let (mut trouble, mut camera) = (None, None);
    loop {
        let (recording, status) = (recorder.status(), live.status());
        if recording.end().is_some() {
            break;
        }
        // Of everything else, the recorder knows the time of the frames, also of those that a slow disk drops.
        let time_is_up = by_clock && args.seconds.is_some_and(|seconds| started_at.elapsed() >= seconds);
        if stop.load(Ordering::SeqCst) || time_is_up {
            recorder.stop(SessionEnd::Stopped);
        }
        bar.set_message(progress_words(&recording));
        // What reads the source may have been asked to end, too.
        let now = trouble_words(&status).filter(|_| !stop.load(Ordering::SeqCst));
        if now.is_some() && now != trouble {
            bar.suspend(|| output::note(now.clone().unwrap_or_default()));
        }
        trouble = now;
        let now = outputs.and_then(camera_words);
        if now.is_some() && now != camera {
            bar.suspend(|| output::note(now.clone().unwrap_or_default()));
        }
        camera = now.or(camera);
        std::thread::sleep(LOOK_EVERY);
    }
    bar.finish_and_clear();
}

fn progress_words(status: &RecordingStatus) -> String {
    let secs = status.duration.as_secs();
    let free = status.free_bytes.map(|free| format!(", {} free", HumanBytes(free))).unwrap_or_default();
    let dropped = if status.dropped > 0 { format!(", {} frames dropped", status.dropped) } else { String::new() };
    format!("{}:{:02}, {}{free}{dropped}; Ctrl-C stops", secs / 60, secs % 60, HumanBytes(status.bytes))
}

/// Where the images are shown, or why they are not.
fn camera_words(outputs: &LiveOutputs) -> Option<String> {
    let OutputStatus { camera, camera_error, .. } = outputs.status();
    camera_error.or_else(|| camera.map(|camera| format!("other programs see the images as the camera {camera}")))
}

fn trouble_words(status: &Status) -> Option<String> {
    match &status.shown {
        SourceState::Stalled { info, .. } => Some(format!("no image from {}: still trying", info.name)),
        SourceState::Disconnected { info, reason } => {
            Some(format!("{} is disconnected ({reason}): waiting", info.name))
        }
        SourceState::Failed(error) => Some(error.to_string()),
        _ => status.analysis_error.clone(),
    }
}

/// Says where the session is and how it ended.
fn tell(args: &RecordArgs, status: &RecordingStatus) -> anyhow::Result<ExitCode> {
    let failed = match status.end() {
        Some(SessionEnd::Failed { error }) => Some(anyhow::anyhow!("{error}")),
        _ => None,
    };
    let mut printed = Ok(());
    if let Some(folder) = &status.folder {
        let text = if args.json {
            format!(
                "{}\n",
                serde_json::json!({
                    "folder": folder.to_string_lossy(),
                    "end": status.end(),
                    "duration_s": status.duration.as_secs_f64(),
                    "captured": status.captured,
                    "analysed": status.analysed,
                    "written": status.written,
                    "dropped": status.dropped,
                    "bytes": status.bytes,
                })
            )
        } else {
            format!("{}\n", folder.display())
        };
        printed = output::print(&text);
        if !args.json {
            output::note(format_args!(
                "{:.1} s: {} frames written, {} dropped, of {} analysed and {} captured",
                status.duration.as_secs_f64(),
                status.written,
                status.dropped,
                status.analysed,
                status.captured
            ));
        }
    }
    if let Some(warning) = &status.warning {
        output::note(warning);
    }
    match failed {
        Some(error) => Err(error),
        None if interrupt::stopped() => Ok(interrupt::exit_code()),
        None if status.written == 0 => {
            Err(anyhow::anyhow!("{}: it delivered no image, so nothing was recorded", args.source))
        }
        None => printed.map(|()| ExitCode::SUCCESS),
    }
}
