"""A finished swap judged against the true film, with a report."""

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from changeling.errors import UserError
from changeling.faces import crop
from changeling.measuring import Estimate, VideoJudgement, error_map, judge_videos, mse, psnr
from changeling.media import Tick, silent, writing
from changeling.provenance import Credential, verify
from changeling.study.films import Moment, seen_in, shown_moments, strip
from changeling.study.look import Look
from changeling.study.page import (
    Column,
    Curve,
    Curves,
    Headline,
    Page,
    Picture,
    Pictures,
    Row,
    Scores,
    Section,
    TableRow,
)
from changeling.study.page_html import write_page
from changeling.study.scores import ScoreLine, Versions, score_lines

_CROP = 160

_TABLE = (
    "Inside the true inner face, and over the whole frame, most of which a swap leaves alone. "
    "PSNR is averaged in decibels; equal pictures get 100."
)
_FRAMES = (
    "The swap, the true film, and their difference, from black for none to pale yellow for a "
    "quarter of full scale and more. Beside each row its time and the PSNR of its frame."
)
_CROPS = (
    "The same moments cut out and aligned by the eyes, nose and mouth of the true face. "
    "This is where a swap succeeds or fails."
)
_CURVE = (
    "Each frame by itself, inside the true inner face. Look at the moments where the curve falls: "
    "turned heads, open mouths, new light."
)


def judge_report(
    swap: Path, truth: Path, out: Path, *, overwrite: bool = False, tick: Tick = silent
) -> VideoJudgement:
    """Score `swap` against `truth` (see `judge_videos`) and write a report to `out`.

    Raises UserError when `out` exists and not `overwrite` or cannot be written, before anything is
    judged; when the films do not fit each other; and when the truth shows no face.
    """
    # The file is opened first, so that nobody waits for a report that cannot be written.
    with writing(out, overwrite=overwrite) as beside:
        judgement = judge_videos(swap, truth, tick=tick)
        write_page(beside, _page(swap, truth, out, judgement), overwrite=True)
    return judgement


def frame_row(moment: Moment, credential: Credential) -> Row:
    """The films, a swap and its truth last, and the error of that swap; its time and PSNR."""
    *_, swap, truth = (frame.pixels for frame in moment)
    tiles = [*(frame.pixels for frame in moment), error_map(swap, truth)]
    label = f"{float(moment[0].time):.1f} s {psnr(mse(swap, truth)):.1f} dB"
    return Row(label, Picture.sign(strip(tiles), credential, f"whole frames at {label}"))


def score_table(lines: Sequence[ScoreLine], command: str = "") -> Scores:
    """Scores of one film, which have no interval: who in the rows, where in the columns."""
    scores = {(line.who, line.where): line.score for line in lines}
    rivals, places = (dict.fromkeys(names) for names in zip(*scores, strict=True))
    columns = [
        column
        for where in places
        for column in (
            Column("PSNR", "dB", "more", 2, group=where),
            Column("SSIM", "", "more", 3, group=where),
            Column("MSE", "", "less", 5, group=where),
        )
    ]
    rows = []
    for who in rivals:
        found = [scores[who, where] for where in places]
        values = [value for one in found for value in (one.psnr, one.ssim, one.mse)]
        cells = tuple(Estimate(value, value, value, 1) for value in values)
        rows.append(TableRow(who, cells, command=command))
    return Scores("", "", tuple(columns), tuple(rows))


def _page(swap: Path, truth: Path, out: Path, judgement: VideoJudgement) -> Page:
    moments = shown_moments([swap, truth], len(judgement.series))
    command = shlex.join(["changeling", "judge", str(swap), "--truth", str(truth), "-o", str(out)])
    return Page(
        title=f"{swap.name} against the truth",
        lead=(
            f"How near the swap is to {truth.name}, the film of what it should have become, "
            f"over {len(judgement.series)} frames.",
        ),
        headlines=(
            Headline(f"{judgement.face.psnr:.1f} dB", "PSNR inside the face"),
            Headline(f"{judgement.face.ssim:.3f}", "SSIM inside the face"),
            Headline(f"{judgement.frame.psnr:.1f} dB", "PSNR of the whole frame"),
        ),
        sections=(
            Section("Scores", _TABLE, (score_table(score_lines(judgement), command),)),
            *_grids(moments, seen_in([swap, truth], out.name)),
            Section("Frame by frame", _CURVE, _curves(judgement)),
        ),
        commands=(command,),
        facts=(
            (swap.name, _credential(swap)),
            (truth.name, _credential(truth)),
            *asdict(Versions.installed()).items(),
        ),
    )


def _grids(moments: Sequence[Moment], credential: Credential) -> tuple[Section, ...]:
    columns = ("swap", "truth", "error")
    frames = tuple(frame_row(moment, credential) for moment in moments)
    look = Look()
    found = (_crop_row(look, moment, credential) for moment in moments)
    crops = tuple(row for row in found if row is not None)
    return (
        Section("Frames", _FRAMES, (Pictures("", "", columns, frames),)),
        Section("Faces", _CROPS, (Pictures("", "", columns, crops),)),
    )


def _crop_row(look: Look, moment: Moment, credential: Credential) -> Row | None:
    """The aligned faces; None where the truth shows none."""
    swap, truth = moment
    face = look.at(truth.pixels)
    if face is None:
        return None
    one, two = (crop(frame.pixels, face.matrix, _CROP) for frame in (swap, truth))
    label = f"{float(truth.time):.1f} s"
    words = f"aligned faces at {label}"
    return Row(label, Picture.sign(strip([one, two, error_map(one, two)]), credential, words))


def _curves(judgement: VideoJudgement) -> tuple[Curves, ...]:
    faces = [(one.time, one.face) for one in judgement.series if one.face is not None]
    named = {
        "PSNR inside the face, dB": [(time, face.psnr) for time, face in faces],
        "SSIM inside the face": [(time, face.ssim) for time, face in faces],
    }
    return tuple(
        Curves("", "", "seconds", name, (Curve("the swap", tuple(points)),))
        for name, points in named.items()
    )


def _credential(film: Path) -> str:
    """What its credential says, or why it has none."""
    try:
        return verify(film).sentence
    except UserError as error:
        return str(error)
