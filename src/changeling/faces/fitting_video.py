"""From a film to a fit record: landmarks, who it is from key frames, then frame by frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np

from changeling.errors import UserError
from changeling.faces.alignment import Face, crop
from changeling.faces.enrolment import Known, check_enrolled, enrolled_people
from changeling.faces.expression import ExpressionReader
from changeling.faces.extracting import allowed, frames_of
from changeling.faces.fitted import Fit, FrameFit, Marked
from changeling.faces.fitting import fit_frames, track_frame
from changeling.faces.fitting_light import DARK, light_on
from changeling.faces.fitting_record import FitRecord, Fitted
from changeling.faces.identity import SIZE as IDENTITY
from changeling.faces.identity import Identifier
from changeling.faces.morphable import MorphableModel, face_model
from changeling.faces.tracker import Tracker
from changeling.media import Frame, Pixels, Tick, is_image, probe, silent
from changeling.provenance import Use, sha256

KEYS = 8
"""Frames that say together who it is."""
TRUST = 0.1
"""Weight of a landmark of which the network is sure: its errors are larger than those that the fit
expects, and alike among neighbours, so that 200 say no more than a few."""
SMALLEST = 12.0
"""Pixels between the outer corners of the eyes below which nothing is fitted."""
PROFILE = 1.05
"""Radians of yaw beyond which one eye is hidden."""
_LOST = 4.0
"""Error of a frame, in expected errors, above which the model does not fit."""
_EYE = 0.34
"""Share of an eye's landmarks that must be visible."""
_ASKED = 10
"""Frames between two looks at who it is, where people are enrolled."""
_OUTSIDE = 0.1
"""Share of the landmarks that may lie outside the frame."""


@dataclass(frozen=True, eq=False)
class Look:
    """What one frame shows of its largest face."""

    index: int
    time: Fraction
    marked: Marked | None
    """None where it cannot be fitted."""
    turn: tuple[float, float]
    """Yaw and pitch in radians."""
    track: int
    """Changes when the face was lost or the film cuts."""
    reason: str
    """Why it cannot be fitted; "" where it can."""


