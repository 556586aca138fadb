"""What every family is trained on for the table of docs/families.md, and for how long."""

from dataclasses import dataclass, replace

from changeling.faces import Renders
from changeling.generators import FamilyConfig, Learns, Task, configuration, family

PEOPLE = ("a", "b")
FACES, CLOTHES, KINDS = 64, 28, 10
"""Side of the faces, and of FashionMNIST's pictures, in pixels; and its classes."""


@dataclass(frozen=True)
class Job:
    """What a family is trained on, and for how long."""

    family: str
    minutes: float
    data: str = "films"
    """films: the two people of the demo; otherwise a data set."""
    actors: int = 1500
    """How many of them are rendered, where the data are actors."""
    preset: str = "laptop"
    name: str = ""
    """What the row is called; by default as the family."""
    settings: tuple[tuple[str, bool | int], ...] = ()
    """Fields of the configuration that differ from the preset's."""

    @property
    def title(self) -> str:
        """What the row is called."""
        return self.name or self.family

    @property
    def renders(self) -> Renders:
        """What is rendered, where the data are actors."""
        return Renders(faces=self.actors, varied=self.data != "actors-film")

    @property
    def task(self) -> Task:
        """The people, or the pictures, that it is configured for."""
        if family(self.family).learns is Learns.PEOPLE:
            return Task(PEOPLE, FACES)
        if self.data == "fashion-mnist":
            return Task(size=CLOTHES, channels=1, kinds=KINDS)
        return Task(size=FACES)

    @property
    def config(self) -> FamilyConfig:
        """The preset with the settings that differ."""
        chosen = configuration(self.family, self.task, preset=self.preset)
        return replace(chosen, **dict(self.settings))


JOBS = (
    Job("autoencoder", 10),
    Job("autoencoder", 5, name="autoencoder, 5 minutes"),
    Job("autoencoder", 1, name="autoencoder, 1 minute"),
    Job("autoencoder", 1, preset="scratch", name="autoencoder, scratch, 1 minute"),
    Job("autoencoder", 5, preset="scratch", name="autoencoder, scratch, 5 minutes"),
    Job("classic", 10),
    Job("separate", 10),
    Job("separate", 10, name="separate, joint", settings=(("joint", True),)),
    Job("vae", 10),
    Job("vaegan", 20),
    Job("cyclegan", 30),
    Job("cyclegan", 30, preset="scratch", name="cyclegan, scratch"),
    Job("faceswapgan", 20),
    Job("supervised", 1),
    Job("vae-pictures", 2, "fashion-mnist"),
    Job("dcgan", 10, "fashion-mnist"),
    Job("dcgan", 14, "fashion-mnist", name="dcgan, without classes", settings=(("kinds", 0),)),
    Job("ddpm", 25, "fashion-mnist"),
    Job("dcgan", 10, "actors", name="dcgan, faces"),
    Job("ddpm", 25, "actors", name="ddpm, faces"),
    Job("stylegan", 45, "actors-film", actors=600),
    Job("restoring", 5, "actors"),
)
