"""Speaks to a Sugar server. Every method answers with an Answer; trouble on the way is an Answer too.

Only what the caller's own `before_first_byte` raises is raised here.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from connections.choices import AttemptKind, Endpoint, Fault
from connections.egress import (
    AddressBlocked,
    AnswerTooLarge,
    ConnectionLost,
    ConnectionRefused,
    ConnectTimeout,
    DeadlineExceeded,
    DnsFailure,
    Egress,
    EgressError,
    HandshakeLost,
    Paced,
    ProtocolBroken,
    Response,
    TlsInvalid,
)
from connections.sugar import documents
from connections.sugar.address import REST_PATH, REST_PATH_WITHOUT_REWRITE
from connections.sugar.answers import Answer, Reading, read

GRANT_CAP = 64 * 1024
API_CAP = 1024 * 1024
PREFLIGHT_SECONDS = 5.0
API_SECONDS = 10.0
LANGUAGE = "en_us"

LastWord = Callable[[], float | None]

_FAULTS: dict[type[EgressError], Fault] = {
    AddressBlocked: Fault.ADDRESS_BLOCKED,
    DnsFailure: Fault.DNS_FAILURE,
    ConnectionRefused: Fault.CONNECTION_REFUSED,
    ConnectTimeout: Fault.TIMEOUT,
    HandshakeLost: Fault.CONNECTION_LOST,
    TlsInvalid: Fault.TLS_INVALID,
    Paced: Fault.RATE_LIMITED,
    ConnectionLost: Fault.CONNECTION_LOST,
    DeadlineExceeded: Fault.TIMEOUT,
    AnswerTooLarge: Fault.BAD_RESPONSE,
    ProtocolBroken: Fault.BAD_RESPONSE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One (instance, user, platform) and how to reach it. `instance_url` is normalised."""

    instance_url: str
    platform: str
    username: str = ""
    client_id: str = "sugar"
    ca_pem: str = field(default="", repr=False)
    rest_path: str = REST_PATH


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request, and how its answer is to be read."""

    endpoint: Endpoint
    method: str
    url: str
    ca_pem: str
    deadline: float
    grant: AttemptKind | None = None
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    content: bytes = field(default=b"", repr=False)
    cap: int = API_CAP
    secrets: tuple[str, ...] = field(default=(), repr=False)
    is_token_sent: bool = False
    before_first_byte: LastWord | None = None


class SugarClient:
    """Safe to share between threads. `now`: wall clock in seconds, for the clock skew and for absolute expiries."""

    def __init__(self, egress: Egress, *, user_agent: str = "", now: Callable[[], float] = time.time) -> None:
        self._egress = egress
        self._user_agent = user_agent
        self._now = now

    def preflight(self, target: Target, *, deadline: float = PREFLIGHT_SECONDS) -> Answer:
        """The free look before a grant: version, platform, user agent and system status, with nothing spent."""
        query = urlencode({"platform": target.platform})
        return self._read(_get(target, f"ping/whattimeisit?{query}", Endpoint.PREFLIGHT, deadline)).answer

    def platform_probe(self, target: Target, *, deadline: float = PREFLIGHT_SECONDS) -> Answer:
        """Whether the platform is registered; unlike `preflight` it does not look at the system's status."""
        query = urlencode({"platform": target.platform})
        return self._read(_get(target, f"ping?{query}", Endpoint.PREFLIGHT, deadline)).answer

    def refresh(
        self,
        target: Target,
        *,
        refresh_token: str,
        client_secret: str = "",
        deadline: float,
        before_first_byte: LastWord | None = None,
    ) -> Answer:
        """One refresh grant. Sugar rotates: whatever follows the first byte, the presented token may be dead."""
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        secrets = (refresh_token, client_secret)
        call = _grant(target, AttemptKind.REFRESH, form, client_secret, secrets, deadline, before_first_byte)
        return self._read(call).answer

    def sign_in(
        self,
        target: Target,
        *,
        password: str,
        client_secret: str = "",
        deadline: float,
        before_first_byte: LastWord | None = None,
    ) -> Answer:
        """One password grant. It ends every other session of this user and platform."""
        form = {"grant_type": "password", "username": target.username, "password": password}
        secrets = (password, client_secret)
        call = _grant(target, AttemptKind.PASSWORD, form, client_secret, secrets, deadline, before_first_byte)
        return self._read(call).answer

    def ping(self, target: Target, *, access_token: str, deadline: float = API_SECONDS) -> Answer:
        """Whether Sugar accepts this access token; only its own "pong" counts."""
        return documents.pong(self._read(_api(target, "ping", access_token, deadline)))

    def me(self, target: Target, *, access_token: str, deadline: float = API_SECONDS) -> Answer:
        """Whose token it is, as `user`."""
        return documents.me(self._read(_api(target, "me", access_token, deadline)))

    def server_info(self, target: Target, *, access_token: str, deadline: float = API_SECONDS) -> Answer:
        """Version and flavour, with a token."""
        return documents.server_info(
            self._read(_api(target, "metadata?type_filter=server_info", access_token, deadline))
        )

    def check_password(
        self, target: Target, *, access_token: str, password: str, deadline: float = API_SECONDS
    ) -> Answer:
        """Whether the password still fits, as `is_password_valid`, without a sign-in.

        Means nothing where the password lives in SugarIdentity or a directory: only the local hash is compared.
        """
        call = _api(target, "me/password", access_token, deadline)
        content = json.dumps({"password_to_verify": password}).encode()
        headers = (*call.headers, ("Content-Type", "application/json"))
        secrets = (access_token, password)
        return documents.password_check(
            self._read(replace(call, method="POST", content=content, headers=headers, secrets=secrets))
        )

    def logout(
        self, target: Target, *, access_token: str, refresh_token: str = "", deadline: float = API_SECONDS
    ) -> Answer:
        """End a session; with `refresh_token` also its row, which 7.7 and 8.0 would otherwise keep."""
        call = _api(target, "oauth2/logout", access_token, deadline)
        form = {"refresh_token": refresh_token} if refresh_token else {}
        secrets = (access_token, refresh_token)
        return self._read(replace(_with_form(call, form), secrets=secrets)).answer

    def rest_version(self, instance_url: str, ca_pem: str = "", *, deadline: float = PREFLIGHT_SECONDS) -> Answer:
        """Whether Sugar lives here, its highest REST version and the path of its REST root, as `rest_path`.

        Where the web server does not rewrite addresses, the root lies elsewhere: it is tried second.
        """
        answer = self._ask_version(instance_url, ca_pem, REST_PATH, deadline)
        if answer.fault != Fault.NOT_SUGAR:
            return answer
        second = self._ask_version(instance_url, ca_pem, REST_PATH_WITHOUT_REWRITE, deadline)
        return second if second.is_good else answer

    def _ask_version(self, instance_url: str, ca_pem: str, rest_path: str, deadline: float) -> Answer:
        url = f"{instance_url}/{rest_path.removesuffix('v10')}v99/ping"
        call = _Call(endpoint=Endpoint.PREFLIGHT, method="GET", url=url, ca_pem=ca_pem, deadline=deadline)
        return documents.rest_version(self._read(call), rest_path)

    def public_metadata(
        self, instance_url: str, ca_pem: str = "", *, rest_path: str = REST_PATH, deadline: float = API_SECONDS
    ) -> Answer:
        """Whether SugarIdentity or another external sign-in is on. Heavy for the server: once per discovery."""
        url = f"{instance_url}/{rest_path}/metadata/public?type_filter=config&platform=base"
        call = _Call(endpoint=Endpoint.API, method="GET", url=url, ca_pem=ca_pem, deadline=deadline)
        return documents.public_metadata(self._read(call))

    def legacy_server_info(self, instance_url: str, ca_pem: str = "", *, deadline: float = API_SECONDS) -> Answer:
        """Version and flavour without a token, from the legacy API, which some hosts block."""
        url = f"{instance_url}/service/v4_1/rest.php"
        call = _Call(endpoint=Endpoint.API, method="POST", url=url, ca_pem=ca_pem, deadline=deadline)
        form = {"method": "get_server_info", "input_type": "JSON", "response_type": "JSON", "rest_data": "{}"}
        return documents.legacy_server_info(self._read(_with_form(call, form)))

    def _read(self, call: _Call) -> Reading:
        headers = [("Accept", "application/json"), *call.headers]
        if self._user_agent:
            headers.append(("User-Agent", self._user_agent))
        try:
            response = self._egress.request(
                call.method,
                call.url,
                headers=headers,
                content=call.content,
                deadline=call.deadline,
                cap=call.cap,
                ca_pem=call.ca_pem,
                before_first_byte=call.before_first_byte,
                is_grant=call.grant is not None,
            )
        except EgressError as exc:
            return Reading(answer=self._explain(call, exc))
        return self._understand(call, response, cut=None)

    def _understand(self, call: _Call, response: Response, *, cut: Fault | None) -> Reading:
        reading = read(
            call.endpoint,
            call.grant,
            response.status,
            response.headers,
            response.body,
            cut=cut,
            is_token_sent=call.is_token_sent,
            now_epoch=self._now(),
            secrets=[secret for secret in call.secrets if secret],
        )
        answer = replace(reading.answer, timings=response.timings, certificate_ends=response.certificate_ends)
        return replace(reading, answer=answer)

    def _explain(self, call: _Call, exc: EgressError) -> Answer:
        """No whole answer: what the network did, and what came before the cut."""
        fault = _FAULTS.get(type(exc), Fault.UNKNOWN)
        if exc.partial is not None:
            answer = self._understand(call, exc.partial, cut=fault).answer
        else:
            answer = Answer(endpoint=call.endpoint, fault=fault, timings=exc.timings)
        wait = math.ceil(exc.retry_after) if isinstance(exc, Paced) else answer.retry_after
        return replace(answer, is_sent=exc.sent, detail=str(exc), retry_after=wait)


