"""What a fresh installation still needs before its first connection lives: shown until then, each step as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from connections.custody import guard
from connections.dashboard import queries


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstStep:
    """`told`: how it is, in a sentence; `command`: what brings it about, where that is no page."""

    name: str
    title: str
    told: str
    is_done: bool
    command: str = ""


def first_steps(*, silence: str, start_command: str) -> list[FirstStep]:
    """In the order in which one does them. The last is never done here: with it the list has done its work."""
    return [_admin(), _keys(), _worker(silence, start_command), _connection()]


def _admin() -> FirstStep:
    is_done = queries.has_admin()
    told = _("Somebody may add connections and people.") if is_done else _("Nobody may add a connection yet.")
    command = "" if is_done else "manage.py create_staff NAME --role admin"
    return FirstStep(name="admin", title=_("An admin"), told=told, is_done=is_done, command=command)


def _keys() -> FirstStep:
    trouble = guard.key_trouble()
    told = trouble or _("Tokens and passwords are sealed before they are stored.")
    command = "manage.py doctor" if trouble else ""
    return FirstStep(name="keys", title=_("Encryption keys"), told=told, is_done=not trouble, command=command)


def _worker(silence: str, start_command: str) -> FirstStep:
    told = silence or _("It has given a sign of life.")
    command = start_command if silence else ""
    return FirstStep(name="worker", title=_("The background worker"), told=told, is_done=not silence, command=command)


def _connection() -> FirstStep:
    told = _("None has signed in yet.")
    return FirstStep(name="connection", title=_("The first connection"), told=told, is_done=False)
