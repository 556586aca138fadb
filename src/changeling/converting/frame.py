"""One frame converted: every face cut out, swapped, matched in colour and blended back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from changeling.converting import blend
from changeling.converting.blend import Mask, feathered
from changeling.converting.colour import Match, colours, encoded, levels, linear, matched, unit
from changeling.faces import Face, crop, invert, to_pixels
from changeling.generators import Redrawn, Swaps
from changeling.media import Pixels

Region = tuple[slice, slice]
"""Rows and columns of a frame."""
Mix = Callable[[blend.Patch, blend.Patch, Mask], blend.Patch]
"""From what is below, what is above, and the area, to both together."""


@dataclass(frozen=True)
class How:
    """How a swapped face is put into the frame."""

    colour: Match = "none"
    """Give the swapped face the colours of the face it replaces: mean, or mean and covariance."""
    blend: Literal["alpha", "poisson"] = "alpha"
    """Soft edge (alpha), or gradients solved into the frame (poisson)."""
    feather: float = 0.08
    """How wide the edge fades, as a fraction of the face's square."""


@dataclass(frozen=True, eq=False)
class Converted:
    """A finished frame, the pasted area (h, w) float32 0…1, and how many faces were pasted."""

    pixels: Pixels
    area: Mask
    faces: int


@dataclass(frozen=True, eq=False)
class Swap:
    """One face of one frame: matrix (2, 3) from frame to unit crop, and three square pictures.

    `before` (s, s, 3) and `after` (s, s, 3) float32 0…1 sRGB, `mask` (s, s) float32 0…1.
    """

    matrix: NDArray[np.float64]
    before: blend.Patch
    after: blend.Patch
    mask: Mask

    def laid(self, shape: tuple[int, ...], how: How) -> "Laid | None":
        """In the colours asked for, with a soft edge."""
        mask = feathered(self.mask, how.feather)
        region = _region(self.matrix, shape)
        if region is None or not mask.any():
            return None
        inside = _warped(mask, self.matrix, region, cv2.BORDER_CONSTANT)
        face = _warped(_coloured(self, how), self.matrix, region, cv2.BORDER_REPLICATE)
        return Laid(region, np.clip(face, 0, 1), inside)

    def mix(self, how: How) -> Mix:
        """As asked."""
        return blend.poisson if how.blend == "poisson" else blend.alpha


@dataclass(frozen=True, eq=False)
class Patched:
    """A window of a frame drawn anew by a manipulation that sees to its own edge."""

    window: Region
    drawn: Redrawn

    def laid(self, shape: tuple[int, ...], how: How) -> "Laid | None":
        """As it is."""
        if not self.drawn.mask.any():
            return None
        return Laid(self.window, self.drawn.pixels, self.drawn.mask)

    def mix(self, how: How) -> Mix:
        """By its mask."""
        return blend.alpha


@dataclass(frozen=True, eq=False)
class Laid:
    """A face as it lies in the frame."""

    region: Region
    """Rows and columns."""
    face: blend.Patch
    """(h, w, 3) sRGB 0…1 of the region."""
    area: Mask
    """(h, w) 0…1."""


class Layer(Protocol):
    """Something that is put over a frame."""

    def laid(self, shape: tuple[int, ...], how: How) -> Laid | None:
        """Where it comes to lie in a frame of `shape`; None when nothing of it would be seen."""
        ...

    def mix(self, how: How) -> Mix:
        """How it is mixed with what is below."""
        ...


Found = tuple[Pixels, Sequence[Face]]
"""A frame and the faces to replace in it."""


def convert_frame(
    pixels: Pixels, faces: Sequence[Face], swaps: Swaps, *, to: str, how: How
) -> Converted:
    """The frame with each of the faces replaced by person `to`'s; `pixels` is left alone."""
    return convert_frames([(pixels, faces)], swaps, to=to, how=how)[0]


