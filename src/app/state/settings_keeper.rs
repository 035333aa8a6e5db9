//! When settings that have changed are written.

use crate::settings::{PendingSave, Settings, SettingsFile};

/// Settings are written once they have been quiet for this time, seconds.
const QUIET_SECS: f64 = 1.0;

/// Knows which settings are in the file.
pub(super) struct SettingsKeeper {
    /// `None` where nothing can be remembered.
    file: Option<SettingsFile>,
    /// As they were last given to be saved.
    saved: Settings,
    /// Since when they are other ones, seconds of the window.
    changed_at: Option<f64>,
}

/// Whether settings are to be written.
pub(super) enum Due {
    Nothing,
    /// Once they have been quiet.
    Later,
    Now(PendingSave),
}

impl SettingsKeeper {
    /// The file has these settings.
    pub fn new(file: Option<SettingsFile>, saved: Settings) -> Self {
        Self { file, saved, changed_at: None }
    }

    /// What is to be done at `now`, seconds of the window.
    pub fn due(&mut self, settings: &Settings, now: f64) -> Due {
        let Some(file) = &self.file else { return Due::Nothing };
        if *settings == self.saved {
            self.changed_at = None;
            return Due::Nothing;
        }
        let since = *self.changed_at.get_or_insert(now);
        if now - since < QUIET_SECS {
            return Due::Later;
        }
        self.saved = settings.clone();
        self.changed_at = None;
        Due::Now(file.prepare(settings))
    }

    /// Writes them on this thread: those that are being saved at this moment would be lost with the program, so this waits.
    pub fn save_now(&self, settings: &Settings) {
        if let Some(file) = &self.file
            && let Err(error) = file.save(settings)
        {
            tracing::warn!("{error}");
        }
    }
}
