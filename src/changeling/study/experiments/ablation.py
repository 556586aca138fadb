"""The study ablation: what each part of the usual way to swap gives, by leaving it out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch

from changeling.faces import Jitter
from changeling.generators import FamilyConfig, Task, autoencoder, faceswapgan
from changeling.measuring import Estimate
from changeling.study.experiments import clips
from changeling.study.experiments.experiment import Cell, Extent, Findings, Study
from changeling.study.experiments.material import A, B, Material
from changeling.study.experiments.metrics import TRUTH, UNAIDED
from changeling.study.experiments.pages import cost_table, difference, facts, families, table
from changeling.study.experiments.swapping import Trained
from changeling.study.page import Page, Scores, Section, TableRow
from changeling.study.results import CellResult
from changeling.training import Budget

NAME = "ablation"
WHOLE, JUDGED = "all of it", "with judges"
_SIZE = 64
_TABLE = (
    "An autoencoder from random weights, trained as usual (all of it), then with one thing left "
    "out: faces cut out as upright boxes (no alignment), all pixels of the square weighing alike "
    "(no mask), inputs that are not warped (no warp), colours not levelled between the people (no "
    "levelling), light as filmed (no light), absolute differences alone (no structural loss); "
    "products computed in bfloat16. Then a family with judges, with and without its perceptual "
    "loss. The same steps, the same films."
)
_CHANGES = (
    "Differences clip by clip, with their interval: below 0 for what was better before, in PSNR, "
    "SSIM and likeness to B."
)


def _judged(*, perceptual: bool) -> FamilyConfig:
    """The family that has a perceptual loss, with it or without."""
    config = faceswapgan.Config.laptop(Task((A, B), _SIZE))
    if perceptual:
        return config
    return replace(config, weights=replace(config.weights, perceptual=(0.0, 0.0, 0.0, 0.0)))


def cells(extent: Extent) -> Sequence[Cell]:
    """The whole, then one thing less each time, for as many steps."""
    return tuple(variants(extent))


def variants(extent: Extent) -> Iterator[Trained]:
    """The cells, one by one."""
    quick = extent == "quick"
    material = Material(seconds=6, clips=1, clip_seconds=2) if quick else Material()
    budget = Budget(None, {"quick": 80, "laptop": 1000, "full": 1000}[extent])

    judged = Trained(
        "", "faceswapgan", _judged(perceptual=True), budget, material, precision=torch.float32
    )
    # From random weights, for what is left out must not have been taught.
    twins = autoencoder.Config.scratch(Task((A, B), _SIZE))
    usual = Trained("", "autoencoder", twins, budget, material, precision=torch.float32)
    for seed in range(3 if extent == "full" else 1):
        for cell in (
            replace(usual, family=WHOLE),
            replace(usual, family="no alignment", material=replace(material, aligned=False)),
            replace(usual, family="no mask", config=replace(twins, outside=1.0)),
            replace(usual, family="no warp", jitter=Jitter(warp=0)),
            replace(usual, family="no levelling", jitter=Jitter(level=False)),
            replace(usual, family="no light", jitter=Jitter(light=0, tint=0, scene=0)),
            replace(usual, family="no structural loss", config=replace(twins, structure=0.0)),
            replace(usual, family="bfloat16", precision=torch.bfloat16),
            replace(judged, family=JUDGED, config=_judged(perceptual=True)),
            replace(
                judged, family=f"{JUDGED}, no perceptual loss", config=_judged(perceptual=False)
            ),
        ):
            yield replace(cell, seed=seed)


def page(findings: Findings) -> Page:
    """What is lost without each part."""
    return Page(
        title="Ablation: what each part of a swap gives",
        lead=tuple(_lost(findings)),
        headlines=(),
        sections=(
            Section("What leaving it out changes", "", (changes(findings),)),
            Section("Against the truth", "", (table(findings, TRUTH, "", _TABLE),)),
            Section("Without a truth", "", (table(findings, UNAIDED, "", ""),)),
            Section("Faces", "", (clips.faces(findings, ""),)),
            *clips.closer(findings, WHOLE, "All of it"),
            Section("Cost", "", (cost_table(findings),)),
        ),
        commands=(findings.command,),
        facts=facts(findings),
    )


def _lost(findings: Findings) -> Iterator[str]:
    """A sentence for each part, from the paired differences of the finished film's PSNR."""
    for family in families(findings.results):
        change = _change(findings.results, family, "placed_psnr")
        if change is not None:
            sure = change.low > 0 or change.high < 0
            word = "worse" if change.value < 0 else "better"
            yield (
                f"{family.capitalize()}: {abs(change.value):.2f} dB {word} in the finished film "
                f"({change.low:+.2f} … {change.high:+.2f})"
                + ("." if sure else ", which chance explains.")
            )


def changes(findings: Findings) -> Scores:
    """Each row less the one that it is compared with, clip by clip."""
    tried = families(findings.results)
    shown = {
        metric: replace(column, better="")
        for metric, column in TRUTH.items()
        if any(_change(findings.results, one, metric) for one in tried)
    }
    rows = []
    for family in tried:
        cells = tuple(_change(findings.results, family, metric) for metric in shown)
        if any(cells):
            label = f"{family}, less {_rival(family)}"
            rows.append(TableRow(label, cells, command=findings.measure))
    return Scores("", _CHANGES, tuple(shown.values()), tuple(rows))


def _rival(family: str) -> str:
    return JUDGED if family.startswith(JUDGED) else WHOLE


def _change(results: Sequence[CellResult], family: str, metric: str) -> Estimate | None:
    """What leaving something out changes."""
    return difference(results, family, _rival(family), metric)


ABLATION = Study(NAME, "What does each part of the usual way to swap give?", cells, page)
