"""Where answers are kept: an SQLite file beside the study, one transaction an answer."""

import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from pathlib import Path

from changeling.errors import UserError
from changeling.study.rating_clips import Clip
from changeling.study.rating_order import order_for
from changeling.study.rating_questions import Question

STORE = "ratings.sqlite"
"""Its name in the study's folder."""
APPLICATION = 0x63_68_67_72
"""Marks the file as one of ratings (SQLite's application_id): "chgr"."""

_TABLES = (
    "clips (digest TEXT PRIMARY KEY, family TEXT, cell TEXT, data TEXT, name TEXT)",
    "raters (name TEXT PRIMARY KEY, alias TEXT NOT NULL UNIQUE)",
    "places (rater TEXT REFERENCES raters(name), place INTEGER,"
    " digest TEXT REFERENCES clips(digest), PRIMARY KEY (rater, place))",
    "answers (rater TEXT, place INTEGER, question TEXT, value INTEGER,"
    " PRIMARY KEY (rater, place, question),"
    " FOREIGN KEY (rater, place) REFERENCES places(rater, place))",
)


@dataclass(frozen=True)
class Answer:
    """One answer as it was given."""

    rater: str
    """Alias of the person."""
    place: int
    """0 is the first clip that the person saw."""
    digest: str
    """SHA-256 of the clip."""
    question: str
    value: int


class Ratings:
    """The file of answers about these clips, opened anew for every call, from any thread."""

    def __init__(self, path: Path, clips: Sequence[Clip]) -> None:
        """Open the file, or begin it.

        Raises UserError when it is damaged, foreign, or of other clips.
        """
        self.path = path
        with self._open() as file:
            (mark,) = file.execute("PRAGMA application_id").fetchone()
            (tables,) = file.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if mark != APPLICATION and (mark or tables):
            raise UserError(f"{path} is no file of ratings: move it away, a new one is begun then.")
        known = sorted(astuple(clip) for clip in clips)
        if not tables:
            self._begin(known)
        with self._transaction() as file:
            if sorted(file.execute("SELECT * FROM clips")) != known:
                raise UserError(
                    f"{path} holds answers about other films than those of the study now, which "
                    "was run again since: move the file away to begin anew."
                )

    def _begin(self, clips: Sequence[tuple[str, ...]]) -> None:
        """An empty file; harmless when somebody else has just begun it."""
        with self._open() as file:
            file.execute("PRAGMA journal_mode = WAL")
        with self._transaction() as file:
            for table in _TABLES:
                file.execute(f"CREATE TABLE IF NOT EXISTS {table}")
            file.executemany("INSERT OR IGNORE INTO clips VALUES (?, ?, ?, ?, ?)", clips)
            file.execute(f"PRAGMA application_id = {APPLICATION}")

    def join(self, rater: str) -> tuple[str, ...]:
        """The clips' digests in the order in which this person sees them, the same every time."""
        with self._transaction() as file:
            if not file.execute("SELECT 1 FROM raters WHERE name = ?", (rater,)).fetchone():
                clips = [row[0] for row in file.execute("SELECT digest FROM clips ORDER BY 1")]
                file.execute("INSERT INTO raters VALUES (?, ?)", (rater, secrets.token_hex(3)))
                places = enumerate(order_for(rater, clips))
                file.executemany(
                    "INSERT INTO places VALUES (?, ?, ?)", [(rater, *one) for one in places]
                )
            rows = file.execute(
                "SELECT digest FROM places WHERE rater = ? ORDER BY place", (rater,)
            )
            return tuple(row[0] for row in rows)

    def keep(self, rater: str, place: int, question: Question, value: int) -> None:
        """Keep an answer before anything else happens; a second one replaces the first."""
        with self._transaction() as file:
            file.execute(
                "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)",
                (rater, place, question.name, value),
            )

    def given(self, rater: str) -> dict[int, dict[str, int]]:
        """What a person answered: for each place, values by the questions' names."""
        with self._transaction() as file:
            rows = file.execute(
                "SELECT place, question, value FROM answers WHERE rater = ?", (rater,)
            )
            answers: dict[int, dict[str, int]] = {}
            for place, question, value in rows:
                answers.setdefault(place, {})[question] = value
        return answers

    def answers(self) -> tuple[Answer, ...]:
        """All answers, by the raters' aliases and places."""
        with self._transaction() as file:
            rows = file.execute(
                "SELECT alias, place, digest, question, value FROM answers"
                " JOIN places USING (rater, place) JOIN raters ON raters.name = rater"
                " ORDER BY alias, place, question"
            )
            return tuple(Answer(*row) for row in rows)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, and on the disk when it ends."""
        with self._open() as file, file:
            file.execute("BEGIN IMMEDIATE")
            yield file

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one call; what SQLite refuses becomes one sentence."""
        try:
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as file:
                file.execute("PRAGMA synchronous = FULL")
                file.execute("PRAGMA foreign_keys = ON")
                yield file
        except sqlite3.Error as error:
            raise UserError(
                f"{self.path} cannot be used to keep answers ({error}): mend its folder, or move "
                "the file away to begin anew."
            ) from error
