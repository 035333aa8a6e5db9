//! Tables of labels as spreadsheets and statistics programs write them, and which picture each line means.
//!
//! What is unambiguous is read: commas, semicolons, tabs, a line `sep=;`, UTF-8, UTF-16 and Latin-1, lines of nothing but
//! commas, `30.0` for whole years, `NA` for nothing. What is not is refused in a sentence that says what to change.

mod cells;
mod names;
mod text;

pub use cells::{AgeCell, age_text, flag, gender, is_unknown, number, whole_years};
pub use names::{Index, files_below, tidy_name};

use csv::{Reader, ReaderBuilder, StringRecord, Trim};

/// What parts the cells of a line, in the order in which they are tried.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// A table of labels as text.
pub struct Sheet {
    text: String,
    delimiter: u8,
    /// Lines before the header.
    skipped: u64,
}

impl Sheet {
    /// A table with a column `file`, out of the bytes of its file. Without such a column its first line counts as one of
    /// commas.
    pub fn new(bytes: &[u8]) -> Self {
        let mut text = text::decode(bytes);
        let (mut delimiter, mut skipped) = (None, 0);
        // Excel's own way to say the delimiter.
        let first = text.lines().next().unwrap_or_default().trim_matches('"');
        if let Some(&[said]) = first.strip_prefix("sep=").map(str::as_bytes).filter(|said| said.len() == 1) {
            let end = text.find('\n').map_or(text.len(), |end| end + 1);
            text.drain(..end);
            (delimiter, skipped) = (Some(said), 1);
        }
        let fits = |delimiter: &u8| {
            let mut reader = ReaderBuilder::new().trim(Trim::All).delimiter(*delimiter).from_reader(text.as_bytes());
            reader.headers().is_ok_and(|header| column(header, "file").is_some())
        };
        let delimiter = delimiter.or_else(|| DELIMITERS.into_iter().find(|delimiter| fits(delimiter))).unwrap_or(b',');
        Self { text, delimiter, skipped }
    }

    /// Reads its lines, of which each may have any number of cells.
    pub fn reader(&self) -> Reader<&[u8]> {
        ReaderBuilder::new().trim(Trim::All).flexible(true).delimiter(self.delimiter).from_reader(self.text.as_bytes())
    }

    /// The number of a line in the file, by what the reader counts.
    pub fn line(&self, counted: u64) -> u64 {
        self.skipped + counted
    }
}

/// The place of a column, whatever the case of its name.
pub fn column(header: &StringRecord, name: &str) -> Option<usize> {
    header.iter().position(|column| column.eq_ignore_ascii_case(name))
}

/// Whether a line has no cell with anything in it, as spreadsheets add them.
pub fn is_empty(record: &StringRecord) -> bool {
    record.iter().all(str::is_empty)
}

/// Where the gender stands: in words, or as a yes or no to a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenderColumn {
    /// `gender` or `sex`.
    Words(usize),
    /// `male` or `is_male` with yes and no, 1 and 0.
    IsMale(usize),
    /// `female` or `is_female`, likewise.
    IsFemale(usize),
}

impl GenderColumn {
    /// The first of these columns that there is.
    pub fn find(header: &StringRecord) -> Option<Self> {
        let find = |names: [&str; 2]| names.into_iter().find_map(|name| column(header, name));
        find(["gender", "sex"])
            .map(Self::Words)
            .or_else(|| find(["male", "is_male"]).map(Self::IsMale))
            .or_else(|| find(["female", "is_female"]).map(Self::IsFemale))
    }

    /// Whether the face is labelled male; `None` where nothing is said.
    ///
    /// # Errors
    /// A text that says neither, in words.
    pub fn is_male(self, record: &StringRecord) -> Result<Option<bool>, String> {
        let cell = |column: usize| record.get(column).unwrap_or_default();
        match self {
            Self::Words(column) => gender(cell(column)),
            Self::IsMale(column) => flag(cell(column)),
            Self::IsFemale(column) => Ok(flag(cell(column))?.map(|is_female| !is_female)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &[u8]) -> Vec<Vec<String>> {
        let sheet = Sheet::new(bytes);
        let mut reader = sheet.reader();
        let header = reader.headers().unwrap().clone();
        let rows = reader.records().map(Result::unwrap).collect::<Vec<_>>();
        std::iter::once(header).chain(rows).map(|row| row.iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn every_way_to_part_cells_is_read() {
        let expected = [["file", "age"], ["a.jpg", "42"]];
        for text in [
            "file,age\na.jpg,42\n",
            "file;age\r\na.jpg;42\r\n",
            "file\tage\na.jpg\t42",
            "File|Age\na.jpg|42",
            "sep=;\nfile;age\na.jpg;42\n",
            "\"sep=\t\"\r\nfile\tage\r\na.jpg\t42\r\n",
            "\u{feff}\"file\";\"age\"\n\"a.jpg\";\"42\"\n",
            " file , age \n a.jpg , 42 \n",
        ] {
            let mut lines = lines(text.as_bytes());
            lines[0].iter_mut().for_each(|name| name.make_ascii_lowercase());
            assert_eq!(lines, expected, "{text:?}");
        }
        assert_eq!(Sheet::new(b"sep=;\nfile;age\n").line(2), 3);
        assert_eq!(lines(b"a,b;c\n1,2;3\n"), [["a", "b;c"], ["1", "2;3"]]);
        let _ = lines(b"");
    }

    #[test]
    fn a_column_says_what_its_yes_and_no_mean() {
        let said = |name: &str, cell: &str| {
            let header = StringRecord::from(vec!["file", name]);
            GenderColumn::find(&header).unwrap().is_male(&StringRecord::from(vec!["a", cell]))
        };
        assert_eq!(said("Sex", "Woman"), Ok(Some(false)));
        assert_eq!((said("male", "1"), said("is_female", "1")), (Ok(Some(true)), Ok(Some(false))));
        assert_eq!((said("female", "no"), said("male", "NA")), (Ok(Some(true)), Ok(None)));
        assert!(said("gender", "1").unwrap_err().contains("`female` and `male`"));
    }
}
