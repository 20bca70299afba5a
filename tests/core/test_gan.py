# SPDX-License-Identifier: Apache-2.0
"""Adversarial priors of random weights: decoding, inversion, paths, solving, and the authors' state dicts."""

import sys
from pathlib import Path

import numpy as np
import pytest
from vposer_files import VPoser1, randomised

from vendor_core.body import default_body
from vendor_core.errors import PriorError
from vendor_core.ik import JointTargets, Unknowns, solve
from vendor_core.npz import write_npz
from vendor_core.prior import GanPrior, VaePrior, as_module, interpolate_poses, load_prior
from vendor_core.prior.gan import FORMAT, VARIANTS
from vendor_core.prior.latent_spaces import SPACES
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.prior.repair import completed
from vendor_core.rotations import exp_so3, log_so3, rotation_angle
from vendor_core.skeleton import BODY_JOINTS

LATENT = 8


def random_arrays(space: str, seed: int = 0) -> dict[str, np.ndarray]:
    """A generator whose poses differ by half a radian a joint."""
    rng = np.random.default_rng(seed)
    widths = (LATENT, 24, 24, 126)
    scale = 1 if space != "sphere" else np.sqrt(LATENT)
    arrays = {"format": np.array(FORMAT), "latent": np.array(space), "license": np.array("CC0-1.0")}
    for k in range(3):
        gain = (scale if k == 0 else 1.0) / np.sqrt(widths[k])
        arrays[f"decoder_W{k}"] = gain * rng.normal(size=(widths[k + 1], widths[k]))
        arrays[f"decoder_b{k}"] = np.tile([1.0, 0, 0, 0, 1, 0], 21) if k == 2 else np.zeros(widths[k + 1])
    return arrays


@pytest.fixture(params=list(VARIANTS.values()))
def gan(request: pytest.FixtureRequest, tmp_path: Path) -> GanPrior:
    write_npz(tmp_path / "gan.npz", random_arrays(request.param))
    prior = load_prior(tmp_path / "gan.npz")
    assert isinstance(prior, GanPrior)
    return prior


def test_jacobians_are_those_of_the_poses(gan: GanPrior) -> None:
    z, h = gan.sample(5, seed=1), 1e-6
    R, W = gan.decode_with_jacobian(z)
    np.testing.assert_allclose(R, gan.decode(z), atol=1e-12)
    for k in range(LATENT):
        dz = h * np.eye(LATENT)[k]
        turned = log_so3(np.swapaxes(gan.decode(z - dz), -1, -2) @ gan.decode(z + dz)) / (2 * h)
        np.testing.assert_allclose(turned, W[..., k], atol=2e-4)


def test_inversion_finds_the_latents_of_drawn_poses(gan: GanPrior) -> None:
    R = gan.decode(gan.sample(64, seed=2))
    found = gan.encode(R)
    np.testing.assert_allclose(gan.space.nearest(found), found, atol=1e-12)
    angle = np.degrees(rotation_angle(np.swapaxes(gan.decode(found), -1, -2) @ R)).mean(-1)
    assert np.median(angle) < 0.01
    assert (angle < 1).mean() > 0.9  # the others are local minima


def test_inversion_comes_as_near_as_adam_to_poses_that_it_cannot_make(gan: GanPrior) -> None:
    torch = pytest.importorskip("torch")
    noise = np.random.default_rng(4).normal(size=(16, 21, 3))
    R = torch.as_tensor(gan.decode(gan.sample(16, seed=5)) @ exp_so3(0.15 * noise))

    def cost(z: "torch.Tensor") -> "torch.Tensor":
        return (gan.decode(gan.space.nearest(z)) - R).square().sum((2, 3)) @ gan.levers.like(R)

    z = gan.encode(R)
    adam_z = z.clone().requires_grad_()
    optimiser = torch.optim.Adam([adam_z], 0.01)
    for _ in range(150):
        optimiser.zero_grad()
        cost(adam_z).sum().backward()
        optimiser.step()
    ours, adams = cost(z), cost(adam_z.detach())
    assert ours.mean() < 1.02 * adams.mean()
    assert (ours < 1.1 * adams).all()


def test_batch_shapes_and_kinds_are_kept(gan: GanPrior) -> None:
    torch = pytest.importorskip("torch")
    R = gan.decode(gan.sample(6, 0))
    z = gan.encode(R.reshape(2, 3, 21, 3, 3))
    assert z.shape == (2, 3, LATENT)
    np.testing.assert_allclose(gan.encode(R[0]), z[0, 0], atol=1e-6)
    assert gan.encode(R[:0]).shape == (0, LATENT)
    from_torch = gan.encode(torch.as_tensor(R))
    assert from_torch.dtype == torch.float64
    np.testing.assert_allclose(from_torch.numpy().reshape(z.shape), z, atol=1e-5)


