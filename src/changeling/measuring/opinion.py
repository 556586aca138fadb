"""What people think of something on average: the mean opinion score."""

from collections.abc import Sequence

from changeling.measuring.estimate import Estimate, estimate


def mean_opinion(
    answers: Sequence[float], raters: Sequence[str], *, scale: tuple[float, float]
) -> Estimate:
    """Return the mean of all answers with its interval over resampled raters.

    `raters` says of each answer whose it is, `scale` which answers are the lowest and the highest.
    People are resampled, not clips: the interval tells how far other people might think otherwise
    of the same clips (ITU-R BT.500 also takes it over observers). Of one rater there is none: both
    its ends are the mean. Raises ValueError for no answers.
    """
    return estimate(answers, raters).within(*scale)
