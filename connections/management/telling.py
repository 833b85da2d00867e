"""A connection and what was done with it, as text for a terminal and as JSON like the API's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connections.custody.actions import Check, Report
from connections.models import Connection, Event
from connections.onboarding.representation import ConnectionJson, connection_as_json, instant

if TYPE_CHECKING:
    from connections.management.mending import Mended

EVENTS_SHOWN = 10


def line(row: Connection) -> str:
    """One connection in a list."""
    code = row.diagnosis_code or "-"
    return f"{row.public_id}  {_status(row):11} {code:26} {row.tenant.slug:16} {row.host:34} {row.label}"


def whole(row: Connection) -> str:
    """Everything a person needs to act, and the newest of its history."""
    shown = connection_as_json(row)
    return "\n".join([*_head(shown), *_diagnosis(shown), *_history(row)])


def _head(shown: ConnectionJson) -> list[str]:
    lines = [
        f"{shown['id']}  {shown['label']} ({shown['tenant']})",
        f"  status    {shown['status']}" + (f" until {shown['dies_at']}" if shown["dies_at"] else ""),
        f"  instance  {shown['instance_url']}",
        f"  user      {shown['username']} on {shown['platform']}, client {shown['client_id']}",
        f"  tags      {', '.join(shown['tags']) or '-'}",
    ]
    token = shown["token"]
    if token is not None:
        lines.append(
            f"  token     version {token['version']} ({token['fingerprint']}) until {token['access_expires_at']}"
        )
        lines.append(f"  next      refresh at {shown['next_refresh_at'] or '-'}")
    return lines


def _diagnosis(shown: ConnectionJson) -> list[str]:
    found = shown["diagnosis"]
    if found is None:
        return []
    return [
        f"  diagnosis {found['code']} ({found['confidence']}): {found['cause']}",
        *(f"            {item['text']}" for item in found["evidence"]),
        f"  to do     by {found['fix_by']}:",
        *(f"            {number}. {step}" for number, step in enumerate(found["fix"], start=1)),
        f"            {found['help_url']}",
    ]


def _history(row: Connection) -> list[str]:
    newest = Event.objects.filter(connection=row).order_by("-number")[:EVENTS_SHOWN]
    return [f"  {instant(event.at)} {event.summary} ({event.actor})" for event in reversed(newest)]


def report(done: Report, row: Connection) -> str:
    rungs = [
        f"  {rung['rung']}: {rung['outcome']}" + (f" ({rung['code']})" if rung["code"] else "") for rung in done.rungs
    ]
    return "\n".join([f"{row.public_id}  {done.outcome}, version {done.version}, {_status(row)}", *rungs])


def report_as_json(done: Report, connection: ConnectionJson) -> dict[str, Any]:
    return {"outcome": done.outcome, "version": done.version, "rungs": done.rungs, "connection": connection}


def check(one: Check) -> str:
    return f"{'ok  ' if one.ok else 'FAIL'} {one.name:10} {one.status or '-':>4} {one.ms:5} ms  {one.detail}"


def mended(one: Mended) -> str:
    return f"{one.connection}  {one.outcome}" + (f"  {one.code}: {one.detail}" if one.code else "")


def _status(row: Connection) -> str:
    return str(row.status)  # type: ignore[attr-defined]  # annotated by with_status
