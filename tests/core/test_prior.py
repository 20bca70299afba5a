# SPDX-License-Identifier: Apache-2.0
"""The shipped prior: rotations, Jacobian, both array libraries, reconstruction, sampling, damaged files."""

from pathlib import Path

import numpy as np
import pytest

from vendor_core import linalg
from vendor_core.errors import PriorError
from vendor_core.npz import read_npz, write_npz
from vendor_core.prior import AutoEncoder, VaePrior, load_prior
from vendor_core.prior.network import Activation, LeakyRelu, Network, Silu
from vendor_core.rotations import exp_so3, log_so3
from vendor_core.training.data import load_poses
from vendor_core.training.measure import reconstruction

WEIGHTS = Path(__file__).parents[2] / "vendor_core" / "prior" / "weights" / "vae.npz"


@pytest.fixture(scope="module")
def prior() -> AutoEncoder:
    return load_prior("vae")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(), (7,), (2, 3)])
def test_decoding_gives_rotations_of_the_same_dtype(
    prior: AutoEncoder, rng: np.random.Generator, dtype: type, shape: tuple[int, ...]
) -> None:
    z = (3 * rng.standard_normal((*shape, prior.latent_dim))).astype(dtype)
    R = prior.decode(z)
    assert R.dtype == dtype
    assert R.shape == (*shape, 21, 3, 3)
    tolerance = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=tolerance)
    np.testing.assert_allclose(np.linalg.det(R), 1, atol=tolerance)
    assert prior.encode(R).shape == z.shape


@pytest.mark.parametrize("shape", [(), (4,), (2, 2)])
def test_jacobian_against_central_differences(
    prior: AutoEncoder, rng: np.random.Generator, shape: tuple[int, ...]
) -> None:
    z, h = rng.standard_normal((*shape, prior.latent_dim)), 1e-5
    R, W = prior.decode_with_jacobian(z)
    np.testing.assert_array_equal(R, prior.decode(z))
    for k, e in enumerate(h * np.eye(prior.latent_dim)):
        numeric = log_so3(np.swapaxes(prior.decode(z - e), -1, -2) @ prior.decode(z + e)) / (2 * h)
        np.testing.assert_allclose(W[..., k], numeric, atol=1e-6)


