"""Guessing is slow: tries are counted per account and per address, over all processes, and answers tell nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.test import Client

from sugaradmin import settings as product
from tests.dashboard.people import PASSWORD, person

pytestmark = pytest.mark.django_db
TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 30


def attempt(name: str, password: str = "wrong", *, address: str = "192.0.2.1", host: str = "testserver") -> str:
    response = Client(REMOTE_ADDR=address, headers={"host": host}).post(
        "/sign-in/", {"login": name, "password": password}
    )
    return "in" if response.status_code == 302 else said(response.content.decode())


def said(page: str) -> str:
    found = re.search(r'role="alert">.*?<div>(.*?)</div>', page, re.DOTALL)
    return found[1] if found else page


def test_an_account_is_closed_after_ten_tries_from_anywhere_even_to_the_right_password() -> None:
    person("viewer")
    for number in range(TRIES_PER_ACCOUNT):
        assert "do not fit together" in attempt("viewer", address=f"192.0.2.{number + 1}")
    assert "Too many tries" in attempt("viewer", PASSWORD, address="192.0.2.99")
    assert attempt(person("operator").username, PASSWORD) == "in", "others are let in"


def test_another_spelling_or_another_name_of_ours_gives_no_more_tries() -> None:
    person("viewer")
    spellings = ("viewer", "VIEWER", " viewer ", "Viewer")
    hosts = ("testserver", "localhost", "127.0.0.1")
    for number in range(TRIES_PER_ACCOUNT):
        attempt(spellings[number % 4], host=hosts[number % 3])
    assert "Too many tries" in attempt("viewer", PASSWORD)


def test_an_address_is_closed_whatever_names_it_tries() -> None:
    person("viewer")
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        for number in range(TRIES_PER_ADDRESS):
            attempt(f"nobody{number}")
        clock.shift(timedelta(minutes=14))  # the limit of all tries a minute is long over, that of failures is not
        assert "Too many tries" in attempt("viewer", PASSWORD)
        assert attempt("viewer", PASSWORD, address="192.0.2.2") == "in"
        clock.shift(timedelta(minutes=2))
        assert attempt("viewer", PASSWORD) == "in"


def test_one_house_of_ipv6_is_one_address() -> None:
    for number in range(TRIES_PER_ADDRESS):
        attempt(f"nobody{number}", address=f"2001:db8:1:1::{number:x}")
    person("viewer")
    assert "Too many tries" in attempt("viewer", PASSWORD, address="2001:db8:1:1:ffff::1")
    assert attempt("viewer", PASSWORD, address="2001:db8:1:2::1") == "in"


def test_a_success_of_ones_own_does_not_buy_tries_at_others() -> None:
    person("viewer")
    person("operator")
    for _ in range(TRIES_PER_ACCOUNT):
        attempt("operator")
        attempt("viewer", PASSWORD, address="192.0.2.3")
    assert "Too many tries" in attempt("operator", PASSWORD, address="192.0.2.4")


def test_no_answer_tells_whether_somebody_exists() -> None:
    person("viewer")
    gone = person("operator")
    gone.is_active = False
    gone.save()
    answers = {attempt("viewer"), attempt("nobody"), attempt("operator"), attempt("operator", PASSWORD)}
    assert len(answers) == 1
    for name in ("viewer", "nobody"):
        for _ in range(TRIES_PER_ACCOUNT):
            attempt(name, address="192.0.2.7")
    assert attempt("viewer", address="192.0.2.8") == attempt("nobody", address="192.0.2.8")


@pytest.fixture
def shared_cache(settings: LazySettings, transactional_db: None) -> Iterator[None]:
    """The cache of the product: a table, seen by the sessions that this process and its child begin from here on."""
    connection.close()
    if connection.vendor == "postgresql":
        connection.close_pool()
    settings.CACHES = product.CACHES
    call_command("createcachetable", verbosity=0)
    yield
    caches["default"].clear()


def test_tries_are_counted_over_all_processes(shared_cache: None) -> None:
    person("viewer")
    child = get_context("fork").Process(target=lambda: [attempt("viewer") for _ in range(TRIES_PER_ACCOUNT)])
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert "Too many tries" in attempt("viewer", PASSWORD, address="192.0.2.2")
