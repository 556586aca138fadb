"""Damped Gauss-Newton on the landmarks' errors and the priors of the morphable model.

Levenberg-Marquardt (Nocedal & Wright, Numerical Optimization, 2006, chapter 10) on squared
distances between projected vertices and landmarks, with Gaussian priors on identity and actions and
on the logarithm of the focal length, which a face alone does not show. Strengths of actions stay in
0…1. Each frame's own numbers are eliminated first: the Schur complement of bundle adjustment
(Triggs et al., "Bundle adjustment: a modern synthesis", 2000).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log

import cv2
import numpy as np

from changeling.faces.fitted import Fit, FrameFit, Marked, middle
from changeling.faces.morphable import Floats, MorphableModel

FOCAL = 1.9
"""Expected focal length in heights of the picture: a portrait's."""
NOISE = 0.014
"""Expected error of a landmark as a share of the distance between the outer corners of the eyes."""
_FOCAL_SPREAD = 0.35
"""Deviation of the logarithm of the focal length."""
_ACTION_SPREAD, _LEAST_SPREAD = 1.5, 0.05
"""Deviation of the strength of an action from 0, in its usual strengths, and the least there is."""
_READ = 0.01
"""Deviation from the strength of an action that was read."""
_MOTION = (0.06, 0.08)
"""Deviations from one frame to the next: of the head's turn in radians and its place in distances
between the eyes; and of the strength of an action."""
_DAMPING, _STILL = 1e-3, 1e-4
"""First damping; the share of the cost below which a step is the last."""
_POSE = 6
"""Numbers of a pose: turn (3), place (2), logarithm of the scale."""


@dataclass(frozen=True, eq=False)
class _Around:
    """A frame's cost near a fit: half the squares of residuals, and how they change."""

    cost: float
    data: float
    """The part of the cost that the landmarks have."""
    own: Floats
    """(6 + a, 6 + a) curvature by the frame's own numbers: pose, then actions."""
    both: Floats
    """(shared, 6 + a)"""
    shared: Floats
    """(shared, shared)"""
    down: Floats
    """(6 + a,) the gradient by the frame's own numbers."""
    down_shared: Floats
    """(shared,)"""


