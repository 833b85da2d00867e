"""Takes a connection as people and programs describe it: checks every field, then lets the ledger write."""

from __future__ import annotations

import re
import ssl
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.choices import BUILT_IN_PLATFORMS, DiagnosisCode
from connections.custody import actions, probing
from connections.custody.audit import Actor, record
from connections.custody.handout import Tenants, find
from connections.custody.ledger import edits
from connections.custody.ledger.edits import ConnectionExists, EditRefused, Entry, ExternalIdTaken, Moved, TripleBusy
from connections.models import Connection, Tenant, database_now
from connections.onboarding import addresses
from connections.onboarding.owners import may_own
from connections.sugar import REST_PATH, AddressError, normalise, rest_path_in

__all__ = [
    "ConnectionExists",
    "EditRefused",
    "ExternalIdTaken",
    "InvalidFields",
    "InvalidTenant",
    "Moved",
    "TripleBusy",
    "create",
    "edit",
    "tenant_for",
]

PLATFORM_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,127}")  # SUGAR.md section 3
SLUG_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
TAG_PATTERN = re.compile(r"[^\s,]{1,50}")
MOST_TAGS = 30
LIMITS = {
    "label": 200,
    "external_id": 200,
    "contact_name": 200,
    "contact_email": 254,
    "owner": 150,
    "username": 255,
    "client_id": 255,
    "platform": 127,
    "password": 1024,
    "client_secret": 1024,
    "refresh_token": 4096,
    "ca_pem": 65_536,
    "instance_url": 2000,
}
REQUIRED = ("label", "instance_url", "platform", "username")
TEXTS = tuple(name for name in LIMITS if name != "owner")
FLAGS = ("store_password", "allow_shared_platform")
NOT_EMPTY = ("label", "instance_url", "platform", "username", "client_id")


class InvalidFields(Exception):
    """Bad input, per field; nothing was stored. `code`: the diagnosis code, where it is one."""

    def __init__(self, errors: dict[str, list[str]], code: str = "") -> None:
        super().__init__("; ".join(f"{name}: {' '.join(texts)}" for name, texts in errors.items()))
        self.errors = errors
        self.code = code


@dataclass(slots=True)
class _Reading:
    """Collects what is wrong, so that a person is told everything at once."""

    errors: dict[str, list[str]]
    actor: Actor | None = None
    code: str = ""

    def refuse(self, name: str, text: str, code: str = "") -> None:
        self.errors[name].append(text)
        self.code = self.code or code

    def finish(self) -> None:
        if self.errors:
            raise InvalidFields(dict(self.errors), self.code)


def create(
    tenant_slug: str, fields: dict[str, Any], actor: Actor, *, tenants: Tenants = None, rest_path: str | None = None
) -> Connection:
    """Stores a draft. An unknown tenant is made, unless the asker is limited to some. `rest_path`: as discovered;
    else what the pasted address tells of it.

    Raises InvalidFields, NotFound (another tenant's), edits.EditRefused.
    """
    entry = read(fields, is_new=True, actor=actor)
    entry = replace(entry, rest_path=rest_path or entry.rest_path)
    # Not in one transaction: the audit chain is locked to the end of each, and creating waits for other rows too.
    tenant = tenant_for(tenant_slug, actor, tenants)
    row = edits.create(tenant, entry, actor)
    return find(row.public_id, tenants)


def edit(
    public_id: str,
    fields: dict[str, Any],
    actor: Actor,
    *,
    tenants: Tenants = None,
    rest_path: str | None = None,
    generation: int | None = None,
) -> Connection:
    """Raises InvalidFields, NotFound, edits.EditRefused. `generation`: the one that the asker saw."""
    row = find(public_id, tenants)
    entry = read(fields, is_new=False, before=row, actor=actor)
    is_elsewhere = entry.instance_url not in (None, row.instance_url)  # where nothing is known of the root yet
    entry = replace(entry, rest_path=rest_path or entry.rest_path or (REST_PATH if is_elsewhere else None))
    _row, farewell = edits.edit(row.pk, entry, actor, generation=generation)
    actions.say_farewell(farewell)
    return find(public_id, tenants)


def tenant_for(slug: str, actor: Actor, tenants: Tenants) -> Tenant:
    """A limited asker is told the same of another's tenant and of one that does not exist."""
    slug = (slug or "").strip().lower()
    if not SLUG_PATTERN.fullmatch(slug):
        raise InvalidFields({"tenant": [_("A short name of lower-case letters, digits, - and _, as in acme.")]})
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenants is not None:
        if tenant is None or tenant.pk not in tenants:
            raise InvalidTenant
        return tenant
    return tenant or _new_tenant(slug, actor)


class InvalidTenant(Exception):
    """Unknown to this asker: 404."""


def _new_tenant(slug: str, actor: Actor) -> Tenant:
    try:
        with transaction.atomic():
            tenant = Tenant.objects.create(slug=slug, name=slug)
            record(actor, "create_tenant", at=database_now(), target=tenant.public_id, tenant=tenant)
            return tenant
    except IntegrityError:
        return Tenant.objects.get(slug=slug)  # made in the same moment by somebody else


