"""What a fork must not lose: the parent its database, the child what it is told before it listens."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
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


SLOW_TO_LISTEN = """
import sys, time, django
django.setup()
from connections.serving import web

class Web(web.Web):
    def load_config(self):
        super().load_config()
        self.cfg.set("post_fork", lambda server, worker: (print("forked", flush=True), time.sleep(1)))

web.keep_signals_until_heard()
Web(int(sys.argv[1])).run()
"""


def test_a_web_process_told_to_end_before_it_listens_to_signals_ends(tmp_path: Path) -> None:
    variables = environment(tmp_path, DJANGO_SETTINGS_MODULE="sugaradmin.settings", SUGARADMIN_WEB_PROCESSES="1")
    with socket.create_server(("127.0.0.1", 0)) as door:
        parent = subprocess.Popen(
            [sys.executable, "-c", SLOW_TO_LISTEN, str(door.fileno())], cwd=ROOT, env=variables,
            pass_fds=[door.fileno()], stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert parent.stdout is not None
        with parent.stdout as said:
            assert said.readline() == "forked\n"
            parent.terminate()
            try:
                assert parent.wait(timeout=10) == 0
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(parent.pid, signal.SIGKILL)
                parent.wait()
