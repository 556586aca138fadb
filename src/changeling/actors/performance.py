"""What an actor does: a smooth sequence of facial actions, head pose, gaze, light, camera and background from a seed."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from changeling.actors.model import Floats, Ints
from changeling.errors import UserError

ACTIONS: tuple[str, ...] = tuple(
    ["browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut"]
)
"""The 52 ARKit blend shapes that drive a face, in alphabetical order."""

TAKE_SECONDS = 4.0
"""A performance is cut into takes of about this length, each with its own light and background."""

# Mouth shapes of speech; a name without a side moves both.
VISEMES: tuple[dict[str, float], ...] = (
    {"jawOpen": 0.45, "mouthLowerDown": 0.15},
    {"jawOpen": 0.28, "mouthFunnel": 0.45, "mouthPucker": 0.2},
    {"jawOpen": 0.16, "mouthStretch": 0.25, "mouthSmile": 0.15, "mouthUpperUp": 0.1},
    {"mouthPress": 0.4, "mouthRollLower": 0.2, "mouthRollUpper": 0.2},
    {"jawOpen": 0.06, "mouthRollLower": 0.35, "mouthUpperUp": 0.2},
    {"jawOpen": 0.10, "mouthPucker": 0.55, "mouthFunnel": 0.15},
    {"jawOpen": 0.30, "mouthStretch": 0.15},
    {},
)
MOODS: tuple[dict[str, float], ...] = (
    {"mouthSmile": 0.75, "cheekSquint": 0.5, "eyeSquint": 0.25, "mouthDimple": 0.2},
    {"mouthSmile": 0.9, "cheekSquint": 0.6, "jawOpen": 0.22, "mouthUpperUp": 0.35},
    {"browInnerUp": 0.8, "browOuterUp": 0.7, "eyeWide": 0.6, "jawOpen": 0.25},
    {"browDown": 0.8, "mouthPress": 0.4, "eyeSquint": 0.4, "noseSneer": 0.2},
    {"mouthFrown": 0.7, "browInnerUp": 0.6, "mouthShrugLower": 0.4},
    {"noseSneer": 0.6, "mouthUpperUp": 0.45, "browDown": 0.4, "eyeSquint": 0.3},
    {"mouthPucker": 0.7, "browInnerUp": 0.2},
    {"cheekPuff": 0.7, "mouthPress": 0.2},
    {"mouthLeft": 0.6, "mouthSmileLeft": 0.4, "browOuterUpRight": 0.5},
    {"mouthRight": 0.6, "mouthSmileRight": 0.4, "browOuterUpLeft": 0.5},
    {},
    {},
)


@dataclass(frozen=True, eq=False)
class Performance:
    """A performance, one row a frame; independent of who gives it."""

    seed: int
    """What the backgrounds are drawn from."""
    rate: Fraction
    """Frames per second."""
    actions: Floats
    """(n, 52) strengths in 0…1, in the order of `ACTIONS`."""
    turn: Floats
    """(n, 3) yaw, pitch and roll of the head in radians."""
    position: Floats
    """(n, 3) where the point between the eyes stands: right, away from the camera, up, in metres."""
    gaze: Floats
    """(n, 2) of both eyes: to the side and up, in radians, relative to the head."""
    key: Floats
    """(n, 3) unit vectors towards the key light."""
    key_colour: Floats
    """(n, 3) linear RGB; likewise `fill_colour`, `sky` and `ground`."""
    fill: Floats
    fill_colour: Floats
    sky: Floats
    ground: Floats
    focal: Floats
    """(n,) focal length in heights of the picture."""
    take: Ints
    """(n,) index of the take; each has its background."""

    def __len__(self) -> int:
        return len(self.actions)

    @classmethod
    def from_seed(
        cls, seed: int, *, seconds: float = 20, rate: Fraction = Fraction(25)
    ) -> Performance:
        """A performance of a seed: moods, talk, blinks, glances and a moving head in several takes.

        Raises UserError when it would have no frame.
        """
        count = round(seconds * rate)
        if count < 1:
            raise UserError(
                f"A performance of {seconds} seconds has no frame: give --seconds a larger number."
            )
        r = np.random.default_rng([seed, 5])
        take = _takes(count, float(rate), r)
        return cls(
            seed=seed,
            rate=rate,
            take=take,
            **_acting(count, float(rate), r),
            **_staging(take, r),
        )

    @classmethod
    def from_csv(cls, path: Path, *, seed: int = 0, rate: Fraction = Fraction(60)) -> Performance:
        """A performance recorded by a phone: a CSV of ARKit blend shapes as Live Link Face writes it.

        Columns are found by name whatever their case; HeadYaw, HeadPitch and HeadRoll are radians;
        light, camera and background come from the seed. Raises UserError for a file that is none.
        """
        rows = _read_rows(path)
        columns = {name.strip().lower(): k for k, name in enumerate(rows[0])}
        missing = [name for name in ACTIONS if name.lower() not in columns and name != "tongueOut"]
        if missing:
            raise UserError(
                f"{path} has no column {missing[0]!r}: "
                "give a CSV with the 52 ARKit blend shapes, as Live Link Face records them."
            )
        values = _numbers(path, rows)
        staged = cls.from_seed(seed, seconds=len(values) / float(rate), rate=rate)

        def column(name: str) -> Floats:
            index = columns.get(name.lower())
            return values[:, index] if index is not None else np.zeros(len(values), np.float32)

        sign = {"HeadYaw": 1, "HeadPitch": -1, "HeadRoll": 1}
        return replace(
            staged,
            actions=np.stack([column(n).clip(0, 1) for n in ACTIONS], -1).astype(np.float32),
            turn=np.stack([s * column(n) for n, s in sign.items()], -1).astype(np.float32),
            gaze=_gaze_of_actions(column),
        )


def _read_rows(path: Path) -> list[list[str]]:
    try:
        rows = [row for row in csv.reader(path.read_text().splitlines()) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read as a CSV of blend shapes: {error}.") from error
    if len(rows) < 2:
        raise UserError(
            f"{path} holds no frame: give a CSV with a header and a row for each frame."
        )
    return rows


def _numbers(path: Path, rows: list[list[str]]) -> Floats:
    out = np.zeros((len(rows) - 1, len(rows[0])), np.float32)
    for i, row in enumerate(rows[1:]):
        if len(row) != len(rows[0]):
            raise UserError(f"{path} line {i + 2} has {len(row)} fields instead of {len(rows[0])}.")
        for k, text in enumerate(row):
            out[i, k] = float(text) if _is_number(text) else 0
    return out


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _gaze_of_actions(column: object) -> Floats:
    assert callable(column)
    side = 0.5 * (
        column("eyeLookOutLeft")
        - column("eyeLookInLeft")
        + column("eyeLookInRight")
        - column("eyeLookOutRight")
    )
    up = 0.5 * (
        column("eyeLookUpLeft")
        + column("eyeLookUpRight")
        - column("eyeLookDownLeft")
        - column("eyeLookDownRight")
    )
    return np.stack([0.5 * side, 0.4 * up], -1).astype(np.float32)


def _takes(count: int, rate: float, r: np.random.Generator) -> Ints:
    takes = max(1, round(count / rate / TAKE_SECONDS))
    edges = (
        np.linspace(0, count, takes + 1)[1:-1] + r.uniform(-0.15, 0.15, takes - 1) * count / takes
    )
    return np.searchsorted(edges, np.arange(count), side="right").astype(np.int32)


def _smooth(x: Floats, sigma: float) -> Floats:
    """Gaussian smoothing along the first axis."""
    rows = x.reshape(len(x), -1).astype(np.float32)
    size = 2 * int(3 * sigma) + 1
    out = cv2.GaussianBlur(
        rows, (1, size), sigmaX=1e-3, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(out.reshape(x.shape), np.float32)


def _wander(count: int, width: int, sigma: float, r: np.random.Generator) -> Floats:
    """Smooth noise of unit variance, (count, width)."""
    extra = int(3 * sigma) + 1
    out = _smooth(r.normal(size=(count + 2 * extra, width)).astype(np.float32), sigma)
    out = out[extra : extra + count] * np.sqrt(2 * sigma * np.sqrt(np.pi))
    return np.asarray(out, np.float32)


def _acting(count: int, rate: float, r: np.random.Generator) -> dict[str, Floats]:
    turn = _wander(count, 3, 0.9 * rate, r) * 0.55 + _wander(count, 3, 0.28 * rate, r) * 0.12
    turn = np.tanh(turn) * np.array([0.60, 0.27, 0.17])
    gaze = _glances(count, rate, r) - np.stack([0.35 * turn[:, 0], -0.25 * turn[:, 1]], -1)
    gaze = np.clip(gaze, [-0.5, -0.3], [0.5, 0.3]).astype(np.float32)
    actions = _moods(count, rate, r) + _talk(count, rate, r) + _idle(count, rate, r)
    actions = _follow_gaze(_blinks(np.clip(actions, 0, 1), rate, r), gaze)
    actions[:, ACTIONS.index("mouthClose")] = 0
    actions[:, ACTIONS.index("tongueOut")] = 0
    return {
        "actions": np.clip(actions, 0, 1).astype(np.float32),
        "turn": turn.astype(np.float32),
        "gaze": gaze,
    }


def _both(shape: dict[str, float], r: np.random.Generator) -> Floats:
    """A named expression → (52,), a little stronger on one side."""
    out = np.zeros(len(ACTIONS), np.float32)
    side = {"Left": r.uniform(0.85, 1.15), "Right": r.uniform(0.85, 1.15)}
    for name, amount in shape.items():
        for k, action in enumerate(ACTIONS):
            stem = action.removesuffix("Left").removesuffix("Right")
            if action == name or (stem == name and action != stem):
                out[k] = amount * (side["Left" if action.endswith("Left") else "Right"])
    return out


def _steps(
    count: int, lengths: tuple[float, float], r: np.random.Generator
) -> list[tuple[int, int]]:
    """Stretches of random length (frames) that cover the performance."""
    out, start = [], 0
    while start < count:
        end = start + max(1, round(r.uniform(*lengths)))
        out.append((start, min(end, count)))
        start = end
    return out


def _moods(count: int, rate: float, r: np.random.Generator) -> Floats:
    out = np.zeros((count, len(ACTIONS)), np.float32)
    for start, end in _steps(count, (0.7 * rate, 2.2 * rate), r):
        mood = MOODS[int(r.integers(len(MOODS)))]
        out[start:end] = _both(mood, r) * r.uniform(0.4, 1.0)
    return _smooth(out, 0.16 * rate)


def _talk(count: int, rate: float, r: np.random.Generator) -> Floats:
    out = np.zeros((count, len(ACTIONS)), np.float32)
    for start, end in _steps(count, (1.2 * rate, 3.0 * rate), r):
        if r.random() < 0.6:
            for first, last in _steps(end - start, (0.10 * rate, 0.26 * rate), r):
                viseme = VISEMES[int(r.integers(len(VISEMES)))]
                out[start + first : start + last] = _both(viseme, r) * r.uniform(0.6, 1.1)
    return _smooth(out, 0.055 * rate)


def _idle(count: int, rate: float, r: np.random.Generator) -> Floats:
    """Small movements of everything that never quite rests."""
    noise = np.maximum(_wander(count, len(ACTIONS), 0.5 * rate, r), 0) * 0.035
    still = [k for k, n in enumerate(ACTIONS) if n.startswith(("eyeBlink", "eyeLook", "tongue"))]
    noise[:, still] = 0
    return np.asarray(noise, np.float32)


def _blinks(actions: Floats, rate: float, r: np.random.Generator) -> Floats:
    out = actions.copy()
    lids = [ACTIONS.index("eyeBlinkLeft"), ACTIONS.index("eyeBlinkRight")]
    time = r.uniform(0.3, 2.5)
    frames = np.arange(len(actions)) / rate
    while time < frames[-1]:
        close = np.exp(-(np.abs((frames - time) / r.uniform(0.07, 0.11)) ** 2.6))
        out[:, lids] = np.maximum(out[:, lids], close[:, None])
        time += r.uniform(1.2, 4.5)
    return out


def _glances(count: int, rate: float, r: np.random.Generator) -> Floats:
    out = np.zeros((count, 2), np.float32)
    for start, end in _steps(count, (0.3 * rate, 1.8 * rate), r):
        out[start:end] = r.normal(size=2) * [0.16, 0.07] * (r.random() < 0.7)
    return _smooth(out, 0.02 * rate)


def _follow_gaze(actions: Floats, gaze: Floats) -> Floats:
    """The lids go with the eyes."""
    out = actions.copy()
    side, up = gaze[:, 0] / 0.5, gaze[:, 1] / 0.4
    for name, amount in (
        ("eyeLookOutLeft", side), ("eyeLookInLeft", -side),
        ("eyeLookInRight", side), ("eyeLookOutRight", -side),
        ("eyeLookUpLeft", up), ("eyeLookUpRight", up),
        ("eyeLookDownLeft", -up), ("eyeLookDownRight", -up),
    ):  # fmt: skip
        out[:, ACTIONS.index(name)] = np.clip(amount, 0, 1)
    return out


def _staging(take: Ints, r: np.random.Generator) -> dict[str, Floats]:
    count = len(take)
    drift = _wander(count, 3, 40.0, r)
    scenes = [_scene(r) for _ in range(int(take[-1]) + 1)]
    rows = {name: np.stack([scenes[k][name] for k in take]) for name in scenes[0]}
    azimuth = rows["azimuth"][:, 0] + 0.18 * drift[:, 0]
    height = rows["height"][:, 0] + 0.08 * drift[:, 1]
    rows["key"] = _towards(azimuth, height)
    rows["fill"] = _towards(-azimuth * 0.8, np.full(count, 0.15))
    rows["position"] = rows["position"] + 0.012 * _wander(count, 3, 22.0, r)
    rows["focal"] = rows["focal"][:, 0]
    kept = ("key", "key_colour", "fill", "fill_colour", "sky", "ground", "position", "focal")
    return {name: rows[name].astype(np.float32) for name in kept}


def _towards(azimuth: Floats, height: Floats) -> Floats:
    """Unit vectors to a light: 0 is behind the camera, height in radians."""
    return np.stack(
        [np.sin(azimuth) * np.cos(height), -np.cos(azimuth) * np.cos(height), np.sin(height)], -1
    )


def _scene(r: np.random.Generator) -> dict[str, Floats]:
    """Light and camera of one take."""
    warm = r.uniform(-0.14, 0.16)
    strength = r.uniform(0.75, 1.25)
    return {
        "azimuth": np.array([r.uniform(0.15, 1.25) * r.choice((-1, 1))]),
        "height": np.array([r.uniform(0.15, 0.95)]),
        "key_colour": np.array([1 + warm, 1.0, 1 - warm]) * 1.05 * strength,
        "fill_colour": np.array([1 - warm, 1.0, 1 + warm]) * r.uniform(0.10, 0.40),
        "sky": np.array([0.94, 1.0, 1.08]) * r.uniform(0.22, 0.46),
        "ground": np.array([1.06, 1.0, 0.9]) * r.uniform(0.08, 0.20),
        "position": np.array([r.uniform(-0.05, 0.05), r.uniform(1.0, 1.3), r.uniform(0.005, 0.03)]),
        "focal": np.array([r.uniform(2.5, 2.85)]),
    }
