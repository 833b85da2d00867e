"""The staff actions: the same functions as behind the buttons and the commands."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpResponse

from connections.api import representation
from connections.api.entrance import Call, answer
from connections.api.problems import as_response, refusal_of
from connections.custody import actions
from connections.custody.actions import Report
from connections.models import Connection


def test(call: Call) -> HttpResponse:
    checks = actions.test(call.public_id, call.actor, tenants=call.tenants)
    shown = representation.connection_of(call.public_id, call.tenants)
    return answer({"checks": [check.as_dict() for check in checks], "connection": shown})


def rotate(call: Call) -> HttpResponse:
    version = call.body.get("version")
    return _reported(call, actions.rotate(call.public_id, call.actor, tenants=call.tenants, version=version))


def sign_in(call: Call) -> HttpResponse:
    report = actions.sign_in(
        call.public_id,
        call.actor,
        tenants=call.tenants,
        version=call.body.get("version"),
        password=call.body.get("password") or None,
    )
    return _reported(call, report)


def repair(call: Call) -> HttpResponse:
    return _reported(call, actions.repair(call.public_id, call.actor, tenants=call.tenants))


def _reported(call: Call, report: Report) -> HttpResponse:
    if report.problem is not None:
        refusal = refusal_of(report.problem, call.public_id)
        assert refusal is not None
        refusal.more["rungs"] = report.rungs
        return as_response(refusal)
    shown = {
        "outcome": report.outcome,
        "version": report.version,
        "rungs": report.rungs,
        "connection": representation.connection_of(call.public_id, call.tenants),
    }
    return answer(shown, HTTPStatus.ACCEPTED if report.is_running else HTTPStatus.OK)


def pause(call: Call) -> HttpResponse:
    return _switched(call, actions.pause)


def resume(call: Call) -> HttpResponse:
    return _switched(call, actions.resume)


def hold(call: Call) -> HttpResponse:
    return _switched(call, actions.hold)


def _switched(call: Call, switch: Callable[..., Connection]) -> HttpResponse:
    switch(call.public_id, call.actor, tenants=call.tenants)
    return answer(representation.connection_of(call.public_id, call.tenants))
