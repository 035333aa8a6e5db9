//! The crates depend downwards only, and the core stays free of windows, cameras, videos and tables.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Each crate with those of ours that it may use: the arrows of ARCHITECTURE.md.
const MAY_USE: [(&str, &[&str]); 9] = [
    ("crates/base", &[]),
    ("crates/operators", &[]),
    ("crates/core", &["base", "operators"]),
    ("crates/import", &["base", "core"]),
    ("crates/media", &["base", "core"]),
    ("crates/gait", &["base", "core", "import"]),
    ("crates/session", &["base", "core", "media", "gait"]),
    ("training", &["base", "core", "import", "media", "gait", "session"]),
    (".", &["base", "core", "import", "media", "gait", "session"]),
];

/// What a program that only wants faces analysed must not have to build.
const NOT_IN_CORE: [&str; 18] = [
    "eframe",
    "egui",
    "winit",
    "wayland-client",
    "x11rb",
    "glow",
    "rfd",
    "nokhwa",
    "v4l",
    "openh264",
    "shiguredo_mp4",
    "parquet",
    "hdf5-pure",
    "csv",
    "clap",
    "hyper",
    "ureq",
    "reqwest",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn a_crate_uses_only_what_lies_below_it() {
    let mut members: BTreeSet<_> = fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| format!("crates/{}", entry.unwrap().file_name().into_string().unwrap()))
        .collect();
    members.extend(["training".to_owned(), ".".to_owned()]);
    assert_eq!(members, MAY_USE.iter().map(|(name, _)| (*name).to_owned()).collect(), "every crate is in the table");

    for (member, may_use) in MAY_USE {
        let manifest = fs::read_to_string(root().join(member).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let used = manifest.get(table).and_then(toml::Value::as_table).into_iter().flatten();
            for name in used.filter_map(|(name, _)| name.strip_prefix("facelens-")) {
                assert!(may_use.contains(&name), "{member} must not use facelens-{name}: ARCHITECTURE.md says why");
            }
        }
    }
}

#[test]
fn the_core_needs_no_window_camera_video_or_table() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--package", "facelens-core", "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .args(["--locked", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains("tract-onnx"), "{tree}");
    let heavy: Vec<_> = NOT_IN_CORE.into_iter().filter(|name| crates.contains(name)).collect();
    assert!(heavy.is_empty(), "facelens-core needs {heavy:?}");
}
