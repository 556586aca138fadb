"""The folder of a training run: configuration, log, previews and checkpoint."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from torch import Tensor

from changeling.errors import UserError
from changeling.training.checkpoint import load_state, save_state
from changeling.training.config import from_json, to_json
from changeling.training.files import read_json, replacing, write_json

Config = TypeVar("Config")
_SETTINGS = {"family", "config", "data"}


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """What a run goes on from."""

    step: int
    seconds: float
    state: Mapping[str, Any]


class Run:
    """The folder of one training run.

    config.json: family, its configuration, the data's configuration. log.jsonl: one JSON object
    a line with its `step`. previews/000100.png: pictures by step. checkpoint.safetensors.
    """

    def __init__(self, folder: Path) -> None:
        """Open an existing run; raises `UserError` when the folder holds none."""
        self.folder = folder
        path = folder / "config.json"
        if not path.is_file():
            raise UserError(f"{folder} holds no training run (no config.json): give a run's folder")
        self._settings = read_json(path, "restore the file or start a new run elsewhere")
        if not isinstance(self._settings, dict) or set(self._settings) != _SETTINGS:
            raise UserError(f"{path} is no run's configuration: give a run's folder")

    @classmethod
    def begin(cls, folder: Path, *, family: str, config: object, data: object) -> "Run":
        """Make the folder, or go on with the run there if all its settings are these.

        `config` and `data` are frozen dataclasses. Raises `UserError` when the folder holds a run
        with other settings or other files.
        """
        settings: dict[str, object] = {
            "family": family,
            "config": to_json(config),
            "data": to_json(data),
        }
        path = folder / "config.json"
        if path.is_file():
            run = cls(folder)
            run._check(settings)
            return run
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"{folder} exists and is no training run: give another folder")
        _make(folder)
        write_json(path, settings)
        return cls(folder)

    @property
    def family(self) -> str:
        """The registered name of the family that is trained."""
        return str(self._settings["family"])

    def config(self, cls: type[Config]) -> Config:
        """Return the family's configuration, of class `cls`."""
        return from_json(cls, self._settings["config"], where=f"{self.folder / 'config.json'}")

    def data(self, cls: type[Config]) -> Config:
        """Return the data's configuration, of class `cls`."""
        return from_json(cls, self._settings["data"], where=f"{self.folder / 'config.json'}")

    def save(self, step: int, seconds: float, state: Mapping[str, Any]) -> None:
        """Replace the checkpoint."""
        whole = {"step": step, "seconds": seconds, "state": dict(state)}
        save_state(self.folder / "checkpoint.safetensors", whole)

    def load(self) -> Checkpoint | None:
        """Return the checkpoint or None; raises `UserError` when it is damaged."""
        path = self.folder / "checkpoint.safetensors"
        if not path.exists():
            return None
        state = load_state(path, mend="delete it to train again from the start, or restore a copy")
        return Checkpoint(state["step"], state["seconds"], state["state"])

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Append a line of values to the log, for the loss curve and scores against the truth."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def rows(self) -> list[dict[str, float]]:
        """Return the log; a last line that a crash left half written is dropped."""
        path = self.folder / "log.jsonl"
        if not path.exists():
            return []
        lines = path.read_text(encoding="utf-8").splitlines()
        return [row for line in lines if (row := _row(line)) is not None]

    def forget_after(self, step: int) -> None:
        """Drop what the log and the previews hold beyond `step`: it will be made again."""
        kept = [json.dumps(row) + "\n" for row in self.rows() if row["step"] <= step]
        with replacing(self.folder / "log.jsonl") as beside:
            beside.write_text("".join(kept), encoding="utf-8")
        for picture in self.previews():
            if int(picture.stem) > step:
                picture.unlink()

    def preview(self, step: int, grid: Tensor) -> Path:
        """Write a grid (rows, columns, 3, size, size), 0…1, as previews/<step>.png."""
        rows, columns, channels, height, width = grid.shape
        sheet = grid.permute(0, 3, 1, 4, 2).reshape(rows * height, columns * width, channels)
        pixels = (sheet.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
        path = self.folder / "previews" / f"{step:06d}.png"
        _make(path.parent)
        good, png = cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))
        assert good
        with replacing(path) as beside:
            beside.write_bytes(png.tobytes())
        return path

    def previews(self) -> list[Path]:
        """Return the preview pictures, oldest first."""
        return sorted((self.folder / "previews").glob("[0-9]*.png"))

    def _check(self, settings: dict[str, object]) -> None:
        for part, value in settings.items():
            difference = _difference(self._settings[part], value, part)
            if difference:
                raise UserError(
                    f"{self.folder} was trained with other settings ({difference}): give the same "
                    "settings to go on, or another folder"
                )


def _row(line: str) -> dict[str, float] | None:
    try:
        row: dict[str, float] = json.loads(line)
    except ValueError:
        return None
    return row


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {folder} ({error.strerror}): give another folder"
        ) from error


def _difference(old: Any, new: Any, where: str) -> str:  # noqa: ANN401
    """Name the first setting that differs, or return nothing."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return "" if old == new else f"{where} was {old!r}, is {new!r}"
    for key in {**old, **new}:
        difference = _difference(old.get(key), new.get(key), f"{where}.{key}")
        if difference:
            return difference
    return ""
