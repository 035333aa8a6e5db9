//! The models that are part of the program; `models/MODELS.md` tells what they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::error::ModelError;
use super::set::{ModelSet, TaskModel};
use super::{InputSpec, ModelCard, Task};

/// A model whose card and network are part of the program.
pub struct Shipped {
    card: &'static str,
    onnx: &'static [u8],
    name: &'static str,
}

macro_rules! shipped {
    ($($name:literal),*) => {
        [$(Shipped {
            name: $name,
            card: include_str!(concat!("../../../../models/", $name, ".toml")),
            onnx: include_bytes!(concat!("../../../../models/", $name, ".onnx")),
        }),*]
    };
}

/// All of them. The first that serves a task is used for it where nobody chooses another; the rest can be chosen by
/// name.
pub static SHIPPED: &[Shipped] = &shipped!("facelens-face", "facelens-pose", "ssrnet-age-imdb", "ssrnet-gender-imdb");

impl Shipped {
    /// Its name, that of its files without their extension.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its card.
    ///
    /// # Errors
    /// Where it is damaged.
    pub fn card(&self) -> Result<ModelCard, ModelError> {
        ModelCard::parse(self.card, &self.path("toml"))
    }

    /// Its network.
    pub const fn onnx(&self) -> &'static [u8] {
        self.onnx
    }

    /// Prepares its network.
    ///
    /// # Errors
    /// Where its card or network is damaged.
    pub fn load(&self) -> Result<TaskModel, ModelError> {
        TaskModel::prepare(self.card()?, &[(self.onnx, &self.path("onnx"))])
    }

    /// Whether this is its network, prepared for the same input.
    fn has(&self, sha256: &str, input: &InputSpec) -> bool {
        let same_input =
            |own: &InputSpec| (own.width, own.height, own.layout) == (input.width, input.height, input.layout);
        self.card().is_ok_and(|own| same_input(&own.input) && own.sha256.iter().any(|sum| sum == sha256))
    }

    /// How it is named in errors.
    pub fn path(&self, extension: &str) -> PathBuf {
        Path::new("shipped").join(format!("{}.{extension}", self.name))
    }
}

/// Whether all networks of a card are among those that ship.
pub fn vouches_for(card: &ModelCard) -> bool {
    card.sha256.iter().all(|sum| SHIPPED.iter().any(|shipped| shipped.has(sum, &card.input)))
}

/// The model that is used for a task where nobody chooses another.
///
/// # Errors
/// Where a card in front of it is damaged.
pub fn default_for(task: Task) -> Result<Option<&'static Shipped>, ModelError> {
    for shipped in SHIPPED {
        if shipped.card()?.serves(task) {
            return Ok(Some(shipped));
        }
    }
    Ok(None)
}

impl ModelSet {
    /// The models that ship: one network for age, gender and head pose.
    ///
    /// # Errors
    /// Where a shipped file is damaged.
    pub fn shipped() -> Result<Self, ModelError> {
        let mut set = Self::default();
        for task in Task::ALL {
            if let Some(shipped) = default_for(task)? {
                let known = set.distinct().into_iter().find(|(model, _)| model.card.name == shipped.name());
                let model = known.map_or_else(|| shipped.load().map(Arc::new), |(model, _)| Ok(model))?;
                set.set(task, vec![model]);
            }
        }
        Ok(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_model_loads_and_is_named_like_its_files() {
        for shipped in SHIPPED {
            let model = shipped.load().unwrap();
            assert_eq!(model.card.name, shipped.name());
            assert_eq!(model.card.files, [format!("{}.onnx", shipped.name())]);
            assert!(!model.card.accuracy.is_empty(), "{}: its card tells its accuracy", shipped.name());
        }
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
            let model = shipped.load().unwrap();
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
