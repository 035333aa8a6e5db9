use super::super::csv::{CSV_COLUMNS, CsvWriter};
use super::super::rows::AgeRow;
use super::super::rows::tests::{analysis, face};
use super::*;

/// Frames 0 to 3 with 2, 0, 1 and 2 faces.
fn rows() -> Vec<FrameRow> {
    let mut second = face();
    (second.id, second.age, second.pose) = (2, None, None);
    let faces = [vec![face(), second.clone()], vec![], vec![second.clone()], vec![face(), second]];
    let row = |(number, faces): (usize, Vec<_>)| {
        let mut row = FrameRow::new("a,b \"c\".mp4", &analysis(faces));
        (row.frame, row.time_s) = (number as u64, number as f64 * 0.04);
        row
    };
    faces.into_iter().enumerate().map(row).collect()
}

fn text(rows: &[FrameRow]) -> String {
    let mut bytes = Vec::new();
    let mut writer = CsvWriter::new(&mut bytes);
    rows.iter().for_each(|row| writer.write(row).unwrap());
    writer.flush().unwrap();
    drop(writer);
    String::from_utf8(bytes).unwrap()
}

/// The cells of the lines.
fn cells(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

/// The table as another program would write it.
fn written(cells: &[Vec<String>], delimiter: u8, terminator: ::csv::Terminator, quote: ::csv::QuoteStyle) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut writer = ::csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(terminator)
        .quote_style(quote)
        .from_writer(&mut bytes);
    cells.iter().for_each(|line| writer.write_record(line).unwrap());
    writer.flush().unwrap();
    drop(writer);
    bytes
}