def _get(target: Target, path: str, endpoint: Endpoint, deadline: float) -> _Call:
    url = f"{target.instance_url}/{target.rest_path}/{path}"
    return _Call(endpoint=endpoint, method="GET", url=url, ca_pem=target.ca_pem, deadline=deadline)


def _api(target: Target, path: str, access_token: str, deadline: float) -> _Call:
    """`OAuth-Token`, not `Authorization`: every version reads it, and fewer proxies drop it (SUGAR.md section 5)."""
    call = _get(target, path, Endpoint.API, deadline)
    headers = (("OAuth-Token", access_token),)
    return replace(call, headers=headers, secrets=(access_token,), is_token_sent=True)


def _with_form(call: _Call, form: dict[str, str]) -> _Call:
    content = urlencode(form, errors="surrogatepass").encode()
    headers = (*call.headers, ("Content-Type", "application/x-www-form-urlencoded"))
    return replace(call, method="POST", content=content, headers=headers)


def _grant(
    target: Target,
    grant: AttemptKind,
    form: dict[str, str],
    client_secret: str,
    secrets: tuple[str, ...],
    deadline: float,
    before_first_byte: LastWord | None,
) -> _Call:
    """Platform always: else Sugar stores the new token under `base` (SUGAR.md section 0.4). No scope, no query."""
    fields = form | {
        "client_id": target.client_id,
        "client_secret": client_secret,
        "platform": target.platform,
        "current_language": LANGUAGE,
    }
    call = replace(
        _get(target, "oauth2/token", Endpoint.TOKEN, deadline),
        grant=grant,
        cap=GRANT_CAP,
        secrets=secrets,
        before_first_byte=before_first_byte,
    )
    return _with_form(call, fields)
