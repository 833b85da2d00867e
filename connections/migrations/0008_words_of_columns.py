"""What columns of state and of secrets mean, as comments; and the words that the columns of closed lists may hold.

None of these lists has changed since the first migration, so every stored row fits.
"""

from __future__ import annotations

from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


CODES = [
    ("refresh_token_superseded", "Refresh Token Superseded"),
    ("refresh_token_lost", "Refresh Token Lost"),
    ("refresh_token_expired", "Refresh Token Expired"),
    ("session_cap_reached", "Session Cap Reached"),
    ("access_token_rejected", "Access Token Rejected"),
    ("session_rejected", "Session Rejected"),
    ("client_mismatch", "Client Mismatch"),
    ("outcome_unknown", "Outcome Unknown"),
    ("bad_credentials", "Bad Credentials"),
    ("user_inactive", "User Inactive"),
    ("locked_out", "Locked Out"),
    ("sso_required", "Sso Required"),
    ("password_expired", "Password Expired"),
    ("password_stale", "Password Stale"),
    ("user_unsuitable", "User Unsuitable"),
    ("credentials_missing", "Credentials Missing"),
    ("client_invalid", "Client Invalid"),
    ("platform_not_registered", "Platform Not Registered"),
    ("platform_shared", "Platform Shared"),
    ("user_agent_blocked", "User Agent Blocked"),
    ("version_unsupported", "Version Unsupported"),
    ("not_sugar", "Not Sugar"),
    ("moved", "Moved"),
    ("header_stripped", "Header Stripped"),
    ("firewall_blocked", "Firewall Blocked"),
    ("access_denied", "Access Denied"),
    ("maintenance", "Maintenance"),
    ("license", "License"),
    ("identity_unavailable", "Identity Unavailable"),
    ("identity_rejected", "Identity Rejected"),
    ("server_error", "Server Error"),
    ("rate_limited", "Rate Limited"),
    ("bad_response", "Bad Response"),
    ("dns_failure", "Dns Failure"),
    ("connection_refused", "Connection Refused"),
    ("connection_lost", "Connection Lost"),
    ("timeout", "Timeout"),
    ("tls_invalid", "Tls Invalid"),
    ("address_blocked", "Address Blocked"),
    ("encryption_key_missing", "Encryption Key Missing"),
    ("database_restored", "Database Restored"),
    ("unknown", "Unknown"),
]
FAULTS = [
    ("access_token_expired", "Access Token Expired"),
    ("access_token_invalid", "Access Token Invalid"),
    ("session_rejected", "Session Rejected"),
    ("refresh_token_invalid", "Refresh Token Invalid"),
    ("refresh_token_expired", "Refresh Token Expired"),
    ("credentials_refused", "Credentials Refused"),
    ("locked_out", "Locked Out"),
    ("sso_required", "Sso Required"),
    ("user_unsuitable", "User Unsuitable"),
    ("password_expired", "Password Expired"),
    ("client_invalid", "Client Invalid"),
    ("platform_not_registered", "Platform Not Registered"),
    ("user_agent_blocked", "User Agent Blocked"),
    ("version_unsupported", "Version Unsupported"),
    ("not_sugar", "Not Sugar"),
    ("moved", "Moved"),
    ("header_stripped", "Header Stripped"),
    ("firewall_blocked", "Firewall Blocked"),
    ("access_denied", "Access Denied"),
    ("maintenance", "Maintenance"),
    ("license", "License"),
    ("identity_unavailable", "Identity Unavailable"),
    ("identity_rejected", "Identity Rejected"),
    ("server_error", "Server Error"),
    ("rate_limited", "Rate Limited"),
    ("bad_response", "Bad Response"),
    ("dns_failure", "Dns Failure"),
    ("connection_refused", "Connection Refused"),
    ("connection_lost", "Connection Lost"),
    ("timeout", "Timeout"),
    ("tls_invalid", "Tls Invalid"),
    ("address_blocked", "Address Blocked"),
    ("encryption_key_missing", "Encryption Key Missing"),
    ("unknown", "Unknown"),
]


def or_empty(choices: list[tuple[str, str]]) -> list[str]:
    return ["", *(word for word, _ in choices)]


