//! Videos read back by other libraries than those that wrote them.

use std::path::Path;
use std::process::Command;

/// Number of pictures and the end of the last one in seconds; `None` where there is no file or no whole fragment.
pub fn length(file: &Path) -> Option<(usize, f64)> {
    let video = re_mp4::Mp4::read_bytes(&std::fs::read(file).ok()?).ok()?;
    let track = video.tracks().values().next()?;
    let last = track.samples.last()?;
    Some((track.samples.len(), (last.composition_timestamp as f64 + last.duration as f64) / track.timescale as f64))
}

/// Has ffprobe decode every picture and checks that it finds nothing wrong; nothing where it is not installed.
pub fn probe(file: &Path, frames: usize) {
    let entries = ["-v", "error", "-count_frames", "-of", "csv=p=0", "-show_entries", "stream=nb_read_frames"];
    let Ok(output) = Command::new("ffprobe").args(entries).arg(file).output() else { return };
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && wrong.is_empty(), "{}: {wrong}", file.display());
    assert_eq!(said.trim().trim_end_matches(','), frames.to_string(), "{}", file.display());
}
