"""A fit record: what the morphable model says of every frame of one face's film, in one file."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from changeling.actors import ACTIONS, Film
from changeling.actors.camera import AXES, turn_of
from changeling.actors.recording import write_recording
from changeling.errors import UserError
from changeling.faces.fitted import Fit, FrameFit, project
from changeling.faces.morphable import Floats, MorphableModel, face_model
from changeling.media import writing
from changeling.provenance import Consent
from changeling.training import from_json, to_json

_DIGITS = 6


@dataclass(frozen=True, eq=False)
class Fitted:
    """One frame of the film."""

    index: int
    """Of the frame in the film."""
    time: Fraction
    """In seconds."""
    frame: FrameFit | None
    """None where the face could not be fitted."""
    light: Floats
    """(3, 4) of red, green and blue: the light from all sides, and how it grows along x, y and z of
    the camera, as shares of what the face sends back (spherical harmonics of the first order)."""
    reason: str
    """Why it could not be fitted; "" where it was."""


@dataclass(frozen=True, eq=False)
class FitRecord:
    """A film's face; `fit_video` makes it and `open_fit` reads it."""

    source: str
    """Name of the film."""
    sha256: str
    """SHA-256 of the film."""
    size: tuple[int, int]
    """Width and height of its frames."""
    consent: Consent
    """The consent under which the face was measured."""
    film: Film | None
    """The recipe of the source when it is a film of rendered actors that proved itself."""
    identity: Floats
    """(k,) of the model's components, in deviations."""
    focal: float
    """Focal length in pixels."""
    error: float
    """Of the key frames, in expected errors of a landmark."""
    frames: tuple[Fitted, ...]
    """Every frame of the film."""

    @property
    def fit(self) -> Fit:
        """The frames that could be fitted."""
        frames = tuple(one.frame for one in self.frames if one.frame is not None)
        return Fit(self.identity, self.focal, frames, self.error)

    def landmarks(self, frame: FrameFit) -> Floats:
        """(68, 2) pixels where the fit of a frame puts the landmarks."""
        model = face_model()
        shape = model.shape(self.identity, frame.actions)[model.landmarks[:68]]
        return project(shape, frame, self.focal, self.size)

    @property
    def reasons(self) -> dict[str, int]:
        """Why frames could not be fitted, and how many."""
        return dict(Counter(one.reason for one in self.frames if one.reason))

    def save(self, path: Path, *, overwrite: bool = False) -> None:
        """Write the record, one frame a line. Raises UserError when it exists or cannot be."""
        head = {
            "source": self.source,
            "sha256": self.sha256,
            "size": list(self.size),
            "consent": self.consent.to_json(),
            "film": None if self.film is None else to_json(self.film),
            "identity": _rounded(self.identity),
            "focal": round(self.focal, 3),
            "error": round(self.error, 4),
        }
        lines = ",\n".join(json.dumps(_to_json(one)) for one in self.frames)
        text = json.dumps(head, indent=1)[:-2] + ',\n "frames": [\n' + lines + "\n ]\n}\n"
        with writing(path, overwrite=overwrite) as beside:
            beside.write_text(text, encoding="utf-8")

    def save_csv(self, path: Path, model: MorphableModel, *, overwrite: bool = False) -> None:
        """Write the performance as Live Link Face does: 52 ARKit blend shapes and the head's turn.

        A frame that could not be fitted repeats the one before; the first ones are at rest.
        """
        places = [ACTIONS.index(name) for name in model.actions]
        actions, turns = (np.zeros((len(self.frames), n), np.float32) for n in (len(ACTIONS), 3))
        for k, one in enumerate(self.frames):
            if one.frame is None:
                actions[k], turns[k] = actions[max(0, k - 1)], turns[max(0, k - 1)]
                continue
            actions[k, places] = one.frame.actions
            turns[k] = turn_of(AXES.T @ one.frame.rotation @ AXES)
        times = [float(one.time) for one in self.frames]
        with writing(path, overwrite=overwrite) as beside:
            write_recording(beside, times, actions, turns)


def open_fit(path: Path) -> FitRecord:
    """Read a record. Raises UserError when the file is none or is damaged."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return _from_json(data, str(path))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is no fit record, or a damaged one ({error!r}); make it with "
            f"`changeling fit FILM -o {path}`."
        ) from None


def _from_json(data: Mapping[str, Any], where: str) -> FitRecord:
    width, height = data["size"]
    film = data["film"]
    return FitRecord(
        str(data["source"]),
        str(data["sha256"]),
        (int(width), int(height)),
        Consent.from_json(data["consent"], where=where),
        None if film is None else from_json(Film, film, where=where),
        np.array(data["identity"], np.float64),
        float(data["focal"]),
        float(data["error"]),
        tuple(_fitted(one) for one in data["frames"]),
    )


def _fitted(data: Mapping[str, Any]) -> Fitted:
    frame = None
    if not data["reason"]:
        frame = FrameFit(
            np.array(data["rotation"], np.float64).reshape(3, 3),
            np.array(data["place"], np.float64).reshape(2),
            float(data["scale"]),
            np.array(data["actions"], np.float64),
        )
    light = np.array(data["light"], np.float64).reshape(3, 4)
    return Fitted(int(data["frame"]), Fraction(data["time"]), frame, light, str(data["reason"]))


def _to_json(one: Fitted) -> dict[str, object]:
    data: dict[str, object] = {"frame": one.index, "time": str(one.time), "reason": one.reason}
    if one.frame is not None:
        data |= {
            "rotation": _rounded(one.frame.rotation.ravel()),
            "place": _rounded(one.frame.place),
            "scale": round(one.frame.scale, 3),
            "actions": _rounded(one.frame.actions),
        }
    return data | {"light": _rounded(one.light.ravel())}


def _rounded(values: Sequence[float] | Floats) -> list[float]:
    return [round(float(value), _DIGITS) for value in values]
