//! What is installed: the models that ship and the user's own.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use facelens_core::model::{
    ModelCard, ModelError, ModelErrorKind, ModelSet, SHIPPED, Task, TaskModel, default_for, is_card,
};

use super::opened::Opened;
use super::sandbox::Sandbox;

/// Most cards that are read from a folder; the rest is listed as broken.
const MAX_CARDS: usize = 1000;

/// The models that ship and those in the user's folder.
#[derive(Clone, Debug)]
pub struct Library {
    folder: Option<PathBuf>,
    sandbox: Sandbox,
}

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is part of the program.
    Shipped,
    /// It lies in the user's folder; this is its card.
    User(PathBuf),
}

/// One model of the library.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The card's name, or the card file's where the card is broken.
    pub name: String,
    /// Where it comes from.
    pub origin: Origin,
    /// The card and the size of its files together in bytes, or why the model cannot be used.
    pub card: Result<(ModelCard, u64), ModelError>,
    /// The tasks that it is used for where nobody chooses another model.
    pub default_for: Vec<Task>,
}

impl Library {
    /// The library with the user's folder: `facelens/models` in the system's folder for programs' data
    /// (`~/.local/share` on Linux). It need not exist. Files that do not ship are read and tried in `sandbox`.
    pub fn open(sandbox: &Sandbox) -> Self {
        let folders = directories::ProjectDirs::from("", "", "facelens");
        Self { folder: folders.map(|folders| folders.data_dir().join("models")), sandbox: sandbox.clone() }
    }

    /// A library with another folder for the user's models.
    pub fn at(folder: impl Into<PathBuf>, sandbox: &Sandbox) -> Self {
        Self { folder: Some(folder.into()), sandbox: sandbox.clone() }
    }

    /// Where the user's models lie; `None` where the system names no home.
    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// All models: first those that ship, then the user's by name, broken ones with their reason. A model of the user
    /// does not hide a shipped one of the same name; that one is broken.
    pub fn list(&self) -> Vec<Entry> {
        let mut entries = shipped_entries();
        let mut names: BTreeSet<String> = entries.iter().map(|entry| entry.name.clone()).collect();
        for file in self.cards() {
            let mut card = read_user_card(&file);
            if let Ok((read, _)) = &card
                && !names.insert(read.name.clone())
            {
                let cause = format!("there is another model with the name `{}`", read.name);
                card = Err(ModelError::new(ModelErrorKind::BadCard, &file, cause, "change `name` in the card"));
            }
            let stem = || file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = card.as_ref().map_or_else(|_| stem(), |(card, _)| card.name.clone());
            entries.push(Entry { name, origin: Origin::User(file), card, default_for: Vec::new() });
        }
        entries
    }

    /// Opens a model of the library by its name.
    ///
    /// # Errors
    /// [`ModelError`] where there is no such model, it is broken, or it is for another task.
    pub fn open_named(&self, name: &str, task: Option<Task>) -> Result<Opened, ModelError> {
        let Some(entry) = self.list().into_iter().find(|entry| entry.name == name) else {
            let cause = "there is no model of this name in the library";
            return Err(ModelError::new(ModelErrorKind::Io, name, cause, "`facelens models list` shows all"));
        };
        entry.card?;
        match entry.origin {
            Origin::User(card) => self.open_file(&card, task),
            Origin::Shipped => {
                let shipped = SHIPPED.iter().find(|shipped| shipped.name() == name);
                let opened = shipped.map(Opened::shipped).transpose()?;
                let opened = opened.ok_or_else(|| ModelError::new(ModelErrorKind::Io, name, "it does not ship", ""))?;
                opened.card.fits(Path::new(name), task)?;
                Ok(opened)
            }
        }
    }

    /// Opens a model card or any model file that `models import` understands, and tries it in the sandbox.
    ///
    /// # Errors
    /// [`ModelError`] with the reason why the file is refused; also where the model is for another task than `task`.
    pub fn open_file(&self, file: &Path, task: Option<Task>) -> Result<Opened, ModelError> {
        self.sandbox.open(file, task)
    }

    /// Opens a file, or the library's model of this name where there is no such file.
    ///
    /// # Errors
    /// As [`Library::open_file`]; where there is neither, the file's error.
    pub fn open_any(&self, file: &Path, task: Option<Task>) -> Result<Opened, ModelError> {
        let name = file.to_str().filter(|name| !file.exists() && self.list().iter().any(|entry| entry.name == *name));
        name.map_or_else(|| self.open_file(file, task), |name| self.open_named(name, task))
    }

