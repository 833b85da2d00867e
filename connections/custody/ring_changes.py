"""Adds an encryption key, lets another one seal, retires one; refuses what would leave a value without its key.

What can be checked is checked wherever the keys come from. Done is it where they lie in the file of the data directory;
else whoever keeps them is told what to do, and that it may be done now.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import ceil
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.custody import audit, guard, key_file, keys, rekey
from connections.custody.audit import Actor
from connections.custody.key_file import Entries
from connections.custody.rekey import KeyUse
from connections.models import EncryptionKey, Heartbeat, database_now
from connections.vault import Keyring, KeyringInvalid, VaultError
from sugaradmin.keys import new_key

SILENT_AFTER = timedelta(minutes=10)
"""A worker that was not heard of for so long is not asked whether it holds a key: it reads the ring when it starts."""
SETTLED_AFTER = 60.0
"""Seconds. No process writes so long with a ring that it has read before the file changed."""


class RingChangeRefused(Exception):
    """Nothing was changed; the text says why, and what to do."""


class NotOurs(RingChangeRefused):
    """It may be done, by whoever keeps the keys; the text says what."""


def is_ours() -> bool:
    """Whether the keys lie in the file of the data directory."""
    return _file() is not None


def free_name() -> str:
    """k1, k2 and so on: the first that no key of this database ever had."""
    taken = {*EncryptionKey.objects.values_list("key_id", flat=True), *keys.keyring().ids}
    return next(name for number in range(1, len(taken) + 2) if (name := f"k{number}") not in taken)


def add(key_id: str, actor: Actor) -> None:
    """A new key that opens and does not seal yet. Raises RingChangeRefused."""
    _refuse_in_trouble()
    if key_id in keys.keyring().ids or EncryptionKey.objects.filter(key_id=key_id).exists():
        raise _taken(key_id)
    entry = f"{key_id}:{new_key()}"
    try:
        check = Keyring.parse(entry).key_check(key_id)
    except KeyringInvalid as refused:
        raise RingChangeRefused(str(refused)) from None

    def note(now: datetime) -> None:
        EncryptionKey.objects.create(key_id=key_id, check_value=check, first_seen_at=now)

    told = _("Make a key with “openssl rand -base64 32”, put %(key)s:… behind the others and restart every node.")
    try:
        _change("add_key", key_id, actor, lambda entries: [*entries, entry], note=note, told=told)
    except IntegrityError:
        raise _taken(key_id) from None


def make_primary(key_id: str, actor: Actor) -> None:
    """From now on it seals what is written. Raises RingChangeRefused."""
    _refuse_in_trouble()
    ring = keys.keyring()
    if key_id == ring.primary:
        raise RingChangeRefused(_("%(key)s seals already.") % {"key": key_id})
    if key_id not in ring.ids:
        raise _unknown(key_id)
    if late := without(key_id, nodes()):
        raise RingChangeRefused(
            _("%(nodes)s could not open what %(key)s seals: each node must hold it first.")
            % {"nodes": ", ".join(late), "key": key_id}
        )

    def in_front(entries: Entries) -> Entries:
        if key_id not in map(_name, entries):
            raise _unknown(key_id)
        return sorted(entries, key=lambda entry: _name(entry) != key_id)

    def note(now: datetime) -> None:
        """A node that does not hold it yet may have taken it for one that left."""
        EncryptionKey.objects.filter(key_id=key_id).update(retired_at=None)

    told = _("Put %(key)s in front of the others and restart every node.")
    _change("make_key_primary", key_id, actor, in_front, note=note, told=told)


def retire(key_id: str, actor: Actor) -> None:
    """It leaves the ring; its bytes stay in a file beside it, for the backups. Raises RingChangeRefused."""
    _refuse_in_trouble()
    use = rekey.use_of(key_id)
    if use is None:
        raise _unknown(key_id)
    if reason := why_needed(use, nodes()):
        raise RingChangeRefused(reason)

    def taken_out(entries: Entries) -> Entries:
        if _name(entries[0]) == key_id:
            raise _sealing(key_id)
        return [entry for entry in entries if _name(entry) != key_id]

    def note(now: datetime) -> None:
        EncryptionKey.objects.filter(key_id=key_id).update(retired_at=now)

    told = _("Nothing needs %(key)s: take it out of the keys and restart every node.")
    _change("retire_key", key_id, actor, taken_out, note=note, told=told)


def why_needed(use: KeyUse, living: list[Heartbeat]) -> str:
    """Why this key of the ring must stay, in one sentence; empty when it may go. `living`: as `nodes` told."""
    key_id = use.key_id
    if use.is_primary:
        return str(_sealing(key_id))
    if use.values or use.wraps:
        text = ngettext(
            "%(count)d value is sealed by %(key)s: seal what is left anew first.",
            "%(count)d values are sealed by %(key)s: seal what is left anew first.",
            use.values + use.wraps,
        )
        return text % {"count": use.values + use.wraps, "key": key_id}
    if use.grants or use.files:
        return _("A grant that began before may still bring an answer sealed by %(key)s: wait until it is over.") % {
            "key": key_id
        }
    return _why_needed_elsewhere(key_id, living)


def _why_needed_elsewhere(key_id: str, living: list[Heartbeat]) -> str:
    """What other processes may still write with it."""
    if holding := [beat.name for beat in living if key_id in [*beat.ring[:1], *beat.spooled]]:
        return _("%(nodes)s still seals with %(key)s, or holds an answer on disk that it sealed.") % {
            "nodes": ", ".join(holding),
            "key": key_id,
        }
    file = _file()
    left = ceil(SETTLED_AFTER - key_file.seconds_since_change(file)) if file else 0
    if left > 0:
        text = ngettext(
            "The keys changed a moment ago: it may be retired in %(count)d second.",
            "The keys changed a moment ago: it may be retired in %(count)d seconds.",
            left,
        )
        return text % {"count": left}
    return ""


def without(key_id: str, living: list[Heartbeat]) -> list[str]:
    """Of the workers that live, those that do not hold this key."""
    return [beat.name for beat in living if key_id not in beat.ring]


def nodes() -> list[Heartbeat]:
    """The workers that live."""
    return list(Heartbeat.objects.filter(beat_at__gte=database_now() - SILENT_AFTER))


def _file() -> Path | None:
    file: Path | None = settings.SUGARADMIN.encryption_key_file
    return file


def _refuse_in_trouble() -> None:
    if trouble := guard.key_trouble():
        raise RingChangeRefused(trouble)


def _taken(key_id: str) -> RingChangeRefused:
    return RingChangeRefused(_("A key is or was named %(key)s; a name is used once.") % {"key": key_id})


def _unknown(key_id: str) -> RingChangeRefused:
    return RingChangeRefused(_("There is no key %(key)s in the ring.") % {"key": key_id})


def _sealing(key_id: str) -> RingChangeRefused:
    return RingChangeRefused(_("%(key)s seals what is written: let another key seal first.") % {"key": key_id})


def _name(entry: str) -> str:
    return entry.partition(":")[0]


def _change(
    deed: str,
    key_id: str,
    actor: Actor,
    edit: Callable[[Entries], Entries],
    *,
    note: Callable[[datetime], None] = lambda now: None,
    told: str,
) -> None:
    """The file last: what could not be noted is not done. `told`: what to do where the keys are not ours."""
    file = _file()
    if file is None:
        raise NotOurs(told % {"key": key_id})
    now = database_now()
    try:
        with transaction.atomic():
            note(now)
            audit.record(actor, deed, at=now, target=key_id)
            key_file.change(file, edit)
    except VaultError as refused:
        raise RingChangeRefused(str(refused)) from None
    except OSError as refused:
        raise RingChangeRefused(
            _("%(file)s cannot be written: %(why)s.") % {"file": file, "why": refused.strerror}
        ) from None
    guard.forget()
