//! A recording in words and figures.

use std::time::Duration;

use facelens_session::recording::{RecordedPictures, RecordingState, RecordingStatus};

/// Little room is left on the disk below this.
pub(crate) const LITTLE_ROOM: u64 = 1_000_000_000;

/// A duration as `0:07`, `12:34` or `1:02:03`.
pub(crate) fn clock_text(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (hours, minutes, secs) = (secs / 3600, secs / 60 % 60, secs % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{secs:02}") } else { format!("{minutes}:{secs:02}") }
}

/// A duration in a sentence: seconds to a tenth, longer ones as on a clock.
pub(crate) fn duration_text(duration: Duration) -> String {
    if duration < Duration::from_secs(60) {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min", clock_text(duration))
    }
}

/// Bytes with three figures, e.g. `3.46 MB`, in powers of ten as file managers count.
pub(crate) fn bytes_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        (value, unit) = (value / 1000.0, larger);
    }
    let decimals = match value {
        _ if unit == "B" => 0,
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$} {unit}")
}

/// The figures of a recording, from left to right.
pub(crate) fn figures(status: &RecordingStatus) -> [String; 4] {
    let first = match status.state {
        RecordingState::Saving => "Saving…".into(),
        _ => clock_text(status.duration),
    };
    let free = status.free_bytes.map(|free| format!("{} free", bytes_text(free))).unwrap_or_default();
    let dropped = if status.dropped > 0 { format!("{} dropped", status.dropped) } else { String::new() };
    [first, bytes_text(status.bytes), free, dropped]
}

/// A choice of pictures in words, and what it is good for.
pub(crate) const fn pictures_text(pictures: RecordedPictures) -> (&'static str, &'static str) {
    match pictures {
        RecordedPictures::Both => {
            ("With and without overlay", "Two videos, so that the overlay can be changed in replay")
        }
        RecordedPictures::Annotated => ("With overlay", "One video, as on the screen"),
        RecordedPictures::Clean => ("Without overlay", "One video of the images alone"),
        RecordedPictures::None => ("Data only", "No images are kept"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_sizes_are_short() {
        let texts = [7, 754, 3723].map(|secs| clock_text(Duration::from_secs(secs)));
        assert_eq!(texts, ["0:07", "12:34", "1:02:03"]);
        assert_eq!(duration_text(Duration::from_millis(12_345)), "12.3 s");
        assert_eq!(duration_text(Duration::from_secs(61)), "1:01 min");
        let texts = [0, 999, 1000, 3_456_789, 99_960_000, 123_456_789_000].map(bytes_text);
        assert_eq!(texts, ["0 B", "999 B", "1.00 kB", "3.46 MB", "100 MB", "123 GB"]);
    }
}
