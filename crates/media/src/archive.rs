//! Archives of pictures, read without being unpacked and without being believed: names, extensions and their number
//! have limits, so that no archive takes more memory than an honest one of its size.

use std::io::{self, Read};

use tar::{Entries, Entry, EntryType};

pub use files::{Kind, Zip, ZipEntry, for_each, unpacked};

mod files;

/// The longest name that a file may have, bytes; no system takes longer paths.
pub const MAX_NAME_BYTES: u64 = 4096;

/// The largest extended header (times, owners, attributes) that is read, bytes.
const MAX_EXTENSION_BYTES: u64 = 1 << 20;

/// More files than this are not those of a data set.
pub const MAX_FILES: usize = 10_000_000;

/// The most bytes that the names of an archive may have together.
const MAX_NAMES_BYTES: u64 = 512 << 20;

/// A file in an archive.
pub struct TarFile<'a, R: Read> {
    /// Its name, with `/` between folders; what is not UTF-8 in it is replaced.
    pub name: String,
    /// Its content, and where that lies.
    pub entry: Entry<'a, R>,
}

/// The files of an archive, in its order; folders and links are passed over. Ends after an error.
pub struct TarFiles<'a, R: Read> {
    entries: Entries<'a, R>,
    files: usize,
    names_bytes: u64,
    over: bool,
}

impl<'a, R: Read> TarFiles<'a, R> {
    /// The files among these entries: of [`tar::Archive::entries`] or [`tar::Archive::entries_with_seek`].
    pub fn new(entries: Entries<'a, R>) -> Self {
        // Raw, because otherwise extensions are read whole, however long they say that they are.
        Self { entries: entries.raw(true), files: 0, names_bytes: 0, over: false }
    }

    fn next_file(&mut self) -> io::Result<Option<TarFile<'a, R>>> {
        let mut long_name = None;
        loop {
            let Some(mut entry) = self.entries.next().transpose()? else { return Ok(None) };
            let kind = entry.header().entry_type();
            match kind {
                EntryType::GNULongName => {
                    let mut name = limited(&mut entry, MAX_NAME_BYTES + 1, "a name")?;
                    name.truncate(name.iter().position(|&byte| byte == 0).unwrap_or(name.len()));
                    long_name = Some(name);
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => {}
                EntryType::XHeader => {
                    let extension = limited(&mut entry, MAX_EXTENSION_BYTES, "an extended header")?;
                    long_name = path_of(&extension)?.or(long_name);
                }
                EntryType::GNUSparse => {
                    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                    return Err(wrong(format!("`{name}` is stored as a sparse file; pack it without --sparse")));
                }
                EntryType::Regular | EntryType::Continuous => {
                    let name = long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned());
                    // A folder, as the oldest archives have it.
                    if name.ends_with(b"/") {
                        continue;
                    }
                    self.count(&name)?;
                    return Ok(Some(TarFile { name: String::from_utf8_lossy(&name).into_owned(), entry }));
                }
                _ => long_name = None,
            }
        }
    }

    fn count(&mut self, name: &[u8]) -> io::Result<()> {
        self.files += 1;
        self.names_bytes = self.names_bytes.saturating_add(name.len() as u64);
        if name.len() as u64 > MAX_NAME_BYTES {
            return Err(wrong(format!("it holds a name of {} bytes", name.len())));
        }
        if self.files > MAX_FILES || self.names_bytes > MAX_NAMES_BYTES {
            return Err(wrong("it holds more files than any data set".to_owned()));
        }
        Ok(())
    }
}

impl<'a, R: Read> Iterator for TarFiles<'a, R> {
    type Item = io::Result<TarFile<'a, R>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_file().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

fn wrong(cause: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

fn limited(entry: &mut impl Read, most: u64, what: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(wrong(format!("it holds {what} of more than {most} bytes")));
    }
    Ok(bytes)
}

/// The `path` of an extended header (POSIX.1-2001, pax). Files that need one for their size are larger than any picture.
fn path_of(extension: &[u8]) -> io::Result<Option<Vec<u8>>> {
    let mut path = None;
    // What cannot be read, e.g. an attribute with a line's end in it, is none of these two.
    for record in tar::PaxExtensions::new(extension).filter_map(Result::ok) {
        match record.key_bytes() {
            b"path" => path = Some(record.value_bytes().to_vec()),
            b"size" => return Err(wrong("it holds a file of 8 GiB or more".to_owned())),
            _ => {}
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use tar::{Archive, Builder, Header};

    use super::*;

    fn files(archive: &[u8]) -> Vec<Result<(String, Vec<u8>), String>> {
        let mut archive = Archive::new(archive);
        let read = |file: io::Result<TarFile<'_, _>>| {
            let mut file = file.map_err(|error| error.to_string())?;
            let mut content = Vec::new();
            file.entry.read_to_end(&mut content).map_err(|error| error.to_string())?;
            Ok((file.name, content))
        };
        TarFiles::new(archive.entries().unwrap()).map(read).collect()
    }

    fn header(kind: EntryType, size: u64) -> Header {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(size);
        header.set_path("x").unwrap();
        header.set_cksum();
        header
    }

    #[test]
    fn short_and_long_names_are_read_whoever_packed_them() {
        let long = format!("{}/1.jpg", "folder".repeat(30));
        let mut builder = Builder::new(Vec::new());
        builder.append_data(&mut header(EntryType::Regular, 0), "a/", io::empty()).unwrap();
        for name in ["b.jpg", &long] {
            let mut header = header(EntryType::Regular, 3);
            builder.append_data(&mut header, name, b"abc".as_slice()).unwrap();
        }
        builder.append_pax_extensions([("mtime", b"1.5".as_slice()), ("path", "grüße.jpg".as_bytes())]).unwrap();
        builder.append(&header(EntryType::Regular, 1), b"d".as_slice()).unwrap();
        let names: Vec<_> = files(&builder.into_inner().unwrap()).into_iter().map(|file| file.unwrap()).collect();
        let expected = [("b.jpg", "abc"), (long.as_str(), "abc"), ("grüße.jpg", "d")];
        assert_eq!(names, expected.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec())));
    }

    /// A name of gigabytes is one long hole in a sparse file: it costs its author nothing.
    #[test]
    fn what_is_too_long_is_refused_before_it_is_read() {
        for (kind, words) in [(EntryType::GNULongName, "a name of more"), (EntryType::XHeader, "an extended header")] {
            let header = header(kind, 2 << 30);
            let mut archive = Archive::new(header.as_bytes().as_slice().chain(io::repeat(b'n').take(2 << 30)));
            let found: Vec<_> = TarFiles::new(archive.entries().unwrap()).map(|file| file.map(|_| ())).collect();
            let [Err(error)] = found.as_slice() else { panic!("{found:?}") };
            assert!(error.to_string().contains(words), "{error}");
        }
        let sparse = files(header(EntryType::GNUSparse, 9).as_bytes());
        assert!(sparse[0].as_ref().unwrap_err().contains("`x` is stored as a sparse file"), "{sparse:?}");
    }
}
