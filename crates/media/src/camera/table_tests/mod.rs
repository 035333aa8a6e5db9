//! A table of cameras: what each of them says and gives, and what is to be seen of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

mod controls;
mod fake;

use std::io;
use std::rc::Rc;
use std::time::Instant;

use facelens_core::frame::Frame;
use openh264::encoder::Encoder;
use openh264::formats::{RgbSliceU8, YUVBuffer};

use self::fake::{Clock, FakeCamera, FakeDriver, Fate, PICTURES};
use super::decode::layout::planes;
use super::decode::{Decoder, FrameLayout};
use super::driver::Sizes;
use super::encode::encode;
use super::format::{CameraPixels, Format, ranked};
use super::grab::{GrabbedPicture, Grabber as _, Lost};
use super::interval::{Interval, Rates};
use super::offers::offers;
use super::stream;
use super::wish::CameraFormat;

/// What is to be seen of a camera.
struct Seen {
    format: &'static str,
    frames: u32,
    damaged: u32,
    /// Frames a second by the pictures' own times.
    fps: f64,
}

const ALL: Seen = Seen { format: "YUYV 64x48 at 30 fps", frames: PICTURES, damaged: 0, fps: 30.0 };

fn each(intervals: &[(u32, u32)]) -> Rates {
    Rates::Each(intervals.iter().map(|&(numerator, denominator)| Interval::new(numerator, denominator)).collect())
}

fn range(shortest: (u32, u32), longest: (u32, u32)) -> Rates {
    let interval = |(numerator, denominator)| Interval::new(numerator, denominator);
    Rates::Range { shortest: interval(shortest), longest: interval(longest), step: interval((1, 1)) }
}

/// Left red, right blue.
fn scene(width: u32, height: u32) -> Frame {
    let pixel = |x: u32| if x < width / 2 { [200, 60, 40] } else { [40, 60, 200] };
    let rgb = (0..height).flat_map(|_| (0..width).flat_map(pixel)).collect();
    Frame::from_rgb(width, height, rgb).unwrap()
}

fn bytes(fourcc: [u8; 4], width: u32, height: u32) -> Vec<u8> {
    CameraPixels::of_fourcc(fourcc).map_or(Vec::new(), |pixels| encode(pixels, &scene(width, height)).unwrap())
}

/// A well-behaved camera of these modes.
fn fake(modes: &[(&[u8; 4], (u32, u32), Rates)]) -> FakeDriver {
    FakeDriver {
        modes: modes.iter().map(|(fourcc, size, rates)| (**fourcc, *size, rates.clone())).collect(),
        lists_formats: true,
        lists_sizes: true,
        size_range: None,
        lists_rates: true,
        can_probe: true,
        can_set_rate: true,
        can_get_rate: true,
        rate: None,
        takes: None,
        refuses: None,
        stride: 0,
        full_range: false,
        clock: Clock::Monotonic,
        counts: true,
        fate: |_| Fate::Good,
        controls: Vec::new(),
        picture: Rc::new(|fourcc, width, height, _| bytes(fourcc, width, height)),
    }
}

fn plain(fourcc: &[u8; 4]) -> FakeDriver {
    fake(&[(fourcc, (64, 48), each(&[(1, 30)]))])
}

fn at(rates: Rates) -> FakeDriver {
    fake(&[(b"YUYV", (64, 48), rates)])
}

/// A camera whose rows are padded.
fn padded(fourcc: &'static [u8; 4], stride: u32) -> FakeDriver {
    let picture = move |fourcc: [u8; 4], width: u32, height: u32, _: u32| {
        let pixels = CameraPixels::of_fourcc(fourcc).unwrap();
        let (tight, mut at, mut out) = (bytes(fourcc, width, height), 0, Vec::new());
        for plane in planes(pixels, width, height, Some(stride)) {
            for _ in 0..plane.rows {
                out.extend_from_slice(&tight[at..at + plane.row]);
                out.resize(out.len() + plane.stride - plane.row, 0x5a);
                at += plane.row;
            }
        }
        out
    };
    FakeDriver { stride, picture: Rc::new(picture), ..plain(fourcc) }
}

