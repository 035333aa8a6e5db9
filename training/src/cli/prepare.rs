//! `facelens-training prepare`: a published data set as one file of faces.

use std::io::{self, IsTerminal as _, Write as _};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use facelens_base::atomic_file::is_same_file;
use facelens_base::interrupt;
use facelens_core::detect::DetectorKind;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::data::CONTEXT;
use crate::gait::prepare as gait;
use crate::prepare::{self, Listing, Method, PictureStore, Report, Undetected, UsualBox};

/// The most threads that are taken unasked: beyond, the reading is the limit.
const MAX_THREADS: usize = 8;

/// Options of `facelens-training prepare`.
///
/// The app's own detector finds the faces; of several in one image, the large one near the middle is taken. Each is
/// written with a wide margin, from which `train` crops. What is left out is counted in a table on standard output, and
/// the first few of each kind are named on standard error.
#[derive(Debug, Args)]
pub struct PrepareArgs {
    #[command(subcommand)]
    set: DataSet,
}

/// The data sets that can be read.
#[derive(Debug, Subcommand)]
enum DataSet {
    /// FairFace: age bins and gender. As published (folders and fairface_label_train.csv), or tars and a CSV with
    /// file,age_min,age_max,gender.
    #[command(name = "fairface")]
    FairFace {
        #[command(flatten)]
        common: Common,
        /// The CSV.
        #[arg(long, value_name = "FILE")]
        labels: PathBuf,
        /// What to do with images in which the detector finds no face.
        #[arg(long, value_enum, default_value_t)]
        undetected: UndetectedArg,
    },
    /// UTKFace: exact ages and gender. As published (labels in the names of the images), or with a CSV with
    /// file,age,gender.
    #[command(name = "utkface")]
    UtkFace {
        #[command(flatten)]
        common: Common,
        /// The CSV; by default the labels are read from the names of the images.
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        /// Tolerance of the ages in years: each becomes a range, this much to either side.
        #[arg(long, value_name = "YEARS", value_parser = years)]
        age_tolerance: Option<f32>,
        /// What to do with images in which the detector finds no face.
        #[arg(long, value_enum, default_value_t)]
        undetected: UndetectedArg,
    },
    /// IMDB-WIKI: exact ages and gender, from imdb.mat or wiki.mat and the folders with the cropped faces. Images
    /// without a certain face, with a second one, with an unknown gender or an age outside 0 to 100 are left out, as
    /// published.
    #[command(name = "imdb-wiki")]
    ImdbWiki {
        #[command(flatten)]
        common: Common,
        /// imdb.mat or wiki.mat.
        #[arg(long, value_name = "FILE.mat")]
        labels: PathBuf,
        /// Leave out images for which the set's own face detector had a lower score.
        #[arg(long, value_name = "SCORE", default_value_t = prepare::MIN_FACE_SCORE)]
        min_face_score: f64,
    },
    /// MegaAge-Asian: exact ages, from its lists. --images is the folder that holds train and test.
    #[command(name = "megaage-asian")]
    MegaAgeAsian {
        #[command(flatten)]
        common: Common,
        /// list/train_name.txt or list/test_name.txt.
        #[arg(long, value_name = "FILE")]
        labels: PathBuf,
        /// The list of ages; by default the file next to it, list/train_age.txt or list/test_age.txt.
        #[arg(long, value_name = "FILE")]
        ages: Option<PathBuf>,
    },
    /// 300W-LP or AFLW2000-3D: head poses, from the .mat beside each .jpg.
    #[command(name = "300w-lp", alias = "aflw2000")]
    ThreeHundredWLp {
        #[command(flatten)]
        common: Common,
    },
    /// Faces to follow: the images of FairFace's or any CSV with a column `file` and age and gender as FairFace has them, with
    /// the landmarks that the app's detector finds, for `follow train`. Always with `blaze-back`, on one thread.
    #[command(name = "follow")]
    Follow {
        #[command(flatten)]
        common: Common,
        /// The CSV.
        #[arg(long, value_name = "FILE")]
        labels: PathBuf,
    },
    /// OULP-Age: gait energy images with ages and genders, as distributed to those who signed its agreement:
    /// Age_gender_info.csv, GEI_IDList_train.txt, GEI_IDList_test.txt and GEI/<id>.png.
    #[command(name = "oulp-age")]
    OulpAge {
        /// The folder that holds them.
        folder: PathBuf,
        /// Which people.
        #[arg(long, value_enum, default_value_t)]
        people: OulpPeople,
        /// The file to write.
        #[arg(short, long, value_name = "FILE.gaits")]
        output: PathBuf,
    },
    /// Silhouettes as CASIA-B has them, id/condition/view/*.png: strides without ages.
    #[command(name = "silhouettes")]
    Silhouettes {
        /// The folder that holds the ids.
        folder: PathBuf,
        /// Frames per second.
        #[arg(long, value_name = "N", default_value_t = 25.0, value_parser = rate)]
        frames_per_s: f64,
        /// The file to write.
        #[arg(short, long, value_name = "FILE.gaits")]
        output: PathBuf,
    },
    /// Recorded sessions with gait: if the face of a walker was seen, too, its age becomes the label of the gait.
    #[command(name = "sessions")]
    Sessions {
        /// The folders of the sessions.
        #[arg(required = true, num_args = 1..)]
        sessions: Vec<PathBuf>,
        /// The file to write.
        #[arg(short, long, value_name = "FILE.gaits")]
        output: PathBuf,
    },
    /// BIWI: head poses, from the _pose.txt beside each _rgb.png.
    #[command(name = "biwi")]
    Biwi {
        #[command(flatten)]
        common: Common,
    },
    /// Synthetic walkers of exact ages from 2 to 90 years: gait energy images of rendered bodies that walk according to
    /// the published norms for their age and sex.
    Walkers(super::walkers::WalkersArgs),
}

