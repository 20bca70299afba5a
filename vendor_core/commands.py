# SPDX-License-Identifier: Apache-2.0
"""The verbs of the command line: each reads files, calls the core, writes a file, and answers what `--json` holds."""

import os
import sys
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from tqdm import tqdm

from .body import BodyModel, default_body
from .body.hands import relaxed_hands
from .errors import MotionError, PoiseError, TargetError
from .ik import fit_joints
from .info import describe
from .jobs import body_of, solve_file
from .motion import SOLVED, Motion, read_motion, status_counts, write_motion
from .npz import read_npz, text_of
from .prior import Prior, interpolate_poses, load_prior, segment_counts
from .rotations import exp_so3, log_so3
from .skeleton import BODY_JOINTS, JOINT_GROUPS, JOINTS, N_BODY

_SHAPE_NEEDS = 12  # body joints, below which bone lengths say too little about the shape
_NO_PERSON_MM = 1000.0  # median error beyond which the joints are in another unit, or no person's
_UPRIGHT = np.array([np.pi / 2, 0.0, 0.0])


def solve(options: Namespace) -> dict[str, Any]:
    """C3D takes to motion files; one take to a file, several into a folder."""
    targets = _targets(options.takes, options.out)
    results = []
    for take, target in zip(options.takes, targets, strict=True):
        params = {"take": str(take), "body": options.body and str(options.body), "prior": options.prior}
        params |= {"layout": options.layout, "shape": options.shape, "fps": options.fps, "device": options.device}
        with _progress(take.name) as report:
            solution = solve_file(params, report)
        target.parent.mkdir(parents=True, exist_ok=True)
        write_motion(target, solution.motion)
        s = solution.summary
        print(f"{target}: {s['frames']} frames, median {s['median_mm']} mm, {s['frames_per_second']} frames a second")
        results.append({"take": str(take), "motion": str(target), **s})
    print(f"device: {results[0]['device']}", file=sys.stderr)
    return results[0] if len(results) == 1 else {"takes": results}


def _targets(takes: list[Path], out: Path) -> list[Path]:
    if out.suffix == ".npz" and len(takes) == 1:
        return [out]
    if out.suffix == ".npz":
        raise PoiseError(f"{len(takes)} takes do not fit into {out.name}; expected a folder after -o")
    targets = [out / f"{take.stem}.npz" for take in takes]
    if len(set(targets)) < len(targets):
        raise PoiseError("two takes have one name; expected different names, since each motion is named after its take")
    folder = next(place for place in (out, *out.absolute().parents) if place.exists())
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise PoiseError(f"{folder} is no folder to write to; expected a folder or an .npz file after -o")
    return targets


def fit(options: Namespace) -> dict[str, Any]:
    """3D joints to a motion file."""
    arrays = read_npz(options.joints, ("joints", "names"), MotionError)
    if missing := [name for name in ("joints", "names") if name not in arrays]:
        raise MotionError(f'{options.joints.name} lacks "{missing[0]}"; expected joints (frames, J, 3) and names (J,)')
    names, joints = [text_of(name) for name in arrays["names"].reshape(-1)], arrays["joints"]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise MotionError(f'{options.joints.name} names "{twice[0]}" more than once; expected each joint once')
    prior, body, betas, began = load_prior(options.prior), body_of(options.body), None, perf_counter()
    shaped = body
    with _progress(options.joints.name) as report:
        if options.shape == "auto" and len(set(names) & set(BODY_JOINTS)) >= _SHAPE_NEEDS:
            each = fit_joints(
                body, prior, names, joints, shape=True, report=lambda f: report(0.5 * f, "Fitting the shape")
            )
            betas = np.median(each.betas[each.status == SOLVED], axis=0)
            shaped = replace(body, joints_template=body.rest_joints(betas))
        solved = fit_joints(shaped, prior, names, joints, report=lambda f: report(0.5 + 0.5 * f, "Fitting the poses"))
    motion = _motion(solved.R_local, solved.trans, body, betas, status=solved.status)
    mm = 1e3 * solved.residual[np.isfinite(solved.residual)]
    if np.median(mm) > _NO_PERSON_MM:
        raise MotionError(
            f"{options.joints.name}: no pose comes nearer to the joints than {np.median(mm) / 1e3:.3g} m; "
            "expected a person's joints in metres"
        )
    write_motion(options.out, motion)
    status = status_counts(solved.status)
    print(f"{options.out}: {len(motion)} frames, mean {mm.mean():.2f} mm, max {mm.max():.2f} mm")
    seconds = round(perf_counter() - began, 3)
    mean_mm, max_mm = round(float(mm.mean()), 3), round(float(mm.max()), 3)
    return {"frames": len(motion), "seconds": seconds, "mean_mm": mean_mm, "max_mm": max_mm, "frame_status": status}


