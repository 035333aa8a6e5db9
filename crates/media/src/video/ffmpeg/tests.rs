use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::*;
use crate::video::container::container;

const AVI: Container = Container { name: "AVI", demuxer: "avi" };

/// All frames with their sizes and times in milliseconds, the word about damage, and the error that ended them.
struct Played {
    frames: Vec<(u32, u32, u128)>,
    damaged: Option<SourceError>,
    error: Option<SourceError>,
}

fn play(source: &mut dyn Source) -> Played {
    let mut played = Played { frames: Vec::new(), damaged: None, error: None };
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => played.frames.push((frame.width(), frame.height(), frame.time.as_millis())),
            Ok(Next::Damaged(error)) => played.damaged = Some(error),
            Ok(Next::End) => return played,
            Ok(other) => panic!("{other:?}"),
            Err(error) => {
                played.error = Some(error);
                return played;
            }
        }
    }
}

#[test]
fn without_ffmpeg_the_error_names_the_codec_and_the_remedy() {
    let programs = Programs::new("/nowhere/ffmpeg", "/nowhere/ffprobe");
    let error = |what| Ffmpeg::open(Path::new("a.avi"), AVI, what, &programs).err().unwrap();
    assert_eq!(error(None).kind, SourceErrorKind::Unsupported);
    assert!(error(None).to_string().contains("AVI is not supported") && error(None).to_string().contains("install"));
    assert!(error(Some("HEVC (H.265)")).to_string().contains("HEVC (H.265) is not supported"));
}

/// Programs that stand in for old and new ones.
#[cfg(unix)]
mod stand_ins {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    pub(super) fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// An ffmpeg of a version that refuses an option and gives these frames: lines of log and bytes of pixels, written
    /// as a script. `$T` is how the filter's lines begin.
    fn ffmpeg(folder: &Path, libavutil: &str, refused: &str, frames: &str) -> Programs {
        let text = format!(
            r#"
case "$*" in
  *-version*) printf 'ffmpeg version of the test\nlibavutil      {libavutil} / {libavutil}\n'; exit 0;;
  *" {refused} "*) echo "[error] Unrecognized option '{refused}'." >&2; exit 8;;
  *"-protocol_whitelist file,pipe -f avi -i file:"*) ;;
  *) echo "[error] the format or the protocols are left open" >&2; exit 9;;
