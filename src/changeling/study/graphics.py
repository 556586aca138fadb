"""Manipulations by fitting: a swap, a reenactment, an edit, each from files to a signed file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Literal

from changeling.converting import (
    Conversion,
    Donor,
    Manipulation,
    check_kinds,
    redraw,
    redraw_still,
)
from changeling.errors import UserError
from changeling.faces import FitRecord, Tracker, face_model, fit_video, open_fit
from changeling.faces.texture_video import appearance_in, check_source, film_of
from changeling.generators import Redraws
from changeling.generators.edit import Change, Edit, check
from changeling.generators.faceswap_graphics import FaceForensics, Shape
from changeling.generators.reenact import driven_by
from changeling.media import Tick, is_image, silent
from changeling.provenance import Ingredient, Use, sha256

Method = Literal["shape", "faceforensics"]


@dataclass(frozen=True)
class Footage:
    """What is manipulated, and what is known of it."""

    source: Path
    """A video or a picture."""
    out: Path
    """What is written."""
    today: date
    fit: Path | None = None
    """Its fit record; None: it is fitted first."""
    consent: Path | None = None
    """Consent of the people shown (TOML)."""
    who: Path | None = None
    """A picture of whom is meant."""
    overwrite: bool = False
    """Replace what is written."""

    def record(self, tracker: Tracker | None, tick: Tick) -> FitRecord:
        """Its fit record, made now where there is none."""
        if self.fit is None:
            return fit_video(
                self.source, today=self.today, consent=self.consent, tracker=_anew(tracker),
                tick=tick,
            )  # fmt: skip
        record = open_fit(self.fit)
        check_source(self.source, record, where=self.fit)
        return record


def swap_by_fit(
    footage: Footage,
    face: Path,
    *,
    method: Method = "shape",
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> Conversion:
    """Give the performance of the footage the face of the fit record `face`.

    The record's film lies beside it; its looks come from there. Raises UserError as `convert`.
    """
    lent = open_fit(face)
    film = film_of(face, lent)
    lent.consent.check(Use.CONVERT, where=str(face), today=footage.today)
    check_kinds(footage.source, footage.out)
    own = footage.record(tracker, tick)
    what = Manipulation("faceswap-graphics", (("method", method),), (_donor(lent, face),))
    if method == "shape":
        given = lent.identity, appearance_in(film, lent)
        before = own.identity, appearance_in(footage.source, own)
        redraws: Redraws = Shape.between(face_model(), before, given)
    else:
        redraws = FaceForensics(appearance_in(film, lent, count=1, lit=False))
    return _redrawn(footage, redraws, what, own, tracker, tick)


def reenact(
    footage: Footage,
    driver: Path,
    *,
    strength: float = 1.0,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> Conversion:
    """Give the face of the footage the expressions of the fit record `driver`.

    A picture becomes a video where `out` names one. Raises UserError as `convert`, and when the
    driver was never fitted.
    """
    lent = open_fit(driver)
    lent.consent.check(Use.CONVERT, where=str(driver), today=footage.today)
    known = [(float(one.time), one.frame.actions) for one in lent.frames if one.frame is not None]
    if not known:
        raise UserError(f"{driver} has no frame that could be fitted: give another.")
    redraws = driven_by(known, strength)
    facts = (("strength", f"{strength:g}"),)
    what = Manipulation("reenact", facts, (_donor(lent, driver),))
    if is_image(footage.source) and not is_image(footage.out):
        return _still(footage, redraws, what, [one.time for one in lent.frames], tracker, tick)
    check_kinds(footage.source, footage.out)
    return _redrawn(footage, redraws, what, footage.record(tracker, tick), tracker, tick)


def edit(
    footage: Footage,
    changes: Sequence[Change],
    *,
    seconds: float | None = None,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> Conversion:
    """Change the face of the footage; a picture becomes a video of so many `seconds`.

    Raises UserError as `convert`, for a name that means nothing, and for seconds that do not fit.
    """
    check(changes, face_model())
    facts = tuple((change.name, _told(change)) for change in changes)
    what = Manipulation("edit", facts)
    redraws = Edit(tuple(changes))
    moves = is_image(footage.source) and not is_image(footage.out)
    if moves != (seconds is not None):
        raise UserError("give --seconds to make a video of a picture, and for nothing else")
    if seconds is None:
        check_kinds(footage.source, footage.out)
        return _redrawn(footage, redraws, what, footage.record(tracker, tick), tracker, tick)
    times = [Fraction(k, 25) for k in range(max(1, round(25 * seconds)))]
    return _still(footage, redraws, what, times, tracker, tick)


def _redrawn(
    footage: Footage,
    redraws: Redraws,
    what: Manipulation,
    record: FitRecord,
    tracker: Tracker | None,
    tick: Tick,
) -> Conversion:
    return redraw(
        footage.source, footage.out, redraws, record, what, today=footage.today,
        consent=footage.consent, who=footage.who, overwrite=footage.overwrite,
        tracker=_anew(tracker), tick=tick,
    )  # fmt: skip


def _still(
    footage: Footage,
    redraws: Redraws,
    what: Manipulation,
    times: Sequence[Fraction],
    tracker: Tracker | None,
    tick: Tick,
) -> Conversion:
    record = footage.record(tracker, silent)
    return redraw_still(
        footage.source, footage.out, redraws, record, what, times=times, today=footage.today,
        consent=footage.consent, who=footage.who, overwrite=footage.overwrite,
        tracker=_anew(tracker), tick=tick,
    )  # fmt: skip


def _anew(tracker: Tracker | None) -> Tracker | None:
    """Each pass over a film begins without what the last one saw."""
    return None if tracker is None else tracker.anew()


def _donor(record: FitRecord, path: Path) -> Donor:
    """Whose face or performance is used, by the record and by its film."""
    lent = (
        Ingredient(record.source, record.sha256, "inputTo"),
        Ingredient(path.name, sha256(path), "inputTo"),
    )
    return Donor(record.consent, "face model", path.name, lent)


def _told(change: Change) -> str:
    if len(change.curve) == 1:
        return f"{change.curve[0][1]:g}"
    return ",".join(f"{time:g}:{strength:g}" for time, strength in change.curve)
