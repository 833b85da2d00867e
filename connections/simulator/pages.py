"""HTML that stands where JSON was expected, and places in a JSON body."""

from __future__ import annotations

import re

from connections.simulator.wire import Response

LOGIN_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="UTF-8"><title>SugarCRM</title></head>
<body><div id="sugarcrm"><noscript>SugarCRM needs JavaScript.</noscript></div>
<form action="index.php" method="post"><input name="user_name"><input name="username_password" type="password"></form>
</body></html>
"""
ERROR_PAGE = """<html><head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>
"""
WAF_PAGE = """<html><head><title>Access denied</title></head>
<body><h1>Access denied</h1>
<p>The request was blocked by the web application firewall. Incident 7f3a-91.</p></body></html>
"""
NOT_FOUND_PAGE = """<html><head><title>404 Not Found</title></head>
<body><h1>Not Found</h1><p>The requested URL was not found on this server.</p></body></html>
"""
HELP_PAGE = """<!DOCTYPE html>
<html lang="en"><head><title>SugarCRM REST API help</title></head><body><h1>SugarCRM REST API</h1></body></html>
"""


def not_found() -> Response:
    """What the web server, not Sugar, says."""
    return Response.of_html(NOT_FOUND_PAGE, status=404)


def cut_place(body: bytes, place: str) -> int | None:
    """Offset of `after_refresh_token`, `inside_access_token` and so on; None where the answer has no such field.

    `after` keeps the closing quote, so the string is complete though the object is not.
    """
    where, _, name = place.partition("_")
    found = re.search(rb'"%s": ?"([^"]*)"' % re.escape(name.encode()), body)
    if where not in ("after", "inside"):
        raise ValueError(f"no such place: {place}")
    if found is None:
        return None
    return found.end() if where == "after" else (found.start(1) + found.end(1)) // 2
