//! Videos are read back by other libraries than those that wrote them.

use std::process::Command;

use openh264::decoder::Decoder;
use openh264::formats::YUVSource as _;

use super::*;

/// Uneven capture times of 40 frames, 5.4 s.
fn times() -> Vec<Duration> {
    let steps = [33, 34, 120, 41, 250, 16, 67, 500, 33, 290];
    let mut time = Duration::from_millis(700);
    (0..40)
        .map(|number| {
            let now = time;
            time += Duration::from_micros(steps[number % steps.len()] * 1000 + number as u64 * 13);
            now
        })
        .collect()
}

/// A plain colour with a bright square that wanders.
fn picture(width: u32, height: u32, number: usize) -> Vec<u8> {
    (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let in_square = (x as usize).abs_diff(10 + number) < 8 && y.abs_diff(height / 2) < 8;
            if in_square { [240, 220, 40] } else { [200, 60, 30] }
        })
        .collect()
}

fn written(path: &Path, width: u32, height: u32) -> VideoSummary {
    let mut writer = VideoWriter::create(path, width, height, VideoOptions::default()).unwrap();
    for (number, time) in times().into_iter().enumerate() {
        writer.write(&picture(width, height, number), time).unwrap();
    }
    writer.finish().unwrap()
}

/// Start and size of each of the file's outermost boxes.
fn boxes(bytes: &[u8]) -> Vec<(usize, usize, [u8; 4])> {
    let (mut at, mut found) = (0, Vec::new());
    while at + 8 <= bytes.len() {
        let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        found.push((at, size, bytes[at + 4..at + 8].try_into().unwrap()));
        at += size;
    }
    assert_eq!(at, bytes.len());
    found
}

/// Shows of a video file: presentation times in seconds.
fn presentation_secs(bytes: &[u8]) -> Vec<f64> {
    let video = re_mp4::Mp4::read_bytes(bytes).unwrap();
    let track = video.tracks().values().next().unwrap();
    track.samples.iter().map(|sample| sample.composition_timestamp as f64 / track.timescale as f64).collect()
}

/// The first picture, decoded to RGB8.
fn first_picture(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let video = re_mp4::Mp4::read_bytes(bytes).unwrap();
    let track = video.tracks().values().next().unwrap();
    let re_mp4::StsdBoxContent::Avc1(avc1) = &track.trak(&video).mdia.minf.stbl.stsd.contents else {
        panic!("no H.264");
    };
    let mut stream = Vec::new();
    let units = avc1.avcc.sequence_parameter_sets.iter().chain(&avc1.avcc.picture_parameter_sets);
    for unit in units.map(|unit| unit.bytes.as_slice()) {
        stream.extend_from_slice(&[0, 0, 0, 1]);
        stream.extend_from_slice(unit);
    }
    let mut rest = &bytes[track.samples[0].byte_range()];
    while let Some((length, units)) = rest.split_first_chunk::<4>() {
        let (unit, after) = units.split_at(u32::from_be_bytes(*length) as usize);
        stream.extend_from_slice(&[0, 0, 0, 1]);
        stream.extend_from_slice(unit);
        rest = after;
    }
    let mut decoder = Decoder::new().unwrap();
    let picture = decoder.decode(&stream).unwrap().unwrap();
    let (width, height) = picture.dimensions();
    let mut rgb = vec![0; width * height * 3];
    picture.write_rgb8(&mut rgb);
    (width, height, rgb)
}

fn assert_color(pixel: &[u8], expected: [u8; 3]) {
    assert!(pixel.iter().zip(expected).all(|(&a, b)| a.abs_diff(b) < 14), "{pixel:?} is not near {expected:?}");
}

#[test]
fn uneven_times_come_back_to_the_millisecond() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let summary = written(&path, 64, 48);
    let bytes = fs::read(&path).unwrap();
    let times = times();
    let shown = presentation_secs(&bytes);
    assert_eq!((summary.frames, shown.len()), (40, 40));
    for (shown, time) in shown.iter().zip(&times) {
        let expected = (*time - times[0]).as_secs_f64();
        assert!((shown - expected).abs() < 0.001, "{shown} instead of {expected}");
    }
    // The last picture stands as long as the one before it.
    let expected = times[39] - times[0] + (times[39] - times[38]);
    assert!(summary.duration.abs_diff(expected) < Duration::from_millis(1), "{summary:?}");
}

#[test]
fn fragments_begin_with_a_keyframe_at_least_every_two_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    written(&path, 64, 48);
    let bytes = fs::read(&path).unwrap();
    let kinds: Vec<_> = boxes(&bytes).iter().map(|(_, _, kind)| *kind).collect();
    assert_eq!(&kinds[..2], [*b"ftyp", *b"moov"]);
    assert_eq!(kinds.last(), Some(b"mfra"));
    let video = re_mp4::Mp4::read_bytes(&bytes).unwrap();
    let track = video.tracks().values().next().unwrap();
    let keyframes: Vec<_> = track.samples.iter().filter(|sample| sample.is_sync).collect();
    assert_eq!(keyframes.len(), kinds.iter().filter(|kind| *kind == b"moof").count());
    assert!(track.samples[0].is_sync);
    for pair in keyframes.windows(2) {
        let step = (pair[1].composition_timestamp - pair[0].composition_timestamp) as f64 / track.timescale as f64;
        assert!((1.0..2.0).contains(&step), "{step}");
    }
}

