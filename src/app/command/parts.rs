//! What the parts of the window ask for, apart from the widgets that ask.

use std::path::PathBuf;

use eframe::egui::Pos2;
use facelens_import::CardDraft;
use facelens_media::{CameraFormat, ControlKind, ControlValue};
use facelens_session::export::ExportFormat;

use crate::settings::ThemeChoice;

/// What the page of a camera asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CameraCommand {
    /// Show the usual panel again.
    Close,
    /// Open the camera in this format; `None`: in the best for faces.
    Format(Option<CameraFormat>),
    /// Set a control.
    Set(ControlKind, ControlValue),
    /// Set all controls as the camera had them by itself.
    Defaults,
}

/// What the form for a model's card asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CardCommand {
    /// Something was chosen otherwise.
    Change(Box<CardDraft>),
    /// Put the model into the library and use it.
    Save,
    /// Leave the form; the models are as they were.
    Cancel,
}

/// What the dialog that exports a session asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ExportCommand {
    /// Export the session that is replayed.
    Open,
    /// In this format.
    Format(ExportFormat),
    /// This person alone, or everybody.
    Person(Option<u64>),
    /// The video with the overlay, or without.
    Overlay(bool),
    /// Ask for another file.
    PickFile,
    /// Begin.
    Start,
    /// Begin, and replace the file that is there.
    Replace,
    /// Give it up.
    Cancel,
}

/// The face that was clicked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ChosenFace {
    /// Its number.
    pub id: u64,
    /// Where its menu is, points: it stays there when the face moves.
    pub at: Pos2,
}

/// What the menu of a face asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum FaceCommand {
    /// The pointer chose this face, or nothing.
    Choose(Option<ChosenFace>),
    /// Draw this person alone; again: everybody.
    Only(u64),
    /// Copy the figures to the clipboard.
    Copy(u64),
}

/// What the library of sessions asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum LibraryCommand {
    /// Close the page.
    Close,
    /// List the sessions anew.
    Refresh,
    /// Replay this session.
    Play(PathBuf),
    /// Choose a format and export it.
    Export(PathBuf),
    /// Show its folder in the file manager.
    ShowFolder(PathBuf),
    /// Type another name for it.
    StartRenaming(PathBuf),
    /// Leave its name as it is.
    StopRenaming,
    /// Give it the name that is typed.
    Rename(PathBuf, String),
    /// Move it to the trash.
    Trash(PathBuf),
    /// Complete an interrupted recording.
    Recover(PathBuf),
}

/// What the timeline of a session asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ReplayCommand {
    /// Go to this time, seconds.
    Seek(f64),
    /// Go to this time and stay until the pointer lets go.
    Scrub(f64),
    /// The pointer lets go.
    Release,
    /// Show this person alone, or everybody again.
    Only(u64),
    /// Play at this speed.
    Speed(f64),
}

/// An output with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    Opentrack,
    JsonLines,
}

/// What is asked of the virtual camera.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum VirtualCameraCommand {
    /// Show the picture as a camera to other programs, or no longer.
    Switch(bool),
    /// On this device; `None`: on the first one that is free.
    Device(Option<PathBuf>),
    /// With the overlay, or without.
    Overlay(bool),
    /// List the devices anew.
    List,
}

/// A part of the side panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    /// Where pictures come from.
    Source,
    /// Who is in view.
    People,
    /// The networks in use.
    Models,
    /// Rates, delays and drops.
    Performance,
}

impl Section {
    /// Its name in `settings.toml`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::People => "people",
            Self::Models => "models",
            Self::Performance => "performance",
        }
    }

    /// Its title.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Source => "SOURCE",
            Self::People => "PEOPLE",
            Self::Models => "MODELS",
            Self::Performance => "PERFORMANCE",
        }
    }
}

/// A preference that a widget changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Preference {
    /// The theme.
    Theme(ThemeChoice),
    /// The size of text and everything else, relative to the system's.
    TextSize(f32),
    /// Whether ages are shown.
    ShowAge(bool),
    /// Whether genders are shown.
    ShowGender(bool),
    /// Keep snapshots among the user's pictures.
    DefaultSnapshotsFolder,
}

/// The number of a message; later ones have larger numbers.
pub(crate) type NoticeNumber = u64;
