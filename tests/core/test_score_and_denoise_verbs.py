# SPDX-License-Identifier: Apache-2.0
"""The verbs score and denoise: what they write, what they keep, and one line for everything that is wrong."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.core.test_cli import refused
from vendor_core.cli import main
from vendor_core.motion import Motion, read_motion, write_motion
from vendor_core.npz import write_npz
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.rotations import exp_so3, log_so3
from vendor_core.skeleton import BODY_JOINTS

N = 24
ELBOW = BODY_JOINTS.index("left_elbow")


@pytest.fixture
def motion(tmp_path: Path) -> Path:
    """A motion on a SMPL-X body of someone's, with an elbow bent backwards in frame 10."""
    prior, t = load_prior(), np.linspace(0, 1, N)[:, None]
    a, b = prior.sample(2, seed=6)
    poses = np.random.default_rng(0).normal(scale=0.2, size=(N, 55, 3))
    poses[:, 0] = (np.pi / 2, 0, 0)
    poses[:, 1:22] = log_so3(prior.decode(0.7 * ((1 - t) * a + t * b)))
    poses[10, ELBOW] = (0.0, 1.0, -0.5)
    path = tmp_path / "m.npz"
    trans = np.concatenate([t, 0 * t, 0 * t + 1], axis=1)
    write_motion(path, Motion(poses, trans, 25.0, np.arange(10) / 10, "female", "", np.zeros(N, np.uint8)))
    return path


def test_score_tells_each_frame_and_joint(motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts = tmp_path / "s.json"
    assert main(["score", str(motion), "--json", str(facts)]) == 0
    found = json.loads(facts.read_text())
    line = capsys.readouterr().out
    assert line.count("\n") == 1 and "24 frames" in line and "in frame 10, left_elbow first" in line
    assert np.array(found["frames"]).shape == (N,) and np.array(found["joints"]).shape == (N, 21)
    assert found["names"] == list(BODY_JOINTS[1:])
    assert int(np.argmin(found["frames"])) == 10 and found["frames"][10] < 0.01
    direct = load_plausibility().score(exp_so3(read_motion(motion).poses[:, 1:22]))
    np.testing.assert_allclose(found["frames"], direct, atol=1e-6)


def test_denoise_repairs_and_keeps_the_rest(motion: Path, tmp_path: Path) -> None:
    out, facts = tmp_path / "o.npz", tmp_path / "o.json"
    assert main(["denoise", str(motion), "-o", str(out), "--json", str(facts)]) == 0
    given, clean, found = read_motion(motion), read_motion(out), json.loads(facts.read_text())
    assert (clean.rate, clean.gender, clean.body_name) == (25.0, "female", "")
    np.testing.assert_array_equal(clean.betas, given.betas)
    np.testing.assert_array_equal(clean.poses[:, 22:], given.poses[:, 22:])
    assert clean.frame_status is not None and len(clean.frame_status) == N
    np.testing.assert_allclose(clean.trans, given.trans, atol=2e-3)
    scores = load_plausibility().score(exp_so3(clean.poses[:, 1:22]))
    assert scores[10] > 0.05 and np.linalg.norm(clean.poses[10, ELBOW] - clean.poses[9, ELBOW]) < 0.1
    assert found["frames"] == N and 0 < found["moved_mm"] < 10


def test_an_amount_of_nothing_changes_nothing(motion: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.npz"
    assert main(["denoise", str(motion), "-o", str(out), "--amount", "0"]) == 0
    assert out.read_bytes() == motion.read_bytes()


def test_motion_of_the_default_body_keeps_its_betas(motion: Path, tmp_path: Path) -> None:
    m = read_motion(motion)
    own, out = tmp_path / "own.npz", tmp_path / "out.npz"
    write_motion(own, Motion(m.poses, m.trans, m.rate, np.full(5, 0.5), "neutral", "default"))
    assert main(["denoise", str(own), "-o", str(out)]) == 0
    assert read_motion(out).body_name == "default"
    np.testing.assert_array_equal(read_motion(out).betas, np.full(5, 0.5))


@pytest.mark.parametrize("extra", [{"mocap_frame_rate": 1e-320}, {"betas": np.full(10, 1e300)}, {"poses": 1e200}])
def test_numbers_far_too_large_are_one_line_for_every_verb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], extra: dict[str, Any]
) -> None:
    path, out = tmp_path / "bad.npz", tmp_path / "out.npz"
    poses = np.full((4, 165), extra.pop("poses", 0.1))
    write_npz(path, {"poses": poses, "trans": np.zeros((4, 3))} | {key: np.array(x) for key, x in extra.items()})
    for arguments in (
        ("score", path), ("info", path), ("denoise", path, "-o", out), ("sample", "--near", path, "-o", out),
        ("interpolate", path, "--frames", 9, "-o", out),
    ):  # fmt: skip
        refused(capsys, *arguments, "--json", tmp_path / "facts.json")
    assert not out.exists() and not (tmp_path / "facts.json").exists()


@pytest.mark.parametrize("verb", ["score", "denoise"])
@pytest.mark.parametrize(
    ("poses", "trans"),
    [
        (np.zeros((0, 165)), np.zeros((0, 3))),
        (np.full((4, 165), np.nan), np.zeros((4, 3))),
        (np.full((4, 165), 1e200), np.zeros((4, 3))),
        (np.zeros((4, 100)), np.zeros((4, 3))),
    ],
)
def test_what_is_no_motion_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, poses: np.ndarray, trans: np.ndarray
) -> None:
    path, out = tmp_path / "bad.npz", tmp_path / "out.npz"
    write_npz(path, {"poses": poses, "trans": trans})
    refused(capsys, verb, path, *(["-o", out] if verb == "denoise" else []))
    assert not out.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("denoise", "m.npz"),
        ("denoise", "m.npz", "-o", "m.npz"),
        ("denoise", "m.npz", "-o", "o.npz", "--amount", "2"),
        ("score", "nowhere.npz"),
        ("score",),
    ],
)
def test_bad_commands_are_one_line(
    motion: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    refused(capsys, *(tmp_path / word if word.endswith(".npz") else word for word in arguments))
    assert not (tmp_path / "o.npz").exists()


def test_a_single_frame_is_scored_and_denoised(motion: Path, tmp_path: Path) -> None:
    m = read_motion(motion)
    one, out = tmp_path / "one.npz", tmp_path / "out.npz"
    write_motion(one, Motion(m.poses[10:11], m.trans[10:11]))
    assert main(["score", str(one)]) == 0
    assert main(["denoise", str(one), "-o", str(out)]) == 0
    plausibility = load_plausibility()
    before, after = (plausibility.score(exp_so3(read_motion(p).poses[:, 1:22])) for p in (one, out))
    assert after > before
