"""What the customer reads for each thing that can be wrong."""

from __future__ import annotations

import pytest

from connections.choices import AttemptState, DiagnosisCode, Fault
from connections.customer import wording
from connections.models import Attempt, Connection
from tests.customer.conftest import Invite, told

ROW = Connection(host="acme.example:443", platform="intg", username="svc", client_id="sugar")


@pytest.mark.parametrize("code", [*DiagnosisCode.values, *sorted(wording.DECLINED)])
def test_every_code_has_words_for_somebody_at_the_page(code: str) -> None:
    found = wording.problem(code, ROW)
    assert found.title
    assert len(found.text) < 420
    for unfit in ("{", "‹", "secure link", "None", "Sugaradmin", "runbook"):
        assert unfit not in found.title + found.text


@pytest.mark.parametrize("fault", Fault.values)
def test_every_fault_of_a_try_leads_to_words(fault: str) -> None:
    tried = Attempt(state=AttemptState.REFUSED, fault=fault, closed_at="now")
    found = wording.problem_of(tried, ROW)
    assert found is not None
    assert found.is_sent


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ("lock_out", "Sugar has locked this user for now"),
        ("remove_platform", "type intg exactly like this"),
        ("maintenance", "in maintenance mode"),
        ("deactivate", "did not accept this password"),
        ("license", "licence"),
        ("refused", "We cannot reach your Sugar"),
    ],
)
def test_the_page_tells_what_is_wrong_over_there(invite: Invite, trouble: str, words: str) -> None:
    kept, customer = invite()
    sugar = kept.sugar
    {
        "lock_out": lambda: sugar.lock_out("svc", minutes=20),
        "remove_platform": lambda: sugar.remove_platform("intg"),
        "maintenance": sugar.maintenance,
        "deactivate": lambda: sugar.deactivate("svc"),
        "license": lambda: sugar.license("expired"),
        "refused": lambda: sugar.chaos("reset"),
    }[trouble]()
    page = told(customer.type("secret"))
    assert words in page
    if trouble == "lock_out":
        assert "The lock ends" in page
    is_sent = trouble in ("lock_out", "deactivate")
    assert (kept.grants("password") > 1) is is_sent
