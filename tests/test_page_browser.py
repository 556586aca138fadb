"""A study's page in a real browser: on a phone, in the dark, in print, and answering hands."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from test_study_pages import findings, looks

from changeling.study.experiments import STUDIES
from changeling.study.experiments.metrics import SPLIT, TRUTH, UNAIDED
from changeling.study.page_html import write_page
from changeling.study.rating_clips import cells_of
from changeling.study.results import Measurement

pytestmark = pytest.mark.browser
PHONE, PAPER = 390, 688
"""Pixels across a phone, and across A4 inside its margins."""
WIDE = """
const wide = [...document.body.querySelectorAll("*")].filter((one) => {
  const box = one.getBoundingClientRect();
  return box.right > document.documentElement.clientWidth + 1 && !one.closest(".scroll, .commands");
});
return wide.map((one) => `${one.tagName} ${one.textContent.slice(0, 40)}`);
"""


@pytest.fixture(scope="module")
def report(shown: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """face-to-face with all its figures, and the curves of when-to-stop."""
    results = []
    for cell in cells_of(shown):
        figures = tuple(
            Measurement(name, 0.9 - k, f"clip {k}")
            for name in (*TRUTH, *SPLIT, *UNAIDED)
            for k in range(3)
        )
        results.append(replace(cell, measurements=figures, steps=100, seconds=60.0))
    swaps = STUDIES["face-to-face"].page(replace(findings(*results), folder=shown))
    curves = STUDIES["when-to-stop"].page(findings(looks("vae", [1.0, 3.0, 4.0, 2.0])))
    path = tmp_path_factory.mktemp("report") / "report.html"
    sections = (*swaps.sections, *curves.sections[:2])
    commands = (*swaps.commands, "measure it")
    write_page(path, replace(swaps, sections=sections, commands=commands))
    return path


@pytest.fixture
def opened(browser: Chrome, report: Path) -> Iterator[Chrome]:
    browser.get(report.as_uri())
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert browser.get_log("browser") == []


def shown_as(browser: Chrome, width: int, media: str, scheme: str) -> None:
    """So many pixels across, on a screen or on paper, dark or light."""
    size = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": features})


def light_of(browser: Chrome) -> int:
    """How bright the page is, 0…255."""
    code = "return getComputedStyle(document.documentElement).backgroundColor"
    return int(str(browser.execute_script(code)).partition("(")[2].partition(",")[0])


@pytest.mark.parametrize(
    ("width", "media", "scheme", "dark"),
    [
        (PHONE, "screen", "light", False),
        (PHONE, "screen", "dark", True),
        (PAPER, "print", "dark", False),
    ],
)
def test_nothing_is_wider_than_the_page(
    opened: Chrome, width: int, media: str, scheme: str, dark: bool
) -> None:
    """What is wide scrolls by itself on a screen; paper, which cannot, is white and holds all."""
    shown_as(opened, width, media, scheme)
    across = opened.execute_script(
        "return [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
    )
    assert across == [width, width], opened.execute_script(WIDE)
    assert opened.execute_script(WIDE) == []
    assert (light_of(opened) < 60) is dark


def test_the_slider_uncovers_the_truth(opened: Chrome) -> None:
    """By keys, on a phone."""
    shown_as(opened, PHONE, "screen", "light")
    slider = opened.find_element(By.CSS_SELECTOR, ".beside input")
    upper = opened.find_element(By.CSS_SELECTOR, ".beside figure img")
    opened.execute_script("arguments[0].focus()", slider)
    assert upper.value_of_css_property("clip-path") == "inset(0px 50% 0px 0px)"
    ActionChains(opened).send_keys(*[Keys.ARROW_LEFT] * 20).perform()
    assert upper.value_of_css_property("clip-path") == "inset(0px 70% 0px 0px)"


def test_a_curve_tells_its_values(opened: Chrome) -> None:
    """By keys from look to look, and under a pointer."""
    shown_as(opened, PHONE, "screen", "light")
    chart = opened.find_element(By.CSS_SELECTOR, "svg.chart")
    area, value = (chart.find_element(By.CSS_SELECTOR, name) for name in (".area", ".value"))
    assert value.text == "2"
    opened.execute_script("arguments[0].focus()", area)
    told = []
    for _ in range(3):
        ActionChains(opened).send_keys(Keys.ARROW_RIGHT).perform()
        told.append(value.text)
    assert told == ["1", "3", "4"]
    ActionChains(opened).move_to_element_with_offset(area, area.size["width"] // 2 - 2, 0).perform()
    assert value.text == "2"
