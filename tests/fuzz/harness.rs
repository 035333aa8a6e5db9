//! Runs a parser on damaged inputs and counts what becomes of them.

use std::cell::{Cell, RefCell};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::mutate::{Random, damaged};

/// Damaged inputs a parser gets where `FACELENS_FUZZ` does not say how many: enough for every change, in seconds.
const USUAL_INPUTS: usize = 200;

/// No input may take longer.
const SLOWEST: Duration = Duration::from_secs(60);

/// No input may take more memory: the whole program's address space.
#[cfg(target_os = "linux")]
const MAX_MEMORY_BYTES: u64 = 4 << 30;

/// What a parser is tried with.
pub struct Target<'a> {
    /// Its name, which is the seed as well.
    pub name: &'a str,
    /// Small inputs that it takes.
    pub corpus: Vec<Vec<u8>>,
    /// Words of its format.
    pub words: &'a [&'a [u8]],
    /// Makes checksums right again in every second input, so that it does not all end there.
    pub repair: Option<fn(&mut [u8])>,
    /// It gets every so many-th of the inputs that fast parsers get.
    pub cost: usize,
}

thread_local! {
    static FUZZING: Cell<bool> = const { Cell::new(false) };
    /// Where the panics of this thread were since they were last asked for.
    static PANICS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn prepare() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |info| {
            if !FUZZING.get() {
                return usual(info);
            }
            let place = info.location().map_or(String::new(), |at| format!("{}:{}", at.file(), at.line()));
            PANICS.with_borrow_mut(|panics| panics.push(place));
        }));
        #[cfg(target_os = "linux")]
        {
            use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
            let maximum = getrlimit(Resource::As).maximum;
            setrlimit(Resource::As, Rlimit { current: Some(MAX_MEMORY_BYTES), maximum }).unwrap();
        }
    });
}

/// Whether a panic was in facelens itself: its own files are named from the folder of the project.
fn is_own(place: &str) -> bool {
    !Path::new(place).is_absolute()
}

/// Tries `parse`, which says whether it took an input, on the corpus as it is, and then on damaged inputs. Nothing may
/// panic in facelens itself, even where the panic is caught; nothing may take a minute or gigabytes.
///
/// The last input lies in `target/tmp/fuzz/NAME`, also after a crash.
#[expect(clippy::print_stdout, reason = "the counts are what a long run is for")]
pub fn fuzz(target: &Target<'_>, parse: impl Fn(&[u8]) -> bool) {
    prepare();
    let last: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz").join(target.name);
    fs::create_dir_all(last.parent().unwrap()).unwrap();
    for input in &target.corpus {
        assert!(parse(input), "{}: a whole input is refused: {}", target.name, input.escape_ascii());
    }
    let inputs = std::env::var("FACELENS_FUZZ").map_or(USUAL_INPUTS, |text| text.parse().unwrap());
    let inputs = inputs.div_ceil(target.cost);
    let watched = watch(last.clone());
    let (mut taken, mut caught, mut slowest) = (0, 0, Duration::ZERO);
    for number in 0..inputs {
        let name = target.name.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
        let mut random = Random(name ^ ((number as u64) << 20));
        let mut input = damaged(&mut random, &target.corpus, target.words);
        if let Some(repair) = target.repair.filter(|_| random.below(2) == 0) {
            repair(&mut input);
        }
        fs::write(&last, &input).unwrap();
        let begun = Instant::now();
        FUZZING.set(true);
        let result = catch_unwind(AssertUnwindSafe(|| parse(&input)));
        FUZZING.set(false);
        let panics = PANICS.take();
        let own: Vec<_> = panics.iter().filter(|place| is_own(place)).collect();
        assert!(
            result.is_ok() && own.is_empty(),
            "{}, input {number} (kept in {}): a panic at {panics:?}",
            target.name,
            last.display()
        );
        caught += usize::from(!panics.is_empty());
        taken += usize::from(result.unwrap_or_default());
        slowest = slowest.max(begun.elapsed());
        watched();
    }
    println!(
        "fuzz: {:<16} {inputs:>8} inputs, {taken:>8} taken, {:>8} refused, {caught:>6} panics of libraries caught, \
         slowest {:>6} ms",
        target.name,
        inputs - taken,
        slowest.as_millis()
    );
}

/// Ends the program where an input takes too long. To be called after each.
#[expect(clippy::print_stderr, reason = "the test cannot fail otherwise: its thread does not come back")]
fn watch(last: PathBuf) -> impl Fn() {
    let (done, dones) = channel();
    thread::spawn(move || {
        loop {
            match dones.recv_timeout(SLOWEST) {
                Ok(()) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    eprintln!("fuzz: an input takes more than {} s: {}", SLOWEST.as_secs(), last.display());
                    std::process::abort();
                }
            }
        }
    });
    move || done.send(()).unwrap_or_default()
}

/// A file of this content in a folder of its own, for parsers that read files.
pub struct InputFile {
    folder: tempfile::TempDir,
    name: &'static str,
}

impl InputFile {
    /// A file of this name, which is not there yet.
    pub fn new(name: &'static str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), name }
    }

    /// The file with this content.
    pub fn holding(&self, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(self.name);
        fs::write(&path, content).unwrap();
        path
    }
}
