//! The models that are part of the program; `models/MODELS.md` tells what they are.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::ModelCard;
use super::error::ModelError;
use super::library::{Entry, Origin};
use super::opened::Opened;
use super::set::TaskModel;

/// A model whose card and network are part of the program.
pub(super) struct Shipped {
    card: &'static str,
    onnx: &'static [u8],
    name: &'static str,
}

macro_rules! shipped {
    ($($name:literal),*) => {
        [$(Shipped {
            name: $name,
            card: include_str!(concat!("../../models/", $name, ".toml")),
            onnx: include_bytes!(concat!("../../models/", $name, ".onnx")),
        }),*]
    };
}

/// All of them.
pub(super) static SHIPPED: &[Shipped] = &shipped!("ssrnet-age-imdb", "ssrnet-gender-imdb");

impl Shipped {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn card(&self) -> Result<ModelCard, ModelError> {
        ModelCard::parse(self.card, &self.path("toml"))
    }

    pub(super) fn entry(&self) -> Entry {
        let card = self.card().map(|card| (card, self.onnx.len() as u64));
        Entry { name: self.name.to_owned(), origin: Origin::Shipped, card }
    }

    pub(super) fn open(&self) -> Result<Opened, ModelError> {
        let graphs = vec![(self.path("onnx"), Cow::Borrowed(self.onnx))];
        Ok(Opened { card: self.card()?, graphs, self_check: None })
    }

    pub(super) fn load(&self) -> Result<TaskModel, ModelError> {
        self.open()?.prepare()
    }

    /// How it is named in errors.
    fn path(&self, extension: &str) -> PathBuf {
        Path::new("shipped").join(format!("{}.{extension}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Library, Task};

    #[test]
    fn every_shipped_model_loads_and_is_named_like_its_files() {
        for shipped in SHIPPED {
            let model = shipped.load().unwrap();
            assert_eq!(model.card.name, shipped.name());
            assert_eq!(model.card.files, [format!("{}.onnx", shipped.name())]);
            assert!(!model.card.accuracy.is_empty(), "{}: its card tells its accuracy", shipped.name());
        }
    }

    #[test]
    fn age_and_gender_ship_and_head_pose_does_not() {
        let set = Library::shipped().unwrap();
        assert_eq!(set.of(Task::Age)[0].card.name, "ssrnet-age-imdb");
        assert_eq!(set.of(Task::Gender)[0].card.name, "ssrnet-gender-imdb");
        assert!(set.of(Task::Pose).is_empty());
    }
}