def read(
    fields: dict[str, Any], *, is_new: bool, before: Connection | None = None, actor: Actor | None = None
) -> Entry:
    """Checks and normalises. Raises InvalidFields, and TooOften where this actor tried many forbidden addresses."""
    reading = _Reading(errors=defaultdict(list), actor=actor)
    values: dict[str, Any] = {}
    for name in TEXTS:
        if fields.get(name) is not None:
            values[name] = _text(reading, name, fields[name])
    for name in FLAGS:
        if fields.get(name) is not None:
            values[name] = _flag(reading, name, fields[name])
    if fields.get("server_seconds") is not None:
        values["server_seconds"] = _seconds(reading, fields["server_seconds"])
    if fields.get("tags") is not None:
        values["tags"] = _tags(reading, fields["tags"])
    if before is not None and fields.get("owner") is not None:
        values["owner"] = _owner(reading, fields["owner"], before)
    if is_new:
        for name in REQUIRED:
            if not values.get(name) and name not in reading.errors:
                reading.refuse(name, _("This is needed."))
    entry = Entry(**{name: value for name, value in values.items() if name not in reading.errors})
    entry = _check_whole(reading, entry, is_new=is_new, before=before)
    reading.finish()
    return entry


def _text(reading: _Reading, name: str, value: object) -> str:
    if not isinstance(value, str):
        reading.refuse(name, _("This must be text."))
        return ""
    is_secret = name in ("password", "client_secret")
    text = value if is_secret else value.strip()
    if len(text) > LIMITS[name]:
        most = LIMITS[name]
        told = ngettext("At most %(count)d character.", "At most %(count)d characters.", most)
        reading.refuse(name, told % {"count": most})
    if name != "ca_pem" and any(ord(letter) < 32 or ord(letter) == 127 for letter in text):
        reading.refuse(name, _("Control characters (a line break, perhaps) cannot be part of this."))
    if name in NOT_EMPTY and not text:
        reading.refuse(name, _("This is needed."))
    return text


def _flag(reading: _Reading, name: str, value: object) -> bool:
    if not isinstance(value, bool):
        reading.refuse(name, _("This must be true or false."))
    return bool(value)


def _seconds(reading: _Reading, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 3600:
        reading.refuse("server_seconds", _("A whole number of seconds from 0 to 3600."))
        return 0
    return value


def _tags(reading: _Reading, value: object) -> tuple[str, ...]:
    names = list(value) if isinstance(value, (list, tuple)) else []
    is_good = isinstance(value, (list, tuple)) and len(names) <= MOST_TAGS
    if not is_good or not all(isinstance(name, str) and TAG_PATTERN.fullmatch(name.strip()) for name in names):
        told = _("At most %(count)d words of up to 50 letters, without spaces or commas.")
        reading.refuse("tags", told % {"count": MOST_TAGS})
        return ()
    return tuple(dict.fromkeys(name.strip() for name in names))


def _owner(reading: _Reading, value: object, before: Connection) -> str:
    """Whoever it is already stays, also while he is switched off."""
    name = _text(reading, "owner", value)
    if not name or (before.owner and name == before.owner.get_username()):
        return name
    if not may_own(frozenset({before.tenant_id})).filter(username=name).exists():
        reading.refuse("owner", _("Nobody of this name may see this connection."))
    return name


def _check_whole(reading: _Reading, entry: Entry, *, is_new: bool, before: Connection | None) -> Entry:
    """What needs more than one field, or the network's leave."""
    if entry.platform:
        _check_platform(reading, entry, before)
    if entry.contact_email:
        _check_email(reading, entry.contact_email)
    if entry.ca_pem:
        _check_ca(reading, entry.ca_pem)
    if entry.instance_url and "instance_url" not in reading.errors:
        entry = _check_address(reading, entry)
    return entry


def _check_platform(reading: _Reading, entry: Entry, before: Connection | None) -> None:
    platform = entry.platform or ""
    if not PLATFORM_PATTERN.fullmatch(platform):
        reading.refuse("platform", _("Sugar allows 1 to 127 letters (A–Z), digits, - and _ here."))
        return
    is_allowed = entry.allow_shared_platform
    if is_allowed is None:
        is_allowed = before.allow_shared_platform if before else False
    if platform.lower() in BUILT_IN_PLATFORMS and not is_allowed:
        reading.refuse(
            "platform",
            _(
                "%(platform)s is one of Sugar's own platforms: people who sign in there would end our session, and we "
                "theirs. Ask the customer's admin to register one for us (Admin > Configure API Platforms)."
            )
            % {"platform": platform},
            DiagnosisCode.PLATFORM_SHARED,
        )


def _check_email(reading: _Reading, value: str) -> None:
    try:
        validate_email(value)
    except ValidationError:
        reading.refuse("contact_email", _("This is not an e-mail address."))


def _check_ca(reading: _Reading, value: str) -> None:
    try:
        ssl.create_default_context(cadata=value)
    except (ssl.SSLError, ValueError, TypeError):  # TypeError: it is not even ASCII
        reading.refuse("ca_pem", _("This is not a certificate in PEM form (-----BEGIN CERTIFICATE-----)."))


def _check_address(reading: _Reading, entry: Entry) -> Entry:
    try:
        url = normalise(entry.instance_url or "", allow_http=settings.SUGARADMIN.allow_http)
    except AddressError as refused:
        reading.refuse("instance_url", str(refused))
        return entry
    turn = probing.UNCOUNTED if reading.actor is None else probing.take_lookup(reading.actor)
    objection = addresses.objection(url)
    turn.over(DiagnosisCode.ADDRESS_BLOCKED if objection else "")
    if objection:
        reading.refuse("instance_url", objection, DiagnosisCode.ADDRESS_BLOCKED)
    return replace(entry, instance_url=url, rest_path=rest_path_in(entry.instance_url or ""))
