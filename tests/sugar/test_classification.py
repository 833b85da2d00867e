"""Every row of what Sugar says, and of what stands in front of it."""

from __future__ import annotations

import json

import pytest

from connections.choices import AttemptKind, Endpoint, Fault
from connections.sugar import Answer, classify

T, P, A = Endpoint.TOKEN, Endpoint.PREFLIGHT, Endpoint.API
R, S, N = AttemptKind.REFRESH, AttemptKind.PASSWORD, None
JSON = (("Content-Type", "application/json"),)
HTML = (("Content-Type", "text/html; charset=utf-8"),)
SSO = "https://login.sugarcrm.example/oauth2/auth?client_id=x"

# endpoint, grant, status, error, error_message, url, fault
SAID = [
    # token endpoint, refresh
    (T, R, 400, "invalid_grant", "Invalid refresh token", "", Fault.REFRESH_TOKEN_INVALID),
    (T, R, 400, "invalid_grant", "", "", Fault.REFRESH_TOKEN_INVALID),
    (
        T,
        R,
        400,
        "invalid_grant",
        "Refresh token has expired: 1700000000 vs 1800000000",
        "",
        Fault.REFRESH_TOKEN_EXPIRED,
    ),
    (
        T,
        R,
        400,
        "invalid_request",
        "token is inactive because it is malformed, expired or otherwise invalid",
        "",
        Fault.REFRESH_TOKEN_INVALID,
    ),
    (T, R, 400, "invalid_request", "invalid_grant", "", Fault.REFRESH_TOKEN_INVALID),
    (T, R, 400, "invalid_request", "The refresh token is expired", "", Fault.REFRESH_TOKEN_EXPIRED),
    (T, R, 400, "invalid_request", "invalid_grant: The refresh token has expired.", "", Fault.REFRESH_TOKEN_EXPIRED),
    (T, R, 400, "invalid_request", "cURL error 28: Operation timed out", "", Fault.IDENTITY_UNAVAILABLE),
    (T, R, 400, "invalid_request", "server_error: token state has expired", "", Fault.IDENTITY_UNAVAILABLE),
    (
        T,
        R,
        400,
        "invalid_request",
        "Server error: `POST /oauth2/token` resulted in a `503 Service Unavailable`",
        "",
        Fault.IDENTITY_UNAVAILABLE,
    ),
    (T, R, 400, "invalid_request", "Invalid grant_type parameter or parameter missing", "", Fault.UNKNOWN),
    (T, R, 400, "invalid_request", 'No "refresh_token" parameter found', "", Fault.UNKNOWN),
    (T, R, 400, "invalid_request", "", "", Fault.UNKNOWN),
    (T, R, 400, "invalid_client", "The client credentials are invalid", "", Fault.CLIENT_INVALID),
    (T, R, 401, "need_login", "SugarCRM is in maintenance mode. Only admins can login.", "", Fault.MAINTENANCE),
    (T, R, 401, "need_login", "SugarCRM befindet sich im Wartungsmodus.", "", Fault.MAINTENANCE),
    (T, R, 401, "need_login", "Your license expired.", "", Fault.LICENSE),
    (T, R, 401, "need_login", "Что-то пошло не так", "", Fault.MAINTENANCE),
    (T, R, 401, "need_login", "You need to be logged in to perform this action.", "", Fault.REFRESH_TOKEN_INVALID),
    (T, R, 403, "license_seats_needed", "Number of active users exceeds License Count limits", "", Fault.LICENSE),
    (T, R, 422, "invalid_parameter", "Invalid platform specified.", "", Fault.PLATFORM_NOT_REGISTERED),
    # token endpoint, password
    (T, S, 400, "invalid_request", 'Missing parameters. "username" and "password" required', "", Fault.UNKNOWN),
    (T, S, 400, "invalid_client", "Client id was not found in the headers or body", "", Fault.CLIENT_INVALID),
    (T, S, 400, "invalid_client", "The client credentials are invalid", "", Fault.CLIENT_INVALID),
    (T, S, 400, "unsupported_grant_type", "", "", Fault.UNKNOWN),
    (T, S, 400, "invalid_scope", "", "", Fault.UNKNOWN),
    (T, S, 400, "invalid_grant", "", "", Fault.CREDENTIALS_REFUSED),
    (T, S, 401, "need_login", "You must specify a valid username and password.", "", Fault.CREDENTIALS_REFUSED),
    (
        T,
        S,
        401,
        "need_login",
        "Sie müssen einen gültigen Benutzernamen und ein gültiges Passwort angeben.",
        "",
        Fault.CREDENTIALS_REFUSED,
    ),
    (T, S, 401, "need_login", "ERR_INVALID_PASSWORD", "", Fault.CREDENTIALS_REFUSED),
    (T, S, 401, "need_login", "You need to be logged in to perform this action.", "", Fault.CREDENTIALS_REFUSED),
    (T, S, 401, "need_login", "You must specify a valid username and password.", SSO, Fault.SSO_REQUIRED),
    (T, S, 401, "need_login", "Portal or group user can not log in.", "", Fault.USER_UNSUITABLE),
    (T, S, 401, "need_login", "Portal- oder Gruppenbenutzer können sich nicht anmelden.", "", Fault.USER_UNSUITABLE),
    (T, S, 401, "need_login", "ERR_NO_PORTAL_OR_GROUP", "", Fault.USER_UNSUITABLE),
    (T, S, 401, "need_login", "Un usuario de portal o de grupo no puede iniciar sesión.", "", Fault.USER_UNSUITABLE),
    (T, S, 401, "need_login", "Un utilisateur portail ou groupe ne peut pas se connecter.", SSO, Fault.USER_UNSUITABLE),
    (T, S, 401, "need_login", "Too many failed login attempts.", "", Fault.LOCKED_OUT),
    (
        T,
        S,
        401,
        "need_login",
        "Too many failed login attempts. You can try logging in again in 10 min.",
        SSO,
        Fault.LOCKED_OUT,
    ),
    (T, S, 401, "need_login", "LBL_LOGIN_ATTEMPTS_OVERRUN", "", Fault.LOCKED_OUT),
    (T, S, 401, "need_login", "Zu viele fehlgeschlagene Anmeldeversuche.", "", Fault.LOCKED_OUT),
    (T, S, 401, "need_login", "Trop de tentatives de connexion échouées.", "", Fault.LOCKED_OUT),
    (T, S, 401, "need_login", "Demasiados intentos de inicio de sesión fallidos.", "", Fault.LOCKED_OUT),
    (T, S, 401, "need_login", "SugarCRM is in maintenance mode. Back in 30 min.", SSO, Fault.MAINTENANCE),
    (T, S, 401, "need_login", "SugarCRM está en modo de mantenimiento.", "", Fault.MAINTENANCE),
    (T, S, 401, "need_login", "SugarCRM est en mode maintenance.", "", Fault.MAINTENANCE),
    (T, S, 401, "need_login", "ERROR_LICENSE_EXPIRED", "", Fault.LICENSE),
    (T, S, 401, "need_login", "Ihre Lizenz ist abgelaufen.", "", Fault.LICENSE),
    (T, S, 401, "need_login", "Su licencia ha caducado.", "", Fault.LICENSE),
    (T, S, 401, "need_login", "Votre licence a expiré.", "", Fault.LICENSE),
    (T, S, 401, "idm_nonrecoverable_error", "User check error", "", Fault.IDENTITY_REJECTED),
    (T, S, 403, "license_seats_needed", "", "", Fault.LICENSE),
    (T, S, 403, "portal_not_configured", "", "", Fault.USER_UNSUITABLE),
    (T, S, 403, "inactive_portal_user", "", "", Fault.USER_UNSUITABLE),
    (T, S, 403, "client_not_allowed", "This client is not allowed", "", Fault.USER_AGENT_BLOCKED),
    (T, S, 403, "not_authorized", "", "", Fault.ACCESS_DENIED),
    (T, S, 422, "invalid_parameter", "EXCEPTION_INVALID_PLATFORM", "", Fault.PLATFORM_NOT_REGISTERED),
    (T, S, 422, "invalid_parameter", "Ungültige Plattform angegeben.", "", Fault.PLATFORM_NOT_REGISTERED),
    (T, S, 433, "client_outdated", "Your software is out of date", "", Fault.USER_AGENT_BLOCKED),
    (T, S, 301, "incorrect_version", "Please change your requested API version", "", Fault.VERSION_UNSUPPORTED),
    (T, S, 404, "no_method", "Could not find a route with 2 elements", "", Fault.VERSION_UNSUPPORTED),
    (T, S, 500, "fatal_error", "", "", Fault.SERVER_ERROR),
    (T, R, 500, "db_error", "", "", Fault.SERVER_ERROR),
    (T, R, 500, "unknown_error", "", "", Fault.SERVER_ERROR),
    (T, R, 503, "maintenance", "", SSO, Fault.MAINTENANCE),
    (T, R, 429, "too_many", "", "", Fault.RATE_LIMITED),
    # API
    (A, N, 401, "need_login", "No valid authentication for user.", "", Fault.HEADER_STRIPPED),
    (A, N, 401, "need_login", "No valid authentication for user.", SSO, Fault.HEADER_STRIPPED),
    (A, N, 401, "need_login", "SugarCRM is in maintenance mode.", "", Fault.MAINTENANCE),
    (A, N, 401, "invalid_grant", "The access token provided is invalid.", "", Fault.ACCESS_TOKEN_INVALID),
    (A, N, 401, "invalid_grant", "Le jeton", "", Fault.ACCESS_TOKEN_INVALID),
    (A, N, 401, "invalid_grant", "The access token provided has expired.", "", Fault.ACCESS_TOKEN_EXPIRED),
    (A, N, 401, "invalid_grant", "IDM access token is expired", "", Fault.ACCESS_TOKEN_EXPIRED),
    (A, N, 401, "invalid_grant", "Your authentication token is invalid.", "", Fault.SESSION_REJECTED),
    (A, N, 401, "invalid_grant", "EXCEPTION_INVALID_TOKEN", "", Fault.SESSION_REJECTED),
    (A, N, 401, "invalid_grant", "Ihr Authentifizierungstoken ist ungültig.", "", Fault.SESSION_REJECTED),
    (A, N, 401, "invalid_grant", "Votre jeton d'authentification n'est pas valide.", "", Fault.SESSION_REJECTED),
    (A, N, 401, "invalid_grant", "Su token de autenticación no es válido.", "", Fault.SESSION_REJECTED),
    (A, N, 401, "invalid_grant", "Service account x is not allowed", "", Fault.IDENTITY_REJECTED),
    (A, N, 401, "idm_nonrecoverable_error", "Access token should contain offline scope", "", Fault.IDENTITY_REJECTED),
    (A, N, 403, "not_authorized", "", "", Fault.ACCESS_DENIED),
    (A, N, 403, "module_disabled", "", "", Fault.ACCESS_DENIED),
    (A, N, 403, "client_not_allowed", "", "", Fault.USER_AGENT_BLOCKED),
    (A, N, 404, "no_method", "Could not find a route with 1 elements", "", Fault.UNKNOWN),
    (A, N, 412, "metadata_out_of_date", "", "", Fault.UNKNOWN),
    (A, N, 413, "request_too_large", "", "", Fault.UNKNOWN),
    (A, N, 409, "edit_conflict", "", "", Fault.UNKNOWN),
    (A, N, 424, "request_failure", "", "", Fault.UNKNOWN),
    (A, N, 422, "missing_parameter", "", "", Fault.UNKNOWN),
    (A, N, 422, "invalid_parameter", "Invalid platform specified.", "", Fault.PLATFORM_NOT_REGISTERED),
    (A, N, 301, "incorrect_version", "No version provided", "", Fault.VERSION_UNSUPPORTED),
    (A, N, 503, "maintenance", "", "", Fault.MAINTENANCE),
    (A, N, 503, "admin_only", "ERROR_LICENSE_VALIDATION", "", Fault.LICENSE),
    (A, N, 503, "service_unavailable", "", "", Fault.SERVER_ERROR),
    (A, N, 503, "search_unavailable", "", "", Fault.SERVER_ERROR),
    (A, N, 502, "bad_gateway", "", "", Fault.SERVER_ERROR),
    # pre-flight
    (P, N, 401, "need_login", "No valid authentication for user.", "", None),
    (P, N, 401, "need_login", "Keine gültige Authentifizierung für den Benutzer.", SSO, None),
    (P, N, 401, "need_login", "SugarCRM is in maintenance mode.", "", Fault.MAINTENANCE),
    (P, N, 422, "invalid_parameter", "Invalid platform specified.", "", Fault.PLATFORM_NOT_REGISTERED),
    (P, N, 403, "client_not_allowed", "", "", Fault.USER_AGENT_BLOCKED),
    (P, N, 503, "maintenance", "", SSO, Fault.MAINTENANCE),
    (P, N, 503, "admin_only", "Ihre Lizenz ist abgelaufen.", "", Fault.LICENSE),
    (P, N, 503, "admin_only", "WARN_INSTALLER_LOCKED", "", Fault.LICENSE),
    (P, N, 301, "incorrect_version", "", "", Fault.VERSION_UNSUPPORTED),
    (P, N, 404, "no_method", "", "", None),
    (P, N, 500, "fatal_error", "", "", Fault.SERVER_ERROR),
]

