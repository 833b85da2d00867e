"""Many callers at the same moment, each on a connection of its own."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    retry_after: float
    body: dict[str, Any] = field(repr=False)


@dataclass
class Crowd:
    """What the callers got in the end, and what they had to hear before."""

    answers: list[Answer]
    refusals: list[Answer]
    seconds: float

    @property
    def statuses(self) -> set[int]:
        return {answer.status for answer in self.answers}

    def all_of(self, name: str) -> set[Any]:
        return {answer.body.get(name) for answer in self.answers}


def send(url: str, key: str, path: str, size: int, *, body: dict[str, object] | None = None, tries: int = 1) -> Crowd:
    """A caller told to come again later does so when it was told, up to `tries` times in all."""
    request = _request(path, key, body)
    address = urlsplit(url)
    assert address.hostname and address.port

    async def everybody() -> Crowd:
        refusals: list[Answer] = []
        began = time.perf_counter()
        callers = (_insist(address.hostname or "", address.port or 0, request, tries, refusals) for _ in range(size))
        answers = await asyncio.gather(*callers)
        return Crowd(list(answers), refusals, time.perf_counter() - began)

    return asyncio.run(everybody())


async def _insist(host: str, port: int, request: bytes, tries: int, refusals: list[Answer]) -> Answer:
    for _ in range(tries):
        answer = await _ask(host, port, request)
        if answer.status != 503:
            break
        refusals.append(answer)
        await asyncio.sleep(answer.retry_after)
    return answer


async def _ask(host: str, port: int, request: bytes) -> Answer:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        content = await reader.readexactly(int(fields.get("content-length", 0)))
        return Answer(
            status=int(head[9:12]),
            retry_after=float(fields.get("retry-after", 1)),
            body=json.loads(content) if content else {},
        )
    finally:
        writer.close()


def _request(path: str, key: str, body: dict[str, object] | None) -> bytes:
    content = json.dumps(body).encode() if body is not None else b""
    lines = [
        f"{'POST' if content else 'GET'} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {key}",
        *(["Content-Type: application/json", f"Content-Length: {len(content)}"] if content else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + content
