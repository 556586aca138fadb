"""The page of report-fashion: the report's tables and figures, and its third model working."""

from collections.abc import Iterator

from changeling.study.experiments.experiment import Findings
from changeling.study.experiments.metrics import DRAWN, GIVEN_BACK
from changeling.study.experiments.pages import (
    best_sentence,
    by_clips,
    cost_table,
    facts,
    families,
    mean_of,
    ranked,
    table,
)
from changeling.study.page import Curve, Curves, Page, Picture, Pictures, Row, Section
from changeling.study.results import CellResult

_GIVEN_BACK = (
    "Test pictures through the mean of their code, and through a code drawn at random from it, as "
    "in training. Intervals are over the ten classes."
)
_DRAWN = (
    "Drawn pictures beside as many test pictures, by the project’s own classifier and on its "
    "features: the distances compare with each other, not with published ones. Where few were "
    "drawn, distances are left out. Copies are the share that comes nearer to a training picture "
    "than one test picture in twenty does; nearest learnt is the distance to the nearest of all "
    "training pictures over that of the test pictures; classes off are drawn more or less often "
    "than chance explains. Intervals resample the drawn pictures and say nothing of another "
    "training."
)

_SPECTRA = (
    "Average power at each frequency in any direction. Above the real pictures’ is what is noisier "
    "than they are, below it what is smoother."
)


def page(findings: Findings) -> Page:
    """The report's tables and figures again, and its third model working."""
    return Page(
        title="FashionMNIST: the report’s three models, measured",
        lead=tuple(_lead(findings)),
        headlines=(),
        sections=(
            Section("Given back", "", (table(findings, GIVEN_BACK, "", _GIVEN_BACK),)),
            Section("Drawn", "", (table(findings, DRAWN, "", _DRAWN),)),
            *_losses(findings),
            Section("Pictures", "", (*_pictures(findings), *_spectra(findings))),
            Section("Cost", "", (cost_table(findings),)),
        ),
        commands=(findings.command,),
        facts=facts(findings),
    )


def _lead(findings: Findings) -> Iterator[str]:
    results = findings.results
    by_mean = [
        mean_of(results, "vae report", f"mean_{metric}") for metric in ("mse", "psnr", "ssim")
    ]
    if all(by_mean):
        mse, psnr, ssim = (one.value for one in by_mean if one)
        yield (
            f"The report’s VAE gives test pictures back with an MSE of {mse:.4f}, {psnr:.2f} dB "
            f"and an SSIM of {ssim:.4f}; the report says 0.0146, 18.87 dB and 0.6617."
        )
    drawn = [one for one in families(results) if mean_of(results, one, "frechet")]
    for metric, what in (
        ("confidence", "What is drawn is surest to the classifier"),
        ("frechet", "Nearest to test pictures, by Fréchet distance"),
    ):
        ranking = ranked(results, drawn, metric, DRAWN[metric])
        if ranking:
            apart = by_clips(results, metric)
            yield best_sentence(ranking, apart, what, "", DRAWN[metric].digits)


def _losses(findings: Findings) -> Iterator[Section]:
    """A section where anything was trained for more than an epoch."""
    charts = tuple(_charts(findings))
    if charts:
        yield Section("Losses", "", charts)


def _charts(findings: Findings) -> Iterator[Curves]:
    """The losses of each cell, by epoch."""
    for cell in findings.results:
        every = (one.metric for one in cell.measurements if one.metric.startswith("loss_"))
        names = list(dict.fromkeys(every))
        lines = tuple(
            Curve(
                name.removeprefix("loss_"),
                _points(cell, name),
            )
            for name in names
        )
        if any(len(line.points) > 1 for line in lines):
            said = "Means over the steps of each epoch."
            command = findings.recompute[cell.cell]
            yield Curves(cell.family, said, "epoch", "loss", lines, command)


def _spectra(findings: Findings) -> Iterator[Curves]:
    """The spectra averaged around the circle, of test pictures and of what each cell drew."""
    found = [cell for cell in findings.results if _points(cell, "spectrum_real")]
    if found:
        lines = [Curve(one.family, _points(one, "spectrum_drawn")) for one in found]
        lines.append(Curve("test pictures", _points(found[0], "spectrum_real"), dashed=True))
        x = "cycles a picture"
        yield Curves("Spectra", _SPECTRA, x, "power, dB", tuple(lines), findings.measure)


def _points(cell: CellResult, metric: str) -> tuple[tuple[float, float], ...]:
    own = [one for one in cell.measurements if one.metric == metric]
    return tuple((one.at, one.value) for one in own if one.at is not None)


def _pictures(findings: Findings) -> Iterator[Pictures]:
    """All sheets, kind by kind."""
    titles = dict.fromkeys(one.clip for cell in findings.results for one in cell.shown)
    for title in titles:
        rows = [
            Row(cell.family, Picture.read(findings.folder / one.file, one.words))
            for cell in findings.results
            for one in cell.shown
            if one.clip == title
        ]
        yield Pictures(title, rows[0].picture.words, (), tuple(rows))
