# SPDX-License-Identifier: Apache-2.0
"""VPoser's checkpoints: against its networks in plain torch, without torch, at work in the solvers, and damaged."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.core.conftest import REPO  # noqa: E402
from tests.core.vposer_files import VPoser1, VPoser2, lightning, randomised, write_folder  # noqa: E402
from vendor_core.body import default_body  # noqa: E402
from vendor_core.cli import main  # noqa: E402
from vendor_core.ik import LiveSolver, fit_joints  # noqa: E402
from vendor_core.prior import VPoserPrior, interpolate_poses, load_prior  # noqa: E402
from vendor_core.rotations import exp_so3, log_so3  # noqa: E402

MODELS: dict[str, tuple[int, Callable[[], Any]]] = {
    "2": (2, VPoser2),
    "2 narrow": (2, lambda: VPoser2(96, 20)),
    "1": (1, VPoser1),
    "1 on matrices": (1, lambda: VPoser1(n_in=189)),
}
POSES = exp_so3(np.random.default_rng(3).normal(0, 0.7, (9, 21, 3)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of version 2."""
    return write_folder(tmp_path_factory.mktemp("vposer") / "V02_05", randomised(VPoser2()), 2)


@pytest.fixture(scope="module")
def prior(folder: Path) -> VPoserPrior:
    found = load_prior(folder)
    assert isinstance(found, VPoserPrior)
    return found


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", list(MODELS))
def test_it_equals_the_original_networks(tmp_path: Path, name: str, zipped: bool) -> None:
    version, make = MODELS[name]
    model = randomised(make(), seed=1)
    prior = load_prior(write_folder(tmp_path / "experiment", model, version, zipped))
    z = np.random.default_rng(4).standard_normal((9, prior.latent_dim))
    with torch.no_grad():
        mean, deviation = model.double().encode(torch.as_tensor(POSES))
        decoded = model.decode(torch.as_tensor(z))
    np.testing.assert_allclose(prior.encode(POSES), mean, atol=1e-5)
    np.testing.assert_allclose(prior.posterior(POSES)[1], deviation, atol=1e-5)
    np.testing.assert_allclose(prior.decode(z), decoded, atol=1e-5)
    np.testing.assert_allclose(prior.decode(torch.as_tensor(z)), decoded, atol=1e-5)
    np.testing.assert_allclose(prior.encode(torch.as_tensor(POSES)), mean, atol=1e-5)
    assert prior.about["format"] == f"VPoser version {version}"


WITHOUT_TORCH = """if True:
    import sys
    class NoTorch:
        def find_spec(self, name, path=None, target=None):
            if name.partition(".")[0] == "torch":
                raise ImportError("there is no torch")
    sys.meta_path.insert(0, NoTorch())
    import numpy as np
    from vendor_core.prior import load_prior
    expected = np.load(sys.argv[2])
    prior = load_prior(sys.argv[1])
    assert np.abs(prior.encode(expected["R"]) - expected["mean"]).max() < 1e-5
    assert np.abs(prior.decode(expected["z"]) - expected["decoded"]).max() < 1e-5
    assert "torch" not in sys.modules
"""


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("version", [1, 2])
def test_it_is_read_where_there_is_no_torch(tmp_path: Path, version: int, zipped: bool) -> None:
    model = randomised(VPoser2() if version == 2 else VPoser1(), seed=2)
    folder = write_folder(tmp_path / "experiment", model, version, zipped)
    z = np.random.default_rng(5).standard_normal((9, 32))
    with torch.no_grad():
        mean, decoded = model.double().encode(torch.as_tensor(POSES))[0], model.decode(torch.as_tensor(z))
    np.savez(tmp_path / "expected.npz", R=POSES, z=z, mean=mean.numpy(), decoded=decoded.numpy())
    command = [sys.executable, "-c", WITHOUT_TORCH, str(folder), str(tmp_path / "expected.npz")]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_read(tmp_path: Path, dtype: torch.dtype) -> None:
    model = randomised(VPoser2(64, 8)).to(dtype)
    torch.save(lightning(model), tmp_path / "model.ckpt")
    prior, z = load_prior(tmp_path / "model.ckpt"), np.random.default_rng(6).standard_normal((4, 8))
    with torch.no_grad():
        np.testing.assert_allclose(prior.decode(z), model.double().decode(torch.as_tensor(z)), atol=1e-5)


