//! The file of the settings: read, and written so that nothing in it is lost.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use facelens_base::atomic_file::{self, Access, AtomicFile};
use facelens_base::bounded_file::{self, ReadErrorKind};

use super::{CONFIG_DIR_VARIABLE, Settings};

/// Largest file of settings, bytes; a full one has about 2 KiB.
const MAX_BYTES: u64 = 1 << 20;
/// So many copies of unreadable files are kept.
const MOST_COPIES: u32 = 100;

/// The settings could not be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the settings cannot be written to {}: {cause}; they apply until the window is closed", file.display())]
pub struct SettingsError {
    /// The file.
    pub file: PathBuf,
    /// What the system said.
    pub cause: String,
}

/// The file that settings are read from and written to. Copies of it share what they know of the file, so that saves on
/// several threads come one after the other.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    path: PathBuf,
    state: Arc<FileState>,
}

#[derive(Debug, Default)]
struct FileState {
    /// How many saves were asked for.
    asked: AtomicU64,
    disk: Mutex<Disk>,
}

/// What is in the file as far as this program knows.
#[derive(Debug, Default)]
struct Disk {
    /// As it was read or written last.
    settings: Option<Settings>,
    /// The number of the newest save that was written.
    written: u64,
}

impl PartialEq for SettingsFile {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

/// Settings on their way to the file. However late it is written, it never replaces what was asked for after it.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingSave {
    file: SettingsFile,
    number: u64,
    settings: Box<Settings>,
}

impl PendingSave {
    /// The file that they are for.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Writes them; waits for another save that is being written.
    ///
    /// # Errors
    /// Where the folder or the file cannot be read or written; the old file stays.
    pub fn write(&self) -> Result<(), SettingsError> {
        let mut disk = self.file.state.disk.lock().unwrap_or_else(PoisonError::into_inner);
        if self.number < disk.written || disk.settings.as_ref() == Some(&*self.settings) {
            return Ok(());
        }
        write(&self.file.path, &self.settings, disk.settings.as_ref())
            .map_err(|error| SettingsError { file: self.file.path.clone(), cause: atomic_file::cause(&error) })?;
        *disk = Disk { settings: Some((*self.settings).clone()), written: self.number };
        Ok(())
    }
}

impl SettingsFile {
    /// `settings.toml` in `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("settings.toml"), state: Arc::default() }
    }

    /// The user's own file: in the folder that [`CONFIG_DIR_VARIABLE`] names, else where the system keeps the
    /// configuration of programs. `None` where there is no home folder: then nothing is remembered.
    pub fn of_user() -> Option<Self> {
        if let Some(folder) = std::env::var_os(CONFIG_DIR_VARIABLE).filter(|folder| !folder.is_empty()) {
            return Some(Self::in_folder(Path::new(&folder)));
        }
        directories::ProjectDirs::from("", "", "facelens").map(|dirs| Self::in_folder(dirs.config_dir()))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the settings. A missing file gives the defaults; everything else that is wrong is named, one sentence
    /// each, with the file.
    pub fn load(&self) -> (Settings, Vec<String>) {
        let mut disk = self.state.disk.lock().unwrap_or_else(PoisonError::into_inner);
        let (settings, warnings) = match bounded_file::read(&self.path, MAX_BYTES) {
            Ok(bytes) => Settings::parse(&String::from_utf8_lossy(&bytes)),
            Err(error) if error.kind == ReadErrorKind::NotFound => {
                (Settings { welcomed: false, ..Settings::default() }, Vec::new())
            }
            Err(error) => (Settings::default(), vec![format!("{}; the defaults are used", error.cause)]),
        };
        disk.settings = Some(settings.clone());
        let file = self.path.display();
        (settings, warnings.into_iter().map(|warning| format!("{file}: {warning}")).collect())
    }

    /// A save that is written later, on another thread.
    pub fn prepare(&self, settings: &Settings) -> PendingSave {
        let number = self.state.asked.fetch_add(1, Ordering::Relaxed) + 1;
        PendingSave { file: self.clone(), number, settings: Box::new(settings.clone()) }
    }

    /// Writes what has changed into the file: to a draft, which then takes its place, so that a reader or a power cut
    /// never meets half a file. A link to a file elsewhere stays one. Waits for a save that is being written; nothing is
    /// done where the file holds these settings already.
    ///
    /// # Errors
    /// Where the folder or the file cannot be read or written; the old file stays.
    pub fn save(&self, settings: &Settings) -> Result<(), SettingsError> {
        self.prepare(settings).write()
    }
}

