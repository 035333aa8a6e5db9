//! Videos that were broken off.

use std::path::PathBuf;
use std::time::Duration;

use super::*;
use crate::video::{VideoOptions, VideoWriter};

/// 5.3 s at an uneven rate, and the bytes that a kill would leave at their end.
fn recorded(folder: &Path, name: &str, finish: bool) -> PathBuf {
    let path = folder.join(name);
    let mut writer = VideoWriter::create(&path, 48, 32, VideoOptions::default()).unwrap();
    for number in 0..40_u64 {
        let picture: Vec<u8> = (0..48 * 32 * 3_u64).map(|index| (index * (number + 3) % 251) as u8).collect();
        writer.write(&picture, Duration::from_micros(number * 133_337 + number % 3 * 20_000)).unwrap();
    }
    if finish {
        writer.finish().unwrap();
    } else {
        writer.abandon();
    }
    path
}

/// Pictures and length in seconds of a file, by another library.
fn read_back(path: &Path) -> (usize, f64) {
    let video = re_mp4::Mp4::read_bytes(&std::fs::read(path).unwrap()).unwrap();
    let track = video.tracks().values().next().unwrap();
    let end = track
        .samples
        .last()
        .map_or(0.0, |last| (last.composition_timestamp as f64 + last.duration as f64) / track.timescale as f64);
    (track.samples.len(), end)
}

/// Finishes a video; gives what it holds and the bytes that were cut off.
fn finish(path: &Path) -> Result<(VideoSummary, Vec<u8>), WriteError> {
    let mut cut = Vec::new();
    let finished = finish_found(path, |file, from| {
        cut = read(file, from, file.metadata().unwrap().len()).unwrap();
        Ok(PathBuf::from("copy"))
    })?;
    let expected = match finished.change {
        VideoChange::Cut(bytes, ref copy) => (bytes, copy.to_str()) == (cut.len() as u64, Some("copy")),
        VideoChange::None | VideoChange::Indexed | VideoChange::Damaged(_) => cut.is_empty(),
    };
    assert!(expected, "{finished:?}");
    Ok((finished.summary, cut))
}

/// End of each fragment, and how many pictures stand before it.
fn fragment_ends(path: &Path) -> Vec<(u64, u64)> {
    let mut file = File::open(path).unwrap();
    let mut frames = 0;
    let mut end = |fragment: &Fragment| {
        frames += fragment.frames;
        (fragment.end, frames)
    };
    scan(&mut file).unwrap().unwrap().fragments.iter().map(&mut end).collect()
}

#[test]
fn cut_at_any_byte_all_whole_fragments_are_left_and_indexed() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path(), "cut.mp4", false);
    let bytes = std::fs::read(&path).unwrap();
    let ends = fragment_ends(&path);
    assert!(ends.len() >= 4, "{ends:?}");
    let near_ends = ends.iter().flat_map(|(end, _)| end.saturating_sub(9)..end + 20);
    let cuts = near_ends.chain((0..bytes.len() as u64).step_by(211)).filter(|cut| *cut <= bytes.len() as u64);
    for cut in cuts {
        std::fs::write(&path, &bytes[..cut as usize]).unwrap();
        let whole = ends.iter().rev().find(|(end, _)| *end <= cut);
        match (finish(&path), whole) {
            (Ok((summary, behind)), Some((end, frames))) => {
                assert!(bytes[..cut as usize].ends_with(&behind), "{cut}");
                assert!([0, cut - end].contains(&(behind.len() as u64)), "all of it, or none where it is the index");
                assert_eq!(summary.frames, *frames, "{cut}");
                let (shown, length) = read_back(&path);
                assert_eq!(shown as u64, *frames, "{cut}");
                assert!((length - summary.duration.as_secs_f64()).abs() < 0.001, "{cut}: {length} {summary:?}");
                let repaired = std::fs::read(&path).unwrap();
                assert_eq!(&repaired[*end as usize + 4..][..4], b"mfra");
                assert_eq!(finish(&path), Ok((summary, vec![])), "once more");
                assert_eq!(std::fs::read(&path).unwrap(), repaired, "once more changes nothing");
            }
            (Err(error), None) => {
                assert_eq!(error.kind, WriteErrorKind::Empty, "{cut}: {error}");
                assert_eq!(std::fs::read(&path).unwrap(), &bytes[..cut as usize], "nothing is taken from it");
            }
            (repaired, whole) => panic!("{cut}: {repaired:?} instead of {whole:?}"),
        }
    }
}

#[test]
fn a_finished_video_stays_as_it_is_and_a_repaired_one_is_as_if_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path(), "whole.mp4", true);
    let before = std::fs::read(&path).unwrap();
    let (summary, _) = finish(&path).unwrap();
    assert_eq!((summary.frames, std::fs::read(&path).unwrap() == before), (40, true));

    // Without its index and its length, it gets the same again.
    let end = fragment_ends(&path).last().unwrap().0;
    let mut broken = before[..end as usize].to_vec();
    for (place, _) in length_patches(&before[..2000], 0) {
        broken[place as usize..place as usize + 4].fill(0);
    }
    std::fs::write(&path, broken).unwrap();
    assert_eq!(finish(&path), Ok((summary, vec![])));
    assert!(std::fs::read(&path).unwrap() == before);
}

#[test]
fn a_box_without_an_end_of_its_own_is_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = recorded(folder.path(), "endless.mp4", false);
    let mut bytes = std::fs::read(&path).unwrap();
    let ends = fragment_ends(&path);
    let (_, before) = ends[ends.len() - 2];
    let name = bytes.windows(4).rposition(|name| name == b"mdat").unwrap();
    // Size 0: as far as the file goes.
    bytes[name - 4..name].fill(0);
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(finish(&path).unwrap().0.frames, before);
}

#[test]
fn what_is_no_video_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.mp4");
    for bytes in [&b""[..], b"this is no video", b"\0\0\0\x01ftyp\xff\xff\xff\xff\xff\xff\xff\xff", b"\0\0\0\0ftyp"] {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(finish(&path).unwrap_err().kind, WriteErrorKind::Empty);
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
    assert_eq!(finish(&folder.path().join("missing.mp4")).unwrap_err().kind, WriteErrorKind::Io);
}