def test_the_gradient_of_inversion_is_that_of_the_minimum(gan: GanPrior) -> None:
    """By finite differences of whole inversions, where the pose is one that the generator makes."""
    torch = pytest.importorskip("torch")
    z = gan.sample(20, seed=7)
    R = gan.decode(z)
    near = gan.encode(R)
    exact = rotation_angle(np.swapaxes(gan.decode(near), -1, -2) @ R).max(-1) < 1e-6
    R, near = R[exact][:3], near[exact][:3]
    w = torch.zeros(*R.shape[:2], 3, dtype=torch.float64, requires_grad=True)
    turned = torch.as_tensor(R) @ exp_so3(w)
    out = torch.as_tensor(np.random.default_rng(0).normal(size=near.shape))
    (gan.encode(turned) * out).sum().backward()
    assert w.grad is not None
    along, h = np.random.default_rng(1).normal(size=w.shape), 1e-3
    ahead, behind = (gan.encode(R @ exp_so3(sign * h * along)) for sign in (1, -1))
    slope = ((ahead - behind) * out.numpy()).sum(-1) / (2 * h)
    np.testing.assert_allclose((w.grad.numpy() * along).sum((1, 2)), slope, rtol=0.05, atol=0.02)


def test_as_a_module_it_encodes_decodes_and_its_generator_can_learn(gan: GanPrior) -> None:
    torch = pytest.importorskip("torch")
    module = as_module(gan).double()
    module.requires_grad_()
    w = log_so3(torch.as_tensor(gan.decode(gan.sample(3, seed=1)))).flatten(1)
    q_z = module.encode(w)
    np.testing.assert_allclose(q_z.mean.detach().numpy(), gan.encode(exp_so3(w.reshape(3, 21, 3).numpy())), atol=1e-3)
    ((module.decode(q_z.mean)["pose_body"].flatten(1) - w - 0.1) ** 2).sum().backward()
    assert all(torch.isfinite(p.grad).all() for name, p in module.named_parameters() if name.startswith("decoder"))
    assert module.decoder_W2.grad.abs().max() > 0


def test_paths_hit_their_keys(gan: GanPrior) -> None:
    keys = gan.decode(gan.sample(3, seed=9))
    path = interpolate_poses(gan, keys, [6, 4])
    for frame, key in zip((0, 6, 10), keys, strict=True):
        np.testing.assert_allclose(path[frame], key, atol=1e-9)
    assert np.isfinite(path).all()


def test_the_engine_finds_poses_that_gan_s_makes_by_its_latent_alone() -> None:
    gan, body, names = load_prior("gan_s"), default_body(), list(BODY_JOINTS)
    R = np.concatenate([np.broadcast_to(np.eye(3), (12, 1, 3, 3)), gan.decode(gan.sample(12, seed=3))], axis=1)
    joints = body.pose(R).joints[:, : len(names)]
    found = solve(body, gan, [JointTargets(names, joints)], Unknowns(residual=False))
    off = 1e3 * found.residual.mean(-1)
    assert np.median(off) < 3


def test_a_latent_off_the_sphere_is_drawn_to_it() -> None:
    gan = load_prior("gan_s")
    z = 1.3 * gan.sample(3, 0)
    np.testing.assert_allclose(gan.space.off(z), 0.3 / 1.3 * z, atol=1e-12)


def test_repair_leaves_its_own_poses_and_mends_broken_joints() -> None:
    gan = load_prior("gan_s")
    R, trust = gan.decode(gan.sample(40, seed=2)), np.ones((40, 21))
    angle = np.degrees(rotation_angle(np.swapaxes(completed(gan, R, trust), -1, -2) @ R))
    assert np.median(angle) < 2
    broken, trust = R.copy(), trust.copy()
    broken[:, 17], trust[:, 17] = R[:, 17] @ exp_so3(np.array([0.0, 1.5, 0.0])), 0
    mended = completed(gan, broken, trust)
    assert np.median(rotation_angle(np.swapaxes(mended, -1, -2) @ R)[:, 17]) < 0.5


def test_gradients_are_finite_where_vposers_users_start() -> None:
    torch = pytest.importorskip("torch")
    z = torch.zeros(2, 32, requires_grad=True)
    load_prior("gan_s").decode(z).sum().backward()
    assert z.grad is not None and torch.isfinite(z.grad).all()