/// What every set needs.
#[derive(Debug, Args)]
struct Common {
    /// Where the images are: folders, and tar archives, read without unpacking.
    #[arg(long, value_name = "DIR|FILE.tar", required = true, num_args = 1..)]
    images: Vec<PathBuf>,

    /// The file to write.
    #[arg(short, long, value_name = "FILE.faces")]
    output: PathBuf,

    /// The face detector: `blaze-back`, `blaze-front` or `seeta`.
    #[arg(long, value_name = "NAME", value_parser = parse_detector, default_value = DetectorKind::ALL[0].name())]
    detector: DetectorKind,

    /// Side of the stored images, in sides of the face's box. A crop of the training with its margins, its rotation and its
    /// shifts should lie inside; smaller is sharper. Of no use for `follow`.
    #[arg(long, value_name = "SIDES", value_parser = context, default_value_t = CONTEXT)]
    context: f32,

    /// Use only the first N labels, for a trial.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Use only each Nth label, from the Kth on: 1/2 and 2/2 are the halves of a set, one to train on and one to keep.
    #[arg(long, value_name = "K/N", value_parser = part)]
    part: Option<(usize, usize)>,

    /// Number of threads that look for faces; the set does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum UndetectedArg {
    /// Leave them out.
    #[default]
    Skip,
    /// Use the place where the face usually is in the images of this set.
    Centre,
}

/// The people of `--people`.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum OulpPeople {
    /// Those to train on.
    #[default]
    Train,
    /// Those to test on.
    Test,
    /// All.
    All,
}

impl UndetectedArg {
    fn with(self, usual: UsualBox) -> Undetected {
        match self {
            Self::Skip => Undetected::Skip,
            Self::Centre => Undetected::Centre(usual),
        }
    }
}

