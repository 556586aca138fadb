"""`changeling teach`: the networks that ship, taught again by rendered actors or FashionMNIST."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

import tyro

from changeling.cli.bars import ACTORS, Bar
from changeling.cli.values import Amount, OptionalCount, OptionalPath, Seed, check_kept
from changeling.errors import UserError
from changeling.media import Tick

if TYPE_CHECKING:
    from changeling.faces import Renders
    from changeling.faces.scenes import Scenes
    from changeling.training import Budget

Teaching = TypeVar("Teaching", contravariant=True)
Taught = TypeVar("Taught", covariant=True)


class Teaches(Protocol[Teaching, Taught]):
    """A function that renders into `cache`, teaches in a run's folder and writes `out`."""

    def __call__(
        self, run: Path, budget: "Budget", teaching: Teaching, /,
        *, cache: Path, out: Path, tick: Tick,
    ) -> Taught: ...  # fmt: skip


@dataclass(frozen=True)
class Teach:
    """Teach a network from rendered actors or FashionMNIST; the same command again goes on."""

    network: tyro.conf.Positional[
        Literal["landmarks", "expression", "identity", "swapper", "autoencoder", "fashion", "face"]
    ]
    """landmarks: the points that align every face. expression: what a face does, by those points.
    identity: whether two pictures show one face.
    swapper and autoencoder: what `changeling train` of supervised and of autoencoder begins with.
    face: the morphable model that `changeling fit` fits, in minutes of its own.
    fashion: what a picture of FashionMNIST shows, for the distances of drawn pictures."""
    out: OptionalPath = None
    """The weights to write, with a .json of their SHA-256 beside; by default those in use."""
    minutes: Amount = 30.0
    """Minutes of teaching, the rendering before it not counted; fashion takes a fixed number of
    steps instead, and expression and face take what they need."""
    run_folder: OptionalPath = None
    """Folder of the training run; by default one named after the network, in runs."""
    cache: Path = Path("runs/lessons")
    """Folder of the renders that are learnt from."""
    actors: OptionalCount = None
    """How many actors are rendered to learn from; by default as many as taught what ships."""
    begin: OptionalPath = None
    """Weights that teaching begins from, for landmarks only; by default random ones."""
    seed: Seed = 0
    """Seed of weights, samples and jitter."""
    overwrite: bool = False
    """Replace the weights if they exist."""

    def run(self) -> int:
        """Teach."""
        if self.begin and self.network != "landmarks":
            raise UserError(f"--begin is for landmarks; leave it out to teach {self.network}.")
        if self.network == "fashion":
            with Bar("steps") as bar:
                print(self._fashion(bar))
            return 0
        with Bar("actors", ACTORS) as bar:
            teach = {
                "landmarks": self._landmarks,
                "expression": self._expression,
                "identity": self._identity,
                "swapper": self._swapper,
                "autoencoder": self._autoencoder,
                "face": self._face,
            }
            said = teach[self.network](bar)
        print(said)
        return 0

    def _landmarks(self, bar: Bar) -> str:
        # Imported here because torch takes seconds that --help and verify need not spend.
        from changeling.faces import LandmarkTeaching, teach_landmarks
        from changeling.faces.landmarks import WEIGHTS

        teaching = LandmarkTeaching(self._renders(), begin=self.begin, seed=self.seed)
        out, taught = self._teach(teach_landmarks, teaching, WEIGHTS, bar)
        return (
            f"{out}: {taught.steps} steps, mean error {100 * taught.kept.error:.2f} % of the "
            f"distance of the eyes, overlap of the inner face {taught.kept.iou:.3f}, on actors not "
            "learnt from"
        )

    def _expression(self, bar: Bar) -> str:
        from changeling.faces.expression import WEIGHTS
        from changeling.faces.expression_teaching import ExpressionTeaching, teach_expression

        out, teaching = self._out(WEIGHTS), ExpressionTeaching(seed=self.seed)
        if self.actors:
            renders = replace(teaching.renders, faces=self.actors)
            teaching = replace(teaching, renders=renders)
        taught = teach_expression(teaching, cache=self.cache, out=out, tick=bar.tick)
        return (
            f"{out}: {taught.frames} frames, {taught.among:.2f} mm from the true expression, "
            f"{taught.alone:.2f} mm frame by frame (a face in rest: {taught.resting:.2f} mm) on "
            "actors not learnt from"
        )

    def _identity(self, bar: Bar) -> str:
        from changeling.faces import IdentityTeaching, teach_identity
        from changeling.faces.identity import WEIGHTS

        teaching = IdentityTeaching(self._renders(), seed=self.seed)
        out, taught = self._teach(teach_identity, teaching, WEIGHTS, bar)
        return (
            f"{out}: {taught.steps} steps, equal error rate {100 * taught.kept.error:.1f} % "
            f"(area under the curve {taught.kept.auc:.4f}) on pairs of actors not learnt from"
        )

    def _fashion(self, bar: Bar) -> str:
        from changeling.faces import open_pictures, picture_batches
        from changeling.measuring import FashionTeaching, teach_fashion
        from changeling.measuring.fashion import SIZE, WEIGHTS

        out, teaching = self._out(WEIGHTS), FashionTeaching(seed=self.seed)
        pictures, rest = (open_pictures("fashion-mnist", part=part) for part in ("train", "test"))
        # Not mirrored: a shoe that looks the other way is none of FashionMNIST's.
        learnt = picture_batches(pictures, size=SIZE, batch=teaching.batch, seed=self.seed)
        kept = picture_batches(rest, size=SIZE, batch=len(rest), seed=self.seed)(0)
        taught = teach_fashion(self._folder(), learnt, kept, teaching, out=out, tick=bar.tick)
        return (
            f"{out}: {taught.steps} steps, {100 * taught.accuracy:.1f} % of the test pictures "
            f"right, {100 * taught.confidence:.1f} % confident on average"
        )

    def _swapper(self, bar: Bar) -> str:
        from changeling.generators.supervised import WEIGHTS
        from changeling.generators.supervised_teaching import SwapperTeaching, teach_swapper

        teaching = SwapperTeaching(self._scenes(), seed=self.seed)
        out, taught = self._teach(teach_swapper, teaching, WEIGHTS, bar)
        return (
            f"{out}: {taught.steps} steps, {taught.kept.psnr:.2f} dB from the true answer (the "
            f"face as it was: {taught.kept.unchanged:.2f} dB) on faces not learnt from"
        )

    def _autoencoder(self, bar: Bar) -> str:
        from changeling.generators.autoencoder_teaching import (
            AutoencoderTeaching,
            teach_autoencoder,
        )
        from changeling.generators.twins import WEIGHTS

        teaching = AutoencoderTeaching(self._scenes(), seed=self.seed)
        out, taught = self._teach(teach_autoencoder, teaching, WEIGHTS, bar)
        return f"{out}: {taught.steps} steps, mean absolute difference {taught.l1:.4f}"

    def _face(self, bar: Bar) -> str:
        from changeling.faces import FaceMaking, make_face
        from changeling.faces.morphable import FILE

        out = self._out(FILE)
        making = FaceMaking(faces=self.actors) if self.actors else FaceMaking()
        made = make_face(making, out=out, tick=bar.tick)
        floor = ", ".join(f"{count}: {left:.2f} mm" for count, left in made.floor)
        return (
            f"{out}: {made.vertices} vertices; what so many components leave of new faces: {floor}"
        )

    def _teach(
        self, teach: Teaches[Teaching, Taught], teaching: Teaching, weights: Path, bar: Bar
    ) -> tuple[Path, Taught]:
        """Where the weights are, by default in the place of those in use, and what came out."""
        from changeling.training import Budget

        out, budget = self._out(weights), Budget(self.minutes)
        tick = _tick(bar)
        return out, teach(self._folder(), budget, teaching, cache=self.cache, out=out, tick=tick)

    def _scenes(self) -> "Scenes":
        from changeling.faces.scenes import Scenes

        return Scenes(faces=self.actors) if self.actors else Scenes()

    def _renders(self) -> "Renders":
        from changeling.faces import Renders

        return Renders(faces=self.actors) if self.actors else Renders()

    def _out(self, default: Path) -> Path:
        out = self.out or default
        check_kept(out, overwrite=self.overwrite)
        return out

    def _folder(self) -> Path:
        return self.run_folder or Path("runs") / self.network


def _tick(bar: Bar) -> Tick:
    """Counts the actors up to the last, then the time."""
    rendered = False

    def tick(done: int, total: int | None) -> None:
        nonlocal rendered
        if rendered:
            bar.show(done, total, f"teaching, {done / 10:.0f} %")
        else:
            bar.tick(done, total)
            rendered = done == total

    return tick
