//! The pictures of `eval`: out of folders, and streamed out of tars without unpacking them.

use std::collections::HashMap;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use facelens_base::bounded_file;
use facelens_media::archive;

use super::labels::Labels;
use facelens_media::labels::{Index, files_below, tidy_name};

/// A picture file larger than this is not read.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Hands each labelled picture that is in `images` to `found`, with the number of its label, once: a second one of the
/// same name is passed over. A picture whose name is not quite the label's is taken where only it can be meant. Ends early
/// where `found` breaks.
///
/// # Errors
/// A folder or archive that cannot be read. A single picture that cannot be read goes to `found` as an error.
pub(super) fn walk(
    images: &[PathBuf],
    labels: &Labels,
    mut found: impl FnMut(usize, io::Result<Vec<u8>>) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut seen = vec![false; labels.rows().len()];
    for path in images {
        let kind =
            std::fs::metadata(path).with_context(|| format!("{}: the images cannot be opened", path.display()))?;
        let flow = if kind.is_dir() {
            walk_folder(path, labels, &mut seen, &mut found)
        } else if !kind.is_file() {
            // Opening a named pipe would wait for its writer for ever.
            anyhow::bail!(
                "{}: it is neither a folder nor an archive (tar, tar.gz or zip); give one of them",
                path.display()
            );
        } else {
            walk_archive(path, labels, &mut seen, &mut found)?
        };
        if flow.is_break() {
            break;
        }
    }
    Ok(())
}

fn walk_folder(
    folder: &Path,
    labels: &Labels,
    seen: &mut [bool],
    found: &mut impl FnMut(usize, io::Result<Vec<u8>>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut take = |index: usize, name: &str, seen: &mut [bool]| {
        let bytes = bounded_file::read(&folder.join(name), MAX_FILE_BYTES).map_err(io::Error::from);
        if bytes.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return ControlFlow::Continue(());
        }
        seen[index] = true;
        found(index, bytes)
    };
    for (index, label) in labels.rows().iter().enumerate() {
        if !seen[index] {
            take(index, &label.file, seen)?;
        }
    }
    if seen.iter().all(|seen| *seen) {
        return ControlFlow::Continue(());
    }
    // The names that are there, for the labels that are not.
    for (name, index) in nearly(folder, files_below(folder).unwrap_or_default(), labels, seen) {
        take(index, &name, seen)?;
    }
    ControlFlow::Continue(())
}

/// The pictures that labels without one of their name mean, each for one label alone.
fn nearly(place: &Path, names: Vec<String>, labels: &Labels, seen: &[bool]) -> HashMap<String, usize> {
    let free = names.into_iter().filter(|name| labels.index_of(&tidy_name(name)).is_none()).collect();
    let index = Index::new(place, free);
    let mut meant: HashMap<String, Option<usize>> = HashMap::new();
    for (number, label) in labels.rows().iter().enumerate().filter(|(number, _)| !seen[*number]) {
        if let Some(name) = index.find(&label.file) {
            // Two labels for one picture: it cannot be told which is right.
            meant.entry(name.to_owned()).and_modify(|label| *label = None).or_insert(Some(number));
        }
    }
    meant.into_iter().filter_map(|(name, label)| Some((name, label?))).collect()
}

fn walk_archive(
    path: &Path,
    labels: &Labels,
    seen: &mut [bool],
    found: &mut impl FnMut(usize, io::Result<Vec<u8>>) -> ControlFlow<()>,
) -> anyhow::Result<ControlFlow<()>> {
    let mut names = Vec::new();
    let exactly = |name: &str| {
        let name = tidy_name(name);
        let index = labels.index_of(&name);
        names.push(name);
        index
    };
    if read_archive(path, seen, exactly, found)?.is_break() {
        return Ok(ControlFlow::Break(()));
    }
    let nearly = nearly(path, names, labels, seen);
    if nearly.is_empty() {
        return Ok(ControlFlow::Continue(()));
    }
    read_archive(path, seen, |name| nearly.get(&tidy_name(name)).copied(), found)
}

/// Goes through an archive once, and reads the pictures to which `label_of` gives a label that is not seen yet.
fn read_archive(
    path: &Path,
    seen: &mut [bool],
    mut label_of: impl FnMut(&str) -> Option<usize>,
    found: &mut impl FnMut(usize, io::Result<Vec<u8>>) -> ControlFlow<()>,
) -> anyhow::Result<ControlFlow<()>> {
    let mut flow = ControlFlow::Continue(());
    let mut cut_off = None;
    let read = archive::for_each(path, |name, size, content| {
        let Some(index) = label_of(name).filter(|index| !seen[*index]) else { return Ok(ControlFlow::Continue(())) };
        seen[index] = true;
        let bytes = read_limited(content);
        // An archive cut off inside a picture is no unreadable picture, but one of which the rest is missing.
        if bytes.as_ref().is_ok_and(|bytes| (bytes.len() as u64) < size) {
            cut_off = Some(name.to_owned());
            return Ok(ControlFlow::Break(()));
        }
        flow = found(index, bytes);
        Ok(flow)
    });
    if let Some(name) = cut_off {
        anyhow::bail!("{}: the archive ends inside `{name}`; fetch it again", path.display());
    }
    read.with_context(|| {
        format!("{}: not an archive that can be read (tar, tar.gz or zip), or a damaged one", path.display())
    })?;
    Ok(flow)
}

fn read_limited(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("the file is larger than 256 MiB"));
    }
    Ok(bytes)
}
