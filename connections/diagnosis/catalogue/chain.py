"""Codes about the chain: what can happen to the refresh token and the access tokens it yields."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue.entry import SIGN_IN_THEN, Entry

SIGN_IN_AGAIN = _(
    "Press “Sign in again” and enter the password of {username}, or send the customer a sign-in link where they type "
    "it themselves."
)
STORE_THE_PASSWORD = _(
    "Let Sugaradmin store the password if the customer agrees: with it, a chain that breaks repairs itself within "
    "minutes."
)
OWN_PLATFORM = _(
    "Give this connection a platform of its own: in Sugar open Admin > Configure API Platforms, type a new name "
    "exactly (case matters), press Add, then Save. Then change the platform in this connection's settings and sign in."
)

CHAIN = (
    Entry(
        code=DiagnosisCode.REFRESH_TOKEN_SUPERSEDED,
        title=_("Another sign-in replaced our refresh token"),
        cause=_(
            "Somebody or something else signed in or refreshed as {username} on platform “{platform}”, and Sugar then "
            "deleted our refresh token."
        ),
        what_it_is=_(
            "Sugar keeps one live session for each user and platform. Every sign-in and every refresh on the same user "
            "and platform deletes the refresh tokens given out before, whatever OAuth key they came from. Our token "
            "was deleted that way, and nothing stored here can get a new one unless the password is stored too."
        ),
        how_we_know=_(
            "Sugar answered our refresh with “Invalid refresh token”, and our journal rules out the causes on our "
            "side: no answer of ours was lost, the token was not too old, and the client id had not changed. Sugar "
            "never says who did it, so this is likely rather than certain, until a second sign shows the same."
        ),
        needs=_("A refused refresh, and a journal without a lost answer, an expiry or an edit that would explain it."),
        fix_by=FixBy.STAFF,
        fix=(
            SIGN_IN_AGAIN,
            _(
                "Find the other user of {username} on “{platform}”: a second integration, a test system, a script, or "
                "a person who signs in with this user. A separate OAuth key does not keep them apart; a separate "
                "platform or a separate user does."
            ),
            OWN_PLATFORM,
            STORE_THE_PASSWORD,
        ),
        tell_the_customer=_(
            "Our connection to {host} was replaced by another sign-in as user {username} on API platform “{platform}”. "
            "Sugar allows one live session per user and platform. Please check which other system or person uses this "
            "user on this platform, and give it a user or a platform of its own. Then we need one sign-in to reconnect."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(_("Nothing to do now: Sugaradmin signs in again with the stored password."), OWN_PLATFORM),
    ),
    Entry(
        code=DiagnosisCode.REFRESH_TOKEN_LOST,
        title=_("The answer that held our new refresh token was lost"),
        cause=_("Sugar replaced our refresh token, but its answer with the new one never reached us whole."),
        what_it_is=_(
            "Sugar replaces the refresh token before it answers. If the answer is then lost to a time-out, a broken "
            "connection, a crash, or maintenance that began at that moment, the old token is dead and nobody holds the "
            "new one. Sugar offers no way to ask for it again."
        ),
        how_we_know=_(
            "Our journal holds a request that was sent and never properly answered, and Sugar has refused the token "
            "that it carried since then."
        ),
        needs=_("An attempt that was sent without a usable answer, followed by a refusal of the same token."),
        fix_by=FixBy.STAFF,
        fix=(
            SIGN_IN_AGAIN,
            STORE_THE_PASSWORD,
            _(
                "If it happens again, look at the evidence: repeated time-outs point at a slow instance or a proxy "
                "between."
            ),
        ),
        tell_the_customer=_(
            "An answer from {host} was lost on its way to us while our session was being renewed, so the session can "
            "no longer be continued. Nothing is wrong with your settings. We need one sign-in as {username} to "
            "reconnect."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(_("Nothing to do now: Sugaradmin signs in again with the stored password."),),
    ),
    Entry(
        code=DiagnosisCode.REFRESH_TOKEN_EXPIRED,
        title=_("The refresh token expired"),
        cause=_("The refresh token was not used within its lifetime, so Sugar no longer accepts it."),
        what_it_is=_(
            "A refresh token lives 14 days by default, and each refresh starts that time anew. Sugaradmin refreshes "
            "idle connections at half that time. The token can only run out while refreshes are impossible for days: "
            "the connection was on hold, the instance could not be reached, or no worker of Sugaradmin was running."
        ),
        how_we_know=_(
            "Sugar said “Refresh token has expired”, or refused a token that is older than the lifetime Sugar gave it. "
            "Sugar deletes expired tokens now and then, so both texts mean the same here."
        ),
        needs=_("The text “has expired” from the token endpoint, or a refusal after the known end of the token."),
        fix_by=FixBy.STAFF,
        fix=(
            SIGN_IN_AGAIN,
            _(
                "Look in the timeline for what kept refreshes from happening before: a hold, an outage, a silent "
                "worker."
            ),
            STORE_THE_PASSWORD,
        ),
        tell_the_customer=_(
            "Our session on {host} ran out because it could not be renewed in time. We need one sign-in as {username} "
            "to reconnect; nothing has to change in Sugar."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(_("Nothing to do now: Sugaradmin signs in again with the stored password."),),
    ),
    Entry(
        code=DiagnosisCode.SESSION_CAP_REACHED,
        title=_("The instance limits how long a session may last"),
        cause=_("{host} ends every session a fixed time after sign-in, however often it is refreshed."),
        what_it_is=_(
            "The Sugar setting oauth2.max_session_lifetime gives a chain of tokens a fixed end: each refreshed token "
            "inherits the end of the first instead of starting anew. When that moment comes, only a new sign-in helps. "
            "With a stored password Sugaradmin signs in shortly before; without one, a person has to."
        ),
        how_we_know=_(
            "The lifetime that Sugar gave the refresh token shrank from one refresh to the next, which happens only "
            "under this setting."
        ),
        needs=_("A known end of the chain, from shrinking lifetimes, that has passed or is less than two days away."),
        fix_by=FixBy.STAFF,
        fix=(
            SIGN_IN_AGAIN,
            STORE_THE_PASSWORD,
            _(
                "Or ask the customer to remove or raise the limit: oauth2.max_session_lifetime in config_override.php "
                "(on SugarCloud through a case with SugarCRM support)."
            ),
        ),
        tell_the_customer=_(
            "Your Sugar instance {host} limits the life of an API session (setting oauth2.max_session_lifetime). When "
            "the limit is reached we need a new sign-in as {username}. To avoid this, let us store the password of "
            "this user, or remove or raise the limit."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(_("Nothing to do now: Sugaradmin signs in again with the stored password."),),
    ),
    Entry(
        code=DiagnosisCode.ACCESS_TOKEN_REJECTED,
        title=_("The access token died before its time"),
        cause=_("Sugar no longer accepts an access token that should still be valid; a refresh replaces it."),
        what_it_is=_(
            "An access token lives in a PHP session on the Sugar server. A flushed cache, a cleaned session directory, "
            "a cluster node that does not share sessions, or another sign-in on the same user and platform ends it "
            "early. Where the refresh token still works, Sugaradmin fetches a new access token by itself."
        ),
        how_we_know=_(
            "Sugar answered 401 “The access token provided is invalid.” to a call with this token before its announced "
            "end."
        ),
        needs=_("A ping, a test or a worker's report, confirmed, before the end of the token's lifetime."),
        fix_by=FixBy.NOBODY,
        fix=(
            _(
                "Nothing to do at first: Sugaradmin refreshes by itself, and workers get the new token on their next "
                "call."
            ),
            _(
                "If it keeps happening, ask the customer whether sessions on {host} are flushed by a job, or whether "
                "several web servers keep sessions apart."
            ),
            _("If refreshes begin to fail too, another system is signing in as {username} on “{platform}”."),
        ),
        tell_the_customer=_(
            "Access tokens that {host} gives us end before their time. We renew them by ourselves. If your Sugar runs "
            "on several web servers, or clears PHP sessions or its cache on a schedule, please let us know."
        ),
        retry_helps=True,
        trouble=Trouble.RETRYING,
    ),
    Entry(
        code=DiagnosisCode.SESSION_REJECTED,
        title=_("Sugar ended the session on a second look"),
        cause=_(
            "Sugar knew the access token but rejected its session, most often because calls come from changing IP "
            "addresses."
        ),
        what_it_is=_(
            "With “Validate user IP address” switched on, Sugar ties a session to the network of its first call and "
            "destroys it when a call comes from another one. Sugaradmin and your workers may sit in different "
            "networks. The same answer appears when the site's unique key changed after a copy or a restore. The "
            "refresh token survives; Sugaradmin now sends no access token of this connection itself, so that only your "
            "workers' network counts."
        ),
        how_we_know=_(
            "Sugar answered 401 “Your authentication token is invalid.”, which it says once per session, while the "
            "refresh token was not refused."
        ),
        needs=_(
            "That text from a test, a ping or a worker's report, and a refresh token that is not known to be dead."
        ),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _("In Sugar open Admin > System Settings, untick “Validate user IP address”, and press Save."),
            _("If it has to stay on, let all workers of this connection leave through one network (one /24)."),
            _(
                "If the setting is off already, ask whether the site was copied or restored lately, then press “Sign "
                "in again”."
            ),
        ),
        tell_the_customer=_(
            "Sugar on {host} ends our sessions because it checks the IP address of each call. Please open Admin > "
            "System Settings, untick “Validate user IP address” and save, or tell us that the setting is already off."
        ),
        retry_helps=True,
        trouble=Trouble.RETRYING,
    ),
    Entry(
        code=DiagnosisCode.CLIENT_MISMATCH,
        title=_("The refresh token belongs to another client id"),
        cause=_(
            "The client id of this connection was changed to “{client_id}”, and Sugar accepts a refresh token only "
            "from the client id it was given to."
        ),
        what_it_is=_(
            "Each refresh token is bound to the OAuth key (client id) used at sign-in. After the client id was edited, "
            "the old token cannot be refreshed any more. This is expected: a new client id needs a new sign-in."
        ),
        how_we_know=_("The client id was edited after the last sign-in of this connection."),
        needs=_("An edit of the client id that is newer than the chain."),
        fix_by=FixBy.STAFF,
        fix=(
            SIGN_IN_AGAIN,
            _("If the edit was a mistake, put the old client id back in this connection's settings, then sign in."),
        ),
        tell_the_customer=_(
            "We changed the OAuth key that we use on {host}. To finish the change we need one sign-in as {username}."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(_("Nothing to do now: Sugaradmin signs in under the new client id with the stored password."),),
    ),
    Entry(
        code=DiagnosisCode.OUTCOME_UNKNOWN,
        title=_("We do not know yet whether Sugar renewed the token"),
        cause=_("A request to renew the token was sent, and no usable answer came back."),
        what_it_is=_(
            "Sugar may or may not have carried the request out. Sending it again at once could destroy a token that is "
            "still good, so Sugaradmin first waits until the server must be done, then finds out step by step: a late "
            "answer that was kept, the old refresh token once, the stored password."
        ),
        how_we_know=_("The journal shows when the request was sent, and that nothing complete came back."),
        needs=_("An attempt that was sent and neither answered nor resolved since."),
        fix_by=FixBy.NOBODY,
        fix=(
            _(
                "Nothing to do at first: it is resolved by itself, usually within two minutes. Workers keep a living "
                "token."
            ),
            _("“Repair” runs the same steps as soon as it is safe, and shows each of them."),
        ),
        tell_the_customer=_(
            "An answer from {host} was lost while we renewed our session. We are finding out whether the session "
            "survived and will come back to you only if we need a sign-in."
        ),
        retry_helps=True,
        trouble=Trouble.IN_DOUBT,
        draft=(_("Wait two minutes: until then the server may still be working on the last sign-in."), SIGN_IN_THEN),
    ),
)
