"""How long somebody stays signed in, where, and how that is ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from connections.models import AuditRow, OneTimeLink, database_now
from connections.onboarding import invitations, people
from tests.conftest import Configured
from tests.custody.conftest import ANA
from tests.dashboard.people import PASSWORD, person, signed_in
from tests.signin.door import first_step, is_in

pytestmark = pytest.mark.django_db
NOON = datetime(2027, 1, 31, 12, tzinfo=UTC)


def test_who_opens_no_page_for_half_an_hour_is_signed_out() -> None:
    person("viewer")
    with time_machine.travel(NOON, tick=False) as clock:
        client = first_step("viewer")
        clock.shift(timedelta(minutes=29))
        assert is_in(client)
        clock.shift(timedelta(minutes=29))
        assert is_in(client), "each page counts anew"
        clock.shift(timedelta(minutes=31))
        gone = client.get("/overview/")
        assert gone.headers["Location"] == "/sign-in/?next=/overview/"
        assert "You were signed out" in client.get("/sign-in/").content.decode()
        assert not is_in(client)
    row = AuditRow.objects.get(action="sign_out")
    assert (row.actor, row.difference) == ("viewer", {"reason": "idle"})


def test_after_twelve_hours_it_is_over_whatever_one_does() -> None:
    person("viewer")
    with time_machine.travel(NOON, tick=False) as clock:
        client = first_step("viewer")
        for _ in range(12 * 3):
            clock.shift(timedelta(minutes=20))
            assert is_in(client)
        clock.shift(timedelta(minutes=1))
        assert not is_in(client)
        assert is_in(first_step("viewer")), "a new sign-in begins anew"
    assert AuditRow.objects.get(action="sign_out").difference == {"reason": "old"}


def test_the_limits_are_settings(configured: Configured) -> None:
    configured(session_idle=timedelta(minutes=2), session_limit=timedelta(minutes=5))
    person("viewer")
    with time_machine.travel(NOON, tick=False) as clock:
        client = first_step("viewer")
        for minutes, expected in ((1, True), (1.9, True), (1.9, True), (1, False)):
            clock.shift(timedelta(minutes=minutes))
            assert is_in(client) is expected


@pytest.mark.parametrize("header", ["Sec-Fetch-Mode", "X-Live"])
def test_a_page_that_looks_for_news_by_itself_keeps_nobody_signed_in(header: str) -> None:
    person("viewer")
    with time_machine.travel(NOON, tick=False) as clock:
        client = first_step("viewer")
        for _ in range(4):
            clock.shift(timedelta(minutes=8))
            last = client.get("/overview/", headers={header: "cors"}).status_code
        assert last == 302


def test_a_page_that_looks_for_news_hears_how_long_is_left() -> None:
    person("viewer")
    with time_machine.travel(NOON, tick=False) as clock:
        client = first_step("viewer")
        clock.shift(timedelta(minutes=10))
        polled = client.get("/overview/", headers={"X-Live": "1"})
        assert polled.headers["X-Session-Seconds"] == f"{20 * 60} {(12 * 60 - 10) * 60}"
        again = client.get("/overview/", headers={"X-Live": "1", "If-None-Match": polled.headers["ETag"]})
        assert (again.status_code, again.headers["X-Session-Seconds"]) == (304, polled.headers["X-Session-Seconds"])
        assert "X-Session-Seconds" not in client.get("/overview/").headers
    assert "X-Session-Seconds" not in Client().get("/sign-in/", headers={"X-Live": "1"}).headers


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/connections/c_0000000000/?x=1", "/connections/c_0000000000/%3Fx%3D1"),
        ("http://elsewhere.example/connections/", "/connections/c_0000000000/notes/"),
        ("", "/connections/c_0000000000/notes/"),
    ],
    ids=["our page", "elsewhere", "unknown"],
)
def test_a_form_that_came_too_late_leads_back_to_its_page(referer: str, back: str) -> None:
    headers = {"Referer": referer} if referer else {}
    answer = Client().post("/connections/c_0000000000/notes/", {"text": "x"}, headers=headers)
    assert answer.headers["Location"] == f"/sign-in/?next={back}"


def test_pressing_stay_is_a_sign_of_a_person() -> None:
    person("viewer")
    with time_machine.travel(NOON, tick=False) as clock:
        client = first_step("viewer")
        for _ in range(3):
            clock.shift(timedelta(minutes=28))
            stayed = client.post("/profile/sessions/stay/", headers={"Sec-Fetch-Mode": "cors"})
            assert stayed.status_code == 204
        assert is_in(client)


def test_a_session_that_does_not_know_its_age_is_over() -> None:
    client = signed_in("viewer")
    session = client.session
    del session["began_at"]
    session.save()
    assert not is_in(client)


def test_a_page_does_not_write_the_session_each_time() -> None:
    person("viewer")
    client = first_step("viewer")
    client.get("/overview/")
    before = client.session["seen_at"]
    client.get("/overview/")
    assert client.session["seen_at"] == before


def test_signing_in_gives_a_new_session_key() -> None:
    person("viewer")
    client = Client()
    client.get("/sign-in/link/guessed/")  # stores something
    before = client.cookies["sessionid"].value
    client.post("/sign-in/", {"login": "viewer", "password": PASSWORD})
    assert client.cookies["sessionid"].value != before


def test_one_sees_ones_sessions_and_ends_one_that_is_not_here() -> None:
    person("viewer")
    here, there = first_step("viewer"), first_step("viewer")
    other = UserSession.objects.get(session_key=there.session.session_key)
    page = here.get("/profile/security/").content.decode()
    assert page.count("/profile/sessions/") == 4, "two to end, all others, stay"
    assert here.post(f"/profile/sessions/{other.pk}/end/").status_code == 302
    assert is_in(here)
    assert not is_in(there)
    assert AuditRow.objects.get(action="end_session").target == "viewer"


def test_a_try_at_another_persons_session_is_noted(transactional_db: None) -> None:
    person("viewer")
    person("operator")
    here, other = first_step("viewer"), first_step("operator")
    pk = UserSession.objects.get(session_key=other.session.session_key).pk
    assert here.post(f"/profile/sessions/{pk}/end/").status_code == 404
    assert is_in(other)
    row = AuditRow.objects.get(outcome="denied")
    assert (row.actor, row.action, row.target) == ("viewer", "end_session", "operator")
    assert here.post("/profile/sessions/999999/end/").status_code == 404
    assert AuditRow.objects.filter(outcome="denied").count() == 1, "one that has ended is nobody's"


@pytest.mark.parametrize(
    ("says", "is_called"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36 Edg/140.0",
            "Edge on Linux",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("curl/8.5 <b>", "curl/8.5 &lt;b&gt;"),
    ],
    ids=["firefox", "edge", "safari", "curl"],
)
def test_a_browser_is_called_as_its_owner_calls_it(says: str, is_called: str) -> None:
    person("viewer")
    client = Client(headers={"user-agent": says})
    client.post("/sign-in/", {"login": "viewer", "password": PASSWORD})
    assert f">{is_called}</span>" in client.get("/profile/security/").content.decode()


def test_all_others_end_together_and_this_one_ends_alone() -> None:
    person("viewer")
    here, others = first_step("viewer"), [first_step("viewer") for _ in range(3)]
    here.post("/profile/sessions/end-others/")
    assert [is_in(one) for one in (here, *others)] == [True, False, False, False]
    this = UserSession.objects.get(session_key=here.session.session_key)
    assert here.post(f"/profile/sessions/{this.pk}/end/").headers["Location"] == "/sign-in/"
    assert not is_in(here)


def test_another_persons_session_does_not_exist() -> None:
    person("viewer")
    theirs = first_step("viewer")
    row = UserSession.objects.get()
    assert signed_in("admin").post(f"/profile/sessions/{row.pk}/end/").status_code == 404
    assert is_in(theirs)


def test_a_changed_password_ends_the_other_sessions() -> None:
    person("viewer")
    here, there = first_step("viewer"), first_step("viewer")
    phrase = "a phrase of my own"
    form = {"oldpassword": "wrong", "password1": phrase, "password2": phrase}
    assert here.post("/profile/password/", form).status_code == 422
    done = here.post("/profile/password/", form | {"oldpassword": PASSWORD})
    assert done.headers["Location"] == "/profile/security/"
    assert (is_in(here), is_in(there)) == (True, False)
    told = list(
        AuditRow.objects.filter(action__in=("change_password", "confirm_identity")).values_list("action", "outcome")
    )
    assert told == [("confirm_identity", "failed"), ("change_password", "ok")]


def test_what_has_ended_is_forgotten_and_what_lives_stays() -> None:
    user = person("viewer")
    living, ended = first_step("viewer"), first_step("viewer")
    Session.objects.filter(session_key=ended.session.session_key).update(expire_date=database_now())
    open_link, old_link = (invitations.invite(user, ANA).path.split("/")[-2] for _ in range(2))
    OneTimeLink.objects.filter(digest=invitations.digest_of(old_link)).update(expires_at=database_now())
    assert people.forget_ended() == 3
    assert people.forget_ended() == 0
    assert is_in(living)
    assert UserSession.objects.get().session_key == living.session.session_key
    assert OneTimeLink.objects.get().digest == invitations.digest_of(open_link)
