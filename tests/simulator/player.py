"""A client that plays by hand, and a clock that only moves when told."""

from __future__ import annotations

from dataclasses import dataclass, field

from connections.simulator import Instance, Request, Response
from connections.simulator.wire import Exchange, Json

EPOCH = 1_700_000_000.0


@dataclass
class Clock:
    now: float = EPOCH

    def __call__(self) -> float:
        return self.now


@dataclass
class Player:
    """Signs in, refreshes and pings as one user on one platform."""

    instance: Instance
    user: str = "svc"
    password: str = "secret"
    platform: str = "intg"
    extra: Json = field(default_factory=dict)

    def sign_in(self, **changes: object) -> Response:
        who: Json = {"username": self.user, "password": self.password, "platform": self.platform}
        return self.instance.grant(**{"grant_type": "password", **who, **self.extra, **changes})

    def tokens(self, **changes: object) -> Json:
        response = self.sign_in(**changes)
        assert response.status == 200, response.body
        return response.json()

    def refresh(self, tokens: Json, **changes: object) -> Response:
        arguments: Json = {"refresh_token": tokens["refresh_token"], "platform": self.platform}
        return self.instance.grant(grant_type="refresh_token", **{**arguments, **self.extra, **changes})

    def refreshing(self, tokens: Json) -> Exchange:
        """The same, step by step."""
        payload: Json = {
            "grant_type": "refresh_token",
            "client_id": "sugar",
            "refresh_token": tokens["refresh_token"],
            "platform": self.platform,
        }
        return self.instance.handle(Request.build("POST", "/rest/v10/oauth2/token", payload=payload))

    def ping(self, tokens: Json, **options: str) -> Response:
        return self.instance.call("GET", "/rest/v10/ping", token=str(tokens["access_token"]), **options)

    def lives(self, tokens: Json) -> bool:
        return self.ping(tokens).status == 200


def advance_to(exchange: Exchange, step: str) -> None:
    """Run until `step` is the operation that comes next."""
    for name in exchange:
        if name == step:
            return
    raise AssertionError(f"{step} never came")


def told(response: Response) -> tuple[int, str, str]:
    payload = response.json()
    return response.status, str(payload["error"]), str(payload.get("error_message", ""))
