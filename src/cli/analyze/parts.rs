//! What is analysed on one thread: an input, or a part of a folder's images.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use facelens_media::{CameraFormat, PictureFolder, Source, SourceError, SourceInfo, SourceSpec};

use super::resume::Resume;
use crate::cli::batch::open;
use crate::cli::limited::Limited;

/// A part of a folder has at most so many images: enough that a thread's start counts for nothing, and few enough that
/// all threads are busy to the end.
const MOST_PICTURES: usize = 16;

/// How long an image of a folder stands, by the times of the rows.
pub(super) const PICTURE_TIME: Duration = Duration::from_secs(1);

/// A part of the work, in the order of the rows.
pub(super) struct Part<'a> {
    pub input: &'a SourceSpec,
    pub content: Content,
    /// Whether it is the first and the last part of its input.
    pub first: bool,
    pub last: bool,
}

/// What a part is.
pub(super) enum Content {
    /// The whole input.
    Whole,
    /// Some of a folder's images.
    Pictures(Arc<PictureFolder>, Range<usize>),
    /// A folder that cannot be read.
    Unreadable(SourceError),
}

/// How inputs are opened.
pub(super) struct Opening<'a> {
    /// As `--seconds`.
    pub seconds: Option<Duration>,
    /// As `--camera-format`.
    pub camera_format: Option<&'a CameraFormat>,
    /// Images of the first input that have rows already.
    pub pictures_done: u64,
}

impl Opening<'_> {
    /// Opens a part.
    pub(super) fn open(&self, part: &Part<'_>) -> Result<Box<dyn Source>, SourceError> {
        match &part.content {
            Content::Whole => open(part.input, self.seconds, self.camera_format),
            Content::Pictures(folder, range) => {
                let source = folder.part(range.clone());
                Ok(match self.seconds {
                    // What has rows already has taken its time.
                    Some(limit) => Box::new(Limited::new(source, limit.saturating_sub(times(self.pictures_done)))),
                    None => source,
                })
            }
            Content::Unreadable(error) => Err(error.clone()),
        }
    }
}

/// The time of the image that so many others come before.
pub(super) fn times(pictures: u64) -> Duration {
    PICTURE_TIME.saturating_mul(u32::try_from(pictures).unwrap_or(u32::MAX))
}

impl Part<'_> {
    /// What the input is where it is known beforehand: a folder, of which the part is only a part.
    pub(super) fn folder_info(&self) -> Option<&SourceInfo> {
        match &self.content {
            Content::Pictures(folder, _) => Some(folder.info()),
            _ => None,
        }
    }
}

/// The work in its order, for `jobs` threads. A folder stays in one piece where one image's frame depends on another's:
/// `whole_folders`.
pub(super) fn parts<'a>(
    inputs: &'a [SourceSpec],
    jobs: usize,
    whole_folders: bool,
    resume: Option<&Resume>,
) -> Vec<Part<'a>> {
    let mut parts = Vec::new();
    for (number, input) in inputs.iter().enumerate().skip(resume.map_or(0, |resume| resume.input)) {
        let SourceSpec::Path(path) = input else {
            parts.push(Part { input, content: Content::Whole, first: true, last: true });
            continue;
        };
        if !path.is_dir() {
            parts.push(Part { input, content: Content::Whole, first: true, last: true });
            continue;
        }
        let folder = match PictureFolder::open(path) {
            Ok(folder) => Arc::new(folder),
            Err(error) => {
                parts.push(Part { input, content: Content::Unreadable(error), first: true, last: true });
                continue;
            }
        };
        let (count, done) = (folder.count(), resume.filter(|resume| resume.input == number));
        let done: Option<&PathBuf> = done.and_then(|resume| resume.picture.as_ref());
        let start = done.map_or(0, |picture| folder.position(picture));
        let size = if whole_folders { count } else { ((count - start) / (4 * jobs)).clamp(1, MOST_PICTURES) };
        let starts = (start..count).step_by(size.max(1));
        parts.extend(starts.map(|from| {
            let to = (from + size).min(count);
            let content = Content::Pictures(Arc::clone(&folder), from..to);
            Part { input, content, first: from == start, last: to == count }
        }));
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(parts: &[Part<'_>]) -> Vec<(Range<usize>, bool, bool)> {
        let range = |part: &Part<'_>| match &part.content {
            Content::Pictures(_, range) => range.clone(),
            _ => 0..0,
        };
        parts.iter().map(|part| (range(part), part.first, part.last)).collect()
    }

    #[test]
    fn a_folder_is_divided_among_threads_and_goes_on_where_it_was_left() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..10 {
            std::fs::write(folder.path().join(format!("{number}.png")), "").unwrap();
        }
        let inputs = ["demo".parse().unwrap(), SourceSpec::Path(folder.path().to_owned())];
        let all = ranges(&parts(&inputs, 1, false, None));
        assert_eq!(all.len(), 6);
        assert_eq!((&all[0], &all[1], &all[5]), (&(0..0, true, true), &(0..2, true, false), &(8..10, false, true)));
        let one = ranges(&parts(&inputs, 4, true, None));
        assert_eq!(one, [(0..0, true, true), (0..10, true, true)]);
        // An image that is gone is no reason to begin again.
        let picture = Some(folder.path().join("7a.png"));
        let resume = Resume { keep: 0, input: 1, picture, pictures_done: 8 };
        assert_eq!(ranges(&parts(&inputs, 4, false, Some(&resume))), [(8..9, true, false), (9..10, false, true)]);
    }
}
