# SPDX-License-Identifier: Apache-2.0
"""What users hand to the public calls: lists and whole numbers are taken, what is no use is refused in one line."""

from collections.abc import Callable

import numpy as np
import pytest

from vendor_core.body import body_from_joints, default_body
from vendor_core.errors import PoiseError
from vendor_core.evaluation import evaluate
from vendor_core.ik import Camera, ImageTargets, JointTargets, LiveSolver, denoise, fit_joints, solve
from vendor_core.mocap import place_markers, solve_take
from vendor_core.motion import Motion, write_motion
from vendor_core.prior import (
    as_module,
    inbetweens,
    interpolate_poses,
    load_plausibility,
    load_prior,
    repair,
    variations,
)
from vendor_core.training import train_prior

PRIOR, CRITIC, BODY = load_prior(), load_plausibility(), default_body()
Z = PRIOR.sample(3, seed=0)
R = PRIOR.decode(Z)
REST = np.tile(np.eye(3), (22, 1, 1))
J = BODY.pose(REST).joints[None, :22]
NAMES = BODY.joint_names[:22]
BROKEN = np.where(np.arange(3)[:, None, None, None] == 1, np.nan, R)

CASES: dict[str, tuple[Callable[[], object], str]] = {
    "a prior by no name": (lambda: load_prior(None), "NoneType"),  # type: ignore[arg-type]
    "latents of another size": (lambda: PRIOR.decode(Z[:, :5]), r"\(3, 5\); expected \(\.\.\., 32\) for vae"),
    "one latent number": (lambda: PRIOR.decode_with_jacobian(np.array(1.0)), r"\(\)"),
    "latents that are text": (lambda: PRIOR.decode(np.array(["a"] * 32)), "expected an array of numbers"),
    "latents that are nothing": (lambda: PRIOR.log_density(None), "NoneType"),
    "rotation vectors for matrices": (lambda: PRIOR.encode(np.zeros((2, 63))), r"\(2, 63\).*exp_so3"),
    "the root among the joints": (lambda: PRIOR.posterior(REST), r"\(22, 3, 3\)"),
    "rows that differ": (lambda: PRIOR.encode([[1.0], [1.0, 2.0]]), "expected an array of numbers"),
    "some of the joints": (lambda: PRIOR.guess(J[:, :5], np.ones((1, 5), bool)), r"\(1, 5, 3\)"),
    "fewer than no samples": (lambda: PRIOR.sample(-1, 0), "-1 samples"),
    "half a sample": (lambda: PRIOR.sample(2.5, 0), "whole numbers"),  # type: ignore[arg-type]
    "more than memory": (lambda: PRIOR.sample(10**13, 0), "10,000,000"),
    "a seed below zero": (lambda: PRIOR.sample(1, -1), "seed"),
    "no module": (lambda: as_module("vae"), "load_prior"),  # type: ignore[arg-type]
    "poses to score": (lambda: CRITIC.score(R[:, :20]), r"\(3, 20, 3, 3\)"),
    "keys with NaN": (lambda: interpolate_poses(PRIOR, BROKEN, [3, 3]), "key 1"),
    "keys that are no rotations": (lambda: interpolate_poses(PRIOR, 2 * R, [3, 3]), "orthonormal"),
    "half a step": (lambda: interpolate_poses(PRIOR, R, [1.5, 2]), "whole steps"),  # type: ignore[list-item]
    "a number for steps": (lambda: interpolate_poses(PRIOR, R, 3), "whole steps"),  # type: ignore[arg-type]
    "no path": (lambda: inbetweens(PRIOR, R, [3, 3], "straight"), "latent, slerp"),  # type: ignore[arg-type]
    "no timing": (lambda: inbetweens(PRIOR, R, [3, 3], timing="slow"), "constant, ease"),  # type: ignore[arg-type]
    "rest joints": (lambda: inbetweens(PRIOR, R, [3, 3], rest_joints=np.zeros((5, 3))), r"\(5, 3\)"),
    "joints to keep": (lambda: repair(PRIOR, CRITIC, R, kept=np.ones(5, bool)), r"\(5,\)"),
    "no amount": (lambda: repair(PRIOR, CRITIC, R, amount="half"), "0 to 1"),  # type: ignore[arg-type]
    "variations of several": (lambda: variations(PRIOR, CRITIC, R, 2, 0, 0.5), r"\(3, 21, 3, 3\)"),
    "variations to keep": (lambda: variations(PRIOR, CRITIC, R[0], 2, 0, 0.5, np.ones(22, bool)), r"\(22,\)"),
    "a target alone": (lambda: solve(BODY, PRIOR, JointTargets(NAMES, J)), "expected a list"),  # type: ignore[arg-type]
    "no target": (lambda: solve(BODY, PRIOR, ["left_wrist"]), "a target is a str"),  # type: ignore[list-item]
    "no body": (lambda: fit_joints(PRIOR, BODY, NAMES, J), "body is a VaePrior"),  # type: ignore[arg-type]
    "no start": (lambda: fit_joints(BODY, PRIOR, NAMES, J, start=REST), "start is a ndarray"),  # type: ignore[arg-type]
    "no rate": (lambda: solve(BODY, PRIOR, [JointTargets(NAMES, J)], rate="fast"), "rate is fast"),  # type: ignore[arg-type]
    "no camera": (
        lambda: solve(BODY, PRIOR, [ImageTargets(NAMES, J[..., :2], None)]),  # type: ignore[arg-type]
        "expected a Camera",
    ),
    "half a camera": (lambda: Camera(1145.0, [0, 0], np.eye(3), np.zeros(3)), "two positive numbers"),
    "a drag of text": (lambda: LiveSolver(BODY, PRIOR, ["head"], "x", np.zeros(3)), "numbers"),  # type: ignore[arg-type]
    "a drag of rows": (
        lambda: LiveSolver(BODY, PRIOR, ["head"], [[1.0], [1.0, 2.0]], np.zeros(3)),  # type: ignore[arg-type]
        "differ in length",
    ),
    "noise without a rate": (
        lambda: denoise(BODY, PRIOR, CRITIC, REST[None], np.zeros((1, 3)), "x"),  # type: ignore[arg-type]
        "a rate of x Hz",
    ),
    "a pose of vectors": (lambda: BODY.pose(np.zeros((3, 22, 3))), r"\(3, 22, 3\); expected rotations"),
    "too many joints": (lambda: BODY.pose(np.zeros((60, 3, 3))), "up to 55 joints"),
    "places of other frames": (lambda: BODY.pose(np.tile(REST, (3, 1, 1, 1)), np.zeros((2, 3))), r"\(2, 3\)"),
    "a pose that is a list": (lambda: BODY.pose(REST.tolist()), "expected rotations"),
    "five joints at rest": (lambda: body_from_joints(np.zeros((5, 3))), r"\(5, 3\)"),
    "no joints at rest": (lambda: body_from_joints(np.full((22, 3), np.nan)), "finite"),
    "a motion without fingers": (lambda: write_motion("x.npz", Motion(np.zeros((2, 22, 3)), np.zeros((2, 3)))), "22"),
    "a motion of NaN": (
        lambda: write_motion("x.npz", Motion(np.full((2, 55, 3), np.nan), np.zeros((2, 3)))),
        "not finite",
    ),
    "a take by its name": (lambda: solve_take("take.c3d", BODY, PRIOR), "read_take"),  # type: ignore[arg-type]
    "no marker": (lambda: place_markers(BODY, ["NOSE_RING"]), '"NOSE_RING"'),
    "one prior": (lambda: evaluate(PRIOR, None), "dictionary by name"),  # type: ignore[arg-type]
    "a folder alone": (lambda: train_prior("AMASS", "mine.npz"), "a list of folders"),
    "no kind of prior": (lambda: train_prior(["AMASS"], "mine.npz", kind="flow"), "vae, gan_s"),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("case", CASES)
def test_what_is_no_use_is_refused_in_one_line(case: str) -> None:
    call, said = CASES[case]
    with pytest.raises(PoiseError, match=said) as refused:
        call()
    assert "\n" not in str(refused.value)


def test_lists_and_whole_numbers_are_taken() -> None:
    np.testing.assert_array_equal(PRIOR.decode(Z.tolist()), R)
    np.testing.assert_allclose(PRIOR.encode(R.tolist()), PRIOR.encode(R))
    np.testing.assert_array_equal(PRIOR.decode(np.zeros(32, dtype=int)), PRIOR.decode(np.zeros(32)))
    np.testing.assert_array_equal(CRITIC.score(R.tolist()), CRITIC.score(R))
    seen = np.ones((1, 22), dtype=bool)
    np.testing.assert_array_equal(PRIOR.guess(J.tolist(), seen.tolist())[0], PRIOR.guess(J, seen)[0])


def test_what_is_not_known_of_one_pose_harms_no_other() -> None:
    z = PRIOR.encode(BROKEN)
    assert np.isnan(z[1]).all()
    np.testing.assert_allclose(z[[0, 2]], PRIOR.encode(R)[[0, 2]], atol=1e-12)
    found = PRIOR.decode(z)
    assert np.isnan(found[1]).all() and np.isfinite(found[[0, 2]]).all()
