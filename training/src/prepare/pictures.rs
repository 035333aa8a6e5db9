//! The files of a data set: in folders, and in archives that are read without being unpacked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use facelens_base::bounded_file;
use facelens_media::archive::{Kind, TarFile, TarFiles, Zip, unpacked};
use facelens_media::labels::{Index, files_below, tidy_name};

use super::PrepareError;

/// A file larger than this is not read.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Folders and archives, read by the names of their files: relative to the folder or inside the archive, with `/`. A name
/// that several of them have is that of the first. A name that none of them has means the file that is called nearly so,
/// where only one can be meant.
pub struct PictureStore {
    places: Vec<ImagePlace>,
    /// The files of each place, looked for by names that are not quite theirs.
    indices: OnceLock<Vec<Index>>,
}

enum ImagePlace {
    Folder(PathBuf),
    Tar(Tar),
    Zip(Zipped),
}

struct Zipped {
    path: PathBuf,
    zip: Mutex<Zip>,
    entries: HashMap<String, usize>,
    names: Vec<String>,
}

struct Tar {
    path: PathBuf,
    file: Mutex<File>,
    /// Where the content of each file begins and how long it is.
    entries: HashMap<String, (u64, u64)>,
    /// The names in the order of the archive.
    names: Vec<String>,
}

/// What a name led to.
#[derive(Debug)]
pub enum Found {
    /// The file's content.
    Content(Vec<u8>),
    /// No folder and no archive has it.
    Nothing,
    /// It is there and cannot be read; the reason in words.
    Unreadable(String),
}

impl PictureStore {
    /// Opens folders and tars. Of a tar the table of its files is read, and nothing else yet.
    ///
    /// # Errors
    /// Where one of them is not there or is neither a folder nor a tar. A tar that was cut off keeps what it has, and a
    /// warning names it.
    pub fn open(paths: &[PathBuf]) -> Result<Self, PrepareError> {
        let failed = |path: &Path, cause: String| PrepareError::Pictures { file: path.display().to_string(), cause };
        let place = |path: &PathBuf| {
            let kind = std::fs::metadata(path).map_err(|error| failed(path, error.to_string()))?;
            if kind.is_dir() {
                return Ok(ImagePlace::Folder(path.clone()));
            }
            if !kind.is_file() {
                // Opening a named pipe would wait for its writer for ever.
                return Err(failed(path, "it is neither a folder nor a file; give folders or tars".to_owned()));
            }
            let archive = match Kind::of(path) {
                Ok(Kind::Zip) => Zipped::open(path).map(ImagePlace::Zip),
                Ok(kind) => Tar::open(path, kind).map(ImagePlace::Tar),
                Err(error) => Err(error),
            };
            archive.map_err(|error| failed(path, format!("{error}; give folders or tars, also as .tar.gz, or zips")))
        };
        Ok(Self { places: paths.iter().map(place).collect::<Result<_, _>>()?, indices: OnceLock::new() })
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Found {
        let name = tidy_name(name);
        for place in &self.places {
            if let Some(found) = place.read(&name) {
                return found;
            }
        }
        let indices = self.indices.get_or_init(|| self.places.iter().map(ImagePlace::index).collect());
        let nearly = indices.iter().zip(&self.places).find_map(|(index, place)| place.read(index.find(&name)?));
        nearly.unwrap_or(Found::Nothing)
    }

    /// The names of all files, place by place; those of a folder in natural order, without hidden ones.
    ///
    /// # Errors
    /// Where a folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, PrepareError> {
        let mut names = Vec::new();
        for place in &self.places {
            let mut found = place.names().map_err(|error| PrepareError::Pictures {
                file: place.path().display().to_string(),
                cause: error.to_string(),
            })?;
            names.append(&mut found);
        }
        Ok(names)
    }
}

impl ImagePlace {
    fn path(&self) -> &Path {
        match self {
            Self::Folder(path) => path,
            Self::Tar(tar) => &tar.path,
            Self::Zip(zipped) => &zipped.path,
        }
    }

    fn names(&self) -> io::Result<Vec<String>> {
        match self {
            Self::Folder(folder) => files_below(folder),
            Self::Tar(tar) => Ok(tar.names.clone()),
            Self::Zip(zipped) => Ok(zipped.names.clone()),
        }
    }

    fn index(&self) -> Index {
        Index::new(self.path(), self.names().unwrap_or_default())
    }

