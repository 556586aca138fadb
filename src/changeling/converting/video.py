"""A picture or a whole video converted: decode, find, swap, blend and encode, all at once."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import islice
from pathlib import Path

from changeling.converting.choosing import Chooser
from changeling.converting.frame import How, Swap, paste, swap_faces
from changeling.converting.stages import Stages
from changeling.errors import UserError
from changeling.faces import (
    Face,
    Identifier,
    Tracker,
    check_enrolled,
    consent_for,
    enrolled_people,
    portrait,
)
from changeling.generators import Swaps
from changeling.media import (
    Frame,
    FrameWriter,
    Tick,
    is_image,
    probe,
    read_frames,
    read_image,
    silent,
    write_image,
)
from changeling.provenance import Consent, Credential, Ingredient, Source, Use, publish, sha256

_BATCH = 8
"""Frames whose faces are swapped in one call of the network."""


@dataclass(frozen=True)
class Donor:
    """The person whose face is put in, and the network that draws it."""

    consent: Consent
    """The consent stored with the donor's face set."""
    model: str
    """Name of the generator's family, for the credential."""
    run: str
    """Name of the training run, for the credential."""
    ingredients: tuple[Ingredient, ...] = ()
    """The face sets that the network was trained on, by hash (`inputTo`)."""


@dataclass(frozen=True)
class Conversion:
    """What happened to the frames of a picture (one frame) or a video."""

    frames: int
    """Frames written."""
    swapped: int
    """Frames in which a face was replaced; the others are as they were."""
    crowded: int
    """Frames with more than one face, of which one at most was replaced."""
    most_faces: int
    """The largest number of faces in one frame."""


@dataclass(frozen=True, eq=False)
class _Found:
    """A frame, how many faces are in it, and the one to replace or none."""

    frame: Frame
    faces: int
    chosen: tuple[Face, ...]


@dataclass(frozen=True, eq=False)
class _Eyes:
    """What finds the faces of successive frames, and which of them is meant."""

    tracker: Tracker
    chooser: Chooser

    def look(self, frame: Frame) -> _Found:
        faces = self.tracker.find(frame.pixels)
        chosen = self.chooser.choose(frame.pixels, faces)
        return _Found(frame, len(faces), (chosen,) if chosen else ())


def convert(
    source: Path,
    out: Path,
    swaps: Swaps,
    *,
    to: str,
    donor: Donor,
    today: date,
    how: How = How(),
    consent: Path | None = None,
    who: Path | None = None,
    overwrite: bool = False,
    identifier: Identifier | None = None,
    tracker: Tracker | None = None,
    tick: Tick = silent,
) -> Conversion:
    """Replaces one face in every frame of `source` by person `to`'s and publishes `out`.

    It is the face most like that in the picture `who`, else that of a person whom the consent
    enrols, else the largest. Size, frame rate, time stamps and audio are kept, and frames without
    such a face pass through. `consent` is a TOML file about the people in `source`; a film of
    rendered actors needs none. UserError, and nothing written, when a consent is missing, no frame
    has such a face, `to` is nobody the network knows, `out` exists, or one is a picture and the
    other a video.
    """
    _check_asked(source, out, swaps, to, donor)
    shown = consent_for(source, consent)
    shown.check(Use.CONVERT, where=str(consent or source), today=today)
    donor.consent.check(Use.CONVERT, where=f"run {donor.run}", today=today)
    chooser = _chooser(shown, str(consent or source), who, identifier)
    eyes = _Eyes(tracker or Tracker(), chooser)
    with publish(out, _credential(source, out, to, donor, how), overwrite=overwrite) as beside:
        if is_image(source):
            done = _convert_picture(source, beside, eyes, swaps, to, how)
        else:
            done = _convert_video(source, beside, eyes, swaps, to, how, tick)
        if not done.swapped:
            raise chooser.nobody(source)
    return done


