# SPDX-License-Identifier: Apache-2.0
"""The worker's pipe: messages whole from pieces of any size, never a pickle, and what is no message refused."""

import io
import struct
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

from tests.core.conftest import REPO
from vendor_core.frames import MAGIC, MAX_BLOB, MAX_JSON, FrameError, FrameReader, Message, pack


def test_frames_round_trip_in_pieces_of_any_size() -> None:
    arrays = {
        "x": np.arange(12, dtype=np.float32).reshape(3, 4),
        "flags": np.array([True, False]),
        "empty": np.zeros((0, 3)),
    }
    data = pack({"type": "a", "text": "ä"}, arrays) + pack({"type": "b"})
    for size in (1, 7, 13, 4096):
        reader, messages = FrameReader(), []
        for at in range(0, len(data), size):
            messages += reader.feed(data[at : at + size])
        first, second = messages
        assert (first.fields, second.fields, second.arrays) == ({"type": "a", "text": "ä"}, {"type": "b"}, {})
        for name, array in arrays.items():
            np.testing.assert_array_equal(first.arrays[name], array)
            assert first.arrays[name].dtype == array.dtype


def test_frames_never_carry_pickles() -> None:
    with pytest.raises(ValueError, match="pickle"):
        pack({}, {"x": np.array([{}], dtype=object)})
    evil = zipfile.ZipFile(buffer := io.BytesIO(), "w")
    with evil, evil.open("x.npy", "w") as member:
        np.lib.format.write_array(member, np.array([{}], dtype=object), allow_pickle=True)
    blob = buffer.getvalue()
    with pytest.raises(FrameError, match="damaged"):
        FrameReader().feed(struct.pack("<4sII", MAGIC, 2, len(blob)) + b"{}" + blob)


def test_a_message_reads_its_fields() -> None:
    message = Message({"type": "result", "id": 4, "data": {"a": 1}})
    assert (message.type, message.id, message.data) == ("result", 4, {"a": 1})
    assert Message({}).id is None


def raw_worker() -> "subprocess.Popen[bytes]":
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-m", "vendor_core", "worker"], cwd=REPO, bufsize=0, **pipes)


def read_hello(process: "subprocess.Popen[bytes]") -> None:
    assert process.stdout is not None
    reader = FrameReader()
    while not reader.feed(process.stdout.read(1)):
        pass


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_the_end_of_input_ends_the_worker_within_a_second(request: pytest.FixtureRequest, busy: bool) -> None:
    params = {"take": str(request.getfixturevalue("shared_data") / "c3d" / "cmu_135_02.c3d")} if busy else {}
    with raw_worker() as process:
        assert process.stdin is not None
        read_hello(process)
        if busy:
            process.stdin.write(pack({"type": "run", "id": 1, "job": "solve", "params": params}))
            time.sleep(1.5)
        process.stdin.close()
        assert process.wait(timeout=1) == 0


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"found the bytes b'GET '"),
        (struct.pack("<4sII", MAGIC, MAX_JSON + 1, 0), b"too large"),
        (struct.pack("<4sII", MAGIC, 2, MAX_BLOB + 1), b"too large"),
        (struct.pack("<4sII", MAGIC, 4, 0) + b"{{{{", b"damaged"),
        (struct.pack("<4sII", MAGIC, 2, 4) + b"{}PK!!", b"damaged"),
        (struct.pack("<4sII", MAGIC, 2, 0) + b"[]", b"JSON object"),
    ],
    ids=["garbage", "long-text", "long-arrays", "no-json", "no-npz", "no-object"],
)
def test_a_worker_refuses_what_is_no_message(sent: bytes, words: bytes) -> None:
    with raw_worker() as process:
        read_hello(process)
        out, err = process.communicate(sent, timeout=5)
    assert process.returncode == 2
    assert out == b"" and words in err and b"Traceback" not in err
