//! `facelens bench`: what each network and each stage of a frame costs on this machine.

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use super::analyze::parse_seconds;
use super::eval::align;
use super::{ModelArgs, interrupt, output};
use frames::FrameFigures;
use nets::NetFigures;
use peer::Peer;

mod cpu;
mod frames;
mod nets;
#[cfg(feature = "bench-ort")]
mod onnx_runtime;
mod peer;

/// Options of `facelens bench`.
///
/// Everything runs on one thread, one face after the other. Build in release: a debug build is several times slower.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// One JSON document instead of tables.
    #[arg(long)]
    pub json: bool,

    /// How long each of the six whole-frame cases runs; each network gets a quarter of it.
    #[arg(long, value_name = "N", default_value = "2", value_parser = parse_seconds)]
    pub seconds_per_case: Duration,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// The whole result.
#[derive(Debug, Serialize)]
struct Report {
    /// Threads that were used.
    threads: u32,
    nets: Vec<NetFigures>,
    frames: Vec<FrameFigures>,
}

/// Measures and prints on standard output.
pub(super) fn run(args: &BenchArgs) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    if cfg!(debug_assertions) {
        output::note("this is a debug build; the times say little");
    }
    let models = args.models.load()?;
    let detector = args.models.detector();
    let nets = nets::measure(&models, &mut Peer::load(&args.models.model), args.seconds_per_case / 4)?;
    let mut frames = Vec::new();
    for size in frames::SIZES {
        for faces in frames::FACES {
            if stop.load(std::sync::atomic::Ordering::SeqCst) {
                return Ok(interrupt::exit_code());
            }
            let figures = frames::measure(size, faces, detector, &models, args.seconds_per_case)?;
            if let Some(doubt) = figures.doubt() {
                output::note(doubt);
            }
            frames.push(figures);
        }
    }
    let report = Report { threads: 1, nets, frames };
    if args.json {
        output::print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        output::print(&tables(&report, detector.name()))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn tables(report: &Report, detector: &str) -> String {
    let mut nets = vec![NetFigures::titles()];
    nets.extend(report.nets.iter().map(NetFigures::cells));
    let mut frames = vec![FrameFigures::titles()];
    frames.extend(report.frames.iter().map(FrameFigures::cells));
    format!(
        "One thread, medians.\n\n{}\nWhole frames, detector {detector}, milliseconds per stage:\n\n{}",
        align(&nets),
        align(&frames)
    )
}

/// The middle value, to a thousandth; 0 of no value.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let value = match (values.len(), values.get(values.len() / 2)) {
        (_, None) => 0.0,
        (count, Some(upper)) if count % 2 == 0 => (values[count / 2 - 1] + upper) / 2.0,
        (_, Some(middle)) => *middle,
    };
    (value * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![]), 0.0);
    }
}
