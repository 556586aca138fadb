"""Which bytes of a file a browser asks for."""

import re
from dataclasses import dataclass

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass(frozen=True)
class Span:
    """Some or all bytes of a file."""

    first: int
    count: int
    part: bool
    """Whether only some were asked for."""


def span_of(header: str, size: int) -> Span | None:
    """What the header `Range` asks of a file of `size` bytes; None where it has none of these.

    No header, and one that is not understood, such as several ranges, ask for the whole file
    (RFC 9110, section 14.2).
    """
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return Span(0, size, part=False)
    first, last = match.groups()
    if not first:
        count = min(int(last), size)
        return Span(size - count, count, part=True) if count else None
    end = min(int(last or size), size - 1)
    if last and int(last) < int(first):
        return Span(0, size, part=False)
    return Span(int(first), end - int(first) + 1, part=True) if int(first) < size else None
