//! How the window looks: its theme and the size of its text.

use serde::Deserialize;

/// The theme of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThemeChoice {
    /// The system's.
    #[default]
    System,
    /// Light text on dark ground.
    Dark,
    /// Dark text on light ground.
    Light,
}

impl ThemeChoice {
    /// All of them, in the order of the preferences.
    pub const ALL: [Self; 3] = [Self::System, Self::Dark, Self::Light];

    /// Its name in `settings.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Dark => "dark",
            Self::Light => "light",
        }
    }
}

/// How large text and everything else in the window may be, relative to the system's size.
pub const TEXT_SIZES: std::ops::RangeInclusive<f32> = 0.5..=3.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_read_by_the_name_that_is_written() {
        for theme in ThemeChoice::ALL {
            let read: ThemeChoice = toml::Value::from(theme.name()).try_into().unwrap();
            assert_eq!(read, theme);
        }
    }
}
