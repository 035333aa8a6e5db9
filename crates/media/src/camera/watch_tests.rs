use crossbeam_channel::{Receiver, Sender, unbounded};

use super::*;
use crate::camera::decode::FrameLayout;
use crate::camera::format::{CameraPixels, Format};
use crate::camera::interval::Interval;

const PATIENCE: Patience = Patience {
    call: Duration::from_millis(20),
    silence: Duration::from_millis(60),
    search: Duration::from_millis(10),
    open: Duration::from_secs(5),
    end: Duration::from_millis(500),
};

/// What the fake device does next.
enum Act {
    Picture(Vec<u8>),
    /// One before which the driver dropped so many.
    After(u64),
    Torn,
    /// One that the driver marks.
    Damaged,
    Unplug,
    Panic,
}

struct FakeGrabber(Receiver<Act>);

impl Grabber for FakeGrabber {
    fn grab(&mut self) -> Result<Raw, Lost> {
        // Blocks like a driver; a test that is over unplugs it.
        match self.0.recv() {
            Ok(Act::Picture(bytes)) => {
                Ok(Raw { picture: GrabbedPicture::Bytes(bytes), captured_at: Instant::now(), missed: 0 })
            }
            Ok(Act::After(missed)) => {
                Ok(Raw { picture: GrabbedPicture::Bytes(vec![5, 5]), captured_at: Instant::now(), missed })
            }
            Ok(Act::Damaged) => Err(Lost::Damaged("the driver says so".into())),
            Ok(Act::Torn) => Err(Lost::Picture("Input/output error (os error 5)".into())),
            Ok(Act::Unplug) | Err(_) => Err(Lost::Gone("No such device (os error 19)".into())),
            Ok(Act::Panic) => panic!("the binding is broken"),
        }
    }
}

/// Each opening takes the next result.
struct FakeOpener {
    results: Receiver<Result<u32, SourceError>>,
    acts: Receiver<Act>,
}

impl Opener for FakeOpener {
    fn open(&mut self) -> Result<(Box<dyn Grabber>, OpenedCamera), SourceError> {
        let error = || SourceError::new(SourceErrorKind::NoSuchCamera, "fake", "not there", "");
        let width = self.results.try_recv().unwrap_or_else(|_| Err(error()))?;
        let format = Format { pixels: CameraPixels::Gray, width, height: 1, interval: Interval::of_fps(30) };
        let opened = OpenedCamera { name: "fake".into(), format, layout: FrameLayout::PLAIN };
        Ok((Box::new(FakeGrabber(self.acts.clone())), opened))
    }
}

struct Device {
    results: Sender<Result<u32, SourceError>>,
    acts: Sender<Act>,
}

impl Device {
    fn act(&self, act: Act) {
        self.acts.send(act).unwrap();
    }
}

fn device() -> (Device, FakeOpener) {
    let ((results, of_opener), (acts, of_grabber)) = (unbounded(), unbounded());
    (Device { results, acts }, FakeOpener { results: of_opener, acts: of_grabber })
}

fn opened() -> (Device, CameraSource) {
    let (device, opener) = device();
    device.results.send(Ok(2)).unwrap();
    (device, CameraSource::open(opener, PATIENCE).unwrap())
}

/// Asks until something fits; gives up after 5 s.
fn ask_until<T>(source: &mut CameraSource, fits: impl Fn(Next) -> Option<T>) -> T {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if let Some(found) = fits(source.next().unwrap()) {
            return found;
        }
    }
    panic!("it did not come");
}

fn frame(next: Next) -> Option<facelens_core::frame::Frame> {
    match next {
        Next::Frame(frame) => Some(frame),
        _ => None,
    }
}

#[test]
fn pictures_come_with_what_was_got() {
    let (device, mut source) = opened();
    assert_eq!(source.info().format, "GREY 2x1 at 30 fps");
    assert_eq!((source.info().kind, source.info().size), (SourceKind::Camera, Some((2, 1))));
    device.act(Act::Picture(vec![10, 20]));
    let first = ask_until(&mut source, frame);
    assert_eq!((first.sequence, first.time, first.rgb()), (0, Duration::ZERO, &[10, 10, 10, 20, 20, 20][..]));
    device.act(Act::Picture(vec![1, 2]));
    let second = ask_until(&mut source, frame);
    assert!(second.sequence == 1 && second.time > Duration::ZERO);
}