fn write(path: &Path, settings: &Settings, before: Option<&Settings>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = match bounded_file::read(path, MAX_BYTES) {
        Ok(bytes) => bytes,
        Err(error) if error.kind == ReadErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let text = String::from_utf8_lossy(&bytes);
    let updated = settings.update(&text, before);
    if updated.is_err() || text.as_bytes() != bytes {
        // It may be a slip in the user's own work.
        keep_copy(path, &bytes)?;
    }
    let updated = updated.or_else(|_| settings.update("", None)).map_err(io::Error::other)?;
    atomic_file::write(path, updated.as_bytes(), Access::Usual)
}

/// Keeps a file that cannot be read as settings, beside it as `settings.toml.unreadable`.
fn keep_copy(path: &Path, bytes: &[u8]) -> io::Result<()> {
    for number in 1..=MOST_COPIES {
        let ending = if number == 1 { "unreadable".to_owned() } else { format!("unreadable-{number}") };
        let copy = path.with_added_extension(ending);
        if bounded_file::read(&copy, MAX_BYTES).is_ok_and(|there| there == bytes) {
            return Ok(());
        }
        let mut new = AtomicFile::create(&copy, Access::Usual)?;
        io::Write::write_all(&mut new, bytes)?;
        match new.commit_new() {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            kept => return kept,
        }
    }
    Err(io::Error::other(format!("{MOST_COPIES} unreadable files are kept beside it already; remove some")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unlike_usual() -> Settings {
        Settings { mirror: false, panel_width: 333.0, ..Settings::default() }
    }

    fn names(file: &SettingsFile) -> Vec<String> {
        let entries = std::fs::read_dir(file.path().parent().unwrap()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_written_anew_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(&folder.path().join("not/there/yet"));
        assert_eq!(file.load(), (Settings { welcomed: false, ..Settings::default() }, vec![]));
        file.save(&unlike_usual()).unwrap();
        file.save(&unlike_usual()).unwrap();
        assert_eq!(file.load(), (unlike_usual(), vec![]));
        assert_eq!(names(&file), ["settings.toml"]);
    }

    #[test]
    fn saves_never_overtake_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        file.load();
        let width = |width: f32| Settings { panel_width: width, ..Settings::default() };
        let first = file.prepare(&width(301.0));
        let second = file.prepare(&width(302.0));
        second.write().unwrap();
        first.write().unwrap();
        assert_eq!(SettingsFile::in_folder(folder.path()).load().0, width(302.0));
        std::thread::scope(|scope| {
            for number in 0..20 {
                let save = file.prepare(&width(310.0 + number as f32));
                scope.spawn(move || save.write().unwrap());
            }
        });
        assert_eq!(SettingsFile::in_folder(folder.path()).load().0, width(329.0));
        assert_eq!(names(&file), ["settings.toml"]);
    }

    #[test]
    fn a_save_at_the_end_waits_for_the_one_that_is_being_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        file.load();
        let busy = file.state.disk.lock().unwrap();
        let saved = std::thread::spawn({
            let file = file.clone();
            move || file.save(&unlike_usual())
        });
        std::thread::sleep(std::time::Duration::from_millis(30));
        assert!(!saved.is_finished() && !file.path().exists());
        drop(busy);
        saved.join().unwrap().unwrap();
        assert_eq!(SettingsFile::in_folder(folder.path()).load().0, unlike_usual());
    }

    #[test]
    fn what_another_program_changed_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        let (settings, _) = file.load();
        std::fs::write(file.path(), "boxes = false # by hand\n").unwrap();
        file.save(&Settings { mirror: false, ..settings }).unwrap();
        let (settings, warnings) = file.load();
        assert!(warnings.is_empty() && !settings.boxes && !settings.mirror);
        assert!(std::fs::read_to_string(file.path()).unwrap().contains("# by hand"));
    }

    #[test]
    fn a_file_that_is_no_toml_is_kept_beside_the_new_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        for (text, copies) in [("mirror = fals\n# mine", 1), ("mirror = fals\n# mine", 1), ("[[", 2)] {
            std::fs::write(file.path(), text).unwrap();
            let (settings, _) = file.load();
            file.save(&Settings { boxes: !settings.boxes, ..settings }).unwrap();
            assert_eq!(names(&file).len(), 1 + copies);
            assert!(file.load().1.is_empty());
        }
        let copy = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(copy("settings.toml.unreadable"), "mirror = fals\n# mine");
        assert_eq!(copy("settings.toml.unreadable-2"), "[[");
    }

    #[test]
    #[cfg(unix)]
    fn settings_behind_a_link_stay_there() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("dotfiles.toml");
        std::fs::write(&real, "# mine\nmirror = true\n").unwrap();
        let file = SettingsFile::in_folder(folder.path());
        std::os::unix::fs::symlink("dotfiles.toml", file.path()).unwrap();
        file.load();
        file.save(&unlike_usual()).unwrap();
        assert!(std::fs::symlink_metadata(file.path()).unwrap().is_symlink());
        assert!(std::fs::read_to_string(real).unwrap().starts_with("# mine\nmirror = false\n"));
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        // A file in the place of the folder refuses every user, root too.
        let blocked = folder.path().join("blocked");
        std::fs::write(&blocked, "x").unwrap();
        let file = SettingsFile::in_folder(&blocked);
        let error = file.save(&Settings::default()).unwrap_err();
        assert!(error.to_string().contains("settings.toml"), "{error}");
        assert_eq!(std::fs::read_to_string(&blocked).unwrap(), "x");
    }

    #[test]
    fn a_file_that_cannot_be_read_gives_the_defaults_names_itself_and_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = SettingsFile::in_folder(folder.path());
        std::fs::create_dir(file.path()).unwrap();
        let (settings, warnings) = file.load();
        assert_eq!(settings, Settings::default());
        assert!(warnings[0].contains("settings.toml"), "{warnings:?}");
        assert!(file.save(&unlike_usual()).is_err() && file.path().is_dir());
    }
}
