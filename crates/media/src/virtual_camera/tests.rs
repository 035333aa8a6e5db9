//! The virtual camera with a played device.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::driver::{OutputCard, OutputNode, SetOutput};
use super::*;
use crate::SourceErrorKind;

const EINVAL: i32 = 22;
const ENODEV: i32 = 19;

/// What a played device does, and what was done with it.
#[derive(Clone, Debug)]
struct Played {
    name: &'static str,
    driver: &'static str,
    takes: bool,
    is_virtual: bool,
    /// The error of opening it.
    closed: Option<i32>,
    /// The pixels that it knows; the first is its answer to others, unless it refuses them.
    pixels: Vec<[u8; 4]>,
    refuses: bool,
    /// The size that it keeps.
    size: Option<(u32, u32)>,
    /// The answers to the next pictures, then each is taken.
    answers: Vec<Answer>,
    /// It is gone after this many further calls.
    calls_left: Option<usize>,
    set: Vec<SetOutput>,
    written: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug)]
enum Answer {
    Error(i32),
    Takes(usize),
}

impl Default for Played {
    fn default() -> Self {
        Self {
            name: "facelens",
            driver: "v4l2 loopback",
            takes: true,
            is_virtual: true,
            closed: None,
            pixels: vec![*b"YUYV"],
            refuses: false,
            size: None,
            answers: Vec::new(),
            calls_left: None,
            set: Vec::new(),
            written: Vec::new(),
        }
    }
}

