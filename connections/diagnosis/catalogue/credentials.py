"""Codes about the user and the password."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue.chain import SIGN_IN_AGAIN, STORE_THE_PASSWORD
from connections.diagnosis.catalogue.entry import SIGN_IN_THEN, SIGN_IN_WHEN_WELL, Entry

ENTER_THE_NEW_PASSWORD = _(
    "Save the right password in this connection's settings, or send the customer a sign-in link. Saving it starts the "
    "count of tries anew."
)
STOP_THE_OTHER_PROGRAM = _("If it comes back, look for another program that tries {username} with an old password.")
WAIT_FOR_THE_END_OF_THE_LOCK = (
    _("Wait until the lock-out ends; the evidence says when."),
    SIGN_IN_WHEN_WELL,
    STOP_THE_OTHER_PROGRAM,
)
CHECK_USER_AND_PASSWORD = (
    _("Ask the customer whether the password of {username} was changed, and for the spelling of the user name."),
    _(
        "In Sugar open Admin > User Management > {username}: Status must be Active (on SugarCloud, check it in "
        "SugarIdentity too)."
    ),
    _("On the same record, make sure that the user is not restricted to external authentication."),
    ENTER_THE_NEW_PASSWORD,
)
GIVE_A_PASSWORD_OF_ITS_OWN = (
    _(
        "Ask for a dedicated integration user with a password of its own: on SugarCloud, one with a password in "
        "SugarIdentity."
    ),
    _(
        "On an instance with SAML, open Admin > User Management > {username}, make sure that the user is not "
        "restricted to external authentication, and set a Sugar password."
    ),
    _("If {username} already has such a password, it may simply be wrong: check it."),
    ENTER_THE_NEW_PASSWORD,
)

CREDENTIALS = (
    Entry(
        code=DiagnosisCode.BAD_CREDENTIALS,
        title=_("Sugar refuses the user name or password"),
        cause=_("Sugar did not accept the password of {username}."),
        what_it_is=_(
            "Sugar gives one and the same answer for a wrong password, an unknown or inactive user, a user who may "
            "only sign in through an external directory, and a directory that is down. A changed password is the most "
            "common of them. To keep the user from being locked out, Sugaradmin tries twice a day at first, then once "
            "a day, five times in all."
        ),
        how_we_know=_(
            "The token endpoint answered a sign-in with 401 need_login, without any text of lock-out, maintenance or "
            "licence, although the instance was well just before. One refusal may be a directory that is away for a "
            "moment; two are taken as a wrong password."
        ),
        needs=_("A refused sign-in after a clean look at the instance; two of them before it asks for a person."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=CHECK_USER_AND_PASSWORD,
        tell_the_customer=_(
            "Sugar on {host} refuses our sign-in as {username}. Please open Admin > User Management, check that this "
            "user is Active and may sign in with a Sugar password, and send us the current password through the secure "
            "link, not by mail."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(
            _(
                "Nothing to do yet: Sugaradmin tries the stored password once more, in case a directory was away for a "
                "moment."
            ),
            _("If you know that the password was changed, save the new one now."),
        ),
        draft=(*CHECK_USER_AND_PASSWORD, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.USER_INACTIVE,
        title=_("The Sugar user is inactive"),
        cause=_("The user {username} was most likely set to Inactive or deleted in Sugar."),
        what_it_is=_(
            "Sugar refuses everything for an inactive user: the access token, the refresh token and the password. It "
            "does not delete the tokens. When the user is made active again, the stored refresh token works as before, "
            "and Sugaradmin tries it once a day."
        ),
        how_we_know=_(
            "All that we hold was refused together: the access token with “Your authentication token is invalid.”, the "
            "refresh token, and the password where one is stored. No other cause refuses all of them."
        ),
        needs=_("A rejected session and a refused refresh token, and a refused password where one is stored."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "In Sugar open Admin > User Management > {username}, set Status to Active, and press Save (on "
                "SugarCloud, activate the user in SugarIdentity)."
            ),
            _(
                "If the user was deleted, create a dedicated integration user and enter it in this connection's "
                "settings."
            ),
            _("Then press “Repair”: the old refresh token is tried first, so usually no password is needed."),
        ),
        tell_the_customer=_(
            "The user {username} that we use on {host} appears to be inactive. Please open Admin > User Management, "
            "set the Status of this user to Active and save. Our connection then recovers within a day, or at once if "
            "you tell us."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
    ),
    Entry(
        code=DiagnosisCode.LOCKED_OUT,
        title=_("The Sugar user is locked out"),
        cause=_("Sugar locked {username} after too many failed sign-ins."),
        what_it_is=_(
            "Sugar's password rules lock a user after a number of wrong passwords, for some minutes or until an admin "
            "lifts it. A lock-out stops sign-ins only; refreshes go on. It is often caused by another program with an "
            "old password."
        ),
        how_we_know=_(
            "Sugar answered the sign-in with “Too many failed login attempts”, with or without a time to wait."
        ),
        needs=_("That answer, or its label, from the token endpoint."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "In Sugar open Admin > User Management > {username} and lift the lock-out; saving a new password for "
                "the user also lifts it."
            ),
            _("Look for another program that tries {username} with an old password, or the lock-out comes back."),
            _("The rule itself is in Admin > Password Management, under Login Lockout."),
            _("Then press “Sign in again”; if the password was changed, enter the new one."),
        ),
        tell_the_customer=_(
            "The user {username} on {host} is locked out after failed sign-ins. Please open Admin > User Management "
            "and unlock it, and check whether another program still uses an old password of this user."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        waiting=(
            _("Nothing to do: Sugaradmin waits until the lock-out ends, then signs in again."),
            STOP_THE_OTHER_PROGRAM,
        ),
    ),
    Entry(
        code=DiagnosisCode.SSO_REQUIRED,
        title=_("This user must sign in through single sign-on"),
        cause=_("Sugar points {username} to an external sign-in page and does not take a password from us."),
        what_it_is=_(
            "{host} uses SAML or SugarIdentity. A user who exists only at the external provider has no password that "
            "Sugar itself could check, and a program cannot walk through a sign-in page. Where external sign-in is set "
            "up, Sugar gives the same answer for a wrong password."
        ),
        how_we_know=_(
            "The token endpoint answered the sign-in with 401 need_login and the address of an external sign-in page."
        ),
        needs=_("A refused sign-in whose answer carries the address of an external sign-in page."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=GIVE_A_PASSWORD_OF_ITS_OWN,
        tell_the_customer=_(
            "Sugar on {host} sends our user {username} to your single sign-on page, which a program cannot use. Please "
            "create a dedicated integration user with a password of its own in Sugar (on SugarCloud: in "
            "SugarIdentity), and pass it to us through the secure link."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        draft=(*GIVE_A_PASSWORD_OF_ITS_OWN, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.PASSWORD_EXPIRED,
        title=_("The user's password has expired in Sugar"),
        cause=_("Sugar's password rules say that the password of {username} must be changed."),
        what_it_is=_(
            "An expired password does not stop a program: sign-ins and refreshes still work. It is a warning, because "
            "somebody will change the password when Sugar asks for it in the browser, and the stored one is then wrong."
        ),
        how_we_know=_("Sugar reported is_password_expired for this user when we asked who we are (GET me)."),
        needs=_("is_password_expired in Sugar's answer to GET me."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "Agree with the customer on a new password for {username}, have it set in Admin > User Management, and "
                "save it in this connection's settings right after."
            ),
            _("To end the reminders, ask the customer to relax the expiration in Admin > Password Management."),
        ),
        tell_the_customer=_(
            "The password of our user {username} on {host} has expired under your password rules. The connection still "
            "works. Please set a new password in Admin > User Management and pass it to us through the secure link."
        ),
        retry_helps=False,
        trouble=Trouble.NONE,
    ),
    Entry(
        code=DiagnosisCode.PASSWORD_STALE,
        title=_("The stored password no longer fits"),
        cause=_("The connection works, but Sugar does not accept the stored password of {username} any more."),
        what_it_is=_(
            "Changing a password in Sugar leaves running sessions alone, so tokens keep working and nobody notices. "
            "But if the chain breaks, for example by another sign-in, the stored password cannot repair it."
        ),
        how_we_know=_("Sugar refused the stored password, while the chain of tokens goes on working."),
        needs=_("A refused sign-in or a refused check of the password, and a refresh token that still works."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _("Ask for the current password of {username}; nothing is broken yet, so there is time."),
            ENTER_THE_NEW_PASSWORD,
        ),
        tell_the_customer=_(
            "The password of user {username} on {host} seems to have changed. Our connection still works, but could "
            "not be repaired if it broke. Please pass us the current password through the secure link."
        ),
        retry_helps=False,
        trouble=Trouble.NONE,
    ),
    Entry(
        code=DiagnosisCode.USER_UNSUITABLE,
        title=_("This kind of user cannot sign in"),
        cause=_("{username} is a portal or group user, and Sugar lets neither sign in through the API."),
        what_it_is=_(
            "Group users only hold records, and portal users exist for the customer portal. An integration needs a "
            "regular, licensed, active user."
        ),
        how_we_know=_("Sugar answered the sign-in with “Portal or group user can not log in.”"),
        needs=_("That answer from the token endpoint."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            _(
                "Ask for a dedicated integration user: Admin > User Management > Create New User, of type Regular "
                "User, Status Active, with a licence."
            ),
            _("Enter its name and password in this connection's settings and sign in."),
        ),
        tell_the_customer=_(
            "The user {username} on {host} is a portal or group user and cannot sign in through the API. Please create "
            "a regular user for our integration (Admin > User Management), with the roles it needs, and pass it to us "
            "through the secure link."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
    ),
    Entry(
        code=DiagnosisCode.CREDENTIALS_MISSING,
        title=_("A password is needed"),
        cause=_("There is no working refresh token, and no password of {username} is stored to get one."),
        what_it_is=_(
            "A connection starts with one sign-in, which needs the password once. It was not entered yet, or it was "
            "wiped when the address, the user or the platform was edited."
        ),
        how_we_know=_("Neither a usable refresh token nor a password is stored for this connection."),
        needs=_("No usable refresh token, no stored password, and no better cause in the journal."),
        fix_by=FixBy.STAFF,
        fix=(SIGN_IN_AGAIN, STORE_THE_PASSWORD),
        tell_the_customer=_(
            "To connect to {host} we need one sign-in as {username}. Please use the secure link to enter the password; "
            "do not send it by mail."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
    ),
)
