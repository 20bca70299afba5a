# SPDX-License-Identifier: Apache-2.0
"""Reading body files: SMPL, SMPL-H and SMPL-X npz, and SMPL's .pkl."""

from pathlib import Path

import numpy as np

from ..errors import BodyError
from ..npz import read_npz
from ..skeleton import BODY_JOINTS, JOINTS
from .model import BodyModel
from .unpickle import read_array_pickle

_NEEDED = ("v_template", "f", "J_regressor", "weights", "kintree_table", "shapedirs")
_OPTIONAL = ("posedirs", "num_betas", "beta_names")
_SUM_SLACK = 0.02  # how far rounded weights of a vertex may be from a sum of one
_NAMES = {
    24: ("SMPL", (*BODY_JOINTS, "left_hand", "right_hand")),
    52: ("SMPL-H", (*BODY_JOINTS, *JOINTS[25:])),
    55: ("SMPL-X", JOINTS),
}


def load_body(path: str | Path, dtype: type = np.float64) -> BodyModel:
    """Read a body model file.

    Args:
        path: an .npz of SMPL, SMPL-H or SMPL-X, or a .pkl of SMPL. Nothing pickled in it is executed.
        dtype: of the model's arrays.

    Raises:
        BodyError: the file is missing, damaged, of another kind, or its arrays do not fit together.
    """
    path = Path(path)
    if path.suffix.lower() == ".pkl":
        arrays = read_array_pickle(path)
        arrays = {name: array for name, array in arrays.items() if name in (*_NEEDED, *_OPTIONAL)}
    else:
        arrays = read_npz(path, (*_NEEDED, *_OPTIONAL), BodyError)
    missing = [name for name in _NEEDED if name not in arrays]
    if missing:
        raise BodyError(f"{path.name} lacks {', '.join(missing)}; expected the arrays of a SMPL, SMPL-H or SMPL-X body")
    return body_from_arrays(arrays, path.name, dtype)


def body_from_arrays(arrays: dict[str, np.ndarray], name: str, dtype: type = np.float64) -> BodyModel:
    """Build a body from the arrays of its file (FORMATS: v_template, f, J_regressor, weights, kintree_table, ...).

    Raises:
        BodyError: shapes do not fit, values are not finite or the tree is broken.
    """
    _check(arrays, name)
    n_joints = arrays["weights"].shape[1]
    kind, joint_names = _NAMES[n_joints]
    parents = arrays["kintree_table"][0].astype(np.int64)
    parents[0] = -1
    v_template = arrays["v_template"].astype(dtype)
    shape_dirs = arrays["shapedirs"].astype(dtype)
    regressor = arrays["J_regressor"].astype(dtype)
    pose_dirs = arrays.get("posedirs")
    if pose_dirs is not None:
        pose_dirs = pose_dirs.astype(dtype) if np.any(pose_dirs) else None
    n_verts, n_coefficients = len(v_template), shape_dirs.shape[2]
    joint_shape_dirs = (regressor @ shape_dirs.reshape(n_verts, -1)).reshape(n_joints, 3, n_coefficients)
    return BodyModel(
        name=f"{kind} ({name})",
        joint_names=joint_names,
        parents=tuple(parents.tolist()),
        v_template=v_template,
        faces=arrays["f"].astype(np.int64),
        weights=arrays["weights"].astype(dtype),
        joints_template=regressor @ v_template,
        shape_dirs=shape_dirs,
        joint_shape_dirs=joint_shape_dirs,
        num_betas=_num_betas(arrays, kind),
        pose_dirs=pose_dirs,
        beta_names=tuple(str(b) for b in arrays.get("beta_names", ())),
    )


def _num_betas(arrays: dict[str, np.ndarray], kind: str) -> int:
    """Where expressions begin: SMPL-X stores 300 + 100 coefficients, older files 10 + 10; the others have none."""
    n = arrays["shapedirs"].shape[2]
    if "num_betas" in arrays:
        return int(arrays["num_betas"].item())
    if kind != "SMPL-X":
        return n
    return 300 if n >= 300 else max(n - 10, min(n, 10))


def _check(arrays: dict[str, np.ndarray], name: str) -> None:
    for key, array in arrays.items():
        if key != "beta_names" and (array.dtype.kind not in "fiu" or not np.all(np.isfinite(array))):
            raise BodyError(f'{name}: "{key}" holds {array.dtype} with text or NaN; expected finite numbers')
    weights = arrays["weights"]
    if weights.ndim != 2 or weights.shape[1] not in _NAMES:
        raise BodyError(
            f'{name}: "weights" has shape {weights.shape}; expected (vertices, 24 | 52 | 55) of SMPL, SMPL-H or SMPL-X'
        )
    n_verts, n_joints = weights.shape
    expected = {
        "v_template": (n_verts, 3), "f": (None, 3), "J_regressor": (n_joints, n_verts),
        "kintree_table": (2, n_joints), "shapedirs": (n_verts, 3, None), "posedirs": (n_verts, 3, 9 * (n_joints - 1)),
    }  # fmt: skip
    for key, shape in expected.items():
        found = arrays[key].shape if key in arrays else shape
        if len(found) != len(shape) or any(e is not None and e != f for e, f in zip(shape, found, strict=True)):
            wanted = str(shape).replace("None", "any")
            raise BodyError(f'{name}: "{key}" has shape {found}; expected {wanted} to fit its weights')
    if np.any(weights < -_SUM_SLACK) or np.any(np.abs(weights.sum(1) - 1) > _SUM_SLACK):
        raise BodyError(f'{name}: "weights" do not sum to one at every vertex; expected skinning weights from 0 to 1')
    n_betas, n_coefficients = arrays.get("num_betas", np.array(0)), arrays["shapedirs"].shape[2]
    if n_betas.size != 1 or not 0 <= n_betas.item() <= n_coefficients:
        raise BodyError(f'{name}: "num_betas" is {n_betas}; expected one number from 0 to {n_coefficients}')
    parents = arrays["kintree_table"][0].astype(np.int64)[1:]
    if np.any(parents < 0) or np.any(parents >= np.arange(1, n_joints)):
        raise BodyError(f'{name}: "kintree_table" is no joint tree; expected each parent before its children')
    faces = arrays["f"]
    if faces.size and (faces.min() < 0 or faces.max() >= n_verts):
        raise BodyError(f'{name}: "f" names vertex {int(faces.max())} of {n_verts}; expected indices of its vertices')
