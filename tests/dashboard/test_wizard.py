"""The wizard over HTTP, without scripts: address, platform, credentials, test, done."""

from __future__ import annotations

import re

import pytest

from connections.custody import actions
from connections.models import AuditRow, Connection, Draft, LentPassword, Tenant
from connections.simulator import SimulatorServer
from tests.custody.conftest import ANA, Connect
from tests.dashboard.people import signed_in
from tests.dashboard.sending import send
from tests.dashboard.walking import PASSWORD, Walk, text_of, walk_on

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.once]


GRANTS = ("password", "refresh")


@pytest.fixture
def walk(connect: Connect, simulator: SimulatorServer) -> Walk:
    """With `connect`, for its times and its settings."""
    return walk_on(simulator)


# -- the address


def test_what_was_pasted_is_normalised_and_every_look_is_shown_with_its_time(walk: Walk) -> None:
    assert walk.begin().status_code == 302
    page = walk.get("address/")
    assert walk.draft.instance_url == walk.url
    assert "REST root found" in page
    assert "/rest/v11_23/" in page
    assert "Sugar 13.3.0, edition ENT." in page
    assert "Sugar itself checks user and password." in page
    assert page.count(" ms ") == 4
    assert not Connection.objects.exists()
    assert walk.simulator.control.count(instance=walk.sugar.name, endpoint="token") == 0


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("tenant", "Not A Slug!", "lower-case letters"),
        ("label", "", "This is needed."),
        ("instance_url", "ftp://x", "must begin with https://"),
        ("instance_url", "http://169.254.169.254/", "never reached"),
        ("ca_pem", "rubbish", "not a certificate"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_is_stored(walk: Walk, field: str, value: str, words: str) -> None:
    response = walk.begin(**({"pasted": value} if field == "instance_url" else {field: value}))
    assert response.status_code == 422
    assert f'id="id_{field}_error"' in response.content.decode()
    assert words in text_of(response)
    assert not Draft.objects.exists()
    assert not Tenant.objects.exists()


def test_an_address_without_a_sugar_is_told_and_may_be_kept(walk: Walk) -> None:
    walk.begin(pasted=f"{walk.simulator.url}/nothing")
    page = walk.get("address/")
    assert "No Sugar answers there" in page
    assert "Continue all the same" in page
    assert walk.draft.findings[-1]["code"] == "not_sugar"


def test_one_redirect_within_the_site_is_followed_and_said(walk: Walk) -> None:
    with SimulatorServer() as other:
        other.control.add_instance(walk.sugar.name, "14.0")
        walk.sugar.chaos("redirect", location=f"{other.url}/anything")
        walk.begin()
        page = walk.get("address/")
    assert walk.draft.instance_url == other.instance_url(walk.sugar.name)
    assert "the same site: followed once" in page
    assert "/rest/v11_24/" in page


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "http://169.254.169.254"])
def test_a_redirect_to_another_site_is_told_and_not_followed(walk: Walk, elsewhere: str) -> None:
    walk.sugar.chaos("redirect", location=f"{elsewhere}/login")
    walk.begin()
    assert walk.draft.instance_url == walk.url
    assert f"It sends on to {elsewhere}" in walk.get("address/")


def test_two_redirects_are_one_too_many(walk: Walk) -> None:
    with SimulatorServer() as other:
        other.control.add_instance(walk.sugar.name, "14.0").chaos("redirect", location=f"{walk.simulator.url}/")
        walk.sugar.chaos("redirect", location=f"{other.url}/")
        walk.begin()
    assert walk.draft.findings[-1]["code"] == "moved"
    assert walk.draft.instance_url == walk.url


def test_where_addresses_are_not_rewritten_the_other_root_is_used(connect: Connect, simulator: SimulatorServer) -> None:
    walk = walk_on(simulator, rewrite=False)
    walk.ready()
    assert walk.row.rest_path == "api/rest.php/v10"
    assert "Connected" in text_of(send(walk.client, f"{walk.base}review/", {}, follow=True))


