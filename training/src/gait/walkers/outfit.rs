//! What walkers wear and carry.

use rand::RngExt as _;
use rand::rngs::ChaCha8Rng;

use super::body::RestingBody;
use super::bones::{
    ARM, FINGER_BASE, FINGERS, FOOT, FOREARM, HAND, HEAD, HIP_JOINT, HIPS, LOWER_BACK, NECK, NECK1, SHANK, SHOULDER,
    SPINE, SPINE1, THIGH, THUMB, TOES,
};
use super::mesh::{BELT, GRIP, MeshPart, STICK};
use super::model::{Model, Skin};
use super::norms::{chance, normal};
use super::vector::{Vec3, add};
use super::walk::Style;

/// Clothes and things; thicknesses in metres off the skin.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outfit {
    pub upper_m: f32,
    pub sleeves_m: f32,
    pub lower_m: f32,
    /// The hem of a coat: 0 at the hips, 1 at the ankles.
    pub coat: Option<f32>,
    /// The hem of a skirt or dress, and by how much it is wider at the ankles, metres.
    pub skirt: Option<(f32, f32)>,
    /// How far hair comes down, 0 to the eyes to 1 to the waist, and how thick it is.
    pub hair: Option<(f32, f32)>,
    /// Half size of a knot of hair, as a share of the height.
    pub knot: Option<f32>,
    /// How far a hat's brim stands out, and how high the hat is.
    pub hat: Option<(f32, f32)>,
    pub shoes_m: f32,
    pub soles_m: f32,
    /// Depth of a backpack.
    pub backpack: Option<f32>,
    /// A bag at one side of the hips: side, half width.
    pub side_bag: Option<(usize, f32)>,
    /// A bag in one hand: side, half width.
    pub hand_bag: Option<(usize, f32)>,
    /// A stick in one hand.
    pub stick: Option<usize>,
    /// Skin, hair, upper and lower clothes, shoes, things.
    pub colours: [[u8; 3]; 6],
}

impl Outfit {
    /// What somebody of this age and sex wears today.
    pub(super) fn drawn(age: f32, male: bool, rng: &mut ChaCha8Rng) -> Self {
        let grown = ((age - 2.0) / 14.0).clamp(0.3, 1.0);
        let coat = chance(rng, 0.22);
        let upper_m = if coat { rng.random_range(0.02..0.05) } else { rng.random_range(0.002..0.025) };
        let upper_m = upper_m * (0.4 + 0.6 * grown);
        let hair = match (male, age) {
            (true, 45.0..) if chance(rng, 0.4) => None,
            (true, _) if chance(rng, 0.94) => Some(rng.random_range(0.02..0.2)),
            (false, 65.0..) if chance(rng, 0.7) => Some(rng.random_range(0.1..0.4)),
            _ => Some(rng.random_range(0.15..0.9)),
        };
        let side = usize::from(chance(rng, 0.5));
        let hand_bag = (age > 8.0 && chance(rng, 0.08)).then(|| (side, rng.random_range(0.04..0.12)));
        let needs_stick = ((age - 65.0) / 25.0).clamp(0.01, 0.35);
        Self {
            upper_m,
            sleeves_m: upper_m * rng.random_range(0.5..1.0),
            lower_m: rng.random_range(0.001..0.025) * (0.5 + 0.5 * grown),
            coat: coat.then(|| rng.random_range(0.05..0.6)),
            skirt: (!male && chance(rng, 0.28))
                .then(|| (rng.random_range(0.25..0.95), rng.random_range(-0.02..0.12) * grown)),
            hair: hair.map(|down| (down, rng.random_range(0.0..0.02))),
            knot: (!male && chance(rng, 0.15)).then(|| rng.random_range(0.018..0.032)),
            hat: chance(rng, 0.1).then(|| (rng.random_range(0.0..0.08), rng.random_range(0.02..0.08))),
            shoes_m: rng.random_range(0.002..0.012),
            soles_m: rng.random_range(0.005..0.035) * grown,
            backpack: (age > 5.0 && chance(rng, 0.1)).then(|| rng.random_range(0.06..0.2) * grown),
            side_bag: (age > 14.0 && chance(rng, if male { 0.06 } else { 0.15 }))
                .then(|| (side, rng.random_range(0.08..0.2))),
            hand_bag,
            stick: (hand_bag.is_none() && age > 50.0 && chance(rng, needs_stick)).then_some(side),
            colours: colours(rng),
        }
    }

