"""A Sugaradmin and a Sugar that are plain functions."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest

import sugaradmin_client
from sugaradmin_client import SugaradminAuth

HOME = "https://sugaradmin.example.com"
SUGAR = "https://acme.sugarondemand.com"
KEY = "sga_abc_secret"
CONNECTION = "c_0123456789"


class World:
    """Both servers: what they were asked, and what they answer next."""

    def __init__(self) -> None:
        self.version = 1
        self.living = {1}
        self.expires_in = 3600
        self.fetches: list[httpx.Request] = []
        self.reports: list[dict[str, Any]] = []
        self.sugar: list[httpx.Request] = []
        self.elsewhere: list[httpx.Request] = []
        self.refusals: list[httpx.Response] = []
        self.delay = 0.0
        self.redirects: dict[str, str] = {}

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "sugaradmin.example.com":
            return self._home(request)
        if request.url.host == "acme.sugarondemand.com" and request.url.scheme == "https":
            return self._instance(request)
        self.elsewhere.append(request)
        return httpx.Response(200, json={"here": "elsewhere"})

    async def ahandle(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(self.delay)
        return self.handle(request)

    def _home(self, request: httpx.Request) -> httpx.Response:
        time.sleep(self.delay)
        assert request.headers["Authorization"] == f"Bearer {KEY}"
        assert request.extensions["timeout"]["read"] >= 10
        if request.url.path.endswith("/rejected"):
            self.reports.append(json.loads(request.content))
        else:
            self.fetches.append(request)
        if self.refusals:
            return self.refusals.pop(0)
        verified = {"verified": True} if request.url.path.endswith("/rejected") and self.version in self.living else {}
        if not verified and self.version not in self.living:
            self.version += 1
            self.living = {self.version}
        return httpx.Response(200, json=self._token() | verified)

    def _token(self) -> dict[str, Any]:
        return {
            "connection": CONNECTION,
            "access_token": f"token-{self.version}",
            "header": "OAuth-Token",
            "version": self.version,
            "expires_at": "2030-01-01T00:00:00Z",
            "expires_in": self.expires_in,
            "instance_url": SUGAR,
            "api_url": f"{SUGAR}/rest/v10",
            "platform": "intg",
            "warning": None,
        }

    def _instance(self, request: httpx.Request) -> httpx.Response:
        self.sugar.append(request)
        if request.url.path in self.redirects:
            return httpx.Response(302, headers={"Location": self.redirects[request.url.path]})
        sent = dict(request.headers.raw).get(b"OAuth-Token", b"").decode()
        if sent not in {f"token-{version}" for version in self.living}:
            return httpx.Response(401, json={"error": "invalid_grant", "error_message": "The access token is invalid."})
        return httpx.Response(200, json={"body": request.read().decode(), "token": sent})

    def client(self, auth: SugaradminAuth, **options: Any) -> httpx.Client:
        return httpx.Client(transport=httpx.MockTransport(self.handle), auth=auth, **options)

    def async_client(self, auth: SugaradminAuth) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self.ahandle), auth=auth)


def new(**options: Any) -> SugaradminAuth:
    return SugaradminAuth(HOME + "/", KEY, CONNECTION, **options)


def problem(status: int, code: str, **more: Any) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": "Said so.", "status": status} | more)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock of its own; pauses move it."""
    now = [1000.0]
    monkeypatch.setattr(sugaradmin_client.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(sugaradmin_client.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now
