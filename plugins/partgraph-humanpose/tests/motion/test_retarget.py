import numpy as np
import pytest
from partgraph_humanpose.motion import MotionError, embedded_clips, read_amc, read_bvh
from partgraph_humanpose.motion.asf_amc import read_amc_take, read_asf
from partgraph_humanpose.motion.bvh import read_bvh_take
from partgraph_humanpose.motion.retarget import driving_joints
from partgraph_humanpose.motion.rig import JOINTS, OFFSETS, PARENTS
from scipy.spatial.transform import Rotation

LEFT, UP, FORWARD = np.eye(3)
LIMBS = {  # bones of the rig, by their ends, and of the figure
    (f"{s}_{near}", f"{s}_{far}"): (f"{side}{a}", f"{side}{b}")
    for s, side in (("L", "Left"), ("R", "Right"))
    for near, far, a, b in [
        ("Hip", "Knee", "UpLeg", "Leg"),
        ("Knee", "Ankle", "Leg", "Foot"),
        ("Shoulder", "Elbow", "Arm", "ForeArm"),
        ("Elbow", "Wrist", "ForeArm", "Hand"),
    ]
}


def directions(positions, near, far):
    way = positions[..., far, :] - positions[..., near, :]
    return way / np.linalg.norm(way, axis=-1, keepdims=True)


def bone(clip, near, far, frame=0):
    """The unit vector from one joint of the posed rig to another."""
    return directions(clip.joints()[1][frame], JOINTS.index(near), JOINTS.index(far))


def about(axis, degrees):
    return Rotation.from_rotvec(np.deg2rad(degrees) * np.array(axis, dtype=float))


def reshaped(joints, turns):
    """The figure with some of its bones, named by their far ends, turned at rest."""
    return {
        name: (above, turns[name].apply(way) if name in turns else way)
        for name, (above, way) in joints.items()
    }


def arms_down(degrees):
    parts = ("ForeArm", "Hand")
    return {f"Left{p}": about(FORWARD, -degrees) for p in parts} | {
        f"Right{p}": about(FORWARD, degrees) for p in parts
    }


def legs_apart(degrees):
    parts = ("Leg", "Foot")
    return {f"Left{p}": about(FORWARD, degrees) for p in parts} | {
        f"Right{p}": about(FORWARD, -degrees) for p in parts
    }


RESTS = {
    "T-pose": {},
    "A-pose": arms_down(45) | legs_apart(20),
    "arms hanging": arms_down(90),
    "arms raised": arms_down(-60),
    "bent elbows": {"LeftHand": about(UP, -30), "RightHand": about(UP, 30)},
}
WORLDS = {
    "y up": Rotation.identity(),
    "z up": Rotation.from_matrix(np.stack([LEFT, FORWARD, -UP], axis=1)),
    "z up, facing x": Rotation.from_matrix(np.stack([UP, FORWARD, LEFT], axis=1)),
    "facing away and aside": about(UP, 150),
    "upside down": about(FORWARD, 180),
}


def test_a_t_pose_is_the_rig_at_rest(figure, write):
    clip = read_bvh(write("a.bvh", figure().text([{}])), scale=0.01)
    np.testing.assert_allclose(clip.rotations, 0, atol=1e-7)
    np.testing.assert_allclose(clip.position, [[0, 1, 0]], atol=1e-7)
    assert (clip.name, clip.rate) == ("a", pytest.approx(20))