    /// The walk of somebody who carries this: a loaded arm swings less.
    pub(super) fn hampered(&self, style: &Style, rng: &mut ChaCha8Rng) -> Style {
        let mut style = *style;
        if let Some((side, _)) = self.hand_bag {
            style.arm_swing[side] *= 0.35;
            style.elbow[side] *= 0.5;
        }
        if let Some(side) = self.stick {
            style.arm_swing[side] *= 0.8;
            style.elbow[side] += 12.0;
        }
        if let Some(depth) = self.backpack {
            style.lean += 12.0 * depth;
        }
        // Hands in pockets, on a telephone, behind the back.
        if self.hand_bag.is_none() && self.stick.is_none() && chance(rng, 0.07) {
            let both = chance(rng, 0.5);
            let elbow = if chance(rng, 0.5) { 45.0 } else { 95.0 };
            for side in 0..if both { 2 } else { 1 } {
                (style.arm_swing[side], style.elbow[side]) = (2.0, elbow);
            }
            style.head_pitch += if elbow > 90.0 { 15.0 } else { 0.0 };
        }
        style
    }

    /// The meshes that are drawn of a body in these clothes.
    pub(super) fn dressed(&self, model: &Model, body: &RestingBody) -> Vec<MeshPart> {
        let height = body.height_m;
        let [skin_colour, hair_colour, upper_colour, lower_colour, shoe_colour, thing_colour] = self.colours;
        let mut parts = Vec::new();

        // Of the skin only what the clothes leave bare.
        let bare = |skin: &Skin| skin.share(&BARE) > 0.02;
        let quads: Vec<_> =
            model.faces.body.iter().filter(|q| q.iter().any(|v| bare(&model.skin[*v as usize]))).copied().collect();
        let mut flesh = MeshPart::of(&body.vertices, &model.skin, &quads);
        let feet = [FOOT[0], FOOT[1], TOES[0], TOES[1]];
        flesh.inflate(|_, skin| self.shoes_m * skin.share(&feet));
        let ankle = body.ends[FOOT[0]][0][1];
        for (vertex, skin) in flesh.vertices.iter_mut().zip(&flesh.skin) {
            if skin.share(&feet) > 0.5 && vertex[1] < 0.4 * ankle {
                vertex[1] -= self.soles_m;
            }
        }
        let shod: Vec<bool> = flesh.skin.iter().map(|skin| skin.share(&feet) > 0.5).collect();
        let (shoes, flesh_quads) = flesh.quads.iter().partition::<Vec<_>, _>(|q| shod[q[0] as usize]);
        let mut shoes = MeshPart::of(&flesh.vertices, &flesh.skin, &shoes);
        shoes.colour = shoe_colour;
        let mut flesh = MeshPart::of(&flesh.vertices, &flesh.skin, &flesh_quads);
        flesh.colour = skin_colour;
        let mut eyes = MeshPart::of(&body.vertices, &model.skin, &model.faces.eyes);
        eyes.colour = [225; 3];
        parts.extend([flesh, shoes, eyes]);

        let (hips, ankles) = (body.leg_m(), ankle);
        let level = |down: f32| hips + (ankles - hips) * down;
        let (legs, shanks) = ([THIGH[0], THIGH[1], HIPS, HIP_JOINT[0], HIP_JOINT[1]], SHANK);
        let mut cloth = MeshPart::of(&body.vertices, &model.skin, &model.faces.tights);
        let hem = self.coat.map_or(f32::MAX, level);
        cloth.inflate(|vertex, skin| {
            let lower =
                (skin.share(&legs) + skin.share(&shanks)) * if vertex[1] > hem { self.upper_m } else { self.lower_m };
            lower + self.upper_m * skin.share(&TRUNK) + self.sleeves_m * skin.share(&SLEEVES)
        });
        let waist = hips + 0.04 * height;
        let high: Vec<bool> = (cloth.vertices.iter().zip(&cloth.skin))
            .map(|(vertex, skin)| skin.share(&SLEEVES) > 0.5 || vertex[1] > waist.min(hem))
            .collect();
        let (upper, lower) = cloth.quads.iter().partition::<Vec<_>, _>(|q| high[q[0] as usize]);
        for (quads, colour) in [(upper, upper_colour), (lower, lower_colour)] {
            let mut part = MeshPart::of(&cloth.vertices, &cloth.skin, &quads);
            part.colour = colour;
            parts.push(part);
        }

        let coat = self.coat.map(|hem| (hem, 0.02, self.upper_m, upper_colour));
        let skirt = self.skirt.map(|(hem, wider)| (hem, wider, 0.005, lower_colour));
        for (hem, wider, off, colour) in coat.into_iter().chain(skirt) {
            let mut part = MeshPart::of(&body.vertices, &model.skin, &model.faces.skirt);
            part.inflate(|vertex, _| off + wider * ((hips - vertex[1]) / (hips - ankles)).clamp(0.0, 1.0));
            cut(&mut part, level(hem));
            (part.colour, part.open) = (colour, true);
            parts.push(part);
        }
        self.head(model, body, hair_colour, thing_colour, &mut parts);
        self.things(model, body, thing_colour, &mut parts);
        parts
    }