class Comment(migrations.AlterField):
    """SQLite keeps no comments, and would build the table anew: the audit's triggers would be gone."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.features.supports_comments:
            super().database_forwards(app_label, schema_editor, from_state, to_state)


class Migration(migrations.Migration):
    dependencies = [
        ("connections", "0007_keys_of_nodes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        Comment(
            model_name="apikey",
            name="revoked_at",
            field=models.DateTimeField(blank=True, db_comment="Set: it opens nothing any more", null=True),
        ),
        Comment(
            model_name="attempt",
            name="diagnosis_code",
            field=models.CharField(
                blank=True,
                choices=CODES,
                db_comment="What the rules made of its failure; empty: nothing",
                help_text="What the rules made of its failure",
                max_length=32,
            ),
        ),
        Comment(
            model_name="attempt",
            name="failure",
            field=models.CharField(
                blank=True,
                db_comment="Names its group of failures; no secret in it; empty: none",
                help_text="Fingerprint of diagnosis, host and the message without its numbers",
                max_length=12,
            ),
        ),
        Comment(
            model_name="attempt",
            name="fault",
            field=models.CharField(
                blank=True,
                choices=FAULTS,
                db_comment="What its answer, or the lack of one, showed; empty: nothing wrong",
                max_length=32,
            ),
        ),
        Comment(
            model_name="attempt",
            name="kind",
            field=models.CharField(
                choices=[("refresh", "Refresh"), ("password", "Sign-in"), ("test", "Test"), ("probe", "Probe")],
                db_comment="Refresh and password are grants, the rest only looks",
                max_length=12,
            ),
        ),
        Comment(
            model_name="attempt",
            name="preflight_fault",
            field=models.CharField(
                blank=True,
                choices=FAULTS,
                db_comment="What the look before it showed; set: nothing was sent",
                max_length=32,
            ),
        ),
        Comment(
            model_name="attempt",
            name="rung",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "None"),
                    ("candidate", "Kept answer"),
                    ("old_refresh", "Old refresh token"),
                    ("stored_password", "Stored password"),
                ],
                db_comment="Step of the resolve ladder; empty: a plain one",
                default="",
                max_length=16,
            ),
        ),
        Comment(
            model_name="attempt",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("background", "Background"),
                    ("worker", "Worker"),
                    ("report", "Worker's report"),
                    ("staff", "Staff"),
                    ("api", "API"),
                    ("link", "Customer link"),
                ],
                db_comment="Who asked for it",
                max_length=12,
            ),
        ),
        Comment(
            model_name="attempt",
            name="verify_fault",
            field=models.CharField(
                blank=True,
                choices=FAULTS,
                db_comment="What the ping with the new token showed; empty: alive, or no ping",
                max_length=32,
            ),
        ),
        Comment(
            model_name="auditcheck",
            name="head",
            field=models.CharField(
                blank=True,
                db_comment="number:digest of the newest row seen",
                help_text="number:digest of the newest row seen",
                max_length=90,
            ),
        ),
        Comment(
            model_name="auditrow",
            name="digest",
            field=models.CharField(
                db_comment="HMAC over the row and the digest before",
                help_text="HMAC over the row and the digest before",
                max_length=64,
                unique=True,
            ),
        ),
        Comment(
            model_name="auditrow",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("ok", "Done"),
                    ("begun", "Begun"),
                    ("failed", "Failed"),
                    ("denied", "Denied"),
                    ("throttled", "Slowed down"),
                ],
                db_comment="What became of it; the database holds no list of these words",
                default="ok",
                max_length=10,
            ),
        ),
        Comment(
            model_name="auditrow",
            name="previous",
            field=models.CharField(
                blank=True,
                db_comment="Digest of the row before; empty: the first",
                help_text="Digest of the row before",
                max_length=64,
            ),
        ),
        Comment(
            model_name="connection",
            name="adopted_number",
            field=models.PositiveIntegerField(db_comment="Count of saves; part of the seal", default=0),
        ),
        Comment(
            model_name="connection",
            name="client_secret_number",
            field=models.PositiveIntegerField(db_comment="Count of saves; part of the seal", default=0),
        ),
        Comment(
            model_name="connection",
            name="deleted_at",
            field=models.DateTimeField(blank=True, db_comment="Set: every secret is wiped", null=True),
        ),
        Comment(
            model_name="connection",
            name="diagnosis_code",
            field=models.CharField(
                blank=True,
                choices=CODES,
                db_comment="What the rules found last; empty: nothing",
                max_length=32,
            ),
        ),
        Comment(
            model_name="connection",
            name="held_at",
            field=models.DateTimeField(
                blank=True, db_comment="Set: nothing is sent or handed out until staff resume it", null=True
            ),
        ),
        Comment(
            model_name="connection",
            name="is_client_changed",
            field=models.BooleanField(db_comment="That edit changed the OAuth client and nothing else", default=False),
        ),
        Comment(
            model_name="connection",
            name="is_new_chain_wanted",
            field=models.BooleanField(
                db_comment="Its chain belongs to what was before an edit: sign in again", default=False
            ),
        ),
        Comment(
            model_name="connection",
            name="is_password_expired",
            field=models.BooleanField(db_comment="Sugar said so: a warning", default=False),
        ),
        Comment(
            model_name="connection",
            name="paused_at",
            field=models.DateTimeField(
                blank=True, db_comment="Set: no grant by itself; a living token is still handed out", null=True
            ),
        ),
        Comment(
            model_name="connection",
            name="session_generation",
            field=models.CharField(
                choices=[
                    ("unknown", "Unknown"),
                    ("never", "6.7–7.1: never"),
                    ("cached", "7.7–12.x: every 120 s"),
                    ("always", "13.3 and later: every request"),
                    ("idm", "SugarIdentity"),
                ],
                db_comment="When the instance checks the session behind a token",
                default="unknown",
                help_text="How it checks sessions",
                max_length=8,
            ),
        ),
        Comment(
            model_name="connection",
            name="trouble",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "None"),
                    ("person", "Needs a person"),
                    ("in_doubt", "In doubt"),
                    ("unreachable", "Unreachable"),
                    ("retrying", "Retrying"),
                ],
                db_comment="The stored half of the status; empty: none",
                default="",
                max_length=12,
            ),
        ),
        Comment(
            model_name="customerlink",
            name="kind",
            field=models.CharField(
                choices=[("sign_in", "Sign-in link"), ("guide", "Set-up guide")],
                db_comment="What the customer finds behind it",
                max_length=10,
            ),
        ),
        Comment(
            model_name="customerlink",
            name="revoked_at",
            field=models.DateTimeField(db_comment="Set: it opens nothing any more", null=True),
        ),
        Comment(
            model_name="encryptionkey",
            name="check_value",
            field=models.CharField(db_comment="HMAC with the key: tells a wrong one from the right one", max_length=64),
        ),
        Comment(
            model_name="event",
            name="code",
            field=models.CharField(
                blank=True,
                choices=CODES,
                db_comment="The diagnosis it is about; empty: none",
                max_length=32,
            ),
        ),
        Comment(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("created", "Connection created"),
                    ("edited", "Connection edited"),
                    ("secret_set", "Secret saved"),
                    ("secrets_wiped", "Secrets wiped"),
                    ("deleted", "Connection deleted"),
                    ("paused", "Paused"),
                    ("resumed", "Resumed"),
                    ("held", "Held"),
                    ("signed_in", "Signed in"),
                    ("refreshed", "Refreshed"),
                    ("grant_failed", "Grant failed"),
                    ("grant_abandoned", "Grant not sent"),
                    ("in_doubt", "Outcome unknown"),
                    ("answer_kept", "Late answer kept"),
                    ("answer_discarded", "Late answer discarded"),
                    ("token_died", "Access token died"),
                    ("chain_died", "Refresh token died"),
                    ("reported", "Rejection reported"),
                    ("tested", "Tested"),
                    ("probed", "Probed"),
                    ("diagnosed", "Diagnosis changed"),
                    ("recovered", "Recovered"),
                    ("snoozed", "Snoozed"),
                    ("awake", "Snooze ended"),
                    ("noted", "Note written"),
                    ("link_made", "Customer link made"),
                    ("link_opened", "Customer link opened"),
                    ("link_ended", "Customer link ended"),
                    ("link_requested", "New link requested"),
                ],
                db_comment="What happened",
                max_length=20,
            ),
        ),
        Comment(
            model_name="event",
            name="status",
            field=models.CharField(
                blank=True,
                choices=[
                    ("paused", "Paused"),
                    ("draft", "Draft"),
                    ("dying", "Dying"),
                    ("down", "Down"),
                    ("in_doubt", "In doubt"),
                    ("unreachable", "Unreachable"),
                    ("retrying", "Retrying"),
                    ("healthy", "Healthy"),
                ],
                db_comment="Of the connection right after it; empty: not known",
                help_text="Of the connection right after it",
                max_length=12,
            ),
        ),
        Comment(
            model_name="failuremark",
            name="standing",
            field=models.CharField(
                choices=[("acknowledged", "Acknowledged"), ("ignored", "Ignored")],
                db_comment="What staff decided about the group",
                max_length=12,
            ),
        ),
        Comment(
            model_name="hostwait",
            name="fault",
            field=models.CharField(db_comment="How it failed when it was last asked", max_length=32),
        ),
        Comment(
            model_name="idempotentcall",
            name="body_hash",
            field=models.CharField(
                db_comment="Keyed hash of method, path and body, to tell a repeated call", max_length=64
            ),
        ),
        Comment(
            model_name="idempotentcall",
            name="status",
            field=models.PositiveSmallIntegerField(
                db_comment="Of the kept answer; null while it runs", help_text="Null while it runs", null=True
            ),
        ),
        Comment(
            model_name="installation",
            name="fingerprint",
            field=models.JSONField(
                db_comment="What a copy of the database has differently; no secret in it", default=dict
            ),
        ),
        Comment(
            model_name="lentpassword",
            name="session",
            field=models.CharField(
                blank=True,
                db_comment="Keyed hash of the browser session it was typed in",
                help_text="Keyed hash of the session it belongs to",
                max_length=64,
            ),
        ),
        Comment(
            model_name="onetimelink",
            name="purpose",
            field=models.CharField(
                choices=[("first_admin", "Makes the first administrator"), ("set_password", "Sets a password")],
                db_comment="What it opens",
                max_length=20,
            ),
        ),
        Comment(
            model_name="onetimelink",
            name="used_at",
            field=models.DateTimeField(db_comment="Set: spent", null=True),
        ),
        Comment(
            model_name="profile",
            name="theme",
            field=models.CharField(
                choices=[("auto", "Auto"), ("light", "Light"), ("dark", "Dark")],
                db_comment="Colours of the pages",
                default="auto",
                max_length=5,
            ),
        ),
        Comment(
            model_name="staff",
            name="role",
            field=models.CharField(
                choices=[("viewer", "Viewer"), ("operator", "Operator"), ("admin", "Admin"), ("auditor", "Auditor")],
                db_comment="What the person may do",
                max_length=10,
            ),
        ),
        Comment(
            model_name="tokenversion",
            name="fingerprint",
            field=models.CharField(
                db_comment="Keyed, of the access token; empty: no key was at hand",
                help_text="Keyed fingerprint of the access token",
                max_length=8,
            ),
        ),
        Comment(
            model_name="tokenversion",
            name="origin",
            field=models.CharField(
                choices=[("password", "Sign-in"), ("refresh", "Refresh"), ("adopted", "Adopted")],
                db_comment="Kind of grant it came from",
                max_length=12,
            ),
        ),
        Comment(
            model_name="tokenversion",
            name="refresh_fingerprint",
            field=models.CharField(
                blank=True,
                db_comment="Keyed, of the refresh token; empty: none came, or no key was at hand",
                max_length=8,
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("rung__in", ["", "candidate", "old_refresh", "stored_password"])),
                name="attempt_rung_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("trigger__in", ["background", "worker", "report", "staff", "api", "link"])),
                name="attempt_trigger_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "fault__in",
                        or_empty(FAULTS),
                    )
                ),
                name="attempt_fault_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "preflight_fault__in",
                        or_empty(FAULTS),
                    )
                ),
                name="attempt_preflight_fault_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "verify_fault__in",
                        or_empty(FAULTS),
                    )
                ),
                name="attempt_verify_fault_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="attempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "diagnosis_code__in",
                        or_empty(CODES),
                    )
                ),
                name="attempt_diagnosis_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "diagnosis_code__in",
                        or_empty(CODES),
                    )
                ),
                name="connection_diagnosis_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="connection",
            constraint=models.CheckConstraint(
                condition=models.Q(("session_generation__in", ["unknown", "never", "cached", "always", "idm"])),
                name="connection_generation_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "code__in",
                        or_empty(CODES),
                    )
                ),
                name="event_code_known",
            ),
        ),
    ]
