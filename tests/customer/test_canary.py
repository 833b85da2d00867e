"""What the customer typed, and the token of the link, stand nowhere: no row, no log line, no page."""

from __future__ import annotations

import pytest

from tests.custody.canaries import NEXT_PASSWORD, PASSWORD, database_dump, shapes
from tests.customer.conftest import Invite

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("is_stored", [False, True])
def test_nothing_typed_or_sent_is_left_behind(
    invite: Invite, is_stored: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    kept, customer = invite(fields={"store_password": is_stored})
    kept.sugar.admin_change_password("svc", NEXT_PASSWORD)
    pages = [customer.type(PASSWORD), customer.type(NEXT_PASSWORD), customer.open()]
    assert kept.row.version_count == 2
    places = [text for _, text in database_dump()] + [caplog.text]
    places += [page.content.decode() + str(page.headers) for page in pages]
    for secret in (PASSWORD, NEXT_PASSWORD, customer.path.split("/")[2]):
        assert not [text for text in places for shape in shapes(secret) if shape in text]
