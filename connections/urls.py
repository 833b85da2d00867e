"""Addresses of the pages. A connection is named by its public id, never by a database key."""

from __future__ import annotations

from django.urls import include, path, register_converter
from django.urls.resolvers import URLPattern, URLResolver

from connections.customer import doors
from connections.dashboard.views import (
    access_keys,
    account,
    auditing,
    customer_links,
    describing,
    detail,
    doing,
    editing,
    encryption_keys,
    entrance,
    errors,
    exporting,
    fleet,
    links,
    manual,
    notes,
    people,
    retention,
    signing_in,
    tenants,
    timeline,
    watching,
    wizard,
)


class PublicId:
    """`c_` and ten characters of Crockford's base32."""

    regex = "c_[0-9a-hjkmnp-tv-z]{10}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class DraftId(PublicId):
    """The same with `d_`."""

    regex = "d_[0-9a-hjkmnp-tv-z]{10}"


class LinkId(PublicId):
    """`l_` and the same: names a customer's link, opens nothing."""

    regex = "l_[0-9a-hjkmnp-tv-z]{10}"


class LinkToken(PublicId):
    """What opens one; a mangled one has a page of its own."""

    regex = "[A-Za-z0-9_-]{1,200}"


class Username(PublicId):
    """What Django lets a person be called; whatever else stands there is nobody, and no query."""

    regex = r"[\w.@+-]{1,150}"


class Failure:
    """The fingerprint of a group of failures."""

    regex = "[0-9a-f]{12}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PublicId, "connection")
register_converter(Username, "username")
register_converter(Failure, "failure")
register_converter(DraftId, "draft")
register_converter(LinkId, "link")
register_converter(LinkToken, "token")
app_name = "connections"

one_connection: list[URLPattern | URLResolver] = [
    path("", detail.status, name="detail"),
    path("timeline/", timeline.timeline, name="timeline"),
    path("tokens/", detail.tokens, name="tokens"),
    path("attempts/", detail.attempts, name="attempts"),
    path("attempts/<int:number>/", detail.attempt, name="attempt"),
    path("events/<int:number>/", detail.event, name="event"),
    path("describe/", describing.describe, name="describe"),
    path("notes/", notes.write, name="notes"),
    path("notes/<int:note>/delete/", notes.delete, name="delete_note"),
    path("settings/", editing.settings, name="settings"),
    path("audit/", auditing.of_connection, name="connection_audit"),
    path("bundle/", detail.support_bundle, name="bundle"),
    path("actions/<slug:action>/", doing.act, name="action"),
    path("links/", customer_links.links, name="links"),
    path("links/<link:link_id>/revoke/", customer_links.revoke, name="revoke_link"),
]

# For customers, who do not sign in.
public: list[URLPattern | URLResolver] = [
    path("r/<link:link_id>/", doors.page, name="link_page"),
    path("r/<link:link_id>/done/", doors.done, name="link_done"),
    path("r/<link:link_id>/ask/", doors.ask, name="link_ask"),
    path("r/<token:token>", doors.enter, name="customer_link"),
    path("r/<token:token>/", doors.enter),
    path("s/<token:token>", doors.guide, name="guide"),
    path("s/<token:token>/", doors.guide),
]

one_draft: list[URLPattern | URLResolver] = [
    path("", wizard.draft, name="draft"),
    path("address/", wizard.address, name="draft_address"),
    path("platform/", wizard.platform, name="draft_platform"),
    path("credentials/", wizard.credentials, name="draft_credentials"),
    path("review/", wizard.review, name="draft_review"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", entrance.home, name="home"),
    path("sign-in/", signing_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", signing_in.SignOut.as_view(), name="sign_out"),
    path("sign-in/link/", links.link, name="link"),
    path("sign-in/link/<str:token>/", links.follow, name="follow_link"),
    path("sign-in/forgotten/", links.forgotten, name="forgotten"),
    path("profile/sessions/<int:pk>/end/", account.end_session, name="end_session"),
    path("profile/sessions/end-others/", account.end_other_sessions, name="end_other_sessions"),
    path("profile/sessions/stay/", account.stay, name="stay"),
    path("settings/users/", people.users, name="users"),
    path("settings/users/new/", people.new_user, name="new_user"),
    path("settings/users/of/<username:username>/", people.user, name="user"),
    path("settings/keys/", encryption_keys.keys, name="keys"),
    path("settings/keys/add/", encryption_keys.add_key, name="add_key"),
    path("settings/keys/<slug:key_id>/make-primary/", encryption_keys.make_key_primary, name="make_key_primary"),
    path("settings/keys/<slug:key_id>/retire/", encryption_keys.retire_key, name="retire_key"),
    path("settings/history/", retention.retention, name="retention"),
    path("settings/tenants/", tenants.tenants, name="tenants"),
    path("settings/tenants/<slug:slug>/erase/", tenants.erase, name="erase_tenant"),
    path("theme/", entrance.theme, name="theme"),
    path("profile/", entrance.profile, name="profile"),
    path("profile/zone/", entrance.zone, name="zone"),
    path("overview/", fleet.overview, name="overview"),
    path("live/", watching.frame, name="live"),
    path("connections/", fleet.connection_list, name="list"),
    path("connections/export.csv", exporting.export, name="export"),
    path("connections/live/", watching.rows, name="rows"),
    path("connections/new/", wizard.new, name="new"),
    path("connections/new/<draft:draft_id>/", include(one_draft)),
    path("connections/<connection:public_id>/", include(one_connection)),
    path("api-keys/", access_keys.index, name="api_keys"),
    path("api-keys/new/", access_keys.new, name="api_key_new"),
    path("api-keys/<slug:prefix>/revoke/", access_keys.revoke, name="api_key_revoke"),
    path("audit/", auditing.rows, name="audit"),
    path("audit/export.csv", auditing.export, name="audit_export"),
    path("errors/", errors.groups, name="errors"),
    path("errors/<failure:failure>/", errors.group, name="error_group"),
    path("errors/<failure:failure>/mark/", errors.mark, name="error_mark"),
    path("system/", fleet.system, name="system"),
    path("help/", manual.contents, name="help"),
    path("help/<slug:code>/", manual.article, name="article"),
    *public,
]
