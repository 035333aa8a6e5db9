//! Makes the files of a session whole and equal that could not be finished by its own recorder.

use std::path::Path;

use super::super::file_error::WriteErrorKind;
use super::super::info::SessionInfo;
use super::super::video::{VideoSummary, repair};
use super::Mended;
use super::rows::{Rows, cut_rows};

/// Makes the videos and the data whole and equal, and writes into `info` which videos there are, how many frames, and how
/// long it is. What cannot be mended stays as it is and is told. For the recorder, which knows what it has written and
/// holds the folder's lock; where files are found, each is finished by itself ([`super::recover`]).
pub(in crate::session) fn mend(folder: &Path, info: &mut SessionInfo) -> Mended {
    let mut mended = Mended::default();
    let summary = mend_videos(folder, info, &mut mended);
    let rows = cut_rows(&folder.join(&info.data), summary.map(|summary| summary.frames)).unwrap_or_else(|error| {
        mended.troubles.push(error.to_string());
        Rows::default()
    });
    match rows.beyond {
        0 => {}
        1 => mended.changes.push("the data of 1 frame were cut, because its picture is lost".to_owned()),
        beyond => {
            mended.changes.push(format!("the data of {beyond} frames were cut, because their pictures are lost"));
        }
    }
    if let Some((width, height)) = rows.size {
        (info.source.width, info.source.height) = (width, height);
    }
    if let Some(name) = rows.input.filter(|_| info.source.name.is_empty()) {
        info.source.name = name;
    }
    info.counts.written = summary.map_or(rows.frames, |summary| summary.frames);
    info.duration_s = summary.map_or(rows.end_s, |summary| summary.duration.as_secs_f64());
    info.counts.catch_up(rows.captured);
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
