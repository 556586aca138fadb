"""The rating page in a real browser, by keyboard alone, from the first clip to the results."""

import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from rating import FAMILIES
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from changeling.cli import main
from changeling.studio import RatingServer
from changeling.study import Question, Sitting
from changeling.study.rating_clips import TRUTH
from changeling.study.rating_store import STORE

pytestmark = pytest.mark.browser
SECRETS = re.compile("autoencoder|vae|secret|truth|swap-|actors 7", re.IGNORECASE)
OPINION = {FAMILIES[0]: 2, FAMILIES[1]: 4, TRUTH: 5}
"""What the rater thinks of each family, whatever is asked."""


@contextmanager
def served(study: Path) -> Iterator[RatingServer]:
    with RatingServer(Sitting(study, "Ann")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class Page:
    """What a rater sees and presses."""

    def __init__(self, browser: Chrome) -> None:
        self._browser = browser
        self._wait = WebDriverWait(browser, 60)

    def press(self, *keys: str) -> None:
        """Keys to whatever has the focus."""
        ActionChains(self._browser).send_keys(*keys).perform()

    def text(self, name: str) -> str:
        return self._browser.find_element(By.ID, name).text

    def wait_for(self, name: str, text: str) -> None:
        self._wait.until(lambda _: self.text(name) == text, f"{name} is {self.text(name)!r}")

    def focused(self) -> str:
        return self._browser.switch_to.active_element.get_attribute("id") or ""

    def wait_for_film(self, selector: str) -> None:
        """Until the browser decodes it and it moves."""
        code = (
            "const film = document.querySelector(arguments[0]);"
            "return Boolean(film) && film.readyState >= 3 && film.videoWidth === 64"
            " && !film.paused && film.loop && film.currentTime > 0;"
        )
        self._wait.until(lambda browser: browser.execute_script(code, selector), selector)

    def check_blind(self, server: RatingServer) -> None:
        """Nothing tells what the clip is, and everything came from this server."""
        code = "return performance.getEntriesByType('resource').map((one) => one.name)"
        addresses = self._browser.execute_script(code)
        assert all(address.startswith(server.url) for address in addresses)
        seen = [self._browser.page_source.split("<script>")[0], self._browser.title, *addresses]
        assert not SECRETS.search("\n".join(seen))

    def trouble(self) -> list[str]:
        """What the browser complains about."""
        return [str(line["message"]) for line in self._browser.get_log("browser")]


def key_for(question: Question, opinion: int) -> str:
    if question.scale:
        return str(opinion)
    return "r" if opinion == 5 else "f"


def rate_clip(page: Page, server: RatingServer, place: int) -> None:
    """Answer what is open about a clip and go on."""
    sitting = server.sitting
    page.wait_for("count", f"Clip {place + 1} of {len(sitting.exhibits)}")
    page.wait_for_film("#clip")
    page.check_blind(server)
    opinion = OPINION[sitting.exhibits[place].clip.family]
    given = sitting.given(place)
    page.press(
        *[key_for(one, opinion) for one in sitting.questions(place) if one.name not in given]
    )
    page.wait_for("next", "Next clip")
    assert page.focused() == "next"
    page.press(Keys.ENTER)


def test_a_study_is_rated_by_keyboard(
    study: Path, browser: Chrome, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Page(browser)
    with served(study) as server:
        browser.get(server.url)
        assert page.focused() == "begin"
        page.press(Keys.ENTER)
        for place in range(3):
            rate_clip(page, server, place)
        first_half(page, server)
    # The program was stopped and started again: another address, the same place.
    with served(study) as server:
        browser.get(server.url)
        page.press(Keys.ENTER)
        page.wait_for("question", server.sitting.questions(3)[4].words)
        browser.refresh()
        page.press(Keys.ENTER)
        for place in range(3, 7):
            rate_clip(page, server, place)
        page.wait_for("count", "All 7 clips are rated")
        assert "Thank you" in page.text("done")
    assert page.trouble() == []
    check_store(study)
    assert main(["rate", str(study), "--results"]) == 0
    check_results(study, capsys.readouterr().out)


def first_half(page: Page, server: RatingServer) -> None:
    """Answer four questions about the fourth clip, with wrong keys and second thoughts."""
    page.wait_for("count", "Clip 4 of 7")
    opinion = str(OPINION[server.sitting.exhibits[3].clip.family])
    questions = server.sitting.questions(3)
    page.wait_for("question", questions[0].words)
    # Neither a number nor going ahead, whose reference would tell, answers real or fake.
    page.press("3", Keys.ARROW_RIGHT, Keys.ENTER)
    page.wait_for("question", questions[0].words)
    assert server.sitting.given(3) == {}
    page.press("r", "r", "f", "1", "7", Keys.ARROW_LEFT, opinion)
    page.wait_for("question", questions[2].words)
    assert server.sitting.given(3) == {"real or fake": 1, "artefacts": int(opinion)}
    page.press(Keys.ARROW_UP, Keys.ARROW_UP, Keys.ARROW_UP, "r" if opinion == "5" else "f")
    page.press(opinion, opinion)
    page.wait_for("question", questions[4].words)


def check_store(study: Path) -> None:
    """Every question of every place has the answer that was meant."""
    sitting = Sitting(study, "Ann")
    with closing(sqlite3.connect(study / STORE)) as file:
        rows = file.execute("SELECT place, question, value FROM answers WHERE rater = 'Ann'")
        kept = {(place, question): value for place, question, value in rows}
    meant = {}
    for place, exhibit in enumerate(sitting.exhibits):
        opinion = OPINION[exhibit.clip.family]
        for question in sitting.questions(place):
            meant[place, question.name] = opinion if question.scale else int(opinion == 5)
    assert kept == meant


def check_results(study: Path, said: str) -> None:
    """The figures that follow by hand from what the rater thinks."""
    results = json.loads((study / "ratings_results.json").read_text(encoding="utf-8"))
    for one in results["opinions"]:
        opinion = OPINION[one["family"]]
        real = one["question"] == "real or fake"
        assert one["mean"]["value"] == (float(opinion == 5) if real else opinion)
    assert len(results["opinions"]) == 3 * 8
    rhos = {(one["metric"], one["question"]): one["rho"] for one in results["follows"]}
    assert rhos["psnr", "likeness"]["value"] == pytest.approx(2 / 5**0.5)
    assert results["left_out"] == []
    assert "48 answers of 1 person count." in said
    assert re.search(r"likeness +autoencoder +2\.00", said)
    assert re.search(r"psnr +0\.89 +\S+ +4 clips", said)


def test_the_page_says_when_an_answer_is_not_kept(study: Path, browser: Chrome) -> None:
    page = Page(browser)
    with served(study) as server:
        browser.get(server.url)
        page.press(Keys.ENTER)
        page.wait_for("count", "Clip 1 of 7")
        asked = server.sitting.questions(0)[0].words
    page.press("f")
    WebDriverWait(browser, 60).until(lambda _: page.text("trouble").startswith("That was not kept"))
    assert page.text("question") == asked
    assert Sitting(study, "Ann").given(0) == {}
    page.trouble()
