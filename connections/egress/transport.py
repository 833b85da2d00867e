"""Every request that leaves the house. The one module that knows the HTTP library.

1. One strict reading of the URL; wait for a turn.
2. Resolve once; every address must be allowed; connect to one that was checked. The name is never resolved again, so
   an answer that changes between check and connect changes nothing.
3. TLS under the real name, always verified.
4. The caller's last word (`before_first_byte`), then the request on this fresh connection: no keep-alive, redirect,
   cookie, retry, proxy or environment variable takes part.
5. One wall for all of it: each read and write gets only the time that is left.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import httpcore

from connections.egress.errors import (
    AddressBlocked,
    AnswerTooLarge,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimeout,
    DeadlineExceeded,
    EgressError,
    HandshakeLost,
    NotSent,
    ProtocolBroken,
    TlsInvalid,
)
from connections.egress.pacing import Pacer
from connections.egress.policy import Policy, unmap
from connections.egress.resolve import BoundedLookup, Resolver, system_resolver
from connections.egress.response import Response, Timings
from connections.egress.tls import context_for
from connections.egress.urls import IPAddress, Url, parse_url
from connections.egress.wall import Monotonic, Wall, boottime

LastWord = Callable[[], float | None]
Headers = Sequence[tuple[str, str]]

CHECK_SECONDS = 5.0
ADDRESSES_TRIED = 6

# httpcore logs the headers of answers at DEBUG, Set-Cookie included: no setting may switch that on.
for _name in ("httpcore.connection", "httpcore.http11"):
    logging.getLogger(_name).addFilter(lambda record: record.levelno >= logging.WARNING)


class _Stream(httpcore.NetworkStream):
    """A connected socket whose every operation gets only the time that is left, and that asks before its first byte."""

    def __init__(self, sock: socket.socket, wall: Wall, last_word: LastWord | None) -> None:
        self._sock = sock
        self._wall = wall
        self._last_word = last_word
        self.is_begun = False
        self.is_ended = False
        self.begun_at = 0.0
        self.first_byte_ms = 0

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if not self.is_begun:
            self._begin()
        while buffer:
            self._arm()
            try:
                buffer = buffer[self._sock.send(buffer) :]
            except TimeoutError:
                raise DeadlineExceeded("The request could not be sent in time.") from None
            except OSError:
                # httpcore then still reads: servers may answer and hang up before the request is over.
                raise httpcore.WriteError from None

    def _begin(self) -> None:
        """The last call before the first byte; what it raises goes to the caller as it is."""
        seconds = self._last_word() if self._last_word is not None else None
        if seconds is not None:
            self._wall.restart(seconds)
        if self._wall.left() <= 0:
            raise ConnectTimeout("The deadline was over before the request could be sent.")
        self.is_begun = True
        self.begun_at = self._wall.mark()

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._arm()
        try:
            chunk = self._sock.recv(max_bytes)
        except TimeoutError:
            raise DeadlineExceeded("The answer was not complete in time.") from None
        except OSError:
            self.is_ended = True
            raise ConnectionLost("The connection was reset before the answer was complete.") from None
        if not self.first_byte_ms:
            self.first_byte_ms = self._wall.elapsed_ms(self.begun_at)
        self.is_ended = self.is_ended or not chunk
        return chunk

    def _arm(self) -> None:
        left = self._wall.left()
        if left <= 0:
            raise DeadlineExceeded("The answer was not complete in time.")
        self._sock.settimeout(left)

    def close(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        return None


class Egress:
    """The guarded door. Safe to share between threads."""

    def __init__(
        self,
        policy: Policy,
        *,
        resolver: Resolver | None = None,
        monotonic: Monotonic | None = None,
        pacer: Pacer | None = None,
    ) -> None:
        self.policy = policy
        self._lookup = BoundedLookup(resolver or system_resolver)
        self._monotonic = monotonic or boottime
        self._pacer = pacer

    def check_address(self, url: str, *, deadline: float = CHECK_SECONDS) -> None:
        """Raise AddressBlocked or DnsFailure where a request to `url` would not be let out now."""
        self._checked_addresses(parse_url(url), Wall(self._monotonic, deadline))

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = (),
        content: bytes = b"",
        deadline: float,
        cap: int,
        ca_pem: str = "",
        before_first_byte: LastWord | None = None,
        is_grant: bool = False,
    ) -> Response:
        """Send one request and return the whole answer, of whatever status; EgressError where there is none.

        `deadline`: seconds for everything, waiting for a turn included. `cap`: bytes of body, raw and decoded.
        `before_first_byte` is called once, when the connection stands: what it raises is raised here unchanged and
        nothing is sent; a float it returns is the deadline from that moment on. `is_grant`: takes one of the few
        places for grants to this host.
        """
        wall = Wall(self._monotonic, deadline)
        target = parse_url(url)
        request = _request(method, target, self._headers(target, headers, method, content), content)
        with self._turn(target, wall, is_grant=is_grant), _Exchange(target, wall) as exchange:
            exchange.open(lambda: self._checked_addresses(target, wall), ca_pem, before_first_byte)
            return exchange.send(request, cap)

    def _turn(self, target: Url, wall: Wall, *, is_grant: bool) -> contextlib.AbstractContextManager[None]:
        if self._pacer is None:
            return contextlib.nullcontext()
        return self._pacer.turn(target.host, target.port, wall, is_grant=is_grant)

    def _headers(self, target: Url, headers: Headers, method: str, content: bytes) -> list[tuple[str, str]]:
        """Ours, under the caller's: where a name is given twice the caller's wins."""
        ours = {
            "Host": target.authority,
            "User-Agent": self.policy.user_agent,
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        if content or method in ("POST", "PUT", "PATCH"):
            ours["Content-Length"] = str(len(content))
        given = {name.lower() for name, _value in headers}
        return [item for item in ours.items() if item[0].lower() not in given] + list(headers)

    def _checked_addresses(self, target: Url, wall: Wall) -> tuple[IPAddress, ...]:
        self._refuse(self.policy.objection_to_scheme(target))
        if target.literal is not None:
            addresses: tuple[IPAddress, ...] = (target.literal,)
        else:
            addresses = self._lookup.addresses(target.host, target.port, wall)
        for address in addresses:
            self._refuse(self.policy.objection(target, address))
        return addresses

    @staticmethod
    def _refuse(objection: str) -> None:
        if objection:
            raise AddressBlocked(objection)


class _Exchange:
    """One request on one connection: what it has opened and how long each stage took."""

    def __init__(self, target: Url, wall: Wall) -> None:
        self._target = target
        self._wall = wall
        self._sock: socket.socket | None = None
        self._stream: _Stream | None = None
        self._stages = {"dns_ms": 0, "connect_ms": 0, "tls_ms": 0}
        self._certificate_ends: int | None = None

    def __enter__(self) -> _Exchange:
        return self

    def __exit__(self, _kind: object, exc: object, _traceback: object) -> None:
        if self._sock is not None:
            self._sock.close()
        if isinstance(exc, EgressError):
            exc.timings = self._timings()

    def open(self, resolve: Callable[[], tuple[IPAddress, ...]], ca_pem: str, last_word: LastWord | None) -> None:
        """Resolve, connect and finish TLS; every error here means that nothing was sent."""
        context = context_for(ca_pem) if self._target.scheme == "https" else None
        with self._stage("dns_ms"):
            addresses = resolve()
        with self._stage("connect_ms"):
            self._sock = _connect(addresses, self._target.port, self._wall)
        if context is not None:
            with self._stage("tls_ms"):
                self._sock = secured = _start_tls(self._sock, context, self._target.host, self._wall)
            self._certificate_ends = _end_of_certificate(secured)
        self._stream = _Stream(self._sock, self._wall, last_word)

    def send(self, request: httpcore.Request, cap: int) -> Response:
        assert self._stream is not None
        with httpcore.HTTP11Connection(request.url.origin, self._stream) as connection:
            answer = self._receive_head(connection, request)
            headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in answer.headers)
            body = _Body(headers, cap)
            try:
                for chunk in _chunks(answer):
                    body.add(chunk)
            except (ConnectionLost, DeadlineExceeded) as exc:
                exc.partial = self._response(answer.status, headers, body, is_cut=True)
                raise
            except httpcore.RemoteProtocolError:
                raise self._broken_body(answer.status, headers, body) from None
            return self._response(answer.status, headers, body, is_cut=False)

    def _receive_head(self, connection: httpcore.HTTP11Connection, request: httpcore.Request) -> httpcore.Response:
        assert self._stream is not None
        try:
            return connection.handle_request(request)
        except httpcore.LocalProtocolError:
            raise NotSent("The request could not be put into HTTP: a header holds a forbidden character.") from None
        except httpcore.RemoteProtocolError:
            if self._stream.is_ended:
                raise ConnectionLost("The server hung up without an answer.") from None
            raise ProtocolBroken("What came back is not HTTP.") from None

    def _broken_body(self, status: int, headers: tuple[tuple[str, str], ...], body: _Body) -> EgressError:
        assert self._stream is not None
        if not self._stream.is_ended:
            return ProtocolBroken("The framing of the answer's body is broken.")
        lost = ConnectionLost("The server hung up before the answer was complete.")
        lost.partial = self._response(status, headers, body, is_cut=True)
        return lost

    def _response(self, status: int, headers: tuple[tuple[str, str], ...], body: _Body, *, is_cut: bool) -> Response:
        return Response(
            status=status,
            headers=headers,
            body=bytes(body.content),
            is_cut=is_cut,
            timings=self._timings(),
            certificate_ends=self._certificate_ends,
        )

    def _timings(self) -> Timings:
        first_byte_ms = self._stream.first_byte_ms if self._stream is not None else 0
        return Timings(**self._stages, first_byte_ms=first_byte_ms, total_ms=self._wall.elapsed_ms())

    @contextlib.contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        began = self._wall.mark()
        yield
        self._stages[name] = self._wall.elapsed_ms(began)


class _Body:
    """Collects a body up to a cap. Undoes gzip and deflate, which some proxies apply unasked, under the same cap."""

    def __init__(self, headers: Iterable[tuple[str, str]], cap: int) -> None:
        coding = next((value.strip().lower() for key, value in headers if key.lower() == "content-encoding"), "")
        is_packed = coding in ("gzip", "x-gzip", "deflate")
        self._unpack = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if is_packed else None
        self._cap = cap
        self._received = 0
        self.content = bytearray()

    def add(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._unpack is not None:
            try:
                chunk = self._unpack.decompress(chunk, self._cap + 1 - len(self.content))
            except zlib.error:
                raise ProtocolBroken("The compression of the answer's body is broken.") from None
        self.content += chunk
        if max(self._received, len(self.content)) > self._cap:
            raise AnswerTooLarge(f"The answer is larger than {self._cap // 1024} KiB.")


def _request(method: str, target: Url, headers: list[tuple[str, str]], content: bytes) -> httpcore.Request:
    url = httpcore.URL(
        scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.target.encode()
    )
    try:
        encoded = [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
    except UnicodeEncodeError:
        raise NotSent("The request could not be put into HTTP: a header holds a forbidden character.") from None
    return httpcore.Request(method, url, headers=encoded, content=content)


def _chunks(answer: httpcore.Response) -> Iterator[bytes]:
    assert isinstance(answer.stream, Iterable)
    yield from answer.stream


def _connect(addresses: tuple[IPAddress, ...], port: int, wall: Wall) -> socket.socket:
    """A connection to the first address that takes one; each gets its share of the time that is left."""
    tried = addresses[:ADDRESSES_TRIED]
    is_late = False
    for position, address in enumerate(tried):
        left = wall.left()
        if left <= 0:
            is_late = True
            break
        try:
            return _connect_one(address, port, left / (len(tried) - position))
        except TimeoutError:
            is_late = True
        except OSError:
            continue
    if is_late:
        raise ConnectTimeout("The host did not take the connection in time.")
    raise ConnectionRefused("The host refuses connections or is not reachable from here.")


def _connect_one(address: IPAddress, port: int, seconds: float) -> socket.socket:
    # A mapped address goes out as the IPv4 address that was checked.
    plain = unmap(address) if address.version == 6 and address.ipv4_mapped is not None else address
    sock = socket.socket(socket.AF_INET6 if plain.version == 6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((str(plain), port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _start_tls(sock: socket.socket, context: ssl.SSLContext, host: str, wall: Wall) -> ssl.SSLSocket:
    left = wall.left()
    if left <= 0:
        raise ConnectTimeout("The deadline was over before TLS could start.")
    sock.settimeout(left)
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except ssl.SSLCertVerificationError as exc:
        raise TlsInvalid(f"The certificate is not accepted: {exc.verify_message.rstrip('.')}.") from None
    except TimeoutError:
        raise ConnectTimeout("The TLS handshake did not finish in time.") from None
    except (ssl.SSLEOFError, ssl.SSLZeroReturnError, ConnectionError):
        raise HandshakeLost("The server hung up during the TLS handshake.") from None
    except ssl.SSLError as exc:
        raise TlsInvalid(f"TLS failed: {exc.reason or 'no reason given'}.") from None
    except (OSError, ValueError):
        raise HandshakeLost("The TLS handshake broke off.") from None


def _end_of_certificate(sock: ssl.SSLSocket) -> int | None:
    """When the certificate that was just accepted ends."""
    told = (sock.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(told) if isinstance(told, str) else None
