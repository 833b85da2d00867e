"""What people have in their hands: an authenticator app, and the way through the pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

from django.contrib.auth.models import User
from django.test import Client

from tests.dashboard.people import PASSWORD, signed_in

HALF_MINUTE = 30


def code_of(secret: str, *, steps_ahead: int = 0) -> str:
    """What an app shows (RFC 6238), written from the standard and not with what checks it."""
    counter = struct.pack(">Q", int(time.time()) // HALF_MINUTE + steps_ahead)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 0x0F
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def set_up_app(client: Client) -> str:
    """Through the pages; gives what the app was set up with."""
    page = client.get("/profile/security/app/add/").content.decode()
    found = re.search(r'data-copy="([A-Z2-7]{32})"', page)
    assert found, page
    done = client.post("/profile/security/app/add/", {"code": code_of(found[1])})
    assert done.status_code == 302, done.content.decode()
    return found[1]


def with_app(role: str = "admin") -> tuple[str, list[str]]:
    """Somebody with an authenticator app: its secret, and the recovery codes."""
    client = signed_in(role)
    secret = set_up_app(client)
    page = client.get("/profile/security/recovery-codes/").content.decode()
    return secret, re.findall(r"\b\d{8}\b", page.split('id="codes"')[1].split("</pre>")[0])


def first_step(name: str, password: str = PASSWORD) -> Client:
    client = Client()
    client.post("/sign-in/", {"login": name, "password": password})
    return client


def is_in(client: Client) -> bool:
    return client.get("/profile/security/").status_code == 200


def is_protected(user: User) -> bool:
    return bool(user.authenticator_set.exists())