    /// Loads a model of the library by its name.
    ///
    /// # Errors
    /// [`ModelError`] where there is no such model, it is broken, or it is for another task.
    pub fn load_named(&self, name: &str, task: Option<Task>) -> Result<TaskModel, ModelError> {
        self.open_named(name, task)?.prepare()
    }

    /// Reads any model file that `models import` understands, or a model card, and prepares it; several files need
    /// several calls.
    ///
    /// # Errors
    /// [`ModelError`], also where the model's task is not `task`.
    pub fn load_file(&self, file: &Path, task: Option<Task>) -> Result<TaskModel, ModelError> {
        self.open_file(file, task)?.prepare()
    }

    /// The models that ship, each task that `overrides` names replaced by the files given for it (`--model TASK=FILE`;
    /// several under one task are averaged). Where there is no file of that name, the library's model of that name is
    /// meant. Replaced shipped models are not even loaded; a file or model for several tasks is loaded once.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub fn model_set(&self, overrides: &[(Task, PathBuf)]) -> Result<ModelSet, ModelError> {
        let mut set = ModelSet::default();
        let mut loaded: Vec<(PathBuf, Arc<TaskModel>)> = Vec::new();
        for task in Task::ALL {
            let mut load = |name: &Path, open: &dyn Fn() -> Result<Opened, ModelError>| {
                let known = loaded.iter().find(|(known, model)| known == name && model.card.serves(task));
                if let Some((_, model)) = known {
                    return Ok(Arc::clone(model));
                }
                let model = Arc::new(open()?.prepare()?);
                loaded.push((name.to_owned(), Arc::clone(&model)));
                Ok(model)
            };
            let files: Vec<_> = overrides.iter().filter(|(of, _)| *of == task).map(|(_, file)| file).collect();
            let models = if files.is_empty() {
                let default = default_for(task)?;
                default
                    .into_iter()
                    .map(|model| load(&model.path("toml"), &|| Opened::shipped(model)))
                    .collect::<Result<_, _>>()?
            } else {
                files
                    .into_iter()
                    .map(|file| load(file, &|| self.open_any(file, Some(task))))
                    .collect::<Result<_, _>>()?
            };
            set.set(task, models);
        }
        Ok(set)
    }

    /// The cards in the user's folder, by name.
    fn cards(&self) -> Vec<PathBuf> {
        // A folder that does not exist yet holds no models.
        let Some(entries) = self.folder.as_ref().and_then(|folder| fs::read_dir(folder).ok()) else {
            return Vec::new();
        };
        let mut cards: Vec<PathBuf> =
            entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| is_card(path)).collect();
        cards.sort();
        cards.truncate(MAX_CARDS);
        cards
    }
}

/// The models that ship as entries of the library.
fn shipped_entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for shipped in SHIPPED {
        let card = shipped.card().map(|card| (card, shipped.onnx().len() as u64));
        let mut default_for = card.as_ref().map_or_else(|_| Vec::new(), |(card, _)| card.tasks.clone());
        default_for.retain(|task| !entries.iter().any(|entry| entry.default_for.contains(task)));
        entries.push(Entry { name: shipped.name().to_owned(), origin: Origin::Shipped, card, default_for });
    }
    entries
}

fn read_user_card(file: &Path) -> Result<(ModelCard, u64), ModelError> {
    let card = ModelCard::read(file)?;
    let (_, size) = card.read_files(file, false)?;
    Ok((card, size))
}

#[cfg(test)]
mod tests {
    use facelens_core::model::graphs::{save_card, small_card, small_pair_card};

    use super::*;

    fn library() -> Library {
        Library::open(&Sandbox::in_process())
    }

    fn names(library: &Library) -> Vec<(String, bool)> {
        let entries = library.list().into_iter().filter(|entry| entry.origin != Origin::Shipped);
        entries.map(|entry| (entry.name, entry.card.is_ok())).collect()
    }

