//! What the centre of the window shows for each state of the source: a picture, a page instead of it, a banner above it.

use facelens_media::{
    CameraChoice, CameraDevice, CameraInfo, SourceError, SourceErrorKind, SourceInfo, SourceKind, SourceSpec,
};

use super::action::Action;
use super::command::AppCommand;
use super::notices::Tone;
use crate::pipeline::SourceState;

/// The centre of the window.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct CentralView {
    /// Instead of a picture.
    pub page: Option<Page>,
    /// Above the picture.
    pub banner: Option<Banner>,
    /// The picture is an old one.
    pub dimmed: bool,
}

/// A page: one symbol, one title, some words, some buttons.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Page {
    pub symbol: Symbol,
    pub title: String,
    pub text: String,
    pub buttons: Vec<(String, AppCommand)>,
}

/// What a page shows above its title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Symbol {
    /// Something is under way.
    Wait,
    /// A camera that cannot be used.
    Camera,
    /// A file that cannot be used.
    File,
}

/// One line above the picture.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Banner {
    pub tone: Tone,
    pub text: String,
    pub button: Option<(String, AppCommand)>,
}

/// What to show while the source is in state `shown`; `has_picture` where a picture of this source is there.
pub(crate) fn view(shown: &SourceState, has_picture: bool, source: &SourceSpec, cameras: &[CameraInfo]) -> CentralView {
    let over = |banner, dimmed| CentralView { page: None, banner, dimmed };
    match shown {
        SourceState::Failed(error) => CentralView { page: Some(failed(error, source, cameras)), banner: None, dimmed: false },
        SourceState::Disconnected { info, reason } if has_picture => {
            let text = format!("{} is disconnected ({reason}): waiting for it to come back", info.name);
            over(Some(Banner { tone: Tone::Warn, text, button: None }), true)
        }
        SourceState::Disconnected { info, reason } => waiting(
            format!("{} is disconnected", info.name),
            format!("Its message: {reason}. It is used again as soon as it is back."),
            source,
        ),
        SourceState::Stalled { info, silent_secs } if has_picture => {
            let text = format!("No image from {} for {silent_secs:.0} s: still trying", info.name);
            over(Some(Banner { tone: Tone::Warn, text, button: Some(again()) }), true)
        }
        SourceState::Stalled { info, silent_secs } => waiting(
            format!("No image from {} for {silent_secs:.0} s", info.name),
            "It is open, but sends nothing. facelens keeps trying; unplugging the camera and plugging it in again often \
             helps."
                .into(),
            source,
        ),
        // A single picture is over as soon as it is there.
        SourceState::Ended(info) if is_still(info) => over(None, false),
        SourceState::Ended(_) => {
            let text = format!("{} has ended", name_of(source));
            over(Some(Banner { tone: Tone::Info, text, button: Some(("Play again".into(), Action::Restart.into())) }), false)
        }
        SourceState::Running(_) | SourceState::Opening if has_picture => over(demo_banner(source, cameras), false),
        SourceState::Opening | SourceState::Running(_) => waiting(format!("Opening {}", name_of(source)), String::new(), source),
    }
}

/// Whether the source is a single picture.
pub(crate) fn is_still(info: &SourceInfo) -> bool {
    info.kind == SourceKind::Pictures && info.frame_count.is_none_or(|count| count <= 1)
}

/// What to call a source that is not open yet.
pub(crate) fn name_of(source: &SourceSpec) -> String {
    match source {
        SourceSpec::Camera(CameraChoice::Any) => "the camera".into(),
        SourceSpec::Camera(CameraChoice::Index(index)) => format!("camera {index}"),
        SourceSpec::Camera(CameraChoice::Name(name)) => name.clone(),
        SourceSpec::Camera(CameraChoice::Device(CameraDevice { place, name })) => {
            name.clone().unwrap_or_else(|| place.display().to_string())
        }
        SourceSpec::Demo => "the demo".into(),
        SourceSpec::Path(path) => {
            path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
        }
    }
}

fn again() -> (String, AppCommand) {
    ("Try again".into(), Action::Restart.into())
}

fn waiting(title: String, text: String, source: &SourceSpec) -> CentralView {
    let buttons = if text.is_empty() { Vec::new() } else { other_ways(source) };
    CentralView { page: Some(Page { symbol: Symbol::Wait, title, text, buttons }), banner: None, dimmed: false }
}

/// A still life needs no banner; the demo says what it is.
fn demo_banner(source: &SourceSpec, cameras: &[CameraInfo]) -> Option<Banner> {
    (*source == SourceSpec::Demo).then(|| match cameras.first() {
        Some(camera) => Banner {
            tone: Tone::Info,
            text: "This is the demo: no camera is in use".into(),
            button: Some(use_camera(camera, cameras)),
        },
        None => Banner {
            tone: Tone::Info,
            text: "This is the demo. Plug in a camera, then choose it under Source".into(),
            button: None,
        },
    })
}

/// The command that chooses a camera for good.
pub(crate) fn choose_camera(camera: &CameraInfo, cameras: &[CameraInfo]) -> AppCommand {
    AppCommand::Source(SourceSpec::Camera(CameraChoice::of(camera, cameras)))
}

