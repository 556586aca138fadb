"""What the report of a demo shows and says."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from changeling.actors import Actor
from changeling.converting import Swap, swap_faces
from changeling.faces import Face, crop
from changeling.generators import Swaps
from changeling.measuring import Rivals, error_map
from changeling.media import Frame, Pixels, probe
from changeling.provenance import Credential
from changeling.study import options as names
from changeling.study.films import Moment, seen_in, shown_moments, strip
from changeling.study.judge import frame_row, score_table
from changeling.study.look import Look
from changeling.study.options import DemoOptions
from changeling.study.page import Headline, Page, Picture, Pictures, Row, Section
from changeling.study.run_curves import loss_curves, truth_curves
from changeling.study.scores import Results, score_lines
from changeling.training import Run, collapse

_LEAD = (
    "A performs, and a network puts B’s face in. Both are rendered actors, so the true answer "
    "exists: B’s face with A’s hair, neck and clothes in the very same performance."
)
_TABLE = (
    "The crop tells how good the network is, the place in the frame how good the result is; "
    "PSNR is averaged in decibels over all frames. A swap means something when it beats both "
    "baselines: the source’s own face in the target’s colours, and the target’s mean face."
)
_FRAMES = (
    "The held-out performance, the finished swap, the truth, and the error of the swap, from black "
    "for none to pale yellow for a quarter of full scale and more. Beside each row its time and "
    "the PSNR of its frame."
)
_CROPS = (
    "What the network sees and gives, before anything is pasted, beside the two baselines and the "
    "truth. Eyes and mouth have to follow the first column and the person has to be that of the "
    "truth; the last column is the error of the network’s face."
)
_LOSSES = (
    "Each loss of the training, as means over a few steps. They tell how well faces are given back "
    "to their own person, which is not yet a swap."
)
_TRUTH = (
    "The swap against the true answer while the network learnt: held-out crops of a third "
    "performance, both directions. Where this curve falls while the losses fall too, more training "
    "makes the swap worse."
)


def demo_report(folder: Path, options: DemoOptions, results: Results, rivals: Rivals) -> Page:
    """The page of a demo whose films, run and swap lie in `folder`."""
    films = [folder / name for name in (names.PERFORMANCE, names.SWAP, names.TRUTH)]
    moments = shown_moments(films, probe(films[0]).frames or 1)
    credential = seen_in(films, names.REPORT)
    columns = ("performance", "swap", "truth", "error")
    frames = tuple(frame_row(moment, credential) for moment in moments)
    columns_of_crops = (
        "performance", "network’s face", "source in B’s colours", "B’s mean face", "truth", "error",
    )  # fmt: skip
    crops = tuple(_crop_rows(moments, rivals, credential))
    rows = Run(folder / names.RUN).rows()
    truth = truth_curves(rows)
    return Page(
        title="A face swap against the truth",
        lead=lead(rows),
        headlines=_headlines(results),
        sections=(
            Section("Scores", _TABLE, (score_table(score_lines(results.scores)),)),
            Section("Frames", _FRAMES, (Pictures("", "", columns, frames),)),
            Section("Faces", _CROPS, (Pictures("", "", columns_of_crops, crops),)),
            Section("Losses", _LOSSES, loss_curves(rows)),
            *((Section("The truth curve", _TRUTH, truth),) if truth else ()),
        ),
        commands=tuple(_commands(options)),
        facts=tuple(_facts(results)),
    )


def lead(rows: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """What the page begins with; the log of the training says whether its generator collapsed."""
    trouble = collapse(rows)
    return (_LEAD,) if trouble is None else (_LEAD, f"The training went wrong: {trouble}.")


def _headlines(results: Results) -> tuple[Headline, ...]:
    swap = results.crop.swap
    return (
        Headline(f"{swap.psnr:.1f} dB", "PSNR of the network’s face"),
        Headline(f"{swap.ssim:.3f}", "SSIM of the network’s face"),
        Headline(f"{results.identity.swap.nearer:.0%}", "of the frames more like B than like A"),
        Headline(f"{results.train_seconds / 60:.1f} min", "of training"),
        Headline(f"{results.faces_per_second:.0f}", "faces trained a second"),
        Headline(f"{results.convert_fps:.0f}", "frames converted a second"),
    )


def _crop_rows(moments: Sequence[Moment], rivals: Rivals, credential: Credential) -> Iterator[Row]:
    """The aligned faces of each moment in which both faces are found."""
    look = Look()
    for performance, _, truth in moments:
        face, true = look.at(performance.pixels), look.at(truth.pixels)
        if face is None or true is None:
            continue
        given = [
            _levels(_swapped(performance, face, rival).after)
            for rival in (rivals.swap, rivals.copy_source, rivals.mean_face)
        ]
        size = rivals.swap.size
        shown, answer = (
            crop(frame.pixels, found.matrix, size)
            for frame, found in ((performance, face), (truth, true))
        )
        tiles = [shown, *given, answer, error_map(given[0], answer)]
        label = f"{float(truth.time):.1f} s"
        picture = Picture.sign(strip(tiles, least=128), credential, f"aligned faces at {label}")
        yield Row(label, picture)


def _swapped(frame: Frame, face: Face, rival: Swaps) -> Swap:
    ((swap,),) = swap_faces([(frame.pixels, [face])], rival, to=names.B)
    return swap


def _levels(face: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Pixels:
    return np.rint(np.clip(face, 0, 1) * 255).astype(np.uint8)


def _commands(options: DemoOptions) -> Iterator[str]:
    """What to type for each stage."""
    a, b = options.pair.a, options.pair.b
    first, second, held_out = options.performances
    yield _film_command(a, first, options.seconds, options.size, names.FILM_A)
    yield _film_command(b, second, options.seconds, options.size, names.FILM_B)
    yield _film_command(a, held_out, options.held_out, options.size, names.PERFORMANCE)
    answer = Actor(b.face, a.styling)
    yield _film_command(answer, held_out, options.held_out, options.size, names.TRUTH)
    for film, person in ((names.FILM_A, names.A), (names.FILM_B, names.B)):
        yield f"changeling extract {film} -o {names.FACES}/{person} --size {options.faces}"
    limits = f" --minutes {options.minutes:g}" if options.minutes else ""
    limits += f" --steps {options.steps}" if options.steps else ""
    yield (
        f"changeling train {shlex.quote(options.family)} --a {names.FACES}/{names.A} "
        f"--b {names.FACES}/{names.B} -o {names.RUN} --size {options.faces}{limits} "
        f"--seed {options.seed}"
    )
    yield (
        f"changeling convert {names.PERFORMANCE} --run {names.RUN} --to {names.B} -o {names.SWAP}"
    )
    yield f"changeling judge {names.SWAP} --truth {names.TRUTH} -o judged.html"
    yield f"changeling verify {names.SWAP}"


def _film_command(
    actor: Actor, performance: int, seconds: float, size: tuple[int, int], name: str
) -> str:
    return (
        f"changeling film --actor {actor.face} --styling {actor.styling} "
        f"--performance {performance} --seconds {seconds:g} --size {size[0]}x{size[1]} -o {name}"
    )


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    seeds = results.seeds
    yield "A, who performs", f"face {seeds.a.face}, styling {seeds.a.styling}"
    yield "B, whose face is put in", f"face {seeds.b.face}, styling {seeds.b.styling}"
    yield (
        "performances",
        f"A {seeds.performance_a}, B {seeds.performance_b}, held out {seeds.performance}",
    )
    yield "training", f"seed {seeds.training}"
    yield "frames rendered a second", f"{results.render_fps:.0f}"
    yield "frames extracted a second", f"{results.extract_fps:.0f}"
    yield from asdict(results.versions).items()
