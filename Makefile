# The two commands of the README, and what else is done often. Each installs the system packages that it needs.

.PHONY: run test lint test-camera camera-vm deb test-deb release bench bench-peers install

# Build in release and open the window.
run:
	scripts/install-packages.sh window
	cargo run --release --locked

# Format, lints, documentation, all tests, then the window under a virtual display.
test:
	scripts/install-packages.sh test
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	cargo test --workspace --locked
	tests/window.sh target/debug/facelens target/window-shots

# Spelling, licences and sources of what facelens stands on.
lint:
	scripts/lint.sh

# The program against a real V4L2 device: the kernel's vivid driver in a small virtual machine.
test-camera:
	cargo build --locked
	$(MAKE) camera-vm

# The same with the program as it is built.
camera-vm:
	scripts/install-packages.sh camera || echo "skipped: the virtual machine's packages cannot be installed"
	tests/camera-vm/run.sh target/debug/facelens

# A Debian package in target/debian, of the release build.
deb:
	scripts/install-packages.sh deb
	cargo build --release --locked
	packaging/deb.sh target/release/facelens target/debian/facelens.deb

# Checks the package's papers, installs it into a bare Debian (as root), starts it there on the demo, and removes it.
test-deb: deb
	desktop-file-validate packaging/*.desktop
	appstreamcli validate --no-net packaging/*.metainfo.xml
	packaging/test-deb.sh target/debian/facelens.deb

# Version, changelog, tag, artefacts and checksums of a release: make release VERSION=0.2.0
release:
	packaging/release.sh "$(VERSION)"

# Criterion benches, then the program's own figures.
bench:
	scripts/install-packages.sh build
	cargo bench --locked
	cargo run --release --locked -- bench

# facelens beside its peers, on the same pictures in the same run; PUBLISHED=FOLDER names the authors' weights.
bench-peers:
	scripts/install-packages.sh peers || scripts/install-packages.sh build
	benches/peers/run.py $(if $(PUBLISHED),--published $(PUBLISHED))

# Put the program into ~/.cargo/bin.
install:
	scripts/install-packages.sh window
	cargo install --path . --locked
