from __future__ import annotations

from typing import Any

import pytest

from connections.models import Connection, Tenant
from tests.api.conftest import MakeCaller, problem


@pytest.mark.parametrize("name", ["tenant", "label", "instance_url", "platform", "username", "password"])
def test_what_is_needed_is_named_when_it_is_missing(described: dict[str, Any], caller: MakeCaller, name: str) -> None:
    worker = caller()
    without = {key: value for key, value in described.items() if key != name}
    for fields in (without, described | {name: None}, described | {name: ""}):
        told = problem(worker.post("connections", fields), 422, "invalid")
        assert list(told["errors"]) == [name]
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "name",
    [
        "tenant",
        "label",
        "instance_url",
        "platform",
        "username",
        "password",
        "client_id",
        "client_secret",
        "ca_pem",
        "refresh_token",
        "external_id",
        "contact_name",
        "contact_email",
    ],
)
def test_a_wrong_type_is_named(described: dict[str, Any], caller: MakeCaller, name: str) -> None:
    worker = caller()
    for value in (7, True, ["x"], {"x": 1}, 1.5):
        told = problem(worker.post("connections", described | {name: value}), 422, "invalid")
        assert list(told["errors"]) == [name]
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sign_in", "yes"),
        ("store_password", 1),
        ("allow_shared_platform", "true"),
        ("tags", "gold"),
        ("tags", [7]),
        ("tags", ["two words"]),
        ("server_seconds", "30"),
        ("label", "zero\x00"),
        ("tags", ["zero\x00"]),
        ("username", "\ud800"),
        ("contact_email", "nobody"),
        ("ca_pem", "our own authority"),
        ("ca_pem", "unsere eigene Zertifizierungsstelle für alles"),
        ("nonsense", 1),
    ],
)
def test_a_value_that_is_none_is_named(described: dict[str, Any], caller: MakeCaller, name: str, value: object) -> None:
    told = problem(caller().post("connections", described | {name: value}), 422, "invalid")
    assert list(told["errors"]) == [name]
    assert not Connection.objects.exists()


def test_everything_that_is_wrong_is_told_at_once(described: dict[str, Any], caller: MakeCaller) -> None:
    told = problem(
        caller().post("connections", described | {"label": 7, "platform": "a b", "contact_email": "x"}), 422, "invalid"
    )
    assert set(told["errors"]) == {"label", "platform", "contact_email"}


def test_a_built_in_platform_is_refused_unless_it_is_wanted(described: dict[str, Any], caller: MakeCaller) -> None:
    told = problem(caller().post("connections", described | {"platform": "Base"}), 422, "platform_shared")
    assert list(told["errors"]) == ["platform"]
    assert not Connection.objects.exists()
    wanted = described | {"platform": "base", "allow_shared_platform": True}
    assert caller().post("connections", wanted).status_code == 201


def test_a_blocked_address_is_refused(described: dict[str, Any], caller: MakeCaller) -> None:
    told = problem(
        caller().post("connections", described | {"instance_url": "https://169.254.169.254/"}), 422, "address_blocked"
    )
    assert list(told["errors"]) == ["instance_url"]


def test_the_same_triple_is_there_once(described: dict[str, Any], caller: MakeCaller) -> None:
    worker = caller()
    assert worker.post("connections", described).status_code == 201
    again = described | {"tenant": "other", "username": "SVC", "platform": "INTG"}
    told = problem(worker.post("connections", again), 409, "connection_exists")
    assert told["retryable"] is False
    assert Connection.objects.count() == 1


def test_an_external_id_is_there_once_per_tenant(described: dict[str, Any], caller: MakeCaller) -> None:
    worker = caller()
    worker.post("connections", described | {"external_id": "X"})
    told = problem(worker.post("connections", described | {"external_id": "X", "username": "other"}), 422, "invalid")
    assert list(told["errors"]) == ["external_id"]


@pytest.mark.parametrize("slug", ["acme", "nobody"])
def test_a_limited_key_makes_nothing_elsewhere(described: dict[str, Any], caller: MakeCaller, slug: str) -> None:
    problem(caller(tenants=["other"]).post("connections", described | {"tenant": slug}), 404, "not_found")
    assert not Connection.objects.exists()
    assert not Tenant.objects.filter(slug="nobody").exists()
