"""Codes about the set-up: address, OAuth key, platform, and what stands between us and the instance."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue.chain import OWN_PLATFORM
from connections.diagnosis.catalogue.entry import SIGN_IN_THEN, Entry

CHECK_THE_ADDRESS = _(
    "Open {host} in a browser and sign in. Copy the address you end up at into this connection's settings: the part "
    "before “#”, “/index.php” or “/rest/”, with the subfolder if there is one."
)
MEND_THE_KEY = (
    _("In Sugar open Admin > OAuth Keys and look for the consumer key “{client_id}” (case matters)."),
    _("It must have OAuth version “OAuth 2.0” and client type “Sugar User”. If it is missing, create it."),
    _("Enter the same client id and secret in this connection's settings. For “sugar” leave the secret empty."),
)
REGISTER_THE_PLATFORM = (
    _("In Sugar open Admin > Configure API Platforms."),
    _("Type the name exactly as it stands here (case matters): {platform}"),
    _("Press Add, then Save."),
)
ALLOW_OUR_PROGRAM = (
    _(
        "Ask the customer to add the User-Agent of Sugaradmin and of your workers to api.allowedClients for "
        "“{platform}” in config_override.php."
    ),
    _("Or to remove the list for this platform."),
)
LET_US_THROUGH = (
    _("Give the customer the addresses that Sugaradmin and your workers leave from, and ask to allow them for {host}."),
    _("Check that your workers stay below the request rate that the host allows."),
)
LOOK_AT_THE_VERSION = (
    _("Read in the evidence which versions Sugar takes."),
    _("If they are newer than v11, update Sugaradmin."),
    _("If they are older than v10, the customer has to update Sugar: versions before 7.0 cannot be connected."),
    _("Check that the address in the settings does not contain a version of its own."),
)

SETUP = (
    Entry(
        code=DiagnosisCode.CLIENT_INVALID,
        title=_("Sugar does not accept the OAuth key"),
        cause=_("Sugar refuses the client id “{client_id}” or its secret."),
        what_it_is=_(
            "The client id names an OAuth key in Sugar. It is refused when the key was deleted, is of the old OAuth "
            "1.0 kind, has another secret, or is meant for another type of client. The built-in client id “sugar” "
            "takes no secret. A staging site behind a browser password also gives this answer, because Sugar takes "
            "that login for a client id."
        ),
        how_we_know=_(
            "The token endpoint answered 400 invalid_client. Sugar says so before it touches any token, so nothing was "
            "lost."
        ),
        needs=_("400 invalid_client from the token endpoint."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            *MEND_THE_KEY,
            _("The refresh is tried again every hour, or at once with “Rotate”."),
        ),
        tell_the_customer=_(
            "Sugar on {host} refuses our OAuth key “{client_id}”. Please open Admin > OAuth Keys and check that a key "
            "with exactly this consumer key exists, with OAuth version 2.0 and client type “Sugar User”, and pass us "
            "its secret through the secure link."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        draft=(*MEND_THE_KEY, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.PLATFORM_NOT_REGISTERED,
        title=_("The platform is not registered in Sugar"),
        cause=_("The platform “{platform}” is not in the list of API platforms of {host}."),
        what_it_is=_(
            "Sugar 8.0 and later accept only platforms that an admin has registered. The name must match letter for "
            "letter. While it is missing, every call on this platform fails, with living tokens too; the tokens "
            "themselves survive."
        ),
        how_we_know=_(
            "Sugar answered 422 invalid_parameter to a call that only named the platform, so no sign-in was spent on "
            "it."
        ),
        needs=_(
            "422 invalid_parameter for the platform, from the look before a grant, the token endpoint or an API call."
        ),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            *REGISTER_THE_PLATFORM,
            _("Sugaradmin looks every five minutes and goes on by itself; “Repair” looks at once."),
        ),
        tell_the_customer=_(
            "Please register our API platform on {host}: open Admin > Configure API Platforms, type {platform} exactly "
            "like this (upper and lower case matter), press Add, then Save. We go on from there."
        ),
        retry_helps=True,
        trouble=Trouble.PERSON,
        draft=(*REGISTER_THE_PLATFORM, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.PLATFORM_SHARED,
        title=_("This user and platform are shared with somebody else"),
        cause=_("Somebody else uses {username} on platform “{platform}”, and each sign-in throws the other one out."),
        what_it_is=_(
            "Sugar keeps one live session per user and platform, so two users of the same pair end each other's "
            "sessions again and again. It also happens on Sugar's built-in platforms: “base” is every browser session, "
            "“mobile” the mobile app. Sugaradmin repairs itself a limited number of times a day, so that two systems "
            "do not fight for ever."
        ),
        how_we_know=_(
            "Our refresh token was replaced twice within 24 hours without a cause on our side, or once on a platform "
            "that Sugar itself uses."
        ),
        needs=_("Two replaced refresh tokens within 24 hours, or one on a built-in platform."),
        fix_by=FixBy.STAFF,
        fix=(
            OWN_PLATFORM,
            _(
                "If another integration needs “{platform}”, create a second Sugar user instead; a second OAuth key "
                "does not help."
            ),
            _("Until then, expect interruptions. The warning goes away after 24 hours without a replaced token."),
        ),
        tell_the_customer=_(
            "Two systems use the user {username} on API platform “{platform}” of {host}, and Sugar lets only one be "
            "signed in. Please register a platform for us alone (Admin > Configure API Platforms > type the name we "
            "send you > Add > Save), or give the other system a user of its own."
        ),
        retry_helps=True,
        trouble=Trouble.NONE,
    ),
    Entry(
        code=DiagnosisCode.USER_AGENT_BLOCKED,
        title=_("The instance only allows listed programs"),
        cause=_("{host} has a list of allowed programs for platform “{platform}”, and Sugaradmin is not on it."),
        what_it_is=_(
            "Sugar 14.0 and later can restrict a platform to certain programs, which it tells apart by their "
            "User-Agent header. Your workers' programs must be on the list as well."
        ),
        how_we_know=_(
            "Sugar answered 403 client_not_allowed. Nothing was spent: the check comes before sign-in and refresh."
        ),
        needs=_("403 client_not_allowed from any call."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            *ALLOW_OUR_PROGRAM,
            _("Sugaradmin looks every five minutes and goes on by itself; “Repair” looks at once."),
        ),
        tell_the_customer=_(
            "Sugar on {host} answers “client_not_allowed”: the setting api.allowedClients restricts platform "
            "“{platform}” to certain programs. Please add ours to that list in config_override.php, or remove the list "
            "for this platform."
        ),
        retry_helps=True,
        trouble=Trouble.PERSON,
        draft=(*ALLOW_OUR_PROGRAM, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.VERSION_UNSUPPORTED,
        title=_("The instance does not offer our REST version"),
        cause=_("{host} does not offer the version of the REST API that Sugaradmin uses."),
        what_it_is=_(
            "Sugaradmin uses REST v10 or v11, which every Sugar from 7.0 on offers. An instance that refuses them is "
            "either older or so new that it has dropped them, or something in between rewrites the address."
        ),
        how_we_know=_("Sugar answered 301 incorrect_version and named the versions it takes."),
        needs=_("301 incorrect_version from the instance."),
        fix_by=FixBy.OPERATOR,
        fix=LOOK_AT_THE_VERSION,
        tell_the_customer=_(
            "Your Sugar on {host} does not offer the REST API version that we use. Please tell us your Sugar version "
            "(it is shown in Sugar under About), and whether it was updated lately."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        draft=(*LOOK_AT_THE_VERSION, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.NOT_SUGAR,
        title=_("Something answers, but it is not Sugar"),
        cause=_("The address on {host} is answered by something that is not a Sugar REST API."),
        what_it_is=_(
            "The server sends a web page or a plain “not found” where Sugar would send JSON. The address may be wrong "
            "or lack a subfolder, the instance may have been moved or ended, or a parking page or login portal stands "
            "in front of it."
        ),
        how_we_know=_("The answer was not the JSON that every Sugar sends on this path."),
        needs=_("A 404 or a web page instead of JSON from the REST address."),
        fix_by=FixBy.STAFF,
        fix=(
            CHECK_THE_ADDRESS,
            _("If the browser shows a login portal before Sugar, ask for an exception for /rest/."),
            _(
                "If Sugar is gone from there, ask the customer for the new address. Changing the host wipes the stored "
                "secrets, and a new sign-in is needed."
            ),
        ),
        tell_the_customer=_(
            "On {host} we no longer find Sugar's REST API: a web page answers instead. Has your Sugar moved, or was a "
            "login portal or maintenance page put in front of it? Please tell us the address at which you use Sugar in "
            "the browser."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
    ),
    Entry(
        code=DiagnosisCode.MOVED,
        title=_("The instance redirects to another address"),
        cause=_("{host} redirects to another address, and Sugaradmin does not follow redirects with secrets in hand."),
        what_it_is=_(
            "A redirected sign-in would carry the password and tokens to an address that nobody has approved, and "
            "often loses its content on the way. So the address has to be changed by a person who knows that it is "
            "right."
        ),
        how_we_know=_("The server answered with a redirect instead of Sugar's JSON."),
        needs=_("A redirect from the REST address that is not Sugar's own version answer."),
        fix_by=FixBy.STAFF,
        fix=(
            CHECK_THE_ADDRESS,
            _(
                "Ask the customer to confirm the new address before you enter it. Changing the host wipes the stored "
                "secrets, and a new sign-in is needed."
            ),
        ),
        tell_the_customer=_(
            "{host} now redirects us elsewhere. Has your Sugar moved? Please confirm the address at which it can be "
            "reached from now on."
        ),
        retry_helps=False,
        trouble=Trouble.UNREACHABLE,
    ),
    Entry(
        code=DiagnosisCode.HEADER_STRIPPED,
        title=_("Our token does not arrive at Sugar"),
        cause=_("Something between us and Sugar removes the OAuth-Token header from our calls."),
        what_it_is=_(
            "Sugar reads the access token from the OAuth-Token header. A proxy, load balancer or firewall that drops "
            "headers it does not know makes every call look as if no token had been sent. The tokens themselves are "
            "fine."
        ),
        how_we_know=_("Sugar answered 401 need_login “No valid authentication for user.” although a token was sent."),
        needs=_("That answer to a call that carried a token."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "Ask the customer which proxy, load balancer or firewall stands before {host}, and to let the header "
                "OAuth-Token pass."
            ),
            _(
                "Check that your workers send the header OAuth-Token; Sugar reads “Authorization: Bearer” on some "
                "versions only."
            ),
            _("Then press “Test”."),
        ),
        tell_the_customer=_(
            "A proxy or firewall before {host} removes the HTTP header “OAuth-Token” from our calls, so Sugar sees "
            "them without a login. Please let this header pass unchanged for all paths under /rest/."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
    ),
    Entry(
        code=DiagnosisCode.FIREWALL_BLOCKED,
        title=_("A firewall blocks our calls"),
        cause=_("Something before Sugar on {host} answers our calls with 403."),
        what_it_is=_(
            "The refusal does not come from Sugar but from a web application firewall, a content network or a proxy. "
            "It may block our network address, programs in general, or too many calls in a short time. SugarCloud "
            "blocks an address for a while after more than about 20 requests a second to one instance."
        ),
        how_we_know=_("The answer was 403 without Sugar's JSON, so another machine gave it."),
        needs=_("A 403 that is not in Sugar's own form."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            *LET_US_THROUGH,
            _("Sugaradmin looks again by itself; “Repair” looks at once."),
        ),
        tell_the_customer=_(
            "A firewall or proxy before {host} blocks our calls with status 403. Please allow our network addresses "
            "for the paths under /rest/; we gladly send you the list."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        draft=(*LET_US_THROUGH, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.ACCESS_DENIED,
        title=_("The user may not do what was asked"),
        cause=_("Sugar knows {username} but does not allow this user the call that was made."),
        what_it_is=_(
            "The connection is fine. Sugar's roles, teams or module settings keep the user from the records or the "
            "action that a worker or test asked for. A new token would change nothing."
        ),
        how_we_know=_("Sugar itself answered 403 not_authorized, which it does only after it has accepted the token."),
        needs=_("403 in Sugar's own form on an API call."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "In Sugar open Admin > Role Management and Admin > Team Management and give {username} what the "
                "integration needs."
            ),
            _("Check that the module is enabled: Admin > Display Modules and Subpanels."),
        ),
        tell_the_customer=_(
            "Our connection to {host} works, but the user {username} is not allowed to do something the integration "
            "needs. Please check the roles and teams of this user (Admin > Role Management, Admin > Team Management)."
        ),
        retry_helps=False,
        trouble=Trouble.NONE,
    ),
)
