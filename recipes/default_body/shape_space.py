# SPDX-License-Identifier: Apache-2.0
"""The shape space: linear directions that an artist can name, then the strongest directions of what is left."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from .makehuman import Macro, MakeHuman

NEUTRAL = Macro(muscle=0.45, weight=0.6, proportions=0.65)
Build = Callable[[np.ndarray], np.ndarray]  # A-posed vertices (N, 3) -> T-posed (K, 3): skin, then joints; pelvis at 0


@dataclass(frozen=True)
class Slider:
    """A named direction from one person to another, each a macro with detail targets added to the neutral.

    One unit is `kilograms` of body, or `metres` of stature, or a `1 / units` part of the way from low to high.
    """

    name: str
    meaning: str  # of one unit
    low: Macro = NEUTRAL
    high: Macro = NEUTRAL
    shrink: dict[str, float] = field(default_factory=dict)
    grow: dict[str, float] = field(default_factory=dict)
    units: float = 0.0
    kilograms: float = 0.0
    metres: float = 0.0


_BUST = "breast/female-young-averagemuscle-averageweight-{}cup-averagefirmness"
SLIDERS = (
    Slider("height", "7 cm taller", replace(NEUTRAL, height=0.4), replace(NEUTRAL, height=0.6), metres=0.07),
    Slider(
        "weight", "8 kg heavier", replace(NEUTRAL, weight=0.1, muscle=0.4), replace(NEUTRAL, weight=0.8, muscle=0.2),
        kilograms=8.0,
    ),
    Slider(
        "muscle", "3 kg of muscle", replace(NEUTRAL, weight=0.4, muscle=0.1), replace(NEUTRAL, weight=0.8, muscle=0.9),
        kilograms=3.0,
    ),
    Slider(
        "sex", "-2 feminine, 2 masculine", replace(NEUTRAL, gender=0), replace(NEUTRAL, gender=1),
        shrink={_BUST.format("max"): 0.45}, grow={_BUST.format("min"): 0.15}, units=4.0,
    ),
    Slider("age", "15 years older, from 25", NEUTRAL, replace(NEUTRAL, age=1), units=65 / 15),
    Slider(
        "legs", "legs 1.5 cm longer at the same height", units=8.0,
        shrink={"legs/upperlegs-height-decr": 1.0, "legs/lowerlegs-height-decr": 1.0},
        grow={"legs/upperlegs-height-incr": 1.0, "legs/lowerlegs-height-incr": 1.0},
    ),
    Slider(
        "arms", "arms 2 cm longer", units=11.0,
        shrink={"arms/measure-upperarm-length-decr": 1.0, "arms/measure-lowerarm-length-decr": 1.0},
        grow={"arms/measure-upperarm-length-incr": 1.0, "arms/measure-lowerarm-length-incr": 1.0},
    ),
    Slider(
        "shoulders", "shoulders 2 cm broader", units=3.2,
        shrink={"torso/measure-shoulder-dist-decr": 1.0}, grow={"torso/measure-shoulder-dist-incr": 1.0},
    ),
)  # fmt: skip
N_BETAS = 10
WATER = 1000.0  # kg a m^3, a body's density nearly


def neutral(source: MakeHuman) -> np.ndarray:
    """A-posed vertices of the template."""
    return source.vertices(NEUTRAL)


def _raw_direction(source: MakeHuman, slider: Slider, build: Build) -> np.ndarray:
    low, high = source.vertices(slider.low), source.vertices(slider.high)
    low = low + sum(share * source.detail(name) for name, share in slider.shrink.items())
    high = high + sum(share * source.detail(name) for name, share in slider.grow.items())
    return build(high) - build(low)


def named_directions(source: MakeHuman, build: Build, stature: np.ndarray, volume: np.ndarray) -> np.ndarray:
    """Directions (n, K, 3), metres a unit, in the order of SLIDERS.

    Args:
        stature: (K, 3) gradient of the body's height over the points.
        volume: (K, 3) gradient of the body's volume, m^3 a metre.
    Every direction but height, the first, keeps stature: a share of height is taken out of it.
    """
    directions: list[np.ndarray] = []
    for slider in SLIDERS:
        direction = _raw_direction(source, slider, build)
        if directions:
            direction -= np.vdot(stature, direction) / SLIDERS[0].metres * directions[0]
        if slider.metres:
            direction *= slider.metres / np.vdot(stature, direction)
        elif slider.kilograms:
            direction *= slider.kilograms / (WATER * np.vdot(volume, direction))
        else:
            direction /= slider.units
        directions.append(direction)
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


def residual_directions(deviations: np.ndarray, named: np.ndarray, stature: np.ndarray, count: int) -> np.ndarray:
    """What the named directions (n, K, 3) miss of people's deviations (S, K, 3) from the template.

    Returns:
        (count, K, 3), the strongest principal directions, one standard deviation long; they keep stature too.
    """
    samples, basis = deviations.reshape(len(deviations), -1), named.reshape(len(named), -1)
    fitted = np.linalg.lstsq(basis.T, samples.T, rcond=None)[0]
    rest = samples - fitted.T @ basis
    rest -= rest.mean(0)
    _, strength, directions = np.linalg.svd(rest, full_matrices=False)
    directions = directions[:count] * strength[:count, None] / np.sqrt(len(samples) - 1)
    directions *= np.sign(directions[np.arange(count), np.abs(directions).argmax(1)])[:, None]
    directions = directions.reshape(count, *named.shape[1:])
    return directions - np.einsum("kx,nkx->n", stature, directions)[:, None, None] / SLIDERS[0].metres * named[0]
