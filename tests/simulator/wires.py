"""A bare socket, for answers that an HTTP library would hide."""

from __future__ import annotations

import http.client
import json
import socket
from urllib.parse import urlsplit

GRANT = {
    "grant_type": "password",
    "client_id": "sugar",
    "username": "svc",
    "password": "secret",
    "platform": "intg",
}


def send(url: str, method: str, path: str, payload: object = None, *, timeout: float = 5.0) -> tuple[int, bytes]:
    """One request on a connection of its own; exceptions are those of the socket and of http.client."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        body = None if payload is None else json.dumps(payload)
        connection.request(method, parts.path + path, body=body, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def grant(url: str, *, timeout: float = 5.0, **changes: object) -> tuple[int, bytes]:
    return send(url, "POST", "/rest/v10/oauth2/token", {**GRANT, **changes}, timeout=timeout)


def raw(url: str, text: str, *, timeout: float = 5.0) -> bytes:
    """Send bytes, read until the server closes."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=timeout) as sock:
        sock.sendall(text.encode())
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
        return received
