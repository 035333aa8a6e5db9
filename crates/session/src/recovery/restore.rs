//! Finishes the files of a session that was found broken off, each by itself.

use std::path::Path;

use super::super::file_error::{WriteError, WriteErrorKind};
use super::super::info::{SessionInfo, SessionVideo};
use super::super::video::{VideoChange, VideoSummary, finish_found};
use super::rows::{RecoveredRows, cut_torn};
use super::{Repairs, copies};

/// Finishes the videos and the data, and writes into `info` which videos there are, how many frames, and how long it is.
/// A damaged file stays as it is and costs nothing of the others.
///
/// # Errors
/// The first file that could not be written or read for now; the others are finished then, and it can be done again.
pub(super) fn restore(folder: &Path, info: &mut SessionInfo) -> Result<Repairs, WriteError> {
    let mut work = RestoreWork { folder, repairs: Repairs::default(), failed: None };
    let mut videos = Vec::new();
    info.videos.retain(|video| {
        let (stays, summary) = work.video(video);
        videos.extend(summary.map(|summary| (video.file.clone(), summary)));
        stays
    });
    let rows = work.data(&info.data);
    let RestoreWork { mut repairs, failed, .. } = work;
    if let Some(error) = failed {
        return Err(error);
    }
    let frames = rows.as_ref().map(|rows| rows.frames);
    for (file, summary) in &videos {
        match frames.map_or(0, |frames| frames as i128 - i128::from(summary.frames)) {
            0 => {}
            more if more > 0 => {
                repairs.changes.push(format!("{} has {} more than {file}", info.data, frames_words(more)));
            }
            fewer => repairs.changes.push(format!("{file} has {} more than {}", frames_words(-fewer), info.data)),
        }
    }
    let ends = videos.iter().map(|(_, summary)| summary.duration.as_secs_f64());
    info.duration_s = ends.chain(rows.as_ref().map(|rows| rows.end_s)).fold(0.0, f64::max);
    info.counts.written = frames.unwrap_or_else(|| videos.iter().map(|(_, video)| video.frames).max().unwrap_or(0));
    let rows = rows.unwrap_or_default();
    if let Some(size) = rows.size.filter(|_| info.source.width == 0 || info.source.height == 0) {
        (info.source.width, info.source.height) = size;
    }
    if let Some(name) = rows.input.filter(|_| info.source.name.is_empty()) {
        info.source.name = name;
    }
    info.counts.catch_up(rows.captured);
    Ok(repairs)
}

struct RestoreWork<'a> {
    folder: &'a Path,
    repairs: Repairs,
    /// What cannot be done for now.
    failed: Option<WriteError>,
}

impl RestoreWork<'_> {
    /// Finishes a video. Gives whether it stays in the list, and what it holds.
    fn video(&mut self, video: &SessionVideo) -> (bool, Option<VideoSummary>) {
        let (path, file) = (self.folder.join(&video.file), &video.file);
        if !path.exists() {
            self.repairs.changes.push(format!("{file} was never started and is removed from the list"));
            return (false, None);
        }
        match finish_found(&path, |source, from| copies::keep(&path, source, from)) {
            Ok(finished) => {
                match finished.change {
                    VideoChange::None => {}
                    VideoChange::Indexed => {
                        self.repairs.changes.push(format!("{file} was given its index and its length"));
                    }
                    VideoChange::Cut(bytes, copy) => self.repairs.changes.push(format!(
                        "{bytes} bytes at the end of {file} that are not a complete part of it were moved to {}, and \
                         it was given its index and its length",
                        name_of(&copy)
                    )),
                    VideoChange::Damaged(places) => {
                        let places = if places == 1 { "1 place".to_owned() } else { format!("{places} places") };
                        self.repairs.troubles.push(format!("{file} is damaged in {places} and was left as it is"));
                    }
                }
                (true, Some(finished.summary))
            }
            Err(error) if error.kind == WriteErrorKind::Empty => {
                // A recording of less than a second has no picture yet.
                self.repairs
                    .changes
                    .push(format!("{file} has no complete frame and is removed from the list; the file is kept"));
                (false, None)
            }
            Err(error) => {
                self.trouble(error);
                (true, None)
            }
        }
    }

    /// Finishes the data; gives what they hold, where they can be read.
    fn data(&mut self, file: &str) -> Option<RecoveredRows> {
        match cut_torn(&self.folder.join(file)) {
            Ok((rows, copy)) => {
                if let Some(copy) = copy {
                    let words = format!(
                        "an incomplete row was removed from {file}, which was copied to {} before",
                        name_of(&copy)
                    );
                    self.repairs.changes.push(words);
                }
                if let Some((count, first)) = &rows.damaged {
                    let rows = if *count == 1 { "1 row".to_owned() } else { format!("{count} rows") };
                    self.repairs.troubles.push(format!("{rows} of {file} cannot be read and stays as it is ({first})"));
                }
                Some(rows)
            }
            Err(error) => {
                self.trouble(error);
                None
            }
        }
    }

    fn trouble(&mut self, error: WriteError) {
        if error.kind == WriteErrorKind::Damaged {
            self.repairs.troubles.push(error.to_string());
        } else {
            self.failed.get_or_insert(error);
        }
    }
}

fn frames_words(count: i128) -> String {
    if count == 1 { "1 frame".to_owned() } else { format!("{count} frames") }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
