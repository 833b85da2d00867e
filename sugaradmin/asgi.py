"""The ASGI application, for servers that speak nothing else; threads (`manage.py serve`) are twice as fast."""

from __future__ import annotations

import sys

from django.core.asgi import get_asgi_application

from sugaradmin.env import EnvError, use_settings

use_settings("sugaradmin.settings")
try:
    application = get_asgi_application()
except EnvError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
