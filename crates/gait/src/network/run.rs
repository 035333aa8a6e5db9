//! Runs a gait model.

use std::path::Path;

use facelens_core::model::guard::MAX_FILE_BYTES;
use facelens_core::model::{ModelError, ModelErrorKind, Net, read_capped};

use super::card::{GaitCard, Shows};
use super::ordinal::AgeDistribution;
use crate::{AgeByGait, AgeError, GEI_HEIGHT, GEI_WIDTH, GaitAge, GaitEstimate, Gei, Measures};

/// A gait model that is ready to run.
#[derive(Clone, Debug)]
pub struct GaitAgeModel {
    card: GaitCard,
    net: Net,
}

/// What a gait model says of a gait energy image.
#[derive(Clone, Debug, PartialEq)]
pub struct GaitAnswer {
    /// The age with its 80 % range and the stage.
    pub age: GaitAge,
    /// The whole distribution of the age, before [`super::OrdinalAge::offset_years`].
    pub distribution: AgeDistribution,
    /// The chance of a man, 0 to 1, where the network tells it.
    pub male: Option<f32>,
}

impl GaitAgeModel {
    /// Prepares a card's network; `file` is named in errors.
    ///
    /// # Errors
    /// `HashMismatch` where these bytes are not the card's, `WrongShape` where the network does not give what the card says, and
    /// those of [`Net::with_input_shape`].
    pub fn prepare(card: GaitCard, onnx: &[u8], file: &Path) -> Result<Self, ModelError> {
        card.verify(onnx, file)?;
        let net = Net::with_input_shape(onnx, &[1, 1, GEI_HEIGHT, GEI_WIDTH], file)?;
        if net.output_len() != card.output.len() {
            let (gives, wanted) = (net.output_len(), card.output.len());
            return Err(ModelError::new(
                ModelErrorKind::WrongShape,
                file,
                format!("it gives {gives} numbers where the card's output form has {wanted}"),
                "correct `output` in the card",
            ));
        }
        Ok(Self { card, net })
    }

    /// Reads a model by its card, or by its .onnx with the card beside it.
    ///
    /// # Errors
    /// [`ModelError`] where a file cannot be read, and those of [`prepare`](Self::prepare).
    pub fn read(file: &Path) -> Result<Self, ModelError> {
        let is_card = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        let card_file = if is_card { file.to_owned() } else { file.with_extension("toml") };
        let card = GaitCard::read(&card_file)?;
        let network = card.path(&card_file);
        if !is_card && network != file {
            let cause = format!("the card is about {}", card.file);
            return Err(ModelError::new(ModelErrorKind::BadCard, card_file, cause, "rename it, or correct its `file`"));
        }
        let onnx = read_capped(&network, MAX_FILE_BYTES)?;
        Self::prepare(card, &onnx, &network)
    }

    /// Its card.
    pub fn card(&self) -> &GaitCard {
        &self.card
    }

    /// What of its answers may be shown.
    pub fn shows(&self) -> Shows {
        self.card.shows
    }

    /// All that it says of a gait energy image.
    ///
    /// # Errors
    /// Where the network fails.
    pub fn answer(&self, gei: &Gei) -> Result<GaitAnswer, AgeError> {
        let (mut distribution, mut male) = self.look(gei)?;
        if self.card.mirrored {
            let (other, other_male) = self.look(&gei.mirrored())?;
            // Both come from one network and have as many questions.
            distribution = distribution.mean(&other).unwrap_or(distribution);
            male = male.zip(other_male).map(|(a, b)| (a + b) / 2.0);
        }
        let age = distribution.age(self.card.least_mass, self.card.output.offset_years);
        Ok(GaitAnswer { age, distribution, male })
    }

    fn look(&self, gei: &Gei) -> Result<(AgeDistribution, Option<f32>), AgeError> {
        let fail = |cause: String| AgeError { cause };
        let numbers = self.net.run(gei.pixels()).map_err(fail)?;
        let (answers, gender) = numbers
            .split_at_checked(self.card.output.questions)
            .ok_or_else(|| fail("the network gave too few numbers".to_owned()))?;
        let distribution =
            AgeDistribution::new(answers).ok_or_else(|| fail("the network gave no distribution".to_owned()))?;
        Ok((distribution, self.card.output.gender.male(gender)))
    }
}

