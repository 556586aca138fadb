"""Edits of a run's drawings: a sheet, pictures, and what is kept in the run's folder."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import PLAIN

from changeling.cli import main
from changeling.errors import UserError
from changeling.faces import Renders, open_pictures
from changeling.faces.renders import _file, _open
from changeling.generators import FAMILIES, load_drawer, load_with
from changeling.generators.edits import StyleEditor
from changeling.media import read_image
from changeling.provenance import State, verify
from changeling.study import Edit, Wish, draw, draw_edits, editing, train_pictures
from changeling.study.editing import KEPT, edit_grid, known_edits
from changeling.study.reading import find_directions
from changeling.training import Budget, Run

TODAY = date(2026, 11, 22)
RENDERS = Renders(faces=12, first=20, stylings=1, frames=2, size=48, varied=False)
ATTRIBUTES = ("age", "gender", "skin", "yaw", "smile")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As if actors had been rendered: noise under landmarks that are all in one place."""
    cache, rng = tmp_path_factory.mktemp("lessons"), np.random.default_rng(0)
    lessons = _open(cache / RENDERS.name, RENDERS)
    lessons.pictures[:] = rng.integers(0, 256, lessons.pictures.shape)
    lessons.points[:] = rng.uniform(20, 28, lessons.points.shape)
    lessons.rotation[:] = np.linalg.qr(rng.normal(size=(24, 3, 3)))[0]
    lessons.face[:] = np.repeat(np.arange(20, 32), 2)
    _file(cache / RENDERS.name / "done.npy", np.bool_, (12,))[:] = True
    return cache


@pytest.fixture(scope="module")
def run(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A run of StyleGAN that learnt these actors for a step."""
    PLAIN.apply()
    folder = tmp_path_factory.mktemp("runs") / "faces"
    train_on(cache, folder, steps=1)
    with pytest.MonkeyPatch.context() as patch:
        # 2,000 drawings would take as long as all other tests of this file.
        few = partial(find_directions, count=60)
        patch.setattr(editing, "find_directions", few)
        yield folder


def train_on(cache: Path, folder: Path, *, steps: int) -> None:
    actors = open_pictures("actors-film", renders=RENDERS, cache=cache)
    config = FAMILIES["stylegan"].config.tiny()
    budget = Budget(None, steps)
    for _ in train_pictures("stylegan", config, actors, folder, budget, today=TODAY, runtime=PLAIN):
        pass


def test_directions_are_found_once_for_a_checkpoint(
    run: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = load_with(run, "draw_styles", runtime=PLAIN)
    reader, found = known_edits(run, generator, cache=cache)
    assert reader.attributes == found.attributes == ATTRIBUTES
    before = (run / KEPT).stat().st_mtime_ns
    again, kept = known_edits(run, generator, cache=tmp_path / "no renders")
    assert (run / KEPT).stat().st_mtime_ns == before
    assert torch.equal(kept.steps, found.steps) and torch.equal(kept.deviations, found.deviations)
    assert (kept.explained, again.explained) == (found.explained, reader.explained)
    crops = np.random.default_rng(1).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    assert np.array_equal(again.read(crops), reader.read(crops))
    train_on(cache, run, steps=2)
    generator = load_with(run, "draw_styles", runtime=PLAIN)
    assert not torch.equal(known_edits(run, generator, cache=cache)[1].steps, found.steps)


def test_a_sheet_shows_each_face_from_less_to_more(run: Path, cache: Path, tmp_path: Path) -> None:
    out = tmp_path / "e.png"
    draw_edits(run, out, Wish(50, seed=4), today=TODAY, runtime=PLAIN, cache=cache)
    assert read_image(out).shape == (5 * 66 + 2, 10 * 66 + 2, 3)
    assert verify(out).state is State.TRUSTED
    generator = load_with(run, "draw_styles", runtime=PLAIN)
    editor = StyleEditor(generator, known_edits(run, generator, cache=cache)[1])
    grid = edit_grid(editor, 2, seed=4)
    plain = load_drawer(run, runtime=PLAIN).draw(2, seed=4)
    assert torch.allclose(grid[:, [2, 7]], plain.expand(5, -1, -1, -1, -1), atol=1e-6)
    more = editor.edit(2, seed=4, attribute="yaw", amount=2.0)
    assert torch.equal(grid[3, [4, 9]], more)


def test_everything_is_drawn_with_one_edit(run: Path, cache: Path, tmp_path: Path) -> None:
    given = {"today": TODAY, "runtime": PLAIN}
    for name, amount in (("none", 0.0), ("less", -3.0)):
        edit = Edit("smile", amount)
        draw_edits(run, tmp_path / name, Wish(3, 4), edit=edit, cache=cache, **given)  # type: ignore[arg-type]
    draw(run, tmp_path / "plain", Wish(3, 4), **given)  # type: ignore[arg-type]
    none, less, plain = (
        read_image(tmp_path / name / "00002.png").astype(int) for name in ("none", "less", "plain")
    )
    assert np.abs(none - plain).max() <= 1 < np.abs(less - plain).max()
    credential = verify(tmp_path / "less" / "00002.png").credential
    assert credential is not None and dict(credential.facts)["edit"] == "smile -3"
    with pytest.raises(UserError, match="no edit of 'grin': give one of age, gender"):
        draw_edits(
            run,
            tmp_path / "x.png",
            Wish(1),
            edit=Edit("grin"),
            cache=cache,
            **given,  # type: ignore[arg-type]
        )
    assert not (tmp_path / "x.png").exists()


def test_what_was_not_learnt_from_actors_has_no_edits(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / KEPT).unlink(missing_ok=True)
    settings = (run / "config.json").read_text()
    (run / "config.json").write_text(settings.replace(f"actors {RENDERS.name}", "holidays"))
    assert Run(run).family == "stylegan"
    line = ["draw", str(run), "-o", str(tmp_path / "x.png")]
    assert main([*line, "--show", "edits", "--amount", "-2"]) == 2
    assert "holidays are no rendered actors" in capsys.readouterr().err
    assert main([*line, "--attribute", "smile"]) == 2
    assert "add --show edits" in capsys.readouterr().err
    (run / "config.json").write_text(settings)