def sample(options: Namespace) -> dict[str, Any]:
    """Poses drawn from the prior, or from around a given pose, standing on the ground."""
    prior, body, count = load_prior(options.prior), default_body(), options.n
    drawn = prior.decode(prior.sample(count, options.seed))
    root, betas = exp_so3(_UPRIGHT), None
    if options.near is not None:
        near = read_motion(options.near)
        R_near = exp_so3(near.poses[0, :N_BODY])
        root, drawn = (
            R_near[0],
            _drawn_near(prior, R_near[1:], drawn, 0.5 if options.amount is None else options.amount),
        )
        locked = [BODY_JOINTS.index(name) - 1 for name in _locked(options.lock)]
        drawn[:, locked] = R_near[1:][locked]
        betas = near.betas if near.body_name else None
    elif options.lock or options.amount is not None:
        raise PoiseError("--lock and --amount say what to keep of a pose; give that pose with --near POSE.npz")
    R_local = np.concatenate([np.broadcast_to(root, (count, 1, 3, 3)), drawn], axis=1)
    lowest = np.array([_lowest(body, R, betas) for R in R_local])
    trans = np.stack([np.zeros(count), np.zeros(count), -lowest], axis=1)
    write_motion(options.out, _motion(R_local, trans, body, betas))
    print(f"{options.out}: {count} poses")
    return {"poses": count, "seed": options.seed, "prior": prior.name}


def _lowest(body: BodyModel, R_local: np.ndarray, betas: np.ndarray | None) -> float:
    """Height of the lowest vertex of a posed body whose trans is zero, metres."""
    vertices = body.pose(R_local, betas=betas, vertices=True).vertices
    assert vertices is not None
    return float(vertices[:, 2].min())


def _drawn_near(prior: Prior, R_near: np.ndarray, R_drawn: np.ndarray, amount: float) -> np.ndarray:
    """Poses (N, 21, 3, 3) on the latent way from a pose (amount 0, hit exactly) to drawn ones (amount 1)."""
    z_near = prior.encode(R_near)
    missed = log_so3(np.swapaxes(prior.decode(z_near), -1, -2) @ R_near)
    z = z_near + amount * (prior.encode(R_drawn) - z_near)
    return prior.decode(z) @ exp_so3((1 - amount) * missed)


def _locked(text: str) -> list[str]:
    """Joint names of a list of groups and joints.

    Raises:
        TargetError: no such group or joint.
    """
    names: list[str] = []
    for word in filter(None, text.split(",")):
        if word not in JOINT_GROUPS and word not in BODY_JOINTS[1:]:
            known = ", ".join((*JOINT_GROUPS, *BODY_JOINTS[1:]))
            raise TargetError(f'No joint group or joint is called "{word}". Expected some of: {known}')
        names += JOINT_GROUPS.get(word, (word,))
    return names


def interpolate(options: Namespace) -> dict[str, Any]:
    """The frames between the keys, through the prior."""
    keys, prior = read_motion(options.keys), load_prior(options.prior)
    counts = segment_counts(len(keys), options.frames)
    R_keys = exp_so3(keys.poses)
    body_part = interpolate_poses(prior, R_keys[:, 1:N_BODY], counts, options.path, options.timing)
    rest = [joint for joint in range(len(JOINTS)) if not 1 <= joint < N_BODY]
    others, trans = _straight(R_keys[:, rest], keys.trans, counts)
    poses = np.zeros((options.frames, len(JOINTS), 3))
    poses[:, rest], poses[:, 1:N_BODY] = log_so3(others), log_so3(body_part)
    write_motion(options.out, Motion(poses, trans, keys.rate, keys.betas, keys.gender, keys.body_name))
    print(f"{options.out}: {options.frames} frames from {len(keys)} keys")
    return {"frames": options.frames, "keys": len(keys), "path": options.path, "timing": options.timing}


def _straight(R_keys: np.ndarray, trans: np.ndarray, counts: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """What the prior does not know: rotations turned evenly about one axis, positions along straight lines."""
    R, p = [R_keys[:1]], [trans[:1]]
    for i, count in enumerate(counts):
        t = np.linspace(0, 1, count + 1)[1:]
        w = log_so3(np.swapaxes(R_keys[i], -1, -2) @ R_keys[i + 1])
        R.append(R_keys[i] @ exp_so3(t[:, None, None] * w))
        p.append(trans[i] + t[:, None] * (trans[i + 1] - trans[i]))
    return np.concatenate(R), np.concatenate(p)


def train(options: Namespace) -> dict[str, Any]:
    """A prior trained on motion, written as weights."""
    from .training.train_vae import train_vae

    with _progress(options.out.name) as report:
        result = train_vae(options.data, options.out, options.seed, options.device, report)
    print(f"{options.out}: {result['bytes']:,} bytes after {result['seconds']} s on {result['device']}")
    return result


def info(options: Namespace) -> dict[str, Any]:
    """What a file holds."""
    facts = describe(options.file)
    for name, value in facts.items():
        print(f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    return facts


def _motion(
    R_local: np.ndarray, trans: np.ndarray, body: BodyModel, betas: np.ndarray | None, status: np.ndarray | None = None
) -> Motion:
    """Poses of the 22 body joints (F, 22, 3, 3) as a motion with relaxed hands."""
    poses = np.zeros((len(R_local), len(JOINTS), 3))
    poses[:, :N_BODY], poses[:, N_BODY + 3 :] = log_so3(R_local), relaxed_hands()
    betas = np.zeros(body.num_betas) if betas is None else betas
    return Motion(poses, trans, betas=betas, body_name="default" if body.beta_names else "", frame_status=status)


@contextmanager
def _progress(title: str) -> Iterator[Callable[[float, str], None]]:
    """A bar on standard error, where that is a terminal."""
    with tqdm(total=100, desc=title, disable=None, bar_format="{l_bar}{bar}| {elapsed}{postfix}", leave=False) as bar:

        def report(fraction: float, text: str) -> None:
            bar.set_postfix_str(text, refresh=False)
            bar.update(100 * fraction - bar.n)

        yield report