NOT_SUGARS = [
    # status, headers, body, fault at every endpoint
    (200, HTML, b"<html>Login</html>", Fault.NOT_SUGAR),
    (200, (), b"<!DOCTYPE html>", Fault.NOT_SUGAR),
    (200, JSON, b"{", Fault.BAD_RESPONSE),
    (200, JSON, b"", Fault.BAD_RESPONSE),
    (200, (), b"hello", Fault.BAD_RESPONSE),
    (301, (("Location", "https://new.example/x?token=canary"),), b"", Fault.MOVED),
    (302, (("Location", "/index.php?action=Login"), *HTML), b"<html>", Fault.MOVED),
    (304, (), b"", Fault.BAD_RESPONSE),
    (400, HTML, b"<html>", Fault.BAD_RESPONSE),
    (401, (("WWW-Authenticate", "Basic realm=staging"), *HTML), b"<html>", Fault.FIREWALL_BLOCKED),
    (401, JSON, b'{"message": "Unauthorized"}', Fault.FIREWALL_BLOCKED),
    (403, HTML, b"<html>Request blocked</html>", Fault.FIREWALL_BLOCKED),
    (403, JSON, b'{"message": "Forbidden"}', Fault.FIREWALL_BLOCKED),
    (403, (), b"", Fault.FIREWALL_BLOCKED),
    (404, HTML, b"<html>", Fault.NOT_SUGAR),
    (404, JSON, b'{"detail": "Not Found"}', Fault.NOT_SUGAR),
    (405, HTML, b"<html>", Fault.NOT_SUGAR),
    (410, (), b"", Fault.NOT_SUGAR),
    (422, JSON, b'{"detail": []}', Fault.BAD_RESPONSE),
    (429, HTML, b"<html>", Fault.RATE_LIMITED),
    (500, HTML, b"<html>", Fault.SERVER_ERROR),
    (502, HTML, b"<html>", Fault.SERVER_ERROR),
    (503, HTML, b"<html>Maintenance</html>", Fault.SERVER_ERROR),
    (504, (), b"", Fault.SERVER_ERROR),
    (520, (), b"", Fault.SERVER_ERROR),
]


