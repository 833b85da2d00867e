"""Another scheme, host, port or CA: every secret is gone, and every link that asked for one is void."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from connections.choices import LinkKind, LinkStanding
from connections.custody import actions, columns, lent
from connections.onboarding import links, registry
from tests.custody.conftest import ANA, Connect, Kept, connect, simulator
from tests.egress.conftest import authority
from tests.egress.listener import Authority

__all__ = ["authority", "connect", "simulator"]


def other_port(url: str) -> str:
    return url.replace(f":{urlsplit(url).port}", ":9")


CHANGES: dict[str, Callable[[str], str]] = {
    "scheme": lambda url: url.replace("http:", "https:"),
    "host": lambda url: url.replace("127.0.0.1", "127.0.0.2"),
    "port": other_port,
}


def full(connect: Connect) -> Kept:
    """With everything stored that could be: password, client secret, tokens, a lent password; and a link."""
    kept = connect("13.3", sign_in=False, fields={"client_id": "own", "client_secret": "canary"})
    registry.edit(kept.public_id, {"refresh_token": "canary"}, ANA)
    links.issue(kept.public_id, LinkKind.SIGN_IN, ANA, tenants=None, seen=0)
    lent.lend(kept.row, "canary", "a session")
    return kept


def secrets_left() -> set[str]:
    return {str(column) for column in columns.sealed_columns() if column.is_of_tenants and column.rows().exists()}


def standing(kept: Kept) -> str:
    link = links.of_id(LinkKind.SIGN_IN, kept.row.links.get().public_id)
    assert link is not None
    return str(links.look(link).standing)


@pytest.mark.parametrize("what", CHANGES)
def test_another_address_wipes_every_secret_and_voids_the_links(connect: Connect, what: str) -> None:
    kept = full(connect)
    assert secrets_left() == {
        "connection.password", "connection.client_secret", "connection.adopted_token", "lentpassword.secret",
    }  # fmt: skip
    registry.edit(kept.public_id, {"instance_url": CHANGES[what](kept.row.instance_url)}, ANA)
    assert secrets_left() == set()
    assert standing(kept) == LinkStanding.VOID
    assert "Every secret wiped: the host or its CA changed." in kept.row.events.values_list("summary", flat=True)


def test_another_ca_does_so_too_and_ends_the_session(connect: Connect, authority: Authority) -> None:
    kept = connect("13.3")
    assert "tokenversion.access_token" in secrets_left()
    registry.edit(kept.public_id, {"ca_pem": authority.pem}, ANA)
    assert secrets_left() == set()
    assert kept.live_row() is None, "logged out where it lived"


def with_a_cut_answer(connect: Connect) -> Kept:
    """Both tokens had come through when the line broke: kept on an attempt that still drains."""
    kept = connect("13.3")
    kept.make_due()
    kept.sugar.chaos("cut", endpoint="token", count=1, place="after_refresh_token")
    kept.tend()
    assert "attempt.answer" in secrets_left()
    return kept


def test_another_address_wipes_an_answer_that_still_drains(connect: Connect) -> None:
    kept = with_a_cut_answer(connect)
    registry.edit(kept.public_id, {"instance_url": CHANGES["host"](kept.row.instance_url)}, ANA)
    assert secrets_left() == set()


def test_a_delete_does_so_too(connect: Connect) -> None:
    kept = with_a_cut_answer(connect)
    actions.delete(kept.public_id, ANA)
    assert secrets_left() == set()


def test_a_description_keeps_them(connect: Connect) -> None:
    kept = full(connect)
    registry.edit(kept.public_id, {"label": "Another", "tags": ["x"]}, ANA)
    assert len(secrets_left()) == 4
    assert standing(kept) == LinkStanding.OPEN