def test_the_root_that_was_pasted_is_kept_though_nothing_answers(connect: Connect, simulator: SimulatorServer) -> None:
    walk = walk_on(simulator, rewrite=False)
    walk.sugar.chaos("html", status=200)
    walk.begin(pasted=f"{walk.url}/api/rest.php/v10/")
    assert (walk.draft.instance_url, walk.draft.rest_path) == (walk.url, "api/rest.php/v10")
    walk.post("address", label="Acme EU", instance_url=f"{walk.simulator.url}/nothing")
    assert walk.draft.rest_path == "rest/v10"


def test_a_single_sign_on_is_seen_before_anybody_signs_in(connect: Connect, simulator: SimulatorServer) -> None:
    walk = walk_on(simulator, "cloud")
    walk.begin()
    assert "handled by SugarIdentity" in walk.get("address/")


def test_another_address_wipes_the_password_at_once(walk: Walk, simulator: SimulatorServer) -> None:
    walk.ready(client_secret="canary-client-secret", client_id="own")
    assert LentPassword.objects.filter(secret__isnull=False).exists()
    other = SimulatorServer()
    with other:
        elsewhere = other.control.add_instance("elsewhere", "13.3")
        walk.post("address", label="Acme EU", instance_url=other.instance_url(elsewhere.name))
    assert walk.row.instance_url == other.instance_url("elsewhere")
    assert (walk.row.password, walk.row.client_secret) == (None, None)
    assert not LentPassword.objects.filter(secret__isnull=False).exists()
    assert "No password is at hand" in walk.get("review/")


def test_nobody_scans_a_network_with_us(walk: Walk) -> None:
    for _ in range(30):
        walk.begin(pasted="http://127.0.0.1:9/")
    walk.begin()
    assert "you had us look at many addresses" in text_of(walk.client.get(f"{walk.base}address/"))
    assert walk.draft.findings == []
    assert signed_in(tenants=("acme",)).get(f"{walk.base}address/").status_code == 200


# -- the platform


@pytest.mark.parametrize(
    ("platform", "words"),
    [("bad name!", "Sugar allows 1 to 127 letters"), ("base", "one of Sugar"), ("Mobile", "one of Sugar")],
)
def test_a_platform_that_cannot_be_ours_is_refused(walk: Walk, platform: str, words: str) -> None:
    walk.begin()
    response = walk.post("platform", platform=platform)
    assert response.status_code == 422
    assert words in text_of(response)
    assert walk.draft.platform == ""


def test_a_built_in_platform_is_taken_only_when_allowed_and_warned_of(walk: Walk) -> None:
    walk.begin()
    assert walk.post("platform", platform="base", allow_shared_platform="on").status_code == 302
    assert "our session ends" in walk.get("platform/")


def test_one_is_suggested_and_the_words_for_the_admin_name_it(walk: Walk) -> None:
    walk.begin()
    page = walk.get("platform/")
    assert "Admin > Configure API Platforms" in page
    assert "count: sugaradmin_acme" in page


def test_the_instance_is_asked_whether_it_knows_the_platform(walk: Walk) -> None:
    walk.begin()
    assert "does not know “sugaradmin_acme”" in text_of(
        walk.client.post(f"{walk.base}platform/", {"platform": "sugaradmin_acme", "check": "1"}, follow=True)
    )
    walk.sugar.add_platform("sugaradmin_acme")
    assert "The instance knows “sugaradmin_acme”." in text_of(
        walk.client.post(f"{walk.base}platform/", {"platform": "sugaradmin_acme", "check": "1"}, follow=True)
    )
    assert walk.simulator.control.count(instance=walk.sugar.name, endpoint="token") == 0


def test_an_instance_that_knows_no_list_is_said_to_tell_nothing(connect: Connect, simulator: SimulatorServer) -> None:
    walk = walk_on(simulator, "7.7")
    walk.begin()
    walk.post("platform", platform="sugaradmin_acme", check="1")
    assert "The instance cannot tell" in walk.get("platform/")


