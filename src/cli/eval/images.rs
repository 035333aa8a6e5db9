//! The pictures of `eval`: out of folders, and streamed out of tars without unpacking them.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use facelens_base::archive::{TarFile, TarFiles};
use facelens_base::bounded_file;

use super::labels::{Labels, tidy_name};

/// A picture file larger than this is not read.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// Hands each labelled picture that is in `images` to `found`, with the number of its label, once: a second one of the
/// same name is passed over. Ends early where `found` breaks.
///
/// # Errors
/// A folder or tar that cannot be read. A single picture that cannot be read goes to `found` as an error.
pub(super) fn walk(
    images: &[PathBuf],
    labels: &Labels,
    mut found: impl FnMut(usize, io::Result<Vec<u8>>) -> ControlFlow<()>,
) -> anyhow::Result<()> {
    let mut seen = vec![false; labels.rows().len()];
    for path in images {
        let kind =
            std::fs::metadata(path).with_context(|| format!("{}: the pictures cannot be opened", path.display()))?;
        let flow = if kind.is_dir() {
            walk_folder(path, labels, &mut seen, &mut found)
        } else if !kind.is_file() {
            // Opening a named pipe would wait for its writer for ever.
            anyhow::bail!("{}: it is neither a folder nor a tar archive; give one of them", path.display());
        } else {
            walk_tar(path, labels, &mut seen, &mut found)?
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
    for (index, label) in labels.rows().iter().enumerate() {
        if seen[index] {
            continue;
        }
        let bytes = bounded_file::read(&folder.join(&label.file), MAX_FILE_BYTES).map_err(io::Error::from);
        if bytes.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            continue;
        }
        seen[index] = true;
        found(index, bytes)?;
    }
    ControlFlow::Continue(())
}

fn walk_tar(
    path: &Path,
    labels: &Labels,
    seen: &mut [bool],
    found: &mut impl FnMut(usize, io::Result<Vec<u8>>) -> ControlFlow<()>,
) -> anyhow::Result<ControlFlow<()>> {
    let broken = || format!("{}: this is no tar archive, or a damaged one", path.display());
    let open = File::open(path).with_context(|| format!("{}: the pictures cannot be opened", path.display()))?;
    let mut archive = tar::Archive::new(BufReader::with_capacity(1 << 18, open));
    for file in TarFiles::new(archive.entries().with_context(broken)?) {
        let TarFile { name, entry } = file.with_context(broken)?;
        let name = tidy_name(&name);
        let Some(index) = labels.index_of(&name).filter(|index| !seen[*index]) else { continue };
        seen[index] = true;
        let size = entry.size();
        let bytes = read_limited(entry);
        // A tar cut off inside a picture is no unreadable picture, but an archive of which the rest is missing.
        if bytes.as_ref().is_ok_and(|bytes| (bytes.len() as u64) < size) {
            anyhow::bail!("{}: the archive ends inside `{name}`; fetch it again", path.display());
        }
        if found(index, bytes).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn read_limited(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(io::Error::other("the file is larger than 256 MiB"));
    }
    Ok(bytes)
}