/// A button for one of the cameras.
fn use_camera(camera: &CameraInfo, cameras: &[CameraInfo]) -> (String, AppCommand) {
    (format!("Use {}", camera.label(cameras)), choose_camera(camera, cameras))
}

fn open_file() -> (String, AppCommand) {
    ("Open a file…".into(), Action::OpenFile.into())
}

fn other_ways(source: &SourceSpec) -> Vec<(String, AppCommand)> {
    with_demo(vec![again(), open_file()], source)
}

fn with_demo(mut buttons: Vec<(String, AppCommand)>, source: &SourceSpec) -> Vec<(String, AppCommand)> {
    if *source != SourceSpec::Demo {
        buttons.push((Action::Demo.title().into(), Action::Demo.into()));
    }
    buttons
}

fn failed(error: &SourceError, source: &SourceSpec, cameras: &[CameraInfo]) -> Page {
    use SourceErrorKind as Kind;
    let subject = &error.subject;
    let words = if error.remedy.is_empty() {
        sentence(&error.cause)
    } else {
        format!("{}\n{}", sentence(&error.cause), sentence(&error.remedy))
    };
    let (symbol, title, text) = match error.kind {
        Kind::NoCamera => (
            Symbol::Camera,
            "No camera found".to_owned(),
            "Plug in a camera and try again, or open a video or an image.".to_owned(),
        ),
        Kind::NoSuchCamera => {
            (Symbol::Camera, format!("{} was not found", name_of(source)), format!("{subject}: {words}"))
        }
        Kind::AmbiguousCamera => {
            let text =
                format!("{subject}: several cameras have this name. Choose one; it is remembered by its device.");
            (Symbol::Camera, "Which camera?".into(), text)
        }
        Kind::PermissionDenied => (
            Symbol::Camera,
            "Camera permission missing".into(),
            format!("{subject} may not be used by this program.\n{}", permission_remedy()),
        ),
        Kind::Busy => (
            Symbol::Camera,
            "Camera busy".into(),
            format!("{subject} is in use by another program. Close that program, then try again."),
        ),
        Kind::NotFound => (Symbol::File, "There is no such file".into(), format!("{subject}: {words}")),
        Kind::Unreadable => (Symbol::File, "This file cannot be read".into(), format!("{subject}: {words}")),
        Kind::Unsupported => (Symbol::File, "This kind of file is not supported".into(), format!("{subject}: {words}")),
        Kind::EmptyFolder => (Symbol::File, "No images in this folder".into(), format!("{subject}: {words}")),
        Kind::Other => {
            let symbol = if matches!(source, SourceSpec::Camera(_)) { Symbol::Camera } else { Symbol::File };
            (symbol, format!("{} cannot be shown", name_of(source)), format!("{subject}: {words}"))
        }
    };
    let mut buttons = other_ways(source);
    let some_cameras = || cameras.iter().take(2).map(|camera| use_camera(camera, cameras));
    match error.kind {
        Kind::NoSuchCamera => {
            buttons.splice(1..1, some_cameras());
        }
        // The same file gives the same answer.
        Kind::Unreadable | Kind::Unsupported => {
            buttons = with_demo(std::iter::once(open_file()).chain(some_cameras().take(1)).collect(), source);
        }
        Kind::EmptyFolder => {
            let folder = ("Open a folder…".to_owned(), Action::OpenFolder.into());
            buttons = with_demo(vec![folder, open_file()], source);
        }
        // It may come with a disk that is plugged in.
        Kind::NotFound => buttons.swap(0, 1),
        Kind::AmbiguousCamera => {
            // Trying again changes nothing; each of those that are meant is a way on.
            let meant = match source {
                SourceSpec::Camera(choice) => choice.fitting(cameras, |camera| camera),
                SourceSpec::Demo | SourceSpec::Path(_) => Vec::new(),
            };
            let kept = usize::from(!meant.is_empty());
            buttons.splice(0..kept, meant.into_iter().take(4).map(|camera| use_camera(camera, cameras)));
        }
        _ => {}
    }
    Page { symbol, title: sentence_case(&title), text, buttons }
}

/// What to do about a missing permission, as this system wants it.
fn permission_remedy() -> &'static str {
    if cfg!(target_os = "macos") {
        "Allow it under System Settings, Privacy & Security, Camera; then start facelens again."
    } else if cfg!(target_os = "windows") {
        "Allow it under Settings, Privacy & security, Camera (\"Let desktop apps access your camera\"); then try again."
    } else {
        "Add your user to the group \"video\" (sudo usermod -aG video $USER), log out and in again; in a Flatpak or \
         Snap, allow the camera there."
    }
}