fn read(bytes: &[u8]) -> Vec<FrameRow> {
    read_csv(bytes).collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

/// What `read_csv` says of the first thing that it cannot read.
fn refused(bytes: &[u8]) -> String {
    read_csv(bytes).find_map(Result::err).map(|error| error.to_string()).unwrap_or_default()
}

const CRLF: ::csv::Terminator = ::csv::Terminator::CRLF;
const LF: ::csv::Terminator = ::csv::Terminator::Any(b'\n');

#[test]
fn a_table_of_the_first_schema_is_read() {
    let mut old = cells(&text(&rows()));
    let low = CSV_COLUMNS.iter().position(|name| *name == "age_low").unwrap();
    for line in &mut old {
        line.remove(low + 1);
        if line[low] == "age_low" {
            line[low] = "age_spread".to_owned();
        } else if !line[low].is_empty() {
            line[low] = "4.5".to_owned();
        }
    }
    let bytes = written(&old, b',', LF, ::csv::QuoteStyle::Necessary);
    let table = CsvTable::new(&bytes).unwrap();
    assert_eq!((table.columns.missing.len(), table.columns.unknown.len()), (0, 0), "nothing is missed");
    let mut expected = rows();
    for face in expected.iter_mut().flat_map(|row| &mut row.faces) {
        face.age = face.age.map(|age| AgeRow::with_spread(age.years, 4.5));
    }
    assert_eq!(read(&bytes), expected);
    assert_eq!(read(&bytes)[0].faces[0].age.unwrap().low, 26.7);
}

#[test]
fn a_data_frame_that_writes_whole_numbers_as_floats_is_read() {
    let mut cells = cells(&text(&rows()));
    for line in &mut cells[1..] {
        for column in [1, 5] {
            if !line[column].is_empty() {
                line[column] += ".0";
            }
        }
    }
    assert_eq!(read(&written(&cells, b',', LF, ::csv::QuoteStyle::Necessary)), rows());
    // With a column of row numbers without a name, and a word for what is empty.
    for (number, line) in cells.iter_mut().enumerate() {
        line.insert(0, if number == 0 { String::new() } else { number.to_string() });
        for cell in line[1..].iter_mut().filter(|cell| cell.is_empty()) {
            *cell = "NaN".to_owned();
        }
    }
    assert_eq!(read(&written(&cells, b',', LF, ::csv::QuoteStyle::Necessary)), rows());
}

#[test]
fn a_spreadsheet_with_decimal_commas_is_read() {
    let mut table = cells(&text(&rows()));
    for line in &mut table[1..] {
        for cell in line.iter_mut().skip(2) {
            *cell = cell.replace('.', ",");
        }
    }
    for delimiter in [b';', b'\t', b','] {
        for (terminator, quote) in [(CRLF, ::csv::QuoteStyle::Necessary), (LF, ::csv::QuoteStyle::Always)] {
            let bytes = written(&table, delimiter, terminator, quote);
            assert_eq!(read(&bytes), rows(), "{delimiter} {quote:?}");
            assert_eq!(read(&[BOM, &bytes].concat()), rows());
            assert_eq!(read(&[b"sep=;\r\n".as_slice(), &bytes].concat()), rows());
            let utf16: Vec<u8> =
                std::str::from_utf8(&bytes).unwrap().encode_utf16().flat_map(u16::to_le_bytes).collect();
            assert_eq!(read(&[b"\xff\xfe".as_slice(), &utf16].concat()), rows());
        }
    }
    let empty = vec![String::new(); CSV_COLUMNS.len()];
    table.insert(2, empty.clone());
    table.push(empty);
    let bytes = written(&table, b';', CRLF, ::csv::QuoteStyle::Necessary);
    assert_eq!(read(&bytes), rows(), "rows without anything in them");
    let old_mac: Vec<u8> = bytes.iter().copied().filter(|&byte| byte != b'\n').collect();
    assert_eq!(read(&old_mac), rows());
}

#[test]
fn columns_may_stand_in_any_order_and_more_of_them() {
    let mut table = cells(&text(&rows()));
    for (number, line) in table.iter_mut().enumerate() {
        line.reverse();
        line.insert(3, if number == 0 { "emotion".to_owned() } else { "calm, \"so\"".to_owned() });
    }
    let bytes = written(&table, b',', LF, ::csv::QuoteStyle::Necessary);
    assert_eq!(read(&bytes), rows());
    assert_eq!(CsvTable::new(&bytes).unwrap().columns().unknown, ["emotion"]);
}

#[test]
fn estimates_without_a_column_are_missing() {
    let mut table = cells(&text(&rows()));
    table.iter_mut().for_each(|line| line.truncate(11));
    let bytes = written(&table, b',', LF, ::csv::QuoteStyle::Necessary);
    let mut bare = rows();
    for face in bare.iter_mut().flat_map(|row| &mut row.faces) {
        (face.age, face.gender, face.pose) = (None, None, None);
    }
    assert_eq!(read(&bytes), bare);
    assert_eq!(CsvTable::new(&bytes).unwrap().columns().missing.len(), 8);
}

#[test]
fn what_has_no_single_meaning_is_refused_with_its_line() {
    let head = CSV_COLUMNS.join(",");
    let line = "a,3,0.100,4,2,1,201.5,99.0,120.0,120.0,0.98,31.2,27.1,37.5,female,0.08,-12.1,3.4,0.0";
    assert_eq!(read(format!("{head}\n{line}\n").as_bytes()).len(), 1);
    for (from, to, words) in [
        ("a,3,", "a,3.5,", "`frame` is \"3.5\""),
        ("a,3,", "a,-3,", "`frame` is \"-3\""),
        ("a,3,", "a,,", "`frame` is empty"),
        ("a,3,", "a,1e300,", "`frame` is"),
        ("a,3,", "a,99999999999999999999,", "`frame` is"),
        ("0.100", "NaN", "`time_s` is empty"),
        ("0.100", "-1", "`time_s` is -1"),
        ("0.100", "1e300", "not a time of a recording"),
        ("0.100", "00:00:01", "`time_s` is \"00:00:01\""),
        (",4,2,", ",0,2,", "0x2"),
        (",4,2,", ",4294967297,2,", "`width`"),
        (",4,2,", ",4000000000,4000000000,", "4000000000"),
        ("201.5", "\"201,5\"", "another decimal mark"),
        ("201.5", "1.201.5", "`box_x` is"),
        ("201.5", "inf", "`box_x` is"),
        ("201.5", "1e39", "`box_x` is"),
        ("201.5", "15. Jan", "`box_x` is"),
        ("201.5", "", "`box_x` is empty"),
        (",1,201", ",,201", "`id` is empty"),
        ("31.2", "", "`age_years` is empty"),
        ("female", "neither", "`gender_label` is"),
        ("female", "", "`gender_label` is empty"),
        ("0.08", "", "`gender_male` is empty"),
        ("3.4", "", "`pose_pitch` is empty"),
        (",0.0", "", "18 cells instead of 19"),
        (",0.0", ",0.0,5", "20 cells instead of 19"),
        ("a,3,", "\"a,3,", "1 cell instead of 19"),
    ] {
        let broken = line.replacen(from, to, 1);
        let bytes = format!("{head}\n{line}\n\n{broken}\n{}\n", line.replace("a,3,", "a,4,"));
        let said = refused(bytes.as_bytes());
        assert!(said.starts_with("line 4: ") && said.contains(words), "{broken}: {said}");
        let good = read_csv(bytes.as_bytes()).filter(Result::is_ok).count();
        assert_eq!(good, 2, "the lines around it are read: {broken}");
    }
    for (bytes, words) in [
        (&b""[..], "line 1: it names none of the columns"),
        (b"name,age\nann,3\n", "line 1: it names none of the columns"),
        (b"\xff\xfea", "damaged UTF-16"),
        (b"PK\x03\x04\x00\x00", "line 1: "),
    ] {
        assert!(refused(bytes).contains(words), "{bytes:?}: {}", refused(bytes));
    }
    assert!(refused(head.replace("time_s", "time").as_bytes()).contains("no column `time_s`"));
    assert!(refused(format!("{head},id\n").as_bytes()).contains("two columns `id`"));
    let mut latin = format!("{head}\n{line}\n").into_bytes();
    latin[head.len() + 1] = 0xfc;
    assert!(refused(&latin).contains("line 2: `input` is not UTF-8"), "{}", refused(&latin));
}

#[test]
fn a_line_without_an_end_does_not_take_the_others_with_it() {
    let text = text(&rows());
    let (head, lines) = text.split_once('\n').unwrap();
    let bytes = format!("{head}\n\"{}\n{lines}", "x".repeat(100_000));
    let read: Vec<_> = read_csv(bytes.as_bytes()).collect();
    assert!(read[0].as_ref().unwrap_err().to_string().starts_with("line 2: it is too long"));
    assert_eq!(read.into_iter().flatten().collect::<Vec<_>>(), rows());
}
