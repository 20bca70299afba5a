# SPDX-License-Identifier: Apache-2.0
"""A prior as a torch module: VPoser's methods and answers, gradients finite everywhere, parameters that follow."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.core.synthetic_prior import random_prior  # noqa: E402
from tests.core.vposer_files import VPoser2, randomised, write_folder  # noqa: E402
from vendor_core.prior import AutoEncoder, as_module, load_prior  # noqa: E402
from vendor_core.rotations import exp_so3  # noqa: E402

DTYPES = [torch.float32, torch.float64]
HALF_TURNS = np.pi * np.concatenate([np.eye(3), -np.eye(3), np.array([[0.6, 0.8, 0], [0.48, 0.6, 0.64]])])


def _poses() -> np.ndarray:
    """Poses (N, 63) where a formula could divide by zero: rest, all joints half turned, tiny and whole turns."""
    special = np.concatenate([np.zeros((1, 3)), HALF_TURNS, 1e-9 * np.eye(3), 2 * HALF_TURNS[:2], HALF_TURNS[:2] / 2])
    mixed = np.random.default_rng(1).normal(0, 0.5, (4, 63))
    mixed[0, :9] = 0
    return np.concatenate([np.tile(special, 21), mixed])


@pytest.fixture(scope="module", params=["vae", "vposer"])
def prior(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AutoEncoder:
    if request.param == "vae":
        return load_prior()
    return load_prior(write_folder(tmp_path_factory.mktemp("module") / "V02_05", randomised(VPoser2()), 2))


def test_it_answers_as_the_prior_does(prior: AutoEncoder) -> None:
    module, pose = as_module(prior).double(), torch.as_tensor(_poses())
    R = exp_so3(_poses().reshape(-1, 21, 3))
    q_z = module.encode(pose)
    mean, deviation = prior.posterior(R)
    sure = np.r_[0:1, 9 : len(R)]  # half turns have two rotation vectors, and encoders one answer to each
    np.testing.assert_allclose(q_z.mean[sure], mean[sure], atol=1e-5)
    np.testing.assert_allclose(q_z.scale[sure], deviation[sure], atol=1e-5)
    z = torch.as_tensor(prior.sample(5, seed=2))
    decoded = module.decode(z)
    assert decoded["pose_body"].shape == (5, 21, 3) and decoded["pose_body_matrot"].shape == (5, 21, 9)
    np.testing.assert_allclose(decoded["pose_body_matrot"].reshape(5, 21, 3, 3), prior.decode(z.numpy()), atol=1e-5)
    np.testing.assert_allclose(exp_so3(decoded["pose_body"]), prior.decode(z.numpy()), atol=1e-5)
    np.testing.assert_allclose(module.log_density(z), prior.log_density(z.numpy()), rtol=1e-12)


def test_it_answers_as_vposer_does(tmp_path: Path) -> None:
    original = randomised(VPoser2(), seed=3)
    module = as_module(load_prior(write_folder(tmp_path / "V02_05", original, 2)))
    pose = torch.as_tensor(np.random.default_rng(2).normal(0, 0.4, (6, 63)), dtype=torch.float32)
    with torch.no_grad():
        mean, deviation = original.encoder_net(pose)
        found, decoded = module.encode(pose), module.decode(mean)
        np.testing.assert_allclose(found.mean, mean, atol=1e-5)
        np.testing.assert_allclose(found.scale, deviation, atol=1e-5)
        np.testing.assert_allclose(decoded["pose_body_matrot"], original.decode(mean).flatten(-2), atol=1e-5)


def test_forward_draws_a_latent_and_decodes_it(prior: AutoEncoder) -> None:
    module, pose = as_module(prior), torch.as_tensor(_poses(), dtype=torch.float32)
    torch.manual_seed(4)
    out = module(pose)
    torch.manual_seed(4)
    again = module.decode(module.encode(pose).rsample())
    torch.testing.assert_close(out["pose_body"], again["pose_body"])
    torch.testing.assert_close(out["poZ_body_mean"], out["q_z"].mean)
    torch.testing.assert_close(out["poZ_body_std"], out["q_z"].scale)


def test_samples_are_those_of_the_prior_and_follow_the_seed(prior: AutoEncoder) -> None:
    module = as_module(prior)
    drawn = module.sample_poses(7, seed=5)["pose_body_matrot"].reshape(7, 21, 3, 3)
    np.testing.assert_allclose(drawn, prior.decode(prior.sample(7, seed=5)), atol=1e-5)
    assert not torch.equal(module.sample_poses(7, seed=6)["pose_body"], module.sample_poses(7, seed=5)["pose_body"])


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_are_finite_everywhere(prior: AutoEncoder, dtype: torch.dtype) -> None:
    module = as_module(prior).to(dtype)
    pose = torch.as_tensor(_poses(), dtype=dtype).requires_grad_()
    q_z = module.encode(pose)
    out = module.decode(q_z.mean)
    (q_z.mean.sum() + q_z.scale.log().sum() + out["pose_body"].sum() + out["pose_body_matrot"].sum()).backward()
    assert torch.isfinite(pose.grad).all() and (pose.grad != 0).any(-1).all()
    z = torch.zeros(1, prior.latent_dim, dtype=dtype, requires_grad=True)
    (module.decode(z)["pose_body"].sum() + module.log_density(z).sum()).backward()
    assert torch.isfinite(z.grad).all() and (z.grad != 0).any()


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_decoded_half_turn_has_a_finite_gradient(dtype: torch.dtype) -> None:
    module = as_module(random_prior()).to(dtype)
    with torch.no_grad():  # whatever the latent, every joint turns by pi about x
        module.get_parameter("decoder_W2").zero_()
        module.get_parameter("decoder_b2").copy_(torch.tensor([1.0, 0, 0, 0, -1, 0]).repeat(21))
    module.requires_grad_()
    turned = module.decode(torch.zeros(1, 32, dtype=dtype))["pose_body"]
    torch.testing.assert_close(turned.norm(dim=-1), torch.full((1, 21), np.pi, dtype=dtype))
    turned.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters() if p.grad is not None)


def test_gradients_are_those_of_finite_differences(prior: AutoEncoder) -> None:
    module = as_module(prior).double()
    pose = torch.as_tensor(_poses()[[0, -4, -3]]).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: (module.encode(x).mean[:, :3], module.encode(x).scale[:, :3]), pose)
    z = torch.as_tensor(prior.sample(2, seed=7)).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: tuple(y[:, :4] for y in module.decode(x).values()), z)


def test_a_state_dict_carries_the_networks() -> None:
    first, second = as_module(random_prior(0)), as_module(random_prior(1))
    z = torch.zeros(1, 32) + 0.3
    assert not torch.allclose(first.decode(z)["pose_body"], second.decode(z)["pose_body"])
    second.load_state_dict(first.state_dict())
    torch.testing.assert_close(first.decode(z), second.decode(z))
    torch.testing.assert_close(first.encode(z[:, :1].expand(1, 63)).mean, second.encode(z[:, :1].expand(1, 63)).mean)
    assert sorted(first.state_dict()) == sorted(
        f"{part}_{name}{k}" for part, n in (("encoder", 2), ("decoder", 3)) for k in range(n) for name in "Wb"
    )


def test_parameters_are_frozen_until_asked_and_then_count(rng: np.random.Generator) -> None:
    prior = random_prior()
    module, z = as_module(prior), torch.as_tensor(rng.standard_normal((3, 32)), dtype=torch.float32)
    assert not any(p.requires_grad for p in module.parameters())
    before = module.decode(z)["pose_body"]
    optimiser = torch.optim.SGD(module.requires_grad_().parameters(), lr=0.002)
    module.decode(z)["pose_body"].square().sum().backward()
    optimiser.step()
    assert module.decode(z)["pose_body"].square().sum() < before.square().sum()
    np.testing.assert_allclose(prior.decode(z.numpy()), as_module(prior).decode(z)["pose_body_matrot"].reshape(
        3, 21, 3, 3), atol=1e-5)  # the prior itself is as it was  # fmt: skip


def test_it_follows_a_change_of_dtype_and_a_copy_stands_alone() -> None:
    module = as_module(random_prior())
    copied = deepcopy(module)
    module.double()
    assert {p.dtype for p in module.parameters()} == {torch.float64}
    assert {p.dtype for p in copied.parameters()} == {torch.float32}
    z = torch.zeros(1, 32, dtype=torch.float64)
    assert module.decode(z)["pose_body"].dtype == module.sample_poses(1)["pose_body"].dtype == torch.float64
    with torch.no_grad():
        module.get_parameter("decoder_b2").mul_(0).add_(torch.tensor([0.0, 1, 0, 1, 0, 0]).repeat(21))
    assert not torch.allclose(module.decode(z)["pose_body"], copied.decode(z.float())["pose_body"].double())
