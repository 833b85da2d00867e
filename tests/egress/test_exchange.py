"""One request and its answer over real sockets."""

from __future__ import annotations

import gzip
import logging
import tracemalloc

import pytest

from connections.egress import (
    AnswerTooLarge,
    ConnectionLost,
    ConnectionRefused,
    Egress,
    EgressError,
    NotSent,
    ProtocolBroken,
    TlsInvalid,
)
from tests.egress.listener import Authority, Listener, Visit, answer, read_and_reset


class Stop(Exception):
    """What a caller raises at the last moment."""


def test_it_sends_what_was_asked_and_nothing_else(egress: Egress, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with Listener(answer(b'{"a": 1}', headers="Set-Cookie: sid=1\r\n")) as server:
        for _twice in range(2):
            url = server.url("/rest/v10/ping?platform=x", host="crm.example.com")
            response = egress.request("POST", url, headers=[("Accept", "x/y")], content=b"a=b", deadline=5, cap=100)
    assert (response.status, response.body, response.is_cut) == (200, b'{"a": 1}', False)
    assert server.accepted == 2  # a fresh connection each
    head, _, body = server.requests[1].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /rest/v10/ping?platform=x HTTP/1.1"
    assert sorted(lines[1:]) == [
        "Accept-Encoding: identity",
        "Accept: x/y",
        "Connection: close",
        "Content-Length: 3",
        f"Host: crm.example.com:{server.port}",
        "User-Agent: Sugaradmin/test",
    ]
    assert body == b"a=b"


def test_the_last_word_comes_after_tls_and_before_the_first_byte(egress: Egress, authority: Authority) -> None:
    seen: list[str] = []

    def script(visit: Visit) -> None:
        seen.append("tls finished")
        visit.read_request()
        seen.append("request read")
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def last_word() -> None:
        assert server.accepted == 1
        assert server.requests == []
        seen.append("last word")

    with Listener(script, tls=authority.server_context("crm.example.com")) as server:
        url = server.url(host="crm.example.com")
        egress.request(
            "POST", url, content=b"x" * 100_000, deadline=5, cap=9, ca_pem=authority.pem, before_first_byte=last_word
        )
    assert seen.count("last word") == 1
    assert seen.index("last word") < seen.index("request read")


def test_what_the_last_word_raises_comes_out_unchanged_and_nothing_is_sent(egress: Egress) -> None:
    received: list[bytes] = []
    stop = Stop("no longer ours")

    def last_word() -> None:
        raise stop

    with Listener(lambda visit: received.append(visit.sock.recv(100))) as server:
        with pytest.raises(Stop) as raised:
            egress.request("POST", server.url(), content=b"secret", deadline=5, cap=9, before_first_byte=last_word)
        assert raised.value is stop
        while not received:
            server.over.wait(0.01)
    assert received == [b""]


def test_the_last_word_is_not_asked_when_there_is_no_connection(egress: Egress, authority: Authority) -> None:
    asked: list[int] = []

    def last_word() -> None:
        asked.append(1)

    with Listener(answer(), tls=authority.server_context("other.example")) as server, pytest.raises(TlsInvalid):
        egress.request("GET", server.url(), deadline=5, cap=9, ca_pem=authority.pem, before_first_byte=last_word)
    with pytest.raises(ConnectionRefused):
        egress.request("GET", server.url(), deadline=5, cap=9, before_first_byte=last_word)
    with pytest.raises(NotSent):
        egress.request("GET", "http://x\r\n.example/", deadline=5, cap=9, before_first_byte=last_word)
    assert asked == []


def test_a_header_that_cannot_be_sent_is_found_before_the_last_word(egress: Egress) -> None:
    asked: list[int] = []
    with Listener(answer()) as server:
        for value in ("a\r\nX-Injected: 1", "snö"):
            with pytest.raises(NotSent) as refusal:
                egress.request(
                    "GET",
                    server.url(),
                    headers=[("OAuth-Token", value)],
                    deadline=5,
                    cap=9,
                    before_first_byte=lambda: asked.append(1),
                )
            assert value not in str(refusal.value)
    assert asked == []
    assert server.requests == []


@pytest.mark.parametrize("script", [Visit.read_request, read_and_reset], ids=["closed", "reset"])
def test_no_answer_at_all_may_have_been_sent(egress: Egress, script: object) -> None:
    with Listener(script) as server, pytest.raises(ConnectionLost) as lost:  # type: ignore[arg-type]
        egress.request("POST", server.url(), content=b"x", deadline=5, cap=9)
    assert lost.value.sent is True
    assert lost.value.partial is None


@pytest.mark.parametrize("how", ["reset", "close"])
@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked"])
def test_a_cut_body_comes_out_with_the_error(egress: Egress, how: str, framing: str) -> None:
    def script(visit: Visit) -> None:
        visit.read_request()
        chunk = b'{"access_token": "a"' if "Length" in framing else b'14\r\n{"access_token": "a"\r\n'
        visit.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode() + chunk)
        if how == "reset":
            visit.listener.over.wait(0.2)
            visit.reset()

    with Listener(script) as server, pytest.raises(ConnectionLost) as lost:
        egress.request("POST", server.url(), content=b"x", deadline=5, cap=1000)
    assert lost.value.partial is not None
    assert (lost.value.partial.status, lost.value.partial.is_cut) == (200, True)
    assert lost.value.partial.body == b'{"access_token": "a"'
    assert "access_token" not in repr(lost.value.partial)


