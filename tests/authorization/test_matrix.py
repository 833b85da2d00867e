"""Every page × method × asker, from the resolver: a page without an expectation fails, and so does one that lets in or
keeps out somebody else than its expectation says."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponseBase
from django.test import Client

from connections.dashboard.rights import RIGHTS, Right
from tests.authorization.addresses import Address, of_admin, of_pages
from tests.authorization.expectations import PAGES, Gate, Page, pages_of
from tests.authorization.world import ASKERS, CANARY, OF_A_TENANT, OTHER, Asker, World, gates, missing

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CELLS = [
    pytest.param(address, page, id=f"{address.name} {' '.join(map(str, page.values.values()))}".strip())
    for address in of_pages()
    for page in (pages_of(address.name) if address.name in PAGES else ())
]

LET_IN, SIGN_IN, FORBIDDEN, HIDDEN, CLOSED, PROVE = "let in", "sign in", "forbidden", "hidden", "closed", "prove"


def is_of_a_tenant(address: Address, page: Page) -> bool:
    return page.get is not None and bool(OF_A_TENANT.intersection(address.parameters))


def test_every_address_has_an_expectation_and_every_expectation_an_address() -> None:
    assert {address.name for address in of_pages()} == {*PAGES}


def seen(response: HttpResponseBase) -> str:
    match response.status_code:
        case 302 if response.headers["Location"].split("?")[0] == "/sign-in/again/":
            return PROVE
        case 302 if response.headers["Location"].startswith("/sign-in/?next="):
            return SIGN_IN
        case 403:
            return FORBIDDEN
        case 404:
            return HIDDEN
        case 405 | 410 | 429:
            return CLOSED
        case 200 | 201 | 204 | 302 | 409 | 422 | 503:
            return LET_IN
    return f"answered {response.status_code}"


def expected(asker: Asker, gate: Gate, address: Address, page: Page) -> set[str]:
    if gate == Gate.SECRET:
        return {FORBIDDEN, HIDDEN, CLOSED, LET_IN if "follow_link" in address.name else CLOSED}
    if gate != Gate.OPEN and asker.role is None:
        return {SIGN_IN}
    there = HIDDEN if page.is_absent else LET_IN
    if address.name in ("mfa_reauthenticate", "mfa_reauthenticate_webauthn"):
        there = PROVE  # without a second factor they lead to the page that asks for the password
    match gate:
        case Gate.OPEN | Gate.SIGNED_IN:
            return {there}
        case Gate.OWN:
            return {HIDDEN}
        case Gate.EVERYWHERE:
            return {there if asker.role == "admin" and not asker.limit else FORBIDDEN}
    may = Right(gate) in RIGHTS.get(asker.role or "", frozenset())
    if asker.role and asker.limit == OTHER and OF_A_TENANT.intersection(address.parameters):
        return {HIDDEN} if may else {HIDDEN, FORBIDDEN}
    return {there if may else FORBIDDEN}


def ask(client: Client, method: str, path: str, *, place: int = 0) -> HttpResponseBase:
    """`place`: each asks from an address of his own, so that nobody is slowed down for the others."""
    return client.generic(method, path, follow=False, REMOTE_ADDR=f"192.0.2.{place}")


@pytest.mark.parametrize(("address", "page"), CELLS)
def test_who_may_is_let_in_and_nobody_else(world: World, address: Address, page: Page) -> None:
    wrong = []
    clients = {asker: asker.client() for asker in ASKERS}
    for method, gate in gates(page):
        # Those who are let in come last: some of what they may do takes the thing away.
        for asker in sorted(ASKERS, key=lambda one: LET_IN in expected(one, gate, address, page)):
            path = address.path(world.values(address, page))
            response = ask(clients[asker], method, path, place=ASKERS.index(asker))
            if seen(response) not in (wanted := expected(asker, gate, address, page)):
                wrong.append(
                    f"{method} by {asker}: {response.status_code}, {seen(response)}, not {' or '.join(wanted)}"
                )
    assert wrong == []


@pytest.mark.parametrize(("address", "page"), CELLS)
def test_a_method_that_is_not_answered_does_nothing(world: World, address: Address, page: Page) -> None:
    answered = {method for method, _ in gates(page)}
    path, admin = address.path(world.values(address, page)), Asker("admin").client()
    asked = {
        method: ask(admin, method, path)
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE")
        if method not in answered
    }
    assert {method: response.status_code for method, response in asked.items() if seen(response) != CLOSED} == {}
    assert seen(ask(Client(), "DELETE", path)) in (CLOSED, SIGN_IN)


@pytest.mark.parametrize(("address", "page"), [cell for cell in CELLS if is_of_a_tenant(*cell.values)])  # type: ignore[arg-type]
def test_another_tenants_thing_looks_like_one_that_does_not_exist(world: World, address: Address, page: Page) -> None:
    there, gone = world.values(address, page), missing(address, page)
    for role in ("viewer", "operator", "admin", "auditor"):
        client = Asker(role, OTHER).client()
        for _ in range(2):  # the mark of a page changes with the minute: a pair that saw two of them is asked again
            bodies = [told(client, address.path(values), values) for values in (there, gone)]
            if bodies[0] == bodies[1]:
                break
        assert bodies[0] == bodies[1]


def told(client: Client, path: str, values: dict[str, object]) -> tuple[int, str]:
    """Without what differs from request to request, and from id to id."""
    response = client.get(path)
    assert response.status_code in (403, 404)
    text = re.sub(r"r_[0-9a-f]{12}|[A-Za-z0-9]{64}|\d\d:\d\d:\d\d|\d+-\d+-\d+T[^\"<]+", "", response.content.decode())
    for value in map(str, values.values()):
        text = text.replace(value, "ID")
    return response.status_code, text


@pytest.mark.parametrize(("address", "page"), [cell for cell in CELLS if not cell.values[0].parameters])
def test_no_list_count_or_export_tells_of_another_tenant(world: World, address: Address, page: Page) -> None:
    """Also as a search: what is not there for the asker is not found by its name either."""
    for role in ("viewer", "admin", "auditor"):
        client = Asker(role, OTHER).client()
        for query in ("", f"?q={CANARY}&tag={CANARY}&tenant=acme&target={world.row.public_id}"):
            world.key(), world.draft()
            response = client.get(f"{address.path({})}{query}")
            body = b"".join(response.streaming_content) if response.streaming else response.content
            text = body.decode().replace(f'value="{CANARY}"', "").replace(f"<strong>{CANARY}</strong>", "")
            shown = re.sub(r'(href|action|value|data-live)="[^"]*"', "", text)
            assert CANARY not in shown, f"{role} {query}"
            if not query:
                assert world.row.public_id not in text


@pytest.mark.parametrize(("address", "page"), CELLS)
def test_what_is_dangerous_wants_a_fresh_proof_and_the_rest_does_not(
    world: World, address: Address, page: Page
) -> None:
    client = Asker("admin").client(proved_ago=400)
    for method, gate in gates(page):
        if gate in (Gate.OPEN, Gate.SIGNED_IN, Gate.OWN, Gate.SECRET):
            continue  # the door and one's own account: tests/signin
        response = ask(client, method, address.path(world.values(address, page)))
        wants = page.is_dangerous if method == "POST" else page.is_export
        assert (seen(response) == PROVE) is wants, f"{method}: {response.status_code}"


@pytest.mark.parametrize("address", of_admin(), ids=lambda address: f"{address.name} {address.route}")
def test_djangos_own_admin_is_for_superusers_alone(address: Address) -> None:
    values = {"object_id": "1", "app_label": "connections", "content_type_id": "1", "id": "1", "url": "x"}
    path = re.sub(r"[\^$]|\(\?P<(\w+)>[^)]*\)", lambda match: values.get(match[1] or "", ""), address.path(values))
    for asker in (Asker(None), Asker(""), Asker("admin")):
        client = asker.client()
        for method in ("GET", "POST"):
            response = ask(client, method, path)
            assert seen(response) != LET_IN or _leads_to_the_door(response), f"{asker}: {response.status_code}"


def _leads_to_the_door(response: HttpResponseBase) -> bool:
    return response.status_code in (301, 302) and response.headers["Location"].startswith(
        ("/sign-in/", "/admin/", "/profile/")
    )
