//! Makes the files of a session whole and equal.

use std::fmt;
use std::path::Path;

use super::super::file_error::WriteErrorKind;
use super::super::info::{SessionInfo, videos_there};
use super::super::video::{VideoSummary, repair};
use super::rows::{KeptRows, cut_rows};

/// What mending a session came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mended {
    /// Frames whose rows were cut off, because no video has them.
    pub rows_without_picture: u64,
    /// What could not be made whole, one sentence each.
    pub troubles: Vec<String>,
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rows_without_picture {
            0 => f.write_str("nothing had to be cut from the data")?,
            1 => f.write_str("the data of 1 frame were cut, because its picture is lost")?,
            count => write!(f, "the data of {count} frames were cut, because their pictures are lost")?,
        }
        self.troubles.iter().try_for_each(|trouble| write!(f, "; {trouble}"))
    }
}

/// Makes the videos and the data whole and equal, and writes into `info` which videos there are, how many frames, and how
/// long it is. What cannot be mended stays as it is and is told.
pub(in crate::session) fn mend(folder: &Path, info: &mut SessionInfo) -> Mended {
    let mut mended = Mended::default();
    if info.videos.is_empty() && info.started.is_empty() {
        // Nothing is known of the session: the files tell.
        info.videos = videos_there(folder);
    }
    let summary = mend_videos(folder, info, &mut mended);
    let kept = cut_rows(&folder.join(&info.data), summary.map(|summary| summary.frames)).unwrap_or_else(|error| {
        mended.troubles.push(error.to_string());
        KeptRows::default()
    });
    mended.rows_without_picture = kept.cut_frames;
    if let Some((width, height)) = kept.size {
        (info.source.width, info.source.height) = (width, height);
    }
    if let Some(name) = kept.input.filter(|_| info.source.name.is_empty()) {
        info.source.name = name;
    }
    info.counts.written = summary.map_or(kept.frames, |summary| summary.frames);
    info.duration_s = summary.map_or(kept.end_s, |summary| summary.duration.as_secs_f64());
    // The counts of session.json are up to a second old.
    let counts = &mut info.counts;
    counts.analysed = counts.analysed.max(counts.written + counts.dropped);
    counts.captured = counts.captured.max(kept.captured).max(counts.analysed);
    mended
}

/// Mends every video and cuts all to the same number of frames; `None` where there is none. One without a picture is
/// taken from the list; one that cannot be read or written stays in it.
fn mend_videos(folder: &Path, info: &mut SessionInfo, mended: &mut Mended) -> Option<VideoSummary> {
    let mut most_frames = u64::MAX;
    let mut tried_again = false;
    loop {
        let (mut summaries, mut troubles) = (Vec::new(), Vec::new());
        info.videos.retain(|video| match repair(&folder.join(&video.file), most_frames) {
            Ok(summary) => {
                summaries.push(summary);
                true
            }
            // A recording of less than a second has no picture yet; that is no trouble to tell.
            Err(error) if error.kind == WriteErrorKind::Empty || !folder.join(&video.file).exists() => false,
            Err(error) => {
                troubles.push(error.to_string());
                true
            }
        });
        let shortest = summaries.iter().copied().min_by_key(|summary| summary.frames);
        // On a full disk, what was cut off one video is the room that another needs for its index.
        if !troubles.is_empty() && !std::mem::replace(&mut tried_again, true) {
            most_frames = shortest.map_or(most_frames, |summary| summary.frames);
            continue;
        }
        let whole = shortest.is_none_or(|least| summaries.iter().all(|summary| summary.frames == least.frames));
        // Fragments of all videos end at the same frames, so this comes to its end at once.
        if whole {
            mended.troubles.extend(troubles);
            return shortest;
        }
        most_frames = shortest.map_or(most_frames, |least| least.frames);
    }
}
