"""The page of a study: which figure is marked, what is escaped, and that nothing is asked for."""

import re
from base64 import b64decode
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from changeling.errors import UserError
from changeling.measuring import Estimate
from changeling.media import Frame, FrameWriter
from changeling.provenance import Credential, Source, State, publish, verify
from changeling.study.page import (
    Column,
    Comparison,
    Curve,
    Curves,
    Film,
    Films,
    Headline,
    Page,
    Picture,
    Pictures,
    Row,
    Scores,
    Section,
    TableRow,
)
from changeling.study.page_chart import lay_out
from changeling.study.page_html import chart_svg, write_page
from changeling.study.page_markdown import write_markdown
from changeling.study.page_table import figures, rule

VOID = {"meta", "img", "hr", "input", "br"}
TILE = np.zeros((8, 12, 3), np.uint8)
CREDENTIAL = Credential("tile", Source.RENDERED)
EVIL = "<script>alert('1')</script> & \"o|t\"_h_"


def around(value: float, reach: float, clips: int = 6) -> Estimate:
    return Estimate(value, value - reach, value + reach, clips)


def table(cells: list[Estimate | None], better: str = "more") -> Scores:
    column = Column("PSNR", "dB", better, 1)  # type: ignore[arg-type]
    return Scores("", "", (column,), tuple(TableRow(str(i), (one,)) for i, one in enumerate(cells)))


def marked(scores: Scores) -> list[int]:
    return [index for index, row in enumerate(figures(scores)) for cell in row if cell.best]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "swap.mp4"
    with (
        publish(path, replace(CREDENTIAL, title="swap.mp4")) as beside,
        FrameWriter(beside, size=(64, 48), rate=Fraction(25)) as writer,
    ):
        for index in range(5):
            level = np.full((48, 64, 3), 40 * index, np.uint8)
            writer.write(Frame(level, index, Fraction(index, 25)))
    return path


@pytest.fixture(scope="module")
def page(film: Path) -> Page:
    tile = Picture.sign(TILE, CREDENTIAL, EVIL)
    scores = Scores(
        EVIL, "",
        (Column("PSNR", "dB", "more", 1, group="crop"), Column("steps", digits=0, group="cost")),
        (
            TableRow("good", (around(23.44, 0.5), around(900, 0, 1)), command="changeling a"),
            TableRow("bad", (around(20, 1), None), "one seed diverged", "changeling b 'x y'"),
            TableRow("broken", note="diverged at step 7", command="changeling c"),
        ),
    )  # fmt: skip
    curve = Curve(EVIL, ((0.0, 1.0), (1.0, 3.0), (2.0, float("nan"))))
    parts = (
        scores,
        Curves("chart", "", "minutes", "dB", (curve, Curve("b", (), dashed=True)), "changeling a"),
        Pictures("grid", "", ("x", EVIL), (Row("1 s", tile), Row("2 s", tile))),
        Comparison("two", "", Row("swap", tile), Row("truth", tile)),
        Films("films", "", (Film("swap", film), Film("again", film))),
    )
    return Page(
        EVIL, (EVIL, "Second."), (Headline("23 dB", EVIL, "changeling a"),),
        (Section(EVIL, EVIL, parts),), ("changeling all", "changeling a"), (("seed", EVIL),),
    )  # fmt: skip


