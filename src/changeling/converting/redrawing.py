"""A fitted face drawn anew in every frame: the same finding, pasting and signing as any swap."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np

from changeling.converting.frame import How, Patched, paste
from changeling.converting.video import (
    Chosen,
    Conversion,
    Donor,
    Eyes,
    Work,
    check_kinds,
    chooser_of,
    published,
)
from changeling.faces import Face, FitRecord, Fitted, Tracker, consent_for, face_model
from changeling.faces.fitted import Fit
from changeling.faces.view import view_of
from changeling.generators import Redraws
from changeling.media import Frame, FrameWriter, Tick, read_image, silent
from changeling.provenance import Credential, Ingredient, Source, Use, publish, sha256

_APART = 0.5
"""A found face farther than so many distances of the eyes from the fitted one is another's."""


@dataclass(frozen=True)
class Manipulation:
    """What the credential says of it, and the people who lend something to it."""

    model: str
    """Name of the family."""
    facts: tuple[tuple[str, str], ...] = ()
    """What was asked for."""
    donors: tuple[Donor, ...] = ()
    """Whose face or performance is used; their consent is asked for as the source's is."""


@dataclass(frozen=True, eq=False)
class _Drawer:
    """Draws the fitted face of each frame anew."""

    redraws: Redraws
    record: FitRecord
    fit: Fit

    def make(self, frames: Sequence[Chosen]) -> list[tuple[Patched, ...]]:
        return [self._layers(one.frame, one.chosen) for one in frames]

    def _layers(self, frame: Frame, chosen: Sequence[Face]) -> tuple[Patched, ...]:
        if not chosen or frame.index >= len(self.record.frames):
            return ()
        fitted = self.record.frames[frame.index]
        if not self._meant(chosen[0], fitted):
            return ()
        return self.layers(frame, chosen[0], fitted)

    def layers(self, frame: Frame, face: Face, fitted: Fitted) -> tuple[Patched, ...]:
        """The face as it shall be."""
        view = view_of(face_model(), frame.pixels, face, self.fit, fitted)
        return () if view is None else (Patched(view.window, self.redraws.redraw(view)),)

    def _meant(self, face: Face, fitted: Fitted) -> bool:
        """Whether the face that was found is the one that was fitted."""
        if fitted.frame is None:
            return False
        points = self.record.landmarks(fitted.frame)
        apart = np.linalg.norm(points[45] - points[36])
        return bool(np.linalg.norm((points - face.landmarks).mean(0)) < _APART * apart)


def redraw(
    source: Path,
    out: Path,
    redraws: Redraws,
    record: FitRecord,
    what: Manipulation,
    *,
    today: date,
    consent: Path | None = None,
    who: Path | None = None,
    overwrite: bool = False,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> Conversion:
    """Draw the fitted face of `source` anew in every frame and publish `out`.

    `record` is the fit of `source`. Frames that could not be fitted pass through. UserError, and
    nothing written, as `convert` has it.
    """
    check_kinds(source, out)
    eyes = _allowed(source, what, today, consent, who, tracker)
    drawer = _Drawer(redraws, record, record.fit)
    return published(
        source, out, _credential(source, out, what), Work(eyes, drawer.make, How()),
        overwrite=overwrite, tick=tick,
    )  # fmt: skip


def redraw_still(
    source: Path,
    out: Path,
    redraws: Redraws,
    record: FitRecord,
    what: Manipulation,
    *,
    times: Sequence[Fraction],
    today: date,
    consent: Path | None = None,
    who: Path | None = None,
    overwrite: bool = False,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> Conversion:
    """Publish a video of a picture whose face moves: a frame for each of the times, in seconds."""
    eyes = _allowed(source, what, today, consent, who, tracker)
    pixels = read_image(source)
    found = eyes.look(Frame(pixels, 0, Fraction(0)))
    drawer = _Drawer(redraws, record, record.fit)
    (layers,) = drawer.make([found])
    if not layers:
        raise eyes.chooser.nobody(source)
    height, width = (side // 2 * 2 for side in pixels.shape[:2])
    rate = 1 / (times[1] - times[0]) if len(times) > 1 else Fraction(25)
    with (
        publish(out, _credential(source, out, what), overwrite=overwrite) as beside,
        FrameWriter(beside, size=(width, height), rate=rate, audio_from=None) as writer,
    ):
        for k, time in enumerate(times):
            fitted = replace(record.frames[0], time=time)
            layers = drawer.layers(found.frame, found.chosen[0], fitted)
            drawn = paste(pixels, layers, How()).pixels[:height, :width]
            writer.write(Frame(drawn, k, time - times[0]))
            tick(k + 1, len(times))
    return Conversion(len(times), len(times), 0, found.faces)


def _allowed(
    source: Path,
    what: Manipulation,
    today: date,
    consent: Path | None,
    who: Path | None,
    tracker: Tracker | None,
) -> Eyes:
    """Raises UserError when the consent of anybody is missing."""
    shown = consent_for(source, consent)
    shown.check(Use.CONVERT, where=str(consent or source), today=today)
    for donor in what.donors:
        donor.consent.check(Use.CONVERT, where=donor.run, today=today)
    chooser = chooser_of(shown, str(consent or source), who, None)
    return Eyes(tracker or Tracker(), chooser)


def _credential(source: Path, out: Path, what: Manipulation) -> Credential:
    lent = tuple(one for donor in what.donors for one in donor.ingredients)
    return Credential(
        title=out.name,
        source=Source.COMPOSITE,
        model=what.model,
        run=", ".join(donor.run for donor in what.donors),
        ingredients=(Ingredient(source.name, sha256(source), "parentOf"), *lent),
        facts=what.facts,
    )
