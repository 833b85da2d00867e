"""Codes about the instance itself: Sugar is there, but not well."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue.entry import SIGN_IN_THEN, SIGN_IN_WHEN_WELL, Entry

WE_LOOK_AGAIN = _(
    "Nothing to do at first: Sugaradmin looks again by itself and goes on as soon as the instance is well."
)
END_MAINTENANCE = (
    _(
        "Ask the customer how long the maintenance will take, and whether it was left on by mistake "
        "(maintenanceMode in config_override.php)."
    ),
)
MEND_THE_LICENCE = (
    _("In Sugar open Admin > License Management: check the expiry and validate the licence anew."),
    _(
        "If seats are the problem, set users who do not need access to Inactive in Admin > User Management, or "
        "buy seats."
    ),
)

INSTANCE = (
    Entry(
        code=DiagnosisCode.MAINTENANCE,
        title=_("Sugar is in maintenance mode"),
        cause=_("{host} is in maintenance mode and lets in only its admins."),
        what_it_is=_(
            "An admin has put the instance into maintenance, usually for an update. Sugaradmin asks for this before "
            "each grant and then sends nothing, because a refresh during maintenance destroys the refresh token. It "
            "goes on by itself when maintenance is over."
        ),
        how_we_know=_("Sugar answered 503 maintenance, or refused a call with its maintenance text."),
        needs=_("That answer from the look before a grant, from an API call or from the token endpoint."),
        fix_by=FixBy.NOBODY,
        fix=(
            *END_MAINTENANCE,
            _("Sugaradmin looks every five minutes and goes on by itself when it is over."),
        ),
        tell_the_customer=_(
            "Your Sugar on {host} is in maintenance mode, so our integration is waiting. It goes on when the "
            "maintenance is over. If it should be over already, please switch maintenance mode off."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        draft=(*END_MAINTENANCE, SIGN_IN_WHEN_WELL),
        waiting=(
            WE_LOOK_AGAIN,
            _("If the customer says that maintenance is over, press “Repair” to look at once."),
        ),
    ),
    Entry(
        code=DiagnosisCode.LICENSE,
        title=_("Sugar refuses work because of its licence"),
        cause=_("{host} has a licence problem and refuses regular users until it is solved."),
        what_it_is=_(
            "The licence has expired, could not be validated, or more users are active than it has seats. Sugar then "
            "lets in only admins. When only the seats are used up, Sugar's system status does not show it beforehand, "
            "and a refresh at that moment costs the refresh token."
        ),
        how_we_know=_(
            "Sugar answered 503 admin_only or 403 license_seats_needed, or refused a call with one of its licence "
            "texts."
        ),
        needs=_("That answer from the look before a grant, from an API call or from the token endpoint."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            *MEND_THE_LICENCE,
            _("Sugaradmin looks every five minutes and goes on by itself; “Repair” looks at once."),
        ),
        tell_the_customer=_(
            "Your Sugar on {host} refuses our calls because of its licence: it has expired, was not validated, or has "
            "too few seats. Please check Admin > License Management, and the number of active users in Admin > User "
            "Management."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        draft=(*MEND_THE_LICENCE, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.IDENTITY_UNAVAILABLE,
        title=_("SugarIdentity does not answer properly"),
        cause=_("The sign-in service behind {host} is in trouble, so good tokens are refused for now."),
        what_it_is=_(
            "On SugarCloud, tokens are checked by SugarIdentity. When that service has trouble, Sugar says “has "
            "expired” even for fresh tokens. They are good again when the service recovers, so Sugaradmin keeps them "
            "and waits."
        ),
        how_we_know=_(
            "A token that cannot have expired yet was refused as expired, or the sign-in service answered with an "
            "error of its own."
        ),
        needs=_("A refusal as “expired” before the end of the token's life, or a server error of the sign-in service."),
        fix_by=FixBy.NOBODY,
        fix=(
            _("Look at SugarCRM's status page for SugarCloud."),
            _("If other programs work with {host}, ask the customer to open a case with SugarCRM support."),
        ),
        tell_the_customer=_(
            "SugarIdentity, the sign-in service of your SugarCloud instance {host}, has not accepted valid sessions "
            "for some time. Please check whether your users can sign in, and open a case with SugarCRM support if they "
            "cannot."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN,),
    ),
    Entry(
        code=DiagnosisCode.IDENTITY_REJECTED,
        title=_("SugarIdentity refuses this user"),
        cause=_("SugarIdentity says that {username} may not use {host} in this way."),
        what_it_is=_(
            "The token is genuine but lacks a permission, belongs to another tenant, or its user does not pass "
            "SugarIdentity's checks. Sugar marks this answer as final: trying again does not help."
        ),
        how_we_know=_("Sugar answered 401 idm_nonrecoverable_error."),
        needs=_("401 idm_nonrecoverable_error from the instance."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "Ask the customer to check {username} in SugarIdentity: active, in the right tenant, with access to "
                "this instance."
            ),
            _("Then press “Sign in again”, so that a new token is made with the new permissions."),
        ),
        tell_the_customer=_(
            "SugarIdentity refuses our user {username} on {host}. Please check in SugarIdentity that the user is "
            "active, belongs to this tenant, and has access to this instance."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
    ),
    Entry(
        code=DiagnosisCode.SERVER_ERROR,
        title=_("Sugar reports an error of its own"),
        cause=_("{host} answers with a server error."),
        what_it_is=_(
            "Sugar, its database or its web server failed while working on our call. This is an outage of the "
            "instance, not of the connection. After a grant, an error does not tell whether the token was renewed "
            "before it failed, so Sugaradmin finds out before it tries again."
        ),
        how_we_know=_("The server answered with a status from 500 to 599."),
        needs=_("Such an answer that is neither maintenance nor licence."),
        fix_by=FixBy.NOBODY,
        fix=(
            _("Ask the customer to look into sugarcrm.log and the PHP error log at the times in the evidence."),
            _("On SugarCloud, ask them to open a case with SugarCRM support."),
        ),
        tell_the_customer=_(
            "Your Sugar on {host} has been answering our calls with server errors. Please look into sugarcrm.log and "
            "the PHP error log (on SugarCloud: open a case with SugarCRM support). We can send you the exact times."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN,),
    ),
    Entry(
        code=DiagnosisCode.RATE_LIMITED,
        title=_("The instance asks us to slow down"),
        cause=_("{host} received more calls than it allows and answers 429."),
        what_it_is=_(
            "Sugar itself does not count calls; a content network or firewall before it does. All programs that use "
            "the same network address count together, your workers included. Sugaradmin waits as long as the answer "
            "asks for."
        ),
        how_we_know=_("The answer had status 429."),
        needs=_("Status 429 from the instance."),
        fix_by=FixBy.NOBODY,
        fix=(
            _("Slow down the workers that use this instance; on SugarCloud stay below 20 requests a second."),
            _("Ask the customer to raise the limit for our addresses before {host}."),
        ),
        tell_the_customer=_(
            "A firewall or content network before {host} limits our calls (status 429). Please raise the limit for our "
            "network addresses, or tell us the rate we should keep to."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN, _("Slow down the workers that use this instance.")),
    ),
    Entry(
        code=DiagnosisCode.BAD_RESPONSE,
        title=_("Sugar's answer cannot be read"),
        cause=_("{host} sent an answer that is not what Sugar sends: cut off, not JSON, or too large."),
        what_it_is=_(
            "A proxy that cuts answers, a PHP warning printed before the JSON, or an error page with status 200 are "
            "the usual reasons. Sugaradmin never stores a token from half an answer."
        ),
        how_we_know=_("The answer could not be read as the JSON that this call must give."),
        needs=_("An answer that is not complete, valid JSON of the expected shape."),
        fix_by=FixBy.NOBODY,
        fix=(
            _("Ask the customer to look into the PHP error log of {host}, and to switch display_errors off."),
            _("Ask whether a proxy or security product before the instance changes or shortens answers."),
        ),
        tell_the_customer=_(
            "Your Sugar on {host} sends answers that are cut off or not valid JSON. Please check the PHP error log, "
            "make sure that display_errors is off, and that no proxy changes answers under /rest/."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN,),
    ),
)
