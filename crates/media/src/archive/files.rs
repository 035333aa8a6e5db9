//! Archives of pictures of every kind that is read: tar, the same with gzip around it, and zip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _};
use std::ops::ControlFlow;
use std::path::Path;

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use super::{MAX_FILES, TarFile, TarFiles};

/// A tar is unpacked from its gzip up to this size, bytes.
const MAX_UNPACKED: u64 = 64 << 30;

/// A kind of archive, by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A tar, or what turns out to be none when it is read.
    Tar,
    /// Something in gzip, which should be a tar.
    Gzip,
    /// A zip.
    Zip,
}

impl Kind {
    /// What the file at `path` is by its first bytes.
    ///
    /// # Errors
    /// The system's own, and words about archives that are not read here.
    pub fn of(path: &Path) -> io::Result<Self> {
        let mut head = Vec::new();
        File::open(path)?.take(8).read_to_end(&mut head)?;
        Ok(match head.as_slice() {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Self::Zip,
            [b'7', b'z', 0xbc, 0xaf, ..] => return Err(not_read("a 7z archive")),
            [b'R', b'a', b'r', b'!', ..] => return Err(not_read("a rar archive")),
            [0xfd, b'7', b'z', b'X', ..] => return Err(not_read("packed with xz")),
            [b'B', b'Z', b'h', ..] => return Err(not_read("packed with bzip2")),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => return Err(not_read("packed with zstd")),
            _ => Self::Tar,
        })
    }
}

fn not_read(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::Unsupported,
        format!("it is {what}, which is not supported; unpack it, or pack it as .tar, .tar.gz or .zip"),
    )
}

/// Hands each file of an archive to `visit`: its name, its length where that is known, and its content, which need not be
/// read. Ends early where `visit` breaks.
///
/// # Errors
/// An archive that cannot be read, is damaged, or holds more than any data set; and what `visit` says.
pub fn for_each(
    path: &Path,
    mut visit: impl FnMut(&str, u64, &mut dyn Read) -> io::Result<ControlFlow<()>>,
) -> io::Result<()> {
    let kind = Kind::of(path)?;
    let file = BufReader::with_capacity(1 << 18, File::open(path)?);
    match kind {
        Kind::Tar => each_of_tar(file, &mut visit),
        Kind::Gzip => each_of_tar(MultiGzDecoder::new(file), &mut visit).map_err(|error| {
            let words = format!("what is in its gzip is no tar, damaged or cut off ({error})");
            if is_damage(&error) { io::Error::new(error.kind(), words) } else { error }
        }),
        Kind::Zip => {
            let mut zip = Zip::open(path)?;
            for number in 0..zip.len() {
                let Some(mut entry) = zip.entry(number)? else { continue };
                let (name, size) = (entry.name.clone(), entry.size);
                if visit(&name, size, &mut entry.content)?.is_break() {
                    break;
                }
            }
            Ok(())
        }
    }
}

fn each_of_tar(
    reader: impl Read,
    visit: &mut impl FnMut(&str, u64, &mut dyn Read) -> io::Result<ControlFlow<()>>,
) -> io::Result<()> {
    let mut archive = tar::Archive::new(reader);
    for file in TarFiles::new(archive.entries()?) {
        let TarFile { name, mut entry } = file?;
        let size = entry.size();
        if visit(&name, size, &mut entry)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// The tar in a gzip, unpacked into a file without a name that ends with the program. One that is cut off or damaged keeps
/// what comes before.
///
/// # Errors
/// A file that cannot be read or written, or is far too large.
pub fn unpacked(path: &Path) -> io::Result<File> {
    let mut packed = MultiGzDecoder::new(BufReader::with_capacity(1 << 18, File::open(path)?)).take(MAX_UNPACKED);
    let mut file = tempfile::tempfile()?;
    match io::copy(&mut packed, &mut file) {
        Ok(MAX_UNPACKED) => {
            return Err(io::Error::other(format!(
                "its tar is larger than {} GiB; unpack it first",
                MAX_UNPACKED >> 30
            )));
        }
        Ok(_) => {}
        Err(error) if is_damage(&error) => tracing::warn!("{}: the gzip is damaged: {error}", path.display()),
        Err(error) => return Err(error),
    }
    file.rewind()?;
    Ok(file)
}

fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof)
}