impl DataSet {
    /// The file that it writes, and all that it reads.
    fn files(&self) -> (&Path, Vec<&Path>) {
        let (common, labels): (_, [Option<&PathBuf>; 2]) = match self {
            Self::FairFace { common, labels, .. } | Self::ImdbWiki { common, labels, .. } => {
                (common, [Some(labels), None])
            }
            Self::Follow { common, labels } => (common, [Some(labels), None]),
            Self::UtkFace { common, labels, .. } => (common, [labels.as_ref(), None]),
            Self::MegaAgeAsian { common, labels, ages } => (common, [Some(labels), ages.as_ref()]),
            Self::ThreeHundredWLp { common } | Self::Biwi { common } => (common, [None, None]),
            Self::Walkers(args) => return (&args.output, vec![&args.bodies]),
            Self::OulpAge { folder, output, .. } | Self::Silhouettes { folder, output, .. } => {
                return (output, vec![folder]);
            }
            Self::Sessions { sessions, output } => return (output, sessions.iter().map(PathBuf::as_path).collect()),
        };
        let inputs = common.images.iter().chain(labels.into_iter().flatten()).map(PathBuf::as_path).collect();
        (&common.output, inputs)
    }
}

/// Writes the set and prints the counts.
pub(super) fn run(args: &PrepareArgs) -> anyhow::Result<ExitCode> {
    let (output, inputs) = args.set.files();
    if inputs.into_iter().any(|input| is_same_file(input, output)) {
        bail!("{}: it is an input and cannot be the set; choose another -o", output.display());
    }
    match &args.set {
        DataSet::FairFace { common, labels, undetected } => {
            write(common, undetected.with(prepare::FAIRFACE_BOX), |_| prepare::fairface(labels))
        }
        DataSet::UtkFace { common, labels, age_tolerance, undetected } => {
            write(common, undetected.with(prepare::UTKFACE_BOX), |pictures| {
                let mut listing = prepare::utkface(labels.as_deref(), pictures)?;
                if let Some(years) = age_tolerance {
                    listing.widen_ages(*years);
                }
                Ok(listing)
            })
        }
        DataSet::ImdbWiki { common, labels, min_face_score } => {
            write(common, Undetected::Skip, |_| prepare::imdb_wiki(labels, *min_face_score))
        }
        DataSet::MegaAgeAsian { common, labels, ages } => {
            write(common, Undetected::Skip, |_| prepare::megaage_asian(labels, ages.as_deref()))
        }
        DataSet::ThreeHundredWLp { common } => write(common, Undetected::Skip, prepare::three_hundred_w_lp),
        DataSet::Follow { common, labels } => follow(common, labels),
        DataSet::Biwi { common } => write(common, Undetected::Skip, prepare::biwi),
        DataSet::Walkers(args) => super::walkers::run(args),
        DataSet::OulpAge { folder, people, output } => {
            let part = match people {
                OulpPeople::Train => gait::OulpPart::Train,
                OulpPeople::Test => gait::OulpPart::Test,
                OulpPeople::All => gait::OulpPart::All,
            };
            tell_gait(&gait::oulp_age(folder, part, output)?, output)
        }
        DataSet::Silhouettes { folder, frames_per_s, output } => {
            tell_gait(&gait::silhouettes(folder, *frames_per_s, output)?, output)
        }
        DataSet::Sessions { sessions, output } => tell_gait(&gait::sessions(sessions, output)?, output),
    }
}

