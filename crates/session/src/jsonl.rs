//! JSON Lines: one JSON object per frame, as [`FrameRow`] describes it.

use std::io::{self, BufRead, Write};

use super::rows::FrameRow;

/// Writes one row as one line, and the line's end.
///
/// # Errors
/// What the writer says.
pub fn write_jsonl(writer: &mut impl Write, row: &FrameRow) -> io::Result<()> {
    write_line(writer, row)
}

/// Writes any row as one line. Times are its only `f64`.
pub(super) fn write_line(writer: &mut impl Write, row: &impl serde::Serialize) -> io::Result<()> {
    // One write per line: a line is never half there when the program is interrupted between two of them.
    let mut line = Vec::with_capacity(256);
    row.serialize(&mut serde_json::Serializer::with_formatter(&mut line, RowFormatter))?;
    line.push(b'\n');
    writer.write_all(&line)
}

/// Reads the rows back, line by line; empty lines are passed over.
pub fn read_jsonl(reader: impl BufRead) -> impl Iterator<Item = io::Result<FrameRow>> {
    reader.lines().enumerate().filter_map(|(index, line)| match line {
        Ok(line) if line.trim().is_empty() => None,
        Ok(line) => Some(
            serde_json::from_str(&line)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", index + 1))),
        ),
        Err(error) => Some(Err(error)),
    })
}

/// Compact JSON with milliseconds always shown. [`FrameRow::time_s`] is the only `f64` in a row, so the type tells it.
struct RowFormatter;

impl serde_json::ser::Formatter for RowFormatter {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        write!(writer, "{value:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::AgeRow;
    use super::super::rows::tests::{analysis, face};
    use super::*;

    fn lines(rows: &[FrameRow]) -> String {
        let mut bytes = Vec::new();
        for row in rows {
            write_jsonl(&mut bytes, row).unwrap();
        }
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_is_what_the_contract_shows() {
        let row = FrameRow::new("clip.mp4", &analysis(vec![face()]));
        assert_eq!(
            lines(&[row]),
            concat!(
                r#"{"input":"clip.mp4","frame":3,"time_s":0.100,"width":4,"height":2,"faces":[{"id":1,"#,
                r#""box":{"x":201.5,"y":99.0,"width":120.0,"height":120.0},"score":0.98,"#,
                r#""age":{"years":31.2,"low":27.1,"high":37.5},"gender":{"label":"female","male":0.08},"#,
                r#""pose":{"yaw":-12.1,"pitch":3.4,"roll":0.0}}]}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_line_of_the_first_schema_is_read() {
        let row = FrameRow::new("clip.mp4", &analysis(vec![face()]));
        let new = lines(&[row]);
        let old = new.replace(r#""low":27.1,"high":37.5"#, r#""spread":4.5"#);
        assert_ne!(old, new);
        let read: Vec<_> = read_jsonl(old.as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(read[0].faces[0].age, Some(AgeRow { years: 31.2, low: 26.7, high: 35.7 }));
        let half = new.replace(r#","high":37.5"#, "");
        let error = read_jsonl(half.as_bytes()).next().unwrap().unwrap_err().to_string();
        assert!(error.contains("no `low` and `high`"), "{error}");
    }

    #[test]
    fn absent_models_leave_their_key_out() {
        let mut bare = face();
        (bare.age, bare.gender, bare.pose) = (None, None, None);
        let line = lines(&[FrameRow::new("a", &analysis(vec![bare]))]);
        assert!(line.ends_with("\"score\":0.98}]}\n"), "{line}");
        let none = lines(&[FrameRow::new("a", &analysis(vec![]))]);
        assert_eq!(none, "{\"input\":\"a\",\"frame\":3,\"time_s\":0.100,\"width\":4,\"height\":2,\"faces\":[]}\n");
    }

    #[test]
    fn rows_read_back_as_they_were_written() {
        let mut bare = face();
        (bare.id, bare.pose) = (2, None);
        let rows =
            [FrameRow::new("a \"b\".mp4", &analysis(vec![face(), bare])), FrameRow::new("ä/ö.png", &analysis(vec![]))];
        let read: Vec<_> = read_jsonl(lines(&rows).as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(read, rows);
    }

    #[test]
    fn a_broken_line_is_named() {
        let error = read_jsonl("\n{\"input\":3}\n".as_bytes()).next().unwrap().unwrap_err();
        assert!(error.to_string().starts_with("line 2: "), "{error}");
    }
}
