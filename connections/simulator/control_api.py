"""The control API below `/_control`: JSON in, JSON out, errors as {"error": …} with 400 or 404.

GET    /_control/                                instances, clock
GET    /_control/log?instance=&endpoint=&grant=&user=&after=   entries of the journal
GET    /_control/counts?…                        number of requests
GET    /_control/verdict                         violations, tokens presented again, grants without platform
POST   /_control/clear_log
POST   /_control/clock             {"advance": seconds}
POST   /_control/instances         {"name", "preset", …parameters}
GET    /_control/instances/N       the whole state
DELETE /_control/instances/N
POST   /_control/instances/N/VERB  one of VERBS below or an event (events.NAMES), with its arguments
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from connections.simulator import events
from connections.simulator.instance import Instance
from connections.simulator.wire import Json, Response

if TYPE_CHECKING:
    from connections.simulator.server import SimulatorServer

Query = dict[str, str]


async def answer_control(server: SimulatorServer, method: str, path: str, query: Query, body: bytes) -> Response:
    """Answer one control request; what cannot be done says why."""
    words = [word for word in path.split("/")[2:] if word]
    try:
        arguments = json.loads(body) if body else {}
        answer = await _answer(server, method, words, query, arguments)
    except LookupError as exc:
        return Response.of_json({"error": f"unknown: {exc}"}, status=404)
    except (ValueError, TypeError) as exc:
        return Response.of_json({"error": str(exc)}, status=400)
    return Response.of_json({} if answer is None else answer)


async def _answer(server: SimulatorServer, method: str, words: list[str], query: Query, arguments: Json) -> object:
    if words[:1] == ["instances"]:
        return await _instances(server, method, words[1:], arguments)
    name = "/".join(words)
    if method == "GET":
        return _READS[name](server, query)
    return _CHANGES[name](server, arguments)


# --- the world


def _overview(server: SimulatorServer, query: Query) -> Json:
    instances = [{"name": one.name, "url": server.instance_url(one.name)} for one in server.world]
    return {"now": server.world.clock(), "instances": instances}


def _log(server: SimulatorServer, query: Query) -> Json:
    after = int(query.pop("after", "0"))
    entries = server.world.journal.entries(after=after, **query)
    return {"entries": [entry.as_json() for entry in entries]}


def _counts(server: SimulatorServer, query: Query) -> Json:
    return {"count": server.world.journal.count(**query)}


def _verdict(server: SimulatorServer, query: Query) -> Json:
    journal = server.world.journal
    return {
        "violations": server.world.violations(),
        "presented_again": [asdict(one) for one in journal.presented_again()],
        "without_platform": [entry.as_json() for entry in journal.without_platform()],
    }


_READS: dict[str, Callable[[SimulatorServer, Query], Json]] = {
    "": _overview,
    "log": _log,
    "counts": _counts,
    "verdict": _verdict,
}
_CHANGES: dict[str, Callable[[SimulatorServer, Json], object]] = {
    "clear_log": lambda server, arguments: server.world.journal.clear(),
    "clock": lambda server, arguments: server.world.advance(float(str(arguments["advance"]))),
}


# --- one instance


async def _instances(server: SimulatorServer, method: str, words: list[str], arguments: Json) -> object:
    if not words:
        return await _add(server, arguments)
    instance = server.world[words[0]]
    if len(words) == 1:
        if method == "DELETE":
            await server.close_port(instance.name)
            server.world.remove_instance(instance.name)
            return None
        return _state(server, instance)
    return await _act(server, instance, words[1], arguments)


async def _add(server: SimulatorServer, arguments: Json) -> Json:
    name, preset = str(arguments.pop("name", "")), str(arguments.pop("preset", "13.3"))
    instance = server.world.add_instance(name, preset, **arguments)
    if server.port_per_instance:
        await server.open_port(name)
    return _state(server, instance)


async def _act(server: SimulatorServer, instance: Instance, verb: str, arguments: Json) -> object:
    if verb in _PORTS:
        await _PORTS[verb](server, instance.name)
        return None
    if verb in events.NAMES:
        return getattr(instance.events, verb)(**arguments)
    return VERBS[verb](instance, **arguments)


_PORTS: dict[str, Callable[[SimulatorServer, str], Awaitable[None]]] = {
    "open_port": lambda server, name: server.open_port(name),
    "close_port": lambda server, name: server.close_port(name),
}


def _state(server: SimulatorServer, instance: Instance) -> Json:
    """Everything, secrets included: this is a server to look into."""
    tables = instance.tables
    return {
        "name": instance.name,
        "url": server.instance_url(instance.name),
        "now": instance.now(),
        "parameters": asdict(instance.parameters),
        "platforms": sorted(tables.platforms),
        "users": [asdict(user) for user in tables.users.values()],
        "keys": [asdict(key) for key in tables.keys.values()],
        "rows": [asdict(row) for row in tables.rows.values()],
        "sessions": [asdict(session) for session in instance.sessions.values()],
        "idm": [asdict(pair) for pair in instance.idm.values()],
        "chaos": [asdict(switch) for switch in instance.chaos.switches],
        "standing": [ticket.step for ticket in instance.holds.standing],
        "pacing": instance.pacing,
        "in_flight": instance.in_flight,
    }


def _user(instance: Instance, *, name: str, password: str = "", **attributes: object) -> Json:
    return asdict(instance.user(name, password, **attributes))


def _key(instance: Instance, *, c_key: str, secret: str = "", **attributes: str) -> Json:
    return asdict(instance.key(c_key, secret, **attributes))


def _chaos(instance: Instance, *, kind: str, **options: object) -> Json:
    return asdict(instance.chaos.set(kind, **options))  # type: ignore[arg-type]


def _pace(instance: Instance, **seconds: float) -> None:
    """Seconds before each step, by name; `all` for every step of a grant. Replaces what was set before."""
    instance.pacing = {"*" if name == "all" else name: float(wait) for name, wait in seconds.items()}


def _standing(instance: Instance) -> Json:
    return {"standing": [ticket.step for ticket in instance.holds.standing]}


def _release(instance: Instance, *, step: str = "", count: int | None = None) -> Json:
    return {"released": instance.holds.release(step, count)}


VERBS: dict[str, Callable[..., object]] = {
    "configure": lambda instance, **changes: instance.configure(**changes),
    "user": _user,
    "key": _key,
    "chaos": _chaos,
    "calm": lambda instance, kind=None: instance.chaos.clear(kind),
    "pace": _pace,
    "hold": lambda instance, step, count=1: instance.holds.hold(step, count),
    "standing": _standing,
    "release": _release,
}
