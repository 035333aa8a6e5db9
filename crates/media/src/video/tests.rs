use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use clip_file::mp4;
use facelens_core::frame::Frame;

use super::*;
use crate::{Mode, Next};

// The whole-program tests make their videos by the same file.
#[path = "../../../../tests/common/clip.rs"]
mod clip_file;

const WIDTH: usize = 96;
const HEIGHT: usize = 64;

/// Grey that brightens from frame to frame, with a red square at the top left.
fn picture(index: usize) -> Vec<u8> {
    let grey = 40 + 10 * index as u8;
    (0..WIDTH * HEIGHT)
        .flat_map(|at| if at % WIDTH < 24 && at / WIDTH < 24 { [200, 30, 30] } else { [grey; 3] })
        .collect()
}

/// An MP4 with an H.264 frame per duration (milliseconds), the index at its end.
fn clip(durations: &[u32]) -> Vec<u8> {
    let frame = |(index, &duration)| {
        (image::RgbImage::from_raw(WIDTH as u32, HEIGHT as u32, picture(index)).unwrap(), duration)
    };
    mp4(&durations.iter().enumerate().map(frame).collect::<Vec<_>>())
}

struct Clip {
    _folder: tempfile::TempDir,
    path: PathBuf,
}

fn saved(bytes: &[u8]) -> Clip {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    std::fs::write(&path, bytes).unwrap();
    Clip { _folder: folder, path }
}

/// All frames, and the error that ended them.
fn play(source: &mut dyn Source) -> (Vec<Frame>, Option<SourceError>) {
    let mut frames = Vec::new();
    loop {
        match source.next() {
            Ok(Next::Frame(frame)) => frames.push(frame),
            Ok(Next::End) => return (frames, None),
            Ok(other) => panic!("{other:?}"),
            Err(error) => return (frames, Some(error)),
        }
    }
}

fn opened(clip: &Clip) -> Box<dyn Source> {
    crate::file::open(&clip.path, Mode::Batch).unwrap()
}

fn millis(frames: &[Frame]) -> Vec<u128> {
    frames.iter().map(|frame| frame.time.as_millis()).collect()
}

fn pixel(frame: &Frame, x: usize, y: usize) -> [u8; 3] {
    frame.rgb()[(y * frame.width() as usize + x) * 3..][..3].try_into().unwrap()
}

fn is_red([r, g, b]: [u8; 3]) -> bool {
    r > 150 && g < 80 && b < 80
}

#[test]
fn every_frame_comes_with_its_own_time() {
    let clip = saved(&clip(&[40, 20, 100, 33, 7]));
    let mut source = opened(&clip);
    assert_eq!((source.info().size, source.info().frame_count), (Some((96, 64)), Some(5)));
    assert!(source.info().format.starts_with("H.264 96x64"), "{}", source.info().format);
    let (frames, error) = play(source.as_mut());
    assert_eq!(error, None);
    assert_eq!(millis(&frames), [0, 40, 60, 160, 193]);
    for (index, frame) in frames.iter().enumerate() {
        assert_eq!(frame.sequence, index as u64);
        assert!(is_red(pixel(frame, 10, 10)), "{:?}", pixel(frame, 10, 10));
        let grey = 40 + 10 * index as i32;
        assert!(pixel(frame, 70, 40).iter().all(|&value| (i32::from(value) - grey).abs() < 10), "frame {index}");
    }
    assert!(matches!(source.next(), Ok(Next::End)));
}

#[test]
fn the_rotation_of_a_phone_is_applied() {
    let mut bytes = clip(&[40, 40]);
    let tkhd = bytes.windows(4).position(|window| window == b"tkhd").unwrap();
    // Version 0: 4 + 4 + 20 + 16 bytes before the matrix; 90 degrees clockwise.
    let version = bytes[tkhd + 4];
    let matrix = tkhd + 4 + 4 + if version == 0 { 20 } else { 32 } + 16;
    let quarter: [i32; 9] = [0, 0x1_0000, 0, -0x1_0000, 0, 0, 0, 0, 0x4000_0000];
    for (index, value) in quarter.iter().enumerate() {
        bytes[matrix + index * 4..][..4].copy_from_slice(&value.to_be_bytes());
    }
    let clip = saved(&bytes);
    let (frames, _) = play(opened(&clip).as_mut());
    assert_eq!((frames[0].width(), frames[0].height()), (64, 96));
    // The square of the top left corner is at the top right now.
    assert!(is_red(pixel(&frames[0], 55, 10)) && !is_red(pixel(&frames[0], 10, 10)));
}