def _check_asked(source: Path, out: Path, swaps: Swaps, to: str, donor: Donor) -> None:
    """Raises UserError for a person or a kind of file that does not fit."""
    if to not in swaps.people:
        raise UserError(
            f"Nobody called {to} is in run {donor.run}: give --to one of {', '.join(swaps.people)}."
        )
    picture = is_image(source)
    if picture != is_image(out):
        kind = "a picture, such as swap.png" if picture else "a video, such as swap.mp4"
        raise UserError(f"{out} does not fit {source}: name {kind}.")


def _chooser(
    shown: Consent, where: str, who: Path | None, identifier: Identifier | None
) -> Chooser:
    """Raises UserError when `who` shows nobody, or nobody whom the consent enrols."""
    allowed = enrolled_people(shown, identifier, where=where)
    if who is None:
        return Chooser(allowed, None, identifier)
    identifier = identifier or Identifier.load()
    wanted = portrait(who.name, [who], identifier)
    check_enrolled(allowed, wanted.embeddings, same=identifier.same, where=str(who))
    return Chooser(allowed, wanted, identifier)


def _credential(source: Path, out: Path, to: str, donor: Donor, how: How) -> Credential:
    return Credential(
        title=out.name,
        source=Source.COMPOSITE,
        model=donor.model,
        run=donor.run,
        ingredients=(Ingredient(source.name, sha256(source), "parentOf"), *donor.ingredients),
        facts=(("to", to), ("colour", how.colour), ("blend", how.blend)),
    )


def _convert_picture(
    source: Path, beside: Path, eyes: _Eyes, swaps: Swaps, to: str, how: How
) -> Conversion:
    pixels = read_image(source)
    found = eyes.look(Frame(pixels, 0, Fraction(0)))
    (swapped,) = swap_faces([(pixels, found.chosen)], swaps, to=to)
    converted = paste(pixels, swapped, how)
    write_image(beside, converted.pixels)
    return _counted([(found.faces, converted.faces)])


def _convert_video(
    source: Path, beside: Path, eyes: _Eyes, swaps: Swaps, to: str, how: How, tick: Tick
) -> Conversion:
    video = probe(source)
    writer = FrameWriter(
        beside,
        size=(video.width, video.height),
        rate=video.rate,
        audio_from=source if video.audio else None,
    )
    counts: list[tuple[int, int]] = []
    with writer, Stages() as stages:
        decoded = stages.ahead(_decode(source))
        found = stages.ahead(_find(decoded, eyes))
        swapped = stages.ahead(_swap(found, swaps, to))
        for faces, frame, replaced in stages.ahead(_blend(swapped, how)):
            writer.write(frame)
            counts.append((faces, replaced))
            tick(len(counts), video.frames)
    return _counted(counts)


def _decode(source: Path) -> Generator[Frame]:
    yield from read_frames(source)


def _find(frames: Generator[Frame], eyes: _Eyes) -> Generator[_Found]:
    for frame in frames:
        yield eyes.look(frame)


def _swap(
    found: Generator[_Found], swaps: Swaps, to: str
) -> Generator[tuple[_Found, tuple[Swap, ...]]]:
    """The chosen face of each frame, swapped in batches."""
    while batch := list(islice(found, _BATCH)):
        chosen = [(one.frame.pixels, one.chosen) for one in batch]
        yield from zip(batch, swap_faces(chosen, swaps, to=to), strict=True)


def _blend(
    swapped: Generator[tuple[_Found, tuple[Swap, ...]]], how: How
) -> Generator[tuple[int, Frame, int]]:
    """Faces seen, finished frame, faces replaced."""
    for found, swaps in swapped:
        converted = paste(found.frame.pixels, swaps, how)
        frame = Frame(converted.pixels, found.frame.index, found.frame.time)
        yield found.faces, frame, converted.faces


def _counted(counts: Sequence[tuple[int, int]]) -> Conversion:
    """From (faces seen, faces replaced) of each frame."""
    return Conversion(
        frames=len(counts),
        swapped=sum(replaced > 0 for _, replaced in counts),
        crowded=sum(faces > 1 for faces, _ in counts),
        most_faces=max((faces for faces, _ in counts), default=0),
    )