# -- the credentials


def test_the_connection_is_born_with_its_user_and_its_password_is_only_lent(walk: Walk) -> None:
    walk.ready()
    row = walk.row
    assert (row.username, row.platform, row.attempt_count) == ("svc", "sugaradmin_acme", 0)
    assert row.password is None
    page = walk.get("credentials/")
    assert "Empty: the one you typed is used." in page
    assert PASSWORD not in page
    assert "create" in AuditRow.objects.filter(target=row.public_id).values_list("action", flat=True)


def test_a_test_needs_a_password_and_a_draft_does_not(walk: Walk) -> None:
    walk.describe()
    response = walk.sign_up("")
    assert response.status_code == 422
    assert "Needed for the test" in text_of(response)
    assert not Connection.objects.exists()
    assert walk.sign_up("", later="1").headers["Location"] == "/connections/"
    assert "No password is at hand" in walk.get("review/")


def test_the_same_user_on_the_same_platform_is_refused_and_named_to_who_may_see_it(
    walk: Walk, connect: Connect
) -> None:
    walk.describe("intg")
    other = connect(sign_in=False, fields={"label": "Secret Name", "instance_url": walk.url})
    response = walk.sign_up(username="SVC")
    assert response.status_code == 422
    assert other.public_id in text_of(response)
    Connection.objects.update(tenant=Tenant.objects.create(slug="theirs", name="theirs"))
    walk.client = signed_in(tenants=("acme",))
    limited = text_of(walk.sign_up(username="SVC"))
    assert "Another connection uses this instance" in limited
    assert "Secret Name" not in limited
    assert "Secret Name" not in walk.get("address/")
    assert "a tenant that you do not see" in walk.get("address/")


def test_the_same_user_on_two_built_in_platforms_is_warned_of_before_the_sign_in(walk: Walk, connect: Connect) -> None:
    shared = {"platform": "mobile", "allow_shared_platform": True, "instance_url": walk.url, "label": "Secret Name"}
    connect(sign_in=False, fields=shared)
    walk.begin()
    walk.post("platform", platform="base", allow_shared_platform="on")
    walk.sign_up()
    page = walk.get("review/")
    assert "another of Sugar's own platforms" in page
    assert "Secret Name" in page
    Connection.objects.filter(label="Secret Name").update(tenant=Tenant.objects.create(slug="theirs", name="theirs"))
    walk.client = signed_in(tenants=("acme",))
    limited = walk.get("review/")
    assert "another of Sugar's own platforms" in limited
    assert "Secret Name" not in limited


# -- the test, and done


def test_the_test_signs_in_refreshes_once_and_stores_the_password(walk: Walk) -> None:
    walk.ready()
    assert "becomes its live session" in walk.get("review/")
    page = text_of(send(walk.client, f"{walk.base}review/", {}, follow=True))
    assert "Connected, and the chain is proven" in page
    assert walk.row.public_id in page
    assert [check["came"] for check in walk.draft.checks] == ["good"] * 4
    assert walk.row.version_count == 2
    assert walk.row.password is not None
    assert not LentPassword.objects.filter(secret__isnull=False).exists()
    counts = {grant: walk.simulator.control.count(instance=walk.sugar.name, grant=grant) for grant in GRANTS}
    assert counts == {"password": 1, "refresh": 1}


def test_a_password_that_is_not_to_be_stored_is_gone_after_the_test(walk: Walk) -> None:
    walk.ready(store_password="")
    page = text_of(send(walk.client, f"{walk.base}review/", {}, follow=True))
    assert "not stored: a broken chain needs a person" in page
    assert walk.row.password is None
    assert not AuditRow.objects.filter(target=walk.row.public_id, action="edit").exists()
    assert not LentPassword.objects.filter(secret__isnull=False).exists()


