"""A process that forks leaves its database to itself: its child opens its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.serving.site import ROOT, environment

SCRIPT = """
import os, django
django.setup()
from django.db import connection

def session():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]

mine = session()
child = os.fork()
if child == 0:
    os._exit(0 if session() != mine and session() != mine else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), session() == mine)
"""


def test_parent_and_child_of_a_fork_each_have_their_own_session(tmp_path: Path, postgres_url: str) -> None:
    variables = environment(tmp_path, DATABASE_URL=postgres_url, DJANGO_SETTINGS_MODULE="sugaradmin.settings")
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.stdout.split() == ["0", "True"], ended.stderr
