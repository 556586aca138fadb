"""The face as a linear model: a mean face, ways in which faces differ, and what actions do to them.

A morphable model (Blanz & Vetter, "A morphable model for the synthesis of 3D faces", SIGGRAPH
1999) made of the rendered actors' heads by `changeling teach face`, so that it is free to use.
Metres from the point between the eyes, in OpenCV's axes: x to the picture's right, y down, z away
from the camera; the face looks along −z. Heads have the average size.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from changeling.faces.weights import read_arrays

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]

FILE = Path(__file__).parent / "face.safetensors"
"""The model that ships; face.json beside it has its SHA-256 and how it was made."""


@dataclass(frozen=True, eq=False)
class MorphableModel:
    """A face of n vertices: mean + identity · components + actions · moves."""

    mean: Floats
    """(n, 3) the mean face in rest."""
    components: Floats
    """(k, n, 3) principal components, each one standard deviation long."""
    sizes: Floats
    """(k,) what each deviation by which a face differs from another adds to the logarithm of its
    size, when it is put on the other's head."""
    kept: Floats
    """(k, k) what of that difference stays the other's, since it belongs to the head."""
    trait_steps: Floats
    """(t, k) what the whole range of each trait among adults adds to the components."""
    traits: tuple[str, ...]
    """Names of the traits."""
    moves: Floats
    """(a, n, 3) what each action at full strength adds."""
    usual: Floats
    """(a,) root mean square of each action's strength in performances."""
    actions: tuple[str, ...]
    """ARKit names of the actions."""
    triangles: Ints
    """(t, 3) indices of vertices."""
    parts: Ints
    """(t,) what each triangle is made of, as `actors.model.Part` numbers it."""
    uv: Floats
    """(n, 2) of each vertex in the face's own texture, 0…1, the face filling it."""
    landmarks: Ints
    """(200,) vertices of the landmarks, the 68 of 300-W first."""
    inner: Floats
    """(n,) distance to the border of the inner face in degrees, above 0 inside."""

    @classmethod
    def load(cls, path: Path = FILE) -> "MorphableModel":
        """Read a model and check it against the SHA-256 in the JSON beside it.

        Raises UserError when it is missing or not the one that was written.
        """
        arrays, about = read_arrays(path, network="face")
        real = {name: value.astype(np.float64) for name, value in arrays.items()}
        whole = {name: value.astype(np.int32) for name, value in arrays.items()}
        return cls(
            mean=real["mean"],
            components=real["components"],
            sizes=real["sizes"],
            kept=real["kept"],
            trait_steps=real["trait_steps"],
            traits=tuple(about["traits"]),
            moves=real["moves"],
            usual=real["usual"],
            actions=tuple(about["actions"]),
            triangles=whole["triangles"],
            parts=whole["parts"],
            uv=real["uv"],
            landmarks=whole["landmarks"],
            inner=real["inner"],
        )

    def shape(self, identity: Floats, actions: Floats) -> Floats:
        """The vertices (n, 3) of an identity (k,), in deviations, and strengths (a,) of actions."""
        return (
            self.mean
            + np.tensordot(identity, self.components, 1)
            + np.tensordot(actions, self.moves, 1)
        )

    def put_on(self, own: Floats, given: Floats) -> tuple[Floats, float]:
        """The identity (k,) of the face `given` on the head of `own`, and how large it is drawn.

        A face swap keeps the head: its width, its jaw's hinges, its size. What of a shape is the
        head's, and how a face's size goes with its shape, is regressed on random actors whose
        faces were exchanged. The factor is for shapes beside those of `own`.
        """
        still = np.zeros(len(self.moves))
        (log, a), (_, b) = (self.normalised(self.shape(x, still)) for x in (own, given))
        return b + (a - b) @ self.kept, float(np.exp((b - a) @ self.sizes - log))

    def normalised(self, shape: Floats) -> tuple[float, Floats]:
        """Logarithm of what makes a face (n, 3) as large as the mean, and its (k,) components."""
        inner = self.inner > 0
        flat, mean = shape[inner].ravel(), self.mean[inner].ravel()
        factor = float(flat @ mean / (flat @ flat))
        axes = self.components.reshape(len(self.components), -1)
        away = (factor * shape - self.mean).ravel()
        return float(np.log(factor)), axes @ away / (axes**2).sum(1)

    @cached_property
    def marked(self) -> tuple[Floats, Floats, Floats]:
        """The landmarks alone: mean (200, 3), components (200, 3, k), moves (200, 3, a)."""
        ways = (x[:, self.landmarks].transpose(1, 2, 0) for x in (self.components, self.moves))
        components, moves = (np.ascontiguousarray(x) for x in ways)
        return self.mean[self.landmarks], components, moves


@lru_cache(maxsize=1)
def face_model() -> MorphableModel:
    """The model that ships, read once."""
    return MorphableModel.load()
