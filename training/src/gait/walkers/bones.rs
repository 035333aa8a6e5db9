//! The skeleton: the 31 bones of MakeHuman's `rig.cmu_mb.json`, named as in the CMU motion capture set, parents first.

/// How many bones there are.
pub(super) const COUNT: usize = 31;

/// A bone's place in [`BONES`].
pub(super) type Bone = usize;

/// Each bone with its parent, parents first; the first has none and names itself.
pub(super) const BONES: [(&str, Bone); COUNT] = [
    ("Hips", HIPS),
    ("LowerBack", HIPS),
    ("Spine", LOWER_BACK),
    ("Spine1", SPINE),
    ("Neck", SPINE1),
    ("Neck1", NECK),
    ("Head", NECK1),
    ("LeftShoulder", SPINE1),
    ("LeftArm", SHOULDER[0]),
    ("LeftForeArm", ARM[0]),
    ("LeftHand", FOREARM[0]),
    ("LThumb", HAND[0]),
    ("LeftFingerBase", HAND[0]),
    ("LeftHandFinger1", FINGER_BASE[0]),
    ("RightShoulder", SPINE1),
    ("RightArm", SHOULDER[1]),
    ("RightForeArm", ARM[1]),
    ("RightHand", FOREARM[1]),
    ("RThumb", HAND[1]),
    ("RightFingerBase", HAND[1]),
    ("RightHandFinger1", FINGER_BASE[1]),
    ("LHipJoint", HIPS),
    ("LeftUpLeg", HIP_JOINT[0]),
    ("LeftLeg", THIGH[0]),
    ("LeftFoot", SHANK[0]),
    ("LeftToeBase", FOOT[0]),
    ("RHipJoint", HIPS),
    ("RightUpLeg", HIP_JOINT[1]),
    ("RightLeg", THIGH[1]),
    ("RightFoot", SHANK[1]),
    ("RightToeBase", FOOT[1]),
];

pub(super) const HIPS: Bone = 0;
pub(super) const LOWER_BACK: Bone = 1;
pub(super) const SPINE: Bone = 2;
pub(super) const SPINE1: Bone = 3;
pub(super) const NECK: Bone = 4;
pub(super) const NECK1: Bone = 5;
pub(super) const HEAD: Bone = 6;

// Of each pair the left one comes first.
pub(super) const SHOULDER: [Bone; 2] = [7, 14];
pub(super) const ARM: [Bone; 2] = [8, 15];
pub(super) const FOREARM: [Bone; 2] = [9, 16];
pub(super) const HAND: [Bone; 2] = [10, 17];
pub(super) const THUMB: [Bone; 2] = [11, 18];
pub(super) const FINGER_BASE: [Bone; 2] = [12, 19];
pub(super) const FINGERS: [Bone; 2] = [13, 20];
pub(super) const HIP_JOINT: [Bone; 2] = [21, 26];
pub(super) const THIGH: [Bone; 2] = [22, 27];
pub(super) const SHANK: [Bone; 2] = [23, 28];
pub(super) const FOOT: [Bone; 2] = [24, 29];
pub(super) const TOES: [Bone; 2] = [25, 30];

/// The bone of this name.
pub(super) fn named(name: &str) -> Option<Bone> {
    BONES.iter().position(|(bone, _)| *bone == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parents_come_first_and_the_constants_name_their_bones() {
        assert!(BONES.iter().enumerate().skip(1).all(|(bone, (_, parent))| *parent < bone));
        for (side, letter) in ["Left", "Right"].into_iter().enumerate() {
            let pairs =
                [(ARM, "Arm"), (FOREARM, "ForeArm"), (HAND, "Hand"), (THIGH, "UpLeg"), (SHANK, "Leg"), (FOOT, "Foot")];
            for (bone, name) in pairs {
                assert_eq!(named(&format!("{letter}{name}")), Some(bone[side]));
            }
            assert_eq!(BONES[TOES[side]], (if side == 0 { "LeftToeBase" } else { "RightToeBase" }, FOOT[side]));
        }
        assert_eq!(named("Head"), Some(HEAD));
        assert_eq!(named("Tail"), None);
    }
}
