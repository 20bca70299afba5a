# SPDX-License-Identifier: Apache-2.0
"""What jobs are asked with and answer: parameters, checked one by one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .body import BodyModel, default_body, load_body
from .errors import MotionError, PoiseError
from .motion.amass import read_motion

Answer = tuple[dict[str, Any], dict[str, np.ndarray]]
"""JSON and arrays."""

Report = Callable[[float, str], None]
"""Called with the fraction done and a line of text; raises `Cancelled` to end the work."""


def body_of(path: str | Path | None) -> BodyModel:
    """The body of a file, or the default body."""
    return load_body(path) if path else default_body()


def known_betas(shape: str, body: BodyModel) -> np.ndarray | None:
    """Betas that a solve takes as given: None for "auto", zeros for "none", else those of a motion file.

    Raises:
        MotionError: the file is no motion, or its betas belong to another body.
    """
    if shape == "auto":
        return None
    if shape == "none":
        return np.zeros(body.num_betas)
    motion = read_motion(shape)
    if bool(motion.body_name) != bool(body.beta_names):
        whose = f'the body "{motion.body_name}"' if motion.body_name else "an SMPL body"
        raise MotionError(
            f"{Path(shape).name} holds betas of {whose}, not of {body.name}; expected a motion of that body"
        )
    return motion.betas[: body.num_betas]


_KINDS = {str: "text", list: "a list", dict: "an object", np.ndarray: "an array", int: "a whole number"}
_SHOWN = 60  # characters of a wrong value


def parameter(params: dict[str, Any], name: str, kind: type | tuple[type, ...], *default: Any) -> Any:
    """A parameter of a job, or the default where it is missing or null.

    Raises:
        PoiseError: it is of another kind, or missing without a default.
    """
    value = params.get(name)
    if value is None and default:
        return default[0]
    if not isinstance(value, kind) or isinstance(value, bool):
        expected = "a number" if isinstance(kind, tuple) else _KINDS[kind]
        raise PoiseError(f'The job\'s "{name}" is {shown(value)}; expected {expected}')
    return value


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = repr(value) if not isinstance(value, np.ndarray) else f"an array of shape {value.shape}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
