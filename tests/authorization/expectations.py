"""Who may do what at each address: one line per address, read by tests/authorization/test_matrix.py.

A new address fails the matrix until it has a line here. Write `name: Page(get=…, post=…)`, the name as one reverses it
(without one: its route), a gate per method, nothing for a method that is not answered (405). Where the same address has
several faces, give a tuple of pages and say by `values` which is which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from connections.dashboard.rights import Right


class Gate(StrEnum):
    OPEN = "open"  # anybody, signed in or not
    SIGNED_IN = "signed in"  # anybody with an account, also without a role
    READ = Right.READ
    OPERATE = Right.OPERATE
    ADMINISTER = Right.ADMINISTER
    AUDIT = Right.AUDIT
    EVERYWHERE = "administer everywhere"  # not for those who are limited to some tenants
    OWN = "own"  # something of another person's: it does not exist, for nobody
    SECRET = "secret"  # opens with a token that only a mail had: closed to all staff alike


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`values`: for parameters of the address that the world of the test does not fill by their names.
    `is_dangerous`: a POST asks for a proof of identity that is at most five minutes old; so does `is_export` a GET.
    `is_absent`: nothing is there in the world of the test, so that who may look finds 404."""

    get: Gate | None = None
    post: Gate | None = None
    values: Mapping[str, object] = field(default_factory=dict)
    is_dangerous: bool = False
    is_export: bool = False
    is_absent: bool = False


def _action(name: str, gate: Gate, *, is_dangerous: bool = False) -> Page:
    return Page(get=gate, post=gate, values={"action": name}, is_dangerous=is_dangerous)


OPEN, SIGNED_IN, READ, OPERATE, ADMINISTER, AUDIT = (
    Gate.OPEN, Gate.SIGNED_IN, Gate.READ, Gate.OPERATE, Gate.ADMINISTER, Gate.AUDIT,
)  # fmt: skip

