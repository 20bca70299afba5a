# SPDX-License-Identifier: Apache-2.0
"""VPoser's checkpoints that are damaged, foreign or malicious: inert, and refused in one line."""

import io
import pickle
import zipfile
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.core.vposer_files import VPoser2, lightning, randomised  # noqa: E402
from vendor_core.errors import PriorError  # noqa: E402
from vendor_core.prior import load_prior  # noqa: E402


class Planted:
    """Pickles as a call that would leave a file behind."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, (f"open({str(self.path)!r}, 'w').close()",))


@pytest.mark.parametrize("zipped", [True, False])
def test_what_else_is_pickled_stays_inert(tmp_path: Path, zipped: bool) -> None:
    model, planted = randomised(VPoser2(64, 8)), tmp_path / "planted"
    content = lightning(model) | {
        "hyper_parameters": Namespace(latentD=8, nested=OrderedDict(a={1, 2}, b=[Namespace()])),
        "callbacks": {Path: {"best": np.float64(0.3), "scores": np.zeros(4), "device": torch.device("cpu")}},
        "attack": Planted(planted),
    }
    torch.save(content, tmp_path / "model.ckpt", _use_new_zipfile_serialization=zipped)
    torch.load(tmp_path / "model.ckpt", weights_only=False)
    assert planted.exists()  # the attack works on those who run it
    planted.unlink()
    assert load_prior(tmp_path / "model.ckpt").latent_dim == 8
    assert not planted.exists()
    torch.save({"state_dict": Planted(planted)}, tmp_path / "bad.ckpt", _use_new_zipfile_serialization=zipped)
    with pytest.raises(PriorError, match="no state dict"):
        load_prior(tmp_path / "bad.ckpt")
    assert not planted.exists()


def _state(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    """A writer of a checkpoint whose state dict was changed."""

    def write(path: Path) -> None:
        content = lightning(randomised(VPoser2(64, 8)))
        change(content["state_dict"])
        torch.save(content, path)

    return write


def _set(key: str, shape: tuple[int, ...], value: float = 0.1) -> Callable[[Path], None]:
    return _state(lambda state: state.__setitem__(f"vp_model.{key}", torch.full(shape, value)))


def _bytes(change: Callable[[bytes], bytes], zipped: bool = True) -> Callable[[Path], None]:
    """A writer of a checkpoint whose bytes were changed."""

    def write(path: Path) -> None:
        stream = io.BytesIO()
        torch.save(lightning(randomised(VPoser2(64, 8))), stream, _use_new_zipfile_serialization=zipped)
        path.write_bytes(change(stream.getvalue()))

    return write


def _zip(members: dict[str, bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)

    return write


def _bomb(path: Path) -> None:
    """A storage that unpacks to far more than the checkpoint says."""
    _bytes(lambda whole: whole)(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    _zip({name: bytes(1 << 24) if name.endswith("/data/0") else content for name, content in members.items()})(path)


def _broken_lzma(path: Path) -> None:
    """A pickle that was packed as torch never packs it, and spoilt."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a/data.pkl", bytes(range(256)) * 40)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(byte ^ 0xA5 for byte in content[60:90])
    path.write_bytes(content)


FAULTS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "cut": ("damaged", _bytes(lambda whole: whole[: len(whole) // 2])),
    "cut, legacy": ("damaged", _bytes(lambda whole: whole[: len(whole) // 2], zipped=False)),
    "cut early, legacy": ("damaged", _bytes(lambda whole: whole[:400], zipped=False)),
    "flipped": ("damaged", _bytes(lambda whole: whole[:20_000] + b"x" * 9999 + whole[29_999:])),
    "empty": ("damaged", lambda path: path.write_bytes(b"")),
    "text": ("damaged", lambda path: path.write_bytes(b"hello")),
    "pickle": ("damaged", lambda path: path.write_bytes(pickle.dumps({"a": 1}))),
    "tar": ("tar archive", lambda path: path.write_bytes(bytes(257) + b"ustar" + bytes(300))),
    "bomb of a pickle": ("more than 16 MiB", _zip({"a/data.pkl": bytes(1 << 25)})),
    "bomb of weights": ("damaged", _bomb),
    "huge memo": ("impossible size", _zip({"a/data.pkl": b"\x80\x02}r\xff\xff\xff\x7f."})),
    "tuples in tuples": ("too many tuples", _zip({"a/data.pkl": b"\x80\x02})" + b"\x85" * 300_000 + b"K\x01s."})),
    "broken compression": ("damaged", _broken_lzma),
    "other zip": ("without a data.pkl", _zip({"word/document.xml": b"<a/>"})),
    "module": ("no state dict", lambda path: torch.save(torch.nn.Linear(2, 2), path)),
    "foreign": ("of no prior known here", lambda path: torch.save(torch.nn.Linear(2, 2).state_dict(), path)),
    "odd names": ("of no prior known here", lambda path: torch.save({"a\n" * 500: torch.zeros(1)}, path)),
    "one tensor": ("no state dict", lambda path: torch.save(torch.zeros(3), path)),
    "lacking": ("has no", _state(lambda state: state.pop("vp_model.decoder_net.5.bias"))),
    "joints": ("ends at 138", _state(lambda state: state.update({
        "vp_model.decoder_net.5.weight": torch.zeros(138, 64), "vp_model.decoder_net.5.bias": torch.zeros(138)}))),
    "width": (r"weights \(64, 60\)", _set("encoder_net.2.weight", (64, 60))),
    "inputs": (r"normalises \(66,\)", _set("encoder_net.1.weight", (66,))),
    "latent": ("9 means and 8", _state(lambda state: state.update({
        "vp_model.encoder_net.8.mu.weight": torch.zeros(9, 64), "vp_model.encoder_net.8.mu.bias": torch.zeros(9)}))),
    "variance": ("negative", _set("encoder_net.4.running_var", (64,), -1.0)),
    "not finite": ("not finite", _set("decoder_net.0.bias", (64,), float("nan"))),
    "far too large": ("far too large", _set("decoder_net.3.bias", (64,), 1e30)),
    "counters": ("not floating point", _state(lambda state: state.update({
        "vp_model.decoder_net.0.bias": torch.zeros(64, dtype=torch.int64)}))),
    "no rotations": ("no rotations", _state(lambda state: state.update({
        "vp_model.decoder_net.5.weight": torch.zeros(126, 64), "vp_model.decoder_net.5.bias": torch.zeros(126)}))),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FAULTS))
@pytest.mark.filterwarnings("error")
def test_what_is_no_vposer_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    message, write = FAULTS[name]
    path = tmp_path / "model.ckpt"
    write(path)
    with pytest.raises(PriorError, match=message) as caught:
        load_prior(path)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_folder_without_snapshots_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match="snapshots"):
        load_prior(tmp_path)
    with pytest.raises(PriorError, match="VPoser"):
        load_prior(tmp_path / "missing.ckpt")
