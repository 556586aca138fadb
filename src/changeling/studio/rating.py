"""The page on which people rate clips, served to the browser of this machine alone."""

import json
import re
import secrets
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urlsplit

from changeling.errors import UserError
from changeling.media import is_image
from changeling.studio.ranges import span_of
from changeling.study import Sitting
from changeling.training import to_json

HOME = "127.0.0.1"
"""No other machine reaches it."""
_LONGEST = 100_000
"""Bytes of an answer that are read; it has about fifty."""
_CHUNK = 1 << 18
_SEEKS = ("Accept-Ranges", "bytes")
_CLOSED = (
    ("Connection", "close"),
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
"""Nothing is kept by the browser or told to others, and no thread waits for another request."""
_FILM = re.compile(r"clips/(\d{1,6})/(clip|performance|target)")


class RatingServer(ThreadingHTTPServer):
    """Serves one person's sitting under `url` until it is shut down.

    The address holds a random token; requests without it, and those that were meant for another
    host (DNS rebinding), are refused. Raises UserError when the port is taken; 0 takes a free one.
    """

    def __init__(self, sitting: Sitting, *, port: int = 0) -> None:
        self.sitting = sitting
        page = files("changeling.studio").joinpath("rating.html").read_text(encoding="utf-8")
        self.page, self.policy = page.encode(), _policy(page)
        self._token = secrets.token_urlsafe(16)
        try:
            super().__init__((HOME, port), _Handler)
        except (OSError, OverflowError) as error:
            raise UserError(
                f"--port {port} cannot be used ({error}): choose another, or none for a free one."
            ) from error

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOME}:{self.server_port}/{self._token}/"

    def admits(self, host: str, origin: str | None) -> bool:
        """Whether a request was meant for this server and comes from its own page, if from any."""
        own = {f"{name}:{self.server_port}" for name in (HOME, "localhost")}
        return host in own and origin in {None, *(f"http://{name}" for name in own)}

    def inner_path(self, path: str) -> str | None:
        """What stands behind the token in a path; None without the token."""
        token, _, rest = path.removeprefix("/").partition("/")
        same = secrets.compare_digest(token.encode(), self._token.encode())
        return rest if same else None

    def standing(self) -> dict[str, object]:
        """Where the sitting stands, as the page is told; nothing in it names a clip."""
        place, total = self.sitting.next_place(), len(self.sitting.exhibits)
        if place == total:
            return {"place": place, "total": total}
        references = self.sitting.exhibits[place].references.items()
        return {
            "place": place,
            "total": total,
            "questions": [to_json(question) for question in self.sitting.questions(place)],
            "given": self.sitting.given(place),
            "references": {kind: "img" if is_image(path) else "video" for kind, path in references},
        }


def _policy(page: str) -> str:
    """Content-Security-Policy: the page's own style and script, this server's films, no more."""
    own = {
        tag: "'sha256-" + b64encode(sha256(text.encode()).digest()).decode() + "'"
        for tag, text in re.findall(r"<(style|script)>(.*?)</\1>", page, re.DOTALL)
    }
    return (
        f"default-src 'none'; style-src {own['style']}; script-src {own['script']}; "
        "connect-src 'self'; media-src 'self'; img-src 'self' data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


class _Refused(Exception):
    """The request is answered by this status alone."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """One request; nothing is logged, and nothing in an answer names a clip."""

    server: RatingServer
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "changeling", ""
    timeout = 60

    def handle(self) -> None:
        """A browser that goes away or stops a film half way is no error."""
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def do_GET(self) -> None:
        """The page, where the sitting stands, or a film."""
        self._answered(self._get)

    def do_POST(self) -> None:
        """An answer."""
        self._answered(self._post)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _answered(self, answer: Callable[[str], None]) -> None:
        """Admit the request and answer it, or say why not."""
        try:
            if not self.server.admits(self.headers.get("Host", ""), self.headers.get("Origin")):
                raise _Refused(HTTPStatus.FORBIDDEN)
            path = self.server.inner_path(urlsplit(self.path).path)
            if path is None:
                raise _Refused(HTTPStatus.FORBIDDEN)
            answer(path)
        except _Refused as refused:
            self._send(refused.status, refused.status.phrase.encode(), "text/plain")
        except UserError as error:
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, str(error).encode(), "text/plain")

    def _get(self, path: str) -> None:
        if path == "":
            self._send(HTTPStatus.OK, self.server.page, "text/html")
        elif path == "standing":
            standing = json.dumps(self.server.standing()).encode()
            self._send(HTTPStatus.OK, standing, "application/json")
        elif match := _FILM.fullmatch(path):
            self._send_film(self._film(int(match[1]), match[2]))
        else:
            raise _Refused(HTTPStatus.NOT_FOUND)

    def _post(self, path: str) -> None:
        sent = self._body()
        if path != "answer":
            raise _Refused(HTTPStatus.NOT_FOUND)
        try:
            place, question, value = json.loads(sent)
            if type(place) is not int or type(question) is not str or type(value) is not int:
                raise ValueError(place, question, value)
            self.server.sitting.keep(place, question, value)
        except (ValueError, TypeError) as error:
            raise _Refused(HTTPStatus.BAD_REQUEST) from error
        self._send(HTTPStatus.OK, b"kept", "text/plain")

    def _body(self) -> bytes:
        """What was sent, read before it is judged: a browser gets no answer to what is not read."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST:
            raise _Refused(HTTPStatus.BAD_REQUEST)
        return self.rfile.read(int(length))

    def _film(self, place: int, kind: str) -> Path:
        exhibits = self.server.sitting.exhibits
        if place < len(exhibits) and kind == "clip":
            return exhibits[place].film
        if place < len(exhibits) and kind in exhibits[place].references:
            return exhibits[place].references[kind]
        raise _Refused(HTTPStatus.NOT_FOUND)

    def _send(self, status: HTTPStatus, body: bytes, kind: str) -> None:
        self._head(status, f"{kind}; charset=utf-8", len(body))
        self.wfile.write(body)

    def _send_film(self, path: Path) -> None:
        """The whole film or the bytes asked for, without which a browser cannot seek."""
        size = path.stat().st_size
        span = span_of(self.headers.get("Range", ""), size)
        if span is None:
            status = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE
            self._head(status, "text/plain", 0, ("Content-Range", f"bytes */{size}"))
            return
        kind = guess_type(path.name)[0] or "application/octet-stream"
        if span.part:
            where = f"bytes {span.first}-{span.first + span.count - 1}/{size}"
            self._head(
                HTTPStatus.PARTIAL_CONTENT, kind, span.count, ("Content-Range", where), _SEEKS
            )
        else:
            self._head(HTTPStatus.OK, kind, size, _SEEKS)
        with path.open("rb") as film:
            film.seek(span.first)
            left = span.count
            while left and (chunk := film.read(min(left, _CHUNK))):
                self.wfile.write(chunk)
                left -= len(chunk)

    def _head(self, status: HTTPStatus, kind: str, length: int, *more: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (
            ("Content-Type", kind),
            ("Content-Length", str(length)),
            ("Content-Security-Policy", self.server.policy),
            *_CLOSED,
            *more,
        ):
            self.send_header(name, value)
        self.end_headers()
