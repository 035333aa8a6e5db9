//! `facelens bench`: what each network, each stage and whole frames cost on this machine.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use facelens_base::interrupt;
use facelens_import::Sandbox;
use frames::FrameFigures;
use layers::NetLayers;
use live::{LiveFigures, StartFigures};
use nets::NetFigures;
use peer::Peer;
use scene::BenchScene;
use serde::Serialize;
use stages::StageFigures;

use super::batch::parse_seconds;
use super::chart::ChartFile;
use super::eval::align;
use super::{ModelArgs, one_of, output};

mod chart;
mod frames;
mod layers;
mod live;
mod nets;
#[cfg(feature = "bench-ort")]
mod onnx_runtime;
mod peer;
mod process;
mod processor;
mod scene;
mod stages;
mod statistics;

/// Options of `facelens bench`.
///
/// All but the live pipeline runs sequentially on one frame at a time. Build in release: a debug build is
/// several times slower.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// One JSON document instead of tables.
    #[arg(long)]
    pub json: bool,

    /// What to measure; `start` always comes first, `layers` is where each network's time goes, operator by operator.
    #[arg(long, value_name = "PART,...", value_delimiter = ',', default_value = "nets,stages,frames,live",
          value_parser = one_of(&BenchPart::ALL, BenchPart::name))]
    pub parts: Vec<BenchPart>,

    /// Sizes of the drawn frames and of the images for the stages.
    #[arg(long, value_name = "WxH,...", value_delimiter = ',', default_value = "640x480,1280x720,1920x1080",
          value_parser = parse_size)]
    pub sizes: Vec<(u32, u32)>,

    /// Numbers of faces in the drawn frames.
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1,2,4,8",
          value_parser = clap::value_parser!(u32).range(0..=64))]
    pub faces: Vec<u32>,

    /// Measure whole frames on the images of this folder, forwards and backwards, instead of drawn ones.
    #[arg(long, value_name = "FOLDER")]
    pub pictures: Vec<PathBuf>,

    /// How long each whole-frame case and the live pipeline run; each network and stage gets a quarter of it.
    #[arg(long, value_name = "N", default_value = "1", value_parser = parse_seconds)]
    pub seconds_per_case: Duration,

    /// Draw what whole frames cost, by faces and size.
    #[arg(long, value_name = "FILE.svg|FILE.png", value_parser = OsStringValueParser::new().try_map(ChartFile::try_from))]
    pub chart: Option<ChartFile>,

    /// Measure nothing: write the drawn frames as PNG into this folder, 60 of each size and number of faces.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["json", "pictures"])]
    pub draw: Option<PathBuf>,

    /// Options about models.
    #[command(flatten)]
    pub models: ModelArgs,
}

/// What can be measured by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BenchPart {
    /// Loading everything and the first frame. It comes before all others, named or not.
    Start,
    /// Each network.
    Nets,
    /// Each operator of each network.
    Layers,
    /// The steps around the analysis.
    Stages,
    /// Whole frames.
    Frames,
    /// The live pipeline.
    Live,
}

impl BenchPart {
    const ALL: [Self; 6] = [Self::Start, Self::Nets, Self::Layers, Self::Stages, Self::Frames, Self::Live];

    const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Nets => "nets",
            Self::Layers => "layers",
            Self::Stages => "stages",
            Self::Frames => "frames",
            Self::Live => "live",
        }
    }
}

/// The whole result. What was not asked for is empty or missing.
#[derive(Debug, Serialize)]
struct BenchReport {
    /// The program's version.
    version: &'static str,
    /// The processor and its vector extensions.
    processor: String,
    detector: &'static str,
    start: StartFigures,
    nets: Vec<NetFigures>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    layers: Vec<NetLayers>,
    stages: Vec<StageFigures>,
    frames: Vec<FrameFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<LiveFigures>,
}

