"""`changeling convert`: one person's performance given by another, in a video or a picture."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.eyes import Eyes, tracker_with
from changeling.cli.values import OptionalPath, Out

if TYPE_CHECKING:
    from changeling.converting import Conversion


@dataclass(frozen=True)
class Convert:
    """Replace one face in every frame, keep time stamps and sound, and sign the result."""

    source: tyro.conf.Positional[Path]
    """A video or a picture."""
    model: Annotated[Path, tyro.conf.arg(name="run", metavar="FOLDER")]
    """Folder of a training run."""
    to: str
    """Who shall give the performance: a person of the run, such as b."""
    out: Out
    """The file to write: .mp4 for a video; .png, .jpg or .webp for a picture."""
    colour: Literal["none", "mean", "covariance"] = "none"
    """Give the new face the colours of the old one: none, their mean, or mean and covariance."""
    blend: Literal["alpha", "poisson"] = "alpha"
    """A soft edge (alpha), or gradients solved into the frame (poisson)."""
    consent: OptionalPath = None
    """Consent of the people shown (TOML, see `changeling consent new`); a film of rendered actors
    needs none. Only the faces of people whom it enrols are replaced."""
    who: OptionalPath = None
    """A picture of the person, alone, whose face is replaced where several are seen; without it
    the person whom the consent enrols, or the largest face."""
    detector: Eyes = "haar"
    """What finds new faces: haar, OpenCV's cascades; or yunet, a network taught on photographs,
    which is fetched on first use."""
    overwrite: bool = False
    """Replace the file if it exists."""

    def run(self) -> int:
        """Convert."""
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.converting import How, convert
        from changeling.generators import load_generator
        from changeling.study import donor_of
        from changeling.training import Runtime

        runtime = Runtime.best()
        runtime.apply()
        with Bar("frames", ACTORS) as bar:
            done = convert(
                self.source, self.out, load_generator(self.model, runtime=runtime), to=self.to,
                donor=donor_of(self.model, self.to), today=date.today(),
                how=How(self.colour, self.blend), consent=self.consent, who=self.who,
                overwrite=self.overwrite, tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        print(f"{self.out}: {_words(done)}{bar}")
        return 0


def _words(done: "Conversion") -> str:
    """What happened to the frames."""
    words = f"{done.frames} frames, {done.swapped} of them with a new face"
    if not done.crowded:
        return words
    return (
        f"{words}, {done.crowded} with up to {done.most_faces} faces, of which only one was "
        "replaced"
    )
