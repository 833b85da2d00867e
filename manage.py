#!/usr/bin/env python
"""Commands of Sugaradmin; `manage.py help` lists them."""

from __future__ import annotations

import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError

from sugaradmin.databases import line_about
from sugaradmin.env import EnvError, use_settings


def main() -> None:
    use_settings("sugaradmin.settings")
    try:
        execute_from_command_line(sys.argv)
    except EnvError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except (DatabaseError, InterfaceError) as error:
        line = line_about(error)
        if not line or "--traceback" in sys.argv:
            raise
        sys.stderr.write(f"{line}\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
