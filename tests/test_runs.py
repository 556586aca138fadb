"""Configurations, checkpoints and the folders of runs: what they promise when things break."""

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
import pytest
import torch

from changeling.errors import UserError
from changeling.training import (
    Run,
    adjusted,
    from_json,
    load_state,
    save_state,
    to_json,
)


@dataclass(frozen=True)
class Inner:
    depth: int = 2
    names: tuple[str, ...] = ("a",)


class Kind(Enum):
    SOFT = "soft"


@dataclass(frozen=True)
class Settings:
    rate: float
    inner: Inner = field(default_factory=Inner)
    limit: int | None = None
    way: Literal["fast", "slow"] = "fast"
    pair: tuple[int, float] = (1, 2.0)
    place: Path = Path("here")
    kind: Kind = Kind.SOFT
    careful: bool = True


def new_run(folder: Path, rate: float = 1.0) -> Run:
    return Run.begin(folder, family="toy", config=Settings(rate), data=Inner())


class TestConfig:
    def test_round_trip(self) -> None:
        settings = Settings(
            rate=0.5,
            inner=Inner(3, ("x", "y")),
            limit=4,
            way="slow",
            pair=(2, 0.5),
            place=Path("a/b"),
            careful=False,
        )
        assert from_json(Settings, to_json(settings)) == settings
        assert to_json(settings)["inner"] == {"depth": 3, "names": ["x", "y"]}

    def test_texts_set_fields_at_any_depth(self) -> None:
        texts = ["rate=2", "inner.depth=5", 'inner.names=["y"]', "way=slow"]
        changed = adjusted(Settings(1.0), texts)
        assert (changed.rate, changed.inner.depth, changed.inner.names) == (2.0, 5, ("y",))
        assert changed == replace(Settings(2.0), inner=changed.inner, way="slow")
        assert adjusted(changed, []) is changed

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "raet=1",
                "no setting 'raet=1': give NAME=VALUE, NAME one of rate, inner.depth, inner",
            ),
            ("rate", "no setting 'rate'"),
            ("inner.deep=1", "no setting 'inner.deep=1'"),
            ("rate.x=1", "no setting 'rate.x=1'"),
            ("rate=fast", "the setting 'rate=fast', rate is 'fast' but must be of type float"),
            ("way=odd", "'way=odd', way is 'odd' but must be one of fast, slow: correct it"),
        ],
    )
    def test_a_text_that_sets_nothing_is_named(self, text: str, message: str) -> None:
        with pytest.raises(UserError, match=message):
            adjusted(Settings(1.0), [text])

    def test_absent_fields_get_defaults_and_whole_numbers_are_floats(self) -> None:
        assert from_json(Settings, {"rate": 1}) == Settings(1.0)
        assert isinstance(from_json(Settings, {"rate": 1}).rate, float)

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            ({}, "run.json is incomplete .*'rate'"),
            ({"rate": "x"}, "run.json, rate is 'x' but must be of type float"),
            ({"rate": True}, "rate is True but must be of type float"),
            ({"rate": 1, "inner": {"depth": 1.5}}, "run.json, inner, depth is 1.5 .* int"),
            ({"rate": 1, "inner": {"names": ["a", 2]}}, r"names\[1\] is 2 but .* str"),
            ({"rate": 1, "pair": [1]}, "pair has 1 entries instead of 2"),
            ({"rate": 1, "way": "odd"}, "way is 'odd' but must be"),
            ({"rate": 1, "limit": "x"}, "limit is 'x' but must be"),
            ({"rate": 1, "kind": "x"}, "kind is 'x' but must be of type Kind"),
            ({"rate": 1, "raet": 2}, "unknown field 'raet': remove it, the known ones are rate"),
            ([], r"run.json is \[\] but must be of type Settings"),
        ],
    )
    def test_what_does_not_fit_is_named(self, data: object, message: str) -> None:
        with pytest.raises(UserError, match=message):
            from_json(Settings, data, where="run.json")


