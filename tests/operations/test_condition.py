"""What doctor, /readyz and /metrics say of an installation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.db import connection as database
from django.test import Client
from django_q.models import OrmQ

from connections import condition, health
from connections.custody import audit, audit_proof
from connections.models import AuditRow, Connection, EncryptionKey, Heartbeat, Installation, Tenant, database_now
from connections.vault import Keyring, Sealed
from sugaradmin.config import Mail
from sugaradmin.keys import new_key
from tests.audit_guard import unguarded
from tests.conftest import Configured
from tests.dashboard.people import signed_in

pytestmark = pytest.mark.django_db
Find = Callable[[str], condition.Finding]
RING = f"k1:{new_key()}"


@pytest.fixture
def find(configured: Configured, tmp_path: Path) -> Find:
    configured(data_dir=tmp_path, encryption_keys=RING)
    tmp_path.chmod(0o700)
    return lambda name: next(finding for finding in condition.examine() if finding.name == name)


def make_connection(**fields: Any) -> Connection:
    tenant, _ = Tenant.objects.get_or_create(slug="acme", name="Acme")
    now = database_now()
    names = {
        "label": "x",
        "instance_url": "https://x.example",
        "host": "x.example:443",
        "platform": "p",
        "username": "u",
    }
    return Connection.objects.create(tenant=tenant, created_at=now, updated_at=now, **names | fields)


def remember_keys(ring: str) -> None:
    keyring = Keyring.parse(ring)
    for key_id in keyring.ids:
        EncryptionKey.objects.create(key_id=key_id, check_value=keyring.key_check(key_id), first_seen_at=database_now())


def beat(age: timedelta) -> None:
    now = database_now()
    Heartbeat.objects.create(name="worker@x", pid=1, beat_at=now - age, started_at=now - age)


def doctor() -> tuple[list[dict[str, str]], bool]:
    out = StringIO()
    try:
        call_command("doctor", "--json", stdout=out)
    except CommandError:
        return json.loads(out.getvalue()), False
    return json.loads(out.getvalue()), True


def test_a_sound_installation_passes(find: Find) -> None:
    beat(timedelta(seconds=1))
    remember_keys(RING)
    findings, passed = doctor()
    assert passed, findings
    assert {finding["level"] for finding in findings} <= {"ok", "warn"}
    assert {examination.__name__[1:] for examination in condition.EXAMINATIONS} <= {one["name"] for one in findings}


def test_what_is_broken_fails_the_command_and_says_what_to_do(find: Find) -> None:
    beat(timedelta(hours=1))
    findings, passed = doctor()
    assert not passed
    broken = [finding for finding in findings if finding["level"] == "fail"]
    assert [finding["name"] for finding in broken] == ["worker"]
    assert broken[0]["command"] == "manage.py serve --only worker"
    out = StringIO()
    with pytest.raises(CommandError, match="1 of"):
        call_command("doctor", stdout=out)
    assert "manage.py serve --only worker" in [line.strip() for line in out.getvalue().splitlines()]


def test_each_broken_part_of_the_page_names_the_command_to_run(
    find: Find, configured: Configured, tmp_path: Path
) -> None:
    remember_keys(RING)
    beat(timedelta(hours=1))
    make_connection(due_at=database_now() - timedelta(minutes=6), password=Sealed("v1:k1:AAAA:AAAA"))
    Installation.objects.create(instance_id="i", read_only_reason="another instance id")
    (tmp_path / "secret_key").write_text("x")
    (tmp_path / "secret_key").chmod(0o644)
    configured(encryption_keys=f"k2:{new_key()}")
    broken = [one for one in condition.examine() if one.level is condition.Level.FAIL]
    assert {one.name for one in broken} == {"data_directory", "keys", "copy", "worker", "due"}
    page = signed_in("viewer").get("/system/").content.decode()
    for one in broken:
        assert one.command
        assert f"<code>{one.command}</code>" in page


def test_the_database_says_how_fast_it_answers(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    assert re.search(r" answers in \d+\.\d ms\.$", find("database").sentence)
    assert find("database").level is condition.Level.OK
    monkeypatch.setattr(condition, "perf_counter", Mock(side_effect=[10.0, 10.3]))
    slow = find("database")
    assert (slow.level, slow.sentence.partition(" answers ")[2]) == (condition.Level.WARN, "in 300.0 ms.")


@pytest.mark.parametrize(
    ("free", "level"), [(50 * 1024**2, "fail"), (500 * 1024**2, "warn"), (20 * 1024**3, "ok")]
)  # fmt: skip
def test_the_room_on_the_disk_is_told(
    find: Find, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, level: str
) -> None:
    usage = Mock(total=40 * 1024**3, free=free)
    monkeypatch.setattr(condition.shutil, "disk_usage", lambda path: usage if path == tmp_path else None)
    found = find("disk")
    assert found.level == level
    assert found.sentence.replace("\xa0", " ").endswith(" of 40.0 GB are free.")
    assert bool(found.command) is (level != "ok")


def test_a_data_directory_that_is_not_there_is_found(find: Find, configured: Configured, tmp_path: Path) -> None:
    configured(data_dir=tmp_path / "nowhere")
    assert [find(name).level for name in ("data_directory", "disk")] == ["fail", "fail"]


def test_how_late_the_background_is_is_told_before_it_is_too_late(find: Find) -> None:
    make_connection(due_at=database_now() + timedelta(minutes=6))
    assert find("due").sentence == "Nothing is due that has not begun."
    make_connection(due_at=database_now() - timedelta(seconds=90), platform="q")
    assert find("due").level is condition.Level.OK
    assert re.search(r"was due 9\d s ago\.$", find("due").sentence)
    make_connection(due_at=database_now() - timedelta(seconds=900), platform="r")
    assert re.search(r"^1 connection was due over 5 minutes ago, 90\d s at the most\.$", find("due").sentence)


@pytest.mark.parametrize(
    ("host", "security", "level", "words"),
    [
        ("", "starttls", "ok", "Not set up"), ("mail.example", "starttls", "ok", "leave by mail.example:25"),
        ("mail.example", "none", "warn", "unencrypted"),
    ],
)  # fmt: skip
def test_mail_is_told(find: Find, configured: Configured, host: str, security: str, level: str, words: str) -> None:
    configured(mail=Mail(host=host, port=25, user="", password="canary", security=security, sender="us@x"))
    found = find("mail")
    assert (found.level, words in found.sentence) == (level, True)
    assert "canary" not in str(found)


@pytest.mark.parametrize(
    ("ring", "sentence"),
    [("", ""), (f"k2:{new_key()}", "k1 is missing"), (f"k1:{new_key()}", "k1 is another one"), ("k1:short", "")],
    ids=["none", "missing", "another", "short"],  # the keys are random, the names of tests must not be
)
def test_a_key_that_does_not_fit_is_found(find: Find, configured: Configured, ring: str, sentence: str) -> None:
    remember_keys(RING)
    make_connection(password=Sealed("v1:k1:AAAA:AAAA"))
    assert find("keys").level is condition.Level.OK
    configured(encryption_keys=ring)
    assert find("keys").level is condition.Level.FAIL
    assert sentence in find("keys").sentence
    assert Client().get("/readyz").json() == {"ready": False, "reasons": ["keys"]}


def test_an_audit_that_may_be_changed_or_was_is_found(find: Find) -> None:
    assert find("audit").sentence.endswith("nobody has walked along it yet.")
    audit.record(audit.BACKGROUND, "edit", at=database_now())
    audit_proof.check()
    assert "whole up to row 1" in find("audit").sentence
    with unguarded():
        assert find("audit").level is condition.Level.FAIL
        assert "audit_no_update" in find("audit").sentence
        AuditRow.objects.update(actor="nobody")
    audit_proof.check()
    assert "row 1 does not follow" in find("audit").sentence


def test_a_copy_a_late_connection_and_a_spooled_answer_are_found(find: Find, tmp_path: Path) -> None:
    assert {find(name).level for name in ("copy", "due", "spool")} == {condition.Level.OK}
    Installation.objects.create(instance_id="i", read_only_reason="another instance id")
    make_connection(due_at=database_now() - timedelta(minutes=6))
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "a_1.json").write_text("{}")
    assert "another instance id" in find("copy").sentence
    assert find("due").level is condition.Level.FAIL
    assert find("spool").level is condition.Level.WARN


def test_a_secret_that_others_may_read_is_found(find: Find, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("x")
    (tmp_path / "secret_key").chmod(0o600)
    assert find("data_directory").level is condition.Level.OK
    (tmp_path / "secret_key").chmod(0o644)
    assert find("data_directory").level is condition.Level.FAIL


def test_a_database_that_is_away_is_a_finding_not_a_crash(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise DatabaseError("could not connect")

    monkeypatch.setattr(database, "cursor", away)
    findings, passed = doctor()
    assert not passed
    assert {one["level"] for one in findings if one["name"] in {"database", "migrations", "worker"}} == {"fail"}


def test_a_web_node_is_ready_and_a_silent_worker_does_not_count(find: Find) -> None:
    beat(timedelta(hours=1))
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "reasons": []})


def test_a_web_node_without_its_tables_or_its_database_is_not_ready(
    find: Find, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "pending_migrations", lambda: ["connections.0002"])
    assert Client().get("/readyz").json()["reasons"] == ["migrations"]

    def away() -> list[str]:
        raise DatabaseError

    monkeypatch.setattr(health, "pending_migrations", away)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["reasons"]) == (503, ["database"])


def test_metrics_want_their_token(configured: Configured) -> None:
    configured(metrics_token="right", development=False)
    for header in ("", "Bearer wrong", "right", "Basic right"):
        assert Client().get("/metrics", headers={"Authorization": header}).status_code == 401
    assert Client().get("/metrics", headers={"Authorization": "bearer right"}).status_code == 200
    configured(metrics_token="")
    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_metrics_tell_of_the_fleet() -> None:
    now = database_now()
    make_connection(
        due_at=now - timedelta(seconds=90), access_expires_at=now + timedelta(seconds=600),
        version_count=1, has_refresh_token=True, refresh_expires_at=now + timedelta(days=14),
    )  # fmt: skip
    beat(timedelta(seconds=30))
    OrmQ.objects.create(key="sugaradmin", payload="x", lock=now - timedelta(seconds=1))
    text = Client().get("/metrics").content.decode()
    figures = dict(re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE))
    assert figures['sugar_connections{status="healthy"}'] == "1.0"
    assert figures['sugar_connections{status="down"}'] == "0.0"
    assert 90 <= float(figures["sugar_refresh_lag_seconds"]) < 100
    assert 590 < float(figures["sugar_token_min_ttl_seconds"]) <= 600
    assert 30 <= float(figures["sugar_worker_heartbeat_age_seconds"]) < 40
    assert figures["sugar_attempts_open"] == "0.0"
    assert figures["sugar_queue_depth"] == "1.0"
    assert "acme" not in text.lower()


def test_metrics_of_an_empty_fleet_shout_that_no_worker_runs() -> None:
    text = Client().get("/metrics").content.decode()
    assert "sugar_worker_heartbeat_age_seconds +Inf" in text
    assert 'sugar_refresh_seconds_bucket{le="+Inf"} 0.0' in text