#[test]
fn cut_off_after_any_fragment_it_still_plays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    written(&path, 64, 48);
    let bytes = fs::read(&path).unwrap();
    let ends = boxes(&bytes).into_iter().filter(|(_, _, kind)| kind == b"mdat").map(|(at, size, _)| at + size);
    let mut before = 0;
    for end in ends {
        let cut = &bytes[..end];
        let shown = presentation_secs(cut).len();
        assert!(shown > before, "{shown} after {before}");
        before = shown;
        first_picture(cut);
    }
    assert_eq!(before, 40);
}

#[test]
fn a_killed_writer_leaves_what_it_had_until_the_last_fragment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let mut writer = VideoWriter::create(&path, 64, 48, VideoOptions::default()).unwrap();
    for (number, time) in times().into_iter().enumerate() {
        writer.write(&picture(64, 48, number), time).unwrap();
    }
    // What is on the disk at this moment is what a kill would leave.
    let bytes = fs::read(&path).unwrap();
    let shown = presentation_secs(&bytes);
    let lost = (times()[39] - times()[0]).as_secs_f64() - shown.last().unwrap();
    assert!(lost < 2.0, "{lost} s lost");
    drop(writer);
    assert_eq!(presentation_secs(&fs::read(&path).unwrap()).len(), 40, "dropping finishes");
}

#[test]
fn colours_come_back_and_odd_and_tiny_sizes_are_padded() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height, padded) in [(64, 48, (64, 48)), (65, 47, (66, 48)), (1, 1, (16, 16))] {
        let path = folder.path().join(format!("{width}.mp4"));
        let mut writer = VideoWriter::create(&path, width, height, VideoOptions::default()).unwrap();
        writer.write(&picture(width, height, 0), Duration::ZERO).unwrap();
        let summary = writer.finish().unwrap();
        assert!(summary.duration.abs_diff(Duration::from_millis(33)) < Duration::from_millis(1));
        let (decoded_width, decoded_height, rgb) = first_picture(&fs::read(&path).unwrap());
        assert_eq!((decoded_width, decoded_height), padded);
        let at = |x: usize, y: usize| &rgb[(y * decoded_width + x) * 3..][..3];
        if width > 1 {
            assert_color(at(10, 24), [240, 220, 40]);
            assert_color(at(50, 10), [200, 60, 30]);
            assert_color(at(decoded_width - 1, decoded_height - 1), [200, 60, 30]);
        } else {
            assert_color(at(15, 15), [200, 60, 30]);
        }
    }
}

#[test]
fn times_that_jump_back_or_stand_still_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let mut writer = VideoWriter::create(&path, 16, 16, VideoOptions::default()).unwrap();
    for millis in [0, 40, 80, 0, 40, 40] {
        writer.write(&picture(16, 16, 0), Duration::from_millis(millis)).unwrap();
    }
    writer.finish().unwrap();
    let shown = presentation_secs(&fs::read(&path).unwrap());
    for (shown, expected) in shown.iter().zip([0.0, 0.04, 0.08, 0.12, 0.16, 0.2]) {
        assert!((shown - expected).abs() < 0.001, "{shown} instead of {expected}");
    }
}

#[test]
fn errors_name_the_file_the_cause_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let options = VideoOptions::default();
    let missing = folder.path().join("none").join("out.mp4");
    let error = VideoWriter::create(&missing, 64, 48, options).err().unwrap();
    assert_eq!(error.kind, WriteErrorKind::Io);
    assert!(error.to_string().contains("out.mp4: it cannot be written ("), "{error}");
    assert!(error.to_string().ends_with("make its folder first or choose another one"), "{error}");

    let path = folder.path().join("out.mp4");
    let error = VideoWriter::create(&path, 4000, 3000, options).err().unwrap();
    assert_eq!(error.kind, WriteErrorKind::Size);
    assert!(error.to_string().contains("4000x3000") && error.to_string().contains("3840x2160"), "{error}");
    assert!(!path.exists(), "nothing is made for nothing");

    let mut writer = VideoWriter::create(&path, 64, 48, options).unwrap();
    assert_eq!(writer.write(&[0; 5], Duration::ZERO).unwrap_err().kind, WriteErrorKind::Size);
    let error = writer.finish().unwrap_err();
    assert_eq!(error.kind, WriteErrorKind::Empty);
    assert!(!path.exists(), "an empty video is no video");
}

#[test]
fn ffprobe_reads_frames_times_and_length() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.mp4");
    let summary = written(&path, 64, 48);
    let probe = |entries: &str| {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-of", "csv=p=0", "-show_entries", entries])
            .arg(&path)
            .output()
            .ok()?;
        assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(String::from_utf8(output.stdout).unwrap())
    };
    let Some(length) = probe("format=duration") else {
        eprintln!("skipped: ffprobe is not there");
        return;
    };
    let length: f64 = length.trim().parse().unwrap();
    assert!((length - summary.duration.as_secs_f64()).abs() < 0.002, "{length} {summary:?}");
    let shown: Vec<f64> =
        probe("frame=pts_time").unwrap().lines().map(|line| line.trim_end_matches(',').parse().unwrap()).collect();
    assert_eq!(shown.len(), 40);
    for (shown, time) in shown.iter().zip(times()) {
        assert!((shown - (time - times()[0]).as_secs_f64()).abs() < 0.001);
    }
    assert!(probe("stream=color_space,color_range").unwrap().trim().contains("smpte170m"));
}
