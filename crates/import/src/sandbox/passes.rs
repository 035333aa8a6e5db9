//! Which models passed their trial on this machine: a text file with one SHA-256 a line, the newest last.

use std::io;
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{self, Access};
use facelens_core::model::read_capped;

/// Most models that are remembered.
const MAX_PASSES: usize = 500;
/// Largest file that is read.
const MAX_BYTES: u64 = 64 << 10;

/// What passed.
#[derive(Clone, Debug)]
pub(super) struct Passes {
    file: PathBuf,
}

impl Passes {
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { file: folder.join("tried-models.txt") }
    }

    pub(super) fn contains(&self, key: &str) -> bool {
        self.keys().iter().any(|known| known == key)
    }

    /// Remembers one. Where that does not work, the model is tried again at the next start.
    pub(super) fn add(&self, key: &str) {
        let mut keys = self.keys();
        keys.retain(|known| known != key);
        keys.push(key.to_owned());
        let text: String =
            keys.iter().skip(keys.len().saturating_sub(MAX_PASSES)).map(|key| format!("{key}\n")).collect();
        if let Err(error) = self.write(text.as_bytes()) {
            tracing::debug!("the models that passed are not remembered: {error}");
        }
    }

    fn write(&self, text: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        atomic_file::write(&self.file, text, Access::Usual)
    }

    /// The whole lines of the file; none where it cannot be read.
    fn keys(&self) -> Vec<String> {
        let bytes = read_capped(&self.file, MAX_BYTES).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        text.lines().filter(|line| line.len() == 64).map(str::to_owned).collect()
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::model::sha256_hex;

    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Passes::in_folder(&folder.path().join("new/cache"));
        let key = |index: usize| sha256_hex(&index.to_le_bytes());
        assert!(!passes.contains(&key(0)));
        for index in 0..3 {
            passes.add(&key(index));
        }
        passes.add(&key(0));
        assert!((0..3).all(|index| passes.contains(&key(index))));
        let all: String = (0..MAX_PASSES).map(|index| format!("{}\n", key(index))).collect();
        std::fs::write(&passes.file, all).unwrap();
        passes.add(&key(MAX_PASSES));
        assert!(!passes.contains(&key(0)) && passes.contains(&key(1)) && passes.contains(&key(MAX_PASSES)));
    }

    #[test]
    fn a_damaged_or_endless_file_remembers_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let passes = Passes::in_folder(folder.path());
        for bytes in [&b"\xff\xfe"[..], b"short\n", &vec![b'a'; MAX_BYTES as usize + 1]] {
            std::fs::write(&passes.file, bytes).unwrap();
            assert!(!passes.contains("short") && !passes.contains(""));
        }
        passes.add(&sha256_hex(b"x"));
        assert!(passes.contains(&sha256_hex(b"x")));
    }
}
