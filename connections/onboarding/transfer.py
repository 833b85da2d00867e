"""Takes many connections in and gives them out.

An import reads and checks every row first, then writes row by row, each in a transaction of its own. It may be
repeated: a row finds its connection by the external id, or by instance, user and platform, and changes only what
differs. No secret of a row is in any answer, and an export has none.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import partial
from typing import Any

from django.db import connection

from connections.custody import actions, keys
from connections.custody.audit import Actor
from connections.custody.ledger.edits import Entry
from connections.custody.problems import CustodyProblem
from connections.models import Connection
from connections.onboarding import registry, tables
from connections.onboarding.registry import EditRefused, InvalidFields
from connections.vault import Context, VaultError

SIGN_INS_AT_ONCE = 8
SEALED = {"password": keys.password_context, "client_secret": keys.client_secret_context}


class Outcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became, or would become, of one row; rows are counted from 1."""

    row: int
    outcome: Outcome
    id: str | None = None
    label: str = ""
    errors: dict[str, list[str]] = field(default_factory=dict)
    code: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """A checked row: what it would do to which connection."""

    taken: Taken
    tenant: str = ""
    values: tables.Fields = field(default_factory=dict, repr=False)
    wants_sign_in: bool = False


def take_in(rows: Sequence[tables.Fields], actor: Actor, *, is_dry_run: bool = False) -> list[Taken]:
    """Imports; one answer per row. A dry run checks the same and writes nothing."""
    plans = list(_plans(rows))
    if is_dry_run:
        return [plan.taken for plan in plans]
    done = [replace(plan, taken=_carry_out(plan, actor)) for plan in plans]
    _sign_in(done, actor)
    return [plan.taken for plan in done]


def give_out(rows: Iterable[Connection]) -> Iterator[tables.Fields]:
    """The fields of `POST /connections` that are no secret. `rows` with tenant and tags."""
    for row in rows:
        values = {name: getattr(row, name) for name in tables.PLAIN if name not in ("tenant", "tags")}
        shown = {"tenant": row.tenant.slug} | values | {"tags": sorted(tag.name for tag in row.tags.all())}
        yield {name: shown[name] for name in tables.PLAIN}


# -- checking ------------------------------------------------------------------------------------------------


def _plans(rows: Sequence[tables.Fields]) -> Iterator[_Plan]:
    """Two rows for one connection would undo each other: the second is refused."""
    met: dict[tuple[str, ...], int] = {}
    for number, values in enumerate(rows, start=1):
        plan, marks = _plan(number, values)
        before = [met[mark] for mark in marks if mark in met]
        if before and plan.taken.outcome != Outcome.REFUSED:
            errors = {"instance_url": [f"Row {before[0]} is about the same connection."]}
            plan = _Plan(taken=replace(plan.taken, outcome=Outcome.REFUSED, errors=errors, code="invalid"))
        met.update(dict.fromkeys(marks, number))
        yield plan


def _plan(number: int, values: tables.Fields) -> tuple[_Plan, list[tuple[str, ...]]]:
    taken = Taken(row=number, outcome=Outcome.CREATED, label=str(values.get("label") or "")[:200])
    errors = _strange(values)
    tenant = str(values.get("tenant") or "").strip().lower()
    if not registry.SLUG_PATTERN.fullmatch(tenant):
        errors["tenant"] = ["A short name of lower-case letters, digits, - and _, as in acme."]
    given = {name: value for name, value in values.items() if name in tables.KNOWN - {"tenant", "sign_in"}}
    existing = None
    try:
        entry = registry.read(given, is_new=True)
        existing = _existing(tenant, entry)
    except InvalidFields as refused:
        errors = refused.errors | errors
        return _Plan(taken=replace(taken, outcome=Outcome.REFUSED, errors=errors, code=refused.code or "invalid")), []
    if errors:
        return _Plan(taken=replace(taken, outcome=Outcome.REFUSED, errors=errors, code="invalid")), []
    plan = _Plan(taken=taken, tenant=tenant, values=given, wants_sign_in=bool(values.get("sign_in")))
    return _over(existing, plan, entry), _marks(tenant, entry)


def _strange(values: tables.Fields) -> dict[str, list[str]]:
    errors = {name: ["There is no such field."] for name in values if name and name not in tables.KNOWN}
    if "" in values:
        errors["row"] = ["It has more cells than there are columns: a text with a comma needs quotes."]
    if not isinstance(values.get("sign_in", False), bool):
        errors["sign_in"] = ["This must be true or false."]
    return errors


