"""YuNet's boxes beside the cascades', and its download: from a folder, never from the network."""

from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray

import changeling.faces.yunet
from changeling.errors import UserError
from changeling.faces.alignment import TEMPLATE, apply
from changeling.faces.landmarks import guess
from changeling.faces.yunet import NAME, SHA256, URL, YuNet, cache_folder, fetch

DATA = b"a network"
DIGEST = sha256(DATA).hexdigest()


class Net:
    """Answers with the faces it is given, in the pixels of the picture it was shown."""

    def __init__(self, *faces: NDArray[np.float64]) -> None:
        self.faces = faces
        self.sizes: list[tuple[int, int]] = []

    def setInputSize(self, input_size: tuple[int, int]) -> None:
        self.sizes.append(input_size)

    def detect(self, image: NDArray[np.uint8]) -> tuple[int, NDArray[np.float32] | None]:
        assert image.shape == (*self.sizes[-1][::-1], 3)
        rows = [np.r_[0, 0, 1, 1, points.ravel(), 0.9] for points in self.faces]
        return 1, np.array(rows, np.float32) if rows else None


def five(scale: float, angle: float, x: float, y: float) -> NDArray[np.float64]:
    """The template's points, turned, in pixels."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return (TEMPLATE - 0.5) @ turn.T * scale + (x, y)


def test_a_box_leads_where_the_points_are() -> None:
    points = five(100, 0, 200, 120)
    (box,) = YuNet(Net(points)).boxes(np.zeros((240, 400), np.uint8))
    assert np.allclose(apply(guess(box), points), TEMPLATE, atol=1e-5)
    assert box[2] == box[3]


def test_a_turned_head_has_the_box_of_an_upright_one_around_its_own_middle() -> None:
    grey = np.zeros((400, 400), np.uint8)
    boxes = [YuNet(Net(five(100, angle, 200, 200))).boxes(grey)[0] for angle in (0, 0.5, -0.5)]
    assert np.allclose([box[2] for box in boxes], boxes[0][2], rtol=1e-5)
    middles = [box[0] + box[2] / 2 for box in boxes]
    assert middles[1] - 200 == pytest.approx(200 - middles[2], abs=1e-3)


def test_faces_come_in_the_pixels_of_the_picture_largest_first() -> None:
    net = Net(five(50, 0, 100, 100), five(90, 0, 500, 200))
    boxes = YuNet(net).boxes(np.zeros((720, 1280), np.uint8))
    assert net.sizes == [(640, 360)]
    assert np.allclose(apply(guess(boxes[0]), 2 * five(90, 0, 500, 200)), TEMPLATE, atol=1e-5)
    assert np.allclose(apply(guess(boxes[1]), 2 * five(50, 0, 100, 100)), TEMPLATE, atol=1e-5)
    assert YuNet(Net()).boxes(np.zeros((720, 1280), np.uint8)) == ()


def test_a_face_that_is_found_twice_is_one() -> None:
    net = Net(five(90, 0, 200, 200), five(80, 0.1, 205, 200))
    assert len(YuNet(net).boxes(np.zeros((400, 400), np.uint8))) == 1


def test_a_download_is_kept_and_not_repeated(tmp_path: Path) -> None:
    there, here = tmp_path / "there", tmp_path / "cache" / "net.onnx"
    there.write_bytes(DATA)
    assert fetch(there.as_uri(), DIGEST, here) == here
    assert here.read_bytes() == DATA
    there.unlink()
    assert fetch(there.as_uri(), DIGEST, here) == here
    here.write_bytes(b"broken")
    with pytest.raises(UserError, match="cannot be downloaded"):
        fetch(there.as_uri(), DIGEST, here)
    there.write_bytes(DATA)
    fetch(there.as_uri(), DIGEST, here)
    assert here.read_bytes() == DATA
    assert [path.name for path in here.parent.iterdir()] == ["net.onnx"]


def test_another_file_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"something else")
    with pytest.raises(UserError, match=f"SHA-256 is {DIGEST}") as caught:
        fetch(there.as_uri(), DIGEST, tmp_path / "cache" / "net.onnx")
    assert str(caught.value).count("\n") == 0
    assert not (tmp_path / "cache").exists()


class Broken(BaseHTTPRequestHandler):
    """Promises more than it sends, or has nothing."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/half" else 404)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(DATA)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("name", ["half", "nothing"])
def test_a_broken_answer_is_a_sentence(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = Thread(target=server.handle_request)
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        with pytest.raises(UserError, match=r"cannot be downloaded .*; go online, put the file"):
            fetch(url, DIGEST, tmp_path / "net.onnx")
        thread.join()
    assert list(tmp_path.iterdir()) == []


def test_the_cache_is_the_users_and_the_network_is_named_by_its_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[object, ...]] = []

    class Asked(Exception):
        pass

    def ask(*given: object) -> Path:
        asked.append(given)
        raise Asked

    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(changeling.faces.yunet, "fetch", ask)
    with pytest.raises(Asked):
        YuNet.load()
    assert asked == [(URL, SHA256, tmp_path / "changeling" / NAME)]
    assert cache_folder() == tmp_path / "changeling"
    assert len(bytes.fromhex(SHA256)) == 32
    assert URL.startswith("https://") and URL.endswith(NAME)
