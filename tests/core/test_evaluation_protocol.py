# SPDX-License-Identifier: Apache-2.0
"""The protocol as a whole, made small: every row of every prior and baseline, finite and fit for JSON."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.core.evaluation_data import made_data
from vendor_core.errors import MotionError
from vendor_core.evaluation.coverage import CoverageSizes
from vendor_core.evaluation.denoising import DenoisingSizes
from vendor_core.evaluation.latency import LatencySizes
from vendor_core.evaluation.paths import PathSizes
from vendor_core.evaluation.pictures import PictureSizes
from vendor_core.evaluation.pose_mixture import pose_mixture
from vendor_core.evaluation.protocol import Sizes, evaluate
from vendor_core.evaluation.report_table import GROUPS, value_of
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3, log_so3

SMALL = Sizes(
    CoverageSizes((200, 50), 20, 20), PathSizes(4, (30,)), 2, PictureSizes(2, 1), 20,
    DenoisingSizes(1, 60, (0.04,)), LatencySizes(5, 2, 2),
)  # fmt: skip


def numbers(found: object) -> Iterator[float]:
    if isinstance(found, dict):
        for value in found.values():
            yield from numbers(value)
    elif isinstance(found, list):
        for value in found:
            yield from numbers(value)
    else:
        yield float(found)  # type: ignore[arg-type]


def test_every_row_is_measured_and_every_cell_of_the_table_found() -> None:
    heard: list[float] = []
    results = evaluate({"vae": load_prior()}, made_data(), sizes=SMALL, report=lambda f, _: heard.append(f))
    assert list(results) == ["vae", "real data", "GMM", "slerp", "no prior"]
    assert np.isfinite(list(numbers(json.loads(json.dumps(results, allow_nan=False))))).all()
    both = results["real data"] | results["vae"]
    assert not [(title, row.label) for title, rows in GROUPS for row in rows if value_of(both, row) is None]
    assert set(results["no prior"]) == {"inverse", "pictures", "denoising"}
    assert set(results["slerp"]) == {"interpolation"} and "recall" in results["GMM"]
    assert heard == sorted(heard) and heard[0] == 0 and heard[-1] == 1


def test_a_vposer_is_judged_beside_the_shipped_prior(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tests.core.vposer_files import VPoser2, randomised, write_folder

    vposer = load_prior(write_folder(tmp_path / "V02_05", randomised(VPoser2(width=32)), 2))
    rows = ("samples", "reconstruction", "interpolation", "pictures", "implausible")
    results = evaluate({"vae": load_prior(), "V02_05": vposer}, made_data(), rows, SMALL)
    assert set(results["V02_05"]) == set(results["vae"])
    assert np.isfinite(list(numbers(results["V02_05"]))).all()
    assert results["V02_05"]["reconstruction"]["deg"] > results["vae"]["reconstruction"]["deg"]


def test_rows_can_be_chosen() -> None:
    results = evaluate({"vae": load_prior()}, made_data(), ["reconstruction"], SMALL)
    assert list(results) == ["vae"] and list(results["vae"]) == ["reconstruction"]


def test_data_without_poses_are_refused() -> None:
    nobody = replace(made_data().held_out, R=np.zeros((0, 21, 3, 3)))
    with pytest.raises(MotionError, match="no usable frame"):
        evaluate({"vae": load_prior()}, replace(made_data(), held_out=nobody), ["reconstruction"], SMALL)


def test_the_mixture_is_a_prior_of_rotation_vectors(rng: np.random.Generator) -> None:
    mixture = pose_mixture(made_data(), load_prior(), 4)
    z = mixture.sample(500, 3)
    np.testing.assert_array_equal(z, mixture.sample(500, 3))
    w = log_so3(made_data().train.R.astype(np.float64)).reshape(len(made_data().train), -1)
    R = mixture.decode(z)
    drawn = log_so3(R).reshape(len(R), -1)
    assert np.abs(drawn.mean(0) - w.mean(0)).max() < 0.15 and np.abs(drawn.std(0) - w.std(0)).max() < 0.15
    again = mixture.encode(R)
    np.testing.assert_allclose(mixture.decode(again), R, atol=1e-9)
    own = again[:, -1] == z[:, -1]  # of the others another Gaussian is the likeliest
    assert own.mean() > 0.6
    np.testing.assert_allclose(again[own], z[own], atol=1e-6)
    np.testing.assert_allclose(mixture.log_density(z), mixture.density.log_density(drawn), atol=1e-6)
    assert mixture.log_density(z).mean() > mixture.log_density(z + np.append(rng.normal(size=63), 0.0)).mean()


def test_a_solver_stays_with_the_gaussian_that_it_starts_from() -> None:
    mixture, z = pose_mixture(made_data(), load_prior(), 4), np.array([[*[2.0] * 63, 3.0]])
    np.testing.assert_array_equal(mixture.space.off(z), [[*[2.0] * 63, 0.0]])
    assert mixture.decode_with_jacobian(z)[1].shape == (1, 21, 3, 64)
    assert not mixture.decode_with_jacobian(z)[1][..., -1].any()


@pytest.mark.parametrize("size", [0.0, 1e-6, 0.3])
def test_the_mixtures_jacobian_is_that_of_the_exponential(size: float, rng: np.random.Generator) -> None:
    mixture = pose_mixture(made_data(), load_prior(), 2)
    z, dz = size * rng.normal(size=(3, 64)), 1e-6 * rng.normal(size=(3, 64))
    z[:, -1], dz[:, -1] = (0, 1, 1), 0
    R, W = mixture.decode_with_jacobian(z)
    turn = (W @ dz[:, None, :, None])[..., 0]
    np.testing.assert_allclose(mixture.decode(z + dz), R @ exp_so3(turn), atol=1e-11)