def _existing(tenant: str, entry: Entry) -> Connection | None:
    present = Connection.objects.present().select_related("tenant").prefetch_related("tags")
    by_id = present.filter(tenant__slug=tenant, external_id=entry.external_id).first() if entry.external_id else None
    return by_id or present.filter(**_triple(entry)).first()


def _triple(entry: Entry) -> dict[str, str]:
    return {
        "instance_url": entry.instance_url or "",
        "username_key": (entry.username or "").lower(),
        "platform_key": (entry.platform or "").lower(),
    }


def _marks(tenant: str, entry: Entry) -> list[tuple[str, ...]]:
    """What makes two rows the same connection."""
    marks: list[tuple[str, ...]] = [("triple", *_triple(entry).values())]
    return [*marks, ("id", tenant, entry.external_id)] if entry.external_id else marks


def _over(existing: Connection | None, plan: _Plan, entry: Entry) -> _Plan:
    """The plan over what is there: only what differs is changed."""
    if existing is None:
        return plan
    if existing.tenant.slug != plan.tenant:
        errors = {"instance_url": ["Another tenant's connection uses this instance, user and platform."]}
        return _Plan(taken=replace(plan.taken, outcome=Outcome.REFUSED, errors=errors, code="connection_exists"))
    changed = set(_differences(existing, entry))
    if changed & {"instance_url", "username", "platform", "client_id", "ca_pem"}:
        changed |= {*tables.SECRETS}  # another identity wipes what is stored: what the row brings is needed again
    if "rest_path" in changed:
        changed.add("instance_url")  # which it was pasted with
    changes = {name: value for name, value in plan.values.items() if name in changed}
    outcome = Outcome.UPDATED if changes else Outcome.UNCHANGED
    taken = replace(plan.taken, outcome=outcome, id=existing.public_id)
    is_draft = existing.version_count == 0
    return replace(plan, taken=taken, values=changes, wants_sign_in=plan.wants_sign_in and is_draft)


def _differences(row: Connection, entry: Entry) -> Iterator[str]:
    return (item.name for item in fields(entry) if _differs(row, item.name, getattr(entry, item.name)))


def _differs(row: Connection, name: str, value: Any) -> bool:
    if value is None:
        return False
    if name == "tags":
        return {tag.name for tag in row.tags.all()} != set(value)
    if name == "refresh_token":  # adopts a chain: once, and never over one that we keep ourselves
        return row.version_count == 0 and row.adopted_token is None
    if name == "password" and not row.store_password:
        return False
    if name in SEALED:
        return not _is_stored(row, name, SEALED[name](row), value)
    return bool(getattr(row, name) != value)


def _is_stored(row: Connection, name: str, context: Context, value: str) -> bool:
    sealed = getattr(row, name)
    if sealed is None:
        return value == ""
    try:
        return hmac.compare_digest(keys.unseal(sealed, context).encode(), value.encode())
    except VaultError:
        return False


# -- writing -------------------------------------------------------------------------------------------------


def _carry_out(plan: _Plan, actor: Actor) -> Taken:
    if plan.taken.outcome in (Outcome.REFUSED, Outcome.UNCHANGED):
        return plan.taken
    try:
        if plan.taken.id is None:
            row = registry.create(plan.tenant, plan.values, actor)
        else:
            row = registry.edit(plan.taken.id, plan.values, actor)
    except InvalidFields as refused:
        return replace(plan.taken, outcome=Outcome.REFUSED, errors=refused.errors, code=refused.code or "invalid")
    except (EditRefused, CustodyProblem) as refused:
        return replace(plan.taken, outcome=Outcome.REFUSED, errors={"row": [str(refused)]}, code=_code(refused))
    return replace(plan.taken, id=row.public_id)


def _code(refused: EditRefused | CustodyProblem) -> str:
    if isinstance(refused, CustodyProblem):
        return refused.code
    match refused:
        case registry.ConnectionExists():
            return "connection_exists"
        case registry.TripleBusy():
            return "busy"
    return "invalid"


def _sign_in(plans: Sequence[_Plan], actor: Actor) -> None:
    """A failed one leaves a draft that says why, as in the API: it is no failure of the import."""
    wanted = [plan for plan in plans if plan.wants_sign_in and plan.taken.id and plan.taken.outcome != Outcome.REFUSED]
    with ThreadPoolExecutor(SIGN_INS_AT_ONCE, thread_name_prefix="import") as pool:
        list(pool.map(partial(_sign_in_one, actor=actor), wanted))


def _sign_in_one(plan: _Plan, *, actor: Actor) -> None:
    try:
        actions.begin(plan.taken.id or "", actor, password=plan.values.get("password"))
    except CustodyProblem:
        return  # its diagnosis stands on the connection
    finally:
        connection.close()
