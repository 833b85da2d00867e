"""The product's own settings, and the pages that only a demo has. Nothing but the demo command names this module."""

from __future__ import annotations

from sugaradmin.env import EnvError
from sugaradmin.settings import *  # noqa: F403
from sugaradmin.settings import CONTEXT_PROCESSORS, SUGARADMIN

if not SUGARADMIN.development:
    raise EnvError("A demo has pages that break connections on purpose: it goes with SUGARADMIN_ENV=development only.")

ROOT_URLCONF = "connections.demo.urls"
CONTEXT_PROCESSORS.append("connections.demo.mode.demo_mode")
