"""The world as JSON in a file: after a restart its tokens are alive. Chaos, holds and journal are not kept."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from connections.simulator.entities import IdmToken, Key, Row, Session, User
from connections.simulator.instance import Instance
from connections.simulator.wire import Json
from connections.simulator.world import World

FORMAT = 1


def save(world: World, path: Path) -> None:
    """Write beside the file, then replace it: a crash leaves the old one whole."""
    content = {"format": FORMAT, "offset": world.offset, "instances": [_packed(instance) for instance in world]}
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def load(world: World, path: Path) -> bool:
    """Add what was saved; False when there is no file. A file that is no such archive raises ValueError."""
    if not path.exists():
        return False
    content = json.loads(path.read_text())
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"{path.name} is no archive of the simulator")
    world.advance(content["offset"])
    for packed in content["instances"]:
        _unpack(world, packed)
    return True


def _packed(instance: Instance) -> Json:
    tables = instance.tables
    return {
        "name": instance.name,
        "parameters": asdict(instance.parameters),
        "platforms": sorted(tables.platforms),
        "users": [asdict(user) for user in tables.users.values()],
        "keys": [asdict(key) for key in tables.keys.values()],
        "rows": [asdict(row) for row in tables.rows.values()],
        "sessions": [asdict(session) for session in instance.sessions.values()],
        "idm": [asdict(pair) for pair in instance.idm.values()],
    }


def _unpack(world: World, packed: dict[str, Any]) -> None:
    instance = world.add_instance(packed["name"], **packed["parameters"])
    instance.reset(set(packed["platforms"]))
    for user in packed["users"]:
        instance.tables.add_user(User(**user))
    for key in packed["keys"]:
        instance.tables.keys[key["id"]] = Key(**key)
    for row in packed["rows"]:
        instance.tables.add_row(Row(**row))
    for session in packed["sessions"]:
        instance.sessions[session["access"]] = Session(**session)
    for pair in packed["idm"]:
        instance.remember(IdmToken(**pair))
