"""The study ablation: what each part of the usual way to swap gives, by leaving it out."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from changeling.faces import Jitter
from changeling.generators import FamilyConfig, Task, configuration
from changeling.study.experiments.experiment import Cell, Extent
from changeling.study.experiments.material import A, B, Material
from changeling.study.experiments.swapping import Trained
from changeling.training import Budget

NAME = "ablation"
WHOLE = "all of it"
_SIZE = 64
_PLAIN = Jitter()


def _twins(**changes: float) -> FamilyConfig:
    """The autoencoder from random weights, for what is left out must not have been taught."""
    config = configuration("autoencoder", Task((A, B), _SIZE), preset="scratch")
    return replace(config, **changes)


def _judged(*, perceptual: bool) -> FamilyConfig:
    """The family that has a perceptual loss, with it or without."""
    config = configuration("faceswapgan", Task((A, B), _SIZE))
    weights = config.weights
    return (
        config if perceptual else replace(config, weights=replace(weights, perceptual=(0.0,) * 4))
    )


def cells(extent: Extent) -> Sequence[Cell]:
    """The whole, then one thing less each time, for as many steps."""
    return tuple(variants(extent))


def variants(extent: Extent) -> Iterator[Trained]:
    """The cells, one by one."""
    quick = extent == "quick"
    material = Material(seconds=6, clips=1, clip_seconds=2) if quick else Material()
    budget = Budget(None, {"quick": 80, "laptop": 1500, "full": 4000}[extent])

    def twins(
        family: str,
        config: FamilyConfig,
        jitter: Jitter | None = None,
        boxed: bool = False,
        precision: str = "float32",
    ) -> Trained:
        return Trained(
            family,
            "autoencoder",
            config,
            budget,
            replace(material, aligned=not boxed),
            seed,
            jitter,
            precision,
        )

    for seed in range(3 if extent == "full" else 1):
        yield twins(WHOLE, _twins())
        yield twins("no alignment", _twins(), boxed=True)
        yield twins("no mask", _twins(outside=1.0))
        yield twins("no warp", _twins(), replace(_PLAIN, warp=0))
        yield twins("no colours", _twins(), replace(_PLAIN, colours=0, scene=0, light=0, tint=0))
        yield twins("no structure loss", _twins(structure=0.0))
        yield twins("bfloat16", _twins(), precision="bfloat16")
        for family, perceptual in (("judged", True), ("judged no perceptual loss", False)):
            yield Trained(
                family,
                "faceswapgan",
                _judged(perceptual=perceptual),
                budget,
                material,
                seed,
                None,
                "float32",
            )
