//! What the linker and the version need to know.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=assets/macos/Info.plist");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    // macOS lets no program use the camera that does not say what for. A program outside of a bundle says so in a section
    // of its own file, which the linker fills.
    if target("OS") == "macos" {
        let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-sectcreate,__TEXT,__info_plist,{root}/assets/macos/Info.plist");
    }
    version();
    #[cfg(windows)]
    resources();
}

/// What Explorer shows of the program: its icon, and name and version from Cargo.toml.
#[cfg(windows)]
fn resources() {
    println!("cargo::rerun-if-changed=assets/icon.ico");
    let mut resources = winresource::WindowsResource::new();
    resources.set_icon("assets/icon.ico");
    if let Err(error) = resources.compile() {
        println!("cargo::warning=the program gets no icon: {error}");
    }
}

/// `FACELENS_VERSION` is the version, with the commit where it is known: from the variable `FACELENS_COMMIT` of whoever
/// packages an archive without a repository, or from git. Only in release builds: every commit would build others anew.
fn version() {
    println!("cargo::rerun-if-env-changed=FACELENS_COMMIT");
    let version = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let given = std::env::var("FACELENS_COMMIT").ok().filter(|commit| !commit.is_empty());
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let commit = given.or_else(|| if is_release { commit() } else { None });
    let version = commit.map_or_else(|| version.clone(), |commit| format!("{version} ({commit})"));
    println!("cargo::rustc-env=FACELENS_VERSION={version}");
}

/// The short name of the commit that is checked out; `+` behind it where tracked files differ from it.
fn commit() -> Option<String> {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then(|| text.trim().to_owned())
    };
    // A copy that was unpacked inside of another repository is none of its commits.
    if !Path::new(".git").exists() {
        return None;
    }
    for file in ["HEAD", "index"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        println!("cargo::rerun-if-changed={path}");
    }
    let name = git(&["rev-parse", "--short=9", "HEAD"])?;
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    Some(if changed { name + "+" } else { name })
}
