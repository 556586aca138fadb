"""Whether a conversion may happen: the one shown and the one put in must both have agreed."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from changeling.actors import prove
from changeling.errors import UserError
from changeling.provenance import Consent, Ingredient, Use, read_consent


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
    """The face sets that the network was trained on, by hash."""


def check_both(source: Path, consent: Path | None, donor: Donor, *, today: date) -> None:
    """UserError unless the person shown in `source` and the donor both agreed to a conversion.

    A film of rendered actors proves by itself that it shows nobody; anything else needs a consent.
    """
    donor.consent.check(Use.CONVERT, where=f"run {donor.run}", today=today)
    if consent is not None:
        read_consent(consent).check(Use.CONVERT, where=str(consent), today=today)
    elif prove(source) is None:
        raise UserError(
            f"{source} is not a film of rendered actors and there is no consent of the person it "
            "shows: write one with `changeling consent new` and give it with --consent."
        )
