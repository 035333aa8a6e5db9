//! Everything that a key or a menu does: one enum feeds the menus, the shortcuts and the help page.

use eframe::egui::{Key, KeyboardShortcut, Modifiers};

/// Something the user can do by a key, from a menu, or by a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    OpenFile,
    OpenFolder,
    OpenSession,
    Library,
    NextCamera,
    CameraPage,
    Demo,
    Restart,
    Snapshot,
    Record,
    RecordOptions,
    Opentrack,
    Centre,
    VirtualCamera,
    Outputs,
    Preferences,
    Quit,
    Pause,
    Mirror,
    Boxes,
    Labels,
    Axes,
    Angles,
    Gait,
    ZoomIn,
    ZoomOut,
    WholePicture,
    Panel,
    FullScreen,
    StepBack,
    StepForward,
    Slower,
    Faster,
    ToStart,
    ToEnd,
    NextPerson,
    PreviousPerson,
    Everybody,
    Export,
    CloseSession,
    Help,
    Messages,
    Welcome,
    About,
}

/// The menu that an action stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Menu {
    File,
    View,
    Replay,
    Help,
}

impl Menu {
    /// All menus, from left to right.
    pub const ALL: [Self; 4] = [Self::File, Self::View, Self::Replay, Self::Help];

    /// What the menu bar says.
    pub const fn title(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::View => "View",
            Self::Replay => "Replay",
            Self::Help => "Help",
        }
    }
}

const fn key(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::NONE, key)
}

const fn shift(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::SHIFT, key)
}

