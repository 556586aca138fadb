"""How an actor moves: moods, talk, blinks, glances and a turning head, drawn from a seed."""

from __future__ import annotations

import cv2
import numpy as np

from changeling.actors.model import Floats

ACTIONS: tuple[str, ...] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft",
    "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight", "eyeSquintLeft", "eyeSquintRight",
    "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft",
    "mouthPressRight", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft", "mouthSmileRight",
    "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 ARKit blend shapes that drive a face, in alphabetical order."""

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


def act(count: int, rate: float, r: np.random.Generator) -> dict[str, Floats]:
    """The `actions`, `turn` and `gaze` of a `Performance` of `count` frames."""
    turn = wander(count, 3, 0.9 * rate, r) * 0.55 + wander(count, 3, 0.28 * rate, r) * 0.12
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


def _smooth(x: Floats, sigma: float) -> Floats:
    """Gaussian smoothing along the first axis."""
    rows = x.reshape(len(x), -1).astype(np.float32)
    size = 2 * int(3 * sigma) + 1
    out = cv2.GaussianBlur(
        rows, (1, size), sigmaX=1e-3, sigmaY=sigma, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(out.reshape(x.shape), np.float32)


def wander(count: int, width: int, sigma: float, r: np.random.Generator) -> Floats:
    """Smooth noise of unit variance, (count, width)."""
    extra = int(3 * sigma) + 1
    out = _smooth(r.normal(size=(count + 2 * extra, width)).astype(np.float32), sigma)
    out = out[extra : extra + count] * np.sqrt(2 * sigma * np.sqrt(np.pi))
    return np.asarray(out, np.float32)


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
    noise = np.maximum(wander(count, len(ACTIONS), 0.5 * rate, r), 0) * 0.035
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
