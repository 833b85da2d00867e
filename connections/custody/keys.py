"""Seals and opens the secrets of rows, by name: only custody knows which context belongs to which column."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import secrets

from connections.custody import tenant_keys
from connections.custody.ring import keyring as keyring
from connections.models import Attempt, Connection, LentPassword, OwnKey, Tenant, TokenVersion, database_now
from connections.sugar import TokenSet
from connections.vault import Context, Fingerprinter, KeyMissing, Keyring, Sealed, VaultError, is_data_key

logger = logging.getLogger(__name__)

FINGERPRINT = "fingerprint"
AUDIT = "audit"
SECOND_FACTORS = "second_factors"
LINKS = "links"


def seal(plain: str, context: Context, *, data_key: str) -> Sealed:
    """`data_key` is what `tenant_keys.key_of` answered; empty: the ring seals. Raises VaultError."""
    return (tenant_keys.ring_of(data_key) if data_key else keyring()).seal(plain, context)


def seal_received(plain: str, context: Context, *, data_key: str) -> Sealed:
    """What exists nowhere else is sealed, whatever has become of the tenant's key since the claim."""
    try:
        return seal(plain, context, data_key=data_key)
    except VaultError:
        logger.exception("A tenant's key was not to be had; the ring seals.", extra={"action": "seal"})
        return keyring().seal(plain, context)


def unseal(sealed: Sealed, context: Context) -> str:
    """By the ring or by a tenant's key, whichever sealed it. Raises VaultError."""
    key_id = sealed.key_id
    return (tenant_keys.ring_of(key_id) if is_data_key(key_id) else keyring()).open(sealed, context)


def own_context(purpose: str) -> Context:
    return Context(tenant="installation", row=purpose, field="secret", number=1)


def own_key(purpose: str) -> bytes:
    """A key of the installation itself, made when first asked for. Raises VaultError."""
    found = OwnKey.objects.filter(purpose=purpose, given_up_at__isnull=True).first()
    if found is None:
        sealed = keyring().seal(secrets.token_hex(32), own_context(purpose))
        found, _ = OwnKey.objects.get_or_create(
            purpose=purpose, given_up_at=None, defaults={"secret": sealed, "made_at": database_now()}
        )
    return _opened(found)


def own_keys(purpose: str) -> list[bytes]:
    """The one in use and those that were given up, as far as they open."""
    opened = []
    for row in OwnKey.objects.filter(purpose=purpose).order_by("-id"):
        with contextlib.suppress(VaultError):
            opened.append(_opened(row))
    return opened


def seal_with_own(purpose: str, plain: str) -> str:
    """An envelope under a key of the installation: for what another library keeps in columns that are not ours, where
    re-encryption does not look. What seals that key is changed like every other. Raises VaultError."""
    return Keyring({"own": own_key(purpose)}, primary="own").seal(plain, own_context(purpose)).envelope


def open_with_own(purpose: str, envelope: str) -> str:
    """Raises VaultError."""
    newest: VaultError = KeyMissing("own")
    for key in own_keys(purpose):
        try:
            return Keyring({"own": key}, primary="own").open(Sealed(envelope), own_context(purpose))
        except VaultError as refused:
            newest = refused
    raise newest


def give_up_own(key_id: str) -> None:
    """What sealed them is lost: others take their place. They stay, in case it is found."""
    lost = [
        row.pk for row in OwnKey.objects.filter(given_up_at__isnull=True) if row.secret and row.secret.key_id == key_id
    ]
    OwnKey.objects.filter(pk__in=lost).update(given_up_at=database_now())
    forget()


def _opened(row: OwnKey) -> bytes:
    assert row.secret is not None  # the column allows none
    return bytes.fromhex(keyring().open(row.secret, own_context(row.purpose)))


_fingerprinter: Fingerprinter | None = None


def fingerprint(token: str) -> str:
    """Its first eight hex digits; empty where the key is not to be had: a label must never stop a settle."""
    global _fingerprinter
    try:
        _fingerprinter = _fingerprinter or Fingerprinter(own_key(FINGERPRINT))
    except VaultError:
        return ""
    return _fingerprinter.of(token)


def hash_of_link(kind: str, token: str) -> str:
    """What the database knows of a customer's link. Raises VaultError."""
    return hmac.new(own_key(LINKS), f"{kind}:{token}".encode(), hashlib.sha256).hexdigest()