/// A camera whose pictures are changed before they are given.
fn changed(fourcc: &'static [u8; 4], change: fn(Vec<u8>) -> Vec<u8>) -> FakeDriver {
    FakeDriver {
        picture: Rc::new(move |fourcc, width, height, _| change(bytes(fourcc, width, height))),
        ..plain(fourcc)
    }
}

/// A camera that gives H.264 of which the first key frame has gone by.
fn h264() -> FakeDriver {
    let mut encoder = Encoder::new().unwrap();
    let mut picture = |number: u32| {
        if number == 5 {
            encoder.force_intra_frame();
        }
        let scene = scene(64, 48);
        let yuv = YUVBuffer::from_rgb_source(RgbSliceU8::new(scene.rgb(), (64, 48)));
        encoder.encode(&yuv).unwrap().to_vec()
    };
    let pictures: Vec<Vec<u8>> = (0..=PICTURES).map(&mut picture).collect();
    FakeDriver { picture: Rc::new(move |_, _, _, number| pictures[number as usize + 1].clone()), ..plain(b"H264") }
}

fn cameras() -> Vec<(&'static str, FakeDriver, Seen)> {
    let of = |format: &'static str| Seen { format, ..ALL };
    let size = |width, height| Sizes::Range { smallest: (2, 2), largest: (width, height), step: (2, 2) };
    let loopback = range((1, 1000), (1_000_000, 1));
    vec![
        // Rates.
        ("plain", plain(b"YUYV"), ALL),
        ("29.97 alone", at(each(&[(1001, 30_000)])), Seen { format: "YUYV 64x48 at 29.97 fps", fps: 29.97, ..ALL }),
        (
            "29.97 where 30 was asked",
            FakeDriver { rate: Some(Interval::new(1001, 30_000)), ..plain(b"YUYV") },
            Seen { format: "YUYV 64x48 at 29.97 fps", fps: 29.97, ..ALL },
        ),
        ("7.5", at(each(&[(2, 15)])), Seen { format: "YUYV 64x48 at 7.5 fps", fps: 7.5, ..ALL }),
        ("in units of 100 ns", at(each(&[(333_333, 10_000_000)])), ALL),
        ("every rate from 1 to 60", at(range((1, 60), (1, 1))), ALL),
        ("no rate over 15", at(range((1, 15), (1, 1))), Seen { format: "YUYV 64x48 at 15 fps", fps: 15.0, ..ALL }),
        ("30 and 120", at(each(&[(1, 120), (1, 30)])), ALL),
        (
            "the dark halves its rate",
            FakeDriver { rate: Some(Interval::of_fps(15)), ..plain(b"YUYV") },
            Seen { format: "YUYV 64x48 at 15 fps", fps: 15.0, ..ALL },
        ),
        ("no list of rates", FakeDriver { lists_rates: false, ..plain(b"YUYV") }, ALL),
        (
            "a rate that is only told",
            FakeDriver { lists_rates: false, can_set_rate: false, rate: Some(Interval::of_fps(25)), ..plain(b"YUYV") },
            Seen { format: "YUYV 64x48 at 25 fps", fps: 25.0, ..ALL },
        ),
        (
            "no word about rates",
            FakeDriver { lists_rates: false, can_set_rate: false, can_get_rate: false, ..plain(b"YUYV") },
            of("YUYV 64x48"),
        ),
        ("a list and no setting", FakeDriver { can_set_rate: false, can_get_rate: false, ..plain(b"YUYV") }, ALL),
        // Sizes and formats.
        ("no list of sizes", FakeDriver { lists_sizes: false, ..plain(b"YUYV") }, ALL),
        ("neither list nor probe", FakeDriver { lists_sizes: false, can_probe: false, ..plain(b"YUYV") }, ALL),
        ("no list at all", FakeDriver { lists_formats: false, ..plain(b"YUYV") }, ALL),
        (
            "a loopback of any size",
            FakeDriver { size_range: Some(size(320, 240)), ..fake(&[(b"YU12", (320, 240), loopback)]) },
            of("YU12 320x240 at 30 fps"),
        ),
        ("a range of small sizes", FakeDriver { size_range: Some(size(64, 48)), ..plain(b"YUYV") }, ALL),
        (
            "another size than was asked for",
            FakeDriver {
                takes: Some(1),
                ..fake(&[(b"YUYV", (128, 96), each(&[(1, 30)])), (b"YUYV", (64, 48), each(&[(1, 25)]))])
            },
            Seen { format: "YUYV 64x48 at 25 fps", fps: 25.0, ..ALL },
        ),
        (
            "other pixels than were asked for",
            FakeDriver {
                takes: Some(1),
                ..fake(&[(b"YUYV", (64, 48), each(&[(1, 30)])), (b"MJPG", (64, 48), each(&[(1, 30)]))])
            },
            of("MJPEG 64x48 at 30 fps"),
        ),
        (
            "a format that is listed and refused",
            FakeDriver {
                refuses: Some(0),
                ..fake(&[(b"YUYV", (128, 96), each(&[(1, 30)])), (b"YUYV", (64, 48), each(&[(1, 30)]))])
            },
            ALL,
        ),
        (
            "infrared beside colour",
            fake(&[(b"GREY", (128, 96), each(&[(1, 30)])), (b"YUYV", (64, 48), each(&[(1, 30)]))]),
            ALL,
        ),
        // Pixels.
        ("GREY", plain(b"GREY"), of("GREY 64x48 at 30 fps")),
        ("Y16", plain(b"Y16 "), of("Y16 64x48 at 30 fps")),
        (
            "Y10 in the low bits",
            changed(b"Y10 ", |high| {
                let low =
                    high.as_chunks::<2>().0.iter().flat_map(|pair| (u16::from_le_bytes(*pair) >> 6).to_le_bytes());
                low.collect()
            }),
            of("Y16 64x48 at 30 fps"),
        ),
        ("UYVY", plain(b"UYVY"), of("UYVY 64x48 at 30 fps")),
        ("YVYU", plain(b"YVYU"), of("YVYU 64x48 at 30 fps")),
        ("VYUY", plain(b"VYUY"), of("VYUY 64x48 at 30 fps")),
        ("YU12", plain(b"YU12"), of("YU12 64x48 at 30 fps")),
        ("YV12", plain(b"YV12"), of("YV12 64x48 at 30 fps")),
        ("NV12", plain(b"NV12"), of("NV12 64x48 at 30 fps")),
        ("NV21", plain(b"NV21"), of("NV21 64x48 at 30 fps")),
        ("NV16", plain(b"NV16"), of("NV16 64x48 at 30 fps")),
        ("422P", plain(b"422P"), of("422P 64x48 at 30 fps")),
        ("RGB3", plain(b"RGB3"), of("RGB 64x48 at 30 fps")),
        ("BGR3", plain(b"BGR3"), of("BGR 64x48 at 30 fps")),
        ("XR24", plain(b"XR24"), of("BGRX 64x48 at 30 fps")),
        ("AB24", plain(b"AB24"), of("RGBX 64x48 at 30 fps")),
        ("RGB4", plain(b"RGB4"), of("XRGB 64x48 at 30 fps")),
        ("RGBP", plain(b"RGBP"), of("RGB565 64x48 at 30 fps")),
        ("MJPG", plain(b"MJPG"), of("MJPEG 64x48 at 30 fps")),
        ("JPEG", plain(b"JPEG"), of("MJPEG 64x48 at 30 fps")),
        (
            "bytes before the JPEG",
            changed(b"MJPG", |jpeg| [vec![0, 7, 0xff, 0x10], jpeg].concat()),
            of("MJPEG 64x48 at 30 fps"),
        ),
        ("H.264 alone, begun before", h264(), Seen { frames: PICTURES - 4, ..of("H.264 64x48 at 30 fps") }),
        // Rows and colours.
        ("padded YUYV", padded(b"YUYV", 192), ALL),
        ("padded YU12", padded(b"YU12", 128), of("YU12 64x48 at 30 fps")),
        ("padded NV12", padded(b"NV12", 128), of("NV12 64x48 at 30 fps")),
        ("padded GREY", padded(b"GREY", 96), of("GREY 64x48 at 30 fps")),
        ("padded RGB3", padded(b"RGB3", 256), of("RGB 64x48 at 30 fps")),
        // Damage, numbers and times.
        (
            "each third is marked",
            FakeDriver { fate: |number| if number % 3 == 2 { Fate::Marked } else { Fate::Good }, ..plain(b"YUYV") },
            Seen { frames: 8, damaged: 4, ..ALL },
        ),
        (
            "each fourth JPEG is half",
            FakeDriver { fate: |number| if number % 4 == 1 { Fate::Half } else { Fate::Good }, ..plain(b"MJPG") },
            Seen { frames: 9, damaged: 3, ..of("MJPEG 64x48 at 30 fps") },
        ),
        (
            "each fourth raw picture is half",
            FakeDriver { fate: |number| if number % 4 == 1 { Fate::Half } else { Fate::Good }, ..plain(b"NV12") },
            Seen { frames: 9, damaged: 3, ..of("NV12 64x48 at 30 fps") },
        ),
        (
            "empty buffers between",
            FakeDriver { fate: |number| if number % 2 == 1 { Fate::Empty } else { Fate::Good }, ..plain(b"MJPG") },
            Seen { frames: 6, damaged: 6, ..of("MJPEG 64x48 at 30 fps") },
        ),
        (
            "some cannot be read",
            FakeDriver { fate: |number| if number % 5 == 4 { Fate::Unreadable } else { Fate::Good }, ..plain(b"YUYV") },
            Seen { frames: 10, ..ALL },
        ),
        (
            "some are dropped",
            FakeDriver { fate: |number| if number % 4 == 1 { Fate::Dropped } else { Fate::Good }, ..plain(b"YUYV") },
            Seen { frames: 9, ..ALL },
        ),
        (
            "a stall in the middle",
            FakeDriver { fate: |number| if number == 6 { Fate::Late } else { Fate::Good }, ..plain(b"YUYV") },
            ALL,
        ),
        ("no numbers", FakeDriver { counts: false, ..plain(b"YUYV") }, ALL),
        ("times since 1970", FakeDriver { clock: Clock::Wall, ..plain(b"YUYV") }, ALL),
        ("times of its own", FakeDriver { clock: Clock::Own, ..plain(b"YUYV") }, ALL),
        ("no times", FakeDriver { clock: Clock::None, ..plain(b"YUYV") }, ALL),
    ]
}

