"""One camera of a fixed picture size: draws an actor's body in one frame of a performance."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import warp as wp
from numpy.typing import NDArray

from changeling.actors.background import paint
from changeling.actors.body import Body
from changeling.actors.landmarks import landmark_vertices
from changeling.actors.model import Floats, Part, moves
from changeling.actors.performance import Performance
from changeling.actors.raster import EMPTY, SAMPLES, Pose, place, rasterise, smooth_normals
from changeling.actors.resolve import FAR, STRIP, resolve
from changeling.actors.scene import Light, Look, Mesh, light_vertices
from changeling.actors.truth import Truth
from changeling.actors.visibility import Vec16

PIVOT = (0.0, 0.095, -0.085)
"""The joint of neck and head, from the point between the eyes, in metres."""
AXES = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)
"""The renderer's axes (right, away, up) → OpenCV's (right, down, forward)."""
NEAR = 0.004
"""Metres by which a landmark may lie behind what is drawn and still count as seen."""
AROUND = np.indices((2, 2)).reshape(2, 4)
"""Rows and columns of the four pixels around a point, from the one to its top left."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """One frame as the kernels leave it."""

    pixels: NDArray[np.uint8]
    truth: Truth


@lru_cache(maxsize=1)
def srgb_curve() -> NDArray[np.uint8]:
    """Linear light → sRGB byte, tabulated over its square root (IEC 61966-2-1)."""
    linear = (np.arange(4096) / 4095) ** 2
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return (curve * 255 + 0.5).astype(np.uint8)


class Camera:
    """Buffers and uploads for one body at one size; use one per thread."""

    def __init__(self, body: Body, size: tuple[int, int], device: str) -> None:
        self.body, self.size, self.device = body, size, device
        width, height = size
        vertices = len(body.rest) + len(body.fixed)
        self.mesh = Mesh()
        self.mesh.triangles = self._up(body.triangles, wp.vec3i)
        self.mesh.part = self._up(body.part, int)
        self.mesh.uv = self._up(body.uv, wp.vec2)
        self.mesh.strand = self._up(body.strand, wp.vec4)
        self.mesh.inner = self._up(body.inner, float)
        self.mesh.texture = self._up(body.texture, wp.vec4)
        self.mesh.world = self._new(vertices, wp.vec3)
        self.mesh.screen = self._new(vertices, wp.vec3)
        self.mesh.normals = self._new(vertices, wp.vec3)
        self.mesh.lit = self._new(vertices, wp.vec2)
        self.rest = self._up(body.rest, wp.vec3)
        start, action, move = moves()
        self.moves = [self._up(start, int), self._up(action, int), self._up(move, wp.vec3)]
        self.fixed = self._up(body.fixed, wp.vec3)
        self.share = self._up(body.share, float)
        self.surface = self._up(body.surface, int)
        self.seen, self.sky = self._up(body.seen, Vec16), self._up(body.sky, float)
        self.start, self.around = (self._up(a, int) for a in body.around)
        self.keys = self._new((SAMPLES * height, SAMPLES * width), wp.uint64)
        self.curve = self._up(srgb_curve(), wp.uint8)
        self.eyes = [
            np.unique(body.triangles[body.part == p]) for p in (Part.LEFT_EYE, Part.RIGHT_EYE)
        ]
        self.scene = (-1, -1)
        self.background: tuple[wp.array, wp.array] | None = None

    def _up(self, array: NDArray[np.generic], kind: type) -> wp.array:
        return wp.array(array, dtype=kind, device=self.device)

    def _new(self, shape: int | tuple[int, ...], kind: type) -> wp.array:
        return wp.empty(shape, dtype=kind, device=self.device)

    def draw(self, performance: Performance, index: int) -> Drawn:
        """Frame `index` of a performance."""
        pose, rotation = self._pose(performance, index)
        light = _light(performance, index)
        self._place(performance.actions[index], pose, light)
        self._rasterise()
        width, height = self.size
        picture = self._new((height, width, 3), wp.uint8)
        labels = self._new((height, width), wp.uint8)
        depth = self._new((height, width), float)
        self._launch(
            resolve,
            (height, -(-width // STRIP)),
            [
                self.mesh, self.keys, light,
                self._look(rotation, performance.gaze[index]),
                *self._behind(performance, index), self.curve, picture, labels, depth,
            ],
        )  # fmt: skip
        return Drawn(
            picture.numpy(),
            self._truth(performance, index, rotation, labels.numpy(), depth.numpy()),
        )

    def _launch(self, kernel: object, size: int | tuple[int, ...], inputs: list[object]) -> None:
        wp.launch(kernel, size, inputs=inputs, device=self.device)

    def _pose(self, performance: Performance, index: int) -> tuple[Pose, NDArray[np.float64]]:
        rotation = turned(performance.turn[index])
        vector = cv2.Rodrigues(rotation)[0][:, 0]
        angle = float(np.linalg.norm(vector))
        width, height = self.size
        pose = Pose()
        pose.origin = wp.vec3(*performance.position[index].tolist())
        pose.pivot = wp.vec3(*PIVOT)
        pose.axis = wp.vec3(*(vector / max(angle, 1e-9)).tolist())
        pose.angle = angle
        pose.focal = float(performance.focal[index]) * height * SAMPLES
        pose.centre = wp.vec2(width * SAMPLES / 2, height * SAMPLES / 2)
        return pose, rotation

    def _place(self, actions: Floats, pose: Pose, light: Light) -> None:
        mesh, vertices = self.mesh, len(self.share)
        self._launch(
            place,
            vertices,
            [
                self.rest, *self.moves, self._up(actions, float), self.fixed, self.share, pose,
                mesh.world, mesh.screen,
            ],
        )  # fmt: skip
        self._launch(
            smooth_normals,
            vertices,
            [mesh.world, mesh.triangles, self.start, self.around, mesh.normals],
        )
        self._launch(
            light_vertices,
            vertices,
            [self.seen, self.sky, self.share, pose, light, mesh.lit],
        )

    def _rasterise(self) -> None:
        self.keys.fill_(EMPTY)
        mesh, cover = self.mesh, self.body.hair_cover
        self._launch(
            rasterise,
            len(self.body.triangles),
            [mesh.screen, mesh.triangles, self.surface, mesh.strand, cover, self.keys],
        )

    def _look(self, rotation: NDArray[np.float64], gaze: Floats) -> Look:
        face, styling = self.body.face, self.body.styling
        side, up = (float(a) for a in gaze)
        look = Look()
        look.gloss = face.gloss
        look.iris = wp.vec3(*face.iris)
        look.hair = wp.vec3(*styling.hair_colour)
        look.shirt = wp.vec3(*styling.shirt_colour)
        look.shirt_second = wp.vec3(*styling.shirt_second)
        look.pattern = styling.shirt_pattern
        look.frame = wp.vec3(*styling.frame_colour)
        world = self.mesh.world.numpy()
        eyes = [world[v].mean(0) for v in self.eyes]
        look.left_eye, look.right_eye = (wp.vec3(*e.tolist()) for e in eyes)
        ahead = np.array([np.sin(side) * np.cos(up), -np.cos(side) * np.cos(up), np.sin(up)])
        look.left_gaze = look.right_gaze = wp.vec3(*(rotation @ ahead).tolist())
        return look

    def _behind(self, performance: Performance, index: int) -> tuple[wp.array, wp.array]:
        """The take's background, as linear light and as bytes."""
        wanted = (performance.seed, int(performance.take[index]))
        if self.background is None or self.scene != wanted:
            linear = paint(*wanted, self.size)
            encoded = srgb_curve()[(np.sqrt(linear) * 4095 + 0.5).astype(int)]
            self.background = (self._up(linear, wp.vec3), self._up(encoded, wp.uint8))
            self.scene = wanted
        return self.background

    def _truth(
        self,
        performance: Performance,
        index: int,
        rotation: NDArray[np.float64],
        labels: NDArray[np.uint8],
        depth: Floats,
    ) -> Truth:
        width, height = self.size
        screen = self.mesh.screen.numpy()[landmark_vertices()]
        dense = (screen[:, :2] / SAMPLES - 0.5).astype(np.float32)
        seen = _seen(dense, screen[:, 2], depth)
        focal = float(performance.focal[index]) * height
        camera = [[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]]
        return Truth(
            segmentation=labels,
            landmarks=dense[:68].copy(),
            dense=dense,
            visible=seen[:68].copy(),
            dense_visible=seen,
            depth=np.where(depth < FAR, depth, np.inf).astype(np.float32),
            rotation=(AXES @ rotation @ AXES.T).astype(np.float32),
            actions=performance.actions[index].copy(),
            camera=np.array(camera, np.float32),
        )