@pytest.fixture(scope="module")
def text(page: Page, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "page.html"
    write_page(path, page)
    return path.read_text("utf-8")


class Reader(HTMLParser):
    """Keeps the tags that are open, what is linked, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.seen if (value := attributes.get(name))]


@pytest.mark.parametrize(
    ("cells", "better", "best"),
    [
        ([around(23, 1), around(20, 1)], "more", [0]),
        ([around(23, 1), around(20, 1)], "less", [1]),
        ([around(23, 1), around(20, 1)], "", []),
        ([around(23, 2), around(20, 1)], "more", []),  # they touch at 21
        ([around(23, 1), around(20, 1), around(19, 4)], "more", []),  # the third reaches 23
        ([around(23, 1), None, around(20, 1)], "more", [0]),
        ([around(23, 1), around(float("nan"), 1), around(20, 1)], "more", [0]),
        ([around(23, 1), None], "more", []),  # nobody to be better than
        ([around(23, 0, 1), around(20, 0, 1)], "more", []),  # one clip: no interval
        ([around(23, 1), around(20, 0, 1)], "more", [0]),  # a published figure far below
        ([around(20, 1), around(23, 0, 1)], "more", []),  # a published figure above
        ([around(23, 0), around(23, 0)], "more", []),
    ],
)
def test_the_best_is_marked_where_its_interval_allows(
    cells: list[Estimate | None], better: str, best: list[int]
) -> None:
    assert marked(table(cells, better)) == best


def test_figures_are_written_with_their_interval() -> None:
    ((cell,), (alone,), (none,)) = figures(table([around(23.44, 0.55), around(20, 0, 1), None]))
    assert [cell.text, alone.text, none.text] == ["23.4 (22.9 … 24.0)", "20.0", "–"]


def test_the_page_is_balanced_and_asks_for_nothing(text: str) -> None:
    reader = Reader(text)
    assert reader.open == []
    assert all(one.startswith("data:") for one in [*reader.values("src"), *reader.values("poster")])
    assert all(one.startswith("#") for one in reader.values("href"))
    identifiers = reader.values("id")
    assert len(set(identifiers)) == len(identifiers)
    assert {one[1:] for one in reader.values("href")} <= set(identifiers)
    assert re.findall(r"https?:|@import|url\(", re.sub(r"base64,[^\"]+", "", text)) == []


def test_words_are_escaped(text: str) -> None:
    assert text.count("<script>") == 1, "our own"
    reader = Reader(text)
    assert EVIL in reader.words
    assert EVIL in reader.values("alt")


def test_a_number_leads_to_its_command(text: str) -> None:
    items = re.findall(r'<li id="(c\d)"><code>([^<]*)</code>', text)
    assert items == [
        ("c1", "changeling all"), ("c2", "changeling a"), ("c3", "changeling b &#39;x y&#39;"),
        ("c4", "changeling c"),
    ]  # fmt: skip
    assert '<a href="#c2" tabindex="-1">23.4</a>' in text
    assert '<a href="#c3" tabindex="-1">20.0</a>' in text


def test_a_row_that_diverged_says_so(text: str) -> None:
    assert '<td class="note" colspan="2">diverged at step 7</td>' in text
    assert "one seed diverged" in text


def test_the_rule_is_said_where_there_are_intervals() -> None:
    assert "touches that of no other row" in rule(table([around(23, 1)]))
    assert rule(table([around(23, 0, 1), None])) == ""
    clip_by_clip = replace(table([around(23, 1)]), best=(None,))
    assert "clip by clip" in rule(clip_by_clip) and "touches" not in rule(clip_by_clip)
    neither = tuple(replace(one, better="") for one in table([around(23, 1)]).columns)
    assert "Bold" not in rule(replace(table([around(23, 1)]), columns=neither))


def test_pictures_and_films_go_in_as_they_are_signed(
    text: str, page: Page, film: Path, tmp_path: Path
) -> None:
    films = re.findall(r'src="data:video/mp4;base64,([^"]+)"', text)
    assert [b64decode(one) for one in films] == [film.read_bytes()] * 2
    pictures = re.findall(r'="data:image/png;base64,([^"]+)"', text)
    assert len(pictures) == 2 + 2 + 2
    for index, data in enumerate(pictures):
        (tmp_path / f"{index}.png").write_bytes(b64decode(data))
        assert verify(tmp_path / f"{index}.png").state is State.TRUSTED


def test_the_same_page_gives_the_same_bytes(page: Page, tmp_path: Path) -> None:
    (section,) = page.sections
    still = replace(page, sections=(replace(section, parts=section.parts[:-1]),))
    for name in ("a.html", "b.html"):
        write_page(tmp_path / name, still)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


def test_a_missing_film_is_named_and_nothing_is_left(page: Page, tmp_path: Path) -> None:
    films = Films("", "", (Film("swap", tmp_path / "gone.mp4"),))
    broken = replace(page, sections=(Section("", "", (films,)),))
    with pytest.raises(UserError, match=r"gone\.mp4 cannot be shown"):
        write_page(tmp_path / "page.html", broken)
    with pytest.raises(UserError, match=r"gone\.mp4 cannot be shown"):
        write_markdown(tmp_path / "page.md", broken, tmp_path / "images")
    assert list(tmp_path.iterdir()) == []


def test_markdown_has_the_figures_of_the_page(page: Page, text: str, tmp_path: Path) -> None:
    write_markdown(tmp_path / "docs" / "page.md", page, tmp_path / "docs" / "images")
    document = (tmp_path / "docs" / "page.md").read_text("utf-8")
    shown = [
        re.sub(r"<small>(.*?)</small>", r" (\1)", cell)
        for cell in re.findall(r'<td class="(?!note)[^"]*">(.*?)</td>', text, re.DOTALL)
    ]
    told = [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in shown]
    rows = re.findall(r"^\| (?:good|bad) .*\|$", document, re.MULTILINE)
    cells = [cell.strip(" *") for row in rows for cell in row.strip("|").split(" | ")[1:]]
    assert cells == told == ["23.4 (22.9 … 23.9)", "900", "20.0 (19.0 … 21.0)", "–"]
    assert "**23.4 (22.9 … 23.9)**" in document
    assert "<script>" not in document
    assert all(row.count(" | ") == 2 for row in rows)


def test_markdown_brings_its_pictures(page: Page, tmp_path: Path) -> None:
    path, images = tmp_path / "page.md", tmp_path / "images"
    for name in ("99.png", "kept.png"):
        images.mkdir(exist_ok=True)
        (images / name).write_bytes(b"")
    write_markdown(path, page, images)
    names = re.findall(r"\]\(images/([^)]+)\)", path.read_text("utf-8"))
    assert names == ["01.svg", *(f"{index:02}.png" for index in range(2, 9))]
    assert {one.name for one in images.iterdir()} == {*names, "kept.png"}
    for name in names[1:]:
        assert verify(images / name).state is State.TRUSTED
    with pytest.raises(UserError, match="exists already"):
        write_markdown(path, page, images)
    assert {one.name for one in images.iterdir()} == {*names, "kept.png"}


def test_a_chart_puts_points_where_they_belong() -> None:
    points = tuple((float(x), 10.0 * x) for x in range(5))
    chart = lay_out(Curves("", "", "x", "y", (Curve("line", points),)))
    places = [tuple(map(float, one.split(","))) for one in chart.lines[0].points.split()]
    assert places[0] == (chart.left, chart.bottom)
    assert places[-1] == (chart.right, chart.top)
    assert places[2] == pytest.approx(
        ((chart.left + chart.right) / 2, (chart.top + chart.bottom) / 2), abs=0.05
    )
    assert [tick.text for tick in chart.ys] == ["0", "10", "20", "30", "40"]
    assert [tick.at for tick in chart.ys] == pytest.approx([y for _, y in places], abs=0.05)
    assert chart.lines[0].last == "40"


@pytest.mark.parametrize(
    "points",
    [(), ((1.0, 2.0),), ((1.0, float("inf")), (2.0, 1e-9)), ((0.0, 5.0), (1e6, 5.0))],
)
def test_a_chart_of_little_is_still_a_chart(points: tuple[tuple[float, float], ...]) -> None:
    curves = Curves("", "", "x", EVIL, (Curve(EVIL, points), Curve("b", ((0.5, -1.0),))))
    root = ElementTree.fromstring(chart_svg(curves, alone=True))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert re.findall(r"\b(?:nan|inf)\b", chart_svg(curves, alone=False)) == []
    assert len(root.findall(".//*[@class='line c0']")) == 1


def test_what_rounds_to_nothing_has_no_sign() -> None:
    columns = (Column("share", digits=2),)
    scores = Scores("t", "", columns, (TableRow("a", (Estimate(-0.001, -0.004, 0.002, 3),)),))
    assert figures(scores)[0][0].text == "0.00 (0.00 … 0.00)"
