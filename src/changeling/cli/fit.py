"""`changeling fit`: the face of a film as a model, frame by frame, and as a performance."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.eyes import Eyes, tracker_with
from changeling.cli.values import OptionalPath, Out, check_kept
from changeling.errors import UserError


@dataclass(frozen=True)
class Fit:
    """Fit the morphable model to the largest face of every frame: who it is, how the head is held,
    what the face does, and the light on it."""

    source: tyro.conf.Positional[Path]
    """A video or a picture."""
    out: Out
    """The fit record to write (.json), with the performance beside it (.csv) as 52 ARKit blend
    shapes and the head's turn, which `changeling film --csv` performs."""
    consent: OptionalPath = None
    """Consent of the people shown (TOML, see `changeling consent new`); a film of rendered actors
    needs none."""
    detector: Eyes = "haar"
    """What finds new faces: haar, OpenCV's cascades; or yunet, a network taught on photographs,
    which is fetched on first use."""
    overwrite: bool = False
    """Replace the record and the performance if they exist."""

    def run(self) -> int:
        """Fit."""
        if self.out.suffix != ".json":
            raise UserError(f"{self.out} is no name of a fit record: give one that ends in .json")
        table = self.out.with_suffix(".csv")
        for path in (self.out, table):
            check_kept(path, overwrite=self.overwrite)
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import face_model, fit_video

        with Bar("frames", ACTORS) as bar:
            record = fit_video(
                self.source, today=date.today(), consent=self.consent,
                tracker=tracker_with(self.detector), tick=bar.tick,
            )  # fmt: skip
        record.save(self.out, overwrite=self.overwrite)
        record.save_csv(table, face_model(), overwrite=self.overwrite)
        fitted = len(record.fit.frames)
        print(f"{self.out}: {fitted} of {len(record.frames)} frames fitted{bar}")
        for reason, count in record.reasons.items():
            print(f"{count} frames: {reason}")
        print(f"{table}: the performance")
        return 0
