"""Marks on groups of errors belong to tenants: who may not see a tenant learns nothing of its marks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.models import AuditRow, FailureMark, Tenant, database_now
from tests.dashboard.conftest import Draft
from tests.dashboard.people import person, signed_in
from tests.dashboard.test_errors import failed, listed
from tests.migrating import migrate, migrated_to

pytestmark = pytest.mark.django_db


@pytest.fixture
def failure(draft: Draft) -> str:
    """One group that befell two tenants."""
    names = {failed(draft(tenant=tenant, username=tenant), "slow") for tenant in ("ours", "theirs")}
    assert len(names) == 1
    return names.pop()


def mark(client: Client, failure: str, reason: str, span: str = "") -> int:
    return client.post(f"/errors/{failure}/mark/", {"span": span, "reason": reason}).status_code


def open_again(client: Client, failure: str) -> int:
    return client.post(f"/errors/{failure}/mark/", {"open": "1"}).status_code


def test_a_mark_of_one_tenant_does_nothing_for_another_and_is_not_read_there(failure: str) -> None:
    ours = signed_in("operator", tenants=("ours",))
    theirs = signed_in("operator", tenants=("theirs",))
    assert mark(ours, failure, "words of ours") == 302
    assert (listed(ours), listed(ours, "standing=acknowledged")) == ([], [failure])
    assert listed(theirs) == [failure]
    for path in (f"/errors/{failure}/", "/errors/?standing=all"):
        shown = theirs.get(path).content
        assert b"words of ours" not in shown
        assert b"operator_of_ours" not in shown
    assert open_again(theirs, failure) == 302
    assert listed(ours) == [], "what others open stays marked here"
    row = AuditRow.objects.get(action="mark_failure")
    assert (row.target, row.tenant.slug if row.tenant else "") == (failure, "ours")
    assert not AuditRow.objects.filter(action="open_failure").exists()


def test_who_sees_several_tenants_sees_it_marked_when_each_of_them_is(failure: str) -> None:
    everybody, both = signed_in("operator"), signed_in("viewer", tenants=("ours", "theirs"))
    mark(signed_in("operator", tenants=("ours",)), failure, "first")
    assert listed(everybody) == listed(both) == [failure]
    mark(signed_in("operator", tenants=("theirs",)), failure, "second", span="1h")
    assert listed(everybody) == listed(both) == []
    assert b"second" in both.get(f"/errors/{failure}/").content
    assert open_again(everybody, failure) == 302
    assert not FailureMark.objects.exists()


def test_what_was_marked_for_everybody_is_taken_back_by_such_a_person_alone(failure: str) -> None:
    everybody = signed_in("operator")
    ours = signed_in("operator", tenants=("ours",))
    mark(everybody, failure, "for everybody")
    page = ours.get(f"/errors/{failure}/").content
    assert b"for everybody" in page
    assert b"Marked for all tenants" in page
    assert open_again(ours, failure) == 403
    assert AuditRow.objects.filter(outcome="denied", target=failure).exists()
    mark(ours, failure, "words of ours")
    assert b"words of ours" in ours.get(f"/errors/{failure}/").content
    assert open_again(ours, failure) == 302
    assert (FailureMark.objects.get().reason, listed(ours)) == ("for everybody", [])
    open_again(everybody, failure)
    assert listed(ours) == [failure]


def test_old_marks_go_to_whom_their_author_may_see(transactional_db: None) -> None:
    ours = Tenant.objects.create(slug="ours", name="Ours")
    Tenant.objects.create(slug="theirs", name="Theirs")
    person("operator", name="limited", tenants=("ours",))
    person("operator", name="free")
    User.objects.create_superuser("root")
    with migrated_to("0004_attempt_is_typed_password") as apps:
        old = apps.get_model("connections", "FailureMark")
        for author in ("limited", "free", "root", "gone"):
            old.objects.create(failure=author, standing="acknowledged", author=author, at=database_now())
        migrate("0005_marks_of_tenants")
        assert sorted(FailureMark.objects.values_list("failure", "tenant"), key=str) == [
            ("free", None), ("limited", ours.pk), ("root", None),
        ]  # fmt: skip
        FailureMark.objects.update(until=database_now() + timedelta(hours=1))
        apps = migrate("0004_attempt_is_typed_password")
        assert {one.failure for one in apps.get_model("connections", "FailureMark").objects.all()} == {"free", "root"}
