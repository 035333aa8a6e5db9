//! Which picture a name in a table means.

use std::collections::HashMap;
use std::io;
use std::path::{Component, Path};

use icu_normalizer::ComposingNormalizerBorrowed;

/// A picture's name as it is compared: `/` between folders, no `./` before it.
pub fn tidy_name(name: &str) -> String {
    let name = name.replace('\\', "/");
    name.trim_start_matches("./").to_owned()
}

/// The same for names that differ only in how letters with marks are put together (macOS takes them apart) and in the case
/// of the ending.
fn folded(name: &str) -> String {
    let name = ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned();
    match name.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') => format!("{stem}.{}", ending.to_lowercase()),
        _ => name,
    }
}

/// The pictures of a folder or an archive, to be found by names that are not quite theirs.
#[derive(Debug)]
pub struct Index {
    names: Vec<String>,
    /// By the last part of their names.
    by_last: HashMap<String, Vec<usize>>,
    /// The parts of the place's own path: names may begin with the last of them.
    place: Vec<String>,
}

impl Index {
    /// The pictures `names` of the folder or archive `place`.
    pub fn new(place: &Path, names: Vec<String>) -> Self {
        let mut by_last: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, name) in names.iter().enumerate() {
            by_last.entry(folded(last(name))).or_default().push(number);
        }
        let whole = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
        let parts = whole.components().filter_map(|part| match part {
            Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
            _ => None,
        });
        let mut place: Vec<String> = parts.collect();
        if let Some(file) = place.last_mut() {
            let stem = [".tar.gz", ".tgz", ".tar", ".zip"].iter().find_map(|ending| file.strip_suffix(ending));
            if let Some(stem) = stem.map(str::to_owned) {
                *file = stem;
            }
        }
        Self { names, by_last, place }
    }

    /// The picture that is meant, where only one can be: the same but for the ending's case and composed letters, also
    /// without the place's own folders before the name, or with folders of the archive before it.
    pub fn find(&self, name: &str) -> Option<&str> {
        let name = folded(&tidy_name(name));
        let candidates = self.by_last.get(last(&name))?;
        let only = |fits: &dyn Fn(&str) -> bool| {
            let mut fitting = candidates.iter().map(|&number| self.names[number].as_str()).filter(|name| fits(name));
            fitting.next().filter(|_| fitting.next().is_none())
        };
        let same = |wanted: &str| only(&|name: &str| folded(name) == wanted);
        let below = || {
            let end = format!("/{name}");
            only(&|name: &str| folded(name).ends_with(&end))
        };
        same(&name).or_else(|| self.within(&name).and_then(|rest| same(&rest))).or_else(below)
    }

    /// The name without the place's own folders, where it begins with them.
    fn within(&self, name: &str) -> Option<String> {
        let parts: Vec<&str> = name.trim_start_matches('/').split('/').collect();
        let begins = |count: &usize| {
            let tail = self.place.len().checked_sub(*count).map(|from| &self.place[from..]);
            tail.is_some_and(|tail| tail.iter().zip(&parts).all(|(a, b)| folded(a) == **b || a.as_str() == *b))
        };
        (1..parts.len()).rev().find(begins).map(|count| parts[count..].join("/"))
    }
}

/// Folders inside folders are entered so deep.
const MAX_DEPTH: usize = 12;

/// The names of all files in a folder and the folders below it, in natural order, without hidden ones.
///
/// # Errors
/// A folder that cannot be read.
pub fn files_below(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    walk(folder, "", MAX_DEPTH, &mut names)?;
    names.sort_by(|a, b| natord::compare(a, b).then_with(|| a.cmp(b)));
    Ok(names)
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

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_not_quite_the_same_are_found_where_only_one_can_be_meant() {
        let names = ["Zu\u{308}.jpg", "IMG_1.JPG", "set/a.jpg", "set/b/c.png", "set/d/c.png", "x.tif"];
        let index = Index::new(Path::new("/data/pictures"), names.map(str::to_owned).to_vec());
        let table = [
            ("Z\u{fc}.jpg", Some(names[0])),
            ("img_1.jpg", None),
            ("IMG_1.jpg", Some(names[1])),
            ("./IMG_1.Jpg", Some(names[1])),
            ("a.jpg", Some(names[2])),
            ("b\\c.png", Some(names[3])),
            ("c.png", None),
            ("pictures/IMG_1.JPG", Some(names[1])),
            ("/data/pictures/x.tif", Some(names[5])),
            ("data/pictures/set/a.jpg", Some(names[2])),
            ("other/x.tif", None),
            ("y.tif", None),
            ("", None),
        ];
        for (name, found) in table {
            assert_eq!(index.find(name), found, "{name}");
        }
        let archive = Index::new(Path::new("/data/pictures.tar.gz"), vec!["a.jpg".into()]);
        assert_eq!(archive.find("pictures/a.jpg"), Some("a.jpg"));
    }
}
