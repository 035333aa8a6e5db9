//! The ordinal distribution loss (Zhu et al., arXiv 1905.11005, section 3.3): what the answers to "has the walker lived k years?"
//! cost.
//!
//! ```text
//! loss = sum_k BCE(q_k, y_k) + lambda EMD²        EMD² = sum_k (q_k - y_k)²
//! ```
//!
//! EMD is the earth mover's distance of the estimated and the true distribution of the age. In one dimension and with years of
//! the same length it is the distance of the cumulative distributions, and q is one minus such a one.
//!
//! The true answer y_k is 1 up to the age and 0 beyond; in the year in which an age of 7.5 lies it is 0.5, so that the y_k add up
//! to the age whatever it is. Of an age that is known to an interval, questions inside the interval have no answer and cost
//! nothing.

use burn::tensor::activation::{log_sigmoid, sigmoid};
use burn::tensor::{Tensor, TensorData};
use serde::{Deserialize, Serialize};

use super::set::GaitSample;
use crate::nets::gl_cnn::Logits;

/// So many questions, all answered wrong, count as much as one wrong gender.
const QUESTIONS_TO_ONE: f32 = 10.0;

/// What counts how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaitLoss {
    /// Lambda: weight of EMD² beside the cross-entropy. The paper's own value is not known.
    pub lambda: f32,
    /// Weight of the gender's cross-entropy.
    pub gender: f32,
}

impl Default for GaitLoss {
    fn default() -> Self {
        Self { lambda: 1.0, gender: 0.5 }
    }
}

/// The true answers of a batch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GaitTargets {
    questions: usize,
    /// y_k, and whether it is known, 1 or 0; `questions` for each sample.
    answers: Vec<f32>,
    known: Vec<f32>,
    /// The chance of a man, and whether it is known.
    male: Vec<f32>,
    male_known: Vec<f32>,
}

impl GaitTargets {
    pub(super) fn new(questions: usize) -> Self {
        let empty = Vec::new;
        Self { questions, answers: empty(), known: empty(), male: empty(), male_known: empty() }
    }

    /// Adds what is known of a sample.
    pub(super) fn push(&mut self, sample: &GaitSample) {
        for k in 1..=self.questions {
            let answer = true_answer(sample, k);
            self.answers.push(answer.unwrap_or(0.0));
            self.known.push(if answer.is_some() { 1.0 } else { 0.0 });
        }
        self.male.push(sample.male.unwrap_or(0.0));
        self.male_known.push(if sample.male.is_some() { 1.0 } else { 0.0 });
    }

    /// The mean cost of a sample.
    pub(super) fn loss(&self, logits: &Logits, config: &GaitLoss) -> Tensor<1> {
        let samples = self.male.len();
        let device = logits.age.device();
        let table = |numbers: &[f32], columns: usize| -> Tensor<2> {
            Tensor::from_data(TensorData::new(numbers.to_vec(), [samples, columns]), &device)
        };
        let (answers, known) = (table(&self.answers, self.questions), table(&self.known, self.questions));
        let distance = (sigmoid(logits.age.clone()) - answers.clone()).square();
        let cost = cross_entropy(&logits.age, &answers) + distance * config.lambda;
        let age = (cost * known).sum() / (QUESTIONS_TO_ONE * samples as f32);
        let (male, male_known) = (table(&self.male, 1), table(&self.male_known, 1));
        let gender = (cross_entropy(&logits.gender, &male) * male_known).sum() / samples as f32;
        age + gender * config.gender
    }
}

/// y_k of a sample, where it is known.
fn true_answer(sample: &GaitSample, k: usize) -> Option<f32> {
    let part = |age: f32| (age - (k as f32 - 1.0)).clamp(0.0, 1.0);
    // An open end leaves everything beyond it open, and no age at all everything.
    let least = part(sample.age_min.unwrap_or(0.0));
    let most = sample.age_max.map_or(1.0, part);
    (least == most).then_some(least)
}

