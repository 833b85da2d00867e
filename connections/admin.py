"""Django's own admin, for superusers: everything can be looked at and nothing be changed, people neither.

No secret column, hash or sealed answer is among the fields; what cannot be written here is written by custody alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django_q.models import Failure, OrmQ, Schedule, Success

from connections.models import (
    ApiKey,
    Attempt,
    AuditRow,
    Connection,
    EncryptionKey,
    Event,
    Heartbeat,
    HostWait,
    Installation,
    Staff,
    Tenant,
    TokenVersion,
)
from connections.models.fields import SealedField

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin

HIDDEN = frozenset({"secret_hash", "check_value", "payload"})


class ReadOnly(ModelAdmin):
    """Every column but the secret ones, to look at."""

    show_full_result_count = False

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        columns = self.model._meta.fields
        return [one.name for one in columns if not isinstance(one, SealedField) and one.name not in HIDDEN]

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


# The door of the product is the only one: limits of tries, second factors and the audit stand there.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
for _model in (Authenticator, EmailAddress, SocialAccount, SocialApp, SocialToken, UserSession, Group, User):
    admin.site.unregister(_model)
# The queue's own pages would run any function that somebody types.
for _model in (Failure, OrmQ, Schedule, Success):
    admin.site.unregister(_model)


@admin.register(Staff)
class StaffAdmin(ReadOnly):
    list_display = ("user", "role")
    list_select_related = ("user",)
    list_filter = ("role",)
    search_fields = ("user__username",)


@admin.register(Tenant)
class TenantAdmin(ReadOnly):
    list_display = ("slug", "name", "public_id", "created_at")
    search_fields = ("slug", "name", "public_id")


@admin.register(Connection)
class ConnectionAdmin(ReadOnly):
    list_display = ("public_id", "label", "tenant", "host", "platform", "username", "trouble", "diagnosis_code")
    list_select_related = ("tenant",)
    search_fields = ("public_id", "label", "host", "username")


@admin.register(TokenVersion)
class TokenVersionAdmin(ReadOnly):
    list_display = ("connection", "number", "origin", "state", "fingerprint", "issued_at")
    list_select_related = ("connection",)
    search_fields = ("connection__public_id",)


@admin.register(Attempt)
class AttemptAdmin(ReadOnly):
    list_display = ("public_id", "connection", "number", "kind", "state", "fault", "claimed_at")
    list_select_related = ("connection",)
    list_filter = ("kind", "state")
    search_fields = ("public_id", "connection__public_id")


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("connection", "number", "kind", "code", "at", "actor")
    list_select_related = ("connection",)
    list_filter = ("kind",)
    search_fields = ("connection__public_id",)


@admin.register(AuditRow)
class AuditRowAdmin(ReadOnly):
    list_display = ("at", "actor_kind", "actor", "action", "target", "outcome")
    list_filter = ("action", "outcome")
    search_fields = ("actor", "target")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "prefix", "scopes", "created_at", "last_used_at", "revoked_at")
    search_fields = ("name", "prefix")


@admin.register(EncryptionKey, Heartbeat, HostWait, Installation, Failure, OrmQ, Schedule, Success)
class PlainAdmin(ReadOnly):
    pass