/// Names what is left out of a gait set on standard error, and prints the counts.
fn tell_gait(report: &gait::GaitReport, output: &Path) -> anyhow::Result<ExitCode> {
    for line in &report.named {
        tracing::warn!("{line}");
    }
    write!(io::stdout(), "{}\n{report}", output.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a follow set.
fn follow(args: &Common, labels: &Path) -> anyhow::Result<ExitCode> {
    if args.detector != DetectorKind::BlazeBack {
        bail!("faces to follow are found by blaze-back, whose landmarks they need; leave --detector out");
    }
    let stop = interrupt::flag();
    let pictures = PictureStore::open(&args.images)?;
    let mut listing = prepare::fairface(labels)?;
    args.choose(&mut listing);
    let bar = progress_bar(listing.samples.len());
    let report = crate::follow::prepare(&listing, &pictures, &args.output, stop, |_| bar.inc(1));
    bar.finish_and_clear();
    let Some(report) = report? else {
        tracing::warn!("interrupted: {} was not written", args.output.display());
        return Ok(interrupt::exit_code());
    };
    tell(&report, &args.output)?;
    Ok(ExitCode::SUCCESS)
}

impl Common {
    /// Leaves those labels that are asked for.
    fn choose(&self, listing: &mut Listing) {
        if let Some((which, of)) = self.part {
            listing.keep_part(which, of);
        }
        if let Some(limit) = self.limit {
            listing.truncate(limit);
        }
    }
}

fn write(
    args: &Common,
    undetected: Undetected,
    read: impl FnOnce(&PictureStore) -> Result<Listing, prepare::PrepareError>,
) -> anyhow::Result<ExitCode> {
    let stop = interrupt::flag();
    let pictures = PictureStore::open(&args.images)?;
    let mut listing = read(&pictures)?;
    args.choose(&mut listing);
    let cores = || std::thread::available_parallelism().map_or(NonZero::<usize>::MIN, |cores| cores);
    let most = NonZero::new(MAX_THREADS).unwrap_or(NonZero::<usize>::MIN);
    let threads = args.threads.unwrap_or_else(|| cores().min(most));
    let method = Method { detector: args.detector, undetected, context: args.context, threads };

    let bar = progress_bar(listing.samples.len());
    let report = prepare::prepare(&listing, &pictures, &method, &args.output, stop, |report| {
        bar.inc(1);
        // The text is made at most as often as the bar is drawn on an idle machine.
        if bar.position().is_multiple_of(16) {
            bar.set_message(format!("{} faces, {} left out", report.written, report.left_out()));
        }
    });
    bar.finish_and_clear();
    let Some(report) = report? else {
        tracing::warn!("interrupted: {} was not written", args.output.display());
        return Ok(interrupt::exit_code());
    };
    tell(&report, &args.output)?;
    Ok(ExitCode::SUCCESS)
}

/// Names what is left out on standard error, and prints the counts.
fn tell(report: &Report, output: &Path) -> io::Result<()> {
    for left_out in report.named() {
        let words = left_out.reason.words();
        match left_out.detail.as_str() {
            "" => tracing::warn!("{}: {words}", left_out.name),
            detail => tracing::warn!("{}: {words}: {detail}", left_out.name),
        }
    }
    let mut stdout = io::stdout().lock();
    match write!(stdout, "{}\n{}", output.display(), report.table()).and_then(|()| stdout.flush()) {
        // The reader has gone; the set is there.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        done => done,
    }
}

/// A bar on standard error, hidden where that is no terminal.
fn progress_bar(pictures: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(pictures as u64), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} images, {per_sec}, {eta} left; {msg}") {
        bar.set_style(style);
    }
    bar
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: Result<f64, _> = text.parse();
    rate.ok().filter(|rate| (1.0..=240.0).contains(rate)).ok_or_else(|| "expected a number from 1 to 240".to_owned())
}

fn years(text: &str) -> Result<f32, String> {
    let years: Result<f32, _> = text.parse();
    years.ok().filter(|years| (0.0..=50.0).contains(years)).ok_or_else(|| "expected a number from 0 to 50".to_owned())
}

fn context(text: &str) -> Result<f32, String> {
    let sides: Result<f32, _> = text.parse();
    sides.ok().filter(|sides| (1.0..=4.0).contains(sides)).ok_or_else(|| "expected a number from 1 to 4".to_owned())
}

pub(super) fn part(text: &str) -> Result<(usize, usize), String> {
    let parts = text.split_once('/').and_then(|(which, of)| Some((which.parse().ok()?, of.parse().ok()?)));
    parts
        .filter(|(which, of)| (1..=*of).contains(which))
        .ok_or_else(|| "expected two numbers, as in 1/2: which part, and how many there are".to_owned())
}

fn parse_detector(text: &str) -> Result<DetectorKind, String> {
    DetectorKind::ALL
        .into_iter()
        .find(|kind| kind.name() == text)
        .ok_or_else(|| format!("there is no detector `{text}`; there are blaze-back, blaze-front and seeta"))
}
