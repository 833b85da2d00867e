"""What the audit's readers call each deed. Programs and filters use its name (`sign_in`), people read these words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

WORDS: dict[str, StrPromise] = {
    # connections
    "create": _("Create connection"),
    "edit": _("Edit connection"),
    "delete": _("Delete connection"),
    "test": _("Test"),
    "rotate": _("Rotate"),
    "sign_in": _("Sign in"),
    "repair": _("Repair"),
    "pause": _("Pause"),
    "resume": _("Resume"),
    "hold": _("Hold"),
    "snooze": _("Snooze"),
    "wake": _("End the snooze"),
    "write_note": _("Write a note"),
    "delete_note": _("Delete a note"),
    "rejected": _("Report a rejected token"),
    # what is not a connection yet
    "create_draft": _("Begin a draft"),
    "look_at_instance": _("Look at the instance"),
    "check_platform": _("Check the platform"),
    "edit_draft": _("Edit a draft"),
    "discard_draft": _("Discard a draft"),
    "expire_draft": _("Draft expired"),
    # links of customers
    "make_link": _("Make a customer link"),
    "revoke_link": _("Revoke a customer link"),
    "request_link": _("Customer asked for a new link"),
    # errors
    "mark_failure": _("Mark an error"),
    "open_failure": _("Open an error again"),
    # keys, tenants, the audit itself
    "create_api_key": _("Create API key"),
    "revoke_api_key": _("Revoke API key"),
    "rotate_encryption_key": _("Seal under the present key"),
    "give_up_key": _("Give up an encryption key"),
    "add_key": _("Add an encryption key"),
    "make_key_primary": _("Let another encryption key seal"),
    "retire_key": _("Retire an encryption key"),
    "create_tenant": _("Create tenant"),
    "erase_tenant": _("Erase tenant"),
    "destroy_data_keys": _("Destroy a tenant's own keys"),
    "export_audit": _("Export the audit"),
    "export_connections": _("Export connections"),
    "prune_audit": _("Prune the audit"),
    "prune_history": _("Prune the history"),
    "confirm_database": _("Confirm the database"),
    "seed_demo": _("Seed the demo"),
    # people
    "create_staff": _("Create account"),
    "change_staff": _("Change account"),
    "activate_staff": _("Activate account"),
    "deactivate_staff": _("Deactivate account"),
    "reset_staff": _("Reset account"),
    "issue_first_admin_link": _("Make the first administrator's link"),
    "issue_password_link": _("Make a password link"),
    "set_password": _("Set a password"),
    "change_password": _("Change password"),
    "sign_out": _("Sign out"),
    "confirm_identity": _("Confirm identity"),
    "end_session": _("End a session"),
    "bind_single_sign_on": _("Bind single sign-on"),
    "use_recovery_code": _("Use a recovery code"),
    "add_second_factor": _("Add a second factor"),
    "rename_second_factor": _("Rename a second factor"),
    "remove_second_factor": _("Remove a second factor"),
}


def words_of(action: str) -> str:
    """Of a name that stands in no table, as in a log of a later release, its own words."""
    known = WORDS.get(action)
    return action.replace("_", " ").capitalize() if known is None else str(known)