def test_an_early_answer_is_read_though_the_request_was_not_taken(egress: Egress) -> None:
    def script(visit: Visit) -> None:
        visit.sock.recv(10)
        visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        visit.listener.over.wait(0.3)

    with Listener(script) as server:
        assert egress.request("POST", server.url(), content=b"x" * 1000, deadline=5, cap=9).status == 413


@pytest.mark.parametrize("framing", ["Content-Length: 2000", "Transfer-Encoding: chunked", "Connection: close"])
def test_a_body_above_the_cap_is_not_held(egress: Egress, framing: str) -> None:
    body = b"7d0\r\n" + b"x" * 2000 + b"\r\n0\r\n\r\n" if "chunked" in framing else b"x" * 2000

    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(f"HTTP/1.1 200 OK\r\n{framing}\r\n\r\n".encode() + body)

    with Listener(script) as server:
        assert len(egress.request("GET", server.url(), deadline=5, cap=2000).body) == 2000
        with pytest.raises(AnswerTooLarge) as refusal:
            egress.request("GET", server.url(), deadline=5, cap=1999)
    assert refusal.value.sent is True
    assert refusal.value.partial is None


def test_a_compressed_body_is_undone_under_the_same_cap(egress: Egress) -> None:
    packed = "Content-Encoding: gzip\r\n"
    with Listener(answer(gzip.compress(b'{"a": 1}'), headers=packed)) as server:
        assert egress.request("GET", server.url(), deadline=5, cap=1000).body == b'{"a": 1}'
        server.script = answer(gzip.compress(b"0" * 10_000_000), headers=packed)
        tracemalloc.start()
        with pytest.raises(AnswerTooLarge):
            egress.request("GET", server.url(), deadline=5, cap=64 * 1024)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000  # the ten million zeros were never held
        tracemalloc.stop()
        server.script = answer(b"not gzip at all", headers=packed)
        with pytest.raises(ProtocolBroken):
            egress.request("GET", server.url(), deadline=5, cap=64 * 1024)


@pytest.mark.parametrize(
    "answered",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    ],
)
def test_what_is_not_http_is_told_apart(egress: Egress, answered: bytes) -> None:
    def script(visit: Visit) -> None:
        visit.read_request()
        visit.send(answered)
        visit.wait_for_end(2)

    with Listener(script) as server, pytest.raises(ProtocolBroken):
        egress.request("GET", server.url(), deadline=5, cap=1000)


def test_errors_and_debug_logs_hold_nothing_that_was_sent_or_received(
    egress: Egress, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("", "httpcore", "httpcore.http11", "httpcore.connection"):
        caplog.set_level(logging.DEBUG, logger=name)
    scripts = [
        answer(b"canary", status=500, headers="Set-Cookie: download_token=canary\r\n"),
        read_and_reset,
    ]
    with Listener(scripts[0]) as server:
        for script in scripts:
            server.script = script
            try:
                url = server.url("/?secret=canary")
                said = repr(
                    egress.request(
                        "POST", url, headers=[("OAuth-Token", "canary")], content=b"canary", deadline=5, cap=99
                    )
                )
            except EgressError as exc:
                said = repr(exc)
            assert "canary" not in said
    assert "canary" not in caplog.text
