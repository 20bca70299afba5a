# SPDX-License-Identifier: Apache-2.0
"""Patches of the skin move as the mesh does."""

from dataclasses import replace

import numpy as np
import pytest

from vendor_core.body import BodyModel, default_body
from vendor_core.body.patches import default_patches, default_support, joint_columns, joints_of, skin_patches
from vendor_core.rotations import exp_so3


@pytest.fixture
def poses(rng: np.random.Generator) -> np.ndarray:
    return exp_so3(0.5 * rng.standard_normal((6, 21, 3)))


@pytest.fixture
def meshes(poses: np.ndarray) -> np.ndarray:
    root = np.broadcast_to(np.eye(3), (len(poses), 1, 3, 3))
    return np.asarray(default_body().pose(np.concatenate([root, poses], axis=1), vertices=True).vertices)


@pytest.fixture(scope="module")
def rest() -> np.ndarray:
    return default_body().joints_template[:22]


def test_the_mean_of_all_patches_is_the_mean_of_all_vertices(
    poses: np.ndarray, meshes: np.ndarray, rest: np.ndarray
) -> None:
    skin = default_patches()
    assert skin.share.sum() == pytest.approx(1)
    np.testing.assert_allclose(np.tensordot(skin.share, skin.points(poses, rest), 1), meshes.mean(1), atol=1e-12)


def test_the_lowest_of_the_support_points_is_the_lowest_of_the_mesh(
    poses: np.ndarray, meshes: np.ndarray, rest: np.ndarray
) -> None:
    points = default_support().points(poses, rest)
    assert len(points) < 2000
    for direction in np.concatenate([np.eye(3), -np.eye(3), np.full((1, 3), 0.6)]):
        missed = (points @ direction).min(axis=0) - (meshes @ direction).min(axis=1)
        assert missed.min() > -1e-9
        assert np.median(missed) < 1e-3 and missed.max() < 0.02


def test_patches_of_one_vertex_are_the_mesh(poses: np.ndarray, meshes: np.ndarray, rest: np.ndarray) -> None:
    few = _part_of_default(np.arange(0, 13000, 100))
    skin = skin_patches(few, len(few.v_template))
    assert len(skin.share) == len(few.v_template)
    found = np.sort(skin.points(poses, rest)[:, 0, 0])
    np.testing.assert_allclose(found, np.sort(meshes[0, ::100][:130, 0]), atol=1e-12)


def test_steps_are_those_of_the_mesh(poses: np.ndarray, meshes: np.ndarray, rest: np.ndarray) -> None:
    truth = np.linalg.norm(np.diff(meshes, axis=0), axis=-1).mean(-1)
    np.testing.assert_allclose(default_patches().steps(poses, rest), truth, rtol=0.005)


def test_the_energy_root_gives_the_mean_square_of_the_patches(poses: np.ndarray, rest: np.ndarray) -> None:
    skin = default_patches()
    S = np.diff(joint_columns(*joints_of(poses, rest)), axis=0)
    squares = skin.share @ np.sum(np.diff(skin.points(poses, rest), axis=1) ** 2, axis=-1)
    np.testing.assert_allclose(np.sum((skin.energy_root @ S) ** 2, axis=(1, 2)), squares, rtol=1e-3)


def _part_of_default(index: np.ndarray) -> BodyModel:
    body = default_body()
    return replace(body, v_template=body.v_template[index], weights=body.weights[index])