/// What was seen of a camera that was played to its end.
struct Played {
    format: Format,
    frames: Vec<Frame>,
    damaged: u32,
    /// The numbers and times of the good ones.
    taken: Vec<(u64, Instant)>,
}

fn play(fake: FakeDriver, wish: Option<&CameraFormat>) -> io::Result<Played> {
    let driver = FakeCamera::new(fake);
    let offers = offers(&driver);
    let formats = match wish {
        None => ranked(offers.iter().flat_map(super::format::Offer::formats)),
        Some(wish) => ranked(wish.among(&offers)).into_iter().chain(wish.unlisted(&offers)).collect(),
    };
    let mut last = io::Error::other("nothing is offered");
    for format in formats {
        match stream::open(&driver, &offers, format, wish) {
            Ok((streaming, format, layout)) => return Ok(watch(streaming, format, layout)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn watch(mut streaming: stream::Streaming, format: Format, layout: FrameLayout) -> Played {
    let mut played = Played { format, frames: Vec::new(), damaged: 0, taken: Vec::new() };
    let (mut decoder, mut number) = (Decoder::default(), 0);
    loop {
        match streaming.grab() {
            Ok(raw) => {
                number += raw.missed;
                let frame = match raw.picture {
                    GrabbedPicture::Frame(frame) => Ok(frame),
                    GrabbedPicture::Bytes(bytes) => decoder.decode(format, layout, &bytes),
                };
                match frame {
                    Ok(frame) => {
                        played.frames.push(frame);
                        played.taken.push((number, raw.captured_at));
                    }
                    Err(_) => played.damaged += 1,
                }
                number += 1;
            }
            Err(Lost::Damaged(_)) => played.damaged += 1,
            Err(Lost::Picture(_) | Lost::Nothing) => {}
            Err(Lost::Gone(_)) => return played,
        }
    }
}

/// Whether the middle of each half is as the scene has it, in colour or in grey.
fn is_scene(frame: &Frame, grey: bool) -> bool {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let pixel = |x: usize| &frame.rgb()[(height / 2 * width + x) * 3..][..3];
    let (left, right) = if grey { ([99; 3], [69; 3]) } else { ([200, 60, 40], [40, 60, 200]) };
    let near = |seen: &[u8], right: [u8; 3]| seen.iter().zip(right).all(|(&a, b)| a.abs_diff(b) <= 12);
    near(pixel(width / 4), left) && near(pixel(width * 3 / 4), right)
}

#[test]
fn every_camera_of_the_table_is_seen_as_it_should_be() {
    let cameras = cameras();
    assert!(cameras.len() >= 40);
    for (name, fake, seen) in cameras {
        let played = play(fake, None).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(played.format.to_string(), seen.format, "{name}");
        assert_eq!((played.frames.len() as u32, played.damaged), (seen.frames, seen.damaged), "{name}");
        let grey = played.format.pixels.is_grey();
        assert!(played.frames.iter().all(|frame| is_scene(frame, grey)), "{name}: other colours");
        let (first, last) = (played.taken[0], played.taken[played.taken.len() - 1]);
        let fps = (last.0 - first.0) as f64 / (last.1 - first.1).as_secs_f64();
        assert!((fps - seen.fps).abs() < 0.02, "{name}: {fps} fps");
    }
}

#[test]
fn pixels_that_are_not_read_are_named() {
    let error = play(plain(b"HEVC"), None).err().unwrap();
    assert!(error.to_string().contains("nothing is offered"), "{error}");
    let takes_other = FakeDriver {
        takes: Some(1),
        ..fake(&[(b"YUYV", (64, 48), each(&[(1, 30)])), (b"Y8I ", (64, 48), each(&[(1, 30)]))])
    };
    let error = play(takes_other, None).err().unwrap();
    assert!(error.to_string().contains("it gives Y8I 64x48"), "{error}");
}

#[test]
fn a_wish_is_met_or_refused() {
    let camera = || {
        fake(&[(b"YUYV", (64, 48), each(&[(1, 30), (1001, 30_000), (1, 15)])), (b"MJPG", (128, 96), each(&[(1, 30)]))])
    };
    let got = |wish: &str| play(camera(), Some(&wish.parse().unwrap())).map(|played| played.format.to_string());
    assert_eq!(got("64x48@29.97:YUYV").unwrap(), "YUYV 64x48 at 29.97 fps");
    assert_eq!(got("@15").unwrap(), "YUYV 64x48 at 15 fps");
    assert_eq!(got("128x96").unwrap(), "MJPEG 128x96 at 30 fps");
    assert!(got("1024x768").unwrap_err().to_string().contains("it gives"));
    assert!(got("128x96:YUYV").is_err());
    let loopback = FakeDriver {
        size_range: Some(Sizes::Range { smallest: (2, 2), largest: (640, 480), step: (2, 2) }),
        ..fake(&[(b"YU12", (64, 48), range((1, 1000), (1000, 1)))])
    };
    let played = play(loopback, Some(&"96x64@12.5".parse().unwrap())).unwrap();
    assert_eq!(played.format.to_string(), "YU12 96x64 at 12.5 fps");
}

/// Red that fills the range of a byte.
#[test]
fn the_full_range_of_a_byte_is_honoured() {
    let picture = |_: [u8; 4], _: u32, _: u32, _: u32| [76, 85, 76, 255].repeat(64 * 48 / 2);
    let camera = FakeDriver { full_range: true, picture: Rc::new(picture), ..plain(b"YUYV") };
    let played = play(camera, None).unwrap();
    assert!(played.frames[0].rgb()[..3].iter().zip([254_u8, 0, 0]).all(|(a, b)| a.abs_diff(b) <= 4));
}