    fn head(
        &self,
        model: &Model,
        body: &RestingBody,
        hair_colour: [u8; 3],
        hat_colour: [u8; 3],
        parts: &mut Vec<MeshPart>,
    ) {
        let height = body.height_m;
        let [neck, crown] = body.ends[HEAD];
        let ([_, _, back], [right, _, front]) = extent(model, body, &[HEAD]);
        let (middle_z, half_z) = ((back + front) / 2.0, (front - back) / 2.0);
        if let Some((down, thick)) = self.hair {
            let mut part = MeshPart::of(&body.vertices, &model.skin, &model.faces.hair);
            part.inflate(|_, _| thick);
            // Eyes are half way between neck and crown. The helper goes all round the head: the face is kept free.
            let eyes = (neck[1] + crown[1]) / 2.0;
            let brow = eyes + 0.45 * (crown[1] - eyes);
            let corners = part.vertices.clone();
            let in_face = |corner: &u32| {
                let [_, y, z] = corners[*corner as usize];
                y < brow && z > middle_z + 0.1 * half_z
            };
            part.quads.retain(|quad| !quad.iter().any(in_face));
            cut(&mut part, eyes + (body.ends[HIPS][0][1] + 0.05 * height - eyes) * down);
            (part.colour, part.open) = (hair_colour, true);
            parts.push(part);
        }
        if let Some(half) = self.knot {
            let behind = [0.0, crown[1] - 0.035 * height, back - 0.4 * half * height];
            parts.push(MeshPart { colour: hair_colour, ..MeshPart::ball(behind, [half * height; 3], 1.0, HEAD) });
        }
        if let Some((brim, high)) = self.hat {
            let middle = [0.0, crown[1] - 0.02 * height, middle_z];
            let (wide, long) = (right + 0.008, half_z + 0.004);
            parts.push(MeshPart {
                colour: hat_colour,
                ..MeshPart::ball(middle, [wide, 0.02 * height + high, long], 0.7, HEAD)
            });
            let rim = [wide + brim, 0.008, long + brim];
            parts.push(MeshPart { colour: hat_colour, ..MeshPart::ball(middle, rim, 1.0, HEAD) });
        }
    }

