"""The study face-to-face: families that swap, on the same actors, both ways, for equal minutes."""

from collections.abc import Iterator, Sequence

from changeling.generators import Task, autoencoder, configuration
from changeling.study.experiments import clips
from changeling.study.experiments.experiment import Cell, Extent, Findings, Study
from changeling.study.experiments.material import A, B, Material
from changeling.study.experiments.metrics import SPLIT, TRUTH, UNAIDED
from changeling.study.experiments.pages import (
    best_sentence,
    by_clips,
    cost_table,
    facts,
    families,
    ranked,
    table,
)
from changeling.study.experiments.swappers import BASELINES, FITTED
from changeling.study.experiments.swapping import Trained, Untrained
from changeling.study.page import Page, Section
from changeling.study.pairs import PAIRS
from changeling.training import Budget

NAME = "face-to-face"
FAMILIES = ("autoencoder", "vae", "vaegan", "cyclegan", "faceswapgan")
"""Those of the report that compared them by eye."""
SCRATCH = "autoencoder, from scratch"
"""The first of them with random weights, as all others begin; of the full extent alone."""
FIRST = PAIRS[0]
"""The pair of studies that have but one."""
SIZE = 64
"""Side of the faces in pixels."""
_QUICK = Material(seconds=6, clips=1, clip_seconds=2)
_TRUTH = (
    "Means over all clips, with the interval in which they would lie had other clips been filmed. "
    "The bare face is what the network draws, against the true face inside the true inner face; "
    "the finished film is compared there, too. The gap is how much of the way from the performance "
    "to the truth is left in identity, look and colours: 0 for the truth, 1 for the performance. "
    "Like B and like A are cosines of the identity network. The first rows needed no training. The "
    "autoencoder begins with weights that 656 other actors taught, the other families with random "
    "ones."
)
_BEGINNING = (
    "The autoencoder begins with weights that 656 other actors taught and the other families with "
    "random ones: equal minutes are no equal beginning."
)
_SPLIT = (
    "The error of the finished film, explained by renders of the truth with one factor moved: the "
    "face towards A and towards the average person; expression, pose and light towards rest and "
    "towards what B did in the films that were learnt. Shares of the energy of what is coarser "
    "than a 48th of the face’s crop, and what none explains, such as blur, noise and seams. What "
    "is finer cannot be split and was left out before: its share of the whole error comes last."
)
_UNAIDED = (
    "What can be measured on footage whose true answer nobody knows. Expression is the distance "
    "between the movements of both faces in distances of the eyes; border, flicker and sharpness "
    "are compared with the performance, whose own are 0, 1 and 1. Like B and like A are cosines "
    "of the identity network to the mean of fifty of each one’s training faces."
)
_FACES = (
    "The finished films, cut out where the performer’s face is. Eyes and mouth have to follow the "
    "first column, the person has to be that of the last."
)


def cells(extent: Extent) -> Sequence[Cell]:
    """What needs no training, then every family, on each pair with each seed."""
    return tuple(swaps(extent))


def swaps(extent: Extent) -> Iterator[Trained | Untrained]:
    """The cells, one by one."""
    quick = extent == "quick"
    budgets = {"quick": Budget(None, 100), "laptop": Budget(7.0), "full": Budget(20.0)}
    for pair in PAIRS[: 1 if quick else 3]:
        material = _QUICK if quick else Material(pair)
        for name in BASELINES if quick else BASELINES + FITTED:
            yield Untrained(name, material)
        for seed in range(2 if extent == "full" else 1):
            for family in FAMILIES:
                config = configuration(family, Task((A, B), SIZE))
                yield Trained(family, family, config, budgets[extent], material, seed)
            if extent == "full":
                twins = autoencoder.Config.scratch(Task((A, B), SIZE))
                yield Trained(SCRATCH, "autoencoder", twins, budgets[extent], material, seed)


def page(findings: Findings) -> Page:
    """Who is nearest to the truth, who is most like B, and how it looks."""
    learnt = [one for one in families(findings.results) if one in (*FAMILIES, SCRATCH)]
    by_psnr = ranked(findings.results, learnt, "placed_psnr", TRUTH["placed_psnr"])
    return Page(
        title="Face to face: families of swaps against the truth",
        lead=_lead(findings, learnt),
        headlines=(),
        sections=(
            Section("Against the truth", "", (table(findings, TRUTH, "", _TRUTH),)),
            Section("What the error is", "", (table(findings, SPLIT, "", _SPLIT),)),
            Section("Without a truth", "", (table(findings, UNAIDED, "", _UNAIDED),)),
            Section("Faces", "", (clips.faces(findings, _FACES),)),
            *clips.closer(findings, by_psnr[0][0] if by_psnr else "", "The nearest one"),
            Section("Cost", "", (cost_table(findings),)),
        ),
        commands=(findings.command,),
        facts=facts(findings),
    )


def _lead(findings: Findings, learnt: Sequence[str]) -> tuple[str, ...]:
    """Sentences made from the figures."""
    columns, sentences = {**TRUTH, **UNAIDED}, []
    for metric, what in (
        ("placed_psnr", "Nearest to the true film, by PSNR"),
        ("placed_gap", "Nearest in identity, look and colours together, by the gap"),
        ("placed_to_target", "Most like the person whose face was put in"),
        ("unaided_expression", "Most faithful to the performer’s expression"),
    ):
        column = columns[metric]
        ranking = ranked(findings.results, learnt, metric, column)
        if ranking:
            unit = f" {column.unit}" if column.unit else ""
            apart = by_clips(findings.results, metric)
            sentences.append(best_sentence(ranking, apart, what, unit, column.digits))
    return (*sentences, *_beaten(findings, learnt), _BEGINNING)


def _beaten(findings: Findings, learnt: Sequence[str]) -> Iterator[str]:
    """How many families beat what needs no training, by more than chance explains."""
    column, apart = TRUTH["placed_psnr"], by_clips(findings.results, "placed_psnr")
    own = ranked(findings.results, learnt, "placed_psnr", column)
    for names, needs in ((BASELINES, "neither training nor a fit"), (FITTED, "a fit alone")):
        rivals = ranked(findings.results, names, "placed_psnr", column)
        if rivals and own:
            name, best = rivals[0]
            sure = [mean.value > best.value for one, mean in own if apart(one, name)]
            yield (
                f"{sum(sure)} of {len(own)} families are nearer to the truth than the best that "
                f"needs {needs} ({name}, {best.value:.2f} dB), {len(sure) - sum(sure)} farther "
                f"from it, {len(own) - len(sure)} not to be told apart from it."
            )


FACE_TO_FACE = Study(
    NAME, "Which family swaps faces best, given the same actors and the same time?", cells, page
)
