"""The study face-to-face: families that swap, on the same actors, both ways, for equal minutes."""

from collections.abc import Iterator, Sequence

from changeling.generators import Task, configuration
from changeling.study.experiments.experiment import Cell, Extent, Findings, Study
from changeling.study.experiments.material import A, B, Material
from changeling.study.experiments.metrics import TRUTH
from changeling.study.experiments.pages import facts, families, films, table
from changeling.study.experiments.swapping import NETWORK_FREE, Trained, Untrained
from changeling.study.page import Page, Section
from changeling.study.pairs import PAIRS
from changeling.training import Budget

NAME = "face-to-face"
FAMILIES = ("autoencoder", "vae", "vaegan", "cyclegan", "faceswapgan")
"""Those of the report that compared them by eye."""
SIZE = 64
"""Side of the faces in pixels."""
_TABLE = (
    "Means over all clips, with the interval in which they lie when other clips had been filmed. "
    "The bare face is what the network draws against the true face, inside the true inner face; "
    "in the film it is the finished film there. The first rows needed no training."
)


def cells(extent: Extent) -> Sequence[Cell]:
    """What needs no training, then every family, on each pair with each seed."""
    return tuple(swaps(extent))


def swaps(extent: Extent) -> Iterator[Trained | Untrained]:
    """The cells, one by one."""
    quick = extent == "quick"
    budget = {
        "quick": Budget(None, 100),
        "laptop": Budget(7.0),
        "full": Budget(20.0),
    }[extent]
    for pair in PAIRS[: 1 if quick else 3]:
        material = Material(pair, seconds=6, clips=1, clip_seconds=2) if quick else Material(pair)
        for name in NETWORK_FREE[: 3 if quick else 4]:
            yield Untrained(name, material)
        for seed in range(2 if extent == "full" else 1):
            for family in FAMILIES:
                config = configuration(family, Task((A, B), SIZE))
                yield Trained(family, family, config, budget, material, seed)


def page(findings: Findings) -> Page:
    """Who is nearest to the truth, who is most like B, and how it looks."""
    trained = [one for one in families(findings.results) if one in FAMILIES]
    scores = table(findings, TRUTH, "Every family against the truth", _TABLE)
    shown = [one for cell in findings.results if cell.family == trained[0] for one in cell.shown]
    first = [one for one in shown if one.clip == shown[0].clip]
    return Page(
        title="Face to face: families of swaps against the truth",
        lead=_lead(findings, trained),
        headlines=(),
        sections=(
            Section("Figures", "", (scores,)),
            Section("Films", "", (films(findings.folder, first, trained[0], ""),)),
        ),
        commands=(findings.command,),
        facts=facts(findings.results),
    )


def _lead(findings: Findings, trained: Sequence[str]) -> tuple[str, ...]:
    return ()


FACE_TO_FACE = Study(
    NAME,
    "Which family swaps faces best, given the same actors and the same time?",
    cells,
    page,
)