    #[test]
    fn users_models_are_listed_with_broken_ones_named() {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::at(folder.path().join("models"), &Sandbox::in_process());
        assert_eq!(names(&library), []);
        fs::create_dir(folder.path().join("models")).unwrap();
        let folder = folder.path().join("models");
        save_card(&folder, &small_card("good"));
        save_card(&folder, &small_card("changed"));
        fs::write(folder.join("changed.onnx"), "other").unwrap();
        fs::write(folder.join("text.toml"), "a = 1").unwrap();
        fs::write(folder.join("notes.txt"), "not a card").unwrap();
        let mut twin = small_card("twin");
        twin.name = "good".into();
        fs::write(folder.join("twin.toml"), twin.to_toml().unwrap()).unwrap();
        fs::copy(folder.join("good.onnx"), folder.join("twin.onnx")).unwrap();

        let expected = [("changed", false), ("good", true), ("text", false), ("twin", false)];
        assert_eq!(names(&library), expected.map(|(name, good)| (name.to_owned(), good)));
        let model = library.load_named("good", Some(Task::Age)).unwrap();
        assert_eq!((model.card.name.as_str(), model.nets.len()), ("good", 1));
        assert_eq!(library.load_named("changed", None).unwrap_err().kind, ModelErrorKind::HashMismatch);
        assert!(library.load_named("nobody", None).is_err());
    }

    #[test]
    fn a_file_for_two_tasks_serves_those_that_it_is_given_for() {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_pair_card("pair"));
        let file = |task| (task, folder.path().join("pair.toml"));
        let shipped = ModelSet::shipped().unwrap();
        let only_age = library().model_set(&[file(Task::Age)]).unwrap();
        assert_eq!(only_age.age[0].card.name, "pair");
        assert_eq!(only_age.gender[0].card.name, shipped.gender[0].card.name);
        let both = library().model_set(&[file(Task::Age), file(Task::Gender)]).unwrap();
        assert!(Arc::ptr_eq(&both.age[0], &both.gender[0]));
        assert_eq!(both.distinct().len(), 1 + shipped.pose.len());
        let wrong = library().model_set(&[file(Task::Pose)]).unwrap_err();
        let words = "for age and gender, not for pose; use it as --model age=FILE --model gender=FILE";
        assert!(wrong.to_string().contains(words), "{wrong}");
    }

    #[test]
    fn a_model_of_the_library_is_chosen_by_its_name() {
        let set = library().model_set(&[(Task::Age, "ssrnet-age-imdb".into())]).unwrap();
        assert_eq!(set.age[0].card.name, "ssrnet-age-imdb");
        let gone = library().model_set(&[(Task::Age, "ssrnet-age-nobody".into())]).unwrap_err();
        assert_eq!(gone.kind, ModelErrorKind::Io);
    }

    #[test]
    fn files_replace_the_shipped_models_of_their_task_only() {
        let folder = tempfile::tempdir().unwrap();
        save_card(folder.path(), &small_card("one"));
        save_card(folder.path(), &small_card("two"));
        let file = |name: &str| (Task::Age, folder.path().join(name));
        let set = library().model_set(&[file("one.toml"), file("two.toml")]).unwrap();
        let ages: Vec<_> = set.age.iter().map(|model| model.card.name.clone()).collect();
        assert_eq!(ages, ["one", "two"]);
        assert_eq!(set.gender.len(), ModelSet::shipped().unwrap().gender.len());

        let wrong = library().model_set(&[(Task::Pose, folder.path().join("one.toml"))]).err().unwrap();
        assert_eq!(wrong.kind, ModelErrorKind::WrongTask);
        assert!(wrong.to_string().contains("for age, not for pose; use it as --model age=FILE"), "{wrong}");
    }

    #[test]
    fn one_model_of_each_task_is_the_one_that_is_used() {
        let set = ModelSet::shipped().unwrap();
        for task in Task::ALL {
            let entries = shipped_entries();
            let defaults: Vec<_> = entries.iter().filter(|entry| entry.default_for.contains(&task)).collect();
            let in_use: Vec<_> = set.of(task).iter().map(|model| model.card.name.as_str()).collect();
            assert_eq!(defaults.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), in_use);
            assert!(in_use.len() <= 1, "{task}: {in_use:?}");
        }
    }

    #[test]
    fn our_own_models_are_the_default_and_the_published_can_be_chosen() {
        let set = ModelSet::shipped().unwrap();
        for task in Task::ALL {
            assert_eq!(set.of(task)[0].card.name, "facelens-face");
        }
        assert_eq!(set.distinct().len(), 1, "one network for all");
        let chosen = [(Task::Age, "ssrnet-age-imdb".into()), (Task::Pose, "facelens-pose".into())];
        let others = library().model_set(&chosen).unwrap();
        let names = Task::ALL.map(|task| others.of(task)[0].card.name.clone());
        assert_eq!(names, ["ssrnet-age-imdb", "facelens-face", "facelens-pose"]);
    }
}
