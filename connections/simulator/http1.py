"""As much of HTTP/1.1 as a test server needs: requests in, answers out, and every way to spoil an answer.

BadRequest
ConnectionError
└── ClientLeft
"""

from __future__ import annotations

import asyncio
import socket
import struct
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote

from connections.simulator.wire import Delivery, Response

BODY_LIMIT = 10_000_000
_REASONS = {status.value: status.phrase for status in HTTPStatus} | {433: "Client Outdated"}
_LINGER_OFF = struct.pack("ii", 1, 0)  # close() sends RST


class BadRequest(Exception):
    """What came is no HTTP/1.1 request."""


class ClientLeft(ConnectionError):
    """The client hung up before it could read the whole answer."""


@dataclass(slots=True, kw_only=True)
class Message:
    """A request as it came: `path` without the query, header names in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = field(repr=False)
    keeps_alive: bool


async def read_message(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Message | None:
    """The next request, or None when the client has closed."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    except asyncio.LimitOverrunError as exc:
        raise BadRequest from exc
    lines = head.decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
        headers = _headers(lines[1:-2])
        body = await _body(reader, writer, headers)
    except (ValueError, asyncio.IncompleteReadError) as exc:
        raise BadRequest from exc
    path, _, query = target.partition("?")
    wish = headers.get("connection", "").lower()
    return Message(
        method=method,
        path=unquote(path),
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=body,
        keeps_alive=wish != "close" and version == "HTTP/1.1",
    )


def _headers(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, headers: dict[str, str]) -> bytes:
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return await _chunks(reader)
    length = int(headers.get("content-length", "0"))
    if not 0 <= length <= BODY_LIMIT:
        raise ValueError("body too large")
    return await reader.readexactly(length) if length else b""


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = int((await reader.readline()).split(b";")[0], 16)
        if len(body) + size > BODY_LIMIT:
            raise ValueError("body too large")
        body += await reader.readexactly(size)
        await reader.readline()
        if not size:
            return body


def head_of(response: Response, *, now: float, keeps_alive: bool) -> bytes:
    """Status line and headers; Date is the server's own clock."""
    lines = [
        f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}",
        f"Date: {formatdate(now, usegmt=True)}",
        "Server: Apache",
        f"Content-Length: {len(response.body)}",
        f"Connection: {'keep-alive' if keeps_alive else 'close'}",
        *(f"{name}: {value}" for name, value in response.headers),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def deliver(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    response: Response,
    *,
    now: float,
    keeps_alive: bool,
    has_body: bool = True,
) -> bool:
    """Send the answer the way its delivery says; True when the connection may be used again."""
    how = response.delivery
    if how.delay:
        await asyncio.sleep(how.delay)
    if how.kind != "full":
        if how.kind == "reset":
            reset(writer)
        return False
    head = head_of(response, now=now, keeps_alive=keeps_alive)
    body = response.body if has_body else b""
    if how.cut_at is not None:
        writer.write(head + body[: how.cut_at])
        await writer.drain()
        return False
    pieces = _pieces(head, body, how) if how.drip_bytes else [head + body]
    for number, piece in enumerate(pieces):
        if number:
            await asyncio.sleep(how.drip_seconds)
        if reader.at_eof():
            raise ClientLeft
        writer.write(piece)
        await writer.drain()
    return keeps_alive


def _pieces(head: bytes, body: bytes, how: Delivery) -> list[bytes]:
    """A slow-loris answer: a few bytes at a time, with or without the headers."""
    slow = head + body if how.drips_headers else body
    cut = [slow[start : start + how.drip_bytes] for start in range(0, len(slow), how.drip_bytes)]
    return cut if how.drips_headers else [head, *cut]


def reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST: the client sees "connection reset by peer"."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
    writer.transport.abort()
