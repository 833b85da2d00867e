"""Puts the demo on: a fresh database, the simulator beside web and worker, and the sample fleet played on it.

Every start begins afresh, so that stories end as they are told: only the keys of the directory are kept.
"""

from __future__ import annotations

import io
import os
import secrets
import sys
import threading
import time
from argparse import Namespace
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from connections.choices import Role, Scope
from connections.custody.audit import Actor
from connections.demo import seeding, surroundings
from connections.demo.samples import SAMPLES
from connections.demo.stage import SIGN_OF_A_SAMPLE, Sample, set_up
from connections.onboarding import fleet
from connections.onboarding.access import create_api_key, create_staff
from connections.serving import leash, preparation
from connections.serving.start import Site, serve
from connections.serving.supervisor import Part
from connections.simulator import Control, ControlFailed
from connections.simulator.__main__ import serve as serve_simulator

USER = "demo"
STAFF = Actor(kind="staff", name=USER)
SIMULATOR_HOST = "127.0.0.1"
SIMULATOR_PATIENCE = 30.0
AT_ONCE = 4

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """What one sample has come to."""

    sample: Sample
    trouble: str = ""


def perform(host: str, port: int, *, crowd: int = 0, say: Say) -> bool:
    """Serve until told to stop; as `serve`. `crowd`: so many connections more, that are only written down.

    Raises CannotServe, CannotPerform.
    """
    lock = surroundings.occupy()
    read_end, write_end = leash.make()
    simulator_port = surroundings.free_port(SIMULATOR_HOST)
    try:
        surroundings.note_simulator(f"http://{SIMULATOR_HOST}:{simulator_port}")
        preparation.prepare(static=True)
        _invite(say)
        if crowd:
            _write_crowd(crowd, say)
        preparation.disconnect()
        playing = threading.Thread(target=_play, args=(say,), name="samples", daemon=True)
        playing.start()
        site = Site(host=host, port=port, migrate=False, more=(_simulator_part(simulator_port, read_end),))
        return serve(site, say=say)
    finally:
        os.close(read_end)
        os.close(write_end)
        lock.close()


def be_simulator(port: int, *, leash_end: int) -> int:
    """The process beside: one address for its control, one for each instance."""
    leash.wear(leash_end)
    wanted = Namespace(
        host=SIMULATOR_HOST, port=port, port_per_instance=True, instance=[], state=None, tls_cert=None, tls_key=None
    )
    with redirect_stdout(io.StringIO()):  # the demo says where it is
        return serve_simulator(wanted)


def _simulator_part(port: int, leash_end: int) -> Part:
    manage = str(Path(settings.BASE_DIR) / "manage.py")
    command = (sys.executable, manage, "demo", "--simulator", str(port), "--leash", str(leash_end))
    return Part(name="simulator", command=command, descriptors=(leash_end,))


def _invite(say: Say) -> None:
    """An administrator and a worker's key of this one run; both are printed and kept as hashes."""
    password = secrets.token_urlsafe(12)
    create_staff(USER, password, Role.ADMIN, STAFF)
    issued = create_api_key("demo worker", [*Scope.values], STAFF)
    say(f"Sign in as {USER} with the password {password} (made for this run, shown once).")
    say(f"A worker's key of this run: {issued.key}")


def _write_crowd(size: int, say: Say) -> None:
    say(f"{size:,} connections with a past are being written; ten thousand take some minutes…")
    written = seeding.seed(size, STAFF)
    say(
        f"{written.connections:,} connections, {written.attempts:,} attempts, {written.versions:,} versions and "
        f"{written.events:,} events are written. Nothing refreshes them: their hosts do not exist."
    )


def _play(say: Say) -> None:
    control = Control(surroundings.simulator_url())
    if not _answers(control):
        say("The simulated Sugar does not answer; there are no sample connections.")
        return
    say(f"The simulated Sugar answers at {control.url}; {len(SAMPLES)} sample connections are being made…")
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="story") as pool:
        seen = list(pool.map(lambda sample: _play_one(sample, control), SAMPLES))
    if not _answers(control, patience=0):
        return  # told to stop meanwhile: what could not be made is nobody's trouble
    for sight in seen:
        if sight.trouble:
            say(f"The sample {sight.sample.label!r} could not be made: {sight.trouble}.")
    samples = fleet.matching(fleet.Filter()).filter(external_id__startswith=SIGN_OF_A_SAMPLE)
    statuses = Counter(str(row.status) for row in samples)  # type: ignore[attr-defined]
    connection.close()
    words = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
    say(f"{statuses.total()} sample connections are there: {words}.")


def _play_one(sample: Sample, control: Control) -> _Sight:
    """A story that fails costs one sample, not the demo."""
    try:
        sample.story(set_up(sample, control, STAFF))
    except Exception as error:
        return _Sight(sample=sample, trouble=type(error).__name__)
    finally:
        connection.close()
    return _Sight(sample=sample)


def _answers(control: Control, *, patience: float = SIMULATOR_PATIENCE) -> bool:
    until = time.monotonic() + patience
    while True:
        try:
            control.instances()
        except ControlFailed:
            if time.monotonic() >= until:
                return False
            time.sleep(0.2)
        else:
            return True
