"""A collapsed generator and a judge that has won are noticed, a healthy pair is left in peace."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from changeling.study.demo_report import lead
from changeling.training import (
    Budget,
    Cadence,
    Losses,
    Run,
    adversarial,
    collapse,
    fit,
    variety,
)


def pictures(seed: int, n: int = 12, size: int = 16) -> Tensor:
    return torch.rand(n, 3, size, size, generator=torch.Generator().manual_seed(seed))


def log(count: int, **values: float) -> list[dict[str, float]]:
    healthy = {"d_real": 0.7, "d_fake": 0.3, "variety": 0.9}
    return [{"step": 20.0 * (i + 1), **healthy, **values} for i in range(count)]


def test_variety_of_the_data_is_one_and_that_of_doubles_nothing() -> None:
    data = pictures(0)
    assert variety(data, data) == 1
    assert variety(data.flip(0), data) == pytest.approx(1, rel=1e-6)
    assert variety(data[:1].expand_as(data), data) == 0
    assert variety(data[:3].repeat(4, 1, 1, 1), data) == 0, "three pictures, four times each"


def test_variety_grows_with_what_tells_samples_apart() -> None:
    data = pictures(0)
    middle = data.mean(dim=0, keepdim=True)
    shares = [float(variety(middle + share * (data - middle), data)) for share in (0.2, 0.5, 0.8)]
    assert shares == pytest.approx([0.2, 0.5, 0.8], rel=1e-4)
    assert variety(data + 0.3, data) == pytest.approx(1, rel=1e-4), "brightness is no variety"


def test_grain_is_little_variety() -> None:
    data = torch.nn.functional.interpolate(pictures(0, size=4), (64, 64), mode="bilinear")
    same = data[:1].expand_as(data)
    assert variety(same + 0.1 * torch.randn(same.shape), data) < 0.1


def test_the_losses_are_the_means_within_bounds() -> None:
    data = pictures(0)
    said = torch.tensor([[-0.5], [0.5], [1.5]], requires_grad=True)
    losses = adversarial(said, 1 - said.detach(), pictures(1), data)
    assert losses["d_real"] == pytest.approx(0.5) and losses["d_fake"] == pytest.approx(0.5)
    assert losses["variety"] == variety(pictures(1), data)
    assert not any(loss.requires_grad or loss.shape for loss in losses.values())


def test_a_healthy_log_says_nothing() -> None:
    assert collapse([]) is None
    assert collapse(log(40)) is None
    assert collapse(log(40, d_real=0.999, d_fake=0.3)) is None, "sure of one kind only"
    assert collapse([{"step": 20.0, "l1": 0.1}] * 40) is None, "no judge at all"


def test_a_young_run_may_be_poor() -> None:
    assert collapse(log(19, variety=0.0)) is None
    assert collapse(log(20, variety=0.0)) is not None


def test_a_generator_that_gains_variety_is_left_to_learn() -> None:
    rows = [{**row, "variety": 0.005 * i} for i, row in enumerate(log(40))]
    assert collapse(rows[:30]) is None and collapse(rows) is None
    assert collapse([*rows[:30], *log(20, variety=0.15)]) is not None, "and then no more"


def test_lost_variety_is_said_with_its_step() -> None:
    rows = [*log(30), *({**row, "step": row["step"] + 600} for row in log(10, variety=0.12))]
    said = collapse(rows)
    assert said is not None and "step 800" in said and "variety (12% of the data's)" in said
    assert collapse([*rows, *log(10)]) is None, "it has recovered"


def test_a_judge_that_has_won_is_said() -> None:
    said = collapse(log(30, d_real=0.995, d_fake=0.004))
    assert (
        said is not None
        and "step 600 the discriminator has won (D(x) is 0.995, D(G(z)) 0.004)" in said
    )


def test_lines_of_other_columns_are_passed_over() -> None:
    rows = log(20, variety=0.1)
    rows.insert(12, {"step": 260.0, "truth_psnr": 20.0})
    assert collapse(rows) is not None


@dataclass
class Collapsed:
    """A learner whose samples are alike up to a step."""

    until: int
    steps: int = 0

    def step(self, batch: list[int], /) -> Losses:
        self.steps += 1
        share = 0.0 if self.steps <= self.until else 1.0
        return {name: torch.tensor(share) for name in ("d_real", "d_fake", "variety")}

    def preview(self, batch: list[int], /) -> Tensor:
        return torch.zeros(1, 1, 3, 2, 2)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any], /) -> None:
        self.steps = state["steps"]


@pytest.mark.parametrize(("until", "said"), [(0, 0), (60, 1)])
def test_training_says_it_once(
    until: int, said: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.begin(tmp_path / "run", family="x", config=Budget(), data=Budget())
    cadence = Cadence(log=1, preview=10)
    steps = fit(
        Collapsed(until), lambda step: [step], run, Budget(None, 60), workers=0, cadence=cadence
    )
    assert sum(1 for _ in steps) == 60
    assert capsys.readouterr().err.count("lost their variety") == said


def test_a_report_begins_with_what_went_wrong() -> None:
    healthy, fallen = lead(log(30)), lead(log(30, variety=0.1))
    assert "went wrong" not in " ".join(healthy)
    assert fallen[:-1] == healthy and "(10% of the data's)" in fallen[-1]
