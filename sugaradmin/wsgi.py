"""The WSGI application, for any server that speaks it; `manage.py serve` brings its own."""

from __future__ import annotations

import sys

from django.core.wsgi import get_wsgi_application

from sugaradmin.env import EnvError, use_settings

use_settings("sugaradmin.settings")
try:
    application = get_wsgi_application()
except EnvError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
