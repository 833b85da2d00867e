"""Codes about the way to the instance."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from connections.choices import DiagnosisCode, FixBy, Trouble
from connections.diagnosis.catalogue.entry import SIGN_IN_THEN, Entry
from connections.diagnosis.catalogue.instance import WE_LOOK_AGAIN

IS_IT_YOU = _(
    "Open {host} in a browser from another network: if it works there, look at the network of Sugaradmin instead."
)
MEND_THE_CERTIFICATE = (
    _(
        "Ask the customer to renew the certificate of {host}, or to install it together with its intermediate "
        "certificates."
    ),
    _(
        "If the company uses a certificate authority of its own, enter its certificate (PEM) in this "
        "connection's settings; this wipes the stored secrets, and a new sign-in is needed."
    ),
)

NETWORK = (
    Entry(
        code=DiagnosisCode.DNS_FAILURE,
        title=_("The host name cannot be found"),
        cause=_("The name {host} could not be resolved to an address."),
        what_it_is=_(
            "The name is misspelt, was removed, or the name servers are in trouble. Nothing was sent, so no token is "
            "at risk."
        ),
        how_we_know=_("The look-up of the name gave no address."),
        needs=_("A failed name look-up before anything was sent."),
        fix_by=FixBy.NOBODY,
        fix=(
            IS_IT_YOU,
            _("Ask the customer whether the instance was renamed, moved or cancelled."),
            _(
                "If it has a new name, enter it in this connection's settings and sign in: changing the host wipes the "
                "stored secrets."
            ),
        ),
        tell_the_customer=_(
            "The name {host} cannot be resolved. Has your Sugar been renamed or moved, or has the domain expired? "
            "Please tell us the address at which you use it."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN, _("If the connection is new, check the spelling of {host}.")),
    ),
    Entry(
        code=DiagnosisCode.CONNECTION_REFUSED,
        title=_("The server does not accept connections"),
        cause=_("{host} could be found, but no connection to it could be made."),
        what_it_is=_(
            "The web server is down, the port is closed, or a firewall turns us away. Nothing was sent, so no token is "
            "at risk. SugarCloud also refuses an address for a while after too many requests."
        ),
        how_we_know=_("The connection was refused or not established before anything was sent."),
        needs=_("A failed connection before anything was sent."),
        fix_by=FixBy.NOBODY,
        fix=(
            IS_IT_YOU,
            _("Ask the customer whether the web server is running, and whether a firewall allows our addresses."),
        ),
        tell_the_customer=_(
            "We cannot connect to {host}. Please check that the web server is running and that its firewall allows our "
            "network addresses on the HTTPS port."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN,),
    ),
    Entry(
        code=DiagnosisCode.CONNECTION_LOST,
        title=_("The connection broke off"),
        cause=_("The connection to {host} was closed before the answer was complete."),
        what_it_is=_(
            "A web server that restarts, a proxy with a short limit, or an unstable line ends connections. If a grant "
            "was under way, Sugar may have renewed the token all the same, so Sugaradmin finds out before it tries "
            "again."
        ),
        how_we_know=_("The connection was closed or reset while we waited for the answer."),
        needs=_("A connection closed before the answer was complete."),
        fix_by=FixBy.NOBODY,
        fix=(
            IS_IT_YOU,
            _(
                "Ask the customer for restarts of the web server or PHP at the times in the evidence, and for the time "
                "limits of the proxy."
            ),
        ),
        tell_the_customer=_(
            "Connections to {host} break off before the answer is complete. Please check the web server, PHP and any "
            "proxy or load balancer for restarts and short time limits. We can send you the exact times."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN,),
    ),
    Entry(
        code=DiagnosisCode.TIMEOUT,
        title=_("Sugar takes too long to answer"),
        cause=_("{host} did not answer in time."),
        what_it_is=_(
            "The instance or the way to it is overloaded or hangs. If a grant was under way, Sugar may still carry it "
            "out after we stopped waiting, so Sugaradmin gives the server time to finish and then finds out what "
            "happened."
        ),
        how_we_know=_("No complete answer came within the time allowed for one call."),
        needs=_("A call that ran into its time limit."),
        fix_by=FixBy.NOBODY,
        fix=(
            IS_IT_YOU,
            _("Ask the customer about the load of the instance and its database at the times in the evidence."),
            _("If this instance is always slow, ask the operator to raise SUGARADMIN_GRANT_DEADLINE_SECONDS."),
        ),
        tell_the_customer=_(
            "Your Sugar on {host} takes too long to answer our calls. Please check the load of the web server and the "
            "database. We can send you the exact times."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        waiting=(WE_LOOK_AGAIN,),
    ),
    Entry(
        code=DiagnosisCode.TLS_INVALID,
        title=_("The certificate of the server is not valid"),
        cause=_("The TLS certificate of {host} could not be verified, so nothing was sent."),
        what_it_is=_(
            "The certificate has expired, is for another name, lacks its intermediate certificates, or is signed by an "
            "authority that we do not know. Sugaradmin never sends a password or token past a certificate that it "
            "cannot verify."
        ),
        how_we_know=_("The TLS handshake failed on the certificate before anything was sent."),
        needs=_("A failed TLS handshake."),
        fix_by=FixBy.CUSTOMER_ADMIN,
        fix=(
            *MEND_THE_CERTIFICATE,
            _("A renewed certificate is found by itself: Sugaradmin looks again."),
        ),
        tell_the_customer=_(
            "The TLS certificate of {host} cannot be verified: it may have expired, be for another name, or lack its "
            "intermediate certificates. Please renew or complete it. If it is signed by your own authority, please "
            "send us that authority's certificate."
        ),
        retry_helps=True,
        trouble=Trouble.UNREACHABLE,
        draft=(*MEND_THE_CERTIFICATE, SIGN_IN_THEN),
    ),
    Entry(
        code=DiagnosisCode.ADDRESS_BLOCKED,
        title=_("Our own guard does not allow this address"),
        cause=_("{host} leads to an address that Sugaradmin is not allowed to call."),
        what_it_is=_(
            "To protect the network it runs in, Sugaradmin calls only public addresses on allowed ports. Private "
            "networks must be allowed by the operator; addresses of cloud metadata services never are."
        ),
        how_we_know=_("The address guard refused the address or port of this host before a connection was made."),
        needs=_("A refusal by our own address guard."),
        fix_by=FixBy.OPERATOR,
        fix=(
            _(
                "Check the address with the customer: a public name that suddenly leads into a private network is "
                "suspicious."
            ),
            _(
                "If the instance really is in a private network, the operator adds that network to "
                "SUGARADMIN_ALLOWED_NETWORKS."
            ),
            _(
                "If it uses an unusual port on a public address, the operator adds the port to "
                "SUGARADMIN_ALLOWED_PORTS."
            ),
        ),
        tell_the_customer=_(
            "The name {host} leads to a private network address or an unusual port that we do not call. Is this "
            "intended? If your Sugar is reachable under a public address, please send it to us."
        ),
        retry_helps=False,
        trouble=Trouble.UNREACHABLE,
    ),
)
