//! All numbers of a network at once: their moving average, the norm of their gradients.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

use crate::nets::Network;

/// Moves `average` to `keep` times itself plus the rest of `net`, statistics of the batch normalisations included.
/// `net` is a network without automatic differentiation, with the same ids of its parameters and statistics.
pub(crate) fn average<M: Module>(average: M, net: &M, keep: f64) -> M {
    let mut newest = GradientsParams::new();
    net.visit(&mut Collect(&mut newest));
    average.map(&mut Mix { newest, keep })
}

/// Collects tensors by the parameter's id.
struct Collect<'a>(&'a mut GradientsParams);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.register(param.id, param.val());
    }
}

struct Mix {
    newest: GradientsParams,
    keep: f64,
}

impl ModuleMapper for Mix {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(newest) = self.newest.remove::<D>(param.id) else {
            debug_assert!(false, "the average has a parameter that the net has not");
            return param;
        };
        let keep = self.keep;
        param.map(|old| old * keep + newest * (1.0 - keep))
    }
}

/// `net` with every tensor of `trained` that has its counterpart's shape, and how many of how many those are. Both are
/// networks of one kind, and `net`'s tasks begin with those of `trained`, so that their parts come in one order whatever their
/// widths are. Residual blocks that only `net` has stay its own.
pub(super) fn take_over(net: Network, mut trained: Network) -> (Network, usize, usize) {
    let in_order = |trained: &Network| {
        let mut order = TensorCollector::default();
        trained.visit(&mut order);
        order
    };
    let all = in_order(&trained).ids.len();
    trained.deepen(&net);
    let order = in_order(&trained);
    let added = order.ids.len() - all;
    let mut take = TakeOver { ids: order.ids.into_iter(), tensors: order.tensors, taken: 0 };
    let net = net.map(&mut take);
    (net, take.taken - added, all)
}

/// Collects tensors with their order.
#[derive(Default)]
struct TensorCollector {
    ids: Vec<ParamId>,
    tensors: GradientsParams,
}

impl ModuleVisitor for TensorCollector {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.ids.push(param.id);
        self.tensors.register(param.id, param.val());
    }
}

struct TakeOver {
    ids: std::vec::IntoIter<ParamId>,
    tensors: GradientsParams,
    taken: usize,
}

impl ModuleMapper for TakeOver {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let counterpart = self.ids.next().and_then(|id| self.tensors.remove::<D>(id));
        match counterpart.filter(|tensor| tensor.dims() == param.dims()) {
            Some(tensor) => {
                self.taken += 1;
                param.map(|_| tensor)
            }
            None => param,
        }
    }
}

/// Norm of all gradients together; shortens them where it is above `longest`, unless that is 0.
pub(crate) fn clip<M: Module>(net: &M, gradients: &mut GradientsParams, longest: f32) -> f32 {
    let mut squares = Squares { gradients, sum: None };
    net.visit(&mut squares);
    let norm = squares.sum.map_or(0.0, |sum| sum.into_scalar::<f32>()).sqrt();
    if longest > 0.0 && norm > longest {
        net.visit(&mut Scale { gradients, factor: longest / norm });
    }
    norm
}

struct Squares<'a> {
    gradients: &'a GradientsParams,
    sum: Option<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.get::<D>(param.id) else { return };
        let square = gradient.square().sum();
        self.sum = Some(match self.sum.take() {
            Some(sum) => sum + square,
            None => square,
        });
    }
}

struct Scale<'a> {
    gradients: &'a mut GradientsParams,
    factor: f32,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients.register(param.id, gradient * self.factor);
        }
    }
}

/// Draws the weights of a new network now, in the order of its parts. burn draws each when it is first used otherwise,
/// which would make the weights depend on what uses them first.
pub(crate) fn draw<M: Module>(net: &M) {
    struct Touch;
    impl ModuleVisitor for Touch {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let _ = param.val();
        }
    }
    net.visit(&mut Touch);
}

/// Whether a number of the network is not finite.
#[cfg(test)]
pub(crate) fn numbers<M: Module>(net: &M) -> Vec<f32> {
    struct Numbers(Vec<f32>);
    impl ModuleVisitor for Numbers {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.extend(param.val().into_data().iter::<f32>());
        }
    }
    let mut numbers = Numbers(Vec::new());
    net.valid().visit(&mut numbers);
    numbers.0
}

/// A device's own tensors, without automatic differentiation.
pub(crate) fn plain(device: &Device) -> Device {
    device.clone().without_autodiff()
}