def forget() -> None:
    """Another database, as between tests, has other keys of its own."""
    global _fingerprinter
    _fingerprinter = None
    tenant_keys.forget()


def password_context(row: Connection) -> Context:
    return Context(tenant=row.tenant.public_id, row=row.public_id, field="password", number=row.password_number)


def client_secret_context(row: Connection) -> Context:
    return Context(
        tenant=row.tenant.public_id, row=row.public_id, field="client_secret", number=row.client_secret_number
    )


def adopted_context(row: Connection) -> Context:
    return Context(tenant=row.tenant.public_id, row=row.public_id, field="adopted_token", number=row.adopted_number)


def lent_context(lent: LentPassword) -> Context:
    """The session is part of it: moved to another session's row, it does not open."""
    row = lent.connection
    return Context(
        tenant=row.tenant.public_id, row=f"{row.public_id}:{lent.session}", field="lent_password", number=lent.number
    )


def access_context(tenant_id: str, connection_id: str, number: int) -> Context:
    return Context(tenant=tenant_id, row=connection_id, field="access_token", number=number)


def refresh_context(tenant_id: str, connection_id: str, number: int) -> Context:
    return Context(tenant=tenant_id, row=connection_id, field="refresh_token", number=number)


def answer_context(tenant_id: str, attempt_id: str, number: int) -> Context:
    return Context(tenant=tenant_id, row=attempt_id, field="answer", number=number)


def context_of(row: object, field: str) -> Context:
    """The context of any sealed column of any model; re-encryption walks the models and asks here."""
    match row:
        case Connection() if field == "password":
            return password_context(row)
        case Connection() if field == "client_secret":
            return client_secret_context(row)
        case Connection() if field == "adopted_token":
            return adopted_context(row)
        case LentPassword():
            return lent_context(row)
        case OwnKey():
            return own_context(row.purpose)
        case TokenVersion():
            connection = row.connection
            return Context(tenant=connection.tenant.public_id, row=connection.public_id, field=field, number=row.number)
        case Attempt() if field == "answer":
            return answer_context(row.connection.tenant.public_id, row.public_id, row.number)
    raise LookupError(f"No context is known for {type(row).__name__}.{field}; add it here.")


def reseal(row: object, field: str) -> Sealed:
    """What stands in this column, under the key that is to seal it: the tenant's or the ring's. Raises VaultError."""
    context = context_of(row, field)
    data_key = "" if isinstance(row, OwnKey) else tenant_keys.key_of(_tenant_of(row))
    return seal(unseal(getattr(row, field), context), context, data_key=data_key)


def _tenant_of(row: object) -> Tenant:
    holder = row if isinstance(row, Connection) else getattr(row, "connection", None)
    assert isinstance(holder, Connection)  # context_of knows no other
    return holder.tenant


def opened_access(row: Connection, version: TokenVersion) -> str:
    """Raises VaultError."""
    assert version.access_token is not None
    return open_access(
        version.access_token, tenant_id=row.tenant.public_id, connection_id=row.public_id, number=version.number
    )


def open_access(sealed: Sealed, *, tenant_id: str, connection_id: str, number: int) -> str:
    """Raises VaultError."""
    return unseal(sealed, access_context(tenant_id, connection_id, number))


def opened_refresh(row: Connection, version: TokenVersion) -> str:
    """Raises VaultError."""
    assert version.refresh_token is not None
    return unseal(version.refresh_token, refresh_context(row.tenant.public_id, row.public_id, version.number))


def seal_answer(tokens: TokenSet, context: Context, *, data_key: str) -> Sealed:
    """The whole answer of a grant, sealed for its attempt: a candidate, or a spool file."""
    plain = json.dumps(
        {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_in": tokens.expires_in,
            "refresh_expires_in": tokens.refresh_expires_in,
        }
    )
    return seal_received(plain, context, data_key=data_key)


def open_answer(sealed: Sealed, context: Context) -> TokenSet:
    """Raises VaultError."""
    return TokenSet(**json.loads(unseal(sealed, context)))


def opened_candidate(row: Connection, attempt: Attempt) -> TokenSet:
    """Raises VaultError."""
    assert attempt.answer is not None
    return open_answer(attempt.answer, answer_context(row.tenant.public_id, attempt.public_id, attempt.number))
