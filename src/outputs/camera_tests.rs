use std::cell::RefCell;

use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use facelens_core::track::Face;
use facelens_media::SourceErrorKind;
use facelens_session::overlay::SceneOptions;

use super::*;

thread_local! {
    /// The played device of this test.
    static DEVICE: RefCell<Device> = RefCell::default();
}

#[derive(Default)]
struct Device {
    /// Why it cannot be opened.
    closed: Option<SourceErrorKind>,
    /// It fails so with the next picture.
    fails: Option<SourceErrorKind>,
    opened: Vec<(u32, u32)>,
    /// Each picture that was shown: the value of a pixel in its corner, and whether it was shown again.
    shown: Vec<(u8, bool)>,
}

fn device<T>(use_it: impl FnOnce(&mut Device) -> T) -> T {
    DEVICE.with_borrow_mut(use_it)
}

fn error(kind: SourceErrorKind) -> SourceError {
    SourceError::new(kind, "facelens (/dev/video10)", format!("it is {kind:?}"), "")
}

#[derive(Default)]
struct Played {
    corner: u8,
}

impl Played {
    fn show(&mut self, corner: u8, again: bool) -> Result<bool, SourceError> {
        self.corner = corner;
        device(|device| {
            if let Some(kind) = device.fails.take() {
                return Err(error(kind));
            }
            device.shown.push((corner, again));
            Ok(true)
        })
    }
}

impl ShowsPictures for Played {
    fn words(&self) -> String {
        "facelens (/dev/video10), YUYV 64x48".to_owned()
    }

    fn show(&mut self, rgb: &[u8], _size: (u32, u32)) -> Result<bool, SourceError> {
        Self::show(self, rgb[0], false)
    }

    fn show_black(&mut self) -> Result<bool, SourceError> {
        Self::show(self, 0, false)
    }

    fn show_again(&mut self) -> Result<bool, SourceError> {
        Self::show(self, self.corner, true)
    }
}

fn open(_choice: &CameraChoice, size: (u32, u32)) -> Result<Box<dyn ShowsPictures>, SourceError> {
    device(|device| match device.closed {
        Some(kind) => Err(error(kind)),
        None => {
            device.opened.push(size);
            Ok(Box::new(Played::default()) as Box<dyn ShowsPictures>)
        }
    })
}

/// A stage with its clock.
struct Test {
    stage: CameraStage,
    wishes: Wishes,
    status: Arc<SharedStatus>,
    start: Instant,
    now: Instant,
}

impl Test {
    fn new() -> Self {
        let status = Arc::<SharedStatus>::default();
        let stage = CameraStage::new(CameraChoice::Any, open, Arc::clone(&status), Switch::on());
        let now = Instant::now();
        Self { stage, wishes: Wishes::default(), status, start: now, now }
    }

    /// A frame of this grey, `millis` after the last, with a face in the middle.
    fn frame(&mut self, grey: u8, millis: u64) {
        let source = self.wishes.source;
        self.frame_of(source, grey, millis);
    }

    fn frame_of(&mut self, source: u64, grey: u8, millis: u64) {
        self.now += Duration::from_millis(millis);
        let frame = Frame::from_rgb(64, 48, vec![grey; 64 * 48 * 3]).unwrap();
        let frame = Arc::new(frame.at(0, self.now - self.start));
        let face =
            Face { id: 1, rect: Rect::new(20.0, 14.0, 20.0, 20.0), score: 0.9, age: None, gender: None, pose: None };
        let analysis = Arc::new(Analysis { frame, faces: vec![face], timings: Default::default() });
        self.stage.work(Some((source, analysis)), self.wishes, self.now);
    }

    fn pause(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
        self.stage.work(None, self.wishes, self.now);
    }

    fn status(&self) -> OutputStatus {
        self.status.get()
    }
}

fn shown() -> Vec<(u8, bool)> {
    device(|device| std::mem::take(&mut device.shown))
}

#[test]
fn each_picture_is_shown_once_and_the_last_one_again_while_none_comes() {
    let mut test = Test::new();
    test.pause(200);
    assert_eq!(device(|device| device.opened.clone()), [], "without a picture its size is not known");
    test.frame(40, 33);
    test.frame(50, 33);
    test.pause(200);
    test.pause(200);
    assert_eq!(shown(), [(40, false), (50, false), (50, true), (50, true)]);
    assert_eq!(device(|device| device.opened.clone()), [(64, 48)]);
    let status = OutputStatus { images: 2, camera: Some(Played::default().words()), ..OutputStatus::default() };
    assert_eq!(test.status(), status);
}

#[test]
fn a_device_that_goes_is_told_once_and_found_again() {
    let mut test = Test::new();
    test.frame(40, 33);
    let (fails, closed) = (SourceErrorKind::NoSuchCamera, SourceErrorKind::NoCamera);
    device(|device| (device.fails, device.closed) = (Some(fails), Some(closed)));
    test.frame(50, 33);
    let lost = || Some(error(SourceErrorKind::NoSuchCamera).to_string());
    assert_eq!((test.status().camera, test.status().camera_error), (None, lost()));
    // It is not tried with every frame, and what is told stays.
    for _ in 0..200 {
        test.frame(60, 33);
    }
    assert_eq!((test.status().images, test.status().camera_error), (1, lost()));
    device(|device| device.closed = None);
    for _ in 0..100 {
        test.frame(70, 33);
    }
    assert_eq!(test.status().camera_error, None);
    let shown = shown();
    assert_eq!((shown[0], shown[1]), ((40, false), (70, false)));
}

