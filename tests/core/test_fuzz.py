# SPDX-License-Identifier: Apache-2.0
"""Five thousand damaged files, the same every time: each is read soundly or refused in a line."""

from pathlib import Path

import numpy as np
import pytest

from fuzz.mutations import mutated
from fuzz.readers import READERS, Reader, try_file
from fuzz.seeds import seeds

_FILES = {".c3d": 3000, ".trc": 1000, ".bvh": 1000}


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
    for data in seeds(reader.suffix, None):
        (tmp_path / f"whole{reader.suffix}").write_bytes(data)
        assert try_file(reader, tmp_path / f"whole{reader.suffix}")
