"""The notebooks: every cell runs in tiny form, and what is kept was executed from the sources."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from nbformat import NotebookNode

import notebooks.__main__ as making
from changeling.errors import UserError

MOST = 1_000_000
"""Bytes of a notebook."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The truth curve asks two frames of each direction; the notebooks' threads stay with them."""
    monkeypatch.setattr("changeling.study.curve.FRAMES", 2)
    count = torch.get_num_threads()
    yield
    torch.set_num_threads(count)


def kept(name: str) -> NotebookNode:
    return nbformat.read(making.FOLDER / f"{name}.ipynb", as_version=4)


def run_tiny(name: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the code cells leave behind, run here with the smallest lesson."""
    known: dict[str, Any] = {"__name__": "__main__"}
    for cell in making.read_source(making.FOLDER / f"{name}.py").cells:
        if cell.cell_type == "code":
            exec(compile(cell.source, name, "exec"), known)
            if "parameters" in cell.metadata.get("tags", ()):
                exec("lesson = Lesson.tiny()", known)
    assert capsys.readouterr().err == ""
    return known


@pytest.mark.fashion_mnist
def test_the_autoencoder_runs_in_tiny_form(capsys: pytest.CaptureFixture[str]) -> None:
    known = run_tiny("autoencoder", capsys)
    # Noise of 0.2 is 14 dB, and what is cut off at black and white makes it less.
    assert 14 < known["gains"]["noisy"] < 17
    assert known["gains"]["non-local means"] > known["gains"]["noisy"]
    assert known["autoencoder"].restore(known["noisy"]).shape == (20, 1, 28, 28)
    assert [row["step"] for row in known["rows"]][-1] == 10


@pytest.mark.fashion_mnist
def test_the_vae_runs_in_tiny_form(capsys: pytest.CaptureFixture[str]) -> None:
    known = run_tiny("vae", capsys)
    assert 8 < known["psnr"] < 20
    assert known["mixed"][0].equal(known["unseen"][0])
    assert known["mixed"][-1].equal(known["unseen"][1])
    assert known["real"].confidence > known["fake"].confidence


@pytest.mark.fashion_mnist
def test_the_gan_runs_in_tiny_form(capsys: pytest.CaptureFixture[str]) -> None:
    known = run_tiny("gan", capsys)
    assert [row["step"] for row in known["rows"]][-1] == 6
    assert all(0 < row[key] < 1 for row in known["rows"] for key in ("d_real", "d_fake"))
    assert known["distance"] > 0


@pytest.mark.fashion_mnist
def test_diffusion_runs_in_tiny_form(capsys: pytest.CaptureFixture[str]) -> None:
    known = run_tiny("diffusion", capsys)
    forward, clean = known["forward"], known["unseen"][:3]
    assert forward.shape == (10, 3, 1, 16, 16)
    assert forward[0].allclose(clean, atol=1e-6)
    errors = (forward - clean).square().flatten(1).mean(1)
    assert (errors.diff() > 0).all(), "a picture drowns"
    assert 0 <= known["agreed"] <= 1


def test_the_swap_runs_in_tiny_form(capsys: pytest.CaptureFixture[str]) -> None:
    judged = run_tiny("swap", capsys)["judged"]
    assert judged.missed == 0
    crop = judged.scores.crop
    assert 0 < crop.swap.psnr < crop.copy_source.psnr, "two steps teach nothing"
    assert judged.identity.copy_source.to_source > judged.identity.copy_source.to_target


@pytest.mark.parametrize("name", making.NAMES)
def test_what_is_kept_was_executed_from_the_source(name: str) -> None:
    source, executed = making.read_source(making.FOLDER / f"{name}.py"), kept(name)
    assert [(one.cell_type, one.source) for one in executed.cells] == [
        (one.cell_type, one.source) for one in source.cells
    ]
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [one for one in outputs if one.output_type == "error" or one.get("name") == "stderr"]
    assert sum("image/png" in one.get("data", {}) for one in outputs) >= 3
    text = (making.FOLDER / f"{name}.ipynb").read_text("utf-8")
    assert len(text.encode()) < MOST
    assert re.findall(r"/(?:tmp|home|root|work)/|\\\\Users\\\\", text) == []


def test_a_notebook_is_executed(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("# %% [markdown]\n# Words.\n\n# %%\ntwo = 1 + 1\nprint(two)\n")
    executed = making.execute(making.read_source(path), tmp_path)
    words, code = executed.cells
    assert (words.cell_type, words.source) == ("markdown", "Words.")
    assert code.outputs[0].text == "2\n"
    making.write_notebook(executed, tmp_path / "one.ipynb")
    making.write_notebook(
        making.execute(making.read_source(path), tmp_path), tmp_path / "two.ipynb"
    )
    assert (tmp_path / "one.ipynb").read_bytes() == (tmp_path / "two.ipynb").read_bytes()


def test_a_cell_that_fails_is_told(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("# %%\n1 / 0\n")
    with pytest.raises(UserError, match="ZeroDivisionError"):
        making.execute(making.read_source(path), tmp_path)
