# SPDX-License-Identifier: Apache-2.0
"""Seven thousand damaged files, the same every time: each is read soundly or refused in a line."""

from pathlib import Path

import numpy as np
import pytest

from fuzz.mutations import mutated
from fuzz.readers import READERS, Reader, try_file
from fuzz.seeds import seeds

_FILES = {".c3d": 3000, ".trc": 1000, ".bvh": 1000, ".npz": 1000, ".npy": 1000}


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.suffix)
def test_damaged_files_are_read_or_refused(reader: Reader, tmp_path: Path) -> None:
    rng, path, read = np.random.default_rng(0), tmp_path / f"case{reader.suffix}", 0
    corpus = seeds(reader.suffix, None)
    for _ in range(_FILES[reader.suffix]):
        path.write_bytes(mutated(corpus[rng.integers(len(corpus))], corpus, rng))
        read += try_file(reader, path)
    assert 0 < read < _FILES[reader.suffix]


def test_damaged_real_takes_are_read_or_refused(shared_data: Path, tmp_path: Path) -> None:
    rng, path, reader = np.random.default_rng(1), tmp_path / "case.c3d", READERS[0]
    corpus = seeds(".c3d", shared_data / "c3d")
    for _ in range(200):
        path.write_bytes(mutated(corpus[rng.integers(len(corpus))], corpus, rng))
        try_file(reader, path)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.suffix)
def test_what_is_damaged_is_sound_at_first(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / f"whole{reader.suffix}"
    path.write_bytes(seeds(reader.suffix, None)[0])
    assert try_file(reader, path)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (".bvh", f"HIERARCHY\nROOT a\n{{\nOFFSET 0 0 0\nCHANNELS 0\n}}\nMOTION\nFrames: {10**9}\nFrame Time: 0.1\n"),
        (
            ".bvh",
            "HIERARCHY\nROOT a\n{\nOFFSET 0 0 0\nCHANNELS 1 Xposition\n"
            + "JOINT b\n{\nOFFSET 0 0 0\n}\n" * 1900
            + "}\nMOTION\nFrames: 50000\nFrame Time: 0.1\n"
            + "0\n" * 50000,
        ),
        (
            ".trc",
            "PathFileType\nDataRate\tNumMarkers\tUnits\n100\t10000\tmm\nFrame#\tTime\t"
            + "\t\t\t".join(f"m{i}" for i in range(10000))
            + "\n\n\n"
            + "1\n" * 6000,
        ),
    ],
)
def test_small_files_never_ask_for_large_memory(suffix: str, text: str, tmp_path: Path) -> None:
    reader = next(reader for reader in READERS if reader.suffix == suffix)
    (tmp_path / f"wide{suffix}").write_text(text)
    assert not try_file(reader, tmp_path / f"wide{suffix}")
