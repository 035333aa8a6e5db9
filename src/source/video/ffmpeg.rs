//! Every other container and codec through the programs `ffmpeg` and `ffprobe`, where they are on the PATH.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::unreadable;
use crate::frame::{self, Frame};
use crate::source::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

/// Reads files only: a playlist must not fetch anything.
const INPUT: [&str; 2] = ["-protocol_whitelist", "file"];

/// The programs to run.
pub(super) struct Programs {
    /// Decodes.
    pub ffmpeg: OsString,
    /// Tells the codec, the rate and the number of frames; not needed for decoding.
    pub ffprobe: OsString,
}

impl Default for Programs {
    fn default() -> Self {
        Self { ffmpeg: "ffmpeg".into(), ffprobe: "ffprobe".into() }
    }
}

/// What the filter `showinfo` says of a frame before its pixels come.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shown {
    time_secs: f64,
    width: u32,
    height: u32,
}

/// A video that `ffmpeg` decodes into a pipe. The program is ended when this is dropped.
pub(super) struct Ffmpeg {
    path: PathBuf,
    info: SourceInfo,
    child: Child,
    pixels: ChildStdout,
    shown: Receiver<Shown>,
    /// Ends with the errors that were logged.
    log: Option<JoinHandle<VecDeque<String>>>,
    first: Option<Frame>,
    first_time_secs: f64,
    last_time_secs: f64,
    frames: u64,
    over: bool,
}

impl Ffmpeg {
    /// Starts `ffmpeg` on a file and reads the first frame. `what` is what is known of the file, for messages.
    ///
    /// # Errors
    /// [`SourceErrorKind::Unsupported`] where there is no `ffmpeg`, `Unreadable` where it cannot read the file.
    pub(super) fn open(path: &Path, what: Option<&str>, programs: &Programs) -> Result<Self, SourceError> {
        let mut child = match decode_command(path, &programs.ffmpeg).spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(no_ffmpeg(path, what)),
            Err(error) => {
                let cause = format!("ffmpeg could not be started: {error}");
                return Err(SourceError::new(SourceErrorKind::Other, path.display().to_string(), cause, ""));
            }
        };
        let (Some(pixels), Some(log)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(unreadable(path, "ffmpeg gave no output", ""));
        };
        let (sender, shown) = unbounded();
        let log = std::thread::Builder::new()
            .name("ffmpeg-log".to_owned())
            .spawn(move || read_log(log, &sender))
            .map_err(|error| SourceError::from_io(path, &error))?;
        let info = SourceInfo {
            name: path.display().to_string(),
            kind: SourceKind::Video,
            size: None,
            fps: None,
            frame_count: None,
            format: what.unwrap_or("video").to_owned(),
        };
        let mut video = Self {
            path: path.to_owned(),
            info,
            child,
            pixels,
            shown,
            log: Some(log),
            first: None,
            first_time_secs: 0.0,
            last_time_secs: 0.0,
            frames: 0,
            over: false,
        };
        video.first = match video.read()? {
            Some(frame) => Some(frame),
            None => return Err(unreadable(path, "it is neither a picture nor a video that can be read", "")),
        };
        if let Some(frame) = &video.first {
            video.info.size = Some((frame.width(), frame.height()));
            video.describe(&probe(path, &programs.ffprobe).unwrap_or_default());
        }
        Ok(video)
    }

    fn describe(&mut self, probed: &Probed) {
        let (width, height) = self.info.size.unwrap_or_default();
        self.info.fps = probed.avg_frame_rate.as_deref().and_then(ratio);
        self.info.frame_count = probed.nb_frames.as_deref().and_then(|count| count.parse().ok());
        let codec = probed.codec_name.as_deref().unwrap_or(&self.info.format).to_uppercase();
        let rate = self.info.fps.map_or(String::new(), |fps| format!(" at {fps:.0} fps"));
        self.info.format = format!("{codec} {width}x{height}{rate} by ffmpeg");
    }

    /// The next frame, or `None` at the end.
    fn read(&mut self) -> Result<Option<Frame>, SourceError> {
        // The line about a frame is written before its pixels; the channel closes when ffmpeg ends.
        let Ok(shown) = self.shown.recv() else { return self.finish(false).map(|()| None) };
        Frame::check_size(shown.width, shown.height).map_err(|error| {
            self.over = true;
            unreadable(&self.path, error.to_string(), "")
        })?;
        let mut rgb = frame::buffer(shown.width as usize * shown.height as usize * 3);
        if self.pixels.read_exact(&mut rgb).is_err() {
            return self.finish(true).map(|()| None);
        }
        if self.frames == 0 {
            self.first_time_secs = shown.time_secs;
        }
        self.last_time_secs = (shown.time_secs - self.first_time_secs).max(self.last_time_secs);
        let time = Duration::try_from_secs_f64(self.last_time_secs).unwrap_or_default();
        let frame = Frame::from_rgb(shown.width, shown.height, rgb)
            .map_err(|error| unreadable(&self.path, error.to_string(), ""))?
            .at(self.frames, time);
        self.frames += 1;
        Ok(Some(frame))
    }

    /// Waits for the end of the program and says what went wrong, if anything did.
    fn finish(&mut self, cut: bool) -> Result<(), SourceError> {
        self.over = true;
        let status = self.child.wait();
        let errors = self.log.take().and_then(|log| log.join().ok()).unwrap_or_default();
        let failed = cut || !errors.is_empty() || !status.is_ok_and(|status| status.success());
        if !failed {
            return Ok(());
        }
        let words = errors.back().map_or("it ended early", String::as_str);
        Err(if self.frames == 0 {
            unreadable(
                &self.path,
                format!("it cannot be read as a video (ffmpeg: {words})"),
                "check that the file is whole",
            )
        } else {
            let secs = self.last_time_secs;
            let cause = format!("the video breaks off after {secs:.1} s (ffmpeg: {words})");
            unreadable(&self.path, cause, "what comes before is read; copy the file again")
        })
    }
}