def fit_video(
    source: Path,
    *,
    today: date,
    consent: Path | None = None,
    model: MorphableModel | None = None,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> FitRecord:
    """Fit the largest face of every frame of `source`, a film or a picture.

    Consent is asked as `extract` asks. Frames without a face, or with one that is too small, turned
    away or cut off, are kept with the reason; after a cut the fit begins anew with the same person.
    `tick` counts frames, twice: looking, then fitting. Raises UserError: no consent, somebody
    else's face, no film, no frame that can be fitted.
    """
    model = model or face_model()
    given, film = allowed(source, consent)
    given.check(Use.EXTRACT, where=str(consent or source), today=today)
    people = enrolled_people(given, where=str(consent or source))
    total = 1 if is_image(source) else probe(source).frames
    ticks = _Half(tick, None if total is None else 2 * total)
    looks = read_off(list(_looked(source, people, tracker or Tracker(), ticks)))
    marked = [look.marked for look in key_frames(looks) if look.marked is not None]
    if not marked:
        why = looks[0].reason if looks else "it has no frame"
        raise UserError(f"{source} cannot be fitted: {why}; give a film that shows a face.")
    fit = fit_frames(model, marked)
    frames = zip(frames_of(source), followed(model, looks, fit), strict=True)
    return FitRecord(
        source=source.name,
        sha256=sha256(source),
        size=marked[0].size,
        consent=given,
        film=film,
        identity=fit.identity,
        focal=fit.focal,
        error=fit.error,
        frames=tuple(_lit(frame, one, model, fit, ticks) for frame, one in frames),
    )


def look_at(frame: Frame, face: Face | None) -> Look:
    """What a frame shows of a face, or why it cannot be fitted."""
    if face is None or face.seen is None:
        return Look(frame.index, frame.time, None, (0.0, 0.0), -1, "no face was found")
    height, width = frame.pixels.shape[:2]
    seen, (yaw, pitch, _) = face.seen, face.pose
    points = seen.dense.astype(np.float64)
    marked = Marked(points, TRUST * seen.confidence.astype(np.float64), (width, height))
    inside = ((points >= 0) & (points <= [width - 1, height - 1])).all(1)
    eyes = min(seen.visible[36:42].mean(), seen.visible[42:48].mean())
    reason = ""
    if marked.eyes_apart < SMALLEST:
        reason = f"the face is too small, {marked.eyes_apart:.0f} pixels between the eyes' corners"
    elif abs(yaw) > PROFILE or eyes < _EYE:
        reason = "one eye is hidden"
    elif inside.mean() < 1 - _OUTSIDE:
        reason = "the face is cut off by the frame's edge"
    known = None if reason else marked
    return Look(frame.index, frame.time, known, (yaw, pitch), face.track, reason)


def read_off(looks: Sequence[Look]) -> list[Look]:
    """With what the face does, as the landmarks of all frames say."""
    found = [look.marked for look in looks if look.marked is not None]
    if not found:
        return list(looks)
    actions = iter(ExpressionReader.load().read([marked.points for marked in found]))
    return [
        look
        if look.marked is None
        else replace(look, marked=replace(look.marked, actions=next(actions)))
        for look in looks
    ]


def key_frames(looks: Sequence[Look], count: int = KEYS) -> list[Look]:
    """Frames that can be fitted, as differently turned as there are, the most frontal first."""
    good = [look for look in looks if look.marked is not None]
    if not good:
        return []
    return [good[k] for k in differently_turned([look.turn for look in good], count)]


def differently_turned(turns: Sequence[tuple[float, float]], count: int) -> list[int]:
    """Places of up to `count` of these (yaw, pitch), far from each other, the most frontal one in.

    In rising order.
    """
    points = np.array(turns)
    chosen = [int(np.linalg.norm(points, axis=1).argmin())]
    away = np.full(len(points), np.inf)
    while len(chosen) < min(count, len(points)):
        away = np.minimum(away, np.linalg.norm(points - points[chosen[-1]], axis=1))
        away[chosen] = -1
        chosen.append(int(away.argmax()))
    return sorted(chosen)


@dataclass
class _Half:
    """Counts frames through both passes over a film."""

    tick: Tick
    total: int | None
    done: int = 0

    def count(self) -> None:
        self.done += 1
        self.tick(self.done, self.total)


def _looked(
    source: Path, people: Sequence[Known], tracker: Tracker, ticks: _Half
) -> Iterator[Look]:
    """Look at every frame; where people are enrolled, everybody who is looked at is one of them."""
    identifier = Identifier.load() if people else None
    seen: dict[int, list[Pixels]] = {}
    for frame in frames_of(source):
        face = next(iter(tracker.find(frame.pixels)), None)
        if face is not None and identifier is not None and frame.index % _ASKED == 0:
            seen.setdefault(face.track, []).append(crop(frame.pixels, face.matrix, IDENTITY))
        yield look_at(frame, face)
        ticks.count()
    for crops in seen.values():
        assert identifier is not None
        embeddings = identifier.embed(np.stack(crops))
        check_enrolled(people, embeddings, same=identifier.same, where=str(source))


def followed(model: MorphableModel, looks: Sequence[Look], fit: Fit) -> Iterator[Fitted]:
    """Fit frame after frame, each near the one before unless there was a cut."""
    last: FrameFit | None = None
    track = -1
    for look in looks:
        if look.marked is None or look.track != track:
            last, track = None, look.track
        frame, reason = None, look.reason
        if look.marked is not None:
            found = track_frame(model, look.marked, fit, last)
            frame = found.frames[0] if found.error < _LOST else None
            reason = "" if frame else "the model does not fit what was found"
        last = frame
        yield Fitted(look.index, look.time, frame, DARK, reason)


def _lit(frame: Frame, one: Fitted, model: MorphableModel, fit: Fit, ticks: _Half) -> Fitted:
    """With the light on the face."""
    ticks.count()
    if one.frame is None:
        return one
    shape = model.shape(fit.identity, one.frame.actions)
    return replace(one, light=light_on(frame.pixels, model, shape, one.frame, fit.focal))
