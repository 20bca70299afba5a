# SPDX-License-Identifier: Apache-2.0
"""What a file holds: a body, a prior, a motion, joints or a C3D take."""

from pathlib import Path
from typing import Any

import numpy as np

from .body import load_body
from .errors import LayoutError, PoiseError
from .mocap.layouts import map_markers
from .mocap.takes import SUFFIXES, read_take
from .motion.amass import HELD, read_motion
from .motion.bvh import read_bvh
from .motion.bvh_motion import metres_a_unit
from .motion.joint_names import joints_of_skeleton
from .npz import read_npz
from .prior import VPOSER_SUFFIXES, load_prior


def describe(path: Path) -> dict[str, Any]:
    """Facts of a file, the kind first.

    Raises:
        PoiseError: the file is missing, damaged, or of no kind that Poise reads.
    """
    if path.suffix.lower() in SUFFIXES:
        return _take(path)
    if path.suffix.lower() == ".bvh":
        return _skeleton(path)
    if path.suffix.lower() == ".pkl":
        return _body(path)
    if path.is_dir() or path.suffix.lower() in VPOSER_SUFFIXES:
        return _prior(path)
    kinds = {"v_template": _body, "format": _prior, "poses": _motion, "joints": _joints}
    found = read_npz(path, kinds, PoiseError)
    for name, kind in kinds.items():
        if name in found:
            return kind(path)
    expected = ", ".join(f'"{name}"' for name in kinds)
    raise PoiseError(f"{path.name} holds none of {expected}; expected a body, a prior, a motion, joints or a C3D file")


def _take(path: Path) -> dict[str, Any]:
    take = read_take(path)
    markers = take.markers()
    facts = {
        "kind": f"{path.suffix[1:].upper()} take",
        "frames": len(take.points),
        "rate": take.rate,
        "markers": [take.labels[i] for i in markers],
        "model outputs": len(take.model_outputs),
        "unseen": round(1 - float(take.visible[:, markers].mean()), 4) if len(markers) else 1.0,
        "units": take.units or "not named",
        "bytes": take.byte_order,
        "warnings": list(take.warnings),
    }
    try:
        label_map = map_markers(take)
    except LayoutError as error:
        return facts | {"layout": f"none ({error})"}
    return facts | {"layout": label_map.layout, "unmapped": list(label_map.unmapped)}


def _skeleton(path: Path) -> dict[str, Any]:
    clip = read_bvh(path)
    return {
        "kind": "BVH motion",
        "frames": len(clip.R_local),
        "rate": round(clip.rate, 4),
        "seconds": round(len(clip.R_local) / clip.rate, 3),
        "joints": list(clip.names),
        "known as": sorted(joints_of_skeleton(clip.names)),
        "unit_m": metres_a_unit(clip),
    }


def _body(path: Path) -> dict[str, Any]:
    body = load_body(path)
    heights = np.asarray(body.v_template)[:, 1]
    return {
        "kind": "body",
        "vertices": len(body.v_template),
        "faces": len(body.faces),
        "joints": len(body.joint_names),
        "betas": list(body.beta_names) or body.num_betas,
        "expressions": body.num_expressions,
        "pose correctives": body.pose_dirs is not None,
        "height_m": round(float(np.ptp(heights)), 3),
    }


def _prior(path: Path) -> dict[str, Any]:
    prior = load_prior(path)
    return {"kind": "prior", "latent": prior.latent_dim, **prior.about}


def _motion(path: Path) -> dict[str, Any]:
    motion = read_motion(path)
    low, high = motion.trans.min(0), motion.trans.max(0)
    return {
        "kind": "motion",
        "frames": len(motion),
        "rate": motion.rate,
        "seconds": round(len(motion) / motion.rate, 3),
        "body": motion.body_name or "SMPL family",
        "gender": motion.gender,
        "betas": [round(float(b), 4) for b in motion.betas],
        "held frames": 0 if motion.frame_status is None else int(np.sum(motion.frame_status == HELD)),
        "extent_m": [round(float(x), 3) for x in high - low],
    }


def _joints(path: Path) -> dict[str, Any]:
    arrays = read_npz(path, ("joints", "names"), PoiseError)
    names = [str(name) for name in arrays.get("names", np.zeros(0, str)).reshape(-1)]
    return {"kind": "joints", "shape": list(arrays["joints"].shape), "names": names}