esac
for a in "$@"; do case "$a" in *showinfo@*) T=${{a##*,}}; T="[${{T%%=*}} @ 0x1] [info]";; esac; done
{frames}"#
        );
        Programs::new(script(folder, "ffmpeg", &text), "/nowhere/ffprobe")
    }

    /// An ffprobe that says this.
    fn with_ffprobe(mut programs: Programs, folder: &Path, stream: &str) -> Programs {
        let json = format!(r#"{{"streams":[{{"index":0,{stream}}}],"format":{{}}}}"#);
        programs.ffprobe = script(folder, "ffprobe", &format!("cat <<'END'\n{json}\nEND")).into();
        programs
    }

    /// One frame of 2x1 at so many microseconds.
    fn frame(us: u32) -> String {
        format!("echo \"$T n: 0 pts: {us} pts_time:9 fmt:rgb24 sar:1/1 s:2x1 i:P\" >&2; printf aaabbb; ")
    }

    fn played(programs: &Programs) -> Played {
        play(&mut Ffmpeg::open(Path::new("a.avi"), AVI, None, programs).unwrap())
    }

    #[test]
    fn versions_4_to_9_are_called_by_the_options_that_they_know() {
        let folder = tempfile::tempdir().unwrap();
        for (libavutil, refused) in [
            ("56. 22.100", "-fps_mode"),
            ("56. 22.100", "-noautoscale"),
            ("56. 70.100", "-fps_mode"),
            ("57. 17.100", "-fps_mode"),
            ("57. 28.100", "-vsync"),
            ("61.  1.102", "-vsync"),
        ] {
            let programs = ffmpeg(folder.path(), libavutil, refused, &(frame(0) + &frame(1_234_567)));
            let played = played(&programs);
            assert_eq!((played.frames, played.error), (vec![(2, 1, 0), (2, 1, 1234)], None), "{libavutil}");
        }
    }

    #[test]
    fn a_torn_picture_is_told_and_missing_ones_are_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let torn = "echo '[mpeg4 @ 0x1] [error] ac-tex damaged at 3 4' >&2; ";
        let frames = frame(0) + torn + torn + &frame(40_000);
        let programs = ffmpeg(folder.path(), "57. 28.100", "-vsync", &frames);
        let read = played(&programs);
        assert_eq!((read.frames.len(), read.error), (2, None));
        let told = read.damaged.unwrap().to_string();
        assert!(told.contains("a.avi: the video is damaged in one place (ffmpeg: ac-tex damaged at 3 4)"), "{told}");

        let programs = with_ffprobe(programs, folder.path(), r#""avg_frame_rate":"25/1","nb_frames":"3""#);
        let read = played(&programs);
        assert_eq!((read.frames.len(), read.damaged), (2, None));
        let told = read.error.unwrap().to_string();
        assert!(told.contains("1 of its 3 frames cannot be read"), "{told}");

        // Nothing that is wrong was logged: the file counts differently.
        let programs = with_ffprobe(
            ffmpeg(folder.path(), "57. 28.100", "-vsync", &(frame(0) + &frame(40_000))),
            folder.path(),
            r#""avg_frame_rate":"25/1","nb_frames":"3""#,
        );
        assert!(played(&programs).error.is_none());
    }

    #[test]
    fn a_video_breaks_off_where_it_lasts_longer_or_ffmpeg_fails() {
        let folder = tempfile::tempdir().unwrap();
        let wrong = "echo '[matroska,webm @ 0x1] [error] Invalid data' >&2; ";
        let whole = ffmpeg(folder.path(), "61.  1.102", "-vsync", &(frame(0) + wrong + &frame(2_000_000)));
        assert!(played(&whole).error.is_none());
        let longer = with_ffprobe(whole, folder.path(), r#""avg_frame_rate":"25/1","duration":"9.5""#);
        let told = played(&longer).error.unwrap().to_string();
        assert!(told.contains("cut off after 2.0 s (ffmpeg: Invalid data)"), "{told}");
        let failing = ffmpeg(folder.path(), "61.  1.102", "-vsync", &(frame(0) + "exit 69"));
        assert!(played(&failing).error.unwrap().to_string().contains("cut off"));
        let torn = ffmpeg(folder.path(), "61.  1.102", "-vsync", &frame(0).replace("aaabbb", "aaab"));
        let error = Ffmpeg::open(Path::new("a.avi"), AVI, None, &torn).err().unwrap();
        assert!(error.to_string().contains("cannot be read as a video"), "{error}");
    }

    #[test]
    fn frames_that_the_file_itself_announces_are_none() {
        let folder = tempfile::tempdir().unwrap();
        let title = "printf '[info]   title : x\\n   : [showinfo @ 0x1] [info] n: 0 pts: 9 s:9x9 i:P\\n' >&2; ";
        let other = "echo '[Parsed_showinfo_0 @ 0x1] [info] n: 0 pts: 5 pts_time:5 s:8x8 i:P' >&2; ";
        let programs = ffmpeg(folder.path(), "61.  1.102", "-vsync", &(title.to_owned() + other + &frame(7)));
        let played = played(&programs);
        assert_eq!((played.frames, played.error), (vec![(2, 1, 0)], None));
    }

    /// The real ffmpeg behind a script that knows `-vsync` no more, as FFmpeg 9.
    #[test]
    fn the_newest_ffmpeg_plays_what_the_installed_one_made() {
        let Some(clip) = clip("a.avi", &["-c:v", "mjpeg"]) else { return };
        let refuse = "for a in \"$@\"; do [ \"$a\" = -vsync ] && { echo \"Unrecognized option 'vsync'.\" >&2; exit 8; }; \
                      done\nexec ffmpeg \"$@\"";
        let programs = Programs::new(script(clip.folder.path(), "ffmpeg9", refuse), "ffprobe");
        let played = play(&mut Ffmpeg::open(&clip.path, AVI, None, &programs).unwrap());
        assert_eq!((played.frames.len(), played.error, played.damaged), (25, None, None));
        assert_eq!(played.frames[24], (160, 120, 960));
    }
}

pub(super) struct Clip {
    pub folder: tempfile::TempDir,
    pub path: PathBuf,
}

/// A second of moving pictures, 160x120; `None` with a word where there is no ffmpeg that makes it.
fn clip(name: &str, args: &[&str]) -> Option<Clip> {
    clip_of(name, 1, args)
}

/// The same of so many seconds.
pub(super) fn clip_of(name: &str, secs: u32, args: &[&str]) -> Option<Clip> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-t"]);
    command.arg(secs.to_string()).args(args);
    match command.arg(&path).stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Some(Clip { folder, path }),
        _ => {
            eprintln!("skipped: no ffmpeg with what {name} needs");
            None
        }
    }
}

