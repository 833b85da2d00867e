"""TLS contexts, made once: making one costs 50 ms."""

from __future__ import annotations

import functools
import ssl
import threading
from pathlib import Path

import certifi

from connections.egress.errors import TlsInvalid

_lock = threading.Lock()


def context_for(ca_pem: str) -> ssl.SSLContext:
    """A verifying client context that trusts the system's authorities and those in `ca_pem`."""
    with _lock:  # else 32 senders that start together make 32 of them
        return _context_for(ca_pem)


@functools.lru_cache(maxsize=128)
def _context_for(ca_pem: str) -> ssl.SSLContext:
    # Not `create_default_context`: it writes session keys to the file that SSLKEYLOGFILE names.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if _has_system_authorities():
        context.load_default_certs()
    else:
        context.load_verify_locations(cafile=certifi.where())
    if ca_pem:
        _trust(context, ca_pem)
    return context


def _has_system_authorities() -> bool:
    paths = ssl.get_default_verify_paths()
    if paths.cafile is not None:
        return True
    return paths.capath is not None and any(Path(paths.capath).iterdir())


def _trust(context: ssl.SSLContext, ca_pem: str) -> None:
    # Customers paste the server's own certificate or an intermediate as often as the root.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    try:
        context.load_verify_locations(cadata=ca_pem)
    except (ssl.SSLError, ValueError):
        raise TlsInvalid("The certificate authority stored for this instance is not a PEM certificate.") from None
