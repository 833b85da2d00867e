"""Addresses and forms that no browser of a person would send: a page of ours answers them, on either database."""

from __future__ import annotations

import base64
import json

import pytest

from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
ZERO = "%00"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/connections/?q={ZERO}&tag={ZERO}&tenant={ZERO}&host={ZERO}", 200),
        (f"/api-keys/new/?like={ZERO}", 200),
        (f"/audit/?actor={ZERO}&before={ZERO}", 200),
        (f"/settings/users/of/{ZERO}/", 404),
    ],
)
def test_a_zero_in_an_address_is_left_out(path: str, status: int) -> None:
    assert signed_in().get(path).status_code == status


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"])
@pytest.mark.parametrize("pk", [1, 2**70])
def test_a_place_at_the_end_of_time_opens_the_list_all_the_same(moment: str, pk: int) -> None:
    for order, place in (
        ("", [1, moment, "a", pk]),
        ("", [pk, moment, "a", 1]),
        ("&sort=-last_success", [moment, "a", pk]),
    ):
        after = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
        assert signed_in().get(f"/connections/?after={after}{order}").status_code == 200


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_key_for_the_end_of_time_is_told_beside_its_field(day: str) -> None:
    given = {"name": "etl", "scopes": ["token:read"], "expires": day}
    assert signed_in().post("/api-keys/new/", given).status_code == 422


def test_a_zero_in_the_name_of_a_tenant_is_no_part_of_it() -> None:
    client = signed_in()
    given = {"name": "etl", "scopes": ["token:read"], "tenants": "\0nobody\0"}
    assert client.post("/api-keys/new/", given).status_code == 422
    assert client.post("/settings/users/new/", given | {"username": "x", "role": "viewer"}).status_code == 422


def test_an_authority_that_is_no_certificate_is_told_beside_its_field() -> None:
    given = {"tenant": "acme", "label": "x", "instance_url": "https://192.0.2.1", "ca_pem": "für alles"}
    response = signed_in().post("/connections/new/", given)
    assert response.status_code == 422
    assert b"not a certificate in PEM form" in response.content
