//! The programs `ffmpeg` and `ffprobe` themselves: where they are, how old they are, how they are called.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{LazyLock, OnceLock};

/// The programs to run.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    /// Decodes.
    pub ffmpeg: OsString,
    /// Tells the codec, the rate and the number of frames; not needed for decoding.
    pub ffprobe: OsString,
    version: OnceLock<Version>,
}

/// The version of libavutil, which also builds between releases have: major and minor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version(u32, u32);

impl Version {
    /// FFmpeg 5.1, which brought `-fps_mode`. FFmpeg 9 has no `-vsync` any more.
    const FPS_MODE: Self = Self(57, 28);
    /// FFmpeg 4.4, which brought `-autoscale`.
    const AUTOSCALE: Self = Self(56, 70);
    /// What is taken where ffmpeg does not say.
    const NEW: Self = Self(u32::MAX, 0);

    /// `libavutil      57. 28.100 / 57. 28.100` in what `ffmpeg -version` says.
    fn read(said: &str) -> Option<Self> {
        let line = said.lines().find_map(|line| line.trim_start().strip_prefix("libavutil"))?;
        let mut numbers = line.split('.').map(|number| number.trim().parse());
        Some(Self(numbers.next()?.ok()?, numbers.next()?.ok()?))
    }

    /// Each decoded frame once, with its own time.
    pub(super) fn every_frame(self) -> [&'static str; 2] {
        [if self >= Self::FPS_MODE { "-fps_mode" } else { "-vsync" }, "passthrough"]
    }

    /// Whether a frame of another size than the first can be had as it is. Before, it is scaled to the first one's.
    pub(super) fn keeps_sizes(self) -> bool {
        self >= Self::AUTOSCALE
    }
}

impl Programs {
    /// These programs.
    pub(crate) fn new(ffmpeg: impl Into<OsString>, ffprobe: impl Into<OsString>) -> Self {
        Self { ffmpeg: ffmpeg.into(), ffprobe: ffprobe.into(), version: OnceLock::new() }
    }

    /// Those on the PATH.
    pub(crate) fn on_path() -> &'static Self {
        static ON_PATH: LazyLock<Programs> = LazyLock::new(|| Programs::new("ffmpeg", "ffprobe"));
        &ON_PATH
    }

    /// Asks ffmpeg for its version, once.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn version(&self) -> io::Result<Version> {
        if let Some(version) = self.version.get() {
            return Ok(*version);
        }
        let output = quiet(&self.ffmpeg).arg("-version").stdin(Stdio::null()).output()?;
        let version = Version::read(&String::from_utf8_lossy(&output.stdout)).unwrap_or(Version::NEW);
        Ok(*self.version.get_or_init(|| version))
    }
}

/// A program without a window of its own.
pub(super) fn quiet(program: &OsStr) -> Command {
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

/// The options that name an input: its format is not guessed, and nothing but files is opened, whatever is in it.
pub(super) fn input(path: &Path, demuxer: &str) -> Vec<OsString> {
    // `file:` keeps a name from being taken for an option or an address.
    let mut file = OsString::from("file:");
    file.push(path);
    let options = ["-protocol_whitelist", "file,pipe", "-f", demuxer, "-i"].map(OsString::from);
    options.into_iter().chain([file]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_new_versions_are_asked_in_their_own_words() {
        let version =
            |numbers: &str| Version::read(&format!("ffmpeg version N-1-g0\nlibavutil      {numbers}\n")).unwrap();
        let (old, middle, new) = (
            version("56. 22.100 / 56. 22.100"),
            version("57. 17.100 / 57. 17.100"),
            version("57. 28.100 / 57. 28.100"),
        );
        assert_eq!([old, middle, new].map(|version| version.every_frame()[0]), ["-vsync", "-vsync", "-fps_mode"]);
        assert_eq!([old, middle, new].map(Version::keeps_sizes), [false, true, true]);
        assert_eq!(version("61.  1.102 / 61.  1.102"), Version(61, 1));
        assert_eq!(Version::read("bash: ffmpeg: no libavutil"), None);
    }
}