#[test]
fn the_newest_picture_wins_and_leaves_a_gap() {
    let (device, mut source) = opened();
    for value in 0..5 {
        device.act(Act::Picture(vec![value; 2]));
    }
    let start = Instant::now();
    while source.shared.lock().grabbed < 5 && start.elapsed() < Duration::from_secs(5) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let frame = ask_until(&mut source, frame);
    assert_eq!((frame.sequence, frame.rgb()[0]), (4, 4));
}

#[test]
fn what_the_driver_dropped_leaves_a_gap() {
    let (device, mut source) = opened();
    device.act(Act::Picture(vec![1, 2]));
    assert_eq!(ask_until(&mut source, frame).sequence, 0);
    device.act(Act::After(3));
    assert_eq!(ask_until(&mut source, frame).sequence, 4);
    device.act(Act::Picture(vec![1, 2]));
    assert_eq!(ask_until(&mut source, frame).sequence, 5);
}

#[test]
fn silence_is_reported_and_ends_with_the_next_picture() {
    let (device, mut source) = opened();
    assert!(matches!(source.next(), Ok(Next::Waiting)));
    let silent_for = ask_until(&mut source, |next| match next {
        Next::Stalled { silent_for } => Some(silent_for),
        Next::Waiting => None,
        other => panic!("{other:?}"),
    });
    assert!(silent_for >= PATIENCE.silence);
    device.act(Act::Picture(vec![1, 2]));
    ask_until(&mut source, frame);
    assert!(matches!(source.next(), Ok(Next::Waiting)));
}

#[test]
fn an_unplugged_camera_is_reported_and_comes_back_by_itself() {
    let (device, mut source) = opened();
    device.act(Act::Picture(vec![1, 2]));
    ask_until(&mut source, frame);
    device.act(Act::Unplug);
    let reason = ask_until(&mut source, |next| match next {
        Next::Disconnected { reason } => Some(reason),
        _ => None,
    });
    assert!(reason.contains("No such device"), "{reason}");
    // It stays gone for some looks, then comes back in another format.
    for _ in 0..3 {
        assert!(matches!(source.next(), Ok(Next::Disconnected { .. })));
    }
    device.results.send(Ok(4)).unwrap();
    device.act(Act::Picture(vec![9; 4]));
    let back = ask_until(&mut source, frame);
    assert_eq!((back.width(), back.sequence), (4, 1));
    assert_eq!(source.info().size, Some((4, 1)));
}

#[test]
fn torn_pictures_are_passed_over_but_not_for_ever() {
    let (device, mut source) = opened();
    device.act(Act::Torn);
    device.act(Act::Picture(vec![1]));
    let start = Instant::now();
    while source.broken == 0 && start.elapsed() < Duration::from_secs(5) {
        assert!(!matches!(source.next(), Ok(Next::Frame(_))));
    }
    assert_eq!(source.broken, 1);
    device.act(Act::Picture(vec![3, 4]));
    ask_until(&mut source, frame);
    for _ in 0..MAX_FAILURES {
        device.act(Act::Torn);
    }
    ask_until(&mut source, |next| matches!(next, Next::Disconnected { .. }).then_some(()));
}

#[test]
fn pictures_that_the_driver_marks_are_left_out_and_counted() {
    let (device, mut source) = opened();
    // However many they are, the camera is not gone.
    for _ in 0..2 * MAX_FAILURES {
        device.act(Act::Damaged);
    }
    device.act(Act::Picture(vec![1]));
    device.act(Act::After(u64::from(2 * MAX_FAILURES) + 1));
    assert!(ask_until(&mut source, frame).sequence > 20);
    // The short one may have been replaced before it was looked at.
    assert!((20..=21).contains(&source.damaged()), "{}", source.damaged());
}

#[test]
fn a_panic_in_the_driver_is_a_camera_that_is_gone() {
    let (device, mut source) = opened();
    device.act(Act::Panic);
    ask_until(&mut source, |next| matches!(next, Next::Disconnected { .. }).then_some(()));
    device.results.send(Ok(2)).unwrap();
    device.act(Act::Picture(vec![1, 2]));
    ask_until(&mut source, frame);
}

#[test]
fn a_camera_that_does_not_open_says_why() {
    let (device, opener) = device();
    device.results.send(Err(SourceError::new(SourceErrorKind::Busy, "fake", "in use", ""))).unwrap();
    let Err(error) = CameraSource::open(opener, PATIENCE) else { panic!("opened") };
    assert_eq!(error.kind, SourceErrorKind::Busy);
}

#[test]
fn closing_does_not_wait_for_a_driver_that_blocks() {
    let (device, source) = opened();
    let start = Instant::now();
    drop(source);
    assert!(start.elapsed() < Duration::from_secs(3));
    drop(device);
}
