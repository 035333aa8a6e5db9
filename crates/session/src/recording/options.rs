//! What is recorded.

use std::path::PathBuf;

use super::super::info::{CLEAN_FILE, SessionInfo, SessionVideo, VIDEO_FILE};
use crate::overlay::SceneOptions;

/// Which pictures are recorded. The data always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordedPictures {
    /// One video with the overlay and one without, so that it can be switched off and restyled in replay.
    #[default]
    Both,
    /// With the overlay.
    Annotated,
    /// Without the overlay.
    Clean,
    /// No video at all.
    None,
}

impl RecordedPictures {
    /// All choices, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Both, Self::Annotated, Self::Clean, Self::None];

    /// Its name on the command line and in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Annotated => "annotated",
            Self::Clean => "clean",
            Self::None => "none",
        }
    }

    /// The choice of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|choice| choice.name() == name)
    }

    /// The videos, the annotated one last.
    fn videos(self) -> &'static [(&'static str, bool)] {
        match self {
            Self::Both => &[(CLEAN_FILE, false), (VIDEO_FILE, true)],
            Self::Annotated => &[(VIDEO_FILE, true)],
            Self::Clean => &[(VIDEO_FILE, false)],
            Self::None => &[],
        }
    }
}

/// What is recorded, and where.
#[derive(Clone, Debug)]
pub struct RecorderOptions {
    /// The folder in which the session gets a folder of its own; made where it is missing.
    pub folder: PathBuf,
    /// Which pictures.
    pub pictures: RecordedPictures,
    /// Blur the faces in the videos.
    pub blur: bool,
    /// Mirror the videos; the data never are.
    pub mirror: bool,
    /// The overlay at the beginning; its mirror and zoom are replaced by what suits the video.
    pub scene: SceneOptions,
    /// What is known of the session: source, models and detector. The rest is filled in.
    pub info: SessionInfo,
}

impl RecorderOptions {
    /// The videos as `session.json` lists them.
    pub(super) fn videos(&self) -> Vec<SessionVideo> {
        let video = |&(file, overlay): &(&str, bool)| SessionVideo {
            file: file.to_owned(),
            overlay,
            mirrored: self.mirror,
            blurred: self.blur,
        };
        self.pictures.videos().iter().map(video).collect()
    }
}
