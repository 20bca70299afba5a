# SPDX-License-Identifier: Apache-2.0
"""Training on a tiny pack of its own: bit-equal runs, the data's thinning, mirroring and weights, faults."""

from pathlib import Path

import numpy as np
import pytest

from vendor_core.errors import MotionError, PriorError
from vendor_core.npz import write_npz
from vendor_core.prior import load_prior
from vendor_core.rotations import exp_so3
from vendor_core.skeleton import BODY_PARENTS
from vendor_core.training.credits import credits_of
from vendor_core.training.data import load_poses, pack_files, read_pack
from vendor_core.training.gather import gather
from vendor_core.training.measure import joints_of
from vendor_core.training.train_prior import train_prior


def pack(n: int = 300, **changes: np.ndarray) -> dict[str, np.ndarray]:
    """Two clips of two subjects, every joint swinging on its own."""
    rng = np.random.default_rng(0)
    t = np.arange(n)[:, None, None]
    poses = 0.5 * np.sin(t * rng.uniform(0.05, 0.2, (22, 3)) + rng.uniform(0, 6, (22, 3)))
    offsets = rng.uniform(-0.2, 0.2, (22, 3))
    offsets[0] = 0
    arrays = {
        "poses": poses.astype(np.float16),
        "start": np.array([0, 200], dtype=np.int32),
        "length": np.array([200, n - 200], dtype=np.int32),
        "subject": np.array(["a", "b"]),
        "kind": np.array(["amc", "dm"]),
        "jump": np.zeros(n, dtype=bool),
        "ref_rest_offsets": offsets.astype(np.float32),
    }
    return arrays | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_npz(tmp_path / "train.npz", pack())
    write_npz(tmp_path / "val.npz", pack())
    return tmp_path


def test_two_runs_with_one_seed_are_equal_to_the_bit(folder: Path) -> None:
    pytest.importorskip("torch")
    heard: list[float] = []
    result = train_prior(
        [folder], folder / "a.npz", seed=5, device="cpu", report=lambda f, _: heard.append(f), steps=12
    )
    train_prior([folder], folder / "b.npz", seed=5, device="cpu", steps=12)
    train_prior([folder], folder / "c.npz", seed=6, device="cpu", steps=12)
    first = (folder / "a.npz").read_bytes()
    assert first == (folder / "b.npz").read_bytes()
    assert first != (folder / "c.npz").read_bytes()
    assert heard == sorted(heard)
    assert heard[-1] == 1
    assert np.isfinite([result["val_mm"], result["val_deg"], result["val_guess_all_mm"]]).all()
    assert load_prior(folder / "a.npz").sample(3, seed=0).shape == (3, 32)


