//! The models that are part of the program; `models/MODELS.md` tells what they are.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::error::ModelError;
use super::library::{Entry, Origin};
use super::opened::Opened;
use super::{InputSpec, ModelCard, Task};

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

/// All of them. The first that serves a task is used for it where nobody chooses another; the rest can be chosen by
/// name.
pub(super) static SHIPPED: &[Shipped] =
    &shipped!("facelens-face", "facelens-pose", "ssrnet-age-imdb", "ssrnet-gender-imdb");

impl Shipped {
    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn card(&self) -> Result<ModelCard, ModelError> {
        ModelCard::parse(self.card, &self.path("toml"))
    }

    pub(super) fn open(&self) -> Result<Opened, ModelError> {
        let graphs = vec![(self.path("onnx"), Cow::Borrowed(self.onnx))];
        Ok(Opened { card: self.card()?, graphs, self_check: None })
    }

    /// Whether this is its network, prepared for the same input.
    fn has(&self, sha256: &str, input: &InputSpec) -> bool {
        let same_input =
            |own: &InputSpec| (own.width, own.height, own.layout) == (input.width, input.height, input.layout);
        self.card().is_ok_and(|own| same_input(&own.input) && own.sha256.iter().any(|sum| sum == sha256))
    }

    /// How it is named in errors.
    pub(super) fn path(&self, extension: &str) -> PathBuf {
        Path::new("shipped").join(format!("{}.{extension}", self.name))
    }
}

/// Whether all networks of a card are among those that ship.
pub(super) fn vouches_for(card: &ModelCard) -> bool {
    card.sha256.iter().all(|sum| SHIPPED.iter().any(|shipped| shipped.has(sum, &card.input)))
}

/// The models that ship as entries of the library.
pub(super) fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for shipped in SHIPPED {
        let card = shipped.card().map(|card| (card, shipped.onnx.len() as u64));
        let mut default_for = card.as_ref().map_or_else(|_| Vec::new(), |(card, _)| card.tasks.clone());
        default_for.retain(|task| !entries.iter().any(|entry| entry.default_for.contains(task)));
        entries.push(Entry { name: shipped.name.to_owned(), origin: Origin::Shipped, card, default_for });
    }
    entries
}

/// The model that is used for a task where nobody chooses another.
///
/// # Errors
/// Where a card in front of it is damaged.
pub(super) fn default_for(task: Task) -> Result<Option<&'static Shipped>, ModelError> {
    for shipped in SHIPPED {
        if shipped.card()?.serves(task) {
            return Ok(Some(shipped));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Library, Sandbox, TaskModel};

    fn load(shipped: &Shipped) -> TaskModel {
        shipped.open().unwrap().prepare().unwrap()
    }

    #[test]
    fn every_shipped_model_loads_and_is_named_like_its_files() {
        for shipped in SHIPPED {
            let model = load(shipped);
            assert_eq!(model.card.name, shipped.name());
            assert_eq!(model.card.files, [format!("{}.onnx", shipped.name())]);
            assert!(!model.card.accuracy.is_empty(), "{}: its card tells its accuracy", shipped.name());
        }
    }

    #[test]
    fn one_model_of_each_task_is_the_one_that_is_used() {
        let set = Library::shipped().unwrap();
        for task in Task::ALL {
            let entries = entries();
            let defaults: Vec<_> = entries.iter().filter(|entry| entry.default_for.contains(&task)).collect();
            let in_use: Vec<_> = set.of(task).iter().map(|model| model.card.name.as_str()).collect();
            assert_eq!(defaults.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), in_use);
            assert!(in_use.len() <= 1, "{task}: {in_use:?}");
        }
    }

    #[test]
    fn our_own_models_are_the_default_and_the_published_can_be_chosen() {
        let set = Library::shipped().unwrap();
        for task in Task::ALL {
            assert_eq!(set.of(task)[0].card.name, "facelens-face");
        }
        assert_eq!(set.distinct().len(), 1, "one network for all");
        let chosen = [(Task::Age, "ssrnet-age-imdb".into()), (Task::Pose, "facelens-pose".into())];
        let others = Library::open(&Sandbox::in_process()).model_set(&chosen).unwrap();
        let names = Task::ALL.map(|task| others.of(task)[0].card.name.clone());
        assert_eq!(names, ["ssrnet-age-imdb", "facelens-face", "facelens-pose"]);
    }

    /// Bytes of base64 without padding inside.
    fn base64(text: &str) -> Vec<u8> {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits: Vec<u32> = text
            .trim_end_matches('=')
            .bytes()
            .map(|byte| alphabet.iter().position(|&letter| letter == byte).unwrap() as u32)
            .collect();
        let group = |four: &[u32]| {
            let bits = (0..4).fold(0, |bits, index| bits << 6 | four.get(index).copied().unwrap_or(0));
            bits.to_be_bytes()[1..four.len()].to_vec()
        };
        digits.chunks(4).flat_map(group).collect()
    }

    #[test]
    fn what_ships_gives_what_the_authors_program_gives() {
        let Some(shared) = crate::testing::shared() else { return };
        let golden = std::fs::read(shared.join("reference/golden/golden.json")).unwrap();
        let golden: serde_json::Value = serde_json::from_slice(&golden).unwrap();
        // The authors' own weights among what ships.
        let published = ["ssrnet-age-imdb", "ssrnet-gender-imdb"];
        let published: Vec<_> = SHIPPED.iter().filter(|shipped| published.contains(&shipped.name())).collect();
        assert_eq!(published.len(), 2);
        for shipped in published {
            let model = load(shipped);
            let key = shipped.name().replace('-', "_");
            for face in golden["faces"].as_array().unwrap() {
                let bgr = base64(face["crop50_bgr_b64"].as_str().unwrap());
                // The card's min-max stretch, and channels first.
                let (low, high) = (*bgr.iter().min().unwrap(), *bgr.iter().max().unwrap());
                let stretched =
                    |byte: u8| (f32::from(byte) - f32::from(low)) * 255.0 / (f32::from(high) - f32::from(low));
                let input: Vec<f32> =
                    (0..3).flat_map(|c| bgr.iter().skip(c).step_by(3)).map(|&b| stretched(b)).collect();
                let expected = face["outputs"]["norm50"][&key].as_f64().unwrap() as f32;
                let answers = model.answers(&input).unwrap();
                let got = answers.age_years.or(answers.male_score).unwrap();
                assert!((got - expected).abs() < 1e-3, "{key} of {}: {got} instead of {expected}", face["name"]);
            }
        }
    }
}