@dataclass(frozen=True, eq=False)
class Problem:
    """Landmarks, what the model says of them, and the priors."""

    mean: Floats
    """(200, 3)"""
    components: Floats
    """(200, 3, k); k is 0 where the identity is known."""
    moves: Floats
    """(200, 3, a)"""
    rarity: Floats
    """(a,) curvature that the prior of each action has."""
    marked: Sequence[Marked]
    known: bool
    """Whether identity and focal length are given."""
    last: FrameFit | None
    """The frame before a single one."""

    @classmethod
    def of(
        cls,
        model: MorphableModel,
        marked: Sequence[Marked],
        known: Fit | None = None,
        last: FrameFit | None = None,
    ) -> "Problem":
        """Of all numbers, or with the identity and the focal length of a fit."""
        mean, components, moves = model.marked
        if known is not None:
            mean, components = mean + components @ known.identity, components[..., :0]
        rarity = np.maximum(_ACTION_SPREAD * model.usual, _LEAST_SPREAD) ** -2
        return cls(mean, components, moves, rarity, marked, known is not None, last)

    def solve(self, fit: Fit, steps: int) -> Fit:
        """Go down from `fit` by at most so many steps, each as long as it helps."""
        damping, around = _DAMPING, self._around(fit)
        for _ in range(steps):
            tried = self._step(fit, around, damping)
            there = self._around(tried)
            before, after = (sum(one.cost for one in every) for every in (around, there))
            if after < before:
                fit, around, damping = tried, there, damping / 5
                if after > (1 - _STILL) * before:
                    break
            else:
                damping *= 10
        trusted = sum(float(one.weights.sum()) for one in self.marked)
        return replace(fit, error=float(np.sqrt(2 * sum(x.data for x in around) / trusted)))

    def _around(self, fit: Fit) -> list[_Around]:
        return [self._frame(fit, k) for k in range(len(self.marked))]

    def _frame(self, fit: Fit, index: int) -> _Around:
        marked, frame = self.marked[index], fit.frames[index]
        residual, own, shared = self.residual(index, fit)
        cost, weight, pull = self._priors(marked, frame)
        data = 0.5 * float(residual @ residual)
        return _Around(
            cost=data + cost + (self._shared_cost(fit) if index == 0 else 0.0),
            data=data,
            own=own.T @ own + weight,
            both=shared.T @ own,
            shared=shared.T @ shared,
            down=own.T @ residual + pull,
            down_shared=shared.T @ residual,
        )

    def residual(self, index: int, fit: Fit) -> tuple[Floats, Floats, Floats]:
        """Errors of a frame's projected landmarks (2n,), in expected errors, and their slopes.

        (2n, 6 + a) by its own numbers (see `FrameFit.moved`), (2n, shared) by identity and the
        logarithm of the focal length.
        """
        marked, frame = self.marked[index], fit.frames[index]
        shape = self.mean + self.moves @ frame.actions
        if not self.known:
            shape = shape + self.components @ fit.identity
        turned, near = shape @ frame.rotation.T, frame.scale / fit.focal
        depth = 1 + near * turned[:, 2:]
        flat = frame.scale * turned[:, :2] + frame.place
        trust = (np.sqrt(marked.weights) / (NOISE * marked.eyes_apart))[:, None]
        residual = trust * (flat / depth + middle(marked.size) - marked.points)
        by_point = np.zeros((len(shape), 2, 3))
        by_point[:, 0, 0] = by_point[:, 1, 1] = frame.scale / depth[:, 0]
        by_point[:, :, 2] = -near * flat / depth**2
        by_point *= trust[:, :, None]
        by_depth = trust * near * turned[:, 2:] * flat / depth**2
        pose = np.empty((len(shape), 2, _POSE))
        pose[:, :, :3] = by_point @ _turning(turned)
        pose[:, :, 3:5] = np.eye(2) * (trust / depth)[:, :, None]
        pose[:, :, 5] = trust * frame.scale * turned[:, :2] / depth - by_depth
        by_rest = by_point @ frame.rotation
        own = np.concatenate([pose, by_rest @ self.moves], 2)
        shared = np.empty((len(shape), 2, 0))
        if not self.known:
            shared = np.concatenate([by_rest @ self.components, by_depth[:, :, None]], 2)
        return residual.ravel(), _rows(own), _rows(shared)

    def _priors(self, marked: Marked, frame: FrameFit) -> tuple[float, Floats, Floats]:
        """Cost, curvature and gradient that a frame's own numbers have before it is looked at."""
        rarity, mean = self.rarity, np.zeros(len(frame.actions))
        if marked.actions is not None:
            rarity, mean = np.full(len(mean), _READ**-2), marked.actions
        weights = np.concatenate([np.zeros(_POSE), rarity])
        away = np.concatenate([np.zeros(_POSE), frame.actions - mean])
        if self.last is None:
            pull = weights * away
            return 0.5 * float(pull @ away), np.diag(weights), pull
        turn, motion = _MOTION[0] ** -2, _MOTION[1] ** -2
        place = turn / marked.eyes_apart**2
        held = np.array([turn] * 3 + [place] * 2 + [turn] + [motion] * len(frame.actions))
        moved = np.concatenate([_between(self.last, frame), frame.actions - self.last.actions])
        pull = weights * away + held * moved
        cost = 0.5 * float(weights @ away**2 + held @ moved**2)
        return cost, np.diag(weights + held), pull

    def _shared_cost(self, fit: Fit) -> float:
        if self.known:
            return 0.0
        return 0.5 * float(fit.identity @ fit.identity + self._focal_error(fit) ** 2)

    def _focal_error(self, fit: Fit) -> float:
        return (log(fit.focal) - log(FOCAL * self.marked[0].size[1])) / _FOCAL_SPREAD

    def _step(self, fit: Fit, around: list[_Around], damping: float) -> Fit:
        """Solve the damped normal equations, each frame's own numbers eliminated."""
        curve = np.asarray(sum(one.shared for one in around))
        down = np.asarray(sum(one.down_shared for one in around))
        if not self.known:
            weights = np.append(np.ones(len(fit.identity)), _FOCAL_SPREAD**-2)
            curve = curve + np.diag(weights)
            down = down + np.append(fit.identity, self._focal_error(fit) / _FOCAL_SPREAD)
        curve = curve + damping * np.diag(np.diag(curve))
        solved = []
        for one, frame in zip(around, fit.frames, strict=True):
            own, both, own_down = _held(one, frame, damping)
            inverse = np.linalg.solve(own, np.column_stack([own_down, both.T]))
            solved.append(inverse)
            curve = curve - both @ inverse[:, 1:]
            down = down - both @ inverse[:, 0]
        step = -np.linalg.solve(curve, down)
        frames = tuple(
            frame.moved(-inverse[:, 0] - inverse[:, 1:] @ step)
            for frame, inverse in zip(fit.frames, solved, strict=True)
        )
        if self.known:
            return replace(fit, frames=frames)
        return replace(
            fit, identity=fit.identity + step[:-1], focal=fit.focal * exp(step[-1]), frames=frames
        )


def _held(one: _Around, frame: FrameFit, damping: float) -> tuple[Floats, Floats, Floats]:
    """Curvatures and gradient of a frame, without the actions that press against a bound."""
    still = np.zeros(len(one.down), bool)
    pressed = one.down[_POSE:]
    still[_POSE:] = ((frame.actions <= 0) & (pressed > 0)) | ((frame.actions >= 1) & (pressed < 0))
    own = one.own + damping * np.diag(np.diag(one.own))
    own[still] = own[:, still] = 0
    own[still, still] = 1
    return own, np.where(still, 0, one.both), np.where(still, 0, one.down)


def _between(last: FrameFit, frame: FrameFit) -> Floats:
    """(6,) from the pose of `last` to that of `frame`."""
    turn = cv2.Rodrigues(frame.rotation @ last.rotation.T)[0][:, 0]
    scale = log(frame.scale / last.scale)
    return np.concatenate([turn, frame.place - last.place, [scale]])


def _turning(points: Floats) -> Floats:
    """(n, 3, 3): how points (n, 3) move when the head turns about each axis."""
    x, y, z = points.T
    zero = np.zeros_like(x)
    return np.stack(
        [
            np.stack([zero, z, -y], 1),
            np.stack([-z, zero, x], 1),
            np.stack([y, -x, zero], 1),
        ],
        1,
    )


def _rows(by_point: Floats) -> Floats:
    """(n, 2, m) → (2n, m)"""
    return by_point.reshape(2 * len(by_point), by_point.shape[2])
