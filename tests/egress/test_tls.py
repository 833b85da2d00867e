"""Certificates are always verified, under the name that was asked for."""

from __future__ import annotations

import ssl
import time

import pytest

from connections.egress import Egress, HandshakeLost, TlsInvalid
from connections.egress.tls import context_for
from tests.egress.listener import Authority, Listener, Visit, answer


def test_a_private_authority_is_trusted_for_the_instance_that_names_it(egress: Egress, authority: Authority) -> None:
    with Listener(answer(b"{}"), tls=authority.server_context("crm.example.com")) as server:
        url = server.url(host="crm.example.com")
        response = egress.request("GET", url, deadline=5, cap=99, ca_pem=authority.pem)
        assert response.status == 200
        assert response.timings.tls_ms >= 0
        assert 0 < (response.certificate_ends or 0) - time.time() <= 86_400, "the authority issues for a day"
        with pytest.raises(TlsInvalid) as refusal:
            egress.request("GET", url, deadline=5, cap=99)
    assert refusal.value.sent is False
    assert server.requests[1:] == []


@pytest.mark.parametrize(
    ("names", "days", "reason"),
    [(("other.example",), 1, "Hostname mismatch"), (("crm.example.com",), -1, "expired")],
)
def test_a_wrong_certificate_is_refused_with_the_reason(
    egress: Egress, authority: Authority, names: tuple[str, ...], days: int, reason: str
) -> None:
    tls = authority.server_context(*names, days=days)
    with Listener(answer(), tls=tls) as server, pytest.raises(TlsInvalid, match=reason):
        egress.request("GET", server.url(host="crm.example.com"), deadline=5, cap=99, ca_pem=authority.pem)
    assert server.requests == []


def test_an_address_needs_a_certificate_for_the_address(egress: Egress, authority: Authority) -> None:
    with Listener(answer(), tls=authority.server_context("127.0.0.1")) as server:
        assert egress.request("GET", server.url(), deadline=5, cap=99, ca_pem=authority.pem).status == 200
        server.tls = authority.server_context("crm.example.com")
        with pytest.raises(TlsInvalid):
            egress.request("GET", server.url(), deadline=5, cap=99, ca_pem=authority.pem)


def test_a_server_that_speaks_no_tls_is_told_apart(egress: Egress) -> None:
    def script(visit: Visit) -> None:
        visit.sock.recv(10_000)
        visit.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with Listener(script) as server, pytest.raises(TlsInvalid):
        egress.request("GET", f"https://crm.example.com:{server.port}/", deadline=5, cap=99)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_server_that_hangs_up_in_the_handshake_got_nothing(egress: Egress, how: str) -> None:
    def script(visit: Visit) -> None:
        visit.sock.recv(10_000)
        if how == "reset":
            visit.reset()

    with Listener(script) as server, pytest.raises(HandshakeLost) as lost:
        egress.request("GET", f"https://crm.example.com:{server.port}/", deadline=5, cap=99)
    assert lost.value.sent is False


def test_an_authority_that_is_no_certificate_is_said_so(egress: Egress) -> None:
    for pem in ("nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"):
        with pytest.raises(TlsInvalid, match="PEM"):
            egress.request("GET", "https://crm.example.com:1/", deadline=5, cap=99, ca_pem=pem)


def test_contexts_are_made_once_and_write_no_session_keys(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path_factory.mktemp("keys") / "keys.log"))
    context = context_for(authority.pem + "\n")
    assert context is context_for(authority.pem + "\n")
    assert context is not context_for("")
    assert context.keylog_filename is None
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