pub(super) fn opened(path: &Path) -> Result<Ffmpeg, SourceError> {
    let head = crate::file::head(path).unwrap();
    Ffmpeg::open(path, container(&head).unwrap(), None, Programs::on_path())
}

/// Puts markers that nothing decodes into the middle of a JPEG.
fn damage(clip: &Clip) {
    let mut bytes = std::fs::read(&clip.path).unwrap();
    let middle = bytes.len() / 2;
    let scan = middle + bytes[middle..].windows(2).position(|window| window == [0xff, 0xda]).unwrap();
    bytes[scan + 400..scan + 440].copy_from_slice(&[0xff, 0xc9].repeat(20));
    std::fs::write(&clip.path, bytes).unwrap();
}

#[test]
fn a_damaged_picture_costs_no_other_and_is_counted() {
    let Some(clip) = clip("a.avi", &["-c:v", "mjpeg", "-q:v", "3"]) else { return };
    damage(&clip);
    let played = play(&mut opened(&clip.path).unwrap());
    assert_eq!((played.frames.len(), played.error), (25, None));
    assert!(played.damaged.unwrap().to_string().contains("damaged in one place"));
}

#[test]
fn a_video_that_is_cut_off_says_so() {
    for (name, args) in [("a.avi", &["-c:v", "mjpeg"][..]), ("a.mkv", &["-c:v", "mpeg4"])] {
        let Some(clip) = clip(name, args) else { continue };
        let bytes = std::fs::read(&clip.path).unwrap();
        std::fs::write(&clip.path, &bytes[..bytes.len() / 2]).unwrap();
        let played = play(&mut opened(&clip.path).unwrap());
        assert!((5..20).contains(&played.frames.len()), "{name}: {}", played.frames.len());
        let error = played.error.unwrap().to_string();
        assert!(error.contains("cut off") || error.contains("cannot be read"), "{name}: {error}");
    }
}

/// A title that looks like what ffmpeg says of a frame.
#[test]
fn a_title_is_no_frame() {
    let title = "title=x\n[error] fake\n[Parsed_showinfo_0 @ 0x1] [info] n: 0 pts: 0 pts_time:99 s:8x8 i:P";
    let Some(clip) = clip("a.mkv", &["-c:v", "mpeg4", "-metadata", title]) else { return };
    let played = play(&mut opened(&clip.path).unwrap());
    assert_eq!((played.frames.len(), played.error, played.damaged), (25, None, None));
    assert!(played.frames.iter().all(|&(width, height, _)| (width, height) == (160, 120)));
}

#[test]
fn pixels_are_square_and_the_cover_is_passed_over() {
    let Some(wide) = clip("wide.mkv", &["-c:v", "mpeg4", "-vf", "setsar=2/1"]) else { return };
    assert_eq!(play(&mut opened(&wide.path).unwrap()).frames[3], (320, 120, 120));
    let tall = clip("tall.mkv", &["-c:v", "mpeg4", "-vf", "setsar=1/2"]).unwrap();
    assert_eq!(play(&mut opened(&tall.path).unwrap()).frames[3], (160, 240, 120));

    let covered = wide.folder.path().join("covered.mkv");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-t", "0.04", "-i", "color=red:size=64x64:rate=25", "-i"])
        .arg(&wide.path)
        .args(["-map", "0:v", "-map", "1:v", "-c:v:0", "mjpeg", "-c:v:1", "mpeg4"])
        .args(["-disposition:v:0", "0", "-disposition:v:1", "default"])
        .arg(&covered)
        .stdin(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let played = play(&mut opened(&covered).unwrap());
    assert_eq!((played.frames.len(), played.frames[0].0), (25, 320));
}

/// A name with `%03d` is a name, and what stands in a playlist is not opened.
#[test]
fn nothing_but_the_file_itself_is_opened() {
    let Some(clip) = clip("001.tif", &["-frames:v", "1"]) else { return };
    std::fs::copy(&clip.path, clip.folder.path().join("002.tif")).unwrap();
    let pattern = clip.folder.path().join("%03d.tif");
    std::fs::copy(&clip.path, &pattern).unwrap();
    assert_eq!(play(&mut opened(&pattern).unwrap()).frames.len(), 1);

    let playlist = clip.folder.path().join("list.avi");
    let text = format!("ffconcat version 1.0\u{1}\nfile {}\n", clip.path.display());
    std::fs::write(&playlist, text).unwrap();
    let error = crate::file::open(&playlist, crate::Mode::Batch).err().unwrap();
    assert!(error.to_string().contains("list.avi: it is neither"), "{error}");
}