const fn command(key: Key) -> KeyboardShortcut {
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

impl Action {
    /// All actions in the order of the menus.
    pub const ALL: [Self; 44] = [
        Self::OpenFile,
        Self::OpenFolder,
        Self::OpenSession,
        Self::Library,
        Self::NextCamera,
        Self::CameraPage,
        Self::Demo,
        Self::Restart,
        Self::Snapshot,
        Self::Record,
        Self::RecordOptions,
        Self::Opentrack,
        Self::Centre,
        Self::VirtualCamera,
        Self::Outputs,
        Self::Preferences,
        Self::Quit,
        Self::Pause,
        Self::Mirror,
        Self::Boxes,
        Self::Labels,
        Self::Axes,
        Self::Angles,
        Self::Gait,
        Self::ZoomIn,
        Self::ZoomOut,
        Self::WholePicture,
        Self::Panel,
        Self::FullScreen,
        Self::StepBack,
        Self::StepForward,
        Self::Slower,
        Self::Faster,
        Self::ToStart,
        Self::ToEnd,
        Self::NextPerson,
        Self::PreviousPerson,
        Self::Everybody,
        Self::Export,
        Self::CloseSession,
        Self::Help,
        Self::Messages,
        Self::Welcome,
        Self::About,
    ];

    /// What the menus say.
    pub const fn title(self) -> &'static str {
        match self {
            Self::OpenFile => "Open file…",
            Self::OpenFolder => "Open folder…",
            Self::OpenSession => "Open session…",
            Self::Library => "Sessions",
            Self::NextCamera => "Next camera",
            Self::CameraPage => "Camera settings",
            Self::Demo => "Watch the demo",
            Self::Restart => "Start again",
            Self::Snapshot => "Snapshot",
            Self::Record => "Record",
            Self::RecordOptions => "Recording options…",
            Self::Opentrack => "Send head to opentrack",
            Self::Centre => "Recenter head",
            Self::VirtualCamera => "Virtual camera",
            Self::Outputs => "Live outputs…",
            Self::Preferences => "Preferences…",
            Self::Quit => "Quit",
            Self::Pause => "Pause",
            Self::Mirror => "Mirror",
            Self::Boxes => "Boxes",
            Self::Labels => "Labels",
            Self::Axes => "Pose axes",
            Self::Angles => "Angles",
            Self::Gait => "Gait",
            Self::ZoomIn => "Zoom in",
            Self::ZoomOut => "Zoom out",
            Self::WholePicture => "Whole image",
            Self::Panel => "Side panel",
            Self::FullScreen => "Full screen",
            Self::StepBack => "One frame back",
            Self::StepForward => "One frame forward",
            Self::Slower => "Slower",
            Self::Faster => "Faster",
            Self::ToStart => "To the start",
            Self::ToEnd => "To the end",
            Self::NextPerson => "Next appearance",
            Self::PreviousPerson => "Previous appearance",
            Self::Everybody => "Show everybody",
            Self::Export => "Export…",
            Self::CloseSession => "Close session",
            Self::Help => "Keys",
            Self::Messages => "Messages…",
            Self::Welcome => "First steps",
            Self::About => "About and privacy",
        }
    }

    /// One line of help.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::OpenFile => "Open a video or an image",
            Self::OpenFolder => "Open a folder of images",
            Self::OpenSession => "Play back a recorded session",
            Self::Library => "All recorded sessions: play, rename, export, delete",
            Self::NextCamera => "Switch to the next camera",
            Self::CameraPage => "Resolution, exposure, focus and other settings of the camera",
            Self::Demo => "Watch the demo, no camera needed",
            Self::Restart => "Play the file from the start, or open the camera again",
            Self::Snapshot => "Save this image with its overlay, and its data in a second file",
            Self::Record => "Record video and data of this source, or stop",
            Self::RecordOptions => "Choose what is recorded, and where",
            Self::Opentrack => "Send position and rotation of the head to opentrack, or stop",
            Self::Centre => "opentrack: the present head pose becomes straight ahead",
            Self::VirtualCamera => "Show this image as a camera to OBS, calls and browsers, or stop",
            Self::Outputs => "Choose what is sent to other programs live, and where",
            Self::Preferences => "Theme, text size, folders, what is shown, privacy",
            Self::Quit => "Close the window; a running recording is saved if you say so",
            Self::Pause => "Pause or continue",
            Self::Mirror => "Mirror the image; the data stay unmirrored",
            Self::Boxes => "Show or hide the boxes around the faces",
            Self::Labels => "Show or hide number, age and gender",
            Self::Axes => "Show or hide the three axes of the head pose",
            Self::Angles => "Show or hide yaw, pitch and roll as numbers",
            Self::Gait => "People who walk: outlines, strides and metrics on or off",
            Self::ZoomIn => "Enlarge; the wheel zooms at the pointer, dragging moves the image",
            Self::ZoomOut => "Make the image smaller again",
            Self::WholePicture => "Show the whole image again",
            Self::Panel => "Show or hide the side panel",
            Self::FullScreen => "Only the image; Esc leaves full screen",
            Self::StepBack => "Session: one frame back; video: 5 s back; folder: previous image",
            Self::StepForward => "Session: one frame on; video: 5 s on; folder: next image",
            Self::Slower => "Session: play at half the speed, down to a quarter",
            Self::Faster => "Session: play at twice the speed, up to four times",
            Self::ToStart => "Session, video or folder: go to the first frame",
            Self::ToEnd => "Session, video or folder: go to the last frame",
            Self::NextPerson => "Session: go to the next appearance of a person",
            Self::PreviousPerson => "Session: go to the previous appearance of a person",
            Self::Everybody => "Draw everybody again, after one person alone",
            Self::Export => "Session: export it as a video, a table or subtitles",
            Self::CloseSession => "Close the session and return to the live image",
            Self::Help => "Show this page",
            Self::Messages => "Read the messages of this run again, and copy them",
            Self::Welcome => "What facelens shows, what it sends, and how far to trust it",
            Self::About => "What facelens is, and what happens to the images",
        }
    }

    /// The menu that it stands in.
    pub const fn menu(self) -> Menu {
        match self {
            Self::OpenFile
            | Self::OpenFolder
            | Self::OpenSession
            | Self::Library
            | Self::NextCamera
            | Self::CameraPage
            | Self::Demo
            | Self::Restart
            | Self::Snapshot
            | Self::Record
            | Self::RecordOptions
            | Self::Opentrack
            | Self::Centre
            | Self::VirtualCamera
            | Self::Outputs
            | Self::Preferences
            | Self::Quit => Menu::File,
            Self::Help | Self::Messages | Self::Welcome | Self::About => Menu::Help,
            _ if self.is_replay() => Menu::Replay,
            _ => Menu::View,
        }
    }

    /// Whether it needs a session that is being replayed.
    pub const fn is_replay(self) -> bool {
        matches!(
            self,
            Self::StepBack
                | Self::StepForward
                | Self::Slower
                | Self::Faster
                | Self::ToStart
                | Self::ToEnd
                | Self::NextPerson
                | Self::PreviousPerson
                | Self::Everybody
                | Self::Export
                | Self::CloseSession
        )
    }

    /// Whether a line divides it from the entry before it in its menu.
    pub const fn begins_a_group(self) -> bool {
        matches!(self, Self::Record | Self::Opentrack | Self::Preferences)
    }

    /// Whether a key that is held down does it again and again.
    pub const fn repeats(self) -> bool {
        matches!(self, Self::StepBack | Self::StepForward | Self::ZoomIn | Self::ZoomOut)
    }

    /// Its usual keys; the first is the one that menus show. The [`KeyMap`](super::key_map::KeyMap) knows those in use.
    pub const fn keys(self) -> &'static [KeyboardShortcut] {
        match self {
            Self::OpenFile => const { &[key(Key::O), command(Key::O)] },
            Self::OpenFolder => const { &[shift(Key::O)] },
            Self::OpenSession => const { &[key(Key::H)] },
            Self::Library => const { &[shift(Key::H)] },
            Self::NextCamera => const { &[key(Key::C)] },
            Self::CameraPage => const { &[shift(Key::C)] },
            Self::Demo => const { &[key(Key::D)] },
            Self::Restart => const { &[key(Key::R)] },
            Self::Snapshot => const { &[key(Key::S)] },
            Self::Record => const { &[key(Key::E)] },
            Self::RecordOptions => const { &[shift(Key::E)] },
            Self::Opentrack => const { &[key(Key::T)] },
            Self::Centre => const { &[key(Key::X)] },
            Self::VirtualCamera => const { &[key(Key::V)] },
            Self::Outputs => const { &[shift(Key::T)] },
            Self::Preferences => const { &[command(Key::Comma), key(Key::Comma)] },
            Self::Quit => const { &[command(Key::Q), key(Key::Q)] },
            Self::Pause => const { &[key(Key::Space)] },
            Self::Mirror => const { &[key(Key::M)] },
            Self::Boxes => const { &[key(Key::B)] },
            Self::Labels => const { &[key(Key::L)] },
            Self::Axes => const { &[key(Key::A)] },
            Self::Angles => const { &[key(Key::G)] },
            Self::Gait => const { &[key(Key::W)] },
            Self::ZoomIn => const { &[key(Key::Plus), key(Key::Equals)] },
            Self::ZoomOut => const { &[key(Key::Minus)] },
            Self::WholePicture => const { &[key(Key::Z)] },
            Self::Panel => const { &[key(Key::P)] },
            Self::FullScreen => const { &[key(Key::F), key(Key::F11)] },
            Self::StepBack => const { &[key(Key::ArrowLeft)] },
            Self::StepForward => const { &[key(Key::ArrowRight)] },
            Self::Slower => const { &[key(Key::ArrowDown)] },
            Self::Faster => const { &[key(Key::ArrowUp)] },
            Self::ToStart => const { &[key(Key::Home)] },
            Self::ToEnd => const { &[key(Key::End)] },
            Self::NextPerson => const { &[key(Key::N)] },
            Self::PreviousPerson => const { &[shift(Key::N)] },
            Self::Everybody => const { &[key(Key::Num0)] },
            Self::Export => const { &[command(Key::E)] },
            Self::CloseSession => const { &[key(Key::Backspace), command(Key::W)] },
            Self::Help => const { &[key(Key::F1), key(Key::Questionmark)] },
            Self::Messages => const { &[shift(Key::M)] },
            Self::Welcome => const { &[shift(Key::I)] },
            Self::About => const { &[key(Key::I)] },
        }
    }

    /// Its name in `settings.toml`: `open-file`.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.extend(letter.to_lowercase());
        }
        name
    }
}

