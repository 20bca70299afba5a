# SPDX-License-Identifier: Apache-2.0
"""What must be known of a pickle before it is loaded, even by an unpickler that runs nothing."""

import pickletools
from typing import BinaryIO

_MOST_TUPLES = 10_000  # files of bodies and priors have some hundreds; as many, one in the other, exhaust the stack


def check_opcodes(file: BinaryIO, size: int) -> None:
    """Read over the pickle that begins here, to its end.

    Args:
        file: at the pickle's first byte; afterwards behind its last.
        size: of the whole file, bytes.

    Raises:
        ValueError: it asks for more memory than the file could fill, or nests tuples deep enough to crash Python.
    """
    tuples = 0
    for opcode, argument, _ in pickletools.genops(file):
        if "PUT" in opcode.name and int(argument or 0) > size:  # the unpickler would reserve memory for as many
            raise ValueError("a memo of impossible size")
        tuples += "TUPLE" in opcode.name
        if tuples > _MOST_TUPLES:
            raise ValueError("too many tuples")
