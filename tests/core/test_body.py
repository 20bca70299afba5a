# SPDX-License-Identifier: Apache-2.0
"""Bodies: parity with the smplx package on the same file, both array libraries, partial meshes, bad files."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.core.synthetic_bodies import body_arrays
from vendor_core.body import BodyModel, load_body
from vendor_core.errors import BodyError
from vendor_core.rotations import exp_so3

KINDS = ("smpl", "smplh", "smplx")


@pytest.fixture(scope="module", params=KINDS)
def body_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    kind = request.param
    path = tmp_path_factory.mktemp("bodies") / f"{kind.upper()}_NEUTRAL.npz"
    np.savez(path, **body_arrays(kind))
    return kind, path


def test_joints_and_vertices_equal_the_smplx_package(
    body_file: tuple[str, Path], rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch, smplx = pytest.importorskip("torch"), pytest.importorskip("smplx")
    kind, path = body_file
    n, body = 3, load_body(path)
    n_joints = len(body.parents)
    w = rng.normal(size=(n, n_joints, 3)) * 0.7
    betas, expression, trans = rng.normal(size=(n, 10)), rng.normal(size=(n, 10)), rng.normal(size=(n, 3))
    t = {name: torch.tensor(x, dtype=torch.float64) for name, x in
         {"betas": betas, "global_orient": w[:, 0], "transl": trans}.items()}  # fmt: skip
    flat = {name: torch.tensor(w[:, a:b].reshape(n, -1)) for name, (a, b) in _parts(kind, n_joints).items()}
    if kind == "smplx":
        t["expression"] = torch.tensor(expression)
    options = {} if kind == "smpl" else {"use_pca": False, "flat_hand_mean": True}
    oracle = {"smpl": smplx.SMPL, "smplh": smplx.SMPLH, "smplx": smplx.SMPLX}[kind]
    model = _oracle(oracle, path, kind, options, n)
    output = model(**t, **flat)
    mine = body.pose(exp_so3(w), trans, betas, expression if kind == "smplx" else None, vertices=True)
    np.testing.assert_allclose(mine.joints, output.joints[:, :n_joints].detach(), atol=1e-5)
    np.testing.assert_allclose(mine.vertices, output.vertices.detach(), atol=1e-5)


def _oracle(cls, path: Path, kind: str, options: dict, n: int):
    import torch
    from smplx.utils import Struct

    if kind == "smplx":
        options |= {"ext": "npz", "num_expression_coeffs": 10}
        return cls(str(path), num_betas=10, batch_size=n, dtype=torch.float64, **options)
    data = Struct(**dict(np.load(path)))  # these two read only pickles from a file
    return cls(str(path.parent), data_struct=data, num_betas=10, batch_size=n, dtype=torch.float64, **options)


def _parts(kind: str, n_joints: int) -> dict[str, tuple[int, int]]:
    if kind == "smpl":
        return {"body_pose": (1, 24)}
    face = {"jaw_pose": (22, 23), "leye_pose": (23, 24), "reye_pose": (24, 25)} if kind == "smplx" else {}
    return {"body_pose": (1, 22), "left_hand_pose": (n_joints - 30, n_joints - 15),
            "right_hand_pose": (n_joints - 15, n_joints)} | face  # fmt: skip


def test_torch_and_float32_agree_with_numpy(body_file: tuple[str, Path], rng: np.random.Generator) -> None:
    torch = pytest.importorskip("torch")
    body = load_body(body_file[1])
    R, betas = exp_so3(rng.normal(size=(2, 3, 22, 3))), rng.normal(size=(2, 3, 5))
    reference = body.pose(R, betas=betas, vertices=True)
    single = body.like(np.zeros(1, np.float32)).pose(
        R.astype(np.float32), betas=betas.astype(np.float32), vertices=True
    )
    double = torch.zeros(1, dtype=torch.float64)
    tensors = body.like(double).pose(torch.tensor(R), betas=torch.tensor(betas), vertices=True)
    assert single.vertices is not None and single.vertices.dtype == np.float32
    np.testing.assert_allclose(single.vertices, reference.vertices, atol=1e-5)
    np.testing.assert_allclose(tensors.vertices, reference.vertices, atol=1e-12)


def test_a_few_vertices_equal_those_of_the_whole_mesh(body_file: tuple[str, Path], rng: np.random.Generator) -> None:
    body = load_body(body_file[1])
    R, index = exp_so3(rng.normal(size=(4, len(body.parents), 3))), np.array([5, 17, 900])
    whole, few = body.pose(R, vertices=True).vertices, body.pose(R, vertices=index).vertices
    assert whole is not None
    np.testing.assert_allclose(few, whole[:, index], atol=1e-12)


class _Runs:
    """Pickled, it makes a naive reader create a file."""

    def __init__(self, victim: Path):
        self.victim = victim

    def __reduce__(self):
        return (Path.touch, (self.victim,))


def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path: Path) -> None:
    victim, path = tmp_path / "ran", tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps({"v_template": np.zeros((3, 3)), "f": _Runs(victim)}, protocol=2))
    with pytest.raises(BodyError, match="not run"):
        load_body(path)
    assert not victim.exists()


def test_a_pickle_of_tuples_within_tuples_is_refused(tmp_path: Path) -> None:
    """Hashing the innermost of a million would exhaust Python's own stack and end the process."""
    (tmp_path / "deep.pkl").write_bytes(b"\x80\x02})" + 1_000_000 * b"\x85" + b"K\x01s.")
    with pytest.raises(BodyError, match="is damaged or no pickle"):
        load_body(tmp_path / "deep.pkl")