class TestCheckpoint:
    def test_round_trip_of_a_nested_state(self, tmp_path: Path) -> None:
        weight = torch.randn(2, 3, 4, 4).contiguous(memory_format=torch.channels_last)
        state: dict[object, Any] = {
            "weights": {"a": weight, "view": weight[0], "half": torch.ones(2).bfloat16()},
            0: [1, 2.5, None, True, "text"],
            "pair": (torch.tensor(3), {}),
        }
        save_state(tmp_path / "x.safetensors", state)
        back = load_state(tmp_path / "x.safetensors", mend="")
        assert list(back) == ["weights", 0, "pair"]
        assert torch.equal(back["weights"]["a"], weight)
        assert torch.equal(back["weights"]["view"], weight[0])
        assert back["weights"]["half"].dtype == torch.bfloat16
        assert back[0] == [1, 2.5, None, True, "text"]
        assert back["pair"][0] == 3 and back["pair"][1] == {} and isinstance(back["pair"], tuple)

    @pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
    def test_truncated(self, tmp_path: Path, share: float) -> None:
        path = tmp_path / "x.safetensors"
        save_state(path, {"a": torch.randn(100)})
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        with pytest.raises(UserError, match=r"x\.safetensors is truncated or damaged: delete it"):
            load_state(path, mend="delete it")

    def test_a_failed_save_keeps_the_old_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "x.safetensors"
        save_state(path, {"a": 1})

        def full(tensors: object, beside: Path, metadata: object) -> None:
            beside.write_bytes(b"half")
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("changeling.training.checkpoint.save_file", full)
        with pytest.raises(UserError, match=r"No space left on device.*free some space"):
            save_state(path, {"a": 2})
        assert load_state(path, mend="") == {"a": 1}
        assert [file.name for file in tmp_path.iterdir()] == ["x.safetensors"]


class TestRun:
    def test_begin_again_goes_on_and_other_settings_are_refused(self, tmp_path: Path) -> None:
        run = new_run(tmp_path / "run")
        assert new_run(tmp_path / "run").config(Settings) == Settings(1.0)
        assert Run(run.folder).family == "toy" and run.data(Inner) == Inner()
        with pytest.raises(UserError, match=r"other settings \(config\.rate was 1\.0, is 2\.0\)"):
            new_run(tmp_path / "run", rate=2.0)

    def test_folders_that_are_no_runs(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"holds no training run"):
            Run(tmp_path)
        (tmp_path / "mine.txt").write_text("precious")
        with pytest.raises(UserError, match="exists and is no training run"):
            new_run(tmp_path)
        with pytest.raises(UserError, match="exists and is no training run"):
            new_run(tmp_path / "mine.txt")
        assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
        (tmp_path / "config.json").write_text("{")
        with pytest.raises(UserError, match=r"config\.json cannot be read as JSON"):
            Run(tmp_path)
        (tmp_path / "config.json").write_text("[]")
        with pytest.raises(UserError, match="is no run's configuration"):
            Run(tmp_path)

    def test_the_log_and_what_is_forgotten(self, tmp_path: Path) -> None:
        run = new_run(tmp_path / "run")
        for step in (1, 2, 3):
            run.log(step, {"loss": step / 2})
            run.preview(step, torch.zeros(1, 1, 3, 2, 2))
        with (run.folder / "log.jsonl").open("a") as log:
            log.write('{"step": 4, "lo')
        assert [row["loss"] for row in run.rows()] == [0.5, 1.0, 1.5]
        run.forget_after(2)
        assert run.rows() == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 1.0}]
        assert [path.name for path in run.previews()] == ["000001.png", "000002.png"]
        run.log(3, {"truth": 20.0})
        assert run.rows()[-1] == {"step": 3, "truth": 20.0}

    def test_preview_places_pictures_by_row_and_column(self, tmp_path: Path) -> None:
        grid = torch.zeros(2, 3, 3, 4, 5)
        grid[1, 2, 0] = 1.0
        grid[0, 1, 2] = 0.2
        path = new_run(tmp_path / "run").preview(7, grid)
        pixels = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        expected = np.zeros((8, 15, 3), np.uint8)
        expected[4:, 10:, 0] = 255
        expected[:4, 5:10, 2] = 51
        assert path.name == "000007.png" and np.array_equal(pixels, expected)