/// Changes the display matrix of a clip's track.
fn with_matrix(mut bytes: Vec<u8>, [a, b, c, d]: [i32; 4]) -> Vec<u8> {
    let tkhd = bytes.windows(4).position(|window| window == b"tkhd").unwrap();
    let matrix = tkhd + 4 + 4 + if bytes[tkhd + 4] == 0 { 20 } else { 32 } + 16;
    let values = [a * 0x1_0000, b * 0x1_0000, 0, c * 0x1_0000, d * 0x1_0000, 0, 0, 0, 0x4000_0000];
    for (index, value) in values.iter().enumerate() {
        bytes[matrix + index * 4..][..4].copy_from_slice(&value.to_be_bytes());
    }
    bytes
}

#[test]
fn a_mirrored_video_is_shown_as_it_was_meant() {
    let (frames, _) = play(opened(&saved(&with_matrix(clip(&[40, 40]), [-1, 0, 0, 1]))).as_mut());
    assert_eq!((frames[0].width(), frames[0].height()), (96, 64));
    assert!(is_red(pixel(&frames[0], 86, 10)) && !is_red(pixel(&frames[0], 10, 10)));
}

/// Puts a box at the end of another one, and tells all around it that it has grown. What lies behind must not be pointed
/// at from before.
fn with_box(mut bytes: Vec<u8>, path: &[&[u8; 4]], added: &[u8]) -> Vec<u8> {
    let mut at = 0;
    let mut sizes = Vec::new();
    for name in path {
        at += bytes[at..].windows(4).position(|window| window == *name).unwrap();
        sizes.push(at - 4);
    }
    let size = |bytes: &[u8], at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let last = *sizes.last().unwrap();
    let end = last + size(&bytes, last) as usize;
    for at in sizes {
        let grown = size(&bytes, at) + added.len() as u32;
        bytes[at..at + 4].copy_from_slice(&grown.to_be_bytes());
    }
    bytes.splice(end..end, added.iter().copied());
    bytes
}

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes(), name.as_slice(), content].concat()
}

#[test]
fn what_was_trimmed_is_not_shown_and_times_begin_at_0() {
    let bytes = clip(&[100; 6]);
    let mvhd = bytes.windows(4).position(|window| window == b"mvhd").unwrap();
    let movie_timescale = u32::from_be_bytes(bytes[mvhd + 16..][..4].try_into().unwrap());
    let [length, from] = [movie_timescale * 3 / 10, 200_u32].map(u32::to_be_bytes);
    let elst = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &length, &from, &[0, 1, 0, 0]].concat();
    let trimmed = with_box(bytes, &[b"moov", b"trak"], &boxed(b"edts", &boxed(b"elst", &elst)));
    let clip = saved(&trimmed);
    let mut source = opened(&clip);
    assert_eq!(source.info().frame_count, Some(3));
    let (frames, error) = play(source.as_mut());
    assert_eq!((millis(&frames), error), (vec![0, 100, 200], None));
    let greys = |frame: &Frame| i32::from(pixel(frame, 70, 40)[0]);
    assert!((greys(&frames[0]) - 60).abs() < 10, "the third image comes first: {}", greys(&frames[0]));
    let mut reader = VideoReader::open(&clip.path).unwrap();
    assert_eq!(reader.times().len(), 3);
    let last = reader.picture(2).unwrap().unwrap();
    assert!((greys(&last) - 80).abs() < 10, "{}", greys(&last));
}

