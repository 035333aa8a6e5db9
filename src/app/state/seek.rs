//! Going to another place in a file.

use std::time::Duration;

use super::App;
use crate::app::action::Action;
use crate::app::seek_bar::FilePosition;

impl App {
    /// Goes to `time`; while the pointer `holds` the bar, the file stays there.
    pub(super) fn seek_file(&mut self, time: Duration, holds: bool) {
        if holds && !self.seeking {
            self.seeking = true;
            self.engine.set_paused(true);
        }
        self.engine.seek(time);
    }

    /// The pointer lets go of the bar: the file goes on, unless it is paused.
    pub(super) fn seek_released(&mut self) {
        if std::mem::take(&mut self.seeking) {
            self.engine.set_paused(self.paused);
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
            if position.image.is_some() && !self.paused {
                self.paused = true;
                self.engine.set_paused(true);
            }
            self.engine.seek(time);
        }
        true
    }
}
