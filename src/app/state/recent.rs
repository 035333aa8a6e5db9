//! The files and folders that were opened last.

use std::path::{Path, PathBuf};

/// So many are remembered.
const MOST: usize = 10;

/// What is known of the recent files beside their names, which are settings.
#[derive(Default)]
pub(crate) struct RecentFiles {
    /// Those that were not there when they were last looked for.
    pub missing: Vec<PathBuf>,
    /// When that was, seconds of the window.
    pub looked_at: Option<f64>,
}

/// Puts a file at the head of the list.
pub(super) fn remember(recent: &mut Vec<PathBuf>, file: &Path) {
    // A relative name means another file when the program starts elsewhere.
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    recent.retain(|known| *known != file);
    recent.insert(0, file);
    recent.truncate(MOST);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_comes_first_and_each_once() {
        let mut recent = Vec::new();
        for name in ["/a", "/b", "/a"] {
            remember(&mut recent, Path::new(name));
        }
        assert_eq!(recent, ["/a", "/b"].map(PathBuf::from));
        for number in 0..20 {
            remember(&mut recent, Path::new(&format!("/{number}")));
        }
        assert_eq!((recent.len(), recent[0].clone()), (MOST, PathBuf::from("/19")));
        remember(&mut recent, Path::new("clip.mp4"));
        assert!(recent[0].is_absolute() && recent[0].ends_with("clip.mp4"));
    }
}
