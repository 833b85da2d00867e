"""What crosses the wire: a request, a response, how the response is delivered, and the steps in between."""

from __future__ import annotations

import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, object]
Result = TypeVar("Result")


class Step(str):
    """The name of the operation that comes next; `delay` is how long an HTTP driver waits before it, in seconds."""

    __slots__ = ("delay",)
    delay: float

    def __new__(cls, name: str, delay: float = 0.0) -> Step:
        step = super().__new__(cls, name)
        step.delay = delay
        return step


@dataclass(slots=True, kw_only=True)
class Request:
    """One HTTP request, its path already relative to the instance's base; header names are lower case."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    peer: str = "127.0.0.1"
    rotates: bool = True  # False: play a customised server that keeps the refresh token
    number: int = 0  # of its entry in the journal, once it is noted

    @classmethod
    def build(
        cls,
        method: str,
        target: str,
        *,
        payload: Json | None = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        peer: str = "127.0.0.1",
    ) -> Request:
        """A request as a client would send it; `token` travels in `OAuth-Token`, `payload` as JSON."""
        parts = urlsplit(target)
        names = {name.lower(): value for name, value in (headers or {}).items()}
        if token is not None:
            names["oauth-token"] = token
        if payload is not None:
            body = json.dumps(payload).encode()
            names.setdefault("content-type", "application/json")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method=method, path=parts.path, query=query, headers=names, body=body, peer=peer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the bytes of an answer travel. `lost`: closed without a byte; `reset`: RST instead of an answer."""

    kind: str = "full"  # full | lost | reset
    delay: float = 0.0  # seconds before the first byte
    cut_at: int | None = None  # bytes of the body that arrive before the connection closes
    drip_bytes: int = 0  # slow-loris: this many bytes at a time …
    drip_seconds: float = 0.0  # … this far apart
    drips_headers: bool = False

    @property
    def is_whole(self) -> bool:
        """The client can know the answer, if it waits long enough."""
        return self.kind == "full" and self.cut_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer of the server, and how it will be delivered."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery()

    @classmethod
    def of_json(cls, payload: object, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        typed = (("Content-Type", "application/json"), *headers)
        return cls(status=status, body=json.dumps(payload).encode(), headers=typed)

    @classmethod
    def of_html(cls, text: str, *, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Response:
        typed = (("Content-Type", "text/html; charset=UTF-8"), *headers)
        return cls(status=status, body=text.encode(), headers=typed)

    @classmethod
    def undelivered(cls, kind: str) -> Response:
        """Nothing at all comes back; 0 stands for the status that nobody will see."""
        return cls(status=0, delivery=Delivery(kind=kind))

    def json(self) -> Json:
        """The body as an object; what is no JSON object raises ValueError."""
        try:
            payload = json.loads(self.body)
        except RecursionError as exc:
            raise ValueError("nested too deeply") from exc
        if not isinstance(payload, dict):
            raise ValueError("not a JSON object")
        return payload

    @property
    def error(self) -> str:
        """Sugar's `error` word, or empty."""
        try:
            return str(self.json().get("error", ""))
        except ValueError:
            return ""


Exchange = Generator[Step, None, Response]


def drive(steps: Generator[Step, None, Result]) -> Result:
    """Run an exchange, or a part of one, straight through, without waiting at any step."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
