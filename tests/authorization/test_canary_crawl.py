"""Unique secrets through every address that the resolver knows: they come out nowhere, in no shape.

A new page is part of it without anybody thinking of it. What custody itself says, logs and spools is in
tests/custody/test_canary.py; what a browser loads beside the pages, in tests/browser/test_canary.py.
"""

from __future__ import annotations

import io
import itertools
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.management import call_command
from django.http import HttpResponseBase
from django.test import Client

from connections.api.views.documents import ALL_ROUTES
from connections.dashboard.views import detail
from connections.onboarding import registry
from sugaradmin.logs import logging_config
from tests.authorization.addresses import of_admin, of_pages
from tests.authorization.expectations import PAGES, pages_of
from tests.authorization.test_api_matrix import call, key
from tests.authorization.world import Asker, World
from tests.custody.canaries import CLIENT_SECRET, NEXT_PASSWORD, PASSWORD, Cage, database_dump, found
from tests.custody.conftest import ANA, Connect, Kept
from tests.custody.test_canary import enumerate_lines
from tests.dashboard.people import person, signed_in
from tests.dashboard.sending import send

TYPED = {
    "password": PASSWORD, "client_secret": CLIENT_SECRET, "refresh_token": NEXT_PASSWORD, "username": "canary",
    "store_password": "on", "client_id": "own", "version": "1", "section": "secrets", "kind": "sign_in", "label": "x",
    "oldpassword": NEXT_PASSWORD, "password1": NEXT_PASSWORD, "password2": PASSWORD, "login": "canary",
    "code": "000000", "q": NEXT_PASSWORD,
}  # fmt: skip
ADMIN = Asker("admin")


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """What the product logs at its most talkative, with its own levels for libraries and before any redaction."""
    text, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(text)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(args)s"))
    wanted = {name: rules["level"] for name, rules in logging_config(level="DEBUG")["loggers"].items()} | {"": "DEBUG"}
    before = {name: logging.getLogger(name).level for name in wanted}
    for name, level in wanted.items():
        logging.getLogger(name).setLevel(level)
    root.addHandler(handler)
    yield text
    root.removeHandler(handler)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture
def kept(connect: Connect) -> Kept:
    kept = connect("13.3", sign_in=False, fields={"label": "Acme EU", "tags": ["eu"]})
    kept.sugar.admin_change_password("svc", PASSWORD)
    kept.sugar.key("integration", CLIENT_SECRET)
    registry.edit(kept.public_id, {"client_id": "integration"}, ANA)
    registry.edit(kept.public_id, {"client_secret": CLIENT_SECRET, "password": PASSWORD}, ANA)
    path = f"/connections/{kept.public_id}/actions/"
    assert send(signed_in("admin"), f"{path}sign-in/", {"password": PASSWORD}).status_code == 302
    signed_in("admin").post(f"{path}test/")
    return kept


@pytest.fixture
def cage(kept: Kept) -> Cage:
    return Cage(kept.simulator.world[kept.sugar.name])


def said(response: HttpResponseBase) -> str:
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return json.dumps(dict(response.headers)) + bytes(content).decode()


def crawl(kept: Kept) -> Iterator[tuple[str, str]]:
    """Every page × GET and POST, as admin, with everything typed that a form could ask for."""
    world = World(row=kept.row, someone=person("viewer", name="someone"))
    for address in of_pages():
        for page in pages_of(address.name) if address.name in PAGES else ():
            for method in ("get", "post"):
                path = address.path(world.values(address, page))
                client = Client() if "sign-in" in path else ADMIN.client()
                yield f"{method} {path}", said(client.post(path, TYPED) if method == "post" else client.get(path))
    for address in of_admin():
        path = "/" + re.sub(r"<[^>]+>|\(.*\)", "1", address.route)
        yield f"get {path}", said(ADMIN.client().get(path))
    for number in range(1, kept.row.event_count + 1):
        path = f"/connections/{kept.public_id}/events/{number}/"
        yield path, said(ADMIN.client().get(path))
    for query in ("timeline/?show=table", "timeline/?kind=signed_in", "attempts/2/", "attempts/3/", "audit/"):
        yield query, said(ADMIN.client().get(f"/connections/{kept.public_id}/{query}"))