/// `-y ln s(x) - (1 - y) ln(1 - s(x))` with the sigmoid s, which is `(1 - y) x - ln s(x)`.
fn cross_entropy(logits: &Tensor<2>, truth: &Tensor<2>) -> Tensor<2> {
    logits.clone() * (truth.clone().neg() + 1.0) - log_sigmoid(logits.clone())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn sample(age_min: Option<f32>, age_max: Option<f32>, male: Option<f32>) -> GaitSample {
        GaitSample { age_min, age_max, male, ..GaitSample::default() }
    }

    fn answers(sample: &GaitSample) -> Vec<Option<f32>> {
        (1..=5).map(|k| true_answer(sample, k)).collect()
    }

    #[test]
    fn an_age_answers_all_questions_and_an_interval_those_outside_it() {
        let [yes, no, none] = [Some(1.0), Some(0.0), None];
        assert_eq!(answers(&sample(Some(3.0), Some(3.0), None)), [yes, yes, yes, no, no]);
        assert_eq!(answers(&sample(Some(2.5), Some(2.5), None)), [yes, yes, Some(0.5), no, no]);
        // "2" in completed years: the third year is open.
        assert_eq!(answers(&sample(Some(2.0), Some(3.0), None)), [yes, yes, none, no, no]);
        assert_eq!(answers(&sample(Some(1.5), Some(3.5), None)), [yes, none, none, none, no]);
        assert_eq!(answers(&sample(Some(3.0), None, None)), [yes, yes, yes, none, none]);
        assert_eq!(answers(&sample(None, Some(3.0), None)), [none, none, none, no, no]);
        assert_eq!(answers(&sample(None, None, None)), [none; 5]);
        assert_eq!(answers(&sample(Some(90.0), Some(90.0), None)), [yes; 5]);
    }

    /// Loss and its gradients by the age's and the gender's logits.
    fn loss(samples: &[GaitSample], age: &[f32], gender: &[f32], config: &GaitLoss) -> (f32, Vec<f32>, Vec<f32>) {
        let (rows, questions) = (samples.len(), age.len() / samples.len());
        let mut targets = GaitTargets::new(questions);
        samples.iter().for_each(|sample| targets.push(sample));
        let tensor = |numbers: &[f32], columns: usize| -> Tensor<2> {
            Tensor::from_data(TensorData::new(numbers.to_vec(), [rows, columns]), &Device::flex().autodiff())
                .require_grad()
        };
        let logits = Logits { age: tensor(age, questions), gender: tensor(gender, 1) };
        let loss = targets.loss(&logits, config);
        let gradients = loss.backward();
        let read = |tensor: &Tensor<2>| tensor.grad(&gradients).unwrap().into_data().iter::<f32>().collect();
        (loss.into_scalar::<f32>(), read(&logits.age), read(&logits.gender))
    }

    #[test]
    fn it_is_what_the_equations_give_by_hand() {
        let config = GaitLoss { lambda: 3.0, gender: 2.0 };
        // q = 0.75, 0.5, 0.25 of an age of 1: BCE = -ln 0.75 - ln 0.5 - ln 0.75, EMD² = 0.0625 + 0.25 + 0.0625.
        let logits = [3.0_f32.ln(), 0.0, -(3.0_f32.ln())];
        let (found, age, gender) = loss(&[sample(Some(1.0), Some(1.0), Some(1.0))], &logits, &[0.0], &config);
        let entropy = -(0.75_f32.ln() + 0.5_f32.ln() + 0.75_f32.ln());
        let expected = (entropy + 3.0 * 0.375) / 10.0 + 2.0 * 2.0_f32.ln();
        assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
        // d BCE = q - y; d (q - y)² = 2 (q - y) q (1 - q).
        let slope = |q: f32, y: f32| (q - y + 3.0 * 2.0 * (q - y) * q * (1.0 - q)) / 10.0;
        for (found, expected) in age.iter().zip([slope(0.75, 1.0), slope(0.5, 0.0), slope(0.25, 0.0)]) {
            assert!((found - expected).abs() < 1e-5, "{found} instead of {expected}");
        }
        assert!((gender[0] + 1.0).abs() < 1e-5, "{gender:?}");
    }

    #[test]
    fn what_is_not_known_costs_and_pulls_nothing() {
        let config = GaitLoss::default();
        let interval = sample(Some(1.0), Some(3.0), None);
        let (one, slopes, gender) = loss(std::slice::from_ref(&interval), &[2.0, 1.0, -1.0, -2.0], &[5.0], &config);
        let (other, ..) = loss(&[interval], &[2.0, -7.0, 7.0, -2.0], &[-5.0], &config);
        assert!((one - other).abs() < 1e-6 && one > 0.0);
        assert_eq!((slopes[1], slopes[2], gender[0]), (0.0, 0.0, 0.0));
        assert!(slopes[0] < 0.0 && slopes[3] > 0.0, "{slopes:?}");
    }

    #[test]
    fn far_off_logits_have_finite_gradients() {
        let known = sample(Some(1.0), Some(1.0), Some(0.0));
        let (found, age, gender) = loss(&[known], &[-300.0, 300.0], &[300.0], &GaitLoss::default());
        assert!(found.is_finite() && age.iter().chain(&gender).all(|slope| slope.is_finite()));
        assert!(age[0] < 0.0 && age[1] > 0.0 && gender[0] > 0.0, "{age:?} {gender:?}");
    }
}