def _said(endpoint: Endpoint, grant: AttemptKind | None, status: int, error: str, message: str, url: str) -> Answer:
    document = {"error": error, "error_message": message} | ({"url": url, "platform": "base"} if url else {})
    if not message:
        document["error_message"] = None  # type: ignore[assignment]
    body = json.dumps(document).encode()
    return classify(endpoint, grant, status, JSON, body, is_token_sent=endpoint == Endpoint.API)


@pytest.mark.parametrize(("endpoint", "grant", "status", "error", "message", "url", "fault"), SAID)
def test_what_sugar_says_is_classified(
    endpoint: Endpoint, grant: AttemptKind | None, status: int, error: str, message: str, url: str, fault: Fault | None
) -> None:
    answer = _said(endpoint, grant, status, error, message, url)
    assert answer.fault == fault
    assert answer.error == error
    assert answer.tokens is None
    assert answer.external_login_host == ("login.sugarcrm.example" if url else "")
    is_open = status >= 500 or status == 429 or fault == Fault.IDENTITY_UNAVAILABLE
    assert answer.is_definite is not is_open


@pytest.mark.parametrize(("endpoint", "grant"), [(T, R), (T, S), (A, N), (P, N)])
@pytest.mark.parametrize(("status", "headers", "body", "fault"), NOT_SUGARS)
def test_what_is_not_sugars_is_told_apart_and_never_definite(
    endpoint: Endpoint,
    grant: AttemptKind | None,
    status: int,
    headers: tuple[tuple[str, str], ...],
    body: bytes,
    fault: Fault,
) -> None:
    answer = classify(endpoint, grant, status, headers, body, is_token_sent=True)
    assert answer.fault == fault
    assert not answer.is_definite
    assert (answer.tokens, answer.error, answer.error_message) == (None, "", "")
    assert answer.body_length == len(body)


