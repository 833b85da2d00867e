"""The customer types the password: the same connection comes back to life, or the page says why not."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from connections.choices import EventKind, Status, Trigger
from connections.custody import actions
from connections.models import Attempt, AuditRow, CustomerLink, Event, database_now
from connections.onboarding import links, registry
from tests.custody.conftest import ANA
from tests.customer.conftest import Customer, Invite, make_link, told

pytestmark = pytest.mark.django_db


def test_success_repairs_the_same_connection(invite: Invite) -> None:
    kept, customer = invite()
    kept.sugar.delete_rows("svc")
    kept.make_due()
    kept.tend()
    assert kept.row.status in (Status.DOWN, Status.DYING)
    page = customer.type("secret")
    assert page.redirect_chain == [(f"{customer.page}done/", 302)]
    assert "Connected" in told(page)
    assert (kept.row.status, kept.row.version_count) == (Status.HEALTHY, 2)
    assert kept.row.events.filter(kind=EventKind.RECOVERED).exists()
    attempt = Attempt.objects.get(trigger=Trigger.LINK)
    assert (attempt.link, attempt.actor) == (customer.link, f"customer link {customer.link.public_id}")
    begun, ended = AuditRow.objects.filter(actor_kind="link", action="sign_in").order_by("id")
    assert {(one.target, one.address) for one in (begun, ended)} == {(kept.public_id, "127.0.0.1")}
    link = {"link": customer.link.public_id}
    assert (begun.outcome, begun.difference) == ("begun", link)
    assert (ended.outcome, ended.difference) == ("ok", link | {"begun": begun.pk, "attempt": attempt.number})


def test_a_password_is_stored_only_where_staff_chose_so_and_only_when_it_worked(invite: Invite) -> None:
    _, stranger = invite()
    assert "Your password is not kept" in told(stranger.open())
    stranger.type("secret")
    assert stranger.link.connection.password is None
    assert "is not kept" in told(stranger.browser.get(f"{stranger.page}done/"))

    kept, customer = invite(fields={"store_password": True, "password": "secret"})
    kept.sugar.admin_change_password("svc", "changed")
    before = kept.row
    customer.type("wrong")
    assert (kept.row.password, kept.row.password_set_at) == (before.password, before.password_set_at)
    assert "kept encrypted" in told(customer.type("changed"))
    after = kept.row
    assert after.password_number == before.password_number + 1
    assert after.events.filter(kind=EventKind.SECRET_SET, attempt=after.attempt_count).exists()
    assert actions.sign_in(kept.public_id, ANA).outcome == "done"  # with what is stored now


def test_a_late_answer_still_stores_the_password(invite: Invite, monkeypatch: pytest.MonkeyPatch) -> None:
    """The customer's browser is not kept waiting; what was chosen holds behind its back too."""
    kept, customer = invite(fields={"store_password": True, "password": "old"}, sign_in=False)
    monkeypatch.setattr("connections.onboarding.links.MOST_WAIT", 0.0)
    page = customer.type("secret")
    assert "We are signing in" in told(page)
    assert wait_for(lambda: kept.row.status == Status.HEALTHY)
    assert kept.row.password_number == 2
    assert wait_for(lambda: AuditRow.objects.filter(actor_kind="link", action="sign_in", outcome="ok").exists())
    assert "Connected" in told(customer.browser.get(f"{customer.page}done/"))


def wait_for(condition: object) -> bool:
    done = threading.Event()
    for _ in range(200):
        if condition():  # type: ignore[operator]
            return True
        done.wait(0.05)
    return False


def test_a_wrong_password_is_told_in_plain_words_and_can_be_tried_again(invite: Invite) -> None:
    kept, customer = invite()
    page = customer.type("canary-wrong-password")
    assert page.status_code == 409
    audited = AuditRow.objects.filter(actor_kind="link", action="sign_in").latest("id")
    assert (audited.outcome, audited.difference["code"]) == ("failed", "bad_credentials")
    assert "Sugar did not accept this password" in told(page)
    assert "4 tries are left" in told(page)
    assert b"canary-wrong-password" not in page.content
    assert "Sugar did not accept this password" in told(customer.open())
    assert "Connected" in told(customer.type("secret"))
    assert kept.row.version_count == 2


def test_a_customer_who_mistypes_does_not_blame_the_stored_password(invite: Invite) -> None:
    kept, customer = invite(fields={"store_password": True})
    for _ in range(2):
        assert "Sugar did not accept this password" in told(customer.type("canary-wrong-password"))
        assert (kept.row.status, kept.row.diagnosis_code) == (Status.HEALTHY, "")