def api(kept: Kept) -> Iterator[tuple[str, str]]:
    """Every call, but for the two that hand out a token to who may fetch it."""
    secret = key(["token:read", "connections:read", "connections:write", "events:read"])
    for route in ALL_ROUTES:
        if route.name not in ("token", "rejected") and route.method != "DELETE":
            yield f"{route.method} {route.path}", said(call(route, kept.public_id, secret))


def exports() -> Iterator[tuple[str, str]]:
    for options in ((), ("--format", "csv")):
        out = io.StringIO()
        call_command("export_connections", *options, stdout=out)
        yield f"export {options}", out.getvalue()


def sessions() -> Iterator[tuple[str, str]]:
    """Packed as they lie in the table, nobody could read them."""
    return ((f"session {row.pk[:4]}", json.dumps(row.get_decoded(), default=str)) for row in Session.objects.all())


@pytest.mark.once
def test_no_secret_comes_out_of_any_address(kept: Kept, cage: Cage, logged: io.StringIO) -> None:
    answers = []
    for one in itertools.chain(api(kept), crawl(kept), exports()):
        cage.collect()
        answers.append(one)
    cage.collect()
    assert len(answers) > 150
    assert found(cage, answers) == {}
    assert found(cage, [*database_dump(), *sessions()]) == {}
    assert found(cage, [(letter.subject, letter.message().as_string()) for letter in mail.outbox]) == {}
    assert found(cage, enumerate_lines(logged.getvalue())) == {}


@pytest.mark.once
def test_what_is_shown_once_is_in_one_answer(kept: Kept, cage: Cage, logged: io.StringIO) -> None:
    """The secret of an API key, the address of a customer's link, the one-time link of a new person."""
    admin = signed_in("admin")
    page = admin.get("/api-keys/new/").content.decode()
    form = {
        "name": "worker-eu",
        "scopes": ["token:read"],
        "ticket": re.findall(r'name="ticket" value="(\w+)"', page)[0],
    }
    made = [
        ("key", said(admin.post("/api-keys/new/", form))),
        ("link", said(admin.post(f"/connections/{kept.public_id}/links/", {"kind": "sign_in", "seen": "0"}))),
        ("person", said(admin.post("/settings/users/new/", {"username": "bob", "role": "viewer"}))),
    ]
    shown = [
        re.findall(pattern, text)
        for (_, text), pattern in zip(
            made, (r"sga_\w+_[\w-]{43}", r"/r/([\w-]{20,})", r"/sign-in/link/([\w-]{20,})"), strict=True
        )
    ]
    assert all(shown), [words for words, secrets in zip(made, shown, strict=True) if not secrets]
    cage.secrets = {secrets[0] for secrets in shown}
    answers = [*made, *crawl(kept), *api(kept)]
    times = Counter(secret for _, text in answers for secret in cage.escaped(text))
    assert times == dict.fromkeys(cage.secrets, 1)
    assert found(cage, [*database_dump(), *sessions()]) == {}
    assert found(cage, enumerate_lines(logged.getvalue())) == {}


def test_a_page_that_fails_says_nothing_of_what_it_had_in_hand(
    kept: Kept, cage: Cage, logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **named: object) -> None:
        in_hand = PASSWORD, CLIENT_SECRET
        raise RuntimeError(f"a mistake of ours with {len(in_hand)} secrets")

    monkeypatch.setattr(detail, "find", fail, raising=False)
    monkeypatch.setattr("connections.dashboard.views.editing.find", fail, raising=False)
    client = ADMIN.client()
    client.raise_request_exception = False
    failed = [
        client.get(f"/connections/{kept.public_id}/"),
        client.post(f"/connections/{kept.public_id}/settings/", TYPED),
    ]
    cage.collect()
    assert [page.status_code for page in failed] == [500, 500]
    assert found(cage, [("the error page", said(page)) for page in failed]) == {}
    assert found(cage, enumerate_lines(logged.getvalue())) == {}
    assert "a mistake of ours" in logged.getvalue(), "the net was cast"