/// A sentence's first letter as a capital.
fn sentence_case(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What [`name_of`] gives, for the start of a line; the names of files and cameras stay as they are.
pub(crate) fn capitalised(name: &str) -> String {
    name.strip_prefix("the ").map_or_else(|| name.to_owned(), |rest| format!("The {rest}"))
}

/// An error as a sentence of its own.
pub(crate) fn sentence(text: &str) -> String {
    let text = sentence_case(text.trim());
    if text.ends_with(['.', '!', '?']) { text } else { text + "." }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake::camera_info as info;

    fn camera() -> SourceSpec {
        SourceSpec::Camera(CameraChoice::Any)
    }

    fn page(kind: SourceErrorKind) -> Page {
        let error = SourceError::new(kind, "thing", "the cause", "do this");
        view(&SourceState::Failed(error), true, &camera(), &[]).page.unwrap()
    }

    #[test]
    fn every_failure_is_a_page_of_its_own_with_a_way_on() {
        use SourceErrorKind as Kind;
        let kinds = [
            Kind::NoCamera,
            Kind::NoSuchCamera,
            Kind::AmbiguousCamera,
            Kind::PermissionDenied,
            Kind::Busy,
            Kind::NotFound,
            Kind::Unreadable,
            Kind::Unsupported,
            Kind::EmptyFolder,
            Kind::Other,
        ];
        let mut titles: Vec<_> = kinds.into_iter().map(|kind| page(kind).title).collect();
        titles.sort();
        titles.dedup();
        assert_eq!(titles.len(), kinds.len());
        for kind in kinds {
            let expected: &[&str] = match kind {
                Kind::Unreadable | Kind::Unsupported => &["Open a file…", "Watch the demo"],
                Kind::EmptyFolder => &["Open a folder…", "Open a file…", "Watch the demo"],
                Kind::NotFound => &["Open a file…", "Try again", "Watch the demo"],
                _ => &["Try again", "Open a file…", "Watch the demo"],
            };
            let buttons: Vec<_> = page(kind).buttons.into_iter().map(|(text, _)| text).collect();
            assert_eq!(buttons, expected, "{kind:?}");
        }
        assert!(page(Kind::Unreadable).text.contains("The cause.\nDo this."));
    }

    #[test]
    fn a_lost_camera_dims_its_last_picture_and_says_that_it_is_waited_for() {
        let shown = SourceState::Disconnected { info: info(), reason: "No such device".into() };
        let lost = view(&shown, true, &camera(), &[]);
        assert!(lost.dimmed && lost.page.is_none());
        assert!(lost.banner.unwrap().text.contains("waiting for it to come back"));
        assert!(view(&shown, false, &camera(), &[]).page.unwrap().title.contains("HD Webcam"));
    }

    #[test]
    fn a_page_about_a_file_offers_the_camera_and_one_about_a_camera_names_it() {
        let cameras = [crate::app::fake::camera(0, "HD Webcam")];
        let buttons = |kind, source: SourceSpec| {
            let error = SourceError::new(kind, "thing", "the cause", "do this");
            let page = view(&SourceState::Failed(error), false, &source, &cameras).page.unwrap();
            (page.title, page.buttons.into_iter().map(|(text, _)| text).collect::<Vec<_>>())
        };
        let (_, ways) = buttons(SourceErrorKind::Unreadable, SourceSpec::Path("notes.txt".into()));
        assert_eq!(ways, ["Open a file…", "Use HD Webcam", "Watch the demo"]);
        let desk = SourceSpec::Camera(CameraChoice::Name("Desk Cam".into()));
        let (title, ways) = buttons(SourceErrorKind::NoSuchCamera, desk);
        assert_eq!(title, "Desk Cam was not found");
        assert_eq!(ways, ["Try again", "Use HD Webcam", "Open a file…", "Watch the demo"]);
    }

    #[test]
    fn silence_is_counted_in_seconds() {
        let shown = SourceState::Stalled { info: info(), silent_secs: 3.4 };
        let view = view(&shown, true, &camera(), &[]);
        assert!(view.banner.unwrap().text.contains("No image from HD Webcam for 3 s"));
    }

    #[test]
    fn before_the_first_picture_the_source_is_named() {
        let view = view(&SourceState::Opening, false, &SourceSpec::Path("clips/a.mp4".into()), &[]);
        assert_eq!(view.page.unwrap().title, "Opening a.mp4");
    }

    #[test]
    fn the_demo_says_so_and_offers_the_first_camera() {
        let cameras = [crate::app::fake::camera(0, "HD Webcam")];
        let with = view(&SourceState::Running(info()), true, &SourceSpec::Demo, &cameras).banner.unwrap();
        assert!(with.text.contains("demo"));
        assert_eq!(with.button.unwrap().0, "Use HD Webcam");
        let without = view(&SourceState::Running(info()), true, &SourceSpec::Demo, &[]).banner.unwrap();
        assert!(without.text.contains("Plug in a camera"));
        assert_eq!(view(&SourceState::Running(info()), true, &camera(), &cameras).banner, None);
    }

    #[test]
    fn a_file_that_is_over_keeps_its_picture_and_can_be_played_again() {
        let view = view(&SourceState::Ended(info()), true, &SourceSpec::Path("a.mp4".into()), &[]);
        assert!(!view.dimmed && view.page.is_none());
        assert_eq!(view.banner.unwrap().button.unwrap().1, Action::Restart.into());
    }
}
