from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client

from connections.models import ApiKey, AuditRow, Staff, Tenant
from tests.commands.conftest import Run
from tests.serving.site import ROOT, environment

pytestmark = pytest.mark.django_db
PASSWORD = "a fine long password"


@pytest.mark.parametrize("role", ["viewer", "operator", "admin", "auditor"])
def test_staff_get_the_role_and_the_password_that_was_piped_in(run: Run, role: str) -> None:
    assert run("create_staff", "ana", "--role", role, "--json", stdin=f"{PASSWORD}\n").json == {
        "username": "ana", "role": role,
    }  # fmt: skip
    user = User.objects.get(username="ana")
    assert user.check_password(PASSWORD)
    assert not user.is_superuser
    assert Staff.objects.get(user=user).role == role
    assert AuditRow.objects.get(action="create_staff").actor_kind == "command"


@pytest.mark.parametrize(
    ("name", "stdin", "words"),
    [
        ("ana", "short\n", "too short"),
        ("ana", "password1234\n", "too common"),
        ("ana", "", "no password"),
        ("ana anders!", f"{PASSWORD}\n", "valid username"),
        ("taken", f"{PASSWORD}\n", "already"),
    ],
)
def test_what_is_no_account_is_refused_in_one_line(run: Run, name: str, stdin: str, words: str) -> None:
    User.objects.create_user("taken")
    refused = run("create_staff", name, "--role", "admin", stdin=stdin)
    assert words in refused.error
    assert not Staff.objects.exists()
    assert run("create_staff", "ana", "--role", "king", stdin=stdin).error


def test_a_key_is_shown_once_and_opens_what_its_scopes_say(run: Run) -> None:
    Tenant.objects.create(slug="acme", name="Acme")
    words = ("--scope", "connections:read", "--scope", "events:read", "--tenant", "acme", "--expires", "2999-01-31")
    made = run("create_api_key", "--name", "erp", *words, "--json").json
    assert set(made) == {"id", "key"}
    row = ApiKey.objects.get(prefix=made["id"])
    assert (row.scopes, row.is_limited) == (["connections:read", "events:read"], True)
    assert [tenant.slug for tenant in row.tenants.all()] == ["acme"]
    assert row.expires_at is not None
    assert row.expires_at.isoformat().startswith("2999-01-31T23:59:59")
    answer = Client(headers={"Authorization": f"Bearer {made['key']}"}).get("/api/v1/connections")
    assert answer.status_code == 200
    plain = run("create_api_key", "--name", "two", "--scope", "token:read")
    assert plain.out.startswith("sga_")
    assert "not shown again" in plain.err
    assert not ApiKey.objects.get(name="two").is_limited


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scope", "all"), "There is no scope all; there are token:read"),
        (("--scope", "token:read", "--tenant", "No body"), "A short name of lower-case letters"),
        (("--scope", "token:read", "--expires", "tomorrow"), "is no time"),
        (("--scope", "token:read", "--expires", "2026-13-41"), "is no time"),
        (("--scope", "token:read", "--expires", "2001-01-01"), "expired"),
        ((), "--scope"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    assert said in run("create_api_key", "--name", "erp", *words).error
    assert not ApiKey.objects.exists()


@pytest.mark.once
def test_a_real_shell_sees_one_line_and_a_failing_exit(tmp_path: Path) -> None:
    def manage(*words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            input=stdin, capture_output=True, text=True, timeout=60, env=environment(tmp_path), check=False,
        )  # fmt: skip

    assert manage("migrate", "--verbosity", "0").returncode == 0
    assert manage("create_staff", "ana", "--role", "admin", stdin=f"{PASSWORD}\n").returncode == 0
    refused = manage("create_staff", "ana", "--role", "admin", stdin=f"{PASSWORD}\n")
    assert refused.returncode == 1
    assert refused.stderr == "CommandError: There is somebody named ana already.\n"
    assert manage("prune_history", "--json").stdout == '{\n  "pruned": 0,\n  "audit": 0\n}\n'
