//! What is done to every number by itself.

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Activation {
    /// The number itself.
    None,
    /// The nearest number between these two; a ReLU is 0 and infinity.
    Clip(f32, f32),
    /// Below zero, the number times this.
    Leaky(f32),
    Tanh,
    Sigmoid,
    Sqrt,
}

/// Numerator and denominator of the rational function that tract takes for a function, from the highest power of the
/// square to the lowest, within bounds where it stays between its limits.
struct Rational {
    bound: f32,
    above: [f32; 7],
    below: [f32; 4],
}

const TANH: Rational = Rational {
    bound: 7.5,
    above: [-8.488_493e-14, 5.277_853e-11, -2.022_500_4e-8, 0.000_011_154_248, 0.003_103_95, 0.130_840_05, 1.0],
    below: [0.000_254_613_66, 0.024_495_154, 0.464_173_32, 1.0],
};

const SIGMOID: Rational = Rational {
    bound: 14.5,
    above: [
        -4.433_153_4e-18,
        1.169_974_4e-14,
        -1.875_289_6e-11,
        4.257_889_5e-8,
        0.000_048_118_176,
        0.008_163_842,
        0.25,
    ],
    below: [3.922_936e-6, 0.001_524_872_4, 0.115_988_67, 1.0],
};

impl Rational {
    #[inline(always)]
    fn at<S: pulp::Simd>(&self, simd: S, x: S::f32s) -> S::f32s {
        let x = simd.max_f32s(simd.min_f32s(x, simd.splat_f32s(self.bound)), simd.splat_f32s(-self.bound));
        let square = simd.mul_f32s(x, x);
        let horner = |factors: &[f32]| {
            let mut sum = simd.splat_f32s(factors[0]);
            for factor in &factors[1..] {
                sum = simd.mul_add_e_f32s(square, sum, simd.splat_f32s(*factor));
            }
            sum
        };
        simd.div_f32s(simd.mul_f32s(horner(&self.above), x), horner(&self.below))
    }
}

impl Activation {
    /// ReLU.
    #[cfg(test)]
    pub const RELU: Self = Self::Clip(0.0, f32::INFINITY);

    /// The function of every number of these vectors.
    #[inline(always)]
    pub fn on<S: pulp::Simd>(self, simd: S, vectors: &mut [S::f32s]) {
        match self {
            Self::None => {}
            Self::Clip(low, high) => {
                let (low, high) = (simd.splat_f32s(low), simd.splat_f32s(high));
                for x in vectors {
                    *x = simd.min_f32s(simd.max_f32s(*x, low), high);
                }
            }
            Self::Leaky(slope) => {
                let (zero, slope) = (simd.splat_f32s(0.0), simd.splat_f32s(slope));
                for x in vectors {
                    let below = simd.mul_f32s(simd.min_f32s(*x, zero), slope);
                    *x = simd.add_f32s(simd.max_f32s(*x, zero), below);
                }
            }
            Self::Tanh => {
                for x in vectors {
                    *x = TANH.at(simd, *x);
                }
            }
            Self::Sigmoid => {
                let half = simd.splat_f32s(0.5);
                for x in vectors {
                    *x = simd.add_f32s(SIGMOID.at(simd, *x), half);
                }
            }
            Self::Sqrt => {
                for x in vectors {
                    *x = simd.sqrt_f32s(*x);
                }
            }
        }
    }

    /// The function of every number.
    pub fn on_numbers(self, arch: pulp::Arch, numbers: &mut [f32]) {
        if self != Self::None {
            arch.dispatch(EachNumber { activation: self, numbers });
        }
    }

    /// The bounds that it keeps numbers in, if it does nothing else.
    pub fn bounds(self) -> Option<(f32, f32)> {
        match self {
            Self::None => Some((f32::NEG_INFINITY, f32::INFINITY)),
            Self::Clip(low, high) => Some((low, high)),
            _ => None,
        }
    }

    /// This function after another, where one says both.
    pub fn after(self, first: Self) -> Option<Self> {
        match (first, self) {
            (Self::None, second) => Some(second),
            (first, Self::None) => Some(first),
            (Self::Clip(low, high), Self::Clip(lower, higher)) => {
                Some(Self::Clip(low.clamp(lower, higher), high.clamp(lower, higher)))
            }
            _ => None,
        }
    }

    /// Whether a larger number never becomes a smaller one: then it may be applied to the largest of several alone.
    pub fn is_monotone(self) -> bool {
        match self {
            Self::Leaky(slope) => slope >= 0.0,
            _ => true,
        }
    }
}

struct EachNumber<'a> {
    activation: Activation,
    numbers: &'a mut [f32],
}

impl pulp::WithSimd for EachNumber<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        let (vectors, rest) = S::as_mut_simd_f32s(self.numbers);
        for vector in vectors {
            self.activation.on(simd, std::slice::from_mut(vector));
        }
        if !rest.is_empty() {
            let mut vector = [simd.partial_load_f32s(rest)];
            self.activation.on(simd, &mut vector);
            simd.partial_store_f32s(rest, vector[0]);
        }
    }
}
