//! What a click asks for. The parts of the window only say it; [`App`](super::state::App) does it.

use std::time::Duration;

use facelens_core::detect::DetectorKind;
use facelens_core::model::Task;
use facelens_media::SourceSpec;
use facelens_session::recording::RecordedPictures;

mod parts;

pub(crate) use parts::{
    CameraCommand, CardCommand, ChosenFace, ExportCommand, FaceCommand, LibraryCommand, NoticeNumber, Output,
    Preference, ReplayCommand, Section, VirtualCameraCommand,
};

use super::action::Action;
use super::picture_view::PictureView;

/// Something that a widget asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum AppCommand {
    /// What a key would do.
    Do(Action),
    /// Show this source.
    Source(SourceSpec),
    /// List the cameras anew.
    ListCameras,
    /// Find faces by this detector.
    Detector(DetectorKind),
    /// Ask for model files.
    LoadModel(Task),
    /// Use the library's model of this name.
    UseModel(Task, String),
    /// Use the models that ship.
    ShippedModel(Task),
    /// Something in the session that is replayed.
    Replay(ReplayCommand),
    /// Record these pictures from now on.
    RecordPictures(RecordedPictures),
    /// Make faces in recorded videos unrecognisable.
    RecordBlur(bool),
    /// Mirror recorded videos.
    RecordMirror(bool),
    /// Ask where sessions are to be kept.
    PickSessionsFolder,
    /// Asks for a model that tells the age by gait.
    PickGaitModel,
    /// Tells nothing of the age by gait any more.
    NoGaitModel,
    /// Keep sessions among the user's videos.
    DefaultSessionsFolder,
    /// Send the head to opentrack, or no longer.
    Opentrack(bool),
    /// Send each frame's data as JSON lines by datagrams, or no longer.
    JsonLines(bool),
    /// Something with the virtual camera.
    VirtualCamera(VirtualCameraCommand),
    /// Use what is typed as the address of this output.
    OutputAddress(Output),
    /// Send this person's head to opentrack; once more: that of the largest face again.
    Follow(u64),
    /// Something with a face that was clicked.
    Face(FaceCommand),
    /// Which part of the picture is shown.
    PictureView(PictureView),
    /// Count so many seconds before a recording.
    RecordCountdown(u32),
    /// Something in the form for a model's card.
    Card(CardCommand),
    /// Something on the page of the camera.
    Camera(CameraCommand),
    /// Go to this time of the file; while the pointer holds the bar, it stays there.
    SeekFile { time: Duration, holds: bool },
    /// The pointer lets go of the bar.
    SeekReleased,
    /// Look which of the recent files are missing.
    FindMissing,
    /// Forget the recent files.
    ForgetRecentFiles,
    /// Something in the library of sessions.
    Library(LibraryCommand),
    /// Something in the dialog that exports a session.
    Export(ExportCommand),
    /// Hide the bar about the recording that ended last.
    ForgetRecorded,
    /// Finish the recording, then close the window.
    SaveAndClose,
    /// Fold a part of the side panel, or unfold it.
    Fold(Section),
    /// The next key that is pressed is to be that of this action.
    WaitForKey(Action),
    /// Give this action its usual keys again.
    UsualKeys(Action),
    /// Change a preference.
    Prefer(Preference),
    /// Ask where snapshots are to be kept.
    PickSnapshotsFolder,
    /// Show the banner over this source no more until the next start.
    HideBanner,
    /// Take a message away; it stays in the list of messages.
    CloseNotice(NoticeNumber),
    /// Copy this text.
    Copy(String),
    /// Close the open dialog.
    CloseDialog,
}

impl From<Action> for AppCommand {
    fn from(action: Action) -> Self {
        Self::Do(action)
    }
}
