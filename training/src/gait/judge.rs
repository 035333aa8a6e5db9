//! What of a gait model's answers may be shown, judged on real walkers whose ages nobody knows.
//!
//! A network that was trained on drawn walkers may do well on drawn walkers and say nothing of real ones. What can be told without
//! ages: the same walker must not be of another age in the next stride, from the other side or by another way of cutting
//! silhouettes out, and no grown person may be called a child. Passing that proves no age right; failing proves it wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use facelens_gait::{GaitAgeModel, Gei, Shows, Stage};
use serde::Serialize;

use super::figures::GaitFigures;

/// Largest difference of the years of one walker.
pub const WALKER_YEARS: f32 = 6.0;
/// Largest difference to the mirror image, years.
pub const MIRROR_YEARS: f32 = 3.0;
/// Least share of true ages in the 80 % range, on drawn walkers that the network did not learn from.
pub const LEAST_COVERAGE: f64 = 0.75;
/// Least share of strides of which a stage must be named, to be worth a place on the screen.
pub const LEAST_NAMED: f32 = 0.5;

/// A gait energy image of a real walker.
#[derive(Clone, Debug)]
pub struct WalkerImage {
    /// Its file, for messages.
    pub name: String,
    /// Who it is; the same in all clips.
    pub walker: String,
    /// How its silhouettes were cut out; empty where all were in one way.
    pub source: String,
    /// Whether the walker is grown up, by what people see.
    pub grown: bool,
    /// The image.
    pub gei: Gei,
}

/// One demand.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// What is demanded, in words.
    pub demand: String,
    /// What was found, in words.
    pub found: String,
    /// Whether it is met; `None` where nothing was there to tell.
    pub passed: Option<bool>,
}

/// What was judged.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Judgement {
    /// Images and walkers.
    pub images: usize,
    /// Walkers.
    pub walkers: usize,
    /// Before years may be shown.
    pub age: Vec<Gate>,
    /// Before a stage may be shown.
    pub stage: Vec<Gate>,
    /// What may be shown.
    pub shows: Shows,
}

/// What a model says of an image.
struct GaitPrediction<'a> {
    image: &'a WalkerImage,
    years: f32,
    stage: Stage,
    mirrored_years: f32,
    mirrored_stage: Stage,
}

/// Judges a model on real walkers, and by its figures on drawn ones where there are some.
///
/// # Errors
/// Words where the network fails.
pub fn judge(
    model: &GaitAgeModel,
    images: &[WalkerImage],
    held_out: Option<&GaitFigures>,
) -> Result<Judgement, String> {
    let said = images.iter().map(|image| {
        let there = model.answer(&image.gei)?.age;
        let mirrored = model.answer(&image.gei.mirrored())?.age;
        Ok(GaitPrediction {
            image,
            years: there.years,
            stage: there.stage,
            mirrored_years: mirrored.years,
            mirrored_stage: mirrored.stage,
        })
    });
    let said: Vec<GaitPrediction<'_>> =
        said.collect::<Result<_, facelens_gait::AgeError>>().map_err(|error| error.to_string())?;
    let mut walkers: BTreeMap<&str, Vec<&GaitPrediction<'_>>> = BTreeMap::new();
    for one in &said {
        walkers.entry(&one.image.walker).or_default().push(one);
    }
    let mut age = age_gates(&said, &walkers, held_out);
    let mut stage = stage_gates(&said, &walkers);
    if model.card().mirrored {
        // Passed, but it proves nothing of the network.
        for gate in [&mut age[1], &mut stage[1]] {
            gate.found += ", as the model averages both sides";
        }
    }
    let all = |gates: &[Gate]| gates.iter().all(|gate| gate.passed == Some(true));
    let shows = if all(&age) && all(&stage) {
        Shows::Age
    } else if all(&stage) {
        Shows::Stage
    } else {
        Shows::Measures
    };
    Ok(Judgement { images: said.len(), walkers: walkers.len(), age, stage, shows })
}

/// Difference of the largest and the smallest.
fn spread(values: impl Iterator<Item = f32> + Clone) -> f32 {
    values.clone().fold(f32::MIN, f32::max) - values.fold(f32::MAX, f32::min)
}

