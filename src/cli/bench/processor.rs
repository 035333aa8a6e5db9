//! What the figures of a bench depend on most: the processor and the vectors that it multiplies.

use facelens_core::model::{self, Vectors};

/// The processor's name where the system tells it, and its vector extensions that the networks use.
pub(super) fn words() -> String {
    let name = name().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    format!("{name}, {}", vectors())
}

fn name() -> Option<String> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    let name = line.split_once(':')?.1.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

fn vectors() -> &'static str {
    match model::vectors() {
        Vectors::Avx512 => "AVX-512",
        Vectors::Avx2 => "AVX2",
        Vectors::Neon => "NEON",
        Vectors::Unknown => "without AVX2: facelens works, and is several times slower than the published figures",
    }
}
