use super::*;
use crate::CsvWriter;
use crate::testing::session::{FRAMES, rows as recorded};

fn text(rows: &[FrameRow]) -> String {
    let mut bytes = Vec::new();
    let mut writer = CsvWriter::new(&mut bytes);
    rows.iter().for_each(|row| writer.write(row).unwrap());
    writer.flush().unwrap();
    drop(writer);
    String::from_utf8(bytes).unwrap()
}

fn read_back(text: &str) -> (Vec<FrameRow>, Vec<SessionNotice>) {
    let mut notices = Vec::new();
    let rows = rows("faces.csv", text.as_bytes(), &mut notices);
    (rows, notices)
}

#[test]
fn rows_that_were_sorted_by_person_are_brought_together_again() {
    let text = text(&recorded());
    let (head, lines) = text.split_once('\n').unwrap();
    let mut lines: Vec<&str> = lines.lines().collect();
    lines.sort_by_key(|line| line.split(',').nth(5).unwrap().to_owned());
    let (rows, notices) = read_back(&format!("{head}\n{}\n", lines.join("\n")));
    assert_eq!((rows, notices), (recorded(), vec![SessionNotice::Unsorted]));
}

#[test]
fn what_is_there_twice_is_counted_as_damaged() {
    let text = text(&recorded());
    let lines: Vec<&str> = text.lines().collect();
    for (twice, at) in [(lines[5], 5), (lines[5], 20), (lines[lines.len() - 1], lines.len() - 1)] {
        let mut lines = lines.clone();
        lines.insert(at, twice);
        let (rows, notices) = read_back(&(lines.join("\n") + "\n"));
        let damaged = notices.iter().find_map(|notice| match notice {
            SessionNotice::DamagedRows(count, first) => Some((*count, first.clone())),
            _ => None,
        });
        let (count, first) = damaged.unwrap();
        assert!(count == 1 && first.ends_with("appears twice"), "{count} {first}");
        assert_eq!(rows, recorded());
    }
    assert_eq!(read_back(&text).0.len(), FRAMES as usize);
}

#[test]
fn columns_that_are_new_or_gone_are_named() {
    let text = text(&recorded());
    let more: String = text
        .lines()
        .enumerate()
        .map(|(at, line)| format!("{line},{}\n", if at == 0 { "emotion" } else { "1" }))
        .collect();
    assert_eq!(read_back(&more), (recorded(), vec![SessionNotice::UnknownColumns(vec!["emotion".to_owned()])]));
    let fewer: String = text.lines().map(|line| line.rsplitn(4, ',').last().unwrap().to_owned() + "\n").collect();
    let (rows, notices) = read_back(&fewer);
    assert!(matches!(notices.as_slice(), [SessionNotice::MissingColumns(names)] if names.len() == 3), "{notices:?}");
    assert!(rows.len() == FRAMES as usize && rows[0].faces[0].pose.is_none() && rows[0].faces[0].age.is_some());
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut notices = Vec::new();
    let pipe = folder.path().join("faces.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(read(folder.path(), "faces.csv", &mut notices), []);
    let words = "faces.csv: it is a named pipe, not a file";
    assert_eq!(notices, [SessionNotice::DamagedData(words.to_owned())]);
    std::fs::remove_file(&pipe).unwrap();
    std::fs::File::create(&pipe).unwrap().set_len(MAX_DATA_BYTES + 1).unwrap();
    notices.clear();
    read(folder.path(), "faces.csv", &mut notices);
    assert!(matches!(&notices[..], [SessionNotice::DamagedData(words)] if words.contains("larger than 1 GiB")));
}
