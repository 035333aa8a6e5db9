//! Every other container and codec through the programs `ffmpeg` and `ffprobe`, where they are on the PATH.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use self::log::{LogDamage, ShownSize};
use self::probe::Probed;
pub(crate) use self::programs::Programs;
use facelens_core::frame::{self, Frame};

use self::programs::{Version, input, quiet};
use super::container::Container;
use super::unreadable;
use crate::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

mod log;
mod probe;
mod programs;

/// Pixels are shown square: the longer side of what is wider or taller than it is stored grows. Ratios that nobody films
/// with are taken for damage.
const SQUARE: &str =
    "scale=w='if(between(sar,1,8),round(iw*sar),iw)':h='if(between(sar,0.125,1),round(ih/sar),ih)',setsar=1";

/// A video that `ffmpeg` decodes into a pipe. The program is ended when this is dropped.
pub(super) struct Ffmpeg {
    path: PathBuf,
    info: SourceInfo,
    duration_secs: Option<f64>,
    /// Later frames have the size that they have, not the first one's.
    keeps_sizes: bool,
    child: Child,
    pixels: ChildStdout,
    shown: Receiver<ShownSize>,
    /// Ends with what was logged.
    log: Option<JoinHandle<LogDamage>>,
    first: Option<Frame>,
    /// Frames before this one are not given out.
    wanted_from: u64,
    first_time_us: Option<i64>,
    last_time: Duration,
    frames: u64,
    over: bool,
}

impl Ffmpeg {
    /// Starts `ffmpeg` on a file and reads the first frame. `what` says what is in the container, where that is known.
    ///
    /// # Errors
    /// [`SourceErrorKind::Unsupported`] where there is no `ffmpeg`, `Unreadable` where it cannot read the file.
    pub(super) fn open(
        path: &Path,
        container: Container,
        what: Option<&str>,
        programs: &Programs,
    ) -> Result<Self, SourceError> {
        let what = what.unwrap_or(container.name);
        let cannot_start = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => no_ffmpeg(path, what),
            _ => {
                let cause = format!("ffmpeg could not be started: {error}");
                SourceError::new(SourceErrorKind::Other, path.display().to_string(), cause, "")
            }
        };
        let version = programs.version().map_err(cannot_start)?;
        let probed = probe::probe(path, container.demuxer, programs);
        let filter = log::secret_name();
        let mut command = decode_command(path, container, &probed, &filter, programs, version);
        let mut child = command.spawn().map_err(cannot_start)?;
        let (Some(pixels), Some(log)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(unreadable(path, "ffmpeg gave no output", ""));
        };
        let (sender, shown) = unbounded();
        let log = std::thread::Builder::new()
            .name("ffmpeg-log".to_owned())
            .spawn(move || log::read(log, &filter, &sender))
            .map_err(|error| SourceError::from_io(path, &error))?;
        let info = SourceInfo {
            name: path.display().to_string(),
            kind: SourceKind::Video,
            size: None,
            fps: probed.fps,
            frame_count: probed.frames,
            // The way back to a frame would be another ffmpeg.
            duration: None,
            format: what.to_owned(),
        };
        let mut video = Self {
            path: path.to_owned(),
            info,
            duration_secs: probed.duration_secs,
            keeps_sizes: version.keeps_sizes(),
            child,
            pixels,
            shown,
            log: Some(log),
            first: None,
            wanted_from: 0,
            first_time_us: None,
            last_time: Duration::ZERO,
            frames: 0,
            over: false,
        };
        match video.read()? {
            Next::Frame(frame) => {
                let (width, height) = (frame.width(), frame.height());
                let codec = probed.codec.as_deref().unwrap_or(what).to_uppercase();
                let rate = probed.fps.map_or(String::new(), |fps| format!(" at {fps:.0} fps"));
                video.info.size = Some((width, height));
                video.info.format = format!("{codec} {width}x{height}{rate} by ffmpeg");
                video.first = Some(frame);
            }
            _ => return Err(unreadable(path, "it contains no frame that can be read", "check that the file is whole")),
        }
        Ok(video)
    }

    /// Gives out nothing before this frame.
    pub(super) fn skip_to(&mut self, number: u64) {
        self.wanted_from = number;
        self.first = self.first.take().filter(|frame| frame.sequence >= number);
    }

    /// The next frame, or the end.
    fn read(&mut self) -> Result<Next, SourceError> {
        // The line about a frame is written before its pixels; the channel closes when ffmpeg ends.
        let Ok(mut shown) = self.shown.recv() else { return self.finish(false) };
        if let (false, Some((width, height))) = (self.keeps_sizes, self.info.size) {
            (shown.width, shown.height) = (width, height);
        }
        Frame::check_size(shown.width, shown.height).map_err(|error| {
            self.over = true;
            unreadable(&self.path, error.to_string(), "")
        })?;
        let mut rgb = frame::buffer(shown.width as usize * shown.height as usize * 3);
        if self.pixels.read_exact(&mut rgb).is_err() {
            return self.finish(true);
        }
        if let Some(time_us) = shown.time_us {
            let since_first = time_us.saturating_sub(*self.first_time_us.get_or_insert(time_us));
            self.last_time = self.last_time.max(Duration::from_micros(since_first.max(0).cast_unsigned()));
        }
        let frame = Frame::from_rgb(shown.width, shown.height, rgb)
            .map_err(|error| unreadable(&self.path, error.to_string(), ""))?
            .at(self.frames, self.last_time);
        self.frames += 1;
        Ok(Next::Frame(frame))
    }

    /// Waits for the end of the program and says what went wrong, if anything did. A damaged picture that was read all
    /// the same is told; frames that are missing are an error.
    fn finish(&mut self, cut: bool) -> Result<Next, SourceError> {
        self.over = true;
        let ended_well = self.child.wait().is_ok_and(|status| status.success());
        let damage = self.log.take().and_then(|log| log.join().ok()).unwrap_or_default();
        let failed = cut || !ended_well;
        if !failed && damage.places == 0 {
            return Ok(Next::End);
        }
        let last = if damage.last.is_empty() { "it ended early" } else { &damage.last };
        if self.frames == 0 {
            let cause = format!("it cannot be read as a video (ffmpeg: {last})");
            return Err(unreadable(&self.path, cause, "check that the file is whole"));
        }
        let remedy = "the readable part is used; copy the file again";
        if failed || damage.tells_of_an_end() || self.lasts_longer() {
            let secs = self.last_time.as_secs_f64();
            return Err(unreadable(
                &self.path,
                format!("the video is cut off after {secs:.1} s (ffmpeg: {last})"),
                remedy,
            ));
        }
        if let Some(count) = self.info.frame_count.filter(|&count| count > self.frames) {
            let missing = count - self.frames;
            let cause = format!("{missing} of its {count} frames cannot be read (ffmpeg: {})", damage.first);
            return Err(unreadable(&self.path, cause, remedy));
        }
        let places = if damage.places == 1 { "one place".to_owned() } else { format!("{} places", damage.places) };
        let cause = format!("the video is damaged in {places} (ffmpeg: {})", damage.first);
        let remedy = format!("all {} frames were read, but those there may be corrupted", self.frames);
        Ok(Next::Damaged(unreadable(&self.path, cause, &remedy)))
    }

    /// Whether the file says that the video goes on well after the last frame that came.
    fn lasts_longer(&self) -> bool {
        // Sound may be a little longer, and the last frame stands for a while.
        let frame_secs = self.info.fps.map_or(0.0, |fps| 1.0 / f64::from(fps));
        let end_secs = self.last_time.as_secs_f64() + frame_secs.max(0.5) * 2.0;
        self.duration_secs.is_some_and(|duration_secs| duration_secs > end_secs)
    }
}

