"""What a grant yields: tokens that can be believed, a candidate, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.choices import AttemptKind, Endpoint, Fault
from connections.sugar import Answer, TokenSet, classify
from connections.sugar.tokens import ACCESS_LIFETIME_MAX, ACCESS_LIFETIME_UNKNOWN

GOOD: dict[str, Any] = {
    "access_token": "2f1c8a9e-aaaa-4bbb-8ccc-0123456789ab",
    "expires_in": 3600,
    "token_type": "bearer",
    "scope": None,
    "refresh_token": "7d3b6c5f-dddd-4eee-8fff-ba9876543210",
    "refresh_expires_in": 1209600,
    "download_token": "never-kept",
}
NOW = 1_767_225_600.0


def _grant(document: object, *, now_epoch: float | None = NOW, **options: Any) -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return classify(Endpoint.TOKEN, AttemptKind.REFRESH, 200, (), body, now_epoch=now_epoch, **options)


def _tokens(**changes: object) -> TokenSet:
    tokens = _grant({**GOOD, **changes}).tokens
    assert tokens is not None
    return tokens


def test_a_whole_answer_is_good_and_definite() -> None:
    answer = _grant(GOOD)
    assert (answer.fault, answer.is_definite, answer.is_candidate) == (None, True, False)
    assert answer.tokens == TokenSet(
        access_token=GOOD["access_token"],
        refresh_token=GOOD["refresh_token"],
        expires_in=3600,
        refresh_expires_in=1209600,
    )


def test_tokens_show_in_no_repr() -> None:
    answer = _grant(GOOD)
    for text in (repr(answer), str(answer), repr(answer.tokens)):
        assert GOOD["access_token"] not in text
        assert GOOD["refresh_token"] not in text


@pytest.mark.parametrize("absent", [None, "", False])
def test_an_answer_without_a_refresh_token_leaves_the_old_one_to_the_caller(absent: object) -> None:
    assert _tokens(refresh_token=absent).refresh_token is None
    answer = _grant({"access_token": "a", "expires_in": 60})
    assert answer.tokens is not None
    assert (answer.fault, answer.tokens.refresh_token) == (None, None)


@pytest.mark.parametrize(
    ("given_value", "believed"),
    [
        (3600, 3600),
        (14, 14),
        (1, 1),
        ("3600", 3600),
        (3600.9, 3600),
        (86_401, ACCESS_LIFETIME_MAX),
        (10**9, ACCESS_LIFETIME_MAX),
        (NOW + 3600, 3600),
        (str(int(NOW) + 60), 60),
        (0, ACCESS_LIFETIME_UNKNOWN),
        (-5, ACCESS_LIFETIME_UNKNOWN),
        (None, ACCESS_LIFETIME_UNKNOWN),
        (True, ACCESS_LIFETIME_UNKNOWN),
        ("soon", ACCESS_LIFETIME_UNKNOWN),
        ([], ACCESS_LIFETIME_UNKNOWN),
        (NOW - 1, ACCESS_LIFETIME_UNKNOWN),
        (10**30, ACCESS_LIFETIME_UNKNOWN),
    ],
)
def test_lifetimes_of_access_tokens_are_sanitised(given_value: object, believed: int) -> None:
    assert _tokens(expires_in=given_value).expires_in == believed


@pytest.mark.parametrize(
    ("given_value", "believed"),
    [(1209600, 1209600), (NOW + 1209600, 1209600), (0, None), (-1, None), (None, None), ("x", None), (NOW - 5, None)],
)
def test_lifetimes_of_refresh_tokens_may_be_absolute_or_unknown(given_value: object, believed: int | None) -> None:
    assert _tokens(refresh_expires_in=given_value).refresh_expires_in == believed


def test_absolute_times_are_measured_by_the_servers_own_clock() -> None:
    body = json.dumps({**GOOD, "refresh_expires_in": NOW + 1000}).encode()
    headers = [("Date", "Thu, 01 Jan 2026 00:00:00 GMT")]  # NOW
    answer = classify(Endpoint.TOKEN, AttemptKind.REFRESH, 200, headers, body, now_epoch=NOW - 86_400)
    assert answer.tokens is not None
    assert answer.tokens.refresh_expires_in == 1000


@pytest.mark.parametrize(
    "bad", [None, "", 5, [], {}, "a b", "a\n", "a\x00b", "tökén", "x" * 4097, " a", "a\u2028b"], ids=repr
)
def test_a_malformed_token_is_never_kept(bad: object) -> None:
    changes = [{"access_token": bad}] + ([{"refresh_token": bad}] if bad else [])
    for change in changes:
        answer = _grant({**GOOD, **change})
        assert (answer.fault, answer.tokens, answer.is_definite) == (Fault.BAD_RESPONSE, None, False)


_WHOLE = json.dumps(GOOD)


@pytest.mark.parametrize(
    "body",
    [
        f"[{_WHOLE}]",
        f"{_WHOLE} {_WHOLE}",
        _WHOLE + "<!-- footer -->",
        _WHOLE.replace('"scope": null', '"scope": NaN'),
        _WHOLE.replace('"scope": null', '"scope": Infinity'),
        _WHOLE.replace('"scope": null', '"access_token": "other"'),
        _WHOLE.replace('"scope": null', '"scope": {"a": 1, "a": 2}'),
        _WHOLE.replace('"scope": null', '"scope": ' + "[" * 100 + "]" * 100),
        _WHOLE.replace('"scope": null', '"error": "invalid_grant"'),
        _WHOLE.replace('"scope": null', "'scope': null"),
        _WHOLE.replace('"scope": null', '"scope": "\x01"'),
        _WHOLE.replace("bearer", "\ud800").encode("utf-16", "surrogatepass"),
        _WHOLE.encode() + b"\xff",
        '"' + _WHOLE.replace('"', '\\"') + '"',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"access_token": "' + '\\"' * 30_000,
    ],
    ids=range(17),
)
def test_no_token_is_taken_from_a_body_that_is_not_strict_json(body: str | bytes) -> None:
    answer = _grant(body if isinstance(body, bytes) else body.encode())
    assert (answer.tokens, answer.is_definite) == (None, False)
    assert answer.fault == Fault.BAD_RESPONSE


def test_a_body_cut_anywhere_is_a_candidate_only_when_both_tokens_are_complete() -> None:
    body = json.dumps(GOOD).encode()
    from_here = body.index(b'"refresh_token": "') + len(b'"refresh_token": "') + 37
    for length in range(len(body)):
        for cut in (Fault.TIMEOUT, None):
            answer = _grant(body[:length], cut=cut)
            assert not answer.is_definite
            assert answer.is_candidate is (length >= from_here), body[:length]
            assert answer.fault == (cut or Fault.BAD_RESPONSE)
            if answer.is_candidate:
                assert answer.tokens is not None
                assert answer.tokens.refresh_token == GOOD["refresh_token"]
                assert answer.tokens.access_token == GOOD["access_token"]


def test_a_number_at_the_cut_is_not_believed() -> None:
    body = b'{"access_token": "a", "refresh_token": "b", "expires_in": 36'
    answer = _grant(body, cut=Fault.CONNECTION_LOST)
    assert answer.tokens is not None
    assert answer.tokens.expires_in == ACCESS_LIFETIME_UNKNOWN


def test_a_whole_body_in_a_cut_answer_stays_a_candidate() -> None:
    answer = _grant(json.dumps(GOOD).encode(), cut=Fault.CONNECTION_LOST)
    assert (answer.is_candidate, answer.is_definite, answer.fault) == (True, False, Fault.CONNECTION_LOST)


@pytest.mark.parametrize("status", [201, 400, 401, 500, 503])
def test_tokens_count_only_with_a_200(status: int) -> None:
    for cut in (None, Fault.TIMEOUT):
        body = json.dumps(GOOD).encode()[: -1 if cut else None]
        answer = classify(Endpoint.TOKEN, AttemptKind.REFRESH, status, (), body, cut=cut)
        assert (answer.tokens, answer.is_candidate, answer.is_definite) == (None, False, False)
        assert answer.fault is not None


def test_a_byte_order_mark_is_forgiven() -> None:
    assert _grant(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).fault is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = st.sampled_from([*GOOD, "error", "error_message", "url"])
_BODIES = st.one_of(
    st.binary(max_size=300),
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.dictionaries(_NAMES, _JSON | st.sampled_from([*GOOD.values()]), max_size=8).map(
        lambda d: json.dumps(d).encode()
    ),
    st.tuples(st.integers(0, 300), st.binary(max_size=3)).map(
        lambda change: json.dumps(GOOD).encode()[: change[0]] + change[1] + json.dumps(GOOD).encode()[change[0] :]
    ),
)


@given(
    endpoint=st.sampled_from(Endpoint),
    grant=st.sampled_from([None, AttemptKind.REFRESH, AttemptKind.PASSWORD]),
    status=st.integers(100, 599),
    headers=st.lists(
        st.tuples(st.sampled_from(["Date", "Retry-After", "Location", "Content-Type"]), st.text(max_size=40)),
        max_size=4,
    ),
    body=_BODIES,
    cut=st.sampled_from([None, Fault.TIMEOUT]),
)
def test_reading_never_raises_and_never_takes_a_token_from_a_refused_body(
    endpoint: Endpoint,
    grant: AttemptKind | None,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes,
    cut: Fault | None,
) -> None:
    answer = classify(endpoint, grant, status, headers, body, cut=cut, now_epoch=NOW, secrets=("hunter22",))
    if answer.tokens is not None:
        assert grant is not None
        assert status == 200
        assert (answer.fault is None) is not answer.is_candidate
        assert answer.tokens.access_token.encode() in body
    if answer.fault is None and cut is None and 200 <= status < 300 and body:
        json.loads(body.removeprefix(b"\xef\xbb\xbf"))
    assert not (answer.is_definite and (status >= 500 or status == 429 or cut))
    assert len(answer.error_message) <= 500
    assert answer.error_message.isprintable()
