"""Access tokens of SugarCRM instances from Sugaradmin, for programs that use httpx.

    import httpx
    from sugaradmin_client import SugaradminAuth

    auth = SugaradminAuth("https://sugaradmin.example.com", "sga_…", "c_0123456789")
    with httpx.Client(auth=auth) as sugar:
        api = auth.token(sugar).api_url
        accounts = sugar.get(f"{api}/Accounts").json()

With `httpx.AsyncClient` it is the same, but for `(await auth.atoken(sugar)).api_url`. One object serves any number of
threads and asyncio tasks: one of them fetches, the others wait for it. A token is used until less than `min_ttl`
seconds of it are left. When Sugar answers 401 the token is reported, and the request is sent once more with the token
that comes back. It is sent to the connection's own instance and to nobody else, wherever a redirect may lead.

Calls to Sugaradmin go through the same httpx client; where the two need different proxies or certificates, give the
client `mounts`. An httpx error about a request to Sugaradmin's address means that Sugaradmin itself was not reached.

This file is all there is: copy it, or put the repository on the path. It needs httpx and Python 3.11.

SugaradminError          no token
├── ConnectionUnusable   a person must act: `code`, `diagnosis` and `fix_by` say what and who
├── TemporarilyAway      time heals: `retry_after` says when to come again
└── KeyRefused           the API key is wrong, lacks a scope, or the connection is not its own
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from weakref import WeakKeyDictionary

import httpx

__all__ = ["ConnectionUnusable", "KeyRefused", "SugaradminAuth", "SugaradminError", "TemporarilyAway", "Token"]

MOST_WAIT = 30.0
MOST_MIN_TTL = 86_400.0  # seconds: no token lives longer, and so many are written in digits
MARGIN = 10.0  # seconds: what a call to Sugaradmin may take beyond its `wait`
PAUSE = 1.0  # seconds between two tries where nobody says how long
MOST_TEXT = 500  # characters of Sugar's words in a report

Problem = dict[str, Any]


class SugaradminError(Exception):
    """Sugaradmin gave no token. `problem` is its whole answer (RFC 9457), empty where there was none."""

    def __init__(self, status: int, problem: Problem) -> None:
        self.status = status
        self.problem = problem
        words = [str(problem[name]) for name in ("code", "detail") if problem.get(name)]
        fix_by = f" (to be fixed by: {self.fix_by})" if self.fix_by else ""
        super().__init__(f"{': '.join(words) or f'Sugaradmin answered {status}'}{fix_by}")

    @property
    def code(self) -> str:
        return str(self.problem.get("code", ""))

    @property
    def diagnosis(self) -> Problem | None:
        """What is wrong with the connection: cause, evidence, fix."""
        found = self.problem.get("diagnosis")
        return found if isinstance(found, dict) else None

    @property
    def fix_by(self) -> str | None:
        """Who must act: customer_admin, staff, operator or nobody."""
        return self.problem.get("fix_by")

    @property
    def retry_after(self) -> float | None:
        """Seconds."""
        told = self.problem.get("retry_after")
        return float(told) if isinstance(told, int | float) else None


class ConnectionUnusable(SugaradminError):
    """There is no token until a person has acted."""


class TemporarilyAway(SugaradminError):
    """No token within the budget; the same call may work later."""


class KeyRefused(SugaradminError):
    """The API key is wrong or not allowed to do this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One access token and where it may go. Moments are of this machine's monotonic clock."""

    access_token: str = field(repr=False)
    header: str
    version: int
    instance_url: str
    api_url: str
    platform: str
    warning: str | None
    renew_at: float
    dead_at: float

    def is_for(self, url: httpx.URL) -> bool:
        """Only scheme, host and port of the instance itself."""
        own = httpx.URL(self.instance_url)
        return (own.scheme, own.host, _port(own)) == (url.scheme, url.host, _port(url))


def _port(url: httpx.URL) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


class _Headers(httpx.Headers):
    """Headers with a token that stays behind when httpx copies them, as it does for each redirect.

    httpx takes only `Authorization` off before it follows a redirect to another host. A copy of these has no token;
    neither has their repr.
    """

    def __init__(self, headers: httpx.Headers, name: str, value: str) -> None:
        super().__init__([pair for pair in httpx.Headers(headers).multi_items() if pair[0] != name.lower()])
        self._own = (name, value)

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        name, value = self._own
        return [*super().raw, (name.encode("ascii"), value.encode("ascii"))]

    def multi_items(self) -> list[tuple[str, str]]:
        name, value = self._own
        return [*super().multi_items(), (name.lower(), value)]

    def __getitem__(self, key: str) -> str:
        name, value = self._own
        return value if key.lower() == name.lower() else super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        return (isinstance(key, str) and key.lower() == self._own[0].lower()) or super().__contains__(key)

    def __repr__(self) -> str:
        return repr(httpx.Headers(self))


