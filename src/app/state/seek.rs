//! Going to another place in a file.

use std::time::Duration;

use facelens_media::SourceKind;

use super::App;
use crate::app::action::Action;

/// How far an arrow key goes in a video.
const KEY_STEP: Duration = Duration::from_secs(5);

/// Where a file is, as the window knows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FilePosition {
    /// Its length.
    pub duration: Duration,
    /// The frame that is shown.
    pub time: Duration,
    /// Of a folder: the image that is shown, its number from 0 on, and how many there are.
    pub image: Option<FolderImage>,
}

/// Which image of a folder is shown.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FolderImage {
    pub name: String,
    pub number: u64,
    pub count: u64,
    /// How long each one stands.
    pub each: Duration,
}

impl FilePosition {
    /// Of the file that is shown, if it can be sought.
    pub fn of(app: &App) -> Option<Self> {
        if !app.replay.is_none() {
            return None;
        }
        let info = app.info()?;
        let duration = info.duration?;
        let frame = &app.viewer.shot.as_ref()?.frame;
        let count = info.frame_count.filter(|count| info.kind == SourceKind::Pictures && *count > 0);
        let image = count.map(|count| FolderImage {
            name: frame.name.as_deref().unwrap_or_default().to_owned(),
            number: frame.sequence,
            count,
            each: duration / u32::try_from(count).unwrap_or(u32::MAX),
        });
        Some(Self { duration, time: frame.time, image })
    }

    /// The place of the next or previous image, or a few seconds further or back; `None` where there is none.
    pub fn step(&self, forward: bool) -> Option<Duration> {
        match &self.image {
            Some(image) => {
                let number = if forward { image.number + 1 } else { image.number.checked_sub(1)? };
                let number = u32::try_from(number).ok().filter(|_| number < image.count)?;
                Some(image.each * number)
            }
            None if forward => Some(self.time + KEY_STEP).filter(|time| *time < self.duration),
            None => Some(self.time.saturating_sub(KEY_STEP)),
        }
    }

    /// The place of the last frame.
    pub fn last(&self) -> Duration {
        let each = self.image.as_ref().map_or(Duration::from_millis(100), |image| image.each);
        self.duration.saturating_sub(each)
    }
}

impl App {
    /// Goes to `time`; while the pointer `holds` the bar, the file stays there.
    pub(super) fn seek_file(&mut self, time: Duration, holds: bool) {
        if holds && !self.source.seeking {
            self.source.seeking = true;
            self.engine.set_paused(true);
        }
        self.engine.seek(time);
    }

    /// The pointer lets go of the bar: the file goes on, unless it is paused.
    pub(super) fn seek_released(&mut self) {
        if std::mem::take(&mut self.source.seeking) {
            self.engine.set_paused(self.source.paused);
        }
    }

    /// Does what an action means for a file that can be sought; `false` where it means nothing special for one.
    pub(super) fn act_on_file(&mut self, action: Action) -> bool {
        let Some(position) = FilePosition::of(self) else { return false };
        let to = match action {
            Action::StepBack => position.step(false),
            Action::StepForward => position.step(true),
            Action::ToStart => Some(Duration::ZERO),
            Action::ToEnd => Some(position.last()),
            _ => return false,
        };
        if let Some(time) = to {
            // A folder that went on by itself would leave the image that was looked for.
            if position.image.is_some() && !self.source.paused {
                self.source.paused = true;
                self.engine.set_paused(true);
            }
            self.engine.seek(time);
        }
        true
    }
}