@pytest.mark.parametrize(
    ("joint", "axis", "degrees", "near", "far", "expected"),
    [
        ("LeftArm", FORWARD, 90, "L_Shoulder", "L_Wrist", UP),
        ("RightArm", FORWARD, -90, "R_Shoulder", "R_Wrist", UP),
        ("RightArm", FORWARD, 90, "R_Shoulder", "R_Wrist", -UP),
        ("LeftArm", UP, -90, "L_Shoulder", "L_Wrist", FORWARD),
        ("LeftForeArm", FORWARD, 90, "L_Elbow", "L_Wrist", UP),
        ("RightForeArm", UP, 90, "R_Elbow", "R_Wrist", FORWARD),
        ("RightLeg", LEFT, 90, "R_Knee", "R_Ankle", -FORWARD),
        ("LeftUpLeg", LEFT, -90, "L_Hip", "L_Ankle", FORWARD),
        ("LeftUpLeg", FORWARD, 90, "L_Hip", "L_Ankle", LEFT),
        ("Spine", LEFT, 90, "Spine1", "Neck", FORWARD),
        ("Neck", FORWARD, -90, "Neck", "Head", LEFT),
        ("LeftShoulder", FORWARD, 45, "L_Shoulder", "L_Wrist", (LEFT + UP) / np.sqrt(2)),
        ("Hips", LEFT, -90, "Spine1", "Neck", -FORWARD),
        ("Hips", UP, 90, "L_Shoulder", "L_Wrist", -FORWARD),
    ],
)
def test_known_poses(figure, write, joint, axis, degrees, near, far, expected):
    angles = degrees * np.array([axis[2], axis[0], axis[1]])  # in the order of the file, Z X Y
    clip = read_bvh(write("a.bvh", figure().text([{joint: angles}])))
    np.testing.assert_allclose(bone(clip, near, far), expected, atol=1e-6)
    # Whatever does not hang on the joint stays where it was.
    if "Arm" in joint:
        np.testing.assert_allclose(bone(clip, "L_Hip", "L_Ankle"), -UP, atol=1e-6)
        np.testing.assert_allclose(bone(clip, "Spine1", "Neck"), UP, atol=1e-6)


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("rest", RESTS)
def test_limbs_point_as_the_actors_do(figure, write, rest, world):
    joints = reshaped(figure().joints, RESTS[rest])
    joints = {name: (above, WORLDS[world].apply(way)) for name, (above, way) in joints.items()}
    random = np.random.default_rng(0)
    frames = [{name: random.uniform(-180, 180, 3) for name in joints} for _ in range(5)]
    path = write("a.bvh", figure(joints).text(frames))
    clip, take = read_bvh(path), read_bvh_take(path)
    turns, actor = take.skeleton.forward(take.rotations, take.position)
    rig_turns, rig = clip.joints()
    to_rig = WORLDS[world].inv().as_matrix()
    for (near, far), source in LIMBS.items():
        ends = (take.skeleton.names.index(name) for name in source)
        np.testing.assert_allclose(
            directions(rig, JOINTS.index(near), JOINTS.index(far)),
            directions(actor, *ends) @ to_rig.T,
            atol=1e-5,
        )
    for joint, source in {"Head": "Head", "Spine3": "Spine2", "L_Ankle": "LeftFoot", "Root": "Hips"}.items():
        expected = to_rig @ turns[:, take.skeleton.names.index(source)] @ to_rig.T
        np.testing.assert_allclose(rig_turns[:, JOINTS.index(joint)], expected, atol=1e-5)
    np.testing.assert_allclose(clip.position, 0.82 / 84 * take.position @ to_rig.T, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("rest", ["T-pose", "A-pose", "arms hanging", "arms raised"])
def test_elbows_bend_about_their_hinge(figure, write, rest):
    turned = RESTS[rest].get("LeftHand", Rotation.identity())
    hinge = turned.apply(UP)
    z, x, y = about(hinge, -60).as_euler("ZXY", degrees=True)
    joints = reshaped(figure().joints, RESTS[rest])
    clip = read_bvh(write("a.bvh", figure(joints).text([{"LeftForeArm": (z, x, y)}])))
    np.testing.assert_allclose(clip.rotations[0, JOINTS.index("L_Elbow")], -np.pi / 3 * UP, atol=1e-6)


@pytest.mark.parametrize("rest", ["T-pose", "A-pose", "arms raised"])
def test_hands_turn_about_their_forearm(figure, write, rest):
    forearm = RESTS[rest].get("LeftHand", Rotation.identity()).apply(LEFT)
    z, x, y = about(forearm, 40).as_euler("ZXY", degrees=True)
    joints = reshaped(figure().joints, RESTS[rest])
    clip = read_bvh(write("a.bvh", figure(joints).text([{"LeftHand": (z, x, y)}])))
    expected = np.deg2rad(40) * LEFT
    np.testing.assert_allclose(clip.rotations[0, JOINTS.index("L_Wrist")], expected, atol=1e-6)


def test_elbows_may_be_bent_at_rest(figure, write):
    joints = reshaped(figure().joints, arms_down(90))
    joints["LeftHand"] = ("LeftForeArm", (0, 0, 25))
    clip = read_bvh(write("a.bvh", figure(joints).text([{}, {"LeftForeArm": (0, 90, 0)}])))
    elbow = clip.rotations[:, JOINTS.index("L_Elbow")]
    np.testing.assert_allclose(elbow[0], -np.pi / 2 * UP, atol=1e-6)
    np.testing.assert_allclose(elbow[1], 0, atol=1e-6)  # straight, and not twisted


def test_a_frame_can_be_the_rest_pose(figure, write):
    seated = figure().joints
    for side in ("Left", "Right"):
        seated[f"{side}Leg"] = (f"{side}UpLeg", (0, 0, 42))
    stand = {
        f"{side}{part}": (0, x, 0) for side in ("Left", "Right") for part, x in (("UpLeg", 90), ("Leg", -90))
    }
    turned = stand | {"Hips": (0, 0, 30)}
    path = write("a.bvh", figure(seated).text([stand, turned, {}]))
    with pytest.raises(
        MotionError, match=r"a\.bvh: the legs must be straight .* L_Knee 90 degrees .* as rest="
    ):
        read_bvh(path)
    for rest in (0, 1):  # who stands turned faces forward from then on
        clip = read_bvh(path, rest=rest)
        np.testing.assert_allclose(clip.rotations[rest], 0, atol=1e-6)
        np.testing.assert_allclose(bone(clip, "L_Hip", "L_Knee", frame=0), -UP, atol=1e-6)
        facing = about(UP, -30 * rest).apply(FORWARD)
        np.testing.assert_allclose(bone(clip, "L_Hip", "L_Knee", frame=2), facing, atol=1e-6)
    with pytest.raises(MotionError, match="rest must be a frame from 0 to 2; found 3"):
        read_bvh(path, rest=3)


@pytest.mark.parametrize("up", ["x", "y", "z", "-x", "-y", "-z"])
def test_the_motion_can_have_another_axis_up_than_the_rest_pose(figure, write, up):
    axis = (-1 if "-" in up else 1) * np.eye(3)["xyz".index(up[-1])]
    rise, _ = Rotation.align_vectors(axis[None], UP[None])
    angles = rise.as_euler("XYZ", degrees=True)
    person = figure(rotations="Xrotation Yrotation Zrotation")
    path = write("a.bvh", person.text([{"Hips": angles}], [100 * axis]))
    clip = read_bvh(path, up=up, scale=0.01)
    np.testing.assert_allclose(bone(clip, "Spine1", "Neck"), UP, atol=1e-6)
    np.testing.assert_allclose(clip.position, [UP], atol=1e-6)
    with pytest.raises(MotionError, match=r"a\.bvh: up must be one of x, y, z, .* found 'w'"):
        read_bvh(path, up="w")


def test_vertebrae_that_are_not_there_share_the_turn(figure, write):
    joints = figure().joints
    for name in ("Spine1", "Spine2", "Neck"):
        del joints[name]
    for name, (above, way) in joints.items():
        joints[name] = ("Spine" if above in ("Spine1", "Spine2", "Neck") else above, way)
    joints["Head"] = ("Spine", (0, 28, 0))
    clip = read_bvh(write("a.bvh", figure(joints).text([{"Spine": (0, 60, 0), "Head": (40, 0, 0)}])))
    for joint in ("Spine1", "Spine2", "Spine3"):
        np.testing.assert_allclose(clip.rotations[0, JOINTS.index(joint)], np.deg2rad(20) * LEFT, atol=1e-6)
    for joint in ("Neck", "Head"):
        np.testing.assert_allclose(
            clip.rotations[0, JOINTS.index(joint)], np.deg2rad(20) * FORWARD, atol=1e-6
        )


NAMES = {
    "mixamo": "mixamorig:{side}{name}",
    "biovision": {"Shoulder": "Collar", "Arm": "Shoulder", "ForeArm": "Elbow", "Hand": "Wrist"}
    | {"UpLeg": "Hip", "Leg": "Knee", "Foot": "Ankle", "ToeBase": "Toe"},
    "biped": {"Shoulder": "Bip01 {s} Clavicle", "Arm": "Bip01 {s} UpperArm", "ForeArm": "Bip01 {s} Forearm"}
    | {
        "Hand": "Bip01 {s} Hand",
        "UpLeg": "Bip01 {s} Thigh",
        "Leg": "Bip01 {s} Calf",
        "Foot": "Bip01 {s} Foot",
    }
    | {"ToeBase": "Bip01 {s} Toe0", "Head": "Bip01 Head"},
    "unreal": {
        "Shoulder": "clavicle_{s}",
        "Arm": "upperarm_{s}",
        "ForeArm": "lowerarm_{s}",
        "Hand": "hand_{s}",
    }
    | {"UpLeg": "thigh_{s}", "Leg": "calf_{s}", "Foot": "foot_{s}", "ToeBase": "ball_{s}"},
    "smpl": {"Shoulder": "{s}_Collar", "Arm": "{s}_Shoulder", "ForeArm": "{s}_Elbow", "Hand": "{s}_Wrist"}
    | {"UpLeg": "{s}_Hip", "Leg": "{s}_Knee", "Foot": "{s}_Ankle", "ToeBase": "{s}_Foot"},
    "poser": {"Shoulder": "{s}Collar", "Arm": "{s}Shldr", "ForeArm": "{s}ForeArm", "Hand": "{s}Hand"}
    | {"UpLeg": "{s}Thigh", "Leg": "{s}Shin", "Foot": "{s}Foot", "ToeBase": "{s}Toe"},
}


@pytest.mark.parametrize("convention", NAMES)
def test_joints_are_known_by_the_names_of_many_programs(figure, write, convention):
    def rename(name):
        side = next((side for side in ("Left", "Right") if name.startswith(side)), "")
        plain, names = name.removeprefix(side), NAMES[convention]
        if isinstance(names, str):
            return names.format(side=side, name=plain)
        new = names.get(plain, plain)
        return new.format(s=side[:1]) if "{" in new or not side else side + new

    usual, renamed = figure(), figure(rename=rename)
    expected = driving_joints(read_bvh_take(write("a.bvh", usual.text([{}]))))
    assert driving_joints(read_bvh_take(write("b.bvh", renamed.text([{}])))) == expected
    by_name = {joint: [usual.order()[0]] for joint in ("Root",)}
    take = read_bvh_take(write("a.bvh", usual.text([{}])))
    found = {joint: [take.skeleton.names[index] for index in indices] for joint, indices in expected.items()}
    by_name |= {
        "Spine1": ["Spine"],
        "Spine2": ["Spine1"],
        "Spine3": ["Spine2"],
        "Neck": ["Neck"],
        "Head": ["Head"],
    }
    by_name |= {near: [source] for (near, _), (source, _) in LIMBS.items()}
    by_name |= {far: [source] for (_, far), (_, source) in LIMBS.items()}
    assert found == by_name


def test_names_say_which_joint_is_which(figure, write):
    odd = {"LeftArm": "upper", "LeftForeArm": "lower"}
    person = figure(rename=lambda name: odd.get(name, name))
    path = write("a.bvh", person.text([{"LeftArm": (90, 0, 0)}]))
    with pytest.raises(
        MotionError, match=r"a\.bvh: L_Elbow must hang on L_Shoulder|a joint must drive L_Elbow"
    ):
        read_bvh(path)
    clip = read_bvh(path, names={"L_Shoulder": "upper", "L_Elbow": "lower"})
    np.testing.assert_allclose(bone(clip, "L_Shoulder", "L_Wrist"), UP, atol=1e-6)
    shrug = write("b.bvh", figure().text([{"LeftShoulder": (30, 0, 0)}]))
    clip = read_bvh(shrug, names={"L_Collar": "LeftShoulder"})
    np.testing.assert_allclose(
        clip.rotations[0, JOINTS.index("L_Collar")], np.deg2rad(30) * FORWARD, atol=1e-6
    )
    np.testing.assert_allclose(clip.rotations[0, JOINTS.index("L_Shoulder")], 0, atol=1e-6)
    for names, message in [
        ({"L_Thumb": "Head"}, r"names must be of Root, .* found 'L_Thumb' with 'Head'"),
        ({"L_Knee": "Knie"}, r"each with one of Hips, .* found 'L_Knee' with 'Knie'"),
        (
            {"L_Knee": "RightLeg"},
            "L_Knee must hang on L_Hip; found 'RightLeg' elsewhere than below 'LeftUpLeg'",
        ),
    ]:
        with pytest.raises(MotionError, match=message):
            read_bvh(shrug, names=names)


def test_skeletons_that_are_no_persons_are_refused(figure, write):
    joints = figure().joints
    joints["LeftLeg"] = ("LeftUpLeg", (0, 0, 0))
    with pytest.raises(MotionError, match=r"a\.bvh: .* must have a length; found none from L_Hip to L_Knee"):
        read_bvh(write("a.bvh", figure(joints).text([{}])))
    with pytest.raises(
        MotionError, match=r"a\.bvh: a joint must drive Head; found .*pass names={'Head': \.\.\.}"
    ):
        read_bvh(write("a.bvh", figure(rename=lambda name: name.replace("Head", "Skull")).text([{}])))


def test_the_embedded_clips_come_back_from_bvh(figure, write):
    """What is written as the rig's own motion is read as it was."""
    names = dict(enumerate(JOINTS))
    joints = {
        "Hips" if parent < 0 else names[joint]: (
            "Hips" if parent == 0 else names.get(parent, ""),
            OFFSETS[joint],
        )
        for joint, parent in enumerate(PARENTS)
    }
    person = figure(joints)
    for clip in embedded_clips()[::4]:
        clip = clip[::20]
        angles = Rotation.from_rotvec(clip.rotations.reshape(-1, 3)).as_euler("ZXY", degrees=True)
        angles = angles.reshape(len(clip), len(JOINTS), 3)
        frames = [dict(zip(joints, frame, strict=True)) for frame in angles]
        back = read_bvh(write("a.bvh", person.text(frames, clip.position)), scale=1.0)
        np.testing.assert_allclose(back.joints()[0], clip.joints()[0], atol=1e-5)
        np.testing.assert_allclose(back.position, clip.position, atol=1e-6)


def test_acclaim_limbs_point_as_the_actors_do(actor, write):
    person = actor()
    asf, amc = write("07.asf", person.asf()), write("07_01.amc", person.amc(person.random_frames(5, seed=1)))
    clip, take = read_amc(amc), read_amc_take(amc, read_asf(asf))
    turns, source = take.skeleton.forward(take.rotations, take.position)
    rig_turns, rig = clip.joints()
    index = take.skeleton.names.index
    for s, side in (("L", "l"), ("R", "r")):
        for near, far, a, b in [
            ("Shoulder", "Elbow", "humerus", "radius"),
            ("Elbow", "Wrist", "radius", "hand"),
            ("Hip", "Knee", "femur", "tibia"),
            ("Knee", "Ankle", "tibia", "foot"),
        ]:
            found = directions(rig, JOINTS.index(f"{s}_{near}"), JOINTS.index(f"{s}_{far}"))
            np.testing.assert_allclose(found, directions(source, index(side + a), index(side + b)), atol=1e-5)
    for joint, bone_name in {
        "Head": "head",
        "Spine1": "lowerback",
        "Spine3": "thorax",
        "R_Ankle": "rfoot",
    }.items():
        np.testing.assert_allclose(rig_turns[:, JOINTS.index(joint)], turns[:, index(bone_name)], atol=1e-5)
    np.testing.assert_allclose(clip.position, take.position, rtol=1e-6)


def test_acclaim_poses(actor, write):
    person = actor()
    write("07.asf", person.asf())
    bent = {"ltibia": [90], "root": [0, 2, 0, 0, 0, 0], "lowerneck": [30, 0, 0], "upperneck": [-10, 0, 0]}
    clip = read_amc(write("07_01.amc", person.amc([bent])))
    apart = about(FORWARD, 20).apply(-UP)
    np.testing.assert_allclose(bone(clip, "L_Hip", "L_Knee"), apart, atol=1e-5)
    np.testing.assert_allclose(bone(clip, "L_Knee", "L_Ankle"), -FORWARD, atol=1e-5)
    np.testing.assert_allclose(bone(clip, "R_Shoulder", "R_Wrist"), -LEFT, atol=1e-5)
    np.testing.assert_allclose(clip.position[0], [0, 2 * 0.0254 / 0.45, 0], atol=1e-6)
    np.testing.assert_allclose(clip.rotations[0, JOINTS.index("L_Ankle")], bent_ankle(), atol=1e-5)
    # The neck points half way between the turns of its two joints, and the head is turned like the head.
    np.testing.assert_allclose(clip.rotations[0, JOINTS.index("Neck")], np.deg2rad(25) * LEFT, atol=1e-5)
    np.testing.assert_allclose(clip.rotations[0, JOINTS.index("Head")], np.deg2rad(-5) * LEFT, atol=1e-5)


def bent_ankle():
    """The foot, whose sole was flat, goes with the shank: out of the leg's slant, into the actor's world."""
    leg = about(FORWARD, 20)
    shank = leg * about(LEFT, 90)  # of the rig
    foot = leg * about(LEFT, 90) * leg.inv()  # of the actor, flat at rest
    return (shank.inv() * foot).as_rotvec()