impl Played {
    fn is_there(&mut self) -> io::Result<()> {
        match &mut self.calls_left {
            Some(0) => Err(io::Error::from_raw_os_error(ENODEV)),
            Some(calls) => {
                *calls -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn camera() -> Self {
        Self { name: "HD Webcam", driver: "uvcvideo", takes: false, is_virtual: false, ..Self::default() }
    }
}

/// The devices of a played machine by their numbers. Tests that run at once have numbers of their own.
#[derive(Clone, Default)]
struct Machine(Arc<Mutex<BTreeMap<u32, Played>>>);

impl Machine {
    fn new<const N: usize>(devices: [(u32, Played); N]) -> Self {
        Self(Arc::new(Mutex::new(devices.into())))
    }

    fn of<T>(&self, index: u32, use_it: impl FnOnce(&mut Played) -> T) -> T {
        use_it(self.0.lock().unwrap().get_mut(&index).unwrap())
    }

    fn open(&self, choice: &str) -> Result<VirtualCamera, SourceError> {
        let Ok(choice) = choice.parse();
        VirtualCamera::open_in(self, &choice, (64, 48))
    }

    fn error(&self, choice: &str) -> SourceError {
        self.open(choice).err().unwrap()
    }
}

fn path(index: u32) -> PathBuf {
    format!("/dev/played{index}").into()
}

impl OutputSystem for Machine {
    fn nodes(&self) -> io::Result<Vec<OutputNode>> {
        let node = |(index, played): (&u32, &Played)| OutputNode {
            index: *index,
            path: path(*index),
            name: Some(played.name.to_owned()),
            is_virtual: played.is_virtual,
        };
        Ok(self.0.lock().unwrap().iter().map(node).collect())
    }

    fn open(&self, at: &Path) -> io::Result<Box<dyn OutputDevice>> {
        let index = self.0.lock().unwrap().keys().copied().find(|index| path(*index) == at);
        let index = index.ok_or_else(|| io::Error::from_raw_os_error(2))?;
        match self.of(index, |played| played.closed) {
            Some(error) => Err(io::Error::from_raw_os_error(error)),
            None => Ok(Box::new(Node(self.clone(), index))),
        }
    }
}

struct Node(Machine, u32);

impl OutputDevice for Node {
    fn card(&self) -> io::Result<OutputCard> {
        self.0.of(self.1, |played| {
            played.is_there()?;
            Ok(OutputCard { name: played.name.into(), driver: played.driver.into(), takes: played.takes })
        })
    }

    fn set(&self, fourcc: [u8; 4], width: u32, height: u32) -> io::Result<SetOutput> {
        self.0.of(self.1, |played| {
            played.is_there()?;
            let known = played.pixels.contains(&fourcc);
            if played.refuses && !known {
                return Err(io::Error::from_raw_os_error(EINVAL));
            }
            let (width, height) = played.size.unwrap_or((width, height));
            let fourcc = if known { fourcc } else { played.pixels[0] };
            let set = SetOutput { fourcc, width, height, stride: 0 };
            played.set.push(set);
            Ok(set)
        })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.of(self.1, |played| {
            played.is_there()?;
            if played.answers.is_empty() {
                played.written.push(bytes.to_vec());
                return Ok(bytes.len());
            }
            match played.answers.remove(0) {
                Answer::Error(error) => Err(io::Error::from_raw_os_error(error)),
                Answer::Takes(bytes) => Ok(bytes),
            }
        })
    }
}

#[test]
fn a_picture_is_written_as_the_device_takes_it_and_once_more_when_asked() {
    let machine = Machine::new([(0, Played::camera()), (10, Played::default())]);
    let mut camera = machine.open("").unwrap();
    assert_eq!((camera.name(), camera.format().as_str()), ("facelens (/dev/played10)", "YUYV 64x48"));
    assert_eq!(camera.show_again(), Ok(false), "nothing was shown yet");
    assert_eq!(camera.show(&[255; 64 * 48 * 3], (64, 48)), Ok(true));
    assert_eq!(camera.show_again(), Ok(true));
    assert_eq!(camera.show_black(), Ok(true));
    let written = machine.of(10, |played| played.written.clone());
    assert_eq!(written.iter().map(Vec::len).collect::<Vec<_>>(), [64 * 48 * 2; 3]);
    let firsts: Vec<[u8; 4]> = written.iter().map(|bytes| bytes[..4].try_into().unwrap()).collect();
    assert_eq!(firsts, [[235, 128, 235, 128], [235, 128, 235, 128], [16, 128, 16, 128]]);
}

#[test]
fn a_device_that_keeps_its_format_gets_every_picture_in_it() {
    // Somebody reads it already: it answers with what it has.
    let kept = Played { pixels: vec![*b"RGB3"], size: Some((40, 20)), ..Played::default() };
    let machine = Machine::new([(11, kept)]);
    let mut camera = machine.open("").unwrap();
    assert_eq!(camera.format(), "RGB 40x20");
    for size in [(64, 48), (30, 30), (1920, 1080)] {
        assert_eq!(camera.show(&vec![7; (size.0 * size.1 * 3) as usize], size), Ok(true));
    }
    let lengths = machine.of(11, |played| played.written.iter().map(Vec::len).collect::<Vec<_>>());
    assert_eq!(lengths, [40 * 20 * 3; 3]);
    assert_eq!(machine.of(11, |played| played.set.len()), 1, "it is never set again");
}

#[test]
fn the_kinds_of_pixels_are_tried_in_turn() {
    let old = Played { pixels: vec![*b"YU12", *b"RGB3"], refuses: true, ..Played::default() };
    let machine = Machine::new([(12, old)]);
    assert_eq!(machine.open("").unwrap().format(), "YU12 64x48");
    machine.of(12, |played| played.pixels = vec![*b"GREY"]);
    let error = machine.error("");
    assert!(
        error.cause.contains("Invalid argument") && error.subject == "virtual camera facelens (/dev/played12)",
        "{error}"
    );
    machine.of(12, |played| played.refuses = false);
    assert!(machine.error("").cause.contains("it takes no YUYV images"));
}

#[test]
fn large_and_odd_pictures_become_what_calls_take() {
    assert_eq!(fitting_size((1280, 720)), (1280, 720));
    assert_eq!(fitting_size((641, 481)), (640, 480));
    assert_eq!(fitting_size((3840, 2160)), (1920, 1080));
    assert_eq!(fitting_size((6000, 4000)), (1620, 1080));
    assert_eq!(fitting_size((1, 1)), (2, 2));
    assert_eq!(fitting_size((100_000, 10)), (1920, 2));
}

#[test]
fn the_first_free_virtual_camera_is_meant_or_the_one_that_is_named() {
    let used = Played { takes: false, ..Played::default() };
    let hardware = Played { name: "TV out", driver: "tv", is_virtual: false, ..Played::default() };
    let free = Played { name: "OBS Virtual Camera", ..Played::default() };
    let machine = Machine::new([(0, Played::camera()), (3, hardware), (20, used), (21, free)]);
    let name = |choice: &str| machine.open(choice).map(|camera| camera.name().to_owned());
    assert_eq!(name("").unwrap(), "OBS Virtual Camera (/dev/played21)");
    assert_eq!(name("obs").unwrap(), "OBS Virtual Camera (/dev/played21)");
    assert_eq!(name("3").unwrap(), "TV out (/dev/played3)");
    assert_eq!(name("/dev/played21").unwrap(), "OBS Virtual Camera (/dev/played21)");
    assert_eq!(machine.error("20").kind, SourceErrorKind::Busy);
    for camera in ["0", "webcam", "7"] {
        let error = machine.error(camera);
        assert_eq!(error.kind, SourceErrorKind::NoSuchCamera);
        let others = "20 (facelens), 21 (OBS Virtual Camera), 3 (TV out)";
        assert!(error.to_string().ends_with(&format!("there are: {others}")), "{error}");
    }
    machine.of(21, |played| played.name = "facelens");
    assert_eq!(machine.error("facelens").kind, SourceErrorKind::AmbiguousCamera);
    let listed: Vec<u32> = choose::list(&machine).unwrap().iter().map(|info| info.index).collect();
    assert_eq!(listed, [20, 21, 3], "those without hardware first, also while they are in use; no cameras");
}

#[test]
fn what_is_wrong_is_told_with_what_to_do() {
    let none = Machine::new([(0, Played::camera())]).error("");
    assert_eq!(none.kind, SourceErrorKind::NoCamera);
    assert_eq!(
        none.to_string(),
        "virtual camera: there is none on this machine; install v4l2loopback (on Debian and Ubuntu the package \
         v4l2loopback-dkms) and run `sudo modprobe v4l2loopback exclusive_caps=1 card_label=facelens`"
    );
    let machine = Machine::new([(30, Played { closed: Some(13), ..Played::default() })]);
    let denied = machine.error("");
    assert_eq!(denied.kind, SourceErrorKind::PermissionDenied);
    assert!(denied.to_string().contains("/dev/played30") && denied.remedy.contains("group `video`"), "{denied}");
    machine.of(30, |played| played.closed = Some(16));
    assert_eq!(machine.error("30").kind, SourceErrorKind::Busy);
}

#[test]
fn a_device_that_goes_is_told_and_one_without_room_is_no_error() {
    let answers = vec![Answer::Error(11), Answer::Error(4), Answer::Error(19)];
    let machine = Machine::new([(40, Played { answers, ..Played::default() })]);
    let mut camera = machine.open("").unwrap();
    let picture = [90; 64 * 48 * 3];
    assert_eq!(camera.show(&picture, (64, 48)), Ok(false), "no room at the moment");
    // Interrupted, it is tried at once again.
    let gone = camera.show(&picture, (64, 48)).unwrap_err();
    assert_eq!(gone.kind, SourceErrorKind::NoSuchCamera);
    assert!(gone.to_string().starts_with("virtual camera facelens (/dev/played40): it is no longer there"), "{gone}");
    machine.of(40, |played| played.answers = vec![Answer::Takes(5)]);
    assert!(camera.show(&picture, (64, 48)).unwrap_err().cause.contains("only 5 of the 6144 bytes"));
    assert!(camera.show(&[0; 5], (64, 48)).unwrap_err().cause.contains("5 bytes are no 64x48 image"));
}

#[test]
fn a_device_that_goes_during_a_call_is_told_as_one_that_is_gone() {
    // The kernel ends the call as it ends one on a stopped stream.
    let answers = vec![Answer::Error(EINVAL), Answer::Error(EINVAL)];
    let machine = Machine::new([(41, Played { answers, ..Played::default() })]);
    let mut camera = machine.open("").unwrap();
    let refused = camera.show_black().unwrap_err();
    assert!(refused.kind == SourceErrorKind::Other && refused.cause.contains("Invalid argument"), "{refused}");
    machine.of(41, |played| played.calls_left = Some(1));
    let gone = camera.show_black().unwrap_err();
    assert!(gone.kind == SourceErrorKind::NoSuchCamera && gone.cause == "it is no longer there", "{gone}");
    // While its format is set: one call asks who it is, four try a kind of pixels.
    let old = Played { pixels: vec![*b"GREY"], refuses: true, calls_left: Some(5), ..Played::default() };
    assert_eq!(Machine::new([(42, old)]).error("").cause, "it is no longer there");
}

#[test]
fn a_device_that_gets_pictures_is_no_camera_of_this_program() {
    let machine = Machine::new([(50, Played::default())]);
    assert!(!is_fed(&path(50)));
    let camera = machine.open("").unwrap();
    assert!(is_fed(&path(50)) && !is_fed(&path(51)));
    drop(camera);
    assert!(!is_fed(&path(50)));
}