#[test]
fn a_device_that_refuses_images_while_it_goes_is_told_as_gone_at_last() {
    let mut test = Test::new();
    test.frame(40, 33);
    let (fails, closed) = (SourceErrorKind::Other, SourceErrorKind::Busy);
    device(|device| (device.fails, device.closed) = (Some(fails), Some(closed)));
    test.frame(50, 33);
    let refused = Some(error(SourceErrorKind::Other).to_string());
    assert_eq!(test.status().camera_error, refused);
    test.pause(3100);
    assert_eq!(test.status().camera_error, refused, "why it was lost says more than that it is busy now");
    device(|device| device.closed = Some(SourceErrorKind::NoSuchCamera));
    test.pause(3100);
    let gone = Some("facelens (/dev/video10): it is no longer there".to_owned());
    assert_eq!(test.status().camera_error, gone);
    test.pause(3100);
    assert_eq!(test.status().camera_error, gone);
    device(|device| device.closed = None);
    test.pause(3100);
    assert_eq!(test.status().camera_error, None);
}

#[test]
fn a_device_that_cannot_be_opened_is_tried_again_also_with_a_still_picture() {
    device(|device| device.closed = Some(SourceErrorKind::NoCamera));
    let mut test = Test::new();
    test.frame(40, 33);
    assert_eq!(test.status().camera_error, Some(error(SourceErrorKind::NoCamera).to_string()));
    // The module is there now, but not for this user.
    device(|device| device.closed = Some(SourceErrorKind::PermissionDenied));
    test.pause(2900);
    assert_eq!(test.status().camera_error, Some(error(SourceErrorKind::NoCamera).to_string()));
    test.pause(200);
    assert_eq!(test.status().camera_error, Some(error(SourceErrorKind::PermissionDenied).to_string()));
    device(|device| device.closed = None);
    test.pause(3000);
    assert_eq!((shown(), test.status().camera_error), (vec![(40, false)], None));
}

#[test]
fn a_source_that_is_left_is_black_at_once() {
    let mut test = Test::new();
    test.frame(40, 33);
    test.wishes.source = 1;
    // One of its frames still waited.
    test.frame_of(0, 50, 33);
    test.pause(200);
    test.frame(60, 33);
    assert_eq!(shown(), [(40, false), (0, false), (0, true), (0, true), (60, false)]);
}

#[test]
fn blur_that_is_switched_on_hides_at_once_what_was_shown() {
    let mut test = Test::new();
    test.frame(40, 33);
    test.wishes.look.blur = true;
    test.pause(10);
    for _ in 0..20 {
        test.frame(50, 33);
    }
    // What comes then is half a second late: 20 frames are 660 ms. The first one is what was shown without blur before.
    let black = [(40, false), (0, false), (0, true)];
    assert_eq!(shown(), [&black[..], &[(40, false)], &[(50, false); 4]].concat());
}

#[test]
fn another_overlay_is_painted_on_a_picture_that_stands_still() {
    let mut test = Test::new();
    test.frame(40, 33);
    let picture = |test: &Test| test.stage.pictures.last().unwrap().rgb.to_vec();
    let with_box = picture(&test);
    test.wishes.look.scene = SceneOptions { boxes: false, ..SceneOptions::default() };
    test.pause(200);
    assert_ne!(picture(&test), with_box);
    test.wishes.look.overlay = false;
    test.pause(200);
    assert!(picture(&test).iter().all(|value| *value == 40));
    assert_eq!(shown(), [(40, false); 3]);
}

#[test]
fn a_device_is_given_free_before_the_next_thread_opens_it() {
    use std::sync::atomic::{AtomicU32, Ordering};
    static OPEN: AtomicU32 = AtomicU32::new(0);
    static MOST: AtomicU32 = AtomicU32::new(0);
    struct Counted;
    impl Drop for Counted {
        fn drop(&mut self) {
            OPEN.fetch_sub(1, Ordering::SeqCst);
        }
    }
    impl ShowsPictures for Counted {
        fn words(&self) -> String {
            String::new()
        }
        fn show(&mut self, _rgb: &[u8], _size: (u32, u32)) -> Result<bool, SourceError> {
            Ok(true)
        }
        fn show_black(&mut self) -> Result<bool, SourceError> {
            Ok(true)
        }
        fn show_again(&mut self) -> Result<bool, SourceError> {
            Ok(true)
        }
    }
    fn open_counted(_choice: &CameraChoice, _size: (u32, u32)) -> Result<Box<dyn ShowsPictures>, SourceError> {
        MOST.fetch_max(OPEN.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Ok(Box::new(Counted))
    }
    let (steering, status) = (Arc::<CameraSteering>::default(), Arc::<SharedStatus>::default());
    let frame = Arc::new(Frame::from_rgb(4, 4, vec![0; 48]).unwrap());
    let analysis = Arc::new(Analysis { frame, faces: Vec::new(), timings: Default::default() });
    for round in 1..=5 {
        let choice = CameraChoice::Index(round);
        let lane = CameraLane::start(choice, open_counted, Arc::clone(&steering), Arc::clone(&status)).unwrap();
        lane.offer(&analysis);
        while status.get().images < u64::from(round) {
            std::thread::sleep(Duration::from_millis(1));
        }
        // Its thread ends by itself.
        drop(lane);
    }
    assert_eq!(MOST.load(Ordering::SeqCst), 1);
}