impl Source for Ffmpeg {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        if let Some(frame) = self.first.take() {
            return Ok(Next::Frame(frame));
        }
        if self.over {
            return Ok(Next::End);
        }
        Ok(self.read()?.map_or(Next::End, Next::Frame))
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // An error here means that it has ended already; waiting reaps it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn no_ffmpeg(path: &Path, what: Option<&str>) -> SourceError {
    let subject = path.display().to_string();
    match what {
        Some(what) => SourceError::new(
            SourceErrorKind::Unsupported,
            subject,
            format!("{what} is not built in, and there is no ffmpeg on the PATH"),
            "install ffmpeg, or convert the video to MP4 with H.264",
        ),
        None => unreadable(path, "it is neither a picture nor a video that is known here", ""),
    }
}

fn quiet(program: &OsString) -> Command {
    #[allow(unused_mut, reason = "only Windows changes it")]
    let mut command = Command::new(program);
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt as _;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
    }
    command
}

/// `file:` keeps a name from being taken for an option or an address.
fn input(path: &Path) -> OsString {
    let mut input = OsString::from("file:");
    input.push(path);
    input
}

fn decode_command(path: &Path, ffmpeg: &OsString) -> Command {
    let mut command = quiet(ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-nostats", "-v", "level+info"]).args(INPUT);
    command.arg("-i").arg(input(path)).args(["-map", "0:v:0", "-vf", "showinfo=checksum=0"]);
    // Each decoded frame once, with its own time; known to every version since 2012.
    command.args(["-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Passes on what `showinfo` says and keeps the last errors.
fn read_log(log: impl Read, sender: &Sender<Shown>) -> VecDeque<String> {
    let mut errors = VecDeque::new();
    for line in BufReader::new(log).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(shown) = shown_in(&line) {
            // The receiver is gone when the video is closed early; ffmpeg is ended then.
            let _ = sender.send(shown);
        } else if let Some((_, words)) = line.split_once("[error] ").or_else(|| line.split_once("[fatal] ")) {
            errors.push_back(words.trim().to_owned());
            if errors.len() > 4 {
                errors.pop_front();
            }
        }
    }
    errors
}

/// `[Parsed_showinfo_0 @ 0x5] [info] n:   0 pts:      0 pts_time:0.04    ... s:320x240 i:P iskey:1 ...`
fn shown_in(line: &str) -> Option<Shown> {
    let (_, fields) = line.split_once("showinfo")?.1.split_once("n:")?;
    let field = |name: &str| fields.split_once(name)?.1.split_whitespace().next();
    let (width, height) = field(" s:")?.split_once('x')?;
    Some(Shown {
        time_secs: field("pts_time:")?.parse().unwrap_or(0.0),
        width: width.parse().ok()?,
        height: height.parse().ok()?,
    })
}

/// A stream as `ffprobe -of json` tells it.
#[derive(Debug, Default, serde::Deserialize)]
struct Probed {
    codec_name: Option<String>,
    avg_frame_rate: Option<String>,
    nb_frames: Option<String>,
}

fn probe(path: &Path, ffprobe: &OsString) -> Option<Probed> {
    #[derive(serde::Deserialize)]
    struct Streams {
        streams: Vec<Probed>,
    }
    let mut command = quiet(ffprobe);
    command.args(["-v", "quiet"]).args(INPUT).args(["-select_streams", "v:0", "-of", "json", "-show_entries"]);
    command.arg("stream=codec_name,avg_frame_rate,nb_frames").arg("-i").arg(input(path)).stdin(Stdio::null());
    let output = command.output().ok()?;
    serde_json::from_slice::<Streams>(&output.stdout).ok()?.streams.into_iter().next()
}

/// `30000/1001` as a number.
fn ratio(text: &str) -> Option<f32> {
    let (over, under) = text.split_once('/')?;
    let value = over.parse::<f32>().ok()? / under.parse::<f32>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn showinfo_lines_are_read_and_others_passed_over() {
        let line = "[Parsed_showinfo_0 @ 0x55d4] [info] n:   3 pts:  12800 pts_time:0.833333 pos:  1234 fmt:rgb24 sar:1/1 \
                    s:320x240 i:P iskey:1 type:I";
        assert_eq!(shown_in(line), Some(Shown { time_secs: 0.833_333, width: 320, height: 240 }));
        assert_eq!(
            shown_in("[Parsed_showinfo_0 @ 0x55d4] [info] config in time_base: 1/15360, frame_rate: 30/1"),
            None
        );
        assert_eq!(shown_in("[info] Stream #0:0: Video: vp9, 320x240"), None);
    }

    #[test]
    fn rates_are_ratios() {
        assert_eq!(ratio("30/1"), Some(30.0));
        assert!((ratio("30000/1001").unwrap() - 29.97).abs() < 0.001);
        assert_eq!((ratio("0/0"), ratio("x")), (None, None));
    }

    #[test]
    fn without_ffmpeg_the_error_names_the_codec_and_the_remedy() {
        let programs = Programs { ffmpeg: "/nowhere/ffmpeg".into(), ffprobe: "/nowhere/ffprobe".into() };
        let Err(error) = Ffmpeg::open(Path::new("a.webm"), Some("VP9"), &programs) else { panic!("opened") };
        assert_eq!(error.kind, SourceErrorKind::Unsupported);
        assert!(error.to_string().contains("VP9") && error.to_string().contains("install ffmpeg"), "{error}");
        let Err(error) = Ffmpeg::open(Path::new("a.bin"), None, &programs) else { panic!("opened") };
        assert_eq!(error.kind, SourceErrorKind::Unreadable);
    }
}