def authors_state(width: int = 24, latent: int = LATENT) -> tuple[VPoser1, dict[str, object]]:
    model = randomised(VPoser1(width, latent))
    return model, {name: value for name, value in model.state_dict().items() if "_dec_" in name}


@pytest.mark.parametrize(
    ("name", "variant"),
    [("gan_s_pretrained_state_dict", "gan_s"), ("GAN-U", "gan_u"), ("gan_n", "gan_n"), ("mine", "gan_s")],
)
def test_the_authors_state_dict_decodes_as_theirs_does(tmp_path: Path, name: str, variant: str) -> None:
    torch = pytest.importorskip("torch")
    model, state = authors_state()
    torch.save(state, tmp_path / f"{name}.pth")
    prior = load_prior(tmp_path / f"{name}.pth")
    assert isinstance(prior, GanPrior)
    assert prior.space is SPACES[VARIANTS[variant]]
    z = prior.sample(7, seed=0)
    with torch.no_grad():
        theirs = model.decode(torch.as_tensor(prior.space.to_network(z)).float()).numpy()
    np.testing.assert_allclose(prior.decode(z), theirs.reshape(-1, 21, 3, 3), atol=1e-5)


def test_an_encoder_beside_it_makes_it_vposer(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.save(randomised(VPoser1(24, LATENT)).state_dict(), tmp_path / "gan_s.pt")
    assert not isinstance(load_prior(tmp_path / "gan_s.pt"), GanPrior)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"latent": np.array("torus")}, 'latent space is "torus"; expected normal, box, sphere'),
        ({"decoder_W1": np.zeros((24, 23))}, "decoder layer 1 has weights"),
        ({"decoder_b2": np.full(126, np.nan)}, "not finite"),
        ({"decoder_W0": np.zeros(0)}, "decoder_W0 has shape"),
        ({"format": np.array("poise gan 7")}, "is no pose prior of Poise"),
        ({"decoder_b2": np.zeros(126), "decoder_W2": np.zeros((126, 24))}, "decodes to no rotations"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_damaged_files_are_refused_in_a_line(tmp_path: Path, change: dict[str, np.ndarray], message: str) -> None:
    write_npz(tmp_path / "bad.npz", random_arrays("sphere") | change)
    with pytest.raises(PriorError, match=message) as caught:
        load_prior(tmp_path / "bad.npz")
    assert "\n" not in str(caught.value)


def test_a_state_dict_without_all_layers_is_refused_in_a_line(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    _, state = authors_state()
    del state["bodyprior_dec_out.weight"]
    torch.save(state, tmp_path / "gan_s.pth")
    with pytest.raises(PriorError, match=r'has no "bodyprior_dec_out\.weight"'):
        load_prior(tmp_path / "gan_s.pth")


def test_no_torch_is_imported(tmp_path: Path) -> None:
    import subprocess

    write_npz(tmp_path / "gan.npz", random_arrays("sphere"))
    code = (
        "import sys; from vendor_core.prior import load_prior; p = load_prior(sys.argv[1]); "
        "p.encode(p.decode(p.sample(2, 0))); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, tmp_path / "gan.npz"], check=True)


def test_gan_s_ships_small_and_free_and_draws_poses_that_the_critic_believes() -> None:
    gan = load_prior("gan_s")
    assert isinstance(gan, GanPrior) and isinstance(load_prior(), VaePrior)
    assert gan.space is SPACES["sphere"] and gan.latent_dim == 32
    assert gan.about["license"] == "CC0-1.0"
    weights = Path(sys.modules[GanPrior.__module__].__file__ or "").parent / "weights" / "gan_s.npz"
    assert weights.stat().st_size < 2_000_000
    drawn = gan.decode(gan.sample(300, seed=0))
    broken = drawn @ exp_so3(0.6 * np.random.default_rng(0).normal(size=(300, 21, 3)))
    critic = load_plausibility()
    assert np.median(critic.log_odds(drawn)[:, -1]) + 2 < np.median(critic.log_odds(broken)[:, -1])


def test_gan_s_gives_back_what_it_draws() -> None:
    gan = load_prior("gan_s")
    R = gan.decode(gan.sample(60, seed=1))
    angle = np.degrees(rotation_angle(np.swapaxes(gan.decode(gan.encode(R)), -1, -2) @ R)).mean(-1)
    assert np.median(angle) < 0.1 and angle.mean() < 2