def test_training_leaves_torch_as_it_found_it(folder: Path) -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.random.get_rng_state()
    train_prior([folder], folder / "a.npz", device="cpu", steps=2)
    assert before[:2] == (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    assert torch.equal(before[2], torch.random.get_rng_state())


def test_a_device_that_is_not_there_is_refused(folder: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(PriorError, match="cpu"):
        train_prior([folder], folder / "a.npz", device="abacus")
    assert not (folder / "a.npz").exists()


def test_a_missing_folder_is_refused_before_training(folder: Path) -> None:
    pytest.importorskip("torch")
    with pytest.raises(PriorError, match="nowhere"):
        train_prior([folder], folder / "nowhere" / "a.npz", device="cpu")


def test_frames_that_hardly_move_or_jump_are_dropped(folder: Path) -> None:
    still = np.repeat(pack()["poses"][:1], 300, axis=0)
    jump = np.zeros(300, dtype=bool)
    jump[0] = True
    write_npz(folder / "still.npz", pack(poses=still, jump=jump))
    assert len(load_poses([folder / "still.npz"], mirror=False)) == 2  # one a clip
    every = load_poses([folder / "train.npz"], mirror=False)
    p = joints_of(every.R, every.rest_joints)
    moved = np.linalg.norm(np.diff(p, axis=0), axis=-1).mean(-1)
    assert np.sort(moved)[1] >= 0.012  # the one step from clip to clip aside


def test_subjects_weigh_as_the_root_of_their_frames_and_poor_kinds_less(folder: Path) -> None:
    alike = np.tile(pack()["poses"][:100], (3, 1, 1))
    write_npz(folder / "alike.npz", pack(poses=alike, kind=np.array(["amc", "amc"])))
    weight = load_poses([folder / "alike.npz"], mirror=False).weight
    assert weight.sum() == pytest.approx(1)
    split = np.flatnonzero(np.diff(weight))[0] + 1
    assert weight[:split].sum() / weight[split:].sum() == pytest.approx(np.sqrt(split / (len(weight) - split)))
    poor = load_poses([folder / "train.npz"], mirror=False).weight
    good = load_poses([folder / "alike.npz"], mirror=False).weight
    assert poor[-1] / poor[0] < good[-1] / good[0]


def test_mirroring_reflects_every_joint(folder: Path) -> None:
    """On a symmetric skeleton the mirror image's joints are the joints reflected, left and right swapped."""
    offsets = pack()["ref_rest_offsets"]
    swap = [0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10, 12, 14, 13, 15, 17, 16, 19, 18, 21, 20]
    symmetric = (offsets + offsets[swap] * [-1, 1, 1]) / 2
    write_npz(folder / "even.npz", pack(ref_rest_offsets=symmetric.astype(np.float32)))
    both = load_poses([folder / "even.npz"], mirror=True)
    half = len(both) // 2
    p = joints_of(both.R, both.rest_joints)
    np.testing.assert_allclose(p[half:], p[:half][:, swap] * [-1, 1, 1], atol=1e-5)
    np.testing.assert_allclose(both.offsets[1:], symmetric[1:], atol=1e-6)
    assert BODY_PARENTS[1] == 0
    np.testing.assert_allclose(both.R_root[0], exp_so3(pack()["poses"][0, 0].astype(float)), atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"poses": np.zeros((300, 21, 3))}, "poses has shape"),
        ({"poses": np.full((300, 22, 3), np.nan)}, "not finite"),
        ({"length": np.array([200, 500])}, "past frame"),
        ({"jump": np.zeros(5, dtype=bool)}, "jump has shape"),
        ({"poses": np.full((300, 22, 3), "a")}, "poses is of type"),
        ({"start": np.array(["a", "b"])}, "start is of type"),
        ({"start": np.array([-5, 200])}, "past frame"),
        ({"length": np.array([-5, 100])}, "past frame"),
        ({"poses": np.full((300, 22, 3), 1e30)}, "far too large"),
        ({"jump": np.ones(300, dtype=bool)}, "no usable frame"),
    ],
)
def test_packs_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, np.ndarray], message: str) -> None:
    write_npz(tmp_path / "train.npz", pack(**changes))
    with pytest.raises(MotionError, match=message):
        load_poses(pack_files([tmp_path], "train"), mirror=False)


def test_a_folder_without_packs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MotionError, match=r"train\.npz"):
        load_poses(pack_files([tmp_path], "train"), mirror=True)
    write_npz(tmp_path / "train.npz", {"poses": np.zeros((1, 22, 3))})
    with pytest.raises(MotionError, match="start"):
        load_poses(pack_files([tmp_path], "train"), mirror=True)


def origins(n: int, *pairs: tuple[str, str]) -> dict[str, np.ndarray]:
    clips = [pairs[i % len(pairs)] for i in range(n)]
    return {"license": np.array([licence for licence, _ in clips]), "source": np.array([source for _, source in clips])}


@pytest.mark.parametrize(
    ("pairs", "licence", "credit"),
    [
        ([("CMU", "a:1.amc")], "CC0-1.0", ["mocap.cs.cmu.edu", "NSF EIA-0196217"]),
        ([("CC0-1.0", "Mesh2Motion/x")], "CC0-1.0", ["Trained on CC0 animations of the Mesh2Motion project."]),
        ([("CC0-1.0", "me/x"), ("CMU", "b")], "CC0-1.0", ["mocap.cs.cmu.edu", "Also on other motion under CC0-1.0."]),
        ([("CC-BY-4.0 Ann", "x"), ("CMU", "b")], "none stated", ["cmu.edu", "Also on motion under CC-BY-4.0 Ann."]),
        ([("", "x"), ("CMU", "b")], "none stated", ["cmu.edu", "by the user on clips without a licence."]),
        ([], "none stated", ["Trained by the user on"]),
    ],
)
def test_weights_claim_only_what_their_motion_says(
    tmp_path: Path, pairs: list[tuple[str, str]], licence: str, credit: list[str]
) -> None:
    write_npz(tmp_path / "train.npz", pack() | (origins(2, *pairs) if pairs else {}))
    texts = gather([tmp_path], "subjects", lambda _done, _text: None, lambda _text: None).credits.texts()
    assert texts["license"].startswith(licence)
    assert all(words in texts["attribution"] for words in credit)
    assert ("CMU" in {licence for licence, _ in pairs}) == ("cmu.edu" in texts["attribution"])


def test_the_shipped_weights_say_what_their_motion_says(shared_data: Path) -> None:
    pack = read_pack(shared_data / "motion" / "train.npz")
    texts, about = credits_of({"train": pack}, ()).texts(), load_prior().about
    assert {key: about[key] for key in texts} == texts
