"""Why custody cannot do what was asked, in the words of the API.

CustodyProblem
├── NotFound       no such connection, or not the asker's
├── Conflict       409: a person is needed, or the connection's state forbids it
├── Later          503: time heals; says when to ask again
├── TooOften       429: a person's tries are limited
├── NewerVersion   422: a version was named that does not exist
└── Unchanged      304: the version the caller holds is still good
"""

from __future__ import annotations

from typing import Any


class CustodyProblem(Exception):
    """`code` is a diagnosis code or one of the API's own; `diagnosis` the stored one, where it is the reason."""

    http_status = 500

    def __init__(
        self, code: str, detail: str, *, retry_after: int | None = None, diagnosis: dict[str, Any] | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
        self.retry_after = retry_after
        self.diagnosis = diagnosis


class NotFound(CustodyProblem):
    """No such connection, or not the asker's."""

    http_status = 404

    def __init__(self) -> None:
        super().__init__("not_found", "There is no such connection.")


class Conflict(CustodyProblem):
    """A person is needed, or the connection's state forbids it."""

    http_status = 409


class Later(CustodyProblem):
    """Transient: it heals by itself."""

    http_status = 503


class TooOften(CustodyProblem):
    """A person's tries are limited, so that no account is locked."""

    http_status = 429


class NewerVersion(CustodyProblem):
    """A version was named that does not exist yet."""

    http_status = 422

    def __init__(self, current: int) -> None:
        super().__init__("invalid", f"There is no such version; the newest is {current}.")


class Unchanged(Exception):
    """The version the caller holds is still good."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version