#[test]
fn pixels_that_are_no_squares_are_shown_as_such() {
    let pasp = boxed(b"pasp", &[2_u32, 1].map(u32::to_be_bytes).concat());
    let bytes = with_box(clip(&[40, 40]), &[b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1"], &pasp);
    let clip = saved(&bytes);
    let mut source = opened(&clip);
    assert_eq!(source.info().size, Some((192, 64)));
    let (frames, _) = play(source.as_mut());
    assert!(is_red(pixel(&frames[1], 40, 10)) && !is_red(pixel(&frames[1], 56, 10)));
}

#[test]
fn a_damaged_picture_costs_itself_and_those_that_need_it() {
    let mut bytes = clip(&[100; 6]);
    let clip = saved(&bytes);
    let sample = mp4::Movie::read(&clip.path).ok().unwrap().samples[4];
    // A NAL unit that claims to be longer than its sample.
    bytes[sample.offset as usize..][..4].copy_from_slice(&[0x7f; 4]);
    std::fs::write(&clip.path, &bytes).unwrap();
    let mut source = H264Video::open(&clip.path).ok().unwrap();
    let (frames, error) = play(&mut source);
    let error = error.unwrap();
    assert_eq!(millis(&frames)[..4], [0, 100, 200, 300]);
    assert!(frames.iter().all(|frame| frame.sequence != 4), "{frames:?}");
    assert_eq!(error.kind, SourceErrorKind::Unreadable);
    assert!(error.to_string().contains("of its 6 frames cannot be read, from 0.4 s on"), "{error}");
    assert!(matches!(source.next(), Ok(Next::End)));
}

/// The built-in decoder gives up where ffmpeg makes up what is damaged: all pictures come, each once.
#[test]
fn ffmpeg_goes_on_from_a_damaged_picture() {
    let Some(clip) = ffmpeg_clip("long.mp4", &["-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "0"]) else { return };
    let sample = mp4::Movie::read(&clip.path).ok().unwrap().samples[12];
    let mut bytes = std::fs::read(&clip.path).unwrap();
    // In the middle of the slice: what comes before it is decoded, the rest is not.
    let middle = (sample.offset + u64::from(sample.size) / 3) as usize;
    bytes[middle..middle + 30].fill(0xff);
    std::fs::write(&clip.path, &bytes).unwrap();
    let (built_in, error) = play(&mut H264Video::open(&clip.path).ok().unwrap());
    assert!(built_in.len() < 25 && error.is_some(), "{}", built_in.len());
    let mut source = opened(&clip);
    let mut times = Vec::new();
    let mut damaged = None;
    loop {
        match source.next().unwrap() {
            Next::Frame(frame) => times.push(frame.time.as_millis()),
            Next::Damaged(error) => damaged = Some(error),
            Next::End => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(times, (0..25).map(|number| number * 40).collect::<Vec<_>>());
    assert!(damaged.unwrap().to_string().contains("long.mp4: the video is damaged in"));
}

/// Another size from the middle on, in a stream that says so itself: no picture is lost, and none is late.
#[test]
fn pictures_may_change_their_size() {
    let plain =
        ["-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", "-bsf:v", "dump_extra=freq=keyframe", "-f", "h264"];
    let Some(large) = ffmpeg_clip("large.264", &plain) else { return };
    let small = ffmpeg_clip("small.264", &[&["-vf", "scale=80:60"][..], &plain].concat()).unwrap();
    let joined = large.path.with_file_name("joined.264");
    std::fs::write(&joined, [large.path, small.path].map(|path| std::fs::read(path).unwrap()).concat()).unwrap();
    let both = joined.with_file_name("both.mp4");
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-r", "25", "-f", "h264", "-i"]).arg(&joined).args(["-c", "copy"]).arg(&both);
    assert!(command.status().unwrap().success());
    let (frames, error) = play(&mut H264Video::open(&both).ok().unwrap());
    let sizes: Vec<_> = frames.iter().map(Frame::width).collect();
    assert_eq!((sizes, error), ([[160; 25], [80; 25]].concat(), None));
    assert_eq!(millis(&frames)[25], 1000);
}

#[test]
fn a_file_without_its_index_says_that_it_is_cut_off() {
    let bytes = clip(&[100; 6]);
    let clip = saved(&bytes[..bytes.len() / 2]);
    let Err(error) = crate::file::open(&clip.path, Mode::Batch) else { panic!("opened") };
    assert_eq!(error.kind, SourceErrorKind::Unreadable);
    assert!(error.cause.contains("index"), "{error}");
}

/// No damage anywhere in the index may panic, hang, or take much memory.
#[test]
fn damaged_indexes_end_in_errors() {
    let bytes = clip(&[40; 4]);
    let moov = bytes.windows(4).position(|window| window == b"moov").unwrap();
    let end = bytes.len();
    for (index, at) in (moov..end).step_by(3).enumerate() {
        let mut damaged = bytes.clone();
        damaged[at] = [0xff, 0x00, 0x80][index % 3];
        let clip = saved(&damaged);
        let head = crate::file::head(&clip.path).unwrap();
        let result = no_panic(&clip.path, || match H264Video::open(&clip.path) {
            Ok(mut video) => Ok(play(&mut video).0.len()),
            Err(_) => Ok(0),
        });
        assert!(result.is_err() || result.is_ok_and(|frames| frames <= 4), "byte {at}");
        assert_eq!(container(&head), Some(MP4));
    }
}

/// Makes a clip with ffmpeg, or says that the test is skipped.
fn ffmpeg_clip(name: &str, args: &[&str]) -> Option<Clip> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let mut command = Command::new("ffmpeg");
    command
        .args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25", "-t", "1"])
        .args(args)
        .arg(&path);
    match command.status() {
        Ok(status) if status.success() => Some(Clip { _folder: folder, path }),
        _ => {
            eprintln!("skipped: no ffmpeg with what {name} needs");
            None
        }
    }
}

fn mean_difference(a: &Frame, b: &Frame) -> f64 {
    let sum: u64 = a.rgb().iter().zip(b.rgb()).map(|(&a, &b)| u64::from(a.abs_diff(b))).sum();
    sum as f64 / a.rgb().len() as f64
}

/// B-frames are stored out of order, phones store turned pictures: pixels and times must agree with another decoder's.
#[test]
fn reordered_and_turned_pictures_agree_with_ffmpeg() {
    let plain = ["-c:v", "libx264", "-bf", "3", "-g", "12", "-pix_fmt", "yuv420p"];
    let turned = [&plain[..], &["-metadata:s:v:0", "rotate=90"]].concat();
    for args in [&plain[..], &turned] {
        let Some(clip) = ffmpeg_clip("b.mp4", args) else { return };
        let Ok(mut ours) = H264Video::open(&clip.path) else { panic!("not opened") };
        let mut theirs = Ffmpeg::open(&clip.path, MP4, None, Programs::on_path()).unwrap();
        assert_eq!(ours.info().size, theirs.info().size);
        let ((ours, error), (theirs, _)) = (play(&mut ours), play(&mut theirs));
        assert_eq!(error, None);
        assert_eq!((ours.len(), millis(&ours)), (25, millis(&theirs)));
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert!(mean_difference(ours, theirs) < 3.0, "{ours:?}: {}", mean_difference(ours, theirs));
        }
    }
}

#[test]
fn what_is_not_built_in_goes_through_ffmpeg() {
    let high_10: &[&str] = &["-c:v", "libx264", "-pix_fmt", "yuv420p10le"];
    for (name, args) in [("a.webm", &["-c:v", "libvpx"][..]), ("a.mkv", &["-c:v", "mpeg4"]), ("a.mp4", high_10)] {
        let Some(clip) = ffmpeg_clip(name, args) else { continue };
        let mut source = opened(&clip);
        assert!(source.info().format.ends_with("by ffmpeg"), "{}", source.info().format);
        let (frames, error) = play(source.as_mut());
        assert_eq!((frames.len(), error), (25, None), "{name}");
        assert!(millis(&frames)[24].abs_diff(960) <= 1, "{name}: {:?}", millis(&frames));
        assert_eq!(source.info().size, Some((160, 120)));
    }
}

#[test]
fn pictures_are_read_in_any_order_by_their_numbers() {
    let clip = saved(&clip(&[100, 40, 200, 100, 100, 100]));
    let mut reader = VideoReader::open(&clip.path).unwrap();
    let times: Vec<_> = reader.times().iter().map(Duration::as_millis).collect();
    assert_eq!(times, [0, 100, 140, 340, 440, 540]);
    for number in [4, 5, 0, 3, 2, 99] {
        let frame = reader.picture(number).unwrap().unwrap();
        let expected = number.min(5);
        assert_eq!((frame.sequence, frame.time), (expected as u64, reader.times()[expected]));
        let grey = i32::from(*frame.rgb().last().unwrap());
        assert!((grey - i32::from(*picture(expected).last().unwrap())).abs() <= 4, "image {number}: {grey}");
    }
}

#[test]
fn what_is_no_whole_index_is_refused_by_name() {
    let whole = clip(&[100; 6]);
    let Err(error) = VideoReader::open(&saved(&whole[..40]).path) else { panic!("opened") };
    assert_eq!(error.kind, SourceErrorKind::Unreadable);
    let Err(error) = VideoReader::open(&saved(b"no video at all, but long enough for one").path) else {
        panic!("opened")
    };
    assert!(error.to_string().contains("clip.mp4"), "{error}");
}

#[test]
fn a_video_goes_on_from_any_time_and_its_times_stay_its_own() {
    let clip = saved(&clip(&[40, 20, 100, 33, 7]));
    for mode in [Mode::Batch, Mode::Live] {
        let mut source = crate::file::open(&clip.path, mode).unwrap();
        assert_eq!(source.info().duration.map(|duration| duration.as_millis()), Some(193 + 48));
        let next = |source: &mut dyn Source| loop {
            match source.next().unwrap() {
                Next::Frame(frame) => return (frame.sequence, frame.time.as_millis()),
                Next::Waiting => {}
                other => panic!("{other:?}"),
            }
        };
        // Forwards, backwards, between two frames, beyond the end.
        for (to, frame) in [(160, (3, 160)), (0, (0, 0)), (59, (1, 40)), (60, (2, 60)), (9000, (4, 193)), (41, (1, 40))]
        {
            source.seek(Duration::from_millis(to)).unwrap();
            assert_eq!(next(source.as_mut()), frame, "{to} ms, {mode:?}");
        }
        assert_eq!(next(source.as_mut()), (2, 60), "the next one follows");
    }
    let mut source = opened(&clip);
    play(source.as_mut());
    source.seek(Duration::from_millis(100)).unwrap();
    let (frames, error) = play(source.as_mut());
    assert_eq!((millis(&frames), error), (vec![60, 160, 193], None), "also after its end");
}
