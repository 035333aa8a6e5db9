//! Names of files in a session's folder, which come from `session.json` and are not believed.

use super::info::{INFO_FILE, SessionInfo};
use super::recording::LOCK_FILE;

/// What recovery appends to the name of a file that it shortens, for the copy of what stood in it.
pub(super) const COPY_SUFFIX: &str = ".before-recovery";

/// Names that stand for devices on Windows, with any ending.
const DEVICES: [&str; 7] = ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"];

/// Whether `name` is a plain name of a file for the data or a video of a session: no path on any system, no device, and
/// none of the names that facelens uses itself.
pub(super) fn is_own_name(name: &str) -> bool {
    let lower = name.to_lowercase();
    let taken = [INFO_FILE, LOCK_FILE].iter().any(|taken| lower.starts_with(taken))
        || lower.ends_with(".part")
        || lower.contains(COPY_SUFFIX);
    is_plain(&lower) && !taken
}

/// Whether `name` can be that of a file or folder on every system: no path and no device.
pub(super) fn is_plain_name(name: &str) -> bool {
    is_plain(&name.to_lowercase())
}

fn is_plain(lower: &str) -> bool {
    // Windows drops a point or a space at a name's end, and `:` begins a stream or follows a drive.
    let fits = !matches!(lower, "" | "." | "..")
        && lower.len() <= 255
        && !lower.ends_with(['.', ' '])
        && !lower.contains(['/', '\\', ':', '<', '>', '"', '|', '?', '*'])
        && !lower.contains(char::is_control);
    let stem = lower.split('.').next().unwrap_or_default().trim_end();
    let numbered = ["com", "lpt"].iter().any(|device| {
        stem.strip_prefix(device).is_some_and(|number| matches!(number, "¹" | "²" | "³") || is_digit(number))
    });
    fits && !numbered && !DEVICES.contains(&stem)
}

fn is_digit(text: &str) -> bool {
    text.len() == 1 && text.chars().all(|c| c.is_ascii_digit())
}

/// What is wrong with the names in `session.json`, or `None` where each is a file of its own in the folder.
pub(super) fn name_problem(info: &SessionInfo) -> Option<String> {
    let data = std::iter::once(("data", &info.data)).chain(info.gait.iter().map(|gait| ("gait", gait)));
    let names = data.chain(info.videos.iter().map(|video| ("videos", &video.file)));
    let mut seen: Vec<String> = Vec::new();
    for (key, name) in names {
        if !is_own_name(name) {
            return Some(format!("`{key}` names {name:?}, which is not a file of a session"));
        }
        // On some systems, names that differ in capital letters alone are one file.
        let lower = name.to_lowercase();
        if seen.contains(&lower) {
            return Some(format!("it names {name:?} twice"));
        }
        seen.push(lower);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SessionVideo;

    #[test]
    fn only_files_in_the_folder_that_are_nothing_else_are_own() {
        for name in ["faces.csv", "a b.mp4", "Gesichter.CSV", "com.csv", "console.mp4", "..a", "com10.csv"] {
            assert!(is_own_name(name), "{name}");
        }
        for name in [
            "",
            ".",
            "..",
            "../faces.csv",
            "/etc/passwd",
            "a/b.csv",
            "faces.csv/",
            "..\\..\\victim.txt",
            "C:\\victim.txt",
            "C:victim.txt",
            "\\\\server\\share",
            "faces.csv:stream",
            "NUL",
            "nul.csv",
            "con .csv",
            "COM1.csv",
            "lpt³",
            "faces.csv.",
            "faces.csv ",
            "a\nb",
            "a\0b",
            "session.json",
            "Session.JSON",
            "session.json.part",
            "recording.lock",
            "x.part",
            "faces.csv.before-recovery",
        ] {
            assert!(!is_own_name(name), "{name}");
        }
        assert!(!is_own_name(&"a".repeat(256)));
    }

    #[test]
    fn each_file_is_named_once() {
        let video = |file: &str| SessionVideo { file: file.to_owned(), ..SessionVideo::default() };
        let problem = |data: &str, videos: &[&str]| {
            let videos = videos.iter().map(|file| video(file)).collect();
            name_problem(&SessionInfo { data: data.to_owned(), videos, ..SessionInfo::default() })
        };
        assert_eq!(problem("faces.csv", &["video.mp4", "clean.mp4"]), None);
        for (data, videos) in [
            ("faces.csv", &["video.mp4", "Video.MP4"][..]),
            ("video.mp4", &["video.mp4"]),
            ("faces.csv", &["../other.mp4"]),
            ("session.json", &[]),
        ] {
            assert!(problem(data, videos).is_some(), "{data} {videos:?}");
        }
    }
}
