"""`serve`: prepare the installation, start its parts, say where it is, and stay until told to stop."""

from __future__ import annotations

import http.client
import logging
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from django.conf import settings

from connections.serving import leash, preparation
from connections.serving.supervisor import Part, Supervisor

logger = logging.getLogger(__name__)

BACKLOG = 2048
DRAIN_MARGIN_SECONDS = 15.0
"""A grant that has just begun, its pre-flight, and its settle, on top of its own deadline."""


class PartName(StrEnum):
    WEB = "web"
    QUEUE = "queue"
    TICKER = "ticker"


class CannotServe(Exception):
    """One line for the operator: why nothing was started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What to serve where."""

    host: str = "127.0.0.1"
    port: int = 8000
    web: bool = True
    worker: bool = True
    migrate: bool = True
    more: tuple[Part, ...] = ()
    """Processes to run beside, such as a simulator; they wear the leash by `--leash FD` only if they ask for it."""


def serve(site: Site, *, say: Callable[[str], None]) -> bool:
    """Run the site until SIGTERM or Ctrl-C; says whether everything ended by itself. Raises CannotServe.

    1. take the address, so that a second start fails before it touches anything
    2. migrate, make the cache table, collect static files
    3. start the parts and keep them alive; say so once, when the web answers
    4. told to stop: refuse new visitors, let every part finish what it does
    """
    listener = listen(site.host, site.port) if site.web else None
    if settings.SUGARADMIN.development and listener is not None:
        # Links in answers lead to where it really listens, unless an operator named another address.
        os.environ.setdefault("SUGARADMIN_BASE_URL", address(listener).rstrip("/"))
    if site.migrate:
        preparation.prepare(static=site.web)
    hint = _first_steps(listener) if listener is not None else ""
    read_end, write_end = leash.make()
    supervisor = Supervisor(
        [*_parts(site, read_end, listener), *site.more],
        drain_seconds=settings.SUGARADMIN.grant_deadline.total_seconds() + DRAIN_MARGIN_SECONDS,
        each_look=_Greeting(listener, hint, say).once,
    )
    try:
        return supervisor.run(on_stop=lambda: _farewell(listener, say))
    finally:
        os.close(read_end)
        os.close(write_end)


def _first_steps(listener: socket.socket) -> str:
    config = settings.SUGARADMIN
    site = address(listener) if config.development else config.base_url
    return preparation.first_steps(site, is_private=config.development or sys.stdout.isatty())


def listen(host: str, port: int) -> socket.socket:
    """A listening socket, kept by the parent: while the web restarts, visitors wait instead of being refused."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotServe(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Is it served already? --port names another."
        ) from None
    return listener


def part_command(name: PartName, *, leash_end: int, listener: int | None = None) -> tuple[str, ...]:
    """The same interpreter and manage.py: a fresh process, with nothing inherited but the environment."""
    manage = Path(settings.BASE_DIR) / "manage.py"
    command = (sys.executable, str(manage), "serve", "--part", name.value, "--leash", str(leash_end))
    return command if listener is None else (*command, "--listener", str(listener))


def _parts(site: Site, leash_end: int, listener: socket.socket | None) -> Sequence[Part]:
    parts = []
    if listener is not None:
        command = part_command(PartName.WEB, leash_end=leash_end, listener=listener.fileno())
        parts.append(Part(name=PartName.WEB, command=command, descriptors=(leash_end, listener.fileno())))
    if site.worker:
        for name in (PartName.QUEUE, PartName.TICKER):
            command = part_command(name, leash_end=leash_end)
            parts.append(Part(name=name, command=command, descriptors=(leash_end,)))
    return parts


class _Greeting:
    """Says once where the site is: when it answers, not before."""

    def __init__(self, listener: socket.socket | None, hint: str, say: Callable[[str], None]) -> None:
        self._listener = listener
        self._hint = hint
        self._say = say
        self._said = False

    def once(self) -> None:
        if self._said:
            return
        if self._listener is None:
            self._finish("The background worker of Sugaradmin runs (stop it with Ctrl-C).")
        elif _answers(self._listener):
            self._finish(f"Sugaradmin is ready at {address(self._listener)} (stop it with Ctrl-C).")

    def _finish(self, sentence: str) -> None:
        self._said = True
        self._say(sentence)
        if self._hint:
            self._say(self._hint)


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _answers(listener: socket.socket) -> bool:
    """Whether the web processes answer; a request waits in the listener's queue until they do, so not for long."""
    host, port = listener.getsockname()[:2]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  compared, not bound
    connection = http.client.HTTPConnection(reachable, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _farewell(listener: socket.socket | None, say: Callable[[str], None]) -> None:
    if listener is not None:
        listener.close()
    say("Stopping: what has begun is finished first (Ctrl-C again to stop at once).")