    fn things(&self, model: &Model, body: &RestingBody, colour: [u8; 3], parts: &mut Vec<MeshPart>) {
        let height = body.height_m;
        let mut push = |part: MeshPart| parts.push(MeshPart { colour, ..part });
        if let Some(depth) = self.backpack {
            let [low, high] = body.ends[SPINE1];
            let back = extent(model, body, &[SPINE1, SPINE]).0[2] - self.upper_m;
            let middle = [0.0, (low[1] + high[1]) / 2.0 - 0.04 * height, back - 0.4 * depth];
            push(MeshPart::ball(middle, [0.085 * height, 0.13 * height, depth / 2.0], 0.5, SPINE1));
        }
        if let Some((side, half)) = self.side_bag {
            let out = if side == 0 { 1.0 } else { -1.0 };
            let middle = add(body.ends[HIPS][0], [out * 0.115 * height, -0.03 * height, 0.0]);
            push(MeshPart::ball(middle, [0.03 * height, 0.75 * half, half], 0.5, BELT));
        }
        if let Some((side, half)) = self.hand_bag {
            let hand = body.ends[HAND[side]][1];
            let long = (1.6 * half).min(hand[1] * 0.3);
            push(MeshPart::ball(
                add(hand, [0.0, -long - 0.05 * height, 0.0]),
                [0.4 * half, long, half],
                0.4,
                GRIP[side],
            ));
            push(MeshPart::ball(
                add(hand, [0.0, -0.025 * height, 0.0]),
                [0.012, 0.035 * height, 0.02],
                0.5,
                GRIP[side],
            ));
        }
        if let Some(side) = self.stick {
            let hand = body.ends[HAND[side]][1];
            // As long as from the hanging hand to the ground.
            let long = 0.46 * height / 2.0;
            push(MeshPart::ball(add(hand, [0.0, -long, 0.0]), [0.011, long, 0.011], 0.5, STICK[side]));
        }
    }
}

const BARE: [usize; 15] = [
    HEAD,
    NECK,
    NECK1,
    HAND[0],
    HAND[1],
    THUMB[0],
    THUMB[1],
    FINGER_BASE[0],
    FINGER_BASE[1],
    FINGERS[0],
    FINGERS[1],
    FOOT[0],
    FOOT[1],
    TOES[0],
    TOES[1],
];
const TRUNK: [usize; 5] = [LOWER_BACK, SPINE, SPINE1, SHOULDER[0], SHOULDER[1]];
const SLEEVES: [usize; 4] = [ARM[0], ARM[1], FOREARM[0], FOREARM[1]];

/// The lowest and highest coordinates of what moves with these bones.
fn extent(model: &Model, body: &RestingBody, bones: &[usize]) -> (Vec3, Vec3) {
    let corners = model.faces.body.iter().flatten().map(|corner| *corner as usize);
    let theirs = corners.filter(|corner| model.skin[*corner].share(bones) > 0.8).map(|corner| body.vertices[corner]);
    theirs.fold(([f32::MAX; 3], [f32::MIN; 3]), |(low, high), v| {
        ([0, 1, 2].map(|i| low[i].min(v[i])), [0, 1, 2].map(|i| high[i].max(v[i])))
    })
}

/// Ends a piece of cloth or hair at this height.
fn cut(part: &mut MeshPart, low: f32) {
    let vertices = &part.vertices;
    part.quads.retain(|quad| quad.iter().any(|corner| vertices[*corner as usize][1] > low));
    for vertex in &mut part.vertices {
        vertex[1] = vertex[1].max(low);
    }
}

/// Plausible colours, RGB: skin, hair, upper and lower clothes, shoes, things.
fn colours(rng: &mut ChaCha8Rng) -> [[u8; 3]; 6] {
    let mix = |a: Vec3, b: Vec3, share: f32| std::array::from_fn(|i| (a[i] + (b[i] - a[i]) * share) as u8);
    let skin = mix([92.0, 60.0, 42.0], [236.0, 196.0, 170.0], rng.random_range(0.0..1.0));
    let hair = mix([24.0, 18.0, 16.0], [170.0, 130.0, 80.0], normal(rng, 0.25, 0.25).clamp(0.0, 1.0));
    let mut cloth = |lightest: u8| std::array::from_fn(|_| rng.random_range(20..lightest));
    [skin, hair, cloth(210), cloth(150), cloth(90), cloth(170)]
}
