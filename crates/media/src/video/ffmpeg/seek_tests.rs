//! After a seek come the very frames, with the very times, that come where the video is played from its start.

use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};

use super::super::tests::{clip_of, opened};
use super::*;
use crate::{Mode, Source};

/// A frame: its number, its time in microseconds, and its pixels in short.
type Seen = (u64, u128, u64);

fn next(source: &mut dyn Source) -> Option<Seen> {
    loop {
        match source.next().unwrap() {
            Next::Frame(frame) => {
                let pixels = BuildHasherDefault::<DefaultHasher>::default().hash_one(frame.rgb());
                return Some((frame.sequence, frame.time.as_micros(), pixels));
            }
            Next::Waiting => {}
            Next::End => return None,
            other => panic!("{other:?}"),
        }
    }
}

/// Where a time is in the list of all frames.
fn place_at(all: &[Seen], time: Duration) -> usize {
    all.partition_point(|(_, us, _)| *us <= time.as_micros()).saturating_sub(1)
}

#[test]
fn every_container_goes_on_at_the_frame_that_is_shown_then() {
    // With and without pictures that refer to later ones, with clocks that tick finely and no faster than the frames.
    for (name, args) in [
        ("a.mkv", &["-c:v", "mpeg4", "-bf", "2", "-g", "60"][..]),
        ("a.avi", &["-c:v", "mjpeg"]),
        ("a.ts", &["-c:v", "mpeg2video", "-bf", "2", "-g", "60"]),
        ("a.mov", &["-c:v", "mpeg4", "-bf", "2"]),
        ("a.gif", &[]),
    ] {
        // A sound of its own begins before the picture.
        let sound = ["-f", "lavfi", "-i", "sine=frequency=440", "-shortest"];
        let with_sound: Vec<&str> = sound.iter().chain(args).copied().collect();
        let Some(clip) = clip_of(name, 5, if name == "a.gif" { args } else { &with_sound }) else { continue };
        let mut source = opened(&clip.path).unwrap();
        let duration = source.info().duration.unwrap();
        assert!((duration.as_secs_f64() - 5.0).abs() < 0.3, "{name}: {duration:?}");
        let all: Vec<Seen> = std::iter::from_fn(|| next(&mut source)).collect();
        assert!(all.len() >= 120, "{name}: {}", all.len());
        // Also after the end, backwards, between two frames, and beyond the last one.
        for millis in [3210, 0, 2600, 99_000] {
            let time = Duration::from_millis(millis);
            source.seek(time).unwrap();
            for expected in all.iter().skip(place_at(&all, time)).take(3) {
                let found = next(&mut source).unwrap();
                assert_eq!((found.1, found.2), (expected.1, expected.2), "{name} from {millis} ms");
                // In an AVI a frame may stand for two, which the mean rate does not know.
                assert!(found.0.abs_diff(expected.0) <= 1, "{name} from {millis} ms: number {}", found.0);
            }
        }
    }
}

#[test]
fn a_frame_that_stands_for_long_is_found_from_anywhere_in_its_time() {
    let gap = ["-vf", "select='not(between(n,20,99))'", "-fps_mode", "vfr", "-c:v", "mpeg4", "-g", "300"];
    let Some(clip) = clip_of("a.mkv", 6, &gap) else { return };
    let mut source = opened(&clip.path).unwrap();
    let all: Vec<Seen> = std::iter::from_fn(|| next(&mut source)).collect();
    for millis in [3900, 3000, 4000] {
        let time = Duration::from_millis(millis);
        source.seek(time).unwrap();
        let expected = all[place_at(&all, time)];
        let found = next(&mut source).unwrap();
        // Numbers follow from the mean rate here.
        assert_eq!((found.1, found.2), (expected.1, expected.2), "{millis} ms");
    }
}

#[test]
fn for_eyes_a_video_goes_on_at_its_pace_and_times_rise() {
    let Some(clip) = clip_of("a.mkv", 4, &["-c:v", "mpeg4"]) else { return };
    let mut source = crate::file::open(&clip.path, Mode::Live).unwrap();
    source.seek(Duration::from_secs(3)).unwrap();
    let times: Vec<u128> = (0..3).filter_map(|_| next(source.as_mut())).map(|(_, us, _)| us / 1000).collect();
    assert_eq!(times, [3000, 3040, 3080]);
    source.seek(Duration::from_millis(500)).unwrap();
    assert_eq!(next(source.as_mut()).map(|(number, us, _)| (number, us / 1000)), Some((12, 480)));
}

#[test]
fn only_what_has_times_and_a_length_can_be_sought() {
    assert_eq!(seekable("matroska", Some(1.5)), Some(Duration::from_millis(1500)));
    for (demuxer, secs) in [("h264", Some(1.5)), ("avi", None), ("avi", Some(0.0)), ("avi", Some(-1.0))] {
        assert_eq!(seekable(demuxer, secs), None, "{demuxer} {secs:?}");
    }
    assert_eq!((seekable("avi", Some(f64::NAN)), seekable("avi", Some(1e30))), (None, None));
}
