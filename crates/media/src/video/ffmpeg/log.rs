//! What ffmpeg says while it decodes: the size and time of each frame, and what it found damaged.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::{BufRead, BufReader, Read};

use crossbeam_channel::Sender;

/// What the filter `showinfo` says of a frame before its pixels come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShownSize {
    /// When the frame is shown, microseconds; `None` where nothing tells it.
    pub time_us: Option<i64>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// What was wrong, as far as ffmpeg logged it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LogDamage {
    /// How many times errors came between two frames: a single torn picture can be worth a thousand lines.
    pub places: u64,
    /// The first error.
    pub first: String,
    /// The last one, which tells why ffmpeg ended.
    pub last: String,
}

impl LogDamage {
    /// Whether the file ended where more was to come.
    pub(super) fn tells_of_an_end(&self) -> bool {
        self.last.contains("prematurely")
    }
}

/// A name for the filter that no file can know. What a file holds is logged, too, and must not pass for what the filter
/// says.
pub(super) fn secret_name() -> String {
    let number = || RandomState::new().build_hasher().finish();
    format!("showinfo@{:016x}{:016x}", number(), number())
}

/// Reads the log to its end: passes on what the filter of this name says, and collects errors.
pub(super) fn read(log: impl Read, filter: &str, sender: &Sender<ShownSize>) -> LogDamage {
    let mut damage = LogDamage::default();
    let mut in_damage = false;
    for line in BufReader::new(log).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        if let Some(shown) = shown(&line, filter) {
            in_damage = false;
            // The receiver is gone when the video is closed early; ffmpeg is ended then.
            let _ = sender.send(shown);
        } else if let Some(words) = error(&line) {
            if damage.places == 0 {
                words.clone_into(&mut damage.first);
            }
            words.clone_into(&mut damage.last);
            damage.places += u64::from(!in_damage);
            in_damage = true;
        }
    }
    damage
}

/// `[showinfo@NAME @ 0x5] [info] n:   0 pts:  40000 pts_time:0.04    ... s:320x240 i:P iskey:1 ...`
fn shown(line: &str, filter: &str) -> Option<ShownSize> {
    let (_, line) = line.split_once(filter)?;
    let (_, fields) = line.split_once(" n:")?;
    let field = |name: &str| fields.split_once(name)?.1.split_whitespace().next();
    let (width, height) = field(" s:")?.split_once('x')?;
    Some(ShownSize {
        time_us: field(" pts:").and_then(|pts| pts.parse().ok()),
        width: width.parse().ok()?,
        height: height.parse().ok()?,
    })
}

/// The words of an error: `[avi @ 0x5] [error] words`. Values of metadata never stand at the beginning of a line.
fn error(line: &str) -> Option<&str> {
    let mut rest = line;
    loop {
        let (tag, behind) = rest.strip_prefix('[')?.split_once(']')?;
        let behind = behind.trim_start();
        match tag {
            "error" | "fatal" | "panic" => return Some(behind.trim_end()),
            _ if tag.contains(" @ ") => rest = behind,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(log: &str) -> (Vec<ShownSize>, LogDamage) {
        let (sender, receiver) = crossbeam_channel::unbounded();
        let damage = read(log.as_bytes(), "showinfo@12ab", &sender);
        drop(sender);
        (receiver.iter().collect(), damage)
    }

    #[test]
    fn frames_come_from_the_filter_alone() {
        let (shown, damage) = all("\
[info]     COMMENT         : showinfo n: 0 pts:9 pts_time:9 s:1x1
                    : [error] a line of metadata
                    : [Parsed_showinfo_0 @ 0x1] [info] n:   0 pts:  0 pts_time:99 s:8x8 i:P
[showinfo@12ab @ 0x55d4] [info] config in time_base: 1/1000000, frame_rate: 30/1
[showinfo@12ab @ 0x55d4] [info] n:   0 pts: 833333 pts_time:0.833333 pos:  1234 fmt:rgb24 sar:1/1 s:320x240 i:P iskey:1
[showinfo@12ab @ 0x55d4] [info] color_range:pc color_space:gbr
[showinfo@12ab @ 0x55d4] [info] n:   1 pts:NOPTS pts_time:NOPTS fmt:rgb24 cl:left sar:1/1 s:160x120 i:P iskey:1
[info] Stream #0:0: Video: vp9, 320x240
");
        let expected = [(Some(833_333), 320, 240), (None, 160, 120)];
        assert_eq!(shown, expected.map(|(time_us, width, height)| ShownSize { time_us, width, height }));
        assert_eq!(damage, LogDamage::default());
    }

    #[test]
    fn a_torn_picture_is_one_place_however_much_is_said_of_it() {
        let frame = "[showinfo@12ab @ 0x1] [info] n: 0 pts: 0 pts_time:0 fmt:rgb24 sar:1/1 s:2x2 i:P\n";
        let torn = "[mjpeg @ 0x1] [error] overread 8\n[mjpeg @ 0x1] [error] unsupported coding type (c9)\n";
        let later = "[vist#0:0/h264 @ 0x2] [dec:h264 @ 0x3] [error] Invalid data\r\n[h264 @ 0x1] [warning] hm\n";
        let (shown, damage) = all(&[frame, torn, frame, later, frame].concat());
        assert_eq!(shown.len(), 3);
        let expected = LogDamage { places: 2, first: "overread 8".into(), last: "Invalid data".into() };
        assert_eq!(damage, expected);
    }

    #[test]
    fn names_are_new_each_time() {
        assert_ne!(secret_name(), secret_name());
    }
}
