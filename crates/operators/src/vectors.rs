//! Which vectors of the processor the operators use.

use std::sync::LazyLock;

/// Vectors of a processor, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vectors {
    /// Sixteen numbers: AVX-512.
    Avx512,
    /// Eight numbers: AVX2 with FMA.
    Avx2,
    /// Four numbers, on ARM.
    Neon,
    /// The processor has none that the operators know, and they take number by number.
    Unknown,
}

/// The widest vectors that the operators use on this machine.
pub fn vectors() -> Vectors {
    match arch() {
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V4(_) => Vectors::Avx512,
        #[cfg(target_arch = "x86_64")]
        pulp::Arch::V3(_) => Vectors::Avx2,
        pulp::Arch::Scalar => Vectors::Unknown,
        _ => Vectors::Neon,
    }
}

/// What [`vectors`] tells, for kernels. The environment variable `FACELENS_VECTORS` chooses narrower ones, to compare them:
/// `avx2`, or `none`.
pub(crate) fn arch() -> pulp::Arch {
    static ARCH: LazyLock<pulp::Arch> = LazyLock::new(|| {
        let widest = pulp::Arch::new();
        match std::env::var("FACELENS_VECTORS").as_deref() {
            Ok("avx2") => narrower(widest),
            Ok("none") => pulp::Arch::Scalar,
            _ => widest,
        }
    });
    *ARCH
}

#[cfg(target_arch = "x86_64")]
pub(crate) fn narrower(arch: pulp::Arch) -> pulp::Arch {
    match arch {
        pulp::Arch::V4(simd) => pulp::Arch::V3(*simd),
        other => other,
    }
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn narrower(arch: pulp::Arch) -> pulp::Arch {
    arch
}

/// How many numbers a vector has, and how many of them the processor holds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub lanes: usize,
    pub many: bool,
}

impl Registers {
    pub fn of(arch: pulp::Arch) -> Self {
        struct Count;
        impl pulp::WithSimd for Count {
            type Output = Registers;

            #[inline(always)]
            fn with_simd<S: pulp::Simd>(self, _simd: S) -> Registers {
                Registers { lanes: S::F32_LANES, many: S::REGISTER_COUNT >= 32 }
            }
        }
        arch.dispatch(Count)
    }
}
