//! The crates depend downwards only, the core stays free of windows, cameras, videos and tables, and the window's modules
//! form no circle; a name of a type means one thing in all crates.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::collections::{BTreeMap, BTreeSet};
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

/// The names that follow `prefix` in `code`: `super::a::B` and `super::{a::B, c}` name `a` and `c`.
fn named_after<'a>(code: &'a str, prefix: &str) -> Vec<&'a str> {
    let first =
        |path: &'a str| path.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    let mut names = Vec::new();
    for (place, _) in code.match_indices(prefix) {
        let rest = &code[place + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            names.push(first(rest));
            continue;
        };
        let (mut depth, mut begin) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                ',' | '}' if depth == 0 => {
                    names.push(first(&list[begin..at]));
                    begin = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                '}' => depth -= 1,
                _ => {}
            }
        }
    }
    names
}

/// Adds the modules of the window that the files in `folder` name, by the module that they belong to.
fn note_uses(folder: &Path, of: Option<&str>, uses: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if stem == "fake" || stem.ends_with("tests") || (stem == "mod" && of.is_none()) {
            continue;
        }
        let module = of.unwrap_or(stem);
        if path.is_dir() {
            note_uses(&path, Some(module), uses);
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        // The window itself, from a file in its folder or in a folder below.
        let window = if of.is_some() && stem != "mod" { "super::super::" } else { "super::" };
        let named = [window, "crate::app::"].map(|prefix| named_after(&code, prefix)).concat();
        let used = uses.entry(module.to_owned()).or_default();
        used.extend(named.into_iter().filter(|name| *name != module).map(str::to_owned));
    }
}

#[test]
fn the_modules_of_the_window_form_no_circle() {
    assert_eq!(named_after("super::a::B; super::{c, d::{E, F}, g as h}", "super::"), ["a", "c", "d", "g"]);
    let mut uses = BTreeMap::new();
    note_uses(&root().join("src/app"), None, &mut uses);
    assert!(uses["central_panel"].contains("state"), "{uses:?}");
    // What uses nothing that is left is in no circle.
    loop {
        let left: BTreeSet<String> = uses.keys().cloned().collect();
        uses.retain(|_, used| used.iter().any(|name| left.contains(name)));
        if uses.len() == left.len() {
            break;
        }
    }
    assert!(uses.is_empty(), "in a circle, or above one: {uses:#?}");
}

/// Adds the types that the files in `folder` declare at their top, with those files; tests have their own names.
fn note_types(folder: &Path, types: &mut BTreeMap<String, BTreeSet<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let stem = path.file_stem().unwrap().to_str().unwrap();
        if stem.contains("test") {
            continue;
        }
        if path.is_dir() {
            note_types(&path, types);
            continue;
        }
        // Some folders hold images and fonts beside the code.
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let code = fs::read_to_string(&path).unwrap();
        let code = code.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for line in code.lines() {
            let line = ["pub(crate) ", "pub(super) ", "pub "].iter().find_map(|p| line.strip_prefix(p)).unwrap_or(line);
            let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|kind| line.strip_prefix(kind));
            let name = rest.and_then(|rest| rest.split(|c: char| !c.is_alphanumeric()).next());
            if let Some(name) = name {
                types.entry(name.to_owned()).or_default().insert(path.display().to_string());
            }
        }
    }
}

#[test]
fn a_type_name_means_one_thing_in_all_crates() {
    let mut types = BTreeMap::new();
    for (member, _) in MAY_USE {
        note_types(&root().join(member).join("src"), &mut types);
    }
    assert!(types["Analyser"].len() == 1 && types.len() > 500, "{} types", types.len());
    types.retain(|_, files| files.len() > 1);
    assert!(types.is_empty(), "names that stand for several things: {types:#?}");
}
