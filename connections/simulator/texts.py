"""Sugar's error texts. Those of SugarApiException are translated, those of its OAuth2 library are fixed English."""

from __future__ import annotations

CREDENTIALS = "ERR_INVALID_PASSWORD"
PORTAL_OR_GROUP = "ERR_NO_PORTAL_OR_GROUP"
LOCKED = "LBL_LOGIN_ATTEMPTS_OVERRUN"
LOCKED_MINUTES = "LBL_LOGIN_LOGIN_TIME_ALLOWED"
NEED_LOGIN = "EXCEPTION_NEED_LOGIN"
NO_AUTHENTICATION = "EXCEPTION_NO_AUTH"
MAINTENANCE = "EXCEPTION_MAINTENANCE"
LICENSE_EXPIRED = "ERROR_LICENSE_EXPIRED"
LICENSE_VALIDATION = "ERROR_LICENSE_VALIDATION"
SEATS_MAXED = "ERROR_LICENSE_SEATS_MAXED"
INSTALLER_LOCKED = "WARN_INSTALLER_LOCKED"
SEATS_NEEDED = "EXCEPTION_LICENSE_SEATS_NEEDED"
INVALID_PLATFORM = "EXCEPTION_INVALID_PLATFORM"
CLIENT_NOT_ALLOWED = "EXCEPTION_CLIENT_NOT_ALLOWED"
CLIENT_OUTDATED = "EXCEPTION_CLIENT_OUTDATED"
PORTAL_NOT_CONFIGURED = "EXCEPTION_PORTAL_NOT_CONFIGURED"
INVALID_TOKEN = "EXCEPTION_INVALID_TOKEN"
NOT_AUTHORIZED = "EXCEPTION_NOT_AUTHORIZED"
NOT_FOUND = "EXCEPTION_NOT_FOUND"
INVALID_JSON = "EXCEPTION_INVALID_PARAMETER"
METADATA_OUT_OF_DATE = "EXCEPTION_METADATA_OUT_OF_DATE"
PASSWORD_EXPIRED = "LBL_PASSWORD_EXPIRATION_LOGIN"

_EN = {
    CREDENTIALS: "You must specify a valid username and password.",
    PORTAL_OR_GROUP: "Portal or group user can not log in.",
    LOCKED: "Too many failed login attempts.",
    LOCKED_MINUTES: "Too many failed login attempts. You can try logging in again in {minutes} min.",
    NEED_LOGIN: "You need to be logged in to perform this action.",
    NO_AUTHENTICATION: "No valid authentication for user.",
    MAINTENANCE: "SugarCRM is in maintenance mode. Only admins can login. Please contact your administrator.",
    LICENSE_EXPIRED: "Your license expired. Please contact your administrator.",
    LICENSE_VALIDATION: "Your license key needs to be validated. Please contact your administrator.",
    SEATS_MAXED: "Warning: the number of active users exceeds the maximum number of licenses allowed.",
    INSTALLER_LOCKED: "Warning: to safeguard your data, the installer must be locked.",
    SEATS_NEEDED: "Number of active Sugar Enterprise users exceeds License Count limits.",
    INVALID_PLATFORM: "Invalid platform specified.",
    CLIENT_NOT_ALLOWED: "This client is not allowed",
    CLIENT_OUTDATED: "Your software is out of date, please update your client before attempting to connect again.",
    PORTAL_NOT_CONFIGURED: "Portal is not configured properly.",
    INVALID_TOKEN: "Your authentication token is invalid.",
    NOT_AUTHORIZED: "You are not authorized to perform this action.",
    NOT_FOUND: "Could not find the requested resource.",
    INVALID_JSON: "Could not parse the request body as JSON.",
    METADATA_OUT_OF_DATE: "Your metadata or user hash did not match the server. Please resync your metadata.",
    PASSWORD_EXPIRED: "Your password has expired. Please provide a new password.",
}
_DE = {
    CREDENTIALS: "Sie müssen einen gültigen Benutzernamen und ein gültiges Passwort angeben.",
    PORTAL_OR_GROUP: "Portal- oder Gruppenbenutzer können sich nicht anmelden.",
    LOCKED: "Zu viele fehlgeschlagene Anmeldeversuche.",
    LOCKED_MINUTES: "Zu viele fehlgeschlagene Anmeldeversuche. Sie können sich in {minutes} Min. erneut anmelden.",
    NEED_LOGIN: "Sie müssen angemeldet sein, um diese Aktion auszuführen.",
    NO_AUTHENTICATION: "Keine gültige Authentifizierung für den Benutzer.",
    MAINTENANCE: "SugarCRM befindet sich im Wartungsmodus. Nur Administratoren können sich anmelden.",
    LICENSE_EXPIRED: "Ihre Lizenz ist abgelaufen. Bitte wenden Sie sich an Ihren Administrator.",
    LICENSE_VALIDATION: "Ihr Lizenzschlüssel muss validiert werden. Bitte wenden Sie sich an Ihren Administrator.",
    SEATS_MAXED: "Warnung: Die Anzahl aktiver Benutzer übersteigt die Anzahl der Lizenzen.",
    INSTALLER_LOCKED: "Warnung: Zum Schutz Ihrer Daten muss das Installationsprogramm gesperrt werden.",
    SEATS_NEEDED: "Die Anzahl aktiver Benutzer übersteigt die Lizenzgrenze.",
    INVALID_PLATFORM: "Ungültige Plattform angegeben.",
    CLIENT_NOT_ALLOWED: "Dieser Client ist nicht zulässig",
    CLIENT_OUTDATED: "Ihre Software ist veraltet. Bitte aktualisieren Sie Ihren Client.",
    PORTAL_NOT_CONFIGURED: "Das Portal ist nicht richtig konfiguriert.",
    INVALID_TOKEN: "Ihr Authentifizierungstoken ist ungültig.",
    NOT_AUTHORIZED: "Sie sind nicht berechtigt, diese Aktion auszuführen.",
    NOT_FOUND: "Die angeforderte Ressource wurde nicht gefunden.",
    INVALID_JSON: "Der Inhalt der Anfrage ist kein gültiges JSON.",
    METADATA_OUT_OF_DATE: "Ihre Metadaten stimmen nicht mit dem Server überein.",
    PASSWORD_EXPIRED: "Ihr Passwort ist abgelaufen. Bitte geben Sie ein neues Passwort an.",
}
_LANGUAGES = {"en_us": _EN, "de_DE": _DE}


def say(label: str, language: str, **values: object) -> str:
    """The text of a label; `raw` gives the label itself, an unknown language gives English."""
    if language == "raw":
        return label
    return _LANGUAGES.get(language, _EN)[label].format(**values)
