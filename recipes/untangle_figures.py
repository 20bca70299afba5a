# SPDX-License-Identifier: Apache-2.0
"""Figures of `untangle` on poses drawn from the shipped prior: `python -m recipes.untangle_figures`.

How many are in themselves before and after, by the balls that `untangle` itself goes by and by the skin, which it never
sees; how far joints move; what it costs, in seconds of processor time: of drawing poses alone, of drawing them and
posing their skin, and of the verb `sample` with and without `--untangle`, each in a process of its own.
"""

import resource
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import numpy as np

from recipes.mesh_depth import deepest, parts_of_skin
from vendor_core.body import default_body
from vendor_core.ik.balls import default_balls
from vendor_core.ik.untangle import gaps_of, untangle
from vendor_core.prior import load_prior
from vendor_core.prior.plausibility import load_plausibility
from vendor_core.skeleton import BODY_PARENTS, N_BODY

_MM = (15, 20, 25, 30)  # depths of skin in skin that are told of


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=2000, help="poses")
    parser.add_argument("--skin", type=int, default=500, help="of which the first so many are judged by their skin")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    before, after = drawn_and_untangled(options.n, options.seed)
    print_balls(before, after)
    print_skin(before[: options.skin], after[: options.skin])
    print_moved(before, after)
    print_verb(options.n, options.seed)


def drawn_and_untangled(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Poses (n, 22, 3, 3) and what `untangle` makes of them; prints what either took."""
    prior, body, balls = load_prior(), default_body(), default_balls()
    untangle(balls, prior, whole(prior.decode(prior.sample(64, seed + 1))))  # what is found out once, and kept
    began = process_time()
    before = whole(prior.decode(prior.sample(n, seed)))
    drawn = process_time() - began
    for R in before:
        body.pose(R, vertices=True)
    shown = process_time() - began
    began = process_time()
    after = untangle(balls, prior, before)
    spent = process_time() - began
    print(f"{n} poses: drawn {drawn:.2f} s, drawn and their skin posed {shown:.2f} s, untangled {spent:.2f} s")
    print(f"with untangling {1 + spent / drawn:.0f} and {1 + spent / shown:.2f} times as long")
    return before, after


def whole(R: np.ndarray) -> np.ndarray:
    return np.concatenate([np.broadcast_to(np.eye(3), (len(R), 1, 3, 3)), R], axis=1)


def print_balls(before: np.ndarray, after: np.ndarray) -> None:
    a, b = ((gaps_of(default_balls(), R) < 0).any(1) for R in (before, after))
    print(f"{'deeper by the balls':24s}{shares(a, b)}")


def print_skin(before: np.ndarray, after: np.ndarray) -> None:
    body, parts = default_body(), parts_of_skin(default_body())

    def depth(R: np.ndarray) -> float:
        return 1e3 * deepest(parts, body.faces, np.asarray(body.pose(R, vertices=True).vertices), min(_MM) / 1e3)

    a = np.array([depth(R) for R in before])
    changed = (before != after).any((1, 2, 3))
    b = np.array([depth(R) if new else old for R, old, new in zip(after, a, changed, strict=True)])
    for mm in _MM:
        print(f"{f'skin {mm} mm in skin':24s}{shares(a > mm, b > mm)}")


def shares(before: Any, after: Any) -> str:
    less = 100 * (1 - after.sum() / max(before.sum(), 1))
    return f"{before.mean():7.2%} -> {after.mean():6.2%} of {len(before)} poses, {less:.1f} % fewer"


def print_moved(before: np.ndarray, after: np.ndarray) -> None:
    """How far joints move in poses that change, the pelvis at rest: all, those that a turned joint carries, others."""
    turned = (before != after).any((-1, -2))
    poses = turned.any(1)
    carried = turned.copy()
    for joint in range(1, N_BODY):
        carried[:, joint] |= carried[:, BODY_PARENTS[joint]]
    joints = [default_body().pose(R[poses]).joints[:, :N_BODY] for R in (before, after)]
    mm, carried = 1e3 * np.linalg.norm(joints[1] - joints[0], axis=-1), carried[poses]
    print(f"{poses.mean():.1%} of the poses change, of whose {N_BODY} joints {carried.sum(1).mean():.1f} are moved")
    for name, x in (("all joints", mm), ("elsewhere", mm[~carried]), ("limbs moved out", mm[carried])):
        print(f"{name:24s}mean {x.mean():6.2f} mm, 95 % below {np.quantile(x, 0.95):6.2f} mm, most {x.max():6.2f} mm")
    plausibility = load_plausibility()
    scores = [np.median(plausibility.score(R[poses, 1:])) for R in (before, after)]
    print(f"{'their median score':24s}{scores[0]:.2f} -> {scores[1]:.2f}")


def print_verb(n: int, seed: int) -> None:
    with TemporaryDirectory() as folder:
        for count in (n, max(1, n // 10), 1):
            told = ["-n", str(count), "--seed", str(seed), "-o", str(Path(folder) / "poses.npz")]
            command = [sys.executable, "-m", "vendor_core", "sample", *told]
            lines = (command, [*command, "--untangle"])
            plain, untangled = (min(processor_time(line) for _ in range(3)) for line in lines)
            print(f"sample -n {count}: {plain:.2f} s, with --untangle {untangled:.2f} s, {untangled / plain:.2f} times")


def processor_time(command: list[str]) -> float:
    """Seconds, of all cores together."""

    def spent() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    began = spent()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return spent() - began


if __name__ == "__main__":
    main()
