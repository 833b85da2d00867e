"""Settings of the test suite: the product's own in development, with nothing taken from the machine it runs on.

SQLite in a file by default; `pytest --database=postgres` runs the same suite on PostgreSQL.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

from sugaradmin.databases import postgres
from sugaradmin.env import Environment
from tests import postgres as postgres_wheel

# Looked for by hand: settings are read before pytest parses its options. Workers of a parallel run inherit the address.
if "--database=postgres" in sys.argv:
    os.environ.setdefault("TEST_DATABASE_URL", postgres_wheel.start())
_postgres = Environment().url("TEST_DATABASE_URL", schemes=("postgresql",))
_data_dir = Path(tempfile.mkdtemp(prefix="sugaradmin-tests-"))
atexit.register(shutil.rmtree, _data_dir, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith("SUGARADMIN_") or name in {"DATABASE_URL", "REDIS_URL"}]:
    del os.environ[_name]
os.environ |= {"SUGARADMIN_ENV": "development", "SUGARADMIN_DATA_DIR": str(_data_dir)}

from sugaradmin.settings import *  # noqa: E402, F403
from sugaradmin.settings import DATABASES, Q_CLUSTER  # noqa: E402

if _postgres is not None:
    DATABASES["default"] = postgres(_postgres, pool=12)
else:
    # A file, not memory: threads of one test share it, as the processes of the product do.
    DATABASES["default"]["TEST"] = {"NAME": str(_data_dir / "test.sqlite3")}

ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "process": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "process"},
}
Q_CLUSTER["sync"] = True