def test_every_fault_that_an_answer_can_show_has_a_row() -> None:
    elsewhere = {
        Fault.PASSWORD_EXPIRED,  # the user of `GET me` says so
        Fault.DNS_FAILURE,
        Fault.CONNECTION_REFUSED,
        Fault.CONNECTION_LOST,
        Fault.TIMEOUT,
        Fault.TLS_INVALID,
        Fault.ADDRESS_BLOCKED,
        Fault.ENCRYPTION_KEY_MISSING,
    }
    shown = {row[6] for row in SAID} | {row[3] for row in NOT_SUGARS}
    assert shown - {None} == set(Fault) - elsewhere


@pytest.mark.parametrize(
    ("message", "minutes"),
    [
        ("Too many failed login attempts.", None),
        ("Too many failed login attempts. You can try logging in again in 10 min.", 10),
        ("Too many failed login attempts. You can try logging in again in 1 h. 5 min. 10 sec.", 66),
        ("Too many failed login attempts (5). You can try again in 2 hours.", 120),
        ("Zu viele fehlgeschlagene Anmeldeversuche. Sie können sich in 15 Min. erneut anmelden.", 15),
        ("Zu viele fehlgeschlagene Anmeldeversuche. Versuchen Sie es in 2 Stunden erneut.", 120),
        ("Trop de tentatives. Réessayez dans 3 minutes.", 3),
        ("Demasiados intentos. Inténtelo de nuevo en 1 día.", 1440),
        ("LBL_LOGIN_LOGIN_TIME_ALLOWED 7", 7),
        ("Nekdo se príliš mnohokrát prihlásil: 12 minut", 12),
        ("Too many failed login attempts. 999999 days", 366 * 1440),
        ("ログイン試行の失敗回数が多すぎます。 再ログインできるまで 20分", 20),
        ("ログイン失敗が多すぎます。次の時間が経過した後に再試行できます: 2時間後", 120),
        ("ログインできません。10 分後に再度お試しください。", 10),
        ("登录失败次数过多。 您可以在 15分钟 后重试", 15),
        ("登入嘗試失敗次數過多。 1小時", 60),
        ("로그인 시도 실패 횟수가 너무 많습니다. 30분", 30),
        ("Слишком много неудачных попыток входа. Повторите через 1 ч.", 60),
        ("Забагато невдалих спроб входу. 5 хв.", 5),
        ("Твърде много неуспешни опити за вход. 10 мин.", 10),
        ("Příliš mnoho neúspěšných pokusů o přihlášení. 2 hod.", 120),
        ("Túl sok sikertelen bejelentkezési kísérlet. 3 nap", 3 * 1440),
        ("Prea multe încercări de conectare nereușite. 45 sec.", 1),
        ("Çok fazla başarısız oturum açma denemesi. 10 dk.", 10),
        ("Liian monta epäonnistunutta kirjautumisyritystä.", None),
        ("Πάρα πολλές αποτυχημένες προσπάθειες σύνδεσης. 2 ώρες", 120),
        ("יותר מדי ניסיונות כניסה כושלים. 10 דקות", 10),
        ("عدد كبير جدًا من محاولات تسجيل الدخول الفاشلة. 10 دقائق", 10),
        ("พยายามเข้าสู่ระบบที่ล้มเหลวมากเกินไป 10 นาที", 10),
    ],
)
def test_the_end_of_a_lockout_is_read_in_many_languages(message: str, minutes: int | None) -> None:
    answer = _said(T, S, 401, "need_login", message, "")
    assert (answer.fault, answer.lockout_minutes) == (Fault.LOCKED_OUT, minutes)


