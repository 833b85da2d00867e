"""Snoozes and notes of staff, by the connection's public id. All raise NotFound, also for another tenant's."""

from __future__ import annotations

from datetime import timedelta

from connections.custody.audit import Actor
from connections.custody.handout import Tenants, find
from connections.custody.ledger import desk
from connections.custody.problems import NotFound


def snooze(public_id: str, actor: Actor, *, tenants: Tenants, span: timedelta, reason: str) -> None:
    desk.snooze(find(public_id, tenants).pk, span, reason, actor)


def wake(public_id: str, actor: Actor, *, tenants: Tenants) -> None:
    desk.wake(find(public_id, tenants).pk, actor)


def write_note(public_id: str, actor: Actor, *, tenants: Tenants, text: str) -> None:
    desk.write_note(find(public_id, tenants).pk, text, actor)


def delete_note(public_id: str, actor: Actor, *, tenants: Tenants, note: int) -> None:
    if not desk.delete_note(find(public_id, tenants).pk, note, actor):
        raise NotFound