/// A shortcut as it is printed, e.g. `Ctrl+Q`.
pub(crate) fn keys_text(keys: &KeyboardShortcut) -> String {
    let mut text = String::new();
    if keys.modifiers.command {
        text.push_str(if cfg!(target_os = "macos") { "Cmd+" } else { "Ctrl+" });
    }
    if keys.modifiers.alt {
        text.push_str("Alt+");
    }
    if keys.modifiers.shift {
        text.push_str("Shift+");
    }
    text.push_str(match keys.logical_key {
        Key::Questionmark => "?",
        Key::Plus => "+",
        Key::Minus => "−",
        Key::Equals => "=",
        Key::Comma => ",",
        Key::ArrowLeft => "←",
        Key::ArrowRight => "→",
        Key::ArrowUp => "↑",
        Key::ArrowDown => "↓",
        other => other.name(),
    });
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::key_map::KeyMap;

    #[test]
    fn no_two_actions_share_a_key() {
        for (place, first) in Action::ALL.iter().enumerate() {
            for second in &Action::ALL[place + 1..] {
                for keys in first.keys() {
                    assert!(!second.keys().contains(keys), "{first:?} and {second:?} share {}", keys_text(keys));
                }
            }
        }
    }

    #[test]
    fn every_action_is_found_by_each_of_its_keys_and_stands_once_in_a_menu() {
        for action in Action::ALL {
            assert!(!action.keys().is_empty());
            for keys in action.keys() {
                assert_eq!(KeyMap::default().action(keys.logical_key, keys.modifiers), Some(action));
            }
        }
        let listed: usize =
            Menu::ALL.iter().map(|menu| Action::ALL.iter().filter(|action| action.menu() == *menu).count()).sum();
        assert_eq!(listed, Action::ALL.len());
    }

    #[test]
    fn explanations_fit_into_the_page_of_the_keys() {
        // So many characters are shown in the smallest window.
        for action in Action::ALL {
            assert!(action.explanation().len() <= 66, "{action:?}: {}", action.explanation());
        }
    }

    #[test]
    fn other_modifiers_do_not_fire_plain_keys() {
        assert_eq!(KeyMap::default().action(Key::M, Modifiers::CTRL), None);
        assert_eq!(KeyMap::default().action(Key::M, Modifiers::ALT), None);
        assert_eq!(KeyMap::default().action(Key::Questionmark, Modifiers::SHIFT), Some(Action::Help));
        assert_eq!(KeyMap::default().text(Action::FullScreen), "F or F11");
        assert_eq!(Action::FullScreen.name(), "full-screen");
    }
}