PAGES: dict[str, Page | tuple[Page, ...]] = {
    # machines, and what anybody may read
    "healthz": Page(get=OPEN),
    "readyz": Page(get=OPEN),
    "metrics": Page(get=OPEN),
    "api_docs": Page(get=OPEN),
    "policy_reports": Page(post=OPEN),
    "connections:help": Page(get=OPEN),
    "connections:article": Page(get=OPEN, values={"code": "timeout"}),
    "connections:theme": Page(post=OPEN),
    # the door
    "connections:sign_in": Page(get=OPEN, post=OPEN),
    "account_login": Page(get=OPEN, post=OPEN),
    "mfa_authenticate": Page(get=OPEN, post=OPEN),
    "mfa_login_webauthn": Page(get=OPEN, post=OPEN),
    "single_sign_on": Page(get=OPEN, is_absent=True),
    "openid_connect_callback": Page(get=OPEN, values={"provider_id": "none"}, is_absent=True),
    "connections:link": Page(get=Gate.SECRET, post=Gate.SECRET),
    "connections:follow_link": Page(get=Gate.SECRET, values={"token": "none"}),
    "connections:forgotten": Page(get=OPEN, post=OPEN, is_absent=True),
    "connections:sign_out": Page(post=OPEN),
    "account_reauthenticate": Page(get=SIGNED_IN, post=SIGNED_IN),
    "mfa_reauthenticate": Page(get=SIGNED_IN, post=SIGNED_IN),
    "mfa_reauthenticate_webauthn": Page(get=SIGNED_IN, post=SIGNED_IN),
    # one's own account
    "connections:profile": Page(get=READ, post=READ),
    "connections:zone": Page(post=SIGNED_IN),
    "account_change_password": Page(get=SIGNED_IN, post=SIGNED_IN),
    "mfa_index": Page(get=SIGNED_IN),
    "mfa_activate_totp": Page(get=SIGNED_IN, post=SIGNED_IN),
    "mfa_deactivate_totp": Page(get=SIGNED_IN, post=SIGNED_IN, is_absent=True),
    "mfa_add_webauthn": Page(get=SIGNED_IN, post=SIGNED_IN),
    "mfa_edit_webauthn": Page(get=Gate.OWN, post=Gate.OWN, values={"pk": 1}),
    "mfa_remove_webauthn": Page(get=Gate.OWN, post=Gate.OWN, values={"pk": 1}),
    "mfa_view_recovery_codes": Page(get=SIGNED_IN, is_absent=True),
    "mfa_generate_recovery_codes": Page(get=SIGNED_IN, post=SIGNED_IN),
    "connections:end_session": Page(post=Gate.OWN, values={"pk": 1}),
    "connections:end_other_sessions": Page(post=SIGNED_IN),
    "connections:stay": Page(post=SIGNED_IN),
    # customers, who do not sign in
    "connections:customer_link": Page(get=Gate.SECRET, values={"token": "none"}),
    "r/<token:token>/": Page(get=Gate.SECRET, values={"token": "none"}),
    "connections:link_page": Page(get=Gate.SECRET, post=Gate.SECRET),
    "connections:link_done": Page(get=Gate.SECRET),
    "connections:link_ask": Page(post=Gate.SECRET),
    "connections:guide": Page(get=Gate.SECRET, values={"token": "none"}),
    "s/<token:token>/": Page(get=Gate.SECRET, values={"token": "none"}),
    # the fleet
    "connections:home": Page(get=SIGNED_IN),
    "connections:overview": Page(get=READ),
    "connections:live": Page(get=READ),
    "connections:list": Page(get=READ),
    "connections:rows": Page(get=READ),
    "connections:export": Page(get=READ, is_export=True),
    "connections:system": Page(get=READ),
    "connections:errors": Page(get=READ),
    "connections:error_group": Page(get=READ),
    "connections:error_mark": Page(post=OPERATE),
    # new connections
    "connections:new": Page(get=ADMINISTER, post=ADMINISTER),
    "connections:draft": Page(get=ADMINISTER, post=ADMINISTER),
    "connections:draft_address": Page(get=ADMINISTER, post=ADMINISTER),
    "connections:draft_platform": Page(get=ADMINISTER, post=ADMINISTER),
    "connections:draft_credentials": Page(get=ADMINISTER, post=ADMINISTER),
    "connections:draft_review": Page(get=ADMINISTER, post=ADMINISTER),
    # one connection
    "connections:detail": Page(get=READ),
    "connections:timeline": Page(get=READ),
    "connections:tokens": Page(get=READ),
    "connections:attempts": Page(get=READ),
    "connections:attempt": Page(get=READ, values={"number": 1}),
    "connections:event": Page(get=READ, values={"number": 1}),
    "connections:settings": Page(get=READ, post=ADMINISTER),
    "connections:connection_audit": Page(get=AUDIT),
    "connections:bundle": Page(get=READ),
    "connections:links": Page(get=READ, post=OPERATE),
    "connections:revoke_link": Page(post=OPERATE),
    "connections:describe": Page(post=ADMINISTER),
    "connections:notes": Page(post=OPERATE),
    "connections:delete_note": Page(post=ADMINISTER),  # and its author, who is none of these
    "connections:action": (
        _action("test", OPERATE),
        _action("rotate", OPERATE),
        _action("sign-in", OPERATE, is_dangerous=True),
        _action("repair", OPERATE),
        _action("pause", OPERATE),
        _action("resume", OPERATE),
        _action("snooze", OPERATE),
        _action("wake", OPERATE),
        _action("hold", ADMINISTER, is_dangerous=True),
    ),
    # keys, people, the audit
    "connections:api_keys": Page(get=ADMINISTER),
    "connections:api_key_new": Page(get=ADMINISTER, post=ADMINISTER, is_dangerous=True),
    "connections:api_key_revoke": Page(get=ADMINISTER, post=ADMINISTER, is_dangerous=True),
    "connections:audit": Page(get=AUDIT),
    "connections:audit_export": Page(get=AUDIT, is_export=True),
    "connections:keys": Page(get=Gate.EVERYWHERE, post=Gate.EVERYWHERE, is_dangerous=True),
    "connections:add_key": Page(post=Gate.EVERYWHERE, is_dangerous=True),
    "connections:make_key_primary": Page(post=Gate.EVERYWHERE, values={"key_id": "k1"}, is_dangerous=True),
    "connections:retire_key": Page(
        get=Gate.EVERYWHERE, post=Gate.EVERYWHERE, values={"key_id": "k1"}, is_dangerous=True
    ),
    "connections:retention": Page(get=Gate.EVERYWHERE),
    "connections:tenants": Page(get=Gate.EVERYWHERE),
    "connections:erase_tenant": Page(
        get=Gate.EVERYWHERE, post=Gate.EVERYWHERE, values={"slug": "acme"}, is_dangerous=True
    ),
    "connections:users": Page(get=Gate.EVERYWHERE),
    "connections:new_user": Page(get=Gate.EVERYWHERE, post=Gate.EVERYWHERE, is_dangerous=True),
    "connections:user": Page(get=Gate.EVERYWHERE, post=Gate.EVERYWHERE, is_dangerous=True),
}


def pages_of(name: str) -> tuple[Page, ...]:
    """KeyError: an address without an expectation."""
    found = PAGES[name]
    return found if isinstance(found, tuple) else (found,)