impl Source for Ffmpeg {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        match self.first.take() {
            Some(frame) => Ok(Next::Frame(frame)),
            None if self.over => Ok(Next::End),
            None => loop {
                match self.read()? {
                    Next::Frame(frame) if frame.sequence < self.wanted_from => {}
                    next => return Ok(next),
                }
            },
        }
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // An error here means that it has ended already; waiting reaps it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn no_ffmpeg(path: &Path, what: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Unsupported,
        path.display().to_string(),
        format!("{what} is not supported without ffmpeg, and there is no ffmpeg on the PATH"),
        "install ffmpeg, or convert the video to MP4 with H.264",
    )
}

fn decode_command(
    path: &Path,
    container: Container,
    probed: &Probed,
    filter: &str,
    programs: &Programs,
    version: Version,
) -> Command {
    let mut command = quiet(&programs.ffmpeg);
    command.args(["-hide_banner", "-nostdin", "-nostats", "-v", "level+info"]);
    command.args(input(path, container.demuxer));
    match probed.index {
        Some(index) => command.args(["-map", &format!("0:{index}")]),
        // ffmpeg chooses among the pictures alone.
        None => command.args(["-an", "-sn", "-dn"]),
    };
    // Times in microseconds. What is said of a frame is said of the pixels that come: `showinfo` is the last filter.
    command.args(["-vf", &format!("settb=1/1000000,{SQUARE},format=rgb24,{filter}=checksum=0")]);
    if version.keeps_sizes() {
        command.arg("-noautoscale");
    }
    // However many frames are damaged, the others are wanted.
    command.args(version.every_frame()).args(["-max_error_rate", "1"]);
    command.args(["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Whether a log tells of a frame: for the fuzz tests.
pub(super) fn reads_log(log: &[u8], filter: &str) -> bool {
    let (sender, shown) = unbounded();
    log::read(log, filter, &sender);
    shown.try_recv().is_ok()
}

/// Whether ffprobe tells of a video: for the fuzz tests.
pub(super) fn reads_probe(json: &[u8]) -> bool {
    probe::read(json, true).is_some()
}

#[cfg(test)]
mod tests;
