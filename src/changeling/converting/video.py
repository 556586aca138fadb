"""A picture or a whole video converted: decode, find, swap, blend and encode, all at once."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import islice
from pathlib import Path

from changeling.converting.choosing import Chooser
from changeling.converting.frame import How, Layer, Swap, paste, swap_faces
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

_DEPTH = 4
"""Frames that a stage is ahead of the next one; twice as many faces are swapped in one call."""
_MOST_BYTES = 2**28
"""Pixels that wait in and between the stages; larger frames than 1920×1080 wait in fewer."""


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
class Chosen:
    """A frame, how many faces are in it, and the one to replace or none."""

    frame: Frame
    faces: int
    chosen: tuple[Face, ...]


Make = Callable[[Sequence[Chosen]], Sequence[Sequence[Layer]]]
"""What is put over each of some successive frames."""


@dataclass(frozen=True, eq=False)
class Eyes:
    """What finds the faces of successive frames, and which of them is meant."""

    tracker: Tracker
    chooser: Chooser

    def look(self, frame: Frame) -> Chosen:
        faces = self.tracker.find(frame.pixels)
        chosen = self.chooser.choose(frame.pixels, faces)
        return Chosen(frame, len(faces), (chosen,) if chosen else ())


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
    eyes = Eyes(tracker or Tracker(), chooser_of(shown, str(consent or source), who, identifier))

    def make(frames: Sequence[Chosen]) -> list[tuple[Swap, ...]]:
        chosen = [(one.frame.pixels, one.chosen) for one in frames]
        return swap_faces(chosen, swaps, to=to)

    credential = _credential(source, out, to, donor, how)
    return published(source, out, credential, Work(eyes, make, how), overwrite=overwrite, tick=tick)


@dataclass(frozen=True, eq=False)
class Work:
    """How frames are worked on: which face, what is put over it, and how."""

    eyes: Eyes
    make: Make
    how: How


def published(
    source: Path,
    out: Path,
    credential: Credential,
    work: Work,
    *,
    overwrite: bool,
    tick: Tick,
) -> Conversion:
    """Work on a picture or a video and publish `out`; UserError when no face was replaced."""
    with publish(out, credential, overwrite=overwrite) as beside:
        if is_image(source):
            done = _convert_picture(source, beside, work)
        else:
            done = _convert_video(source, beside, work, tick)
        if not done.swapped:
            raise work.eyes.chooser.nobody(source)
    return done


def _check_asked(source: Path, out: Path, swaps: Swaps, to: str, donor: Donor) -> None:
    """Raises UserError for a person or a kind of file that does not fit."""
    if to not in swaps.people:
        raise UserError(
            f"Nobody called {to} is in run {donor.run}: give --to one of {', '.join(swaps.people)}."
        )
    check_kinds(source, out)


def check_kinds(source: Path, out: Path) -> None:
    """Raises UserError when one is a picture and the other a video."""
    picture = is_image(source)
    if picture != is_image(out):
        kind = "a picture, such as swap.png" if picture else "a video, such as swap.mp4"
        raise UserError(f"{out} does not fit {source}: name {kind}.")


def chooser_of(
    shown: Consent, where: str, who: Path | None, identifier: Identifier | None
) -> Chooser:
    """Who may be replaced; UserError when `who` shows nobody, or nobody whom the consent enrols."""
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


def _convert_picture(source: Path, beside: Path, work: Work) -> Conversion:
    pixels = read_image(source)
    found = work.eyes.look(Frame(pixels, 0, Fraction(0)))
    (layers,) = work.make([found])
    converted = paste(pixels, layers, work.how)
    write_image(beside, converted.pixels)
    return _counted([(found.faces, converted.faces)])


def _convert_video(source: Path, beside: Path, work: Work, tick: Tick) -> Conversion:
    video = probe(source)
    writer = FrameWriter(
        beside,
        size=(video.width, video.height),
        rate=video.rate,
        audio_from=source if video.audio else None,
    )
    counts: list[tuple[int, int]] = []
    depth = _depth(3 * video.width * video.height)
    with writer, Stages(depth=depth) as stages:
        decoded = stages.ahead(_decode(source))
        found = stages.ahead(_find(decoded, work.eyes))
        made = stages.ahead(_make(found, work.make, 2 * depth))
        for faces, frame, replaced in stages.ahead(_blend(made, work.how)):
            writer.write(frame)
            counts.append((faces, replaced))
            tick(len(counts), video.frames)
    return _counted(counts)


def _depth(frame: int) -> int:
    """How far the stages may be ahead, with so many bytes a frame.

    Four queues and a batch as large as two of them hold frames, and each of four hands one.
    """
    return min(_DEPTH, max(1, (_MOST_BYTES // frame - 4) // 6))


def _decode(source: Path) -> Generator[Frame]:
    yield from read_frames(source)


def _find(frames: Generator[Frame], eyes: Eyes) -> Generator[Chosen]:
    for frame in frames:
        yield eyes.look(frame)


def _make(
    found: Generator[Chosen], make: Make, size: int
) -> Generator[tuple[Chosen, Sequence[Layer]]]:
    """What is put over each frame, made in batches of `size`."""
    while batch := list(islice(found, size)):
        yield from zip(batch, make(batch), strict=True)


def _blend(
    made: Generator[tuple[Chosen, Sequence[Layer]]], how: How
) -> Generator[tuple[int, Frame, int]]:
    """Faces seen, finished frame, faces replaced."""
    for found, layers in made:
        converted = paste(found.frame.pixels, layers, how)
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
