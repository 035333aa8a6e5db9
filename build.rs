//! macOS lets no program use the camera that does not say what for. A program outside of a bundle says so in a section of
//! its own file, which the linker fills.

fn main() {
    println!("cargo::rerun-if-changed=assets/macos/Info.plist");
    let target = |key: &str| std::env::var(format!("CARGO_CFG_TARGET_{key}")).unwrap_or_default();
    if target("OS") == "macos" {
        let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        println!("cargo::rustc-link-arg-bins=-Wl,-sectcreate,__TEXT,__info_plist,{root}/assets/macos/Info.plist");
    }
}
