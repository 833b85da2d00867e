"""What an attempt sent and heard, as its page and those of its events tell it."""

from __future__ import annotations

import html
import re
import shlex

import pytest

from connections.choices import Fault
from connections.custody import actions
from connections.custody.values import Result
from connections.dashboard import attempt_words
from connections.models import TokenVersion
from connections.onboarding import registry
from tests.browser.fleet import dying
from tests.custody.conftest import ANA, Connect, Kept
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db(transaction=True)


def page(kept: Kept, path: str) -> str:
    return html.unescape(signed_in("viewer").get(f"/connections/{kept.public_id}/{path}").content.decode())


def curls(text: str) -> list[list[str]]:
    return [shlex.split(found) for found in re.findall(r'<pre[^>]* id="curl-\d+">(.*?)</pre>', text, re.DOTALL)]


def test_a_refresh_is_told_with_the_fingerprint_of_what_was_presented(connect: Connect) -> None:
    kept = connect("13.3")
    actions.rotate(kept.public_id, ANA)
    told = page(kept, "attempts/2/")
    first = TokenVersion.objects.get(connection=kept.row, number=1)
    assert "POST /" in told
    assert "grant_type=refresh_token\n" in told
    assert f"refresh_token=[refresh_token {first.refresh_fingerprint}]" in told
    (curl,) = curls(told)
    assert curl[-1] == f"{kept.row.instance_url}/rest/v10/oauth2/token"
    assert "refresh_token=$REFRESH_TOKEN" in curl
    fields = {word.split("=")[0] for word in curl if "=" in word}
    assert fields == {
        "grant_type", "refresh_token", "client_id", "client_secret", "platform", "current_language",
    }  # fmt: skip
    assert "ends our session" in told, "who copies it is warned"


def test_an_event_shows_what_its_attempt_sent_and_heard(connect: Connect) -> None:
    kept = connect("13.3")
    told = page(kept, "events/2/")
    assert "password=[password]" in told
    assert "username=svc" in told
    assert "HTTP 200" in told
    assert f'href="/connections/{kept.public_id}/events/1/"' in told


def test_a_test_is_told_as_the_gets_that_it_was(connect: Connect) -> None:
    kept = connect("13.3")
    actions.test(kept.public_id, ANA)
    told = page(kept, "attempts/2/")
    paths = [curl[-1].removeprefix(f"{kept.row.instance_url}/rest/v10/") for curl in curls(told)]
    assert paths == ["ping/whattimeisit?platform=intg", "ping", "me"]
    assert "grant_type" not in told
    assert "3 of 3 checks passed" in page(kept, "attempts/")


def test_after_an_edit_nobody_claims_to_know_the_client_of_before(connect: Connect) -> None:
    kept = connect("13.3")
    registry.edit(kept.public_id, {"client_id": "another"}, ANA)
    told = page(kept, "attempts/1/")
    assert "client_id=[client_id]" in told
    assert "client_id=another" not in told


def test_what_went_wrong_stands_in_words(connect: Connect) -> None:
    listed = page(dying(connect), "attempts/")
    assert "Refresh token not known" in listed
    assert "refresh_token_invalid" not in listed
    assert set(attempt_words.FAULTS) == set(Fault.values)
    assert set(attempt_words.RESULTS) == set(Result)
    assert attempt_words.check_words("timeout: 30 s") == "No answer in time: 30 s"


def test_the_words_for_the_customer_name_their_own_instance(connect: Connect) -> None:
    kept = dying(connect)
    told = page(kept, "")
    words = re.search(r'<blockquote id="customer-words">(.*?)</blockquote>', told)
    assert words is not None
    assert kept.row.host in words[1]
    assert "‹" not in words[1]
    assert 'data-copy-from="customer-words"' in told
    assert f'data-copy-url="/connections/{kept.public_id}/bundle/"' in told
