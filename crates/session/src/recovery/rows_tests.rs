use super::super::super::csv::CsvWriter;
use super::super::super::recording::testing::analysis;
use super::super::super::rows::FrameRow;
use super::*;

/// Five frames with 0, 1, 2, 1 and 2 faces, and where each of them ends.
fn data() -> (Vec<u8>, Vec<usize>) {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for number in 0..5_u64 {
        let ids: &[u64] = [&[][..], &[1], &[1, 2], &[2], &[1, 2]][number as usize];
        let mut rows = Vec::new();
        let mut writer = CsvWriter::new(&mut rows);
        writer.write(&FrameRow::new("HD, \"cam\"", &analysis(64, 48, number, ids))).unwrap();
        writer.flush().unwrap();
        drop(writer);
        let skipped = if number == 0 { 0 } else { rows.iter().position(|&byte| byte == b'\n').unwrap() + 1 };
        bytes.extend_from_slice(&rows[skipped..]);
        ends.push(bytes.len());
    }
    (bytes, ends)
}

#[test]
fn cut_at_any_byte_whole_frames_are_left() {
    let (bytes, ends) = data();
    let header = bytes.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for cut in 0..=bytes.len() {
        let rows = look_at(&bytes[..cut]).unwrap();
        let length = rows.length as usize;
        assert_eq!(rows.damaged, None, "{cut}");
        if cut < header {
            assert_eq!((rows.frames, length), (0, cut), "there is nothing to cut off");
            continue;
        }
        assert!((header..=cut).contains(&length) && bytes[length - 1] == b'\n', "{cut}");
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64;
        // Between the two faces of a frame nobody can tell that one is missing.
        let between = rows.frames == whole + 1 && !ends.contains(&length);
        assert!(rows.frames == whole || between || rows.frames + 1 == whole, "{cut}: {rows:?}, {whole} whole");
        if ends.contains(&cut) {
            assert_eq!((rows.frames, length), (whole, cut));
        }
    }
}

#[test]
fn a_torn_row_of_the_next_frame_leaves_the_last_one_whole() {
    let (bytes, ends) = data();
    let name = b"\"HD, \"\"cam\"\"\",".len();
    // Frame 2 has two faces; in the row after them its number is `3`.
    for (torn, frames) in [(name, 2), (name + 1, 2), (name + 2, 3), (name + 9, 3)] {
        assert_eq!(look_at(&bytes[..ends[2] + torn]).unwrap().frames, frames, "{torn}");
    }
}

#[test]
fn a_torn_row_is_cut_once_and_the_file_as_it_was_is_kept() {
    let (bytes, ends) = data();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("faces.csv");
    let torn = &bytes[..ends[3] + 30];
    std::fs::write(&path, torn).unwrap();
    let (rows, copy) = cut_torn(&path).unwrap();
    assert_eq!((rows.frames, rows.captured, rows.size), (4, 4, Some((64, 48))));
    assert_eq!(rows.input.as_deref(), Some("HD, \"cam\""));
    assert_eq!(
        (std::fs::read(&path).unwrap(), std::fs::read(copy.unwrap()).unwrap()),
        (bytes[..ends[3]].to_vec(), torn.to_vec())
    );
    let (rows, copy) = cut_torn(&path).unwrap();
    assert_eq!((rows.frames, copy), (4, None), "once more changes nothing");
}

#[test]
fn rows_that_cannot_be_read_cost_only_themselves() {
    let (mut bytes, ends) = data();
    bytes[ends[1] + 12] = b'\xff';
    let rows = look_at(&bytes).unwrap();
    assert_eq!((rows.frames, rows.length, rows.captured), (5, bytes.len() as u64, 5));
    let (count, first) = rows.damaged.unwrap();
    assert!(count == 1 && first.starts_with("line 4: "), "{count} {first}");
    for other in [&b"name,age\nann,3\n"[..], b"\0\0\0\0", b"inputs", b"\n\n"] {
        assert!(look_at(other).is_err(), "{other:?}");
    }
}
