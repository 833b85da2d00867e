from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.concurrency.troupe import TROUPE


@pytest.fixture(autouse=True)
def dismissed() -> Iterator[None]:
    yield
    TROUPE.dismiss()
