"""What goes over the wire to a Sugar server, and that trouble is an answer."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from connections.choices import Endpoint, Fault, Generation
from connections.egress import Egress, Pacer, Policy
from connections.sugar import Answer, SugarClient, Target, UserInfo, generation_of
from tests.egress.listener import Listener, Script, Visit, answer, read_and_reset

TOKENS = b'{"access_token":"at","expires_in":3600,"refresh_token":"rt","refresh_expires_in":1209600}'
POLICY = Policy(user_agent="Sugaradmin/test", allow_http=True, allow_loopback=True)


@pytest.fixture
def server() -> Iterator[Listener]:
    with Listener(answer(b"{}")) as listener:
        yield listener


@pytest.fixture
def client() -> SugarClient:
    return SugarClient(Egress(POLICY))


def target_at(server: Listener, path: str = "/crm") -> Target:
    return Target(instance_url=server.url(path), platform="intg", username="svc", client_id="sugar")


def say(status: int, document: object) -> Script:
    return answer(json.dumps(document).encode(), status=status)


def sent(server: Listener) -> tuple[str, dict[str, str], bytes]:
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    return line.removesuffix(" HTTP/1.1"), dict(header.split(": ", 1) for header in headers), body


def test_a_refresh_sends_every_field_in_a_form_and_none_in_the_query(server: Listener, client: SugarClient) -> None:
    server.script = answer(TOKENS)
    got = client.refresh(target_at(server), refresh_token="old/+&=ü", deadline=5)
    assert (got.fault, got.is_sent, got.is_definite) == (None, True, True)
    line, headers, body = sent(server)
    assert line == "POST /crm/rest/v10/oauth2/token"
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Accept"] == "application/json"
    assert "Cookie" not in headers
    assert dict(parse_qsl(body.decode(), keep_blank_values=True)) == {
        "grant_type": "refresh_token",
        "refresh_token": "old/+&=ü",
        "client_id": "sugar",
        "client_secret": "",
        "platform": "intg",
        "current_language": "en_us",
    }


def test_a_sign_in_sends_user_and_password(server: Listener, client: SugarClient) -> None:
    server.script = answer(TOKENS)
    got = client.sign_in(target_at(server), password="pä ss&", client_secret="cs", deadline=5)
    assert got.tokens is not None
    assert dict(parse_qsl(sent(server)[2].decode(), keep_blank_values=True)) == {
        "grant_type": "password",
        "username": "svc",
        "password": "pä ss&",
        "client_id": "sugar",
        "client_secret": "cs",
        "platform": "intg",
        "current_language": "en_us",
    }


def test_the_preflight_asks_without_a_token(server: Listener, client: SugarClient) -> None:
    server.script = say(
        401, {"error": "need_login", "error_message": "", "url": "https://sts.example/x", "platform": "b"}
    )
    got = client.preflight(replace(target_at(server), platform="a&b"))
    assert (got.fault, got.external_login_host, got.endpoint) == (None, "sts.example", Endpoint.PREFLIGHT)
    line, headers, _body = sent(server)
    assert line == "GET /crm/rest/v10/ping/whattimeisit?platform=a%26b"
    assert "OAuth-Token" not in headers
    client.platform_probe(target_at(server))
    assert sent(server)[0] == "GET /crm/rest/v10/ping?platform=intg"


def test_only_sugars_own_word_proves_a_session(server: Listener, client: SugarClient) -> None:
    for document, fault in (("pong", None), ({}, Fault.BAD_RESPONSE), (None, Fault.BAD_RESPONSE)):
        server.script = say(200, document)
        assert client.ping(target_at(server), access_token="at").fault == fault
    assert sent(server)[:1] == ("GET /crm/rest/v10/ping",)
    assert sent(server)[1]["OAuth-Token"] == "at"


def test_me_says_whose_token_it_is(server: Listener, client: SugarClient) -> None:
    user = {"id": "1", "user_name": "svc\x00", "type": "admin", "is_password_expired": True, "preferences": {}}
    server.script = say(200, {"current_user": user})
    got = client.me(target_at(server), access_token="at")
    assert got.user == UserInfo(id="1", user_name="svc", is_admin=True, is_password_expired=True)
    server.script = say(200, {"current_user": []})
    assert client.me(target_at(server), access_token="at").fault == Fault.BAD_RESPONSE


def test_a_password_is_checked_without_a_sign_in(server: Listener, client: SugarClient) -> None:
    for valid in (True, False):
        server.script = say(200, {"valid": valid})
        got = client.check_password(target_at(server), access_token="at", password="pä")
        assert (got.fault, got.is_password_valid) == (None, valid)
    line, _headers, body = sent(server)
    assert (line, json.loads(body)) == ("POST /crm/rest/v10/me/password", {"password_to_verify": "pä"})
    server.script = say(200, {"valid": "maybe"})
    assert client.check_password(target_at(server), access_token="at", password="p").fault == Fault.BAD_RESPONSE


def test_a_logout_names_the_refresh_token_too(server: Listener, client: SugarClient) -> None:
    server.script = say(200, {"success": True})
    assert client.logout(target_at(server), access_token="at", refresh_token="rt").fault is None
    assert (sent(server)[0], sent(server)[2]) == ("POST /crm/rest/v10/oauth2/logout", b"refresh_token=rt")


def test_the_refusal_of_version_99_is_the_good_answer(server: Listener, client: SugarClient) -> None:
    server.script = say(301, {"error": "incorrect_version", "error_message": "value between 10 and 11.23."})
    got = client.rest_version(server.url("/crm"))
    assert (got.fault, got.rest_max, got.rest_path) == (None, "11.23", "rest/v10")
    assert sent(server)[0] == "GET /crm/rest/v99/ping"


def test_the_rest_root_is_looked_for_behind_a_server_that_does_not_rewrite(
    server: Listener, client: SugarClient
) -> None:
    found = say(301, {"error": "incorrect_version", "error_message": "value between 10 and 11.1."})
    missing = answer(b"<html>", status=404, headers="Content-Type: text/html\r\n")
    paths: list[bytes] = []

    def script(visit: Visit) -> None:
        paths.append(visit.sock.recv(9999, 2))  # 2: MSG_PEEK
        (found if b"/api/rest.php/v99/" in paths[-1] else missing)(visit)

    server.script = script
    got = client.rest_version(server.url(""))
    assert (got.fault, got.rest_path) == (None, "api/rest.php/v10")
    target = replace(target_at(server, ""), rest_path=got.rest_path)
    client.preflight(target)
    assert paths[-1].startswith(b"GET /api/rest.php/v10/ping/whattimeisit?")
    server.script = missing
    assert client.rest_version(server.url("")).fault == Fault.NOT_SUGAR


def test_versions_and_sign_in_service_are_discovered(server: Listener, client: SugarClient) -> None:
    server.script = say(200, {"server_info": {"version": "13.3.0", "flavor": "ENT"}})
    got = client.server_info(target_at(server), access_token="at")
    assert (got.server_version, got.server_flavor) == ("13.3.0", "ENT")
    server.script = say(200, {"version": "12.0.1", "flavor": "PRO", "gmt_time": "x"})
    assert client.legacy_server_info(server.url("/crm")).server_version == "12.0.1"
    assert sent(server)[0] == "POST /crm/service/v4_1/rest.php"
    server.script = say(200, {"config": {"idmModeEnabled": True, "stsUrl": "https://sts.example"}})
    got = client.public_metadata(server.url("/crm"))
    assert (got.is_idm, got.is_external_login) == (True, True)
    server.script = say(200, {"config": {"externalLogin": "1"}})
    got = client.public_metadata(server.url("/crm"))
    assert (got.is_idm, got.is_external_login) == (False, True)


@pytest.mark.parametrize(
    ("facts", "generation"),
    [
        ({"server_version": "7.1.6"}, Generation.NEVER),
        ({"server_version": "7.7.0.0"}, Generation.CACHED),
        ({"server_version": "12.0.3", "rest_max": "11.16"}, Generation.CACHED),
        ({"server_version": "13.0.0", "rest_max": "11.20"}, Generation.UNKNOWN),
        ({"rest_max": "11.16"}, Generation.CACHED),
        ({"rest_max": "10"}, Generation.UNKNOWN),
        ({"rest_max": "11.24"}, Generation.ALWAYS),
        ({"server_version": "26.1.0"}, Generation.ALWAYS),
        ({"server_version": "14.0.0", "is_idm": True}, Generation.IDM),
        ({}, Generation.UNKNOWN),
    ],
)
def test_the_generation_follows_from_what_was_seen(facts: dict[str, str], generation: Generation) -> None:
    assert generation_of(**facts) == generation  # type: ignore[arg-type]


def _refresh(client: SugarClient, server: Listener, deadline: float = 0.3) -> Answer:
    return client.refresh(target_at(server), refresh_token="canary-refresh", deadline=deadline)


def test_trouble_before_the_first_byte_was_not_sent(client: SugarClient) -> None:
    with Listener(answer()) as server:
        pass
    got = _refresh(client, server)
    assert (got.fault, got.is_sent, got.is_definite, got.status) == (Fault.CONNECTION_REFUSED, False, False, None)
    assert "refuses" in got.detail
    assert client.preflight(Target(instance_url="https://10.0.0.1", platform="x")).fault == Fault.ADDRESS_BLOCKED
    unresolvable = SugarClient(Egress(POLICY, resolver=lambda _host, _port: []))
    assert unresolvable.preflight(Target(instance_url="https://x.example", platform="x")).fault == Fault.DNS_FAILURE
    plain = Target(instance_url=server.url().replace("http:", "https:").rstrip("/"), platform="x")
    with Listener(lambda visit: visit.send(b"no TLS here" * bool(visit.sock.recv(9999))), port=server.port):
        got = client.preflight(plain)
    assert (got.fault, got.is_sent) == (Fault.TLS_INVALID, False)


def test_trouble_after_the_first_byte_may_have_been_sent(server: Listener, client: SugarClient) -> None:
    def cut_after_both_tokens(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n" + TOKENS[:-20])

    def silent(visit: Visit) -> None:
        visit.read_request()
        visit.wait_for_end(2)

    def nonsense(visit: Visit) -> None:
        visit.read_request()
        visit.send(b"nonsense\r\n\r\n")

    scripts: list[tuple[Script, Fault, bool]] = [
        (silent, Fault.TIMEOUT, False),
        (read_and_reset, Fault.CONNECTION_LOST, False),
        (cut_after_both_tokens, Fault.CONNECTION_LOST, True),
        (answer(TOKENS + b" " * 70_000), Fault.BAD_RESPONSE, False),
        (nonsense, Fault.BAD_RESPONSE, False),
    ]
    for script, fault, is_candidate in scripts:
        server.script = script
        got = _refresh(client, server)
        assert (got.fault, got.is_sent, got.is_definite, got.is_candidate) == (fault, True, False, is_candidate)
        assert (got.tokens is not None) is is_candidate
        assert "canary" not in repr(got)


def test_an_api_answer_may_be_larger_than_a_grants(server: Listener, client: SugarClient) -> None:
    server.script = say(200, {"current_user": {"id": "1", "filler": "x" * 500_000}})
    assert client.me(target_at(server), access_token="at").fault is None
    server.script = say(200, {"current_user": {"id": "1", "filler": "x" * 1_100_000}})
    assert client.me(target_at(server), access_token="at").fault == Fault.BAD_RESPONSE


def test_only_the_callers_own_last_word_raises(server: Listener, client: SugarClient) -> None:
    class Lost(Exception):
        pass

    def last_word() -> float | None:
        raise Lost

    with pytest.raises(Lost):
        client.refresh(target_at(server), refresh_token="rt", deadline=5, before_first_byte=last_word)
    assert server.requests == []


def test_our_own_pacing_is_not_mistaken_for_the_servers(server: Listener) -> None:
    pacer = Pacer(1, 1, burst=1)
    client = SugarClient(Egress(POLICY, pacer=pacer))
    client.preflight(target_at(server))
    got = client.preflight(target_at(server), deadline=0.05)
    assert (got.fault, got.is_sent, got.status, got.retry_after) == (Fault.RATE_LIMITED, False, None, 1)


def test_what_we_sent_never_comes_back_in_a_text(server: Listener, client: SugarClient) -> None:
    secret = "hunter2 &<ü>"
    echoes = [secret, "hunter2+%26%3C%C3%BC%3E", "hunter2%20%26%3C%C3%BC%3E", "hunter2 &amp;&lt;ü&gt;"]
    jwt = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    uuid = "2f1c8a9e-aaaa-4bbb-8ccc-0123456789ab"
    message = f"Bad\r\nlogin {' | '.join(echoes)} {uuid} {jwt}\x1b[31m \u202e" + "x" * 5000
    server.script = say(401, {"error": "need_login", "error_message": message})
    got = client.sign_in(target_at(server), password=secret, deadline=5)
    assert got.fault == Fault.CREDENTIALS_REFUSED
    for hidden in ("hunter2", uuid, jwt, "\n", "\x1b", "\u202e"):
        assert hidden not in got.error_message
    assert got.error_message.startswith("Bad login [removed] | [removed]")
    assert len(got.error_message) == 500
    for error in ("hunter22", "Hunter22", "bad_hunter22"):
        server.script = say(401, {"error": error, "error_message": ""})
        assert "hunter" not in repr(client.sign_in(target_at(server), password="Hunter22", deadline=5)).lower()
    server.script = say(401, {"error": "need_login", "error_message": ""})
    assert client.sign_in(target_at(server), password="login", deadline=5).error == "need_login"


def test_a_password_that_is_a_word_of_the_text_does_not_give_itself_away(server: Listener, client: SugarClient) -> None:
    text = "You must specify a valid username and password."
    server.script = say(401, {"error": "need_login", "error_message": text})
    assert client.sign_in(target_at(server), password="password", deadline=5).error_message == text


def test_huge_hostile_texts_cost_no_time(server: Listener, client: SugarClient) -> None:
    began = time.monotonic()
    for filler in ("authenti", "a", '\\"', "zu viele ", "1.", "portal ", "[", "{"):
        open_end = '{"error": "invalid_grant", "error_message": "' + filler * (1_000_000 // len(filler))
        for body in (open_end, open_end + '"}'):
            server.script = answer(body.encode(), status=401)
            client.ping(target_at(server), access_token="at", deadline=5)
            server.script = answer(body.encode()[: 64 * 1024])
            client.refresh(target_at(server), refresh_token="rt", deadline=5)
    assert time.monotonic() - began < 8