/// A zip, of which each file can be read by itself.
#[derive(Debug)]
pub struct Zip {
    archive: ZipArchive<BufReader<File>>,
}

/// A file in a zip.
pub struct ZipEntry<'a> {
    /// Its name, with `/` between folders.
    pub name: String,
    /// Its length, bytes, as the zip says it.
    pub size: u64,
    /// Its content.
    pub content: Box<dyn Read + 'a>,
}

impl Zip {
    /// Reads the table of a zip's files.
    ///
    /// # Errors
    /// One that is damaged, cut off, or holds more than any data set.
    pub fn open(path: &Path) -> io::Result<Self> {
        let archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(|error| damaged(&error))?;
        if archive.len() > MAX_FILES {
            return Err(io::Error::other("it holds more files than any data set"));
        }
        Ok(Self { archive })
    }

    /// How many entries there are, folders among them.
    pub fn len(&self) -> usize {
        self.archive.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.archive.is_empty()
    }

    /// An entry by its number; `None` for folders.
    ///
    /// # Errors
    /// One that is damaged, or encrypted.
    pub fn entry(&mut self, number: usize) -> io::Result<Option<ZipEntry<'_>>> {
        let file = self.archive.by_index(number).map_err(|error| damaged(&error))?;
        if !file.is_file() {
            return Ok(None);
        }
        let name = match file.name() {
            Ok(name) => name.replace('\\', "/"),
            Err(_) => String::from_utf8_lossy(file.name_raw()).replace('\\', "/"),
        };
        Ok(Some(ZipEntry { name, size: file.size(), content: Box::new(file) }))
    }
}

fn damaged(error: &zip::result::ZipError) -> io::Error {
    io::Error::other(format!("it is no zip archive, a damaged one, or one that needs a password ({error})"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, name, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.add_directory("folder", options).unwrap();
        for (name, content) in files {
            writer.start_file(*name, options).unwrap();
            writer.write_all(content).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, bytes).unwrap();
        let mut found = Vec::new();
        let visit = |name: &str, size: u64, content: &mut dyn Read| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes)?;
            assert_eq!(bytes.len() as u64, size);
            found.push((name.to_owned(), bytes));
            Ok(ControlFlow::Continue(()))
        };
        for_each(&path, visit).map_err(|error| error.to_string())?;
        Ok(found)
    }

    #[test]
    fn tar_gzip_and_zip_give_the_same_files() {
        let files: [(&str, &[u8]); 2] = [("a.jpg", b"one"), ("b/c.jpg", &[7; 5000])];
        let expected: Vec<_> = files.map(|(name, content)| (name.to_owned(), content.to_vec())).to_vec();
        for bytes in [tar(&files), gzip(&tar(&files)), zip(&files)] {
            assert_eq!(read(&bytes).unwrap(), expected);
        }
    }

    #[test]
    fn archives_that_are_not_read_are_named() {
        for (head, words) in [
            (b"7z\xbc\xaf\x27\x1c".as_slice(), "7z"),
            (b"Rar!\x1a\x07", "rar"),
            (b"\xfd7zXZ\0", "xz"),
            (b"BZh91AY", "bzip2"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"PK\x03\x04rubbish", "no zip archive"),
            (b"\x1f\x8brubbish", "gzip"),
        ] {
            let error = read(head).unwrap_err();
            assert!(error.contains(words), "{words}: {error}");
        }
    }

    #[test]
    fn a_gzip_that_is_cut_off_keeps_what_comes_before() {
        let noise: Vec<u8> = (0..40_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let whole = gzip(&tar(&[("1", &noise), ("2", &noise)]));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.tar.gz");
        std::fs::write(&path, &whole[..whole.len() * 3 / 4]).unwrap();
        let length = unpacked(&path).unwrap().metadata().unwrap().len();
        assert!((41_000..82_000).contains(&length), "{length}");
        let error = read(&whole[..whole.len() * 3 / 4]).unwrap_err();
        assert!(!error.is_empty());
    }
}
