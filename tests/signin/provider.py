"""A small identity provider on loopback: OpenID Connect's code flow with PKCE, one client, and faults on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "sugaradmin", "canary-client-secret"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """`claims`: of whoever signs in next. `faults`: by path, the (status, headers, body) in place of the truth."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.claims: dict[str, Any] = {}
        self.profile: dict[str, Any] = {}
        self.faults: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.signs_with = KEY
        self.asked: list[str] = []
        self.authorizations: list[str] = []
        self.codes: dict[str, str] = {}

    def authorize(self, query: dict[str, list[str]]) -> str:
        """What a person's browser does there; gives the code that it brings back."""
        assert query["client_id"] == [CLIENT]
        assert query["response_type"] == ["code"]
        assert query["code_challenge_method"] == ["S256"]
        code = f"code{len(self.codes)}"
        self.codes[code] = query["code_challenge"][0]
        return code

    def answer(self, path: str, form: dict[str, list[str]], authorization: str) -> tuple[int, dict[str, str], bytes]:
        self.asked.append(path)
        self.authorizations.append(authorization)
        if path in self.faults:
            return self.faults[path]
        told = {
            "/.well-known/openid-configuration": self._description,
            "/moved": self._description,
            "/keys": self._keys,
            "/token": lambda: self._token(form),
            "/profile": lambda: {"sub": self.claims["sub"]} | self.profile,
        }.get(path)
        return (200, {}, json.dumps(told()).encode()) if told else (404, {}, b"{}")

    def _description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token", "userinfo_endpoint": f"{self.issuer}/profile",
            "jwks_uri": f"{self.issuer}/keys", "token_endpoint_auth_methods_supported": ["client_secret_post"],
        }  # fmt: skip

    def _keys(self) -> dict[str, Any]:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [public | {"kid": "k1", "alg": "RS256", "use": "sig"}]}

    def _token(self, form: dict[str, list[str]]) -> dict[str, Any]:
        verifier = form["code_verifier"][0].encode()
        proof = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        assert self.codes.pop(form["code"][0]) == proof, "PKCE"
        assert (form["client_id"], form["client_secret"]) == ([CLIENT], [SECRET])
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60} | self.claims
        token = jwt.encode(claims, self.signs_with, algorithm="RS256", headers={"kid": "k1"})
        return {"access_token": "canary-access-token", "token_type": "Bearer", "id_token": token}


@contextmanager
def running() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = parse_qs(self.rfile.read(length).decode())
            path, _, _query = self.path.partition("?")
            status, headers, body = provider.answer(path, form, self.headers.get("Authorization", ""))
            self.send_response(status)
            told = {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers
            for name, value in told.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Provider(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
