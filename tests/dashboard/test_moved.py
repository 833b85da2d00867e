"""A password is typed for what the page showed: for another address, or a second time, nothing is sent."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from connections.custody import runner
from connections.models import Connection, LentPassword
from connections.onboarding import registry
from connections.simulator import SimulatorServer
from connections.simulator.control import InstanceControl
from tests.custody.conftest import ANA, Connect, Kept
from tests.dashboard.people import signed_in
from tests.dashboard.sending import seen_on
from tests.dashboard.walking import PASSWORD, Walk, walk_on

pytestmark = [pytest.mark.django_db, pytest.mark.once]
_numbers = itertools.count(1)
MOVED = "was changed or tried since"


def move(kept: Kept) -> InstanceControl:
    """The connection leads to another instance now; answers with what that one hears."""
    other = elsewhere(kept.simulator)
    registry.edit(kept.public_id, {"instance_url": other.url}, ANA)
    return other


def elsewhere(simulator: SimulatorServer) -> InstanceControl:
    return simulator.control.add_instance(f"elsewhere{next(_numbers)}", "13.3", cleanup_probability=0)


def grants_of(simulator: SimulatorServer, sugar: InstanceControl) -> int:
    return simulator.control.count(instance=sugar.name, endpoint="token")


def said(response: HttpResponse) -> str:
    return response.content.decode()


def test_a_sign_in_form_from_before_sends_nothing_to_the_new_address(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    operator, path = signed_in("operator"), f"/connections/{kept.public_id}/actions/sign-in/"
    form = seen_on(operator, path) | {"password": "secret"}
    other = move(kept)
    response = operator.post(path, form)
    assert (response.status_code, grants_of(kept.simulator, other)) == (409, 0)
    assert MOVED in said(response)
    assert f"{other.url} as svc" in said(response), "the page says where it would sign in now"


def test_the_claim_itself_looks_again(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Moved after the page was compared and before the grant is claimed."""
    kept = connect("13.3", fields={"store_password": False})
    operator, path = signed_in("operator"), f"/connections/{kept.public_id}/actions/sign-in/"
    form, heard, start = seen_on(operator, path) | {"password": "secret"}, [], runner.start

    def move_first(*given: Any, **named: Any) -> Any:
        heard.append(move(kept))
        return start(*given, **named)

    monkeypatch.setattr(runner, "start", move_first)
    response = operator.post(path, form)
    assert (response.status_code, grants_of(kept.simulator, heard[0])) == (409, 0)
    assert MOVED in said(response)


def test_a_form_that_is_sent_three_times_tries_once(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    operator, path = signed_in("operator"), f"/connections/{kept.public_id}/actions/sign-in/"
    form, before = seen_on(operator, path) | {"password": "wrong"}, kept.grants("password")
    assert [operator.post(path, form).status_code for _ in range(3)] == [302, 409, 409]
    assert kept.grants("password") == before + 1


@pytest.mark.parametrize("missing", ["generation", "attempts"])
def test_a_form_that_does_not_say_what_it_showed_sends_nothing(connect: Connect, missing: str) -> None:
    kept = connect("13.3", fields={"store_password": False})
    operator, path = signed_in("operator"), f"/connections/{kept.public_id}/actions/sign-in/"
    form, before = seen_on(operator, path) | {"password": "secret"}, kept.grants("password")
    del form[missing]
    assert operator.post(path, form).status_code == 409
    assert kept.grants("password") == before


def test_secrets_from_before_are_not_stored_for_the_new_address(connect: Connect) -> None:
    kept = connect("13.3", fields={"store_password": False})
    admin, path = signed_in("admin"), f"/connections/{kept.public_id}/settings/"
    form = {"section": "secrets", "password": "secret", "store_password": "on"}
    form |= {"generation": seen_on(admin, path)["generation"]}
    other = move(kept)
    response = admin.post(path, form)
    assert response.status_code == 409
    assert "were changed while you looked" in said(response)
    kept.make_due()
    kept.tend()
    assert (kept.row.password, grants_of(kept.simulator, other)) == (None, 0)


# -- the wizard


@pytest.fixture
def walk(connect: Connect, simulator: SimulatorServer) -> Walk:
    return walk_on(simulator)


def lead_elsewhere(walk: Walk) -> InstanceControl:
    """A colleague, in another browser."""
    other = elsewhere(walk.simulator)
    other.add_platform("sugaradmin_acme")
    colleague = Walk(simulator=walk.simulator, sugar=walk.sugar, client=signed_in("admin"), base=walk.base)
    assert colleague.post("address", instance_url=other.url, label="Acme EU").status_code == 302
    return other


TYPED = {"username": "svc", "password": PASSWORD, "store_password": "on", "client_id": "sugar"}


@pytest.mark.parametrize("is_born", [False, True])
def test_credentials_from_before_are_not_taken_for_the_new_address(walk: Walk, is_born: bool) -> None:
    walk.describe()
    if is_born:
        assert walk.sign_up().status_code == 302
    path = f"{walk.base}credentials/"
    form = seen_on(walk.client, path) | TYPED
    other = lead_elsewhere(walk)
    response = walk.client.post(path, form)
    assert response.status_code == 409
    assert MOVED in said(response)
    assert not LentPassword.objects.filter(secret__isnull=False).exists()
    assert Connection.objects.count() == is_born
    assert grants_of(walk.simulator, other) == 0


def test_a_test_from_before_is_not_run_at_the_new_address(walk: Walk) -> None:
    walk.ready()
    path = f"{walk.base}review/"
    form = seen_on(walk.client, path)
    other = lead_elsewhere(walk)
    assert walk.client.post(path, form).status_code == 409
    assert grants_of(walk.simulator, other) == 0


def test_a_test_that_is_sent_twice_tries_once(walk: Walk) -> None:
    walk.ready("wrong")
    path = f"{walk.base}review/"
    form = seen_on(walk.client, path)
    assert [walk.client.post(path, form).status_code for _ in range(2)] == [302, 409]
    assert grants_of(walk.simulator, walk.sugar) == 1


def test_without_a_draft_of_that_page_nothing_is_taken(walk: Walk) -> None:
    walk.describe()
    response = Client.post(walk.client, f"{walk.base}credentials/", TYPED)
    assert response.status_code == 409
    assert Connection.objects.count() == 0
