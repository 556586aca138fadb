"""Graphics-based swap: the fitted face of one person drawn in the place of another's.

Two methods. `Shape`, the better one: B's shape and skin in A's pose, expression and light, and A's
surroundings moved to meet it. `FaceForensics`: B's skin on A's own shape, as the FaceSwap of
Rössler et al., "FaceForensics++: learning to detect manipulated facial images", ICCV 2019, section
3.1, does it; its faults are kept, since it is the baseline of the field.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from changeling.faces.blurring import blurred
from changeling.faces.morphable import Floats, MorphableModel
from changeling.faces.texture import Appearance, painted, retoned
from changeling.faces.view import EYES, LEVEL, SKIN, Area, Light, View, encoded, linear
from changeling.faces.warping import changed, moved, spread_out
from changeling.generators.protocols import Redrawn


@dataclass(frozen=True, eq=False)
class Shape:
    """B's shape in A's pose and expression, B's skin in A's light, and A's surroundings moved."""

    identity: Floats
    """(k,) of the model's components: B's face on A's head."""
    look: Appearance
    """B's."""
    own: Appearance
    """A's: what its eyes are like, and how much light its skin sends back."""
    larger: float
    """How many times larger than the model makes it that face is drawn beside A's."""
    rim: float = 13.0
    """Degrees beyond the inner face at which B's skin ends."""
    ramp: float = 6.0
    """Degrees over which it fades."""
    reach: float = 0.1
    """How far the surroundings move, as a share of the face's width."""
    soft: float = 0.09
    """Shadows wider than this share of the face's width are A's."""

    @classmethod
    def between(
        cls, model: MorphableModel, own: tuple[Floats, Appearance], b: tuple[Floats, Appearance]
    ) -> "Shape":
        """From A's and B's identity and looks."""
        identity, larger = model.put_on(own[0], b[0])
        return cls(identity, b[1], own[1], larger)

    def redraw(self, view: View) -> Redrawn:
        """Draw B's face in A's place."""
        given = view.shape
        shape = self.larger * view.model.shape(self.identity, view.frame.actions)
        offsets = view.points(given) - view.points(shape)
        shade = view.shade(view.normals(shape))
        uv, inner = view.model.uv, view.model.inner[:, None]
        drawn = view.draw(shape, np.column_stack([offsets, uv, shade, inner]))
        wide = view.width(shape)
        face = drawn.triangle >= 0
        moves = spread_out(drawn.planes(0, 1), face, 1 - view.clear, reach=self.reach * wide)
        parts = view.parts(drawn)
        eyes = np.isin(parts, EYES)
        met = self._eyed(linear(moved(view.pixels, moves)), eyes, view.clear)
        hem = drawn.values[..., -1]
        mask = _skin((parts == SKIN) * np.clip((hem + self.rim) / self.ramp, 0, 1), eyes)
        mask *= view.clear
        skin = painted(self.look.skin, drawn.values[..., 2:4]) * drawn.values[..., 4:7]
        skin = skin * (self.look.colour / np.maximum(self.own.colour, 1e-4)).astype(np.float32)
        skin = _shadowed(skin, met, mask, max(1.0, self.soft * wide))
        pixels = encoded(met + mask[..., None] * (skin - met))
        touched = changed(moves) | (face & (view.clear > 0))
        return Redrawn(pixels, np.maximum(mask, touched.astype(np.float32)))

    def _eyed(self, light: Light, eyes: NDArray[np.bool_], clear: Area) -> Light:
        """With the tones of B's eyes in A's, which keep where they look."""
        if eyes.sum() < 12:
            return light
        wider = cv2.dilate(eyes.astype(np.uint8), np.ones((3, 3))) > 0
        share = cv2.GaussianBlur(eyes.astype(np.float32), (0, 0), 0.6) * clear
        out, before = light.copy(), light[wider]
        toned = retoned(before, self.own.eyes, self.look.eyes)
        out[wider] = before + share[wider][:, None] * (toned - before)
        return out


@dataclass(frozen=True, eq=False)
class FaceForensics:
    """B's skin on A's shape, with A's average colour and a soft edge, as in FaceForensics++."""

    look: Appearance
    """B's, from one frame, with its light in it."""
    feather: float = 0.06
    """How wide the edge fades, as a share of the face's width."""

    def redraw(self, view: View) -> Redrawn:
        """Draw B's skin on A's face."""
        shape = view.shape
        drawn = view.draw(shape, np.column_stack([view.model.uv, view.model.inner]))
        inside = (view.parts(drawn) == SKIN) & (drawn.values[..., 2] > 0)
        before = view.pixels.astype(np.float32) / 255
        light = painted(self.look.skin, drawn.values[..., :2]) * self.look.colour.astype(np.float32)
        skin = encoded(light)
        if inside.any():
            skin = np.clip(skin + before[inside].mean(0) - skin[inside].mean(0), 0, 1)
        wide = view.width(shape)
        width = max(1.0, self.feather * wide)
        hem = cv2.erode(inside.astype(np.float32), np.ones((round(width) | 1,) * 2))
        mask = cv2.GaussianBlur(hem, (0, 0), width / 2)
        return Redrawn(np.asarray(skin, np.float32), np.asarray(mask, np.float32))


def _skin(skin: Area, eyes: NDArray[np.bool_]) -> Area:
    """(h, w) 0…1 where skin is drawn, its edge soft: not on eyes."""
    soft = cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 0.7)
    near = cv2.dilate(eyes.astype(np.float32), np.ones((3, 3)))
    return np.asarray(soft * (1 - cv2.GaussianBlur(near, (0, 0), 0.8)), np.float32)


def _shadowed(skin: Light, wanted: Light, mask: Area, sigma: float) -> Light:
    """The skin, as bright as before on the whole, with the wide shadows of another picture."""
    over = cv2.merge([mask, wanted @ LEVEL * mask, skin @ LEVEL * mask])
    share, light, own = cv2.split(blurred(over, sigma))
    ratio = (light / (share + 1e-3) + 0.01) / (own / (share + 1e-3) + 0.01)
    total = float(mask.sum())
    if total < 1:
        return skin
    whole = np.exp((np.log(ratio) * mask).sum() / total)
    return np.asarray(skin * np.clip(ratio / whole, 0.5, 2)[..., None], np.float32)
