"""A life at random: staff, workers, the background, Sugar and its people, each doing one thing at a time."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.cache import caches
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from connections.custody import actions, breakers, handout, keys, reports
from connections.custody.ledger.edits import EditRefused
from connections.custody.problems import CustodyProblem, Unchanged
from connections.models import Attempt, AuditRow, Connection, Event, HostWait, TokenVersion
from connections.onboarding import registry
from connections.simulator import PRESETS
from tests.audit_guard import unguarded
from tests.custody.clock import tend
from tests.custody.conftest import ANA, rest
from tests.machine.invariants import Memory, check
from tests.scenarios.scene import Scene

SPANS = [timedelta(seconds=one) for one in (2, 20, 40, 130, 600)] + [timedelta(hours=one) for one in (1, 3, 20, 8 * 24)]
SPOILT: list[dict[str, Any]] = [
    {"kind": "lost"},
    {"kind": "reset"},
    {"kind": "error_after", "status": 502},
    {"kind": "cut", "place": "after_refresh_token"},
    {"kind": "cut", "place": "inside_access_token"},
    {"kind": "error_before", "status": 500},
    {"kind": "replay", "answer": "second"},
]
POINTS = ["claimed", "preflight_done", "mark_start", "marked", "answered", "settled", "verified"]
Refused = (CustodyProblem, EditRefused, Unchanged)


class Life(RuleBasedStateMachine):
    """One connection after the other on one instance; what Sugar's people change is put right at the end."""

    def __init__(self, open_scene: Callable[..., Scene], crash: Callable[[str], None]) -> None:
        super().__init__()
        self._open, self._crash = open_scene, crash
        self.memory = Memory()
        self.password = "secret"

    @initialize(preset=st.sampled_from(sorted(PRESETS)), is_stored=st.booleans())
    def begin(self, preset: str, is_stored: bool) -> None:
        self.scene = self._open(preset, fields={"store_password": is_stored})
        self.scene.configured_look(timedelta(minutes=4))
        self.scene.sugar.add_platform("intg2")
        self.scene.sugar.key("other")
        self.note(3)  # created; a sign-in that was begun, and that went well

    # -- who and what

    @property
    def id(self) -> str:
        return self.scene.kept.public_id

    @property
    def row(self) -> Connection:
        return Connection.objects.get(public_id=self.id)

    @property
    def is_present(self) -> bool:
        return self.row.deleted_at is None

    def note(self, changes: int = 1) -> None:
        self.memory.staff_changes[self.id] += changes

    def staff(self, act: Callable[[], object]) -> None:
        """A staff action: audited unless it was refused before it began, or had nothing to do."""
        before = AuditRow.objects.filter(target=self.id).count()
        state = self.snapshot()
        with contextlib.suppress(*Refused):
            act()
        rest()
        self.note(AuditRow.objects.filter(target=self.id).count() - before)
        changed = self.snapshot() != state
        assert not changed or AuditRow.objects.filter(target=self.id).count() > before, "a change without its audit row"

    def snapshot(self) -> tuple[object, ...]:
        row = self.row
        return row.label, row.platform, row.client_id, row.password, row.paused_at, row.held_at, row.deleted_at

    def worker(self, act: Callable[[], handout.HandedOut]) -> None:
        with contextlib.suppress(*Refused):
            given = act()
            assert given.version >= self.memory.handed.get(self.id, 0), "a reader got a lower version than it saw"
            self.memory.handed[self.id] = given.version
        rest()

    # -- staff

    @precondition(lambda self: self.is_present)
    @rule(label=st.sampled_from(["a", "b"]))
    def edit_label(self, label: str) -> None:
        self.staff(lambda: registry.edit(self.id, {"label": label}, ANA))

    @precondition(lambda self: self.is_present)
    @rule(
        changes=st.fixed_dictionaries(
            {},
            optional={
                "platform": st.sampled_from(["intg", "intg2"]),
                "client_id": st.sampled_from(["sugar", "other"]),
                "password": st.sampled_from(["right", "wrong"]),
                "store_password": st.booleans(),
            },
        )
    )
    def edit(self, changes: dict[str, Any]) -> None:
        if "password" in changes:
            changes = changes | {"password": self.password if changes["password"] == "right" else "no"}
        self.staff(lambda: registry.edit(self.id, changes, ANA))

    @precondition(lambda self: self.is_present)
    @rule(name=st.sampled_from(["pause", "resume", "resume", "resume", "rotate", "repair", "test"]))
    def press(self, name: str) -> None:
        self.staff(lambda: getattr(actions, name)(self.id, ANA))

    @precondition(lambda self: self.is_present)
    @rule(password=st.sampled_from(["right", "stored", "wrong"]))
    def sign_in(self, password: str) -> None:
        given = {"right": self.password, "stored": None, "wrong": "no"}[password]
        self.staff(lambda: actions.sign_in(self.id, ANA, password=given))

    @precondition(lambda self: self.is_present)
    @rule(name=st.sampled_from(["pause", "hold"]), span=st.sampled_from(SPANS), is_tended=st.booleans())
    def rest_for(self, name: str, span: timedelta, is_tended: bool) -> None:
        self.press(name=name)
        if is_tended:
            self.scene.run(span)
        else:
            self.scene.clock.jump(span)
        self.press(name="resume")

    @precondition(lambda self: self.is_present)
    @rule(is_due=st.booleans())
    def delete_and_create(self, is_due: bool) -> None:
        if is_due:
            self.scene.kept.make_due()
        self.staff(lambda: actions.delete(self.id, ANA))
        self.create()

    @precondition(lambda self: not self.is_present)
    @rule()
    def create(self) -> None:
        fields = {"label": "next", "instance_url": self.row.instance_url, "platform": "intg", "username": "svc"}
        with contextlib.suppress(*Refused):
            row = registry.create("acme", fields | {"password": self.password}, ANA)
            self.scene.kept.public_id = row.public_id
            self.note()
            self.sign_in(password="right")

    # -- workers and the background

    @precondition(lambda self: self.is_present)
    @rule(min_ttl=st.sampled_from([0, 60, 1800, 7200]))
    def hand_out(self, min_ttl: int) -> None:
        self.worker(lambda: handout.token(self.id, tenants=None, min_ttl=min_ttl, wait=5, actor="worker"))

    @precondition(lambda self: self.is_present and self.row.version_count > 0)
    @rule(behind=st.sampled_from([0, 0, 0, 1]))
    def report(self, behind: int) -> None:
        version = max(1, self.row.version_count - behind)
        told = {"status": 401, "error": "invalid_grant", "error_message": "The access token provided is invalid."}
        self.worker(
            lambda: reports.rejected(self.id, tenants=None, version=version, wait=5, actor="worker", report=told)
        )

    @rule()
    def tend(self) -> None:
        tend(self.row.pk)

    @precondition(lambda self: self.is_present)
    @rule(chaos=st.none() | st.sampled_from(SPOILT))
    def refresh(self, chaos: dict[str, Any] | None) -> None:
        if chaos is not None:
            self.scene.sugar.chaos(**chaos, endpoint="token", count=1)
        self.scene.kept.make_due()
        tend(self.row.pk)

    @precondition(lambda self: self.is_present)
    @rule(times=st.integers(1, 15))
    def sessions_are_flushed_again_and_again(self, times: int) -> None:
        for _ in range(times):
            self.scene.sugar.flush_sessions()
            self.scene.run(timedelta(minutes=5))

    @rule(point=st.sampled_from(POINTS))
    def tend_and_die(self, point: str) -> None:
        self.scene.kept.make_due() if self.is_present else None
        self._crash(point)
        try:
            tend(self.row.pk)
        finally:
            self._crash("")

    @rule(span=st.sampled_from(SPANS))
    def time_passes_unattended(self, span: timedelta) -> None:
        self.scene.clock.jump(span)

    @rule(span=st.sampled_from(SPANS[:-2]))
    def background_works(self, span: timedelta) -> None:
        self.scene.run(span)

    # -- Sugar, its people, the network, our operator

    @rule(platform=st.sampled_from(["intg", "intg2"]))
    def outside_login(self, platform: str) -> None:
        self.scene.sugar.outside_login("svc", platform)

    @rule()
    def outside_refresh(self) -> None:
        live = TokenVersion.objects.filter(connection=self.row, state="live", refresh_token__isnull=False).first()
        if live is not None:
            self.scene.sugar.outside_refresh(keys.opened_refresh(self.row, live), self.row.platform)

    @rule(password=st.sampled_from(["secret", "changed"]))
    def password_changes(self, password: str) -> None:
        self.password = password
        self.scene.sugar.admin_change_password("svc", password)

    @rule(event=st.sampled_from(["deactivate", "reactivate", "expire_access_tokens", "expire_refresh_tokens"]))
    def admin(self, event: str) -> None:
        getattr(self.scene.sugar, event)("svc")

    @rule(on=st.booleans())
    def maintenance(self, on: bool) -> None:
        self.scene.sugar.maintenance(on)

    @rule()
    def sessions_are_flushed(self) -> None:
        self.scene.sugar.flush_sessions()

    @rule(chaos=st.sampled_from(SPOILT))
    def the_next_answer_is_spoilt(self, chaos: dict[str, Any]) -> None:
        self.scene.sugar.chaos(**chaos, endpoint="token", count=1)

    @rule(number=st.integers(1, 3))
    def a_new_key_becomes_primary(self, number: int) -> None:
        ring = settings.SUGARADMIN.encryption_keys
        if f"k{number}:" not in ring:
            fresh = base64.b64encode(bytes([number]) * 32).decode()
            self.scene.configured(encryption_keys=f"k{number}:{fresh},{ring}")

    # -- always, and at last

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "scene"):
            check(self.memory, self.scene.kept.simulator, self.scene.sugar.name)

    def teardown(self) -> None:
        try:
            if hasattr(self, "scene") and self.is_present:
                self.faults_stop()
        finally:
            _forget_everything()

    def faults_stop(self) -> None:
        """INV7, INV5: a good password and a well server: healthy with no human. Else the status is honest."""
        sugar, row = self.scene.sugar, self.row
        sugar.calm()
        sugar.maintenance(False)
        sugar.reactivate("svc")
        if row.paused_at or row.held_at or not row.version_count:
            return
        is_good = row.password is not None and keys.keyring().open(row.password, keys.password_context(row)) == (
            self.password
        )
        is_spent = len(breakers.refused_stored(row)[:5]) >= 5
        self.scene.run(timedelta(hours=26), until=self.is_honest)
        assert self.is_honest() or not is_good or is_spent, f"{self.scene.told}\n{self.scene.trail()}"
        self.scene.run(timedelta(hours=2))
        if self.scene.row.status == "healthy":
            given = handout.token(self.id, tenants=None, wait=5, actor="worker")
            rest()
            assert self.scene.kept.accepts(given.access_token), f"silently dead\n{self.scene.trail()}"
        else:
            assert self.scene.row.status in ("down", "dying", "retrying"), self.scene.trail()

    def is_honest(self) -> bool:
        return self.scene.row.status == "healthy" and not self.scene.row.trouble


def _forget_everything() -> None:
    """The next life starts with an empty database, and nobody remembers which addresses were tried in vain."""
    rest()
    for each in caches.all():
        each.clear()
    Attempt.objects.update(candidate_of=None)
    for model in (Event, TokenVersion, Attempt, HostWait):
        model.objects.all().delete()
    with unguarded():
        AuditRow.objects.all().delete()
    Connection.objects.all().delete()
