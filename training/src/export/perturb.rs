//! A network's weight tensors by name, and copies of it of which one is changed.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

/// How a tensor is changed. Each number is changed by another share, so that two that are exchanged show. Variances, of
/// which none may fall below 0, stay variances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Change {
    /// Up, by about so many times the tensor's usual size.
    Up(f32),
    /// Towards 0.
    Down,
}

/// The usual size that a tensor has at least: biases begin as zeros.
const LEAST_SIZE: f32 = 0.1;

/// The names of all weight tensors, statistics of normalisations among them, in the network's order.
pub(crate) fn names<M: Module>(net: &M) -> Vec<String> {
    let mut names = Names::default();
    net.visit(&mut names);
    names.found
}

/// A copy of the network of which tensor `index` is changed.
pub(crate) fn changed<M: Module>(net: &M, index: usize, change: Change) -> M {
    // Not `clone`: clones share the statistics of their normalisations.
    net.valid().map(&mut Changer { index, next: 0, change })
}

#[derive(Default)]
struct Names {
    path: Vec<String>,
    found: Vec<String>,
}

impl ModuleVisitor for Names {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, _param: &Param<Tensor<D>>) {
        self.found.push(self.path.join("."));
    }
}

struct Changer {
    index: usize,
    next: usize,
    change: Change,
}

impl ModuleMapper for Changer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let index = self.next;
        self.next += 1;
        if index == self.index { param.map(|tensor| change_tensor(tensor, self.change)) } else { param }
    }
}

fn change_tensor<const D: usize>(tensor: Tensor<D>, change: Change) -> Tensor<D> {
    let (shape, device) = (tensor.dims(), tensor.device());
    let data = tensor.into_data();
    let mut numbers: Vec<f32> = data.iter::<f32>().collect();
    let mean_square = numbers.iter().map(|x| x * x).sum::<f32>() / numbers.len().max(1) as f32;
    let size = mean_square.sqrt().max(LEAST_SIZE);
    let mut state = 0x2545_f491_u32;
    for number in &mut numbers {
        // xorshift32 (Marsaglia, 2003): shares between 0.25 and 1 without a pattern.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        let share = 0.25 + 0.75 * (state >> 8) as f32 / (1 << 24) as f32;
        *number = match change {
            Change::Up(times) => *number + times * share * (number.abs() + size),
            Change::Down => *number * (1.0 - 0.9 * share),
        };
    }
    Tensor::from_data(TensorData::new(numbers, shape), &device)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use facelens_core::model::Task;

    use super::*;
    use crate::nets::{Network, NetworkConfig, SsrNetConfig};

    #[derive(Default)]
    struct Numbers(Vec<Vec<f32>>);

    impl ModuleVisitor for Numbers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().into_data().iter::<f32>().collect());
        }
    }

    fn numbers(net: &Network) -> Vec<Vec<f32>> {
        let mut numbers = Numbers::default();
        net.visit(&mut numbers);
        numbers.0
    }

    #[test]
    fn one_tensor_changes_in_all_its_numbers_and_the_network_stays() {
        let net = NetworkConfig::SsrNet(SsrNetConfig::published(vec![Task::Age])).init(&Device::flex());
        let (names, before) = (names(&net), numbers(&net));
        // Two streams of four blocks of 6 tensors, three stages of 8 layers with weight and bias.
        assert_eq!((names.len(), before.len()), (8 * 6 + 3 * 8 * 2, 96));
        let variance = names.iter().position(|name| name.ends_with("running_var")).unwrap();
        let bias = names.iter().position(|name| name.ends_with("bias")).unwrap();
        for index in [0, bias, variance] {
            for change in [Change::Up(0.1), Change::Up(1.0), Change::Down] {
                let after = numbers(&changed(&net, index, change));
                for (at, (before, after)) in before.iter().zip(&after).enumerate() {
                    if at != index {
                        assert_eq!(before, after, "{}", names[at]);
                        continue;
                    }
                    // A bias of zeros cannot be made smaller.
                    let all = before.iter().zip(after).all(|(a, b)| a != b);
                    assert!(all || (index == bias && change == Change::Down), "{} by {change:?}", names[at]);
                    assert!(index != variance || after.iter().all(|x| *x > 0.0));
                }
            }
        }
        assert_eq!(numbers(&net), before, "the network itself stays, its statistics, too");
    }
}