@pytest.mark.parametrize(
    "message",
    [
        "有効なユーザー名とパスワードを指定する必要があります。",
        "ユーザー名またはパスワードが正しくありません。ログインに失敗しました。",
        "您必须指定有效的用户名和密码。",
        "您必須指定有效的使用者名稱和密碼。登入失敗。",
        "유효한 사용자 이름과 암호를 지정해야 합니다.",
        "Необходимо указать действительное имя пользователя и пароль.",
        "Musíte zadat platné uživatelské jméno a heslo.",
        "Érvényes felhasználónevet és jelszót kell megadnia.",
        "Trebuie să specificați un nume de utilizator și o parolă valide.",
        "Geçerli bir kullanıcı adı ve parola belirtmelisiniz.",
        "Πρέπει να καθορίσετε ένα έγκυρο όνομα χρήστη και κωδικό πρόσβασης.",
        "עליך לציין שם משתמש וסיסמה חוקיים.",
        "يجب تحديد اسم مستخدم وكلمة مرور صالحين.",
        "คุณต้องระบุชื่อผู้ใช้และรหัสผ่านที่ถูกต้อง",
        "Felhasználónév vagy jelszó hibás. A jelszavak 10 percent erősek.",
        "Неверный пароль: нужно 8 минимум символов.",
        "Wrong user name or password. Help desk: 24 h, extension 4711.",
        "Wrong user name or password (error 42). Passwords are changed every 90 days.",
    ],
)
def test_a_plain_wrong_password_is_no_lock_out_in_any_of_them(message: str) -> None:
    """It must count as a refused try, else the tries themselves lock the user out."""
    answer = _said(T, S, 401, "need_login", message, "")
    assert (answer.fault, answer.lockout_minutes) == (Fault.CREDENTIALS_REFUSED, None)


