//! What the figures of a bench depend on most: the processor and the vectors that it multiplies.

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

#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    let has_fma = std::arch::is_x86_feature_detected!("fma");
    if std::arch::is_x86_feature_detected!("avx512f") {
        "AVX-512 (AVX2 is used)"
    } else if std::arch::is_x86_feature_detected!("avx2") && has_fma {
        "AVX2"
    } else {
        "without AVX2: facelens works, and is several times slower than the published figures"
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    if cfg!(target_arch = "aarch64") { "NEON" } else { "unknown vector extensions" }
}
