# SPDX-License-Identifier: Apache-2.0
"""The shape space: linear directions that an artist can name, then the strongest directions of what is left."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from .makehuman import Macro, MakeHuman

NEUTRAL = Macro(proportions=0.65)
Build = Callable[[np.ndarray], np.ndarray]  # A-posed vertices (N, 3) -> T-posed (K, 3): skin, then joints; pelvis at 0


@dataclass(frozen=True)
class Slider:
    """A named direction: between two people, or along one of MakeHuman's detail targets."""

    name: str
    unit: str  # what one unit means
    low: Macro = NEUTRAL
    high: Macro = NEUTRAL
    grow: tuple[str, ...] = ()
    shrink: tuple[str, ...] = ()
    millimetres: float = 0.0  # mean displacement of one unit, once stature is held; 0 where `kilograms` rules
    kilograms: float = 0.0


def _pair(name: str, unit: str, low: dict[str, float], high: dict[str, float], **size: float) -> Slider:
    return Slider(name, unit, low=replace(NEUTRAL, **low), high=replace(NEUTRAL, **high), **size)  # type: ignore[arg-type]


HEIGHT_STEP = 0.07  # metres of stature
SLIDERS = (
    _pair("height", "7 cm taller", {"height": 0.4}, {"height": 0.6}),
    _pair("weight", "8 kg heavier", {"weight": 0.2}, {"weight": 0.8}, kilograms=8.0),
    _pair("muscle", "leaner to more muscular", {"muscle": 0.1}, {"muscle": 0.9}, millimetres=4.0),
    _pair("sex", "-2 feminine, +2 masculine", {"gender": 0.0}, {"gender": 1.0}, millimetres=6.0),
    _pair("age", "15 years older, from 25", {"age": 0.0}, {"age": 1.0}, millimetres=5.0),
    Slider("legs", "longer legs, shorter trunk", grow=("legs/upperlegs-height-incr", "legs/lowerlegs-height-incr"),
           shrink=("legs/upperlegs-height-decr", "legs/lowerlegs-height-decr"), millimetres=6.0),
)  # fmt: skip
N_BETAS = 10


def neutral(source: MakeHuman) -> np.ndarray:
    """A-posed vertices of the template."""
    return source.vertices(NEUTRAL)


def _raw_direction(source: MakeHuman, slider: Slider, build: Build) -> np.ndarray:
    if slider.grow:
        high = neutral(source) + sum(source.detail(name) for name in slider.grow)
        low = neutral(source) + sum(source.detail(name) for name in slider.shrink)
    else:
        high, low = source.vertices(slider.high), source.vertices(slider.low)
    return 0.5 * (build(high) - build(low))


def named_directions(source: MakeHuman, build: Build, stature: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Directions (n, K, 3), metres a unit, in the order of SLIDERS.

    Args:
        stature: (K, 3) gradient of the body's height over the points.
        volume: (K, 3) gradient of the body's volume, m^3 a metre.
    Every direction but height keeps stature: a share of height is taken out of it.
    """
    directions = [_raw_direction(source, slider, build) for slider in SLIDERS]
    directions[0] *= HEIGHT_STEP / np.vdot(stature, directions[0])
    for i, slider in enumerate(SLIDERS[1:], start=1):
        d = directions[i] - np.vdot(stature, directions[i]) / HEIGHT_STEP * directions[0]
        size = 1000 * np.vdot(volume, d) / slider.kilograms if slider.kilograms else (
            1000 * np.linalg.norm(d, axis=1).mean() / slider.millimetres
        )  # fmt: skip
        directions[i] = d / size
    return np.array(directions)


def random_adults(count: int, seed: int) -> list[Macro]:
    """People spread as a population: two sexes, ages from 25 to 90, builds and proportions about the middle."""
    rng = np.random.default_rng(seed)
    return [
        Macro(
            gender=float(np.clip(rng.normal(rng.choice([0.1, 0.9]), 0.12), 0, 1)),
            age=float(np.clip(rng.beta(1.2, 2.5), 0, 1)),
            muscle=float(np.clip(rng.normal(0.5, 0.16), 0, 1)),
            weight=float(np.clip(rng.normal(0.52, 0.2), 0, 1)),
            height=float(np.clip(rng.normal(0.5, 0.07), 0, 1)),
            proportions=float(np.clip(rng.normal(0.6, 0.2), 0, 1)),
            race=tuple(rng.dirichlet((1, 1, 1))),
        )
        for _ in range(count)
    ]


def residual_directions(deviations: np.ndarray, named: np.ndarray, count: int) -> np.ndarray:
    """The `count` strongest directions (count, K, 3) of deviations (S, K, 3) beyond the named, one standard deviation long."""
    samples, basis = deviations.reshape(len(deviations), -1), named.reshape(len(named), -1)
    fitted = np.linalg.lstsq(basis.T, samples.T, rcond=None)[0]
    rest = samples - fitted.T @ basis
    rest -= rest.mean(0)
    _, strength, directions = np.linalg.svd(rest, full_matrices=False)
    directions = directions[:count] * strength[:count, None] / np.sqrt(len(samples) - 1)
    directions *= np.sign(directions[np.arange(count), np.abs(directions).argmax(1)])[:, None]
    return directions.reshape(count, *named.shape[1:])