/// Measures and prints on standard output.
pub(super) fn run(args: &BenchArgs, sandbox: &Sandbox) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.draw {
        return draw(args, folder);
    }
    if let Some(chart) = &args.chart {
        if !args.parts.contains(&BenchPart::Frames) || !args.pictures.is_empty() {
            return Err(output::usage(
                "--chart shows whole drawn frames; add `frames` to --parts, leave --pictures out",
            ));
        }
        chart.check_folder()?;
    }
    let stop = interrupt::flag();
    if cfg!(debug_assertions) {
        output::note("this is a debug build; the times say little");
    }
    let (detector, time) = (args.models.detector(), args.seconds_per_case);
    let (start, models) = live::start(detector, || args.models.load(sandbox))?;
    let mut report = BenchReport {
        version: env!("FACELENS_VERSION"),
        processor: processor::words(),
        detector: detector.name(),
        start,
        nets: Vec::new(),
        layers: Vec::new(),
        stages: Vec::new(),
        frames: Vec::new(),
        live: None,
    };
    let wants = |part| args.parts.contains(&part) && !stop.load(Ordering::SeqCst);
    if wants(BenchPart::Nets) {
        report.nets = nets::measure(&models, &mut Peer::load(&args.models.model, sandbox), time / 4)?;
    }
    if wants(BenchPart::Layers) {
        report.layers = layers::measure(&models)?;
    }
    for &size in args.sizes.iter().filter(|_| wants(BenchPart::Stages)) {
        report.stages.extend(stages::measure(size, detector, time / 4)?);
    }
    for case in cases(args) {
        if wants(BenchPart::Frames) {
            let figures = frames::measure(&mut case()?, detector, &models, time, stop)?;
            figures.doubt().into_iter().for_each(output::note);
            report.frames.push(figures);
        }
    }
    if wants(BenchPart::Live) {
        report.live = Some(live::live(detector, &models, time.max(Duration::from_secs(3)))?);
    }
    if stop.load(Ordering::SeqCst) {
        return Ok(interrupt::exit_code());
    }
    if let Some(file) = &args.chart {
        file.write(&chart::scene(&report.frames, &report.processor))?;
    }
    if args.json {
        output::print(&format!("{}\n", serde_json::to_string(&report)?))?;
    } else {
        output::print(&tables(&report))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The whole-frame cases, each made when its turn comes.
fn cases(args: &BenchArgs) -> Vec<Box<dyn Fn() -> anyhow::Result<BenchScene> + '_>> {
    if !args.pictures.is_empty() {
        return args.pictures.iter().map(|folder| Box::new(move || BenchScene::pictures(folder)) as _).collect();
    }
    let cases = args.sizes.iter().flat_map(|&size| args.faces.iter().map(move |&faces| (size, faces)));
    cases.map(|(size, faces)| Box::new(move || BenchScene::drawn(size, faces)) as _).collect()
}

fn draw(args: &BenchArgs, folder: &std::path::Path) -> anyhow::Result<ExitCode> {
    for &size in &args.sizes {
        for &faces in &args.faces {
            output::print(&format!("{}\n", scene::write(folder, size, faces)?.display()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn tables(report: &BenchReport) -> String {
    let mut text = format!("{}\n{}\n", report.processor, report.start.words());
    if !report.nets.is_empty() {
        let rows = [NetFigures::titles()].into_iter().chain(report.nets.iter().map(NetFigures::cells));
        text += &format!("\nNetworks, one call on one thread:\n\n{}", align(&rows.collect::<Vec<_>>()));
    }
    for layers in &report.layers {
        text += &format!("\nOperators of {}, medians:\n\n{}", layers.name(), align(&layers.rows()));
    }
    if !report.stages.is_empty() {
        let rows = StageFigures::rows(&report.stages);
        text += &format!("\nStages, two faces, medians in milliseconds:\n\n{}", align(&rows));
    }
    if !report.frames.is_empty() {
        let rows = [FrameFigures::titles()].into_iter().chain(report.frames.iter().map(FrameFigures::cells));
        text += &format!(
            "\nWhole frames, detector {}, milliseconds; stages are means over the frames:\n\n{}",
            report.detector,
            align(&rows.collect::<Vec<_>>())
        );
        text.extend(FrameFigures::further_faces(&report.frames).map(|words| format!("\n{words}\n")));
    }
    if let Some(live) = &report.live {
        text += &format!("\n{}\n", live.words());
    }
    text
}

fn parse_size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let (width, height): (u32, u32) = sides.ok_or("expected WIDTHxHEIGHT, e.g. 640x480")?;
    if !(64..=8192).contains(&width) || !(64..=8192).contains(&height) || width % 2 + height % 2 > 0 {
        return Err("both sides must be even and from 64 to 8192 pixels".to_owned());
    }
    Ok((width, height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert_eq!(parse_size("640x480"), Ok((640, 480)));
        for wrong in ["640", "640x", "641x480", "0x0", "99999x480", "axb"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
