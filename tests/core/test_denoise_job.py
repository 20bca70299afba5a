# SPDX-License-Identifier: Apache-2.0
"""The worker's job that denoises: arrays go in and come out, and what is no motion is one line."""

import importlib
import sys
import time
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from tests.core.conftest import REPO
from vendor_core.body import default_body
from vendor_core.ik.denoise import denoise
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.rotations import exp_so3


@pytest.fixture
def client() -> Iterator[Any]:
    """The add-on's client of a real worker, imported as Blender does, without the add-on, which needs bpy."""
    for name, folder in (("poise_package", REPO), ("poise_package.addon", REPO / "addon")):
        package = types.ModuleType(name)
        package.__path__ = [str(folder)]
        sys.modules.setdefault(name, package)
    client = importlib.import_module("poise_package.addon.worker.client").WorkerClient()
    yield client
    client.close()


@pytest.fixture(scope="module")
def motion() -> dict[str, np.ndarray]:
    prior, t = load_prior(), np.linspace(0, 3, 24)[:, None]
    a, b = prior.sample(2, seed=6)
    turn = 0.05 * np.random.default_rng(0).normal(size=(24, 21, 3))
    R = prior.decode(a + 0.5 * np.sin(t) * b) @ exp_so3(turn)
    root = np.broadcast_to(exp_so3(np.array([np.pi / 2, 0, 0])), (24, 1, 3, 3))
    rest = default_body().rest_joints()[:22]
    return {"R_local": np.concatenate([root, R], axis=1), "trans": t * (0.3, 0, 0), "rest_joints": rest}


def answer(client: Any, params: dict[str, Any], arrays: dict[str, np.ndarray]) -> Any:
    client.run("denoise", params, arrays)
    messages, give_up = [], time.monotonic() + 60
    while client.busy:
        assert time.monotonic() < give_up, messages
        messages += client.poll()
        time.sleep(0.005)
    return messages[-1]


def test_the_worker_denoises_as_the_core_does(client: Any, motion: dict[str, np.ndarray]) -> None:
    last = answer(client, {"rate": 30.0, "amount": 0.8}, motion)
    assert last.type == "result", last.fields
    prior, critic = load_prior(), load_plausibility()
    R, trans = denoise(default_body(), prior, critic, motion["R_local"], motion["trans"], 30.0, 0.8)
    np.testing.assert_allclose(last.arrays["R_local"], R, atol=1e-8)
    np.testing.assert_allclose(last.arrays["trans"], trans, atol=1e-8)
    expected = [np.median(critic.score(x[:, 1:])) for x in (motion["R_local"], R)]
    assert [last.data[f"plausibility_{when}"] for when in ("before", "after")] == pytest.approx(expected, abs=1e-6)


def test_what_is_no_motion_is_one_line(client: Any, motion: dict[str, np.ndarray]) -> None:
    broken = motion["R_local"].copy()
    broken[3, 2] = np.nan
    for params, arrays, words in (
        ({"rate": 30.0}, {}, "expected an array"),
        ({}, motion, "expected a number"),
        ({"rate": 0.0}, motion, "expected a frame rate"),
        ({"rate": 30.0, "amount": 2.0}, motion, "0 to 1"),
        ({"rate": 30.0}, {**motion, "R_local": broken}, "not finite"),
        ({"rate": 30.0}, {**motion, "trans": motion["trans"][:4]}, "to denoise"),
        ({"rate": 30.0}, {**motion, "rest_joints": np.zeros((3, 3))}, "joint"),
    ):
        last = answer(client, params, arrays)
        assert last.type == "error" and words in last.fields["message"], (words, last.fields)
        assert "\n" not in last.fields["message"]


def test_arrays_larger_than_a_pipe_arrive_whole(client: Any, motion: dict[str, np.ndarray]) -> None:
    R = exp_so3(np.random.default_rng(0).normal(size=(2000, 22, 3)))
    trans = np.random.default_rng(1).normal(size=(2000, 3))
    last = answer(client, {"rate": 30.0, "amount": 0}, {**motion, "R_local": R, "trans": trans})
    np.testing.assert_array_equal(last.arrays["R_local"], R)
    np.testing.assert_array_equal(last.arrays["trans"], trans)
