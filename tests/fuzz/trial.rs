//! Model files: each is read and tried in a child process, as the program does it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use facelens_core::model::{ModelError, ModelErrorKind};
use facelens_import::{Library, Limits, Sandbox};

use crate::{graphs, onnx};

/// What came of the files, with a few of each.
#[derive(Default)]
struct Outcomes {
    counts: BTreeMap<&'static str, usize>,
    examples: BTreeMap<&'static str, Vec<String>>,
}

impl Outcomes {
    fn add(&mut self, outcome: &'static str, example: impl FnOnce() -> String) {
        *self.counts.entry(outcome).or_default() += 1;
        let examples = self.examples.entry(outcome).or_default();
        if examples.len() < 5 {
            examples.push(example());
        }
    }

    #[expect(clippy::print_stdout, reason = "the counts are what a long run is for")]
    fn tell(&self, what: &str, operators: &BTreeMap<String, usize>) {
        println!("fuzz: {what}: {:?}; {operators:?}", self.counts);
        for (outcome, examples) in &self.examples {
            for example in examples.iter().filter(|_| *outcome != "loaded") {
                println!("  {outcome}: {example}");
            }
        }
    }

    fn of(&self, outcome: &str) -> usize {
        self.counts.get(outcome).copied().unwrap_or(0)
    }
}

/// What a refusal is, after it was seen to be one sentence about the file.
fn outcome(error: &ModelError) -> &'static str {
    let text = error.to_string();
    assert!(!text.contains(char::is_control) && text.len() < 1000, "{text:?}");
    assert!(error.file.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("fuzz")), "{text}");
    let cause = error.cause.as_str();
    match error.kind {
        ModelErrorKind::TooLarge if cause.ends_with("of memory") => "out of memory",
        ModelErrorKind::TooLarge if cause.starts_with("the network takes more than") => "out of time",
        ModelErrorKind::TooLarge => "too large",
        _ if cause.contains("crashed while it was tested") => "crashed",
        ModelErrorKind::Corrupt => "damaged",
        ModelErrorKind::WrongShape => "does not fit",
        ModelErrorKind::SelfCheck => "gives no number",
        ModelErrorKind::UnknownFormat | ModelErrorKind::NoCard => "unknown",
        kind => panic!("{kind:?}: {text}"),
    }
}

/// Has a child try what `write` puts into a folder for each number below `files`; two at a time.
fn run(files: usize, write: impl Fn(&Path, u64) -> std::path::PathBuf + Sync) -> Outcomes {
    let sandbox = Sandbox::of_program(env!("CARGO_BIN_EXE_facelens"), Limits::default(), None);
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Outcomes::default()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let folder = tempfile::tempdir().unwrap();
                let library = Library::at(folder.path(), &sandbox);
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= files {
                        return;
                    }
                    let file = write(folder.path(), seed as u64);
                    match library.open_file(&file, None) {
                        Ok(opened) => {
                            opened.prepare().unwrap_or_else(|error| panic!("{seed} passed, but: {error}"));
                            outcomes.lock().unwrap().add("loaded", String::new);
                        }
                        Err(error) => {
                            outcomes.lock().unwrap().add(outcome(&error), || format!("{seed}: {error}"));
                        }
                    }
                }
            });
        }
    });
    outcomes.into_inner().unwrap()
}

#[test]
fn onnx_graphs_from_the_schemas_load_or_are_refused_in_a_sentence() {
    let files = std::env::var("FACELENS_FUZZ").map_or(60, |text| text.parse().unwrap());
    let used = Mutex::new(BTreeMap::<String, usize>::new());
    let outcomes = run(files, |folder, seed| {
        let bytes = graphs::graph(seed);
        for name in graphs::operators(&bytes) {
            *used.lock().unwrap().entry(name).or_default() += 1;
        }
        onnx::save(folder, "fuzz", &bytes)
    });
    outcomes.tell("ONNX graphs", &used.into_inner().unwrap());
    assert!(outcomes.of("loaded") * 4 > files, "too few of the graphs are valid to show anything");
}