def test_smpl_pickle_with_chumpy_and_sparse_arrays_equals_the_npz(tmp_path: Path) -> None:
    arrays = body_arrays("smpl")
    (tmp_path / "basicmodel.pkl").write_bytes(_smpl_pickle(arrays))
    np.savez(tmp_path / "smpl.npz", **arrays)
    R = exp_so3(np.random.default_rng(1).normal(size=(24, 3)))
    a, b = (load_body(tmp_path / name).pose(R, vertices=True) for name in ("basicmodel.pkl", "smpl.npz"))
    np.testing.assert_allclose(a.vertices, b.vertices, atol=1e-12)


def _smpl_pickle(arrays: dict[str, np.ndarray]) -> bytes:
    """A pickle as SMPL's: chumpy arrays by the classic reconstructor, the regressor as a SciPy matrix."""
    import sys
    import types

    from scipy import sparse

    module = types.ModuleType("chumpy.ch")
    Ch = type("Ch", (), {"__module__": "chumpy.ch"})
    module.Ch = Ch  # type: ignore[attr-defined]
    content: dict[str, object] = dict(arrays)
    content |= {"J_regressor": sparse.csc_matrix(arrays["J_regressor"]), "bs_type": "lrotmin"}
    for key in ("shapedirs", "v_template"):
        content[key] = Ch()
        content[key].__dict__["x"] = arrays[key]
    packages = {"chumpy": types.ModuleType("chumpy"), "chumpy.ch": module}
    sys.modules.update(packages)
    try:
        return pickle.dumps(content, protocol=2)
    finally:
        for name in packages:
            del sys.modules[name]


def _broken(path: Path, fault: str) -> Path:
    arrays = body_arrays("smpl")
    changed: dict[str, dict[str, object]] = {
        "wrong shape": {"J_regressor": arrays["J_regressor"][:, 1:]},
        "nan": {"v_template": np.full_like(arrays["v_template"], np.nan)},
        "pickled": {"shapedirs": np.array([{"a": 1}], dtype=object)},
        "cyclic tree": {"kintree_table": np.full_like(arrays["kintree_table"], 9)},
        "strings": {"v_template": np.array(["one", "two"])},
        "too many betas": {"num_betas": np.array(99)},
        "two counts": {"num_betas": np.array([3, 4])},
        "no weights": {"weights": 0 * arrays["weights"]},
    }
    content = arrays | changed.get(fault, {})
    if fault == "missing array":
        del content["weights"]
    with path.open("wb") as file:
        if fault == "text":
            file.write(b"not a body")
        elif fault == "zip without arrays":
            with zipfile.ZipFile(file, "w") as archive:
                archive.writestr("hello.txt", "hello")
        elif path.suffix == ".npz":
            np.savez(file, **content)  # type: ignore[arg-type]
        else:
            pickle.dump(content, file)
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    if fault == "missing":
        path.unlink()
    return path


FAULTS = ("missing", "text", "zip without arrays", "missing array", "wrong shape", "nan", "pickled", "cyclic tree",
          "strings", "truncated", "too many betas", "two counts", "no weights")  # fmt: skip


@pytest.mark.parametrize("suffix", [".npz", ".pkl"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_bad_file_gives_one_clear_line(tmp_path: Path, fault: str, suffix: str) -> None:
    with pytest.raises(BodyError) as raised:
        load_body(_broken(tmp_path / f"body{suffix}", fault))
    message = str(raised.value)
    assert "\n" not in message and "body" in message


def test_flipped_bytes_in_a_pickle_never_escape_as_another_error(tmp_path: Path, rng: np.random.Generator) -> None:
    good, path = _smpl_pickle({k: v[:4] if v.ndim else v for k, v in body_arrays("smpl").items()}), tmp_path / "b.pkl"
    for _ in range(150):
        bad = bytearray(good)
        for at in rng.integers(len(bad), size=4):
            bad[at] = rng.integers(256)
        path.write_bytes(bytes(bad))
        try:
            assert isinstance(load_body(path), BodyModel)
        except BodyError:
            continue
