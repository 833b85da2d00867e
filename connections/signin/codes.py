"""Secrets of second factors: sealed wherever they lie, also while an app is being set up; a code works once."""

from __future__ import annotations

from allauth.mfa.totp.internal import auth
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.cache import cache

from connections.custody import keys

PENDING = "second_factor_pending"
CODE_SECONDS = 90
"""A code may be used in its own half minute, the one before and the one after."""


def seal(plain: str) -> str:
    """Raises VaultError."""
    return keys.seal_with_own(keys.SECOND_FACTORS, plain)


def unseal(envelope: str) -> str:
    """Raises VaultError."""
    return keys.open_with_own(keys.SECOND_FACTORS, envelope)


def pending_secret(session: SessionBase, *, is_new: bool) -> str:
    """What an authenticator app is being set up with. Raises VaultError."""
    kept = session.get(PENDING)
    if kept and not is_new:
        return unseal(kept)
    secret = str(auth.generate_totp_secret())
    session[PENDING] = seal(secret)
    return secret


def forget_pending(session: SessionBase) -> None:
    session.pop(PENDING, None)


def use_up(user: AbstractBaseUser, code: str) -> bool:
    """False when this person has used this code already: somebody may have looked over the shoulder."""
    digits = "".join(sign for sign in code if sign.isalnum())
    return bool(cache.add(f"signin.code.{user.pk}.{digits}", "used", timeout=CODE_SECONDS))
