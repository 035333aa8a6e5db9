//! The card's `[select]`: which of a network's numbers the output form takes.

use serde::{Deserialize, Serialize};

use super::Net;

/// Most outputs that a card may name.
const MAX_OUTPUTS: usize = 16;

/// Which of a network's numbers the output form takes, and how a standardisation is undone.
///
/// ```toml
/// [select]
/// outputs = ["param"]     # only these of the graph's outputs, one behind the other; left out: all, in its order
/// first = 0               # the form's numbers begin at this one; what follows them is left out
/// mean = [0.5]            # the form is given `number * std + mean`; one for each of its numbers, or one for all
/// std = [2.0]
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selection {
    /// Names of outputs in the graph; empty: all of them, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<String>,
    /// The first number that is taken.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub first: u32,
    /// Added to each number that is taken, after `std`; empty: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mean: Vec<f32>,
    /// What each number that is taken is multiplied by; empty: 1.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub std: Vec<f32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
const fn is_zero(value: &u32) -> bool {
    *value == 0
}

impl Selection {
    /// What is wrong with it for a form of so many numbers, in words that name the key.
    pub(super) fn problems(&self, numbers: usize) -> Result<(), String> {
        if self.outputs.len() > MAX_OUTPUTS {
            return Err(format!("`select.outputs` names {} outputs; {MAX_OUTPUTS} are allowed", self.outputs.len()));
        }
        if let Some(name) = self.outputs.iter().find(|name| name.is_empty() || name.contains(char::is_control)) {
            return Err(format!("`select.outputs` must be names of outputs, but one is {name:?}"));
        }
        for (key, list) in [("mean", &self.mean), ("std", &self.std)] {
            if !(list.len() <= 1 || list.len() == numbers) {
                let count = list.len();
                return Err(format!(
                    "`select.{key}` has {count} numbers, but the output form {numbers}; give one for each"
                ));
            }
            if list.iter().any(|number| !number.is_finite()) {
                return Err(format!("`select.{key}` holds a number that is not finite"));
            }
        }
        if self.std.contains(&0.0) {
            return Err("`select.std` must not contain 0".to_owned());
        }
        Ok(())
    }

    /// Where in what a network gives the numbers of each named output lie.
    fn parts(&self, net: &Net) -> Result<Vec<(usize, usize)>, String> {
        let mut outputs = Vec::new();
        let mut start = 0;
        for (name, shape) in net.output_names().iter().zip(net.output_shapes()) {
            let count = shape.iter().product::<usize>();
            outputs.push((name, start, count));
            start += count;
        }
        if self.outputs.is_empty() {
            return Ok(vec![(0, start)]);
        }
        let part = |wanted: &String| {
            let found = outputs.iter().find(|(name, ..)| *name == wanted);
            found.map(|(_, start, count)| (*start, *count)).ok_or_else(|| {
                let names: Vec<_> = outputs.iter().map(|(name, ..)| format!("`{name}`")).collect();
                format!("it has no output `{wanted}`, but {}", names.join(", "))
            })
        };
        self.outputs.iter().map(part).collect()
    }

    /// Whether a network gives the numbers that a form of `wanted` takes.
    ///
    /// # Errors
    /// In words that name the outputs that it has, or how many numbers it gives.
    pub(super) fn check(&self, net: &Net, wanted: usize) -> Result<(), String> {
        let given: usize = self.parts(net)?.iter().map(|(_, count)| count).sum();
        let first = self.first as usize;
        if given < first.saturating_add(wanted) {
            return Err(format!(
                "`select` finds {given} numbers where the output form takes {wanted} from number {first} on"
            ));
        }
        Ok(())
    }

    /// The `wanted` numbers that the output form takes of all that a network gave.
    ///
    /// # Errors
    /// As [`Selection::check`].
    pub(super) fn take(&self, net: &Net, wanted: usize, values: &[f32]) -> Result<Vec<f32>, String> {
        let parts = self.parts(net)?;
        let all = parts.iter().flat_map(|&(start, count)| values.iter().skip(start).take(count));
        let of = |list: &[f32], place: usize, otherwise: f32| match *list {
            [] => otherwise,
            [one] => one,
            _ => list.get(place).copied().unwrap_or(otherwise),
        };
        let undone = |(place, value): (usize, &f32)| value * of(&self.std, place, 1.0) + of(&self.mean, place, 0.0);
        let taken: Vec<f32> = all.skip(self.first as usize).take(wanted).enumerate().map(undone).collect();
        if taken.len() == wanted {
            Ok(taken)
        } else {
            Err(format!("the network gave {} numbers where its card takes {wanted}", taken.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::graphs::{Graph, value};

    /// A network whose outputs are `a` (0, 1, 2) and `b` (10, 11, 12, 13, 14), whatever it sees.
    fn net() -> Net {
        let graph = Graph::new(&[1, 1, 2, 2])
            .floats("zero", &[4, 3], &[0.0; 12])
            .floats("zeros", &[4, 5], &[0.0; 20])
            .floats("as", &[3], &[0.0, 1.0, 2.0])
            .floats("bs", &[5], &[10.0, 11.0, 12.0, 13.0, 14.0])
            .node("Flatten", &["x"], "f", &[("axis", &[1])])
            .node("MatMul", &["f", "zero"], "m", &[])
            .node("MatMul", &["f", "zeros"], "n", &[])
            .node("Add", &["m", "as"], "a", &[])
            .node("Add", &["n", "bs"], "b", &[])
            .change(|graph| graph.output = vec![value("a", &[1, 3]), value("b", &[1, 5])]);
        Net::with_input_shape(&graph.bytes(), &[1, 1, 2, 2], Path::new("two.onnx")).unwrap()
    }

    fn taken(select: &Selection, wanted: usize) -> Result<Vec<f32>, String> {
        let net = net();
        select.check(&net, wanted)?;
        select.take(&net, wanted, &net.run(&[0.0; 4]).unwrap())
    }

    fn of(outputs: &[&str], first: u32) -> Selection {
        let outputs = outputs.iter().map(|name| (*name).to_owned()).collect();
        Selection { outputs, first, ..Selection::default() }
    }

    #[test]
    fn outputs_are_taken_by_their_names_and_numbers_by_their_place() {
        assert_eq!(net().output_names(), ["a", "b"]);
        assert_eq!(taken(&of(&["a"], 0), 3), Ok(vec![0.0, 1.0, 2.0]));
        assert_eq!(taken(&of(&["b"], 2), 2), Ok(vec![12.0, 13.0]));
        assert_eq!(taken(&of(&[], 2), 3), Ok(vec![2.0, 10.0, 11.0]));
        assert_eq!(taken(&of(&["b", "a"], 4), 3), Ok(vec![14.0, 0.0, 1.0]));
    }

    #[test]
    fn a_standardisation_is_undone_number_by_number() {
        let select = Selection { mean: vec![1.0, 2.0, 3.0], std: vec![10.0, 20.0, 30.0], ..of(&["a"], 0) };
        assert_eq!(taken(&select, 3), Ok(vec![1.0, 22.0, 63.0]));
        // The form's second number has the second mean, wherever the form begins.
        let select = Selection { mean: vec![1.0, 2.0], std: vec![0.5], ..of(&["b"], 3) };
        assert_eq!(taken(&select, 2), Ok(vec![7.5, 9.0]));
    }

    #[test]
    fn what_is_not_there_is_said_with_what_is() {
        let error = taken(&of(&["quat"], 0), 3).unwrap_err();
        assert_eq!(error, "it has no output `quat`, but `a`, `b`");
        let error = taken(&of(&["a"], 1), 3).unwrap_err();
        assert_eq!(error, "`select` finds 3 numbers where the output form takes 3 from number 1 on");
        assert!(taken(&of(&[], u32::MAX), 3).is_err());
    }
}