    /// Reads a file by its own name; `None` where there is none.
    fn read(&self, name: &str) -> Option<Found> {
        let content = match self {
            Self::Folder(folder) => bounded_file::read(&inside(folder, name)?, MAX_FILE_BYTES).map_err(io::Error::from),
            Self::Tar(tar) => {
                let &(start, length) = tar.entries.get(name)?;
                tar.read(start, length)
            }
            Self::Zip(zipped) => zipped.read(*zipped.entries.get(name)?),
        };
        match content {
            Ok(content) => Some(Found::Content(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => Some(Found::Unreadable(error.to_string())),
        }
    }
}

impl Zipped {
    fn open(path: &Path) -> io::Result<Self> {
        let mut zip = Zip::open(path)?;
        let (mut entries, mut names) = (HashMap::new(), Vec::new());
        for number in 0..zip.len() {
            if let Some(entry) = zip.entry(number)? {
                let name = tidy_name(&entry.name);
                names.push(name.clone());
                entries.entry(name).or_insert(number);
            }
        }
        if names.is_empty() {
            return Err(io::Error::other("it is an empty zip archive"));
        }
        Ok(Self { path: path.to_owned(), zip: Mutex::new(zip), entries, names })
    }

    fn read(&self, number: usize) -> io::Result<Vec<u8>> {
        let mut zip = self.zip.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = zip.entry(number)?.ok_or_else(|| io::Error::other("it is a folder"))?;
        read_limited(entry.content)
    }
}

/// The file `name` in a folder; `None` for names that lead out of it.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let stays = name.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && name.file_name().is_some()).then(|| folder.join(name))
}

impl Tar {
    fn open(path: &Path, kind: Kind) -> io::Result<Self> {
        let file = if kind == Kind::Gzip { unpacked(path)? } else { File::open(path)? };
        let length = file.metadata()?.len();
        let (mut entries, mut names) = (HashMap::new(), Vec::new());
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 16, file.try_clone()?));
        for found in TarFiles::new(archive.entries_with_seek()?) {
            let TarFile { name, entry } = match found {
                Ok(found) => found,
                Err(error) if names.is_empty() => {
                    return Err(io::Error::other(format!("it is not a tar archive, or a damaged one ({error})")));
                }
                Err(error) => {
                    tracing::warn!("{}: what follows `{}` is lost: {error}", path.display(), last(&names));
                    break;
                }
            };
            let name = tidy_name(&name);
            let (start, size) = (entry.raw_file_position(), entry.size());
            names.push(name.clone());
            // The first of a name counts, as with several places.
            entries.entry(name).or_insert((start, size));
            if start.checked_add(size).is_none_or(|end| end > length) {
                tracing::warn!("{}: the archive ends inside `{}`; fetch it again", path.display(), last(&names));
                break;
            }
        }
        if names.is_empty() {
            return Err(io::Error::other("it is not a tar archive, or an empty one"));
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), entries, names })
    }

    fn read(&self, start: u64, length: u64) -> io::Result<Vec<u8>> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(start))?;
        let content = read_limited((&mut *file).take(length))?;
        if (content.len() as u64) < length {
            return Err(io::Error::other(format!("the archive {} ends inside it", self.path.display())));
        }
        Ok(content)
    }
}

fn last(names: &[String]) -> &str {
    names.last().map_or("", String::as_str)
}

fn read_limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("the file is larger than 256 MiB"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::tar;
    use super::*;

    fn content(pictures: &PictureStore, name: &str) -> Result<Vec<u8>, String> {
        match pictures.read(name) {
            Found::Content(content) => Ok(content),
            Found::Nothing => Err("nothing".to_owned()),
            Found::Unreadable(cause) => Err(cause),
        }
    }

    #[test]
    fn folders_and_tars_are_read_by_name_and_the_first_counts() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("set");
        std::fs::create_dir_all(root.join("b")).unwrap();
        for (name, text) in [("b/10.jpg", "ten"), ("b/9.jpg", "nine"), (".hidden", "no"), ("a.txt", "a")] {
            std::fs::write(root.join(name), text).unwrap();
        }
        std::fs::write(folder.path().join("secret"), "no").unwrap();
        let archive = tar(folder.path(), "x.tar", &[("./b/9.jpg", b"other".as_slice()), ("c/1.jpg", b"one")]);
        let pictures = PictureStore::open(&[root, archive]).unwrap();
        assert_eq!(pictures.names().unwrap(), ["a.txt", "b/9.jpg", "b/10.jpg", "b/9.jpg", "c/1.jpg"]);
        assert_eq!(content(&pictures, "./b/9.jpg").unwrap(), b"nine");
        assert_eq!(content(&pictures, "c\\1.jpg").unwrap(), b"one");
        for name in ["c/2.jpg", "../secret", "/etc/hostname", "", "b"] {
            assert!(content(&pictures, name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_tar_that_was_cut_off_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let whole = tar(folder.path(), "x.tar", &[("1", [1; 700].as_slice()), ("2", &[2; 700]), ("3", &[3; 700])]);
        let bytes = std::fs::read(&whole).unwrap();
        // A header and 700 bytes take 512 + 1024 bytes: this ends inside the second file.
        std::fs::write(&whole, &bytes[..1536 + 512 + 100]).unwrap();
        let pictures = PictureStore::open(&[whole]).unwrap();
        assert_eq!(content(&pictures, "1").unwrap(), [1; 700]);
        assert!(content(&pictures, "2").unwrap_err().contains("x.tar ends inside it"));
        assert_eq!(content(&pictures, "3").unwrap_err(), "nothing");
    }

    #[test]
    fn what_is_no_tar_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("labels.csv");
        for text in ["", "file,age\n", &"x".repeat(5000)] {
            std::fs::write(&file, text).unwrap();
            let error = PictureStore::open(std::slice::from_ref(&file)).err().unwrap().to_string();
            assert!(error.contains("labels.csv") && error.contains("folders or tars"), "{error}");
        }
        assert!(PictureStore::open(&[folder.path().join("none")]).is_err());
        #[cfg(unix)]
        {
            let pipe = folder.path().join("pipe.tar");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let error = PictureStore::open(&[pipe]).err().unwrap().to_string();
            assert!(error.contains("pipe.tar") && error.contains("folders or tars"), "{error}");
        }
    }
}
