"""Codes about our own house."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue.entry import SIGN_IN_THEN, Entry

CONFIRM_THE_DATABASE = (
    _(
        "Make sure that no other Sugaradmin works on these connections: a staging copy must have its own "
        "instance id and stay read-only."
    ),
    _("Run “manage.py doctor” and follow what it says to confirm that this database is the only one."),
)

OURS = (
    Entry(
        code=DiagnosisCode.ENCRYPTION_KEY_MISSING,
        title=_("The key to the stored secrets is missing"),
        cause=_("The secrets of this connection are encrypted with a key that this installation does not have."),
        what_it_is=_(
            "Tokens and passwords are stored encrypted. The key that opens them is not among "
            "SUGARADMIN_ENCRYPTION_KEYS, or it is a different one under the same name. Nothing is deleted and nothing "
            "new is written until the right key is back."
        ),
        how_we_know=_(
            "A stored secret names a key that is not configured, or does not open with the key of that name."
        ),
        needs=_("A stored secret that no configured key opens."),
        fix_by=FixBy.OPERATOR,
        fix=(
            _("Put the missing key back into SUGARADMIN_ENCRYPTION_KEYS, after the first one, and restart."),
            _("Run “manage.py doctor”: it names the keys that stored secrets need."),
            _(
                "If the key is lost for good, enter the password of each connection anew; tokens under a lost key "
                "cannot be recovered."
            ),
        ),
        tell_the_customer=_(
            "Nothing is needed from you at present: we are repairing a fault on our side. We will write if we need a "
            "new sign-in."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
    ),
    Entry(
        code=DiagnosisCode.DATABASE_RESTORED,
        title=_("The database was restored or copied"),
        cause=_(
            "This database is a copy or an older state, so its refresh tokens may be out of date or in use elsewhere."
        ),
        what_it_is=_(
            "If two copies of Sugaradmin refresh the same tokens, they destroy each other's connections. So after a "
            "restore or a copy nothing is refreshed until the operator says that this is the only one. Living access "
            "tokens are still served."
        ),
        how_we_know=_(
            "The database no longer matches the fingerprint or the high-water mark that it was last seen with."
        ),
        needs=_(
            "A changed identity of the database, another instance id, or a token version lower than one already seen."
        ),
        fix_by=FixBy.OPERATOR,
        fix=(
            *CONFIRM_THE_DATABASE,
            _("Connections then recover by themselves where a password is stored; the others ask for a sign-in."),
        ),
        tell_the_customer=_(
            "Nothing is needed from you at present: we are checking our records after a restore. We will write if we "
            "need a new sign-in."
        ),
        retry_helps=False,
        trouble=Trouble.PERSON,
        draft=(*CONFIRM_THE_DATABASE, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.UNKNOWN,
        title=_("Sugar gave an answer we do not know"),
        cause=_("{host} answered in a way that fits none of the known causes."),
        what_it_is=_(
            "The answer is valid, but neither its status nor its error word is one that Sugar is known to give here. A "
            "customisation of the instance or a new version of Sugar may be behind it. Sugaradmin goes on trying, ever "
            "more slowly."
        ),
        how_we_know=_("The evidence shows the answer as far as it could be read."),
        needs=_("A failed attempt that no other rule explains."),
        fix_by=FixBy.STAFF,
        fix=(
            _("Press “Test” and read what Sugar says."),
            _("Ask the customer whether Sugar was updated or customised lately."),
            _("If it stays, report the evidence to the makers of Sugaradmin."),
        ),
        tell_the_customer=_(
            "Your Sugar on {host} gives us an answer that we do not know. Was it updated or customised lately? Any "
            "change around the REST API or the sign-in would help us."
        ),
        retry_helps=True,
        trouble=Trouble.RETRYING,
    ),
)