def test_views_of_one_storage_are_read(tmp_path: Path) -> None:
    model = randomised(VPoser2(64, 8))
    state = lightning(model)["state_dict"]
    key = "vp_model.decoder_net.3.weight"
    state[key] = torch.cat([torch.zeros(5, 64), state[key].T]).clone()[5:].T  # an offset, and columns before rows
    state["vp_model.decoder_net.0.bias"] = torch.nn.Parameter(state["vp_model.decoder_net.0.bias"])
    z = np.random.default_rng(6).standard_normal((4, 8))
    for zipped in (True, False):
        torch.save(state, tmp_path / "views.pt", _use_new_zipfile_serialization=zipped)
        prior = load_prior(tmp_path / "views.pt")
        with torch.no_grad():
            decoded = model.double().decode(torch.as_tensor(z))
        np.testing.assert_allclose(prior.decode(z), decoded, atol=1e-5)


def test_the_newest_snapshot_is_read_and_a_file_of_it_gives_the_same(folder: Path) -> None:
    path = folder / "snapshots" / "V02_05_epoch=13_val_loss=0.03.ckpt"
    assert load_prior(str(folder)) is load_prior(path)
    older = load_prior(folder / "snapshots" / "V02_05_epoch=08_val_loss=0.03.ckpt")
    assert (older.latent_dim, load_prior(path).latent_dim) == (8, 32)


def test_jacobian_against_central_differences(prior: VPoserPrior, rng: np.random.Generator) -> None:
    z, h = rng.standard_normal((4, 32)), 1e-6
    _, W = prior.decode_with_jacobian(z)
    for k, e in enumerate(h * np.eye(32)):
        numeric = log_so3(np.swapaxes(prior.decode(z - e), -1, -2) @ prior.decode(z + e)) / (2 * h)
        np.testing.assert_allclose(W[..., k], numeric, atol=1e-5)


def test_samples_and_density_are_those_of_the_standard_normal(prior: VPoserPrior) -> None:
    z = prior.sample(4000, seed=8)
    np.testing.assert_array_equal(z, prior.sample(4000, seed=8))
    assert abs(z.mean()) < 0.01 and abs(z.std() - 1) < 0.01
    expected = torch.distributions.Normal(0.0, 1.0).log_prob(torch.as_tensor(z)).sum(-1)
    np.testing.assert_allclose(prior.log_density(z), expected, rtol=1e-12)


def test_it_stands_in_for_the_shipped_prior_in_the_solvers(prior: VPoserPrior) -> None:
    body, effectors = default_body(), ["pelvis", "head", "left_wrist", "right_wrist", "left_ankle", "right_ankle"]
    columns = [body.joint_names.index(name) for name in effectors]
    z = prior.sample(1, seed=1)
    upright = np.broadcast_to(np.eye(3), (2, 1, 3, 3))
    R_local = np.concatenate([upright, prior.decode(np.concatenate([0.5 * z, 0.9 * z]))], axis=1)
    start, end = body.pose(R_local, np.zeros((2, 3))).joints[:, columns]
    assert np.linalg.norm(end - start, axis=-1).max() > 0.05
    solved = fit_joints(body, prior, effectors, end[None])
    assert solved.residual.max() < 0.005
    solver = LiveSolver(body, prior, effectors, R_local[0], np.zeros(3))
    assert np.nanmax(solver.solve(start).residual) < 1e-6  # nothing moves while nothing is dragged
    for share in np.linspace(0, 1, 21):
        answer = solver.solve((1 - share) * start + share * end)
    assert answer.residual.max() < 0.01


def test_it_stands_in_for_the_shipped_prior_on_the_way_from_key_to_key(prior: VPoserPrior) -> None:
    keys = POSES[:3]
    poses = interpolate_poses(prior, keys, [5, 7])
    np.testing.assert_allclose(poses[[0, 5, 12]], keys, atol=1e-9)


def test_the_command_line_samples_from_it_and_describes_it(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", "-n", "2", "--seed", "1", "--prior", str(folder), "-o", str(tmp_path / "poses.npz")]) == 0
    capsys.readouterr()
    for path in (folder, folder / "snapshots" / "V02_05_epoch=13_val_loss=0.03.ckpt"):
        assert main(["info", str(path), "--json", str(tmp_path / "info.json")]) == 0
        facts = json.loads((tmp_path / "info.json").read_text())
        assert (facts["kind"], facts["latent"], facts["format"]) == ("prior", 32, "VPoser version 2")
