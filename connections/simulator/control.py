"""A client of the control API, for tests, the demo's buttons and commands.

ControlFailed
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import cast

from connections.simulator.wire import Json

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class ControlFailed(Exception):
    """The simulator refused, or does not answer."""


class Control:
    """`Control("http://127.0.0.1:8090").instance("acme").maintenance(True)`"""

    def __init__(self, url: str, *, timeout: float = 10.0) -> None:
        self.url = url.rstrip("/")
        self._timeout = timeout

    def send(self, method: str, path: str, payload: Json | None = None) -> Json:
        body = json.dumps(payload).encode() if payload is not None else None
        request = urllib.request.Request(f"{self.url}/_control/{path}", data=body, method=method)  # noqa: S310 - loopback
        try:
            with _OPENER.open(request, timeout=self._timeout) as answer:
                return cast(Json, json.load(answer))
        except urllib.error.HTTPError as exc:
            with exc:
                raise ControlFailed(exc.read().decode("utf-8", "replace")) from exc
        except OSError as exc:
            raise ControlFailed(f"no answer from {self.url}: {exc}") from exc

    def add_instance(self, name: str, preset: str = "13.3", **parameters: object) -> InstanceControl:
        self.send("POST", "instances", {"name": name, "preset": preset, **parameters})
        return InstanceControl(self, name)

    def instance(self, name: str) -> InstanceControl:
        return InstanceControl(self, name)

    def instances(self) -> dict[str, str]:
        """Name -> base URL."""
        found = cast(list[dict[str, str]], self.send("GET", "")["instances"])
        return {one["name"]: one["url"] for one in found}

    def advance_clock(self, seconds: float) -> None:
        self.send("POST", "clock", {"advance": seconds})

    def log(self, **filters: str | int) -> list[Json]:
        """Entries of the journal; filters: instance, endpoint, grant, user, after."""
        return cast(list[Json], self.send("GET", f"log?{urllib.parse.urlencode(filters)}")["entries"])

    def count(self, **filters: str) -> int:
        """Number of requests since the last clear; filters: instance, endpoint, grant."""
        return cast(int, self.send("GET", f"counts?{urllib.parse.urlencode(filters)}")["count"])

    def clear_log(self) -> None:
        self.send("POST", "clear_log", {})

    def verdict(self) -> Json:
        """violations, presented_again, without_platform: all empty when everybody behaved."""
        return self.send("GET", "verdict")


class InstanceControl:
    """One instance, from outside. Every event of SUGAR.md section 8 is a method."""

    def __init__(self, control: Control, name: str) -> None:
        self._control = control
        self.name = name

    def act(self, verb: str, **arguments: object) -> Json:
        """Any verb or event by its name."""
        return self._control.send("POST", f"instances/{self.name}/{verb}", dict(arguments))

    def state(self) -> Json:
        return self._control.send("GET", f"instances/{self.name}")

    @property
    def url(self) -> str:
        return str(self.state()["url"])

    def rows(self) -> list[Json]:
        """Live refresh rows."""
        return cast(list[Json], self.state()["rows"])

    def delete(self) -> None:
        self._control.send("DELETE", f"instances/{self.name}")

    # --- set-up

    def configure(self, **parameters: object) -> None:
        self.act("configure", **parameters)

    def user(self, name: str, password: str, **attributes: object) -> Json:
        return self.act("user", name=name, password=password, **attributes)

    def key(self, c_key: str, secret: str = "", **attributes: str) -> Json:
        return self.act("key", c_key=c_key, secret=secret, **attributes)

    # --- chaos, pace, overlap

    def chaos(self, kind: str, **options: object) -> Json:
        """Options for every kind: endpoint, grant, path, count; others belong to the kind."""
        return self.act("chaos", kind=kind, **options)

    def calm(self, kind: str | None = None) -> None:
        self.act("calm", kind=kind)

    def pace(self, **seconds: float) -> None:
        """`pace(all=0.2)` or `pace(insert_row=0.5)`; `pace()` ends it."""
        self.act("pace", **seconds)

    def hold(self, step: str, count: int = 1) -> None:
        self.act("hold", step=step, count=count)

    def wait_standing(self, number: int = 1, *, timeout: float = 5.0) -> list[str]:
        """The steps at which requests stand still, once there are `number` of them."""
        ends = time.monotonic() + timeout
        while time.monotonic() < ends:
            standing = cast(list[str], self.act("standing")["standing"])
            if len(standing) >= number:
                return standing
            time.sleep(0.01)
        raise ControlFailed(f"fewer than {number} requests stand still")

    def release(self, step: str = "", count: int | None = None) -> int:
        return cast(int, self.act("release", step=step, count=count)["released"])

    # --- events

    def ui_login(self, user: str) -> Json:
        return self.act("ui_login", user=user)

    def outside_login(self, user: str, platform: str, client_id: str = "sugar") -> Json:
        return self.act("outside_login", user=user, platform=platform, client_id=client_id)

    def outside_refresh(self, refresh_token: str, platform: str) -> Json:
        return self.act("outside_refresh", refresh_token=refresh_token, platform=platform)

    def admin_change_password(self, user: str, password: str) -> None:
        self.act("admin_change_password", user=user, password=password)

    def expire_password(self, user: str, expired: bool = True) -> None:
        self.act("expire_password", user=user, expired=expired)

    def deactivate(self, user: str) -> None:
        self.act("deactivate", user=user)

    def reactivate(self, user: str) -> None:
        self.act("reactivate", user=user)

    def delete_user(self, user: str) -> None:
        self.act("delete_user", user=user)

    def lock_out(self, user: str, minutes: int | None = None) -> None:
        self.act("lock_out", user=user, minutes=minutes)

    def clear_lockout(self, user: str) -> None:
        self.act("clear_lockout", user=user)

    def delete_key(self, client_id: str) -> None:
        self.act("delete_key", client_id=client_id)

    def change_secret(self, client_id: str, secret: str) -> None:
        self.act("change_secret", client_id=client_id, secret=secret)

    def add_platform(self, platform: str) -> None:
        self.act("add_platform", platform=platform)

    def remove_platform(self, platform: str) -> None:
        self.act("remove_platform", platform=platform)

    def flush_sessions(self) -> None:
        self.act("flush_sessions")

    def expire_access_tokens(self, user: str = "") -> None:
        self.act("expire_access_tokens", user=user)

    def expire_refresh_tokens(self, user: str = "") -> None:
        self.act("expire_refresh_tokens", user=user)

    def delete_rows(self, user: str = "") -> None:
        self.act("delete_rows", user=user)

    def back_up(self) -> None:
        self.act("back_up")

    def restore_backup(self, *, new_site_key: bool = False) -> None:
        self.act("restore_backup", new_site_key=new_site_key)

    def maintenance(self, on: bool = True) -> None:
        self.act("maintenance", on=on)

    def license(self, state: str) -> None:
        self.act("license", state=state)

    def sts_down(self) -> None:
        self.act("sts_down")

    def sts_up(self) -> None:
        self.act("sts_up")

    def ip_change(self, address: str = "") -> None:
        self.act("ip_change", address=address)

    def block_ip(self) -> None:
        self.act("block_ip")

    def unblock_ip(self) -> None:
        self.act("unblock_ip")

    def open_port(self) -> None:
        self.act("open_port")

    def close_port(self) -> None:
        self.act("close_port")