@pytest.mark.parametrize(
    ("message", "rest_max"),
    [
        ("Please change your requested API version to value between 10 and 11.23.", "11.23"),
        ("Please change your url to reflect version between 10 and 10.", "10"),
        ("Bitte ändern Sie die Version auf einen Wert zwischen 10 und 11.4.", "11.4"),
        ("Version 99 is unknown: 10 to 11.24", "11.24"),
        ("No version provided", ""),
    ],
)
def test_the_highest_version_is_read_from_the_refusal(message: str, rest_max: str) -> None:
    assert _said(P, N, 301, "incorrect_version", message, "").rest_max == rest_max


def test_retry_after_and_the_servers_clock_are_read() -> None:
    headers = [("Retry-After", "120"), ("Date", "Thu, 01 Jan 2026 00:00:00 GMT")]
    answer = classify(T, R, 503, headers, b"", now_epoch=1767225600 - 3600)
    assert (answer.retry_after, answer.clock_skew_seconds) == (120, 3600)
    headers[0] = ("retry-after", "Thu, 01 Jan 2026 00:01:00 GMT")
    assert classify(T, R, 429, headers, b"", now_epoch=0).retry_after == 60
    for odd in ("-5", "soon", "9" * 40, ""):
        assert classify(T, R, 429, [("Retry-After", odd), ("Date", odd)], b"", now_epoch=0).retry_after in (
            None,
            86_400,
        )


def test_a_redirect_shows_where_to_but_not_with_what() -> None:
    answer = classify(P, None, 301, [("Location", "https://new.example:8443/x?token=canary")], b"")
    assert answer.moved_to == "https://new.example:8443"
    for odd in ("//evil", "https://user:canary@x.example/", "javascript:canary", "https://canary\x00/"):
        assert classify(P, None, 301, [("Location", odd)], b"").moved_to == ""