def test_torch_agrees_with_numpy(prior: AutoEncoder, rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    z = rng.standard_normal((5, prior.latent_dim))
    R, W = prior.decode_with_jacobian(z)
    R_torch, W_torch = prior.decode_with_jacobian(torch.as_tensor(z))
    np.testing.assert_allclose(R_torch, R, atol=1e-12)
    np.testing.assert_allclose(W_torch, W, atol=1e-11)
    np.testing.assert_allclose(prior.encode(R_torch), prior.encode(R), atol=1e-11)


def test_jacobian_is_the_same_without_blas(
    prior: AutoEncoder, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    z = rng.standard_normal((3, prior.latent_dim))
    monkeypatch.setattr(linalg, "has_blas", lambda: True)
    _, W = prior.decode_with_jacobian(z)
    monkeypatch.setattr(linalg, "has_blas", lambda: False)
    np.testing.assert_allclose(prior.decode_with_jacobian(z)[1], W, atol=1e-12)


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_an_encoder_may_tell_its_spread_beside_its_means(rng: np.random.Generator, kind: str) -> None:
    arrays, R = read_npz(WEIGHTS, None, PriorError), exp_so3(rng.normal(0, 0.5, (4, 21, 3)))
    last = max(key for key in arrays if key.startswith("encoder_W"))[-1]
    n = arrays["decoder_W0"].shape[1]
    W, b = (arrays[f"encoder_{name}{last}"][:n].astype(np.float64) for name in "Wb")
    log_variance = np.linspace(-20, 10, n)  # some beyond the limits
    wide = {f"encoder_W{last}": np.concatenate([W, 0 * W]), f"encoder_b{last}": np.concatenate([b, log_variance])}
    means, both = VaePrior(arrays | {f"encoder_W{last}": W, f"encoder_b{last}": b}, "a"), VaePrior(arrays | wide, "b")
    if kind == "torch":
        R = pytest.importorskip("torch").as_tensor(R)
    mean, deviation = both.posterior(R)
    np.testing.assert_allclose(mean, means.encode(R), atol=1e-12)
    np.testing.assert_allclose(both.encode(R), mean, atol=1e-12)
    np.testing.assert_allclose(deviation, np.exp(0.5 * np.clip(log_variance, -12, 4)) * np.ones((4, 1)), rtol=1e-12)
    np.testing.assert_allclose(means.posterior(R)[1], np.full((4, n), np.exp(-6)), rtol=1e-12)


@pytest.mark.parametrize("activation", [Silu(), LeakyRelu(0.01), LeakyRelu(0.2)])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_an_activation_and_its_slope(rng: np.random.Generator, activation: Activation, kind: str) -> None:
    sizes, h = [(7, 5), (7, 7), (3, 7)], 1e-6
    layers = [(rng.normal(size=size), rng.normal(size=size[0])) for size in sizes]
    network, x = Network(layers, activation), rng.normal(size=(6, 5))
    y, J = network.with_jacobian(x if kind == "numpy" else pytest.importorskip("torch").as_tensor(x))
    np.testing.assert_allclose(y, network(x), atol=1e-12)
    for k, e in enumerate(h * np.eye(5)):
        np.testing.assert_allclose(J[..., k], (network(x + e) - network(x - e)) / (2 * h), atol=1e-6)


def test_unseen_subjects_are_reconstructed(prior: AutoEncoder, shared_data: Path) -> None:
    measured = reconstruction(prior, load_poses([shared_data / "motion" / "val.npz"], mirror=False))
    assert measured["mm"] < 6
    assert measured["deg"] < 5.5


def test_samples_follow_the_seed_and_stay_near_the_data(prior: AutoEncoder) -> None:
    z = prior.sample(500, seed=3)
    np.testing.assert_array_equal(z, prior.sample(500, seed=3))
    assert not np.array_equal(z, prior.sample(500, seed=4))
    # Decoding and encoding again is near the identity only where the networks have seen poses.
    again = prior.encode(prior.decode(z))
    assert np.linalg.norm(again - z, axis=1).mean() < 0.5 * np.linalg.norm(z - z.mean(0), axis=1).mean()


def test_the_file_is_small_plain_and_says_where_it_is_from(prior: AutoEncoder) -> None:
    assert WEIGHTS.stat().st_size <= 4_000_000
    assert {array.dtype.kind for array in read_npz(WEIGHTS, None, PriorError).values()} == {"f", "U"}
    assert prior.about["license"] == "CC0-1.0"
    assert "mocap.cs.cmu.edu" in prior.about["attribution"]
    assert prior.about["command"].startswith("python -m vendor_core train")


def test_a_name_that_nobody_knows_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match="vae"):
        load_prior("vposer-xl")
    with pytest.raises(PriorError):
        load_prior(tmp_path)


def test_a_file_is_read_once_and_again_when_it_changed(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    path.write_bytes(WEIGHTS.read_bytes())
    first = load_prior(path)
    assert load_prior(str(path)) is first
    write_npz(path, read_npz(path, None, PriorError) | {"license": np.array("mine")})
    assert load_prior(path).about["license"] == "mine"


def _faults() -> dict[str, dict[str, np.ndarray]]:
    arrays = read_npz(WEIGHTS, None, PriorError)
    spoilt = arrays["decoder_b1"].copy()
    spoilt[0] = np.nan
    return {
        "format": {"format": np.array("something else")},
        "finite": {"decoder_b1": spoilt},
        "far too large": {"decoder_b0": np.full(arrays["decoder_b0"].shape, 1e200)},
        "no rotations": {"decoder_W2": 0 * arrays["decoder_W2"], "decoder_b2": 0 * arrays["decoder_b2"]},
        "layer 1": {"decoder_W1": arrays["decoder_W1"][:, :-1]},
        "ends at": {"decoder_W2": arrays["decoder_W2"][:-1], "decoder_b2": arrays["decoder_b2"][:-1]},
        "decoder_W0 has shape": {"decoder_W0": np.zeros(3)},
        "encoder": {"encoder_W0": np.zeros((4, 4))},
        "density has": {"density_means": arrays["density_means"][:-1]},
        "no probabilities": {"density_weights": -arrays["density_weights"]},
        "rest_joints": {"rest_joints": np.zeros((3, 3))},
        "int32": {"decoder_b0": arrays["decoder_b0"].astype(np.int32)},
        "<U32": {"encoder_b0": arrays["encoder_b0"].astype(str)},
        "float64 of shape": {"density_weights": np.array(1.0)},
    }


@pytest.mark.parametrize("message", list(_faults()))
def test_arrays_that_do_not_fit_are_refused_in_one_line(tmp_path: Path, message: str) -> None:
    path = tmp_path / "bad.npz"
    write_npz(path, read_npz(WEIGHTS, None, PriorError) | _faults()[message])
    with pytest.raises(PriorError, match=message) as caught:
        load_prior(path)
    assert "\n" not in str(caught.value)


def test_damaged_files_are_refused_in_one_line(tmp_path: Path) -> None:
    whole = WEIGHTS.read_bytes()
    damaged = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "text": b"hello",
        "flipped": whole[:9000] + b"x" * 99 + whole[9099:],
    }
    for name, content in damaged.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(PriorError) as caught:
            load_prior(path)
        assert "\n" not in str(caught.value)


def test_pickled_objects_are_never_opened(tmp_path: Path) -> None:
    path = tmp_path / "pickled.npz"
    np.savez(path, format=np.array([print], dtype=object))
    with pytest.raises(PriorError, match="pickled"):
        load_prior(path)