def convert_frames(frames: Sequence[Found], swaps: Swaps, *, to: str, how: How) -> list[Converted]:
    """As `convert_frame`, with the faces of all the frames in one batch."""
    swapped = swap_faces(frames, swaps, to=to)
    return [paste(pixels, found, how) for (pixels, _), found in zip(frames, swapped, strict=True)]


def swap_faces(frames: Sequence[Found], swaps: Swaps, *, to: str) -> list[tuple[Swap, ...]]:
    """For each frame its faces, cut out and swapped in one batch; nothing is pasted yet.

    What is before a face, such as hair or a hand, is left out of its mask and so stays in front.
    """
    faces = [face for _, found in frames for face in found]
    if not faces:
        return [() for _ in frames]
    crops = np.stack(
        [crop(pixels, face.matrix, swaps.size) for pixels, found in frames for face in found]
    )
    before = unit(crops)
    with torch.inference_mode():
        swapped = swaps.swap(torch.from_numpy(before).permute(0, 3, 1, 2).contiguous(), to=to)
        after = swapped.faces.permute(0, 2, 3, 1).float().cpu().numpy()
        masks = swapped.masks[:, 0].float().cpu().numpy()
    masks = masks * np.stack([face.clear(swaps.size) for face in faces])
    ready = iter(zip(faces, before, after, masks, strict=True))
    return [
        tuple(Swap(face.matrix, *rest) for _, (face, *rest) in zip(found, ready, strict=False))
        for _, found in frames
    ]


def paste(pixels: Pixels, layers: Sequence[Layer], how: How) -> Converted:
    """The frame with the layers put over it, such as swapped faces where they were cut out.

    Where the area is 0 the frame is unchanged to the bit. A face with an empty mask, or one that
    lies outside the frame, is not pasted and not counted.
    """
    finished = pixels.copy()
    area = np.zeros(pixels.shape[:2], np.float32)
    pasted = 0
    for layer in layers:
        laid = layer.laid(pixels.shape, how)
        if laid is None:
            continue
        under = finished[laid.region]
        mixed = levels(layer.mix(how)(unit(under), laid.face, laid.area))
        finished[laid.region] = np.where(laid.area[..., None] > 0, mixed, under)
        area[laid.region] = np.maximum(area[laid.region], laid.area)
        pasted += 1
    return Converted(finished, area, pasted)


def _coloured(swap: Swap, how: How) -> blend.Patch:
    """The swapped face with the colours of the face it replaces, both measured inside the mask."""
    if how.colour == "none":
        return swap.after
    light = linear(swap.after)
    own, wanted = colours(light, swap.mask), colours(linear(swap.before), swap.mask)
    return encoded(matched(light, own, wanted, how.colour))


def _region(matrix: NDArray[np.float64], shape: tuple[int, ...]) -> Region | None:
    """Rows and columns of the frame that the unit crop covers; None when it lies outside."""
    corners = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]]) @ invert(matrix).T
    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(corners.max(0)).astype(int) + 1, (shape[1], shape[0]))
    if left >= right or top >= bottom:
        return None
    return slice(int(top), int(bottom)), slice(int(left), int(right))


def _warped(
    square: NDArray[np.float32], matrix: NDArray[np.float64], region: Region, border: int
) -> NDArray[np.float32]:
    """A square picture in the frame, as far as the region shows it.

    One that is more than twice as large as its place is averaged first, so that nothing aliases.
    """
    rows, columns = region
    side = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if side < square.shape[0] / 2:
        small = (max(1, round(side)),) * 2
        square = np.asarray(cv2.resize(square, small, interpolation=cv2.INTER_AREA), np.float32)
    to_square = to_pixels(matrix, square.shape[0])
    to_square[:, 2] += to_square[:, :2] @ (columns.start, rows.start)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    cubic = cv2.INTER_CUBIC if square.ndim == 3 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(
        square, to_square, size, flags=cubic | cv2.WARP_INVERSE_MAP, borderMode=border
    )
    return np.asarray(warped, np.float32)
