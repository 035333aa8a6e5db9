//! Pictures of six pages beside those that were accepted: they show what tests by widgets do not see, as colours, sizes and
//! what covers what.
//!
//! egui's own pictures need wgpu and a driver, minutes of building; [`raster`] paints the same triangles. To accept
//! pictures that were meant to change: `FACELENS_ACCEPT_PICTURES=1 cargo test pictures`, then look at them.

use std::path::Path;

use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use facelens_core::track::Face;
use facelens_session::SessionFolder;
use facelens_session::library::SessionState;
use image::imageops::{self, FilterType};
use image::{RgbImage, open};

use super::library::{details, entry};
use super::raster::paint;
use super::*;
use crate::settings::ThemeChoice;
use crate::testing::session::{rows, write};

/// A channel of a pixel that differs by more than this is seen.
const SEEN: u8 = 24;
/// So many pixels may differ: other machines round other sums.
const MOST: usize = 30;

/// How many pixels of two pictures differ so that it is seen.
fn different(a: &RgbImage, b: &RgbImage) -> usize {
    assert_eq!(a.dimensions(), b.dimensions());
    a.pixels().zip(b.pixels()).filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > SEEN)).count()
}

impl Test {
    /// The window at half its size.
    fn painted(&mut self) -> RgbImage {
        self.steps();
        let whole = paint(&self.window, &self.textures);
        imageops::resize(&whole, whole.width() / 2, whole.height() / 2, FilterType::Triangle)
    }

    /// Compares the window with the picture of this name, and gives what it is now.
    #[track_caller]
    fn looks_like(&mut self, name: &str) -> RgbImage {
        let picture = self.painted();
        let accepted = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/window/{name}.png"));
        if std::env::var_os("FACELENS_ACCEPT_PICTURES").is_some() {
            picture.save(&accepted).unwrap();
            return picture;
        }
        let count = different(&picture, &open(&accepted).unwrap().into_rgb8());
        if count > MOST {
            let new = std::env::temp_dir().join(format!("facelens-{name}.png"));
            picture.save(&new).unwrap();
            panic!("{count} pixels of {} differ from {}", new.display(), accepted.display());
        }
        picture
    }

    /// A camera's image with two people.
    fn show_people(&mut self) {
        let frame = Arc::new(Frame::from_rgb(32, 24, [70, 90, 80].repeat(32 * 24)).unwrap());
        let faces = vec![
            Face { rect: Rect::new(6.0, 7.0, 8.0, 8.0), ..face(1) },
            Face { rect: Rect::new(20.0, 9.0, 6.0, 6.0), age: None, ..face(2) },
        ];
        self.fake.play(0, &[]);
        let mut stage = self.fake.0.borrow_mut();
        stage.frame = Some(Arc::clone(&frame));
        stage.analysis = Some(analysis(frame, faces));
    }
}

#[test]
fn the_live_picture_with_its_panel() {
    let mut test = Test::new();
    test.report(TaskReport::Cameras(Ok(vec![camera(0, "HD Webcam")])));
    test.shipped();
    test.show_people();
    let before = test.looks_like("live");
    test.press(Key::B);
    assert!(different(&before, &test.painted()) > MOST, "boxes that are gone are seen");
}

#[test]
fn the_first_start() {
    let mut test = Test::with(&AppOptions::default(), Settings { welcomed: false, ..unfolded() });
    test.show_people();
    test.looks_like("welcome");
}

#[test]
fn a_camera_that_is_not_there_in_the_smallest_window() {
    let options = AppOptions { source: Some("camera:9".parse().unwrap()), ..AppOptions::default() };
    let mut test = Test::with(&options, Settings::default());
    test.window.set_size(crate::app::MIN_SIZE.into());
    test.failed(SourceErrorKind::NoSuchCamera);
    test.looks_like("no-camera");
}

#[test]
fn the_library_of_sessions() {
    let mut test = Test::library(&[
        entry("session-a", SessionState::Complete),
        entry("session-b", SessionState::Interrupted),
        entry("session-c", SessionState::Failed("the disk is full".into())),
    ]);
    let session = PathBuf::from("/videos/facelens/session-a");
    test.report(TaskReport::SessionDetails { session, details: Ok(details(Some(2), &[])) });
    test.report(TaskReport::SessionsRead);
    test.looks_like("library");
}

#[test]
fn the_preferences_in_light_colours() {
    let folder = || Some(PathBuf::from("/videos/facelens"));
    let settings = Settings {
        theme: ThemeChoice::Light,
        sessions_folder: folder(),
        snapshots_folder: folder(),
        ..Settings::default()
    };
    let mut test = Test::with(&AppOptions::default(), settings);
    test.show_people();
    test.steps();
    test.window.state_mut().dialog = Some(Dialog::Preferences);
    test.looks_like("preferences");
}

#[test]
fn a_session_that_is_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let session = folder.path().join("session-2026-01-02_03-04-05");
    std::fs::create_dir(&session).unwrap();
    write(&session, &rows(), &[]);
    let mut test = Test::new();
    test.report(TaskReport::Session(SessionFolder::open(&session).map(Box::new)));
    test.press(Key::End);
    test.looks_like("replay");
}