class _Turn(Enum):
    """One at a time may fetch; the others wait for what it brings."""

    BEGINS = 1
    ENDS = 2


_Step = httpx.Request | httpx.Response | float | _Turn
"""What a conversation needs next: this sent, this read, a pause of so many seconds, a turn of its own."""
_Talk = Generator[_Step, httpx.Response | None, Token]


class SugaradminAuth(httpx.Auth):
    """Puts the connection's access token on each request to its instance; see the module for how to use it.

    `min_ttl`  seconds a token must still live to be used; more than half its lifetime counts as half
    `wait`     seconds Sugaradmin may hold one call while it refreshes (at most 30)
    `budget`   seconds to go on asking while Sugaradmin is busy or says 503, as its Retry-After tells

    A request may raise SugaradminError. One whose body is a stream that can be read only once is not sent again after a
    401: the caller gets the 401, and the next request begins with the report.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str,
        connection: str,
        min_ttl: float = 60,
        wait: float = 10,
        *,
        budget: float = 60,
    ) -> None:
        self._url = httpx.URL(f"{base_url.rstrip('/')}/api/v1/connections/{connection}/token")
        self._headers = {"Authorization": f"Bearer {api_key}", "Accept": "application/json"}
        self._min_ttl = min_ttl
        self._wait = min(wait, MOST_WAIT)
        self._budget = budget
        self._token: Token | None = None
        self._refusal: Problem | None = None
        self._failure: tuple[float, SugaradminError] | None = None
        self._lock = threading.Lock()
        self._async_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    # -- for programs

    def token(self, client: httpx.Client) -> Token:
        """A living token, asked for through `client` when none is at hand. Raises SugaradminError, httpx.HTTPError."""
        flow = self._drive(self._obtain())
        try:
            request = next(flow)
            while True:
                request = flow.send(client.send(request, auth=None))
        except StopIteration:
            assert self._token is not None
            return self._token
        finally:
            flow.close()

    async def atoken(self, client: httpx.AsyncClient) -> Token:
        """The same for asyncio."""
        flow = self._adrive(self._obtain())
        try:
            request = await anext(flow)
            while True:
                request = await flow.asend(await client.send(request, auth=None))
        except StopAsyncIteration:
            assert self._token is not None
            return self._token
        finally:
            await flow.aclose()

    # -- for httpx: the same conversation, carried out by a thread or by a task

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        return self._drive(self._conversation(request))

    def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        return self._adrive(self._conversation(request))

    def _drive(self, talk: _Talk) -> Generator[httpx.Request, httpx.Response, None]:
        answer: httpx.Response | None = None
        with ExitStack() as turn:
            while (step := _next(talk, answer)) is not None:
                answer = None
                match step:
                    case httpx.Request():
                        answer = yield step
                    case httpx.Response():
                        step.read()
                    case _Turn.BEGINS:
                        turn.enter_context(self._lock)
                    case _Turn.ENDS:
                        turn.close()
                    case float():
                        time.sleep(step)

    async def _adrive(self, talk: _Talk) -> AsyncGenerator[httpx.Request, httpx.Response]:
        answer: httpx.Response | None = None
        async with AsyncExitStack() as turn:
            while (step := _next(talk, answer)) is not None:
                answer = None
                match step:
                    case httpx.Request():
                        answer = yield step
                    case httpx.Response():
                        await step.aread()
                    case _Turn.BEGINS:
                        await turn.enter_async_context(self._async_lock())
                    case _Turn.ENDS:
                        await turn.aclose()
                    case float():
                        await asyncio.sleep(step)

    def _conversation(self, request: httpx.Request) -> _Talk:
        """Token, request; after a 401 of the instance: report, and the request once more."""
        token = yield from self._obtain()
        if not token.is_for(request.url):
            yield request
            return token
        response = yield _with_token(request, token)
        assert response is not None
        if response.status_code != httpx.codes.UNAUTHORIZED or not token.is_for(response.request.url):
            return token  # a 401 of another host, where a redirect led, is not about our token
        if _is_sent_with(response, token):
            yield response
            self._note_refusal(token, response)
        if _may_be_sent_again(response.request):
            token = yield from self._obtain()
            yield _with_token(response.request, token)
        # Else the report waits for the next request: httpx would hand its answer out in place of the 401.
        return token

    # -- one fetch for everybody

    def _note_refusal(self, token: Token, response: httpx.Response) -> None:
        if self._token is not None and self._token.version <= token.version:
            self._refusal = {"version": token.version, "wait": self._wait} | _words_of(response)

    def _obtain(self) -> _Talk:
        """A usable token. Whoever waited while another fetched gets what that one got: a token, or an error."""
        token = self._usable()
        if token is not None:
            return token
        began = time.monotonic()
        yield _Turn.BEGINS
        token = self._usable()
        if token is None:
            if self._failure is not None and self._failure[0] >= began:
                raise self._failure[1]
            token = yield from self._fetch()
        yield _Turn.ENDS
        return token

    def _async_lock(self) -> asyncio.Lock:
        """One per event loop; two loops may fetch at once, which Sugaradmin makes one refresh of."""
        return self._async_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock())

    def _usable(self) -> Token | None:
        """What is at hand, if it lives long enough and Sugar has not refused it."""
        token = self._token
        return None if token is None or self._refusal or time.monotonic() >= token.renew_at else token

    def _fetch(self) -> _Talk:
        """Reports a refusal, if there is one; the answer is a token in either case."""
        until = time.monotonic() + self._budget
        while True:
            sent_at = time.monotonic()
            refusal = self._refusal
            answer = yield self._question(refusal)
            assert answer is not None
            yield answer
            if answer.status_code == httpx.codes.OK:
                self._token, self._refusal = self._read_token(answer, sent_at), None
                return self._token
            error = _error_of(answer)
            if refusal is None and isinstance(error, TemporarilyAway) and self._is_alive():
                assert self._token is not None
                return self._token  # it lives, if not for long: better than to wait
            pause = error.retry_after or PAUSE
            if not isinstance(error, TemporarilyAway) or time.monotonic() + pause > until:
                self._failure = (time.monotonic(), error)
                if not isinstance(error, TemporarilyAway):
                    self._token = self._refusal = None  # the next request asks afresh
                raise error
            yield pause

    def _is_alive(self) -> bool:
        return self._token is not None and time.monotonic() < self._token.dead_at

    def _question(self, refusal: Problem | None) -> httpx.Request:
        # A request made by hand has no time limit of its own.
        limits = {"timeout": httpx.Timeout(self._wait + MARGIN).as_dict()}
        if refusal is None:
            url = self._url.copy_merge_params(
                {"min_ttl": f"{min(self._min_ttl, MOST_MIN_TTL):g}", "wait": f"{self._wait:g}"}
            )
            return httpx.Request("GET", url, headers=self._headers, extensions=limits)
        url = self._url.copy_with(path=f"{self._url.path}/rejected")
        return httpx.Request("POST", url, headers=self._headers, json=refusal, extensions=limits)

    def _read_token(self, answer: httpx.Response, sent_at: float) -> Token:
        told = answer.json()
        lives = float(told["expires_in"])
        return Token(
            access_token=told["access_token"],
            header=told["header"],
            version=told["version"],
            instance_url=told["instance_url"],
            api_url=told["api_url"],
            platform=told["platform"],
            warning=told["warning"],
            renew_at=sent_at + lives - min(self._min_ttl, lives / 2),
            dead_at=sent_at + lives,
        )


def _next(talk: _Talk, answer: httpx.Response | None) -> _Step | None:
    try:
        return talk.send(answer)
    except StopIteration:
        return None


def _with_token(request: httpx.Request, token: Token) -> httpx.Request:
    request.headers = _Headers(request.headers, token.header, token.access_token)
    return request


def _is_sent_with(response: httpx.Response, token: Token) -> bool:
    """After a redirect within the instance the token was left behind: then it has not been refused."""
    return bool(response.request.headers.get(token.header) == token.access_token)


def _may_be_sent_again(request: httpx.Request) -> bool:
    return isinstance(request.stream, httpx.ByteStream)


def _words_of(response: httpx.Response) -> Problem:
    """What Sugar said with its 401: evidence for the diagnosis."""
    try:
        said = response.json()
    except ValueError:
        said = {}
    words = {name: said.get(name) for name in ("error", "error_message")} if isinstance(said, dict) else {}
    return {"status": response.status_code} | {
        name: text[:MOST_TEXT] for name, text in words.items() if isinstance(text, str)
    }


def _error_of(answer: httpx.Response) -> SugaradminError:
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    problem = problem if isinstance(problem, dict) else {}
    told = answer.headers.get("Retry-After", "")
    if "retry_after" not in problem and told.isdecimal():
        problem["retry_after"] = int(told)
    status = answer.status_code
    if status in (429, 502, 503, 504) or (status == httpx.codes.CONFLICT and problem.get("retryable")):
        return TemporarilyAway(status, problem)
    if status in (401, 403, 404):
        return KeyRefused(status, problem)
    return ConnectionUnusable(status, problem) if status == httpx.codes.CONFLICT else SugaradminError(status, problem)
