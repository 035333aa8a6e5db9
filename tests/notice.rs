//! NOTICE names every library whose licence asks for it.
#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::Path;
use std::process::Command;

/// A library that can be had under MIT or Apache-2.0 alone needs no line: the program's own licence says as much.
fn is_permissive(licence: &str) -> bool {
    !licence.contains(" AND ") && (licence.contains("MIT") || licence.contains("Apache-2.0"))
}

#[test]
fn every_library_with_a_licence_of_its_own_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments =
        ["tree", "-p", "facelens", "-e", "normal,no-proc-macro", "--prefix", "none", "--offline", "--locked"];
    let output = Command::new(cargo).args(arguments).args(["-f", "{p}|{l}"]).current_dir(root).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let notice = std::fs::read_to_string(root.join("NOTICE")).unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let others: Vec<(&str, &str)> = tree
        .lines()
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('|'))
        .filter(|(_, licence)| !is_permissive(licence))
        .map(|(package, licence)| (package.split(' ').next().unwrap(), licence))
        .collect();
    assert!(others.contains(&("option-ext", "MPL-2.0")), "{others:?}");
    for (name, licence) in others {
        assert!(notice.contains(name), "NOTICE does not name {name} ({licence})");
    }
}
