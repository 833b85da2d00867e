"""How a Sugar server says no.

Refusal
"""

from __future__ import annotations

from connections.simulator import texts
from connections.simulator.wire import Json, Response


class Refusal(Exception):
    """An answer with `error`, and usually `error_message` (SUGAR.md section 3)."""

    def __init__(self, status: int, error: str, message: str | None = None, **extra: object) -> None:
        super().__init__(f"{status} {error}")
        self.status = status
        self.error = error
        self.message = message
        self.extra = extra

    def response(self) -> Response:
        payload: Json = {"error": self.error}
        if self.message is not None:
            payload["error_message"] = self.message
        return Response.of_json({**payload, **self.extra}, status=self.status)


def invalid_client(message: str = "The client credentials are invalid") -> Refusal:
    return Refusal(400, "invalid_client", message)


def invalid_request(message: str) -> Refusal:
    return Refusal(400, "invalid_request", message)


def invalid_refresh_token() -> Refusal:
    return Refusal(400, "invalid_grant", "Invalid refresh token")


def invalid_platform(language: str) -> Refusal:
    return Refusal(422, "invalid_parameter", texts.say(texts.INVALID_PLATFORM, language))


def access_token_invalid() -> Refusal:
    return Refusal(401, "invalid_grant", "The access token provided is invalid.")


def access_token_expired() -> Refusal:
    return Refusal(401, "invalid_grant", "The access token provided has expired.")


def session_rejected(language: str) -> Refusal:
    """The session failed its second look: address, user or site key."""
    return Refusal(401, "invalid_grant", texts.say(texts.INVALID_TOKEN, language))