def test_nothing_typed_costs_nothing(invite: Invite) -> None:
    kept, customer = invite()
    for password in ("", "line\nbreak", "x" * 2000):
        page = customer.type(password)
        assert page.status_code == 422
    assert 'aria-invalid="true"' in page.content.decode()
    assert kept.grants("password") == 1
    assert customer.link.submissions == 0


def test_a_form_sent_twice_signs_in_once(invite: Invite) -> None:
    kept, customer = invite()
    proof = customer.proof()
    customer.type("secret", proof=proof)
    again = customer.type("secret", proof=proof)
    assert kept.grants("password") == 2  # the first of its life, and this one
    assert "This link has been used" in told(again)


def test_a_form_sent_twice_at_once_signs_in_once(invite: Invite) -> None:
    kept, customer = invite()
    proof = customer.proof()
    kept.sugar.pace(insert_row=0.3)
    pages: list[str] = []

    def send() -> None:
        browser = Client()
        browser.cookies = customer.browser.cookies
        pages.append(told(Customer(issued=customer.issued, browser=browser).type("secret", proof=proof)))
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.grants("password") == 2
    assert kept.row.version_count == 2
    assert all("Connected" in page or "We are signing in" in page for page in pages)


def test_a_link_takes_five_wrong_passwords(invite: Invite, configured: object, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, customer = invite()
    monkeypatch.setattr("connections.custody.breakers.TRIES_AN_HOUR", 100)
    for left in (4, 3, 2, 1):
        assert f"{left} tr" in told(customer.type("wrong"))
    assert "No tries are left on this link" in told(customer.type("wrong"))
    assert "No tries are left on this link" in told(customer.open())
    assert kept.grants("password") == 6


def test_an_instance_that_is_away_costs_no_try(invite: Invite) -> None:
    kept, customer = invite()
    kept.sugar.maintenance()
    page = told(customer.type("secret"))
    assert "Your Sugar is in maintenance mode" in page
    assert "5 tries are left" in page
    assert kept.grants("password") == 1


def test_a_link_does_not_bear_endless_submissions(invite: Invite, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, customer = invite()
    monkeypatch.setattr("connections.onboarding.links.MOST_SUBMITTED", 2)
    actions.pause(kept.public_id, ANA)
    assert "This connection is paused" in told(customer.type("secret"))
    assert "No tries are left on this link" in told(customer.type("secret"))
    assert kept.grants("password") == 1


def test_a_connection_that_was_moved_meanwhile_gets_no_password(invite: Invite, simulator: object) -> None:
    """Also when the change comes after the last look of the page: the claim looks again under the lock."""
    kept, customer = invite()
    link = customer.link
    other = simulator.control.add_instance("elsewhere", "13.3", cleanup_probability=0)  # type: ignore[attr-defined]
    url = simulator.instance_url("elsewhere")  # type: ignore[attr-defined]
    registry.edit(kept.public_id, {"instance_url": url}, ANA)
    report = actions.sign_in_through(link, ANA, password="secret")
    assert report.outcome == "unchanged"
    assert kept.simulator.control.count(instance=other.name, endpoint="token", grant="password") == 0
    assert not Attempt.objects.filter(connection__public_id=kept.public_id, generation=2).exists()


@pytest.mark.parametrize("how", ["revoked_at", "expires_at"])
def test_a_link_that_ends_while_the_password_is_typed_takes_none(invite: Invite, how: str) -> None:
    kept, customer = invite()
    link = customer.link
    CustomerLink.objects.filter(pk=link.pk).update(**{how: database_now() - timedelta(seconds=1)})
    assert links.sign_in(link, "secret", seen=0, address=None) is None
    assert kept.grants("password") == 1


def test_a_draft_signs_in_for_the_first_time(invite: Invite) -> None:
    kept, customer = invite(sign_in=False)
    assert "Connected" in told(customer.type("secret"))
    assert kept.row.status == Status.HEALTHY
    assert Event.objects.filter(connection__public_id=kept.public_id, kind=EventKind.SIGNED_IN).count() == 1


def test_the_form_of_one_link_does_nothing_for_another(invite: Invite) -> None:
    (_, first), (kept, second) = invite(), invite()
    second.open()
    refused = second.type("secret", proof=first.proof())
    assert refused.status_code == 403
    assert kept.row.version_count == 1


def test_the_new_link_goes_on_where_the_old_one_ended(invite: Invite) -> None:
    kept, customer = invite()
    customer.type("secret")
    again = Customer(issued=make_link(kept.public_id))
    assert "Connected" in told(again.type("secret"))
    assert kept.row.version_count == 3
