# SPDX-License-Identifier: Apache-2.0
"""Skeletons of other programs, by the names that they give to the joints of a left side and of the middle."""

import pytest

from vendor_core.motion.joint_names import fingers_of_skeleton, joints_of_skeleton

BODY = ("hip", "knee", "ankle", "foot", "collar", "shoulder", "elbow", "wrist")
HIK = "UpLeg Leg Foot ToeBase Shoulder Arm ForeArm Hand"
PROGRAMS = {  # hips, neck, head; what left names look like; left joints in the order of BODY, "-" for none
    "Mixamo": ("mixamorig:Hips mixamorig:Neck mixamorig:Head", "mixamorig:Left{}", HIK),
    "MotionBuilder": ("Character1_Hips Character1_Neck Character1_Head", "Character1_Left{}", HIK),
    "Unreal": ("pelvis neck_01 head", "{}_l", "thigh calf foot ball clavicle upperarm lowerarm hand"),
    "Unity": ("Hips Neck Head", "Left{}", "UpperLeg LowerLeg Foot Toes Shoulder UpperArm LowerArm Hand"),
    "VRM": (
        "J_Bip_C_Hips J_Bip_C_Neck J_Bip_C_Head", "J_Bip_L_{}",
        "UpperLeg LowerLeg Foot ToeBase Shoulder UpperArm LowerArm Hand",
    ),
    "Rokoko": ("Hips Neck Head", "Left{}", "Thigh Shin Foot Toe Shoulder Arm ForeArm Hand"),
    "Xsens": ("Hips Neck Head", "Left{}", "Hip Knee Ankle Toe Collar Shoulder Elbow Wrist"),
    "Perception Neuron": ("Hips Neck Head", "Left{}", "UpLeg Leg Foot - Shoulder Arm ForeArm Hand"),
    "OptiTrack": ("Hip Neck Head", "L{}", "Thigh Shin Foot Toe Shoulder UArm FArm Hand"),
    "3ds Max Biped": (
        "Bip01_Pelvis Bip01_Neck Bip01_Head", "Bip01_L_{}", "Thigh Calf Foot Toe0 Clavicle UpperArm Forearm Hand",
    ),
    "Character Creator": (
        "CC_Base_Hip CC_Base_NeckTwist01 CC_Base_Head", "CC_Base_L_{}",
        "Thigh Calf Foot ToeBase Clavicle Upperarm Forearm Hand",
    ),
    "Daz": ("hip neck head", "l{}", "Thigh Shin Foot Toe Collar Shldr ForeArm Hand"),
    "DeepMotion": ("hips_JNT neck_JNT head_JNT", "l_{}_JNT", "upleg leg foot toebase shoulder arm forearm hand"),
    "CMU's BVH": ("Hips Neck Head", "Left{}", HIK),
    "CMU's ASF": ("root lowerneck head", "l{}", "femur tibia foot toes clavicle humerus radius wrist"),
    "Rigify": ("hips neck head", "{}.L", "thigh shin foot toe shoulder upper_arm forearm hand"),
    "SMPL's FBX": (
        "m_avg_Pelvis m_avg_Neck m_avg_Head", "m_avg_L_{}", "Hip Knee Ankle Foot Collar Shoulder Elbow Wrist",
    ),
}  # fmt: skip
BESIDE = [  # joints of these programs that are no joints of a body, or others than they sound
    "LHipJoint", "upperarm_twist_01_l", "CC_Base_L_ThighTwist01", "lButtock", "LeftFingerBase", "LThumb",
    "Spine", "lowerback", "J_Sec_L_Skirt", "LeftForeArmRoll", "ik_foot_root", "upperneck", "CC_Base_NeckTwist02",
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS)
def test_names_of_a_program(program: str) -> None:
    middle, pattern, parts = PROGRAMS[program]
    left = {f"left_{joint}": pattern.format(part) for joint, part in zip(BODY, parts.split(), strict=True)}
    left = {joint: name for joint, name in left.items() if "-" not in name}
    expected = dict(zip(("pelvis", "neck", "head"), middle.split(), strict=True)) | left
    names = [*BESIDE, *expected.values()]
    found = {joint: names[i] for joint, i in joints_of_skeleton(names).items()}
    assert found == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([f"mixamorig:LeftHandIndex{i}" for i in (1, 2, 3, 4)], "index: 0 1 2"),
        (["index_metacarpal_l", "index_01_l", "index_02_l", "index_03_l"], "index: 1 2 3"),
        (["LeftInHandRing", "LeftHandRing1", "LeftHandRing2", "LeftHandRing3"], "ring: 1 2 3"),
        ([f"LeftLittle{part}" for part in ("Proximal", "Intermediate", "Distal")], "pinky: 0 1 2"),
        (["LeftFinger1Metacarpal", "LeftFinger1Proximal", "LeftFinger1Distal", "LeftFinger1Tip"], "thumb: 0 1 2"),
        ([f"LeftFinger2{part}" for part in ("Metacarpal", "Proximal", "Medial", "Distal", "Tip")], "index: 1 2 3"),
        (["Bip01 L Finger0", "Bip01 L Finger01", "Bip01 L Finger02"], "thumb: 0 1 2"),
        (["Bip01 L Finger0", "Bip01 L Finger4", "Bip01 L Finger41", "Bip01 L Finger42"], "pinky: 1 2 3"),
        (["lMid1", "lMid2", "lMid3"], "middle: 0 1 2"),
        (["f_pinky.01.L", "f_pinky.02.L", "f_pinky.03.L"], "pinky: 0 1 2"),
        (["LeftFingerBase", "LeftHandIndex1", "LThumb"], ""),  # the CMU database's do not bend
    ],
)
def test_fingers_of_a_program(names: list[str], expected: str) -> None:
    finger, _, indices = expected.partition(": ")
    found = fingers_of_skeleton(names)
    assert found == {f"left_{finger}{i + 1}": int(index) for i, index in enumerate(indices.split())}