@pytest.mark.parametrize("preset", ["7.1", "7.7", "12.0", "14.0", "cloud"])
def test_the_test_goes_well_on_every_generation(connect: Connect, simulator: SimulatorServer, preset: str) -> None:
    walk = walk_on(simulator, preset)
    walk.ready()
    assert "chain is proven" in text_of(send(walk.client, f"{walk.base}review/", {}, follow=True))


def test_a_customer_who_signed_in_by_a_link_is_not_signed_in_again(walk: Walk) -> None:
    walk.sugar.admin_change_password("svc", PASSWORD)
    walk.describe()
    walk.sign_up("", later="1")
    assert f"/connections/{walk.row.public_id}/links/" in walk.client.get(f"{walk.base}review/").content.decode()
    actions.sign_in(walk.row.public_id, ANA, password=PASSWORD)
    assert "chain is proven" in text_of(send(walk.client, f"{walk.base}review/", {}, follow=True))
    assert walk.simulator.control.count(instance=walk.sugar.name, grant="password") == 1


def test_one_step_at_a_time_comes_to_the_same(walk: Walk) -> None:
    walk.ready()
    for done in range(1, 5):
        walk.post("review", one="1")
        assert len(walk.draft.checks) == done
    assert "chain is proven" in walk.get("review/")


def test_a_wrong_password_is_told_beside_the_field_and_nothing_is_lost(walk: Walk) -> None:
    walk.ready("wrong")
    response = send(walk.client, f"{walk.base}review/", {}, follow=True)
    body = response.content.decode()
    assert "bad_credentials" in text_of(response)
    assert re.search(r"<li><time [^>]*>\d\d:\d\d:\d\d</time>: the sign-in", body), "by the clock of the reader"
    assert 'aria-describedby="id_password_help id_password_error"' in body
    assert 'value="svc"' in body
    assert "wrong" not in body.replace("wrong_", "")
    assert walk.row.version_count == 0
    walk.sugar.admin_change_password("svc", "wrong")
    again = {"username": "svc", "client_id": "sugar", "store_password": "on"}
    page = text_of(send(walk.client, f"{walk.base}review/", again, follow=True))
    assert "chain is proven" in page, "the password that was typed is used again"


def test_a_corrected_password_is_tried_in_place(walk: Walk) -> None:
    walk.ready("wrong")
    walk.post("review")
    again = {"username": "svc", "client_id": "sugar", "store_password": "on", "password": PASSWORD}
    assert "chain is proven" in text_of(send(walk.client, f"{walk.base}review/", again, follow=True))


def test_five_wrong_tries_an_hour_are_the_limit(walk: Walk) -> None:
    walk.ready("wrong")
    for _ in range(6):
        walk.post("review")
    assert walk.simulator.control.count(instance=walk.sugar.name, grant="password") == 5
    assert walk.draft.checks[-1]["code"] == "too_many_requests"


def test_a_lost_refresh_is_no_lost_sign_in(walk: Walk) -> None:
    walk.ready()
    walk.sugar.chaos("lost", grant="refresh", count=1)
    page = text_of(send(walk.client, f"{walk.base}review/", {}, follow=True))
    assert "The test stopped" in page
    assert [check["came"] for check in walk.draft.checks] == ["good", "good", "failed"]
    assert walk.row.version_count == 1
    assert walk.client.get(f"{walk.base}credentials/", follow=True).redirect_chain[-1][0].endswith("/review/")


def test_the_labels_are_saved_from_the_last_page(walk: Walk) -> None:
    walk.ready()
    walk.post("review")
    assert walk.post("review", tags="eu gold", contact_email="nobody").status_code == 422
    assert walk.post("review", tags="eu gold", contact_name="Kim", owner="admin").status_code == 302
    assert sorted(walk.row.tags.values_list("name", flat=True)) == ["eu", "gold"]
    assert (walk.row.contact_name, str(walk.row.owner)) == ("Kim", "admin")
    assert '<option value="admin" selected>' in walk.client.get(f"{walk.base}review/").content.decode()
