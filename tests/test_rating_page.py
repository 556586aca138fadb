"""The rating page's server: for this machine and this address only, films in parts, no names."""

import http.client
import json
import os
import re
import signal
import socket
import threading
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from samples import Refuse

from changeling.cli import main
from changeling.studio import RatingServer
from changeling.studio.ranges import span_of
from changeling.study import Sitting

SECRETS = re.compile(
    rb"autoencoder|vae|secret|truth|swap-|cells/|films/|actors 7|psnr", re.IGNORECASE
)
"""What would tell a rater what a clip is."""


@pytest.fixture
def server(study: Path) -> Iterator[RatingServer]:
    with RatingServer(Sitting(study, "ann")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: RatingServer, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a path behind the token."""
    root = server.url.split("/", 3)[3]
    sent = None if body is None else json.dumps(body)
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port)) as line:
        line.request("POST" if sent else "GET", f"/{root}{path}", sent, headers)
        answer = line.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()


def raw(server: RatingServer, path: str, host: str) -> int:
    with closing(http.client.HTTPConnection("127.0.0.1", server.server_port)) as line:
        line.putrequest("GET", path, skip_host=True)
        line.putheader("Host", host)
        line.endheaders()
        return line.getresponse().status


def test_only_this_machine_reaches_it(server: RatingServer) -> None:
    assert server.server_address[0] == "127.0.0.1"
    assert server.socket.getsockname()[0] == "127.0.0.1"
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.server_port), timeout=1)


def test_without_token_or_under_another_name_it_is_forbidden(server: RatingServer) -> None:
    path = "/" + server.url.split("/", 3)[3]
    own = f"127.0.0.1:{server.server_port}"
    assert raw(server, path, own) == 200
    assert raw(server, path, f"localhost:{server.server_port}") == 200
    for wrong in ("/", "/x/", path[:-2] + "/", path.upper() if path.islower() else path.lower()):
        assert raw(server, wrong, own) == 403
    for host in (
        "evil.example",
        f"evil.example:{server.server_port}",
        "",
        "127.0.0.1",
        "127.0.0.1:1",
    ):
        assert raw(server, path, host) == 403
    assert ask(server, "", Origin="http://evil.example")[0] == 403
    assert ask(server, "", Origin=f"http://{own}")[0] == 200


def test_tokens_differ(study: Path) -> None:
    sitting = Sitting(study, "ann")
    with RatingServer(sitting) as one, RatingServer(sitting) as other:
        assert one.url.split("/")[3] != other.url.split("/")[3]
        assert len(one.url.split("/")[3]) >= 22


def test_the_page_needs_nothing_from_elsewhere_and_may_load_nothing(server: RatingServer) -> None:
    status, headers, page = ask(server, "")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert b"http:" not in page
    assert b"https:" not in page
    assert b"Nothing leaves this computer" in page
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "*" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_nothing_names_a_clip(server: RatingServer) -> None:
    total = len(server.sitting.exhibits)
    for place in range(total):
        status, headers, standing = ask(server, "standing")
        told = json.loads(standing)
        assert (status, told["place"], told["total"]) == (200, place, total)
        assert set(told) == {"place", "total", "questions", "given", "references"}
        assert not SECRETS.search(standing)
        for part in ("clip", "performance", "target"):
            status, headers, film = ask(server, f"clips/{place}/{part}")
            assert status == 200
            assert film[4:8] == b"ftyp" if part != "target" else film[1:4] == b"PNG"
            assert not SECRETS.search(json.dumps(headers).encode())
        for question in told["questions"]:
            assert ask(server, "answer", [place, question["name"], question["lowest"]])[0] == 200
    assert json.loads(ask(server, "standing")[2]) == {"place": total, "total": total}


def test_ranges_give_the_same_bytes(server: RatingServer) -> None:
    whole = server.sitting.exhibits[0].film.read_bytes()
    size = len(whole)
    for header, part in {
        "bytes=0-": whole, "bytes=0-0": whole[:1], "bytes=100-199": whole[100:200],
        f"bytes=5-{size + 9}": whole[5:], "bytes=-7": whole[-7:], f"bytes=-{size + 9}": whole,
    }.items():  # fmt: skip
        status, headers, got = ask(server, "clips/0/clip", Range=header)
        assert (status, got) == (206, part)
        first = whole.index(part) if len(part) > 7 else {1: 0, 7: size - 7}[len(part)]
        assert headers["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{size}"
    for header in ("", "bytes=", "bytes=9-3", "bytes=0-1,4-5", "lines=1-2"):
        status, headers, got = ask(server, "clips/0/clip", Range=header)
        assert (status, got, headers["Accept-Ranges"]) == (200, whole, "bytes")
    status, headers, got = ask(server, "clips/0/clip", Range=f"bytes={size}-")
    assert (status, got, headers["Content-Range"]) == (416, b"", f"bytes */{size}")


def test_nothing_of_an_empty_file_can_be_asked_for() -> None:
    assert span_of("bytes=0-", 0) is None
    assert span_of("bytes=-5", 0) is None


def test_wrong_requests_change_nothing(server: RatingServer) -> None:
    for body in ([0, "pose", 9], [99, "pose", 3], [0, "taste", 3], [0, "pose", "3"], [0, "pose"],
                 [True, "pose", 3], {"place": 0}, 7, "x" * 2000):  # fmt: skip
        assert ask(server, "answer", body)[0] == 400
    for path in ("clips/99/clip", "clips/0/truth", "clips/-1/clip", "clips/0/../0/clip", "etc"):
        assert ask(server, path)[0] == 404
    assert ask(server, "elsewhere", [0, "pose", 3])[0] == 404
    assert server.sitting.given(0) == {}


def test_a_file_of_answers_that_went_bad_is_told(server: RatingServer, study: Path) -> None:
    (study / "ratings.sqlite").write_bytes(b"spoilt" * 999)
    status, _, words = ask(server, "answer", [0, "pose", 3])
    assert status == 500
    assert b"ratings.sqlite cannot be used to keep answers" in words


def test_a_study_that_cannot_be_rated(study: Path, tmp_path: Path, refuse: Refuse) -> None:
    for more in ([], ["--results"]):
        assert "holds no results of a study" in refuse("rate", tmp_path / "none", *more)
    assert "has no ratings yet: `changeling rate" in refuse("rate", study, "--results")
    assert "--rater '' is no name" in refuse("rate", study, "--rater", "")
    assert "--port: '0' is no count" in refuse("rate", study, "--port", "0")
    film = study / "cells" / "vae-secret" / "swap-ba.mp4"
    film.write_bytes(b"no film")
    assert str(film) in refuse("rate", study)
    film.unlink()
    assert f"{film}: the study shows this swap of clip 'ba', but it is missing" in refuse(
        "rate", study
    )
    result = study / "cells" / "vae-secret" / "result.json"
    result.write_text('{"cell": 3}')
    assert "result.json, cell is 3 but must be of type str" in refuse("rate", study)
    result.write_text("{")
    assert "result.json cannot be read" in refuse("rate", study)


def test_a_study_without_films(study: Path, refuse: Refuse) -> None:
    for path in study.glob("cells/*/result.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "shown": []}))
    assert "shows no swaps: only a study whose cells show films is rated" in refuse("rate", study)


def test_a_port_in_use(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        assert main(["rate", str(study), "--port", str(port), "--no-open"]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"--port {port} cannot be used (")
    assert said.count("\n") == 1
    assert main(["rate", str(study), "--port", "70000", "--no-open"]) == 2


def test_ctrl_c_ends_with_how_to_see_the_results(
    study: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []

    def visit(url: str) -> None:
        opened.append(url)
        with urllib.request.urlopen(url) as answer:
            opened.append(answer.read().decode())
        os.kill(os.getpid(), signal.SIGINT)

    def browse(url: str) -> None:
        threading.Thread(target=visit, args=(url,)).start()

    monkeypatch.setattr(webbrowser, "open", browse)
    assert main(["rate", str(study)]) == 0
    first, *rest = capsys.readouterr().out.split("\n")
    assert first == f"Rate at {opened[0]} (this machine only; Ctrl-C ends)"
    assert "<title>Rating clips</title>" in opened[1]
    assert rest == [
        "",
        f"0 of 7 clips are rated; `changeling rate {study} --results` shows what people thought.",
        "",
    ]
