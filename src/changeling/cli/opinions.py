"""What raters thought of a study's clips, as tables on the standard output."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from changeling.measuring import Estimate
    from changeling.study import RatingResults

NONE = "–"
"""A figure that cannot be told."""


def print_opinions(results: "RatingResults") -> None:
    """Print mean opinions with agreement, how metrics follow them, and who was left out."""
    console = Console()
    console.print(_opinions(results))
    if results.follows:
        console.print(_follows(results))
    for one in results.left_out:
        print(f"Left out: rater {one.rater}. {one.why}")
    people = "1 person" if results.raters == 1 else f"{results.raters} people"
    print(
        f"{results.answers} answers of {people} count. Intervals of opinions resample people, "
        "those of ρ performances or cells; α is Krippendorff’s."
    )


def _opinions(results: "RatingResults") -> Table:
    """A line for each question and family, questions and their agreement named once."""
    title = "What people think, from 1 to 5 (of real or fake: the share taken for real)"
    table = Table("opinion", "of", "mean", "interval", "α", title=title, box=box.SIMPLE)
    for agreement in results.agreements:
        name = agreement.question
        alpha = NONE if agreement.alpha is None else f"{agreement.alpha:.2f}"
        for one in results.opinions:
            if one.question == agreement.question:
                table.add_row(name, one.family, *_figure(one.mean), alpha)
                name, alpha = "", ""
    return table


def _follows(results: "RatingResults") -> Table:
    """A line for each metric, the one that orders swaps most as people do, or against them, first.

    By the mean of the opinions; question by question they are in the file.
    """
    # Imported here because torch takes seconds that --help and verify need not spend.
    from changeling.study.rating_follows import OVERALL

    title = "Does a metric order the swaps as people do? Spearman’s ρ with their mean opinion"
    table = Table("metric", "ρ", "interval", "over", title=title, box=box.SIMPLE)
    lines = [one for one in results.follows if one.question == OVERALL]
    for one in sorted(lines, key=lambda one: -abs(one.rho.value) if one.rho else 1):
        table.add_row(one.metric, *_figure(one.rho), f"{one.count} {one.of}")
    return table


def _figure(figure: "Estimate | None") -> tuple[str, str]:
    """A figure and its interval, which there is only where there was something to resample."""
    if figure is None:
        return NONE, ""
    interval = f"{figure.low:.2f}…{figure.high:.2f}" if figure.clips > 1 else ""
    return f"{figure.value:.2f}", interval
