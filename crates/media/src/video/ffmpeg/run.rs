//! One run of the program `ffmpeg`: the pixels that it writes into a pipe, and what it logs of them.

use std::io::{self, Read as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, unbounded};

use super::log::{self, LogDamage, ShownSize};
use super::programs::{Programs, Version, input, quiet};

/// Pixels are shown square: the longer side of what is wider or taller than it is stored grows. Ratios that nobody films
/// with are taken for damage.
const SQUARE: &str =
    "scale=w='if(between(sar,1,8),round(iw*sar),iw)':h='if(between(sar,0.125,1),round(ih/sar),ih)',setsar=1";

/// What is to be decoded, and by which programs.
#[derive(Debug)]
pub(super) struct FfmpegInput {
    pub path: PathBuf,
    pub demuxer: &'static str,
    /// The track's number in the file; `None` leaves the choice to ffmpeg.
    pub track: Option<u32>,
    pub programs: Programs,
    pub version: Version,
}

/// Where a run begins, and how it counts times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// At the first frame. ffmpeg moves the times so that the file begins at zero and its clock never jumps.
    Start,
    /// At the first frame, with the times as they are in the file.
    OwnTimes,
    /// At the first frame that is shown so long after the file's beginning, or later; with the times as they are in the
    /// file: what ffmpeg makes of them is rounded to the container's clock, which may tick as slowly as the frames come.
    From(Duration),
}

/// A run. The program is ended when this is dropped.
pub(super) struct FfmpegRun {
    child: Child,
    pixels: ChildStdout,
    shown: Receiver<ShownSize>,
    /// Ends with what was logged.
    log: Option<JoinHandle<LogDamage>>,
}

impl FfmpegInput {
    /// Starts ffmpeg.
    ///
    /// # Errors
    /// Where the program or the thread that reads its log cannot be started.
    pub(super) fn run(&self, begin: Begin) -> io::Result<FfmpegRun> {
        let filter = log::secret_name();
        let mut child = self.command(begin, &filter).spawn()?;
        let (Some(pixels), Some(log)) = (child.stdout.take(), child.stderr.take()) else {
            return Err(io::Error::other("ffmpeg gave no output"));
        };
        let (sender, shown) = unbounded();
        let read = move || log::read(log, &filter, &sender);
        let log = Some(std::thread::Builder::new().name("ffmpeg-log".to_owned()).spawn(read)?);
        Ok(FfmpegRun { child, pixels, shown, log })
    }

    fn command(&self, begin: Begin, filter: &str) -> Command {
        let mut command = quiet(&self.programs.ffmpeg);
        command.args(["-hide_banner", "-nostdin", "-nostats", "-v", "level+info"]);
        if begin != Begin::Start {
            command.arg("-copyts");
        }
        if let Begin::From(time) = begin {
            command.args(["-ss", &format!("{}.{:06}", time.as_secs(), time.subsec_micros())]);
        }
        command.args(input(&self.path, self.demuxer));
        match self.track {
            Some(index) => command.args(["-map", &format!("0:{index}")]),
            // ffmpeg chooses among the pictures alone.
            None => command.args(["-an", "-sn", "-dn"]),
        };
        // Times in microseconds. What is said of a frame is said of the pixels that come: `showinfo` is the last filter.
        command.args(["-vf", &format!("settb=1/1000000,{SQUARE},format=rgb24,{filter}=checksum=0")]);
        if self.version.keeps_sizes() {
            command.arg("-noautoscale");
        }
        // However many frames are damaged, the others are wanted.
        command.args(self.version.every_frame()).args(["-max_error_rate", "1"]);
        command.args(["-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

impl FfmpegRun {
    /// What is said of the next frame; `None` at the end. The line about a frame is written before its pixels; the channel
    /// closes when ffmpeg ends.
    pub(super) fn shown(&self) -> Option<ShownSize> {
        self.shown.recv().ok()
    }

    /// Fills `rgb` with the pixels of the frame that was told last.
    ///
    /// # Errors
    /// Where ffmpeg ended before.
    pub(super) fn pixels(&mut self, rgb: &mut [u8]) -> io::Result<()> {
        self.pixels.read_exact(rgb)
    }

    /// Waits for the end of the program: whether it ended well, and what was wrong with the video.
    pub(super) fn finish(&mut self) -> (bool, LogDamage) {
        let ended_well = self.child.wait().is_ok_and(|status| status.success());
        (ended_well, self.log.take().and_then(|log| log.join().ok()).unwrap_or_default())
    }
}

impl Drop for FfmpegRun {
    fn drop(&mut self) {
        // An error here means that it has ended already; waiting reaps it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
