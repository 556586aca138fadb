"""The whole way, from two rendered actors to a signed swap measured against the true answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import islice
from pathlib import Path
from shutil import rmtree
from typing import TypeVar

from changeling.actors import Actor, Performance, film, sidecar_path
from changeling.converting import How, convert
from changeling.errors import UserError
from changeling.faces import extract, open_set
from changeling.generators import Task, configuration, family, load_generator
from changeling.measuring import CopySource, Judgement, MeanFace, Rivals, judge, read_samples
from changeling.media import Tick, probe, writing
from changeling.study import options as names
from changeling.study.demo_report import demo_report
from changeling.study.films import side_by_side
from changeling.study.options import DemoOptions
from changeling.study.page_html import write_page
from changeling.study.scores import Results, Seeds, Versions
from changeling.study.stages import Clock, Ledger, Stage, Tell, quiet
from changeling.study.train import Advance, donor_of, train_family
from changeling.training import Budget, Run, Runtime, from_json, to_json

JUDGED = 100
"""Frames of the held-out performance that are judged at least, evenly spread, if it has as many."""

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Demo:
    """A finished demo."""

    folder: Path
    results: Results
    files: tuple[Path, ...]
    """What to look at, in this order."""


def demo(
    folder: Path,
    options: DemoOptions = DemoOptions(),
    *,
    today: date,
    overwrite: bool = False,
    on_stage: Tell = quiet,
    runtime: Runtime | None = None,
) -> Demo:
    """Film, extract, train, convert, judge and report into `folder`.

    The same call again goes on where the last one stopped; after a finished one it only reads the
    results. Raises UserError when the folder holds anything else than a demo, or a demo with other
    options unless `overwrite`, which starts anew.
    """
    runtime = runtime or Runtime.best()
    _check(options, runtime)
    _open(folder, options, overwrite)
    scores = folder / names.SCORES
    if not scores.exists():
        _Study(folder, options, today, on_stage, runtime).make()
    results = _read(Results, scores)
    shown = (names.REPORT, names.SIDE_BY_SIDE, names.SWAP, *names.FILMS, names.SCORES)
    return Demo(folder, results, tuple(folder / name for name in shown))


@dataclass(frozen=True)
class _Study:
    """The stages of a demo that is not finished."""

    folder: Path
    options: DemoOptions
    today: date
    tell: Tell
    runtime: Runtime

    def make(self) -> None:
        """Do the stages that are not done yet; scores.json comes last."""
        ledger = Ledger(self.folder / names.STAGES, self.tell)
        for name, actor, performance in self._films():
            work = partial(self._film, name, actor, performance)
            ledger.once(f"film {name}", work, self.folder / name)
        for person in names.PEOPLE:
            faces = self.folder / names.FACES / person
            ledger.once(f"extract {names.FACES}/{person}", partial(self._extract, person), faces)
        ledger.once(f"train {names.RUN}", self._train, self.folder / names.RUN)
        ledger.once(f"convert {names.SWAP}", self._convert, self.folder / names.SWAP)
        show = self.folder / names.SIDE_BY_SIDE
        ledger.once(f"show {names.SIDE_BY_SIDE}", self._side_by_side, show)
        judging = Clock(f"judge {names.SWAP}", self.tell)
        rivals = self._rivals()
        results = self._results(ledger, self._judge(rivals, judging.tick))
        report = self.folder / names.REPORT
        write_page(report, demo_report(self.folder, self.options, results, rivals), overwrite=True)
        _write_json(self.folder / names.SCORES, results)

    def _films(self) -> Iterator[tuple[str, Actor, Performance]]:
        """Name, actor and performance of each film."""
        a, b = self.options.pair.a, self.options.pair.b
        performances = [
            Performance.from_seed(seed, seconds=seconds)
            for seed, seconds in zip(
                self.options.performances,
                (self.options.seconds, self.options.seconds, self.options.held_out),
                strict=True,
            )
        ]
        actors = (a, b, a, Actor(b.face, a.styling))
        yield from zip(names.FILMS, actors, (*performances, performances[-1]), strict=True)

    def _film(self, name: str, actor: Actor, performance: Performance, tick: Tick) -> None:
        path, size = self.folder / name, self.options.size
        film(actor, performance, path, size=size, overwrite=True, tick=tick)

    def _extract(self, person: str, tick: Tick) -> None:
        source, folder = self.folder / f"{person}.mp4", self.folder / names.FACES / person
        size = self.options.faces
        extract(source, folder, today=self.today, size=size, overwrite=True, tick=tick)

    def _train(self, tick: Tick) -> None:
        options = self.options
        config = configuration(options.family, Task(names.PEOPLE, options.faces))
        for advance in train_family(
            options.family,
            config,
            [(name, open_set(self.folder / names.FACES / name)) for name in names.PEOPLE],
            self.folder / names.RUN,
            Budget(options.minutes, options.steps),
            today=self.today,
            runtime=self.runtime,
            seed=options.seed,
        ):
            self.tell(_training_stage(advance))

    def _convert(self, tick: Tick) -> None:
        convert(
            self.folder / names.PERFORMANCE,
            self.folder / names.SWAP,
            load_generator(self.folder / names.RUN, runtime=self.runtime),
            to=names.B,
            donor=donor_of(self.folder / names.RUN, names.B),
            today=self.today,
            overwrite=True,
            tick=tick,
        )

    def _side_by_side(self, tick: Tick) -> None:
        films = [("performance", names.PERFORMANCE), ("swap", names.SWAP), ("truth", names.TRUTH)]
        named = [(caption, self.folder / name) for caption, name in films]
        side_by_side(named, self.folder / names.SIDE_BY_SIDE, overwrite=True, tick=tick)

    def _rivals(self) -> Rivals:
        target = names.B
        faces = open_set(self.folder / names.FACES / target)
        crops, masks = faces.crops(), faces.masks()
        return Rivals(
            swap=load_generator(self.folder / names.RUN, runtime=self.runtime),
            copy_source=CopySource.from_faces(target, crops, masks),
            mean_face=MeanFace.from_faces(target, crops, masks),
        )

    def _judge(self, rivals: Rivals, tick: Tick) -> Judgement:
        performance, truth = self.folder / names.PERFORMANCE, self.folder / names.TRUTH
        frames = probe(truth).frames or 1
        gap = max(1, frames // JUDGED)
        samples = islice(read_samples(performance, truth), 0, None, gap)
        total = -(-frames // gap)
        return judge(samples, rivals, to=names.B, how=How(), tick=lambda done, _: tick(done, total))

    def _results(self, ledger: Ledger, judgement: Judgement) -> Results:
        trained = [row for row in Run(self.folder / names.RUN).rows() if "rate" in row][-1]
        options = self.options
        batch = configuration(options.family, Task(names.PEOPLE, options.faces)).batch
        return Results(
            crop=judgement.scores.crop,
            in_place=judgement.scores.in_place,
            frame=judgement.scores.frame,
            identity=judgement.identity,
            train_seconds=trained["seconds"],
            faces_per_second=trained["step"] * len(names.PEOPLE) * batch / trained["seconds"],
            convert_fps=ledger.speed("convert"),
            render_fps=ledger.speed("film"),
            extract_fps=ledger.speed("extract"),
            seeds=Seeds(options.pair.a, options.pair.b, *options.performances, options.seed),
            versions=Versions.installed(),
        )


def _training_stage(advance: Advance) -> Stage:
    progress, truth = advance.progress, advance.truth
    note = f"%, {progress.rate:.0f} faces/s"
    if truth is not None:
        note += f", {truth.psnr:.1f} dB against the truth"
    return Stage(f"train {names.RUN}", round(100 * progress.fraction), 100, note)


def _open(folder: Path, options: DemoOptions, overwrite: bool) -> None:
    """Make the folder a demo's with these options, or raise `UserError`."""
    path = folder / names.OPTIONS
    if path.is_file() and overwrite:
        _clear(folder)
    elif path.is_file():
        if _read(DemoOptions, path) != options:
            raise UserError(
                f"{folder} holds a demo with other options: give another folder with -o, or "
                "--overwrite to start it anew."
            )
        return
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is no demo's folder: give another one with -o.")
    _write_json(path, options)


def _check(options: DemoOptions, runtime: Runtime) -> None:
    """Raise before anything is filmed what training would raise."""
    Budget(options.minutes, options.steps).check()
    config = configuration(options.family, Task(names.PEOPLE, options.faces))
    family(options.family).learner(config, runtime=runtime)


def _read(kind: type[Kind], path: Path) -> Kind:
    try:
        return from_json(kind, json.loads(path.read_text("utf-8")), where=str(path))
    except ValueError as error:
        raise UserError(
            f"{path} is damaged ({error}): give another folder with -o, or --overwrite."
        ) from error


def _clear(folder: Path) -> None:
    """Remove what a demo made and nothing else."""
    for name in (names.FACES, names.RUN):
        rmtree(folder / name, ignore_errors=True)
    films = [folder / name for name in names.FILMS]
    own = (names.SCORES, names.STAGES, names.REPORT, names.SIDE_BY_SIDE, names.SWAP, names.OPTIONS)
    for path in [*films, *map(sidecar_path, films), *(folder / name for name in own)]:
        path.unlink(missing_ok=True)


def _write_json(path: Path, value: object) -> None:
    with writing(path, overwrite=True) as beside:
        beside.write_text(json.dumps(to_json(value), indent=2) + "\n", encoding="utf-8")