impl AgeByGait for GaitAgeModel {
    /// The measures are not looked at: the network sees the image alone.
    fn estimate(&mut self, gei: &Gei, _measures: &Measures) -> Result<Option<GaitEstimate>, AgeError> {
        let of = |age: Option<GaitAge>, stage| Some(GaitEstimate { stage, age });
        Ok(match self.card.shows {
            Shows::Measures => None,
            Shows::Stage => of(None, self.answer(gei)?.age.stage),
            Shows::Age => self.answer(gei).map(|answer| of(Some(answer.age), answer.age.stage))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::model::graphs::Graph;

    use super::*;
    use crate::Stage;
    use crate::network::GaitGender;
    use crate::network::card::tests::card;

    /// A network that answers the questions 1 to 3 by the first pixel, by 0.5 and by 0.25, and the gender's chances by 0.2 and by
    /// the first pixel of the second half of a row.
    fn onnx() -> Vec<u8> {
        let input = [1, 1, GEI_HEIGHT as i64, GEI_WIDTH as i64];
        let mut weights = vec![0.0; GEI_HEIGHT * GEI_WIDTH * 5];
        weights[0] = 1.0;
        weights[22 * 5 + 4] = 1.0;
        Graph::new(&input)
            .floats("w", &[(GEI_HEIGHT * GEI_WIDTH) as i64, 5], &weights)
            .floats("b", &[5], &[0.0, 0.5, 0.25, 0.2, 0.0])
            .node("Flatten", &["x"], "f", &[("axis", &[1])])
            .node("MatMul", &["f", "w"], "m", &[])
            .node("Add", &["m", "b"], "y", &[])
            .bytes()
    }

    fn model(change: impl FnOnce(&mut GaitCard)) -> GaitAgeModel {
        let onnx = onnx();
        let mut card = card(&onnx, 3, GaitGender::MaleSecond);
        change(&mut card);
        GaitAgeModel::prepare(card, &onnx, Path::new("a-gait.onnx")).unwrap()
    }

    fn gei(places: &[(usize, u8)]) -> Gei {
        let mut grey = vec![0; GEI_WIDTH * GEI_HEIGHT];
        for (place, level) in places {
            grey[*place] = *level;
        }
        Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap()
    }

    #[test]
    fn the_answers_become_an_age_and_a_chance() {
        let answer = model(|_| {}).answer(&gei(&[(0, 255), (22, 51)])).unwrap();
        assert_eq!(answer.distribution.answers(), [1.0, 0.5, 0.25]);
        assert!((answer.age.years - 1.75).abs() < 1e-5 && (answer.male.unwrap() - 0.2).abs() < 1e-5);
        assert_eq!(answer.age.stage, Stage::Child);
        assert!(answer.age.low < answer.age.years && answer.age.years < answer.age.high);
        let later = model(|card| card.output.offset_years = 18.0).answer(&gei(&[(0, 255)])).unwrap();
        assert_eq!((later.age.years, later.age.stage), (19.75, Stage::Adult));
        let unknown = model(|card| card.output.gender = GaitGender::UnknownOrder).answer(&gei(&[])).unwrap();
        assert_eq!(unknown.male, None);
    }

    #[test]
    fn a_mirrored_model_gives_the_same_of_both_sides() {
        let image = gei(&[(0, 255), (22, 255)]);
        let plain = model(|_| {});
        assert_ne!(plain.answer(&image).unwrap(), plain.answer(&image.mirrored()).unwrap());
        let mirrored = model(|card| card.mirrored = true);
        let answer = mirrored.answer(&image).unwrap();
        assert_eq!(answer, mirrored.answer(&image.mirrored()).unwrap());
        // 1, 0.5, 0.25 and, sorted, 0.5, 0.25, 0.
        assert_eq!(answer.distribution.answers(), [0.75, 0.375, 0.125]);
    }

    #[test]
    fn files_that_do_not_go_together_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (onnx, at) = (onnx(), |name: &str| folder.path().join(name));
        std::fs::write(at("a-gait.onnx"), &onnx).unwrap();
        let mut card = card(&onnx, 3, GaitGender::MaleSecond);
        let put = |card: &GaitCard| std::fs::write(at("a-gait.toml"), card.to_toml().unwrap()).unwrap();
        put(&card);
        for name in ["a-gait.toml", "a-gait.onnx"] {
            assert_eq!(GaitAgeModel::read(&at(name)).unwrap().card(), &card);
        }
        card.output.questions = 4;
        put(&card);
        let error = GaitAgeModel::read(&at("a-gait.toml")).unwrap_err();
        assert!(error.to_string().contains("5 numbers where the card's output form has 6"), "{error}");
        card.sha256 = "0".repeat(64);
        put(&card);
        assert_eq!(GaitAgeModel::read(&at("a-gait.onnx")).unwrap_err().kind, ModelErrorKind::HashMismatch);
        assert_eq!(GaitAgeModel::read(&at("other.toml")).unwrap_err().kind, ModelErrorKind::Missing);
    }
}