def turned(turn: Floats) -> NDArray[np.float64]:
    """Yaw, pitch and roll of a `Performance` as a rotation (3, 3) in the renderer's axes."""
    yaw, pitch, roll = (float(angle) for angle in turn)
    return _about(2, yaw) @ _about(0, pitch) @ _about(1, roll)


def turn_of(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    """The yaw, pitch and roll (3,) that `turned` makes a rotation (3, 3) of."""
    yaw = np.arctan2(-rotation[0, 1], rotation[1, 1])
    pitch = np.arcsin(np.clip(rotation[2, 1], -1, 1))
    return np.array([yaw, pitch, np.arctan2(-rotation[2, 0], rotation[2, 2])])


def _about(axis: int, angle: float) -> NDArray[np.float64]:
    vector = np.zeros(3)
    vector[axis] = angle
    return np.asarray(cv2.Rodrigues(vector)[0], np.float64)


def _seen(points: Floats, distance: Floats, depth: Floats) -> NDArray[np.bool_]:
    """Whether points (n, 2) at a distance (n,) are the nearest thing in a pixel around them."""
    height, width = depth.shape
    inside = ((points > -0.5) & (points < [width - 0.5, height - 0.5])).all(1)
    x, y = np.floor(points).astype(int).T
    rows = (y[:, None] + AROUND[0]).clip(0, height - 1)
    columns = (x[:, None] + AROUND[1]).clip(0, width - 1)
    return np.asarray(inside & (distance < depth[rows, columns].max(1) + NEAR))


def _light(performance: Performance, index: int) -> Light:
    light = Light()
    for name in ("key", "key_colour", "fill", "fill_colour", "sky", "ground"):
        setattr(light, name, wp.vec3(*getattr(performance, name)[index].tolist()))
    return light
