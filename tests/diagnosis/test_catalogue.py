"""Every code has its entry, and every entry says all it has to say."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue import ANY_CONNECTION, BLANKS, CATALOGUE, Entry, entry_for, fill

WORDS = {"host": "acme.example", "platform": "int{g}", "username": "svc", "client_id": "sugar"}
EVERY_ENTRY = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=list(CATALOGUE))

# DESIGN, section 5: "Which code gives which status".
ASKS_FOR_A_PERSON = {
    "refresh_token_superseded",
    "refresh_token_lost",
    "refresh_token_expired",
    "session_cap_reached",
    "bad_credentials",
    "user_inactive",
    "locked_out",
    "sso_required",
    "user_unsuitable",
    "credentials_missing",
    "client_invalid",
    "client_mismatch",
    "platform_not_registered",
    "user_agent_blocked",
    "version_unsupported",
    "identity_rejected",
    "encryption_key_missing",
    "database_restored",
}
IS_WAITED_FOR = {
    "maintenance",
    "license",
    "identity_unavailable",
    "dns_failure",
    "connection_refused",
    "tls_invalid",
    "address_blocked",
    "moved",
    "not_sugar",
    "firewall_blocked",
    "header_stripped",
    "timeout",
    "connection_lost",
    "server_error",
    "bad_response",
    "rate_limited",
}
HEALS_BY_ITSELF = {"access_token_rejected", "session_rejected", "unknown"}
IS_ONLY_A_WARNING = {"platform_shared", "password_stale", "password_expired", "access_denied"}


def texts(entry: Entry) -> Iterator[str]:
    for text in (entry.title, entry.cause, entry.what_it_is, entry.how_we_know, entry.needs, entry.tell_the_customer):
        yield str(text)
    yield from (str(step) for step in (*entry.fix, *entry.waiting))


def test_every_code_has_an_entry_under_its_own_name() -> None:
    assert set(CATALOGUE) == set(DiagnosisCode)
    assert all(entry.code == code for code, entry in CATALOGUE.items())


@EVERY_ENTRY
def test_every_text_is_written_and_ends_as_a_sentence(entry: Entry) -> None:
    assert entry.fix
    for text in texts(entry):
        assert text == text.strip()
        assert "  " not in text
        assert len(text) > 10
    for text in (entry.cause, entry.what_it_is, entry.how_we_know, entry.needs, entry.tell_the_customer):
        assert str(text)[-1] in ".?”", text
    assert not str(entry.title).endswith(".")
    assert not re.search(r"[.?!] [A-Z]", str(entry.cause)), "the cause is one sentence"


@EVERY_ENTRY
def test_every_blank_is_known_and_filled(entry: Entry) -> None:
    for text in texts(entry):
        assert set(re.findall(r"{(\w*)}", text)) <= set(BLANKS)
        assert not re.search(r"{(host|platform|username|client_id)}", fill(text, WORDS))
    assert set(ANY_CONNECTION) == set(BLANKS)
    assert "{" not in fill(entry.cause)


@EVERY_ENTRY
def test_what_time_heals_says_what_to_do_meanwhile(entry: Entry) -> None:
    if entry.fix_by == FixBy.NOBODY and entry.trouble == Trouble.UNREACHABLE:
        assert entry.waiting


def test_words_of_a_connection_are_not_read_as_blanks() -> None:
    assert "“int{g}”" in fill(CATALOGUE[DiagnosisCode.PLATFORM_NOT_REGISTERED].cause, WORDS)


def test_the_trouble_of_every_code_is_the_designed_one() -> None:
    by_trouble = {trouble: {e.code.value for e in CATALOGUE.values() if e.trouble == trouble} for trouble in Trouble}
    assert by_trouble == {
        Trouble.PERSON: ASKS_FOR_A_PERSON,
        Trouble.UNREACHABLE: IS_WAITED_FOR,
        Trouble.IN_DOUBT: {"outcome_unknown"},
        Trouble.RETRYING: HEALS_BY_ITSELF,
        Trouble.NONE: IS_ONLY_A_WARNING,
    }


def test_titles_tell_codes_apart() -> None:
    assert len({str(entry.title) for entry in CATALOGUE.values()}) == len(CATALOGUE)


def test_the_platform_path_is_spelled_out_for_the_admin() -> None:
    entry = entry_for("platform_not_registered")
    assert "Admin > Configure API Platforms" in str(entry.tell_the_customer)
    assert "int{g} exactly" in fill(entry.tell_the_customer, WORDS)


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="no_such_code"):
        entry_for("no_such_code")