fn age_gates(
    said: &[GaitPrediction<'_>],
    walkers: &BTreeMap<&str, Vec<&GaitPrediction<'_>>>,
    held_out: Option<&GaitFigures>,
) -> Vec<Gate> {
    let mut spreads: Vec<(f32, &str)> = walkers
        .iter()
        .filter(|(_, own)| own.len() > 1)
        .map(|(name, own)| (spread(own.iter().map(|one| one.years)), *name))
        .collect();
    spreads.sort_by(|a, b| a.0.total_cmp(&b.0));
    let within = spreads.iter().filter(|(spread, _)| *spread <= WALKER_YEARS).count();
    let walker = Gate {
        demand: format!("the same walker within {WALKER_YEARS} years over all strides"),
        found: match (spreads.get(spreads.len() / 2), spreads.last()) {
            (Some((middle, _)), Some((worst, name))) => format!(
                "{within} of {} walkers; the middle one spreads over {middle:.1} years, the worst ({name}) over {worst:.1}",
                spreads.len()
            ),
            _ => "no walker with two strides".to_owned(),
        },
        passed: (!spreads.is_empty()).then_some(within == spreads.len()),
    };
    let worst = said.iter().map(|one| (one.years - one.mirrored_years).abs()).fold(0.0, f32::max);
    let mirror = Gate {
        demand: format!("the mirror image within {MIRROR_YEARS} years"),
        found: format!("{worst:.1} years at most"),
        passed: (!said.is_empty()).then_some(worst <= MIRROR_YEARS),
    };
    let sources = by_source(walkers, |own| own.iter().map(|one| one.years).sum::<f32>() / own.len() as f32);
    let apart = sources.iter().map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    let source = Gate {
        demand: format!("silhouettes segmented in two ways within {WALKER_YEARS} years"),
        found: if sources.is_empty() {
            "no walker was segmented in two ways".to_owned()
        } else {
            format!("{apart:.1} years at most, of {} walkers", sources.len())
        },
        passed: (!sources.is_empty()).then_some(apart <= WALKER_YEARS),
    };
    let coverage = held_out.and_then(|figures| figures.coverage);
    let better = held_out.and_then(|figures| Some(figures.mae? < figures.mean_mae?));
    let drawn = Gate {
        demand: format!("drawn walkers: {:.0} % in the 80 % range, closer than the mean", LEAST_COVERAGE * 100.0),
        found: held_out.map_or_else(|| "no set was given".to_owned(), ToString::to_string),
        passed: coverage.zip(better).map(|(coverage, better)| coverage >= LEAST_COVERAGE && better),
    };
    vec![walker, mirror, source, grown_gate(said), drawn]
}

fn stage_gates(said: &[GaitPrediction<'_>], walkers: &BTreeMap<&str, Vec<&GaitPrediction<'_>>>) -> Vec<Gate> {
    let contradicts = |stages: &mut dyn Iterator<Item = Stage>| {
        let mut named = stages.filter(|stage| *stage != Stage::Unsure);
        let first = named.next();
        named.any(|stage| Some(stage) != first)
    };
    let several: Vec<_> = walkers.values().filter(|own| own.len() > 1).collect();
    let torn = several.iter().filter(|own| contradicts(&mut own.iter().map(|one| one.stage))).count();
    let walker = Gate {
        demand: "no walker of two stages".to_owned(),
        found: format!("{torn} of {} walkers", several.len()),
        passed: (!several.is_empty()).then_some(torn == 0),
    };
    let turned = said.iter().filter(|one| contradicts(&mut [one.stage, one.mirrored_stage].into_iter())).count();
    let mirror = Gate {
        demand: "no other stage in the mirror".to_owned(),
        found: format!("{turned} of {} images", said.len()),
        passed: (!said.is_empty()).then_some(turned == 0),
    };
    let sources = by_source(walkers, |own| own.iter().map(|one| one.stage).collect::<Vec<_>>());
    let apart = sources.iter().filter(|(a, b)| contradicts(&mut a.iter().chain(b).copied())).count();
    let source = Gate {
        demand: "no other stage with silhouettes segmented in another way".to_owned(),
        found: if sources.is_empty() {
            "no walker was segmented in two ways".to_owned()
        } else {
            format!("{apart} of {} walkers", sources.len())
        },
        passed: (!sources.is_empty()).then_some(apart == 0),
    };
    let named = said.iter().filter(|one| one.stage != Stage::Unsure).count();
    let enough = Gate {
        demand: format!("a stage named for {:.0} % of the strides", LEAST_NAMED * 100.0),
        found: format!("{named} of {}", said.len()),
        passed: (!said.is_empty()).then_some(named as f32 >= LEAST_NAMED * said.len() as f32),
    };
    vec![walker, mirror, source, grown_gate(said), enough]
}

fn grown_gate(said: &[GaitPrediction<'_>]) -> Gate {
    let grown: Vec<_> = said.iter().filter(|one| one.image.grown).collect();
    let children: Vec<_> = grown.iter().filter(|one| one.stage == Stage::Child).collect();
    let example = children.first().map(|one| format!(", {} for one", one.image.name)).unwrap_or_default();
    Gate {
        demand: "no grown person called a child".to_owned(),
        found: format!("{} of {} strides{example}", children.len(), grown.len()),
        passed: (!grown.is_empty()).then_some(children.is_empty()),
    }
}

/// Of each walker with silhouettes of two sources, `value` of each.
fn by_source<T>(
    walkers: &BTreeMap<&str, Vec<&GaitPrediction<'_>>>,
    value: impl Fn(&[&GaitPrediction<'_>]) -> T,
) -> Vec<(T, T)> {
    let mut pairs = Vec::new();
    for own in walkers.values() {
        let mut sources: BTreeMap<&str, Vec<&GaitPrediction<'_>>> = BTreeMap::new();
        for one in own {
            sources.entry(&one.image.source).or_default().push(one);
        }
        let mut sources = sources.values();
        if let (Some(first), Some(second)) = (sources.next(), sources.next()) {
            pairs.push((value(first), value(second)));
        }
    }
    pairs
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} images of {} walkers", self.images, self.walkers)?;
        for (title, gates) in [("before years are shown", &self.age), ("before a stage is shown", &self.stage)] {
            writeln!(f, "{title}:")?;
            for gate in gates {
                let mark = match gate.passed {
                    Some(true) => "passed",
                    Some(false) => "FAILED",
                    None => "not judged",
                };
                writeln!(f, "  {mark:<10}  {}: {}", gate.demand, gate.found)?;
            }
        }
        let shows = match self.shows {
            Shows::Age => "age",
            Shows::Stage => "stage",
            Shows::Measures => "measures",
        };
        writeln!(f, "shows = \"{shows}\"")
    }
}

/// What a folder of images is called where there is no table: `CLIP-WALKER-NUMBER.png`, as `facelens gait --gei` writes them. The
/// walker is named by both.
pub fn walker_of(file: &Path) -> Option<String> {
    let stem = file.file_stem()?.to_str()?;
    let (walker, number) = stem.rsplit_once('-')?;
    let (clip, id) = walker.rsplit_once('-')?;
    let numbers = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (numbers(number) && numbers(id) && !clip.is_empty()).then(|| walker.to_owned())
}

#[cfg(test)]
mod tests {
    use facelens_core::model::sha256_hex;
    use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, GaitCard, GaitGender, GaitTask, OrdinalAge, OrdinalKind};
    use facelens_import::net::gl_cnn::{AgeHead, GenderHead, GlCnnParts, GlCnnWeights};
    use facelens_import::net::{Affine, Tensor};

    use super::*;

    /// A network whose score is the brightness in the upper left corner of the image, 0 to 100 years.
    fn model(mirrored: bool) -> GaitAgeModel {
        let layer = |shape: &[usize], value: &dyn Fn(usize) -> f32| Affine {
            kernel: Tensor::from_fn(shape, value),
            bias: Tensor::from_fn(&shape[..1], |_| 0.0),
        };
        // The middle of the window lets the pixel through.
        let middle = |window: usize| move |i: usize| if i == window / 2 { 1.0 } else { 0.0 };
        let none = |_: usize| 0.0;
        let net = GlCnnWeights {
            parts: GlCnnParts::Shared,
            global: [layer(&[1, 1, 7, 7], &middle(49)), layer(&[1, 1, 7, 7], &middle(49))],
            local: vec![[layer(&[1, 1, 7, 7], &none), layer(&[1, 1, 5, 7], &none)]],
            joined: layer(&[1, 2, 5, 5], &middle(25)),
            hidden: [
                layer(&[2, 40], &|i| if i == 0 { 1.0 } else { 0.0 }),
                layer(&[2, 2], &|i| if i == 0 { 1.0 } else { 0.0 }),
            ],
            // Sharp answers: 100 years of brightness, the thresholds in the middle of each.
            age: AgeHead::Ordered {
                score: layer(&[2, 2], &|i| if i == 0 { 4000.0 } else { 0.0 }),
                thresholds: Tensor::from_fn(&[100], |k| 40.0 * (k as f32 + 0.5)),
            },
            gender: GenderHead::Chance(layer(&[1, 2], &none)),
        };
        let onnx = net.to_onnx().unwrap();
        let words = || "a test".to_owned();
        let card = GaitCard {
            name: "corner".into(),
            task: GaitTask::Gait,
            file: "corner.onnx".into(),
            sha256: sha256_hex(&onnx),
            source: words(),
            licence: words(),
            training_data: words(),
            shows: Shows::Measures,
            least_mass: 0.7,
            mirrored,
            output: OrdinalAge {
                kind: OrdinalKind::OrdinalAge,
                questions: 100,
                offset_years: 0.0,
                gender: GaitGender::MaleChance,
            },
            accuracy: Vec::new(),
            notes: String::new(),
        };
        GaitAgeModel::prepare(card, &onnx, Path::new("corner.onnx")).unwrap()
    }

    /// An image of this many years on the left and on the right.
    fn image(walker: &str, source: &str, left: f32, right: f32) -> WalkerImage {
        let level = |years: f32| (years * 2.55).round() as u8;
        let grey: Vec<u8> =
            (0..GEI_WIDTH * GEI_HEIGHT).map(|i| level(if i % GEI_WIDTH < 22 { left } else { right })).collect();
        WalkerImage {
            name: format!("{walker}.png"),
            walker: walker.into(),
            source: source.into(),
            grown: true,
            gei: Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap(),
        }
    }

    fn drawn() -> GaitFigures {
        GaitFigures { ages: 10, mae: Some(4.0), mean_mae: Some(20.0), coverage: Some(0.8), ..GaitFigures::default() }
    }

    fn passed(gates: &[Gate]) -> Vec<Option<bool>> {
        gates.iter().map(|gate| gate.passed).collect()
    }

    #[test]
    fn what_holds_is_shown() {
        let both = |years: f32, source| image("a-1", source, years, years);
        let images = [both(40.0, "blazepose"), both(44.0, "background"), image("a-2", "blazepose", 30.0, 31.0)];
        let found = judge(&model(false), &images, Some(&drawn())).unwrap();
        assert_eq!((found.images, found.walkers, found.shows), (3, 2, Shows::Age));
        assert!(found.age[0].found.contains("the worst (a-1) over 4."), "{found}");
        // Without the second source nothing is proved.
        let found = judge(&model(false), &images[1..], Some(&drawn())).unwrap();
        assert_eq!(found.shows, Shows::Measures);
        assert_eq!(passed(&found.age), [None, Some(true), None, Some(true), Some(true)]);
        assert!(found.to_string().contains("not judged"), "{found}");
        assert!(found.to_string().ends_with("shows = \"measures\"\n"), "{found}");
    }

    #[test]
    fn each_demand_fails_for_its_own_reason() {
        let fails = |images: &[WalkerImage], held_out: &GaitFigures| {
            let found = judge(&model(false), images, Some(held_out)).unwrap();
            (passed(&found.age), passed(&found.stage), found.shows)
        };
        let pair = |a: f32, b: f32| [image("a-1", "x", a, a), image("a-1", "y", b, b)];
        let yes = Some(true);
        let no = Some(false);
        // Two ages of one walker, of one stage.
        let (age, stage, shows) = fails(&pair(30.0, 50.0), &drawn());
        assert_eq!((age, stage, shows), (vec![no, yes, no, yes, yes], vec![yes; 5], Shows::Stage));
        // Two stages.
        let (_, stage, shows) = fails(&pair(62.0, 68.0), &drawn());
        assert_eq!((stage, shows), (vec![no, yes, no, yes, yes], Shows::Measures));
        // A grown child.
        let (age, stage, _) = fails(&pair(9.0, 10.0), &drawn());
        assert_eq!((age[3], stage[3]), (no, no));
        // Another age in the mirror; a mirrored model has none.
        let turned = [image("a-1", "x", 40.0, 50.0), image("a-1", "y", 40.0, 50.0)];
        assert_eq!(fails(&turned, &drawn()).0[1], no);
        assert_eq!(judge(&model(true), &turned, Some(&drawn())).unwrap().shows, Shows::Age);
        // A range that does not hold what it says, and no better than the mean.
        for held_out in [GaitFigures { coverage: Some(0.5), ..drawn() }, GaitFigures { mae: Some(21.0), ..drawn() }] {
            let (age, _, shows) = fails(&pair(40.0, 41.0), &held_out);
            assert_eq!((age[4], shows), (no, Shows::Stage));
        }
    }

    #[test]
    fn names_of_files_tell_the_walker() {
        let walker = |name: &str| walker_of(Path::new(name));
        assert_eq!(walker("gei/my-clip-3-004.png").as_deref(), Some("my-clip-3"));
        assert_eq!(walker("clip-12-1.png").as_deref(), Some("clip-12"));
        for other in ["clip.png", "3-004.png", "clip-x-004.png", "-3-004.png", "clip-3-.png"] {
            assert_eq!(walker(other), None, "{other}");
        }
    }
}
