//! The files of a data set: in folders, and in tars that are read without being unpacked.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use facelens_base::archive::{TarFile, TarFiles};
use facelens_base::bounded_file;

use super::PrepareError;

/// A file larger than this is not read.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Folders inside folders are entered so deep.
const MAX_DEPTH: usize = 12;

/// Folders and tars, read by the names of their files: relative to the folder or inside the tar, with `/`. A name that
/// several of them have is that of the first.
pub struct Pictures {
    places: Vec<Place>,
}

enum Place {
    Folder(PathBuf),
    Tar(Tar),
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
    /// No folder and no tar has it.
    Nothing,
    /// It is there and cannot be read; the reason in words.
    Unreadable(String),
}

impl Pictures {
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
                return Ok(Place::Folder(path.clone()));
            }
            if !kind.is_file() {
                // Opening a named pipe would wait for its writer for ever.
                return Err(failed(path, "it is neither a folder nor a file; give folders or tars".to_owned()));
            }
            Tar::open(path).map(Place::Tar).map_err(|error| failed(path, format!("{error}; give folders or tars")))
        };
        Ok(Self { places: paths.iter().map(place).collect::<Result<_, _>>()? })
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Found {
        let name = tidy_name(name);
        for place in &self.places {
            let content = match place {
                Place::Folder(folder) => match inside(folder, &name) {
                    Some(file) => bounded_file::read(&file, MAX_FILE_BYTES).map_err(io::Error::from),
                    None => continue,
                },
                Place::Tar(tar) => match tar.entries.get(&name) {
                    Some(&(start, length)) => tar.read(start, length),
                    None => continue,
                },
            };
            match content {
                Ok(content) => return Found::Content(content),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Found::Unreadable(error.to_string()),
            }
        }
        Found::Nothing
    }

    /// The names of all files, place by place; those of a folder in natural order, without hidden ones.
    ///
    /// # Errors
    /// Where a folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, PrepareError> {
        let mut names = Vec::new();
        for place in &self.places {
            match place {
                Place::Folder(folder) => {
                    let mut found = Vec::new();
                    walk(folder, "", MAX_DEPTH, &mut found).map_err(|error| PrepareError::Pictures {
                        file: folder.display().to_string(),
                        cause: error.to_string(),
                    })?;
                    found.sort_by(|a, b| natord::compare(a, b).then_with(|| a.cmp(b)));
                    names.append(&mut found);
                }
                Place::Tar(tar) => names.extend_from_slice(&tar.names),
            }
        }
        Ok(names)
    }
}

/// A name as it is compared: `/` between folders, no `./` before it.
pub(super) fn tidy_name(name: &str) -> String {
    let name = name.replace('\\', "/");
    name.trim_start_matches("./").to_owned()
}

/// The file `name` in a folder; `None` for names that lead out of it.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let name = Path::new(name);
    let stays = name.components().all(|part| matches!(part, Component::Normal(_)));
    (stays && name.file_name().is_some()).then(|| folder.join(name))
}

fn walk(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(own) = entry.file_name().into_string() else { continue };
        if own.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{own}");
        if entry.file_type()?.is_dir() {
            if depth > 0 {
                walk(&entry.path(), &format!("{name}/"), depth - 1, names)?;
            }
        } else {
            names.push(name);
        }
    }
    Ok(())
}

impl Tar {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let (mut entries, mut names) = (HashMap::new(), Vec::new());
        let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 16, file));
        for found in TarFiles::new(archive.entries_with_seek()?) {
            let TarFile { name, entry } = match found {
                Ok(found) => found,
                Err(error) if names.is_empty() => {
                    return Err(io::Error::other(format!("it is no tar archive, or a damaged one ({error})")));
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
            return Err(io::Error::other("it is no tar archive, or an empty one"));
        }
        let file = Mutex::new(File::open(path)?);
        Ok(Self { path: path.to_owned(), file, entries, names })
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

    fn content(pictures: &Pictures, name: &str) -> Result<Vec<u8>, String> {
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
        let pictures = Pictures::open(&[root, archive]).unwrap();
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
        let pictures = Pictures::open(&[whole]).unwrap();
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
            let error = Pictures::open(std::slice::from_ref(&file)).err().unwrap().to_string();
            assert!(error.contains("labels.csv") && error.contains("folders or tars"), "{error}");
        }
        assert!(Pictures::open(&[folder.path().join("none")]).is_err());
        #[cfg(unix)]
        {
            let pipe = folder.path().join("pipe.tar");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            let error = Pictures::open(&[pipe]).err().unwrap().to_string();
            assert!(error.contains("pipe.tar") && error.contains("folders or tars"), "{error}");
        }
    }
}
