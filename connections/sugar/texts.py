"""Sugar's error texts: recognised last, in any language, and never shown as they came.

The OAuth2 library's texts are fixed English; Sugar's own are translated, and early in a request the raw label shows
instead (SUGAR.md section 3).
"""

from __future__ import annotations

import enum
import html
import math
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHOWN_CHARACTERS = 500
READ_CHARACTERS = 4096  # no text of Sugar's is longer; keeps the patterns cheap
REMOVED = "[removed]"
HIDDEN_FROM = 4  # shorter secrets stay: cutting every "a" out of a sentence would spell them


class Text(enum.Enum):
    """What a text says, as far as it can be told."""

    MAINTENANCE = enum.auto()
    LICENSE = enum.auto()
    LOCKOUT = enum.auto()
    USER_KIND = enum.auto()
    NO_LOGIN = enum.auto()
    PLATFORM = enum.auto()
    EXPIRED = enum.auto()
    SESSION = enum.auto()
    SERVICE_ACCOUNT = enum.auto()
    OUR_REQUEST = enum.auto()
    STS_AWAY = enum.auto()
    ANY = enum.auto()


_MINUTES_ELSEWHERE = r"分|분|(?:мин(?:ут\w*)?|хв(?:илин\w*)?|dakika|dk|perc)\b|λεπ|דק|دق|นาที"
_PORTAL = r"port(?:aa|ai|[aáā])l|портал|π[ύυ]λη|פורטל|שער|بواب[ةت]|พอร์ทัล|ポータル|포[털탈]|门户|門戶|入口"
_GROUP = (
    r"gr(?:ou|o|u)p|skup[ií]n|csoport|groep|ryhm|груп|ομ[άα]δ|γκρουπ|קבוצ|مجموع|กลุ่ม|グループ|그룹|组|群組|团队|團隊"
)
_PATTERNS = {
    Text.MAINTENANCE: r"maint[ae]nance|maintenence|_MAINTENANCE|wartung|mantenimiento|manteniment|manutenzione"
    r"|manuten[cç][aã]o|onderhoud|konserwac|vedli[gk]ehold|underhåll|huolto|ylläpitotila|hooldus|údržb|karbantart"
    r"|\bodržav|mirëmbajt|mentenan|[iî]ntre[tțţ]iner|bakım(?!ından)|onarım|priežiūr|uzturēšan|apkop(?:e|es|i)\b"
    # Bulgarian support and Russian customer service share the word.
    r"|режим.{0,20}(?:обслу[жг]|поддръж)|техн\w+ обслу[жг]|на обслу(?:живании|говуванні)|проф[иі]лакт|\bодржав"
    r"|συντ[ήη]ρησ|תחזוק|صيانة|บำรุง|(?:ปิด|ระหว่าง)ปรับปรุง|メンテナンス|保守(?:モード|作業|点検|中)|维护|維護"
    r"|유지\s?(?:보수|관리)|점검\s?(?:중|모드|작업)|정비\s?(?:중|모드)|관리\s?모드",
    Text.LICENSE: r"licen[scčztçțţž]|llicènci|installer[_-]locked|installer must be locked"
    r"|installationsprogramm gesperrt|lizenz|lis[ea]ns|litsents|л[иі]ценз|лиценц|רי?שיו[ןנ]|ترخيص|تراخيص|رخص[ةت]"
    r"|ใบอนุญาต|ไลเซนส์|ライセンス|라이[센선]스"
    # In Greek and Chinese the word is that for a permission, too.
    r"|[άα]δει[αά]ς? (?:χρήσης|σας|της εταιρείας|(?:του )?sugar|έχει λήξει|έληξε)|αδει[ώω]ν|κλειδ[ίι].{0,12}[άα]δεια"
    r"|(?<![未被获獲經经无無])(?<![没沒]有)(?:授[权權](?!失[败敗])|许可)|[许許]可[证證]",
    Text.LOCKOUT: r"too many failed|LBL_LOGIN_ATTEMPTS_OVERRUN|LBL_LOGIN_LOGIN_TIME_ALLOWED|LBL_LOGIN_ADMIN_CALL"
    r"|zu viele.{0,40}(?:anmelde|versuch|fehl|login)|trop de.{0,30}(?:tentative|échec|connexion)"
    r"|demasiad[oa]s.{0,30}(?:intento|tentativa)|troppi.{0,30}tentativi|muitas.{0,30}tentativas"
    r"|te veel.{0,30}(?:pogingen|aanmeld)|zbyt wiele.{0,30}(?:prób|logowa)|for mange.{0,30}(?:forsøk|forsøg)"
    r"|för många.{0,30}försök|слишком много|забагато|занадто багато|(?:твърде|прекалено) много|превише"
    r"|příliš mnoho|príliš (?:veľa|mnoho)|previše|preveč|túl sok|prea multe|çok fazla|liian mon|per daug|pārāk daudz"
    r"|liiga palju|massa.{0,30}intents|shumë.{0,30}(?:tentativ|përpjekje)|πάρα πολλ|υπερβολικ|יותר מדי|มากเกินไป"
    r"|(?:عدد كبير|الكثير|العديد).{0,30}محاول|محاولات.{0,30}(?:كثيرة|أكثر)"
    r"|(?:試行|失敗).{0,12}(?:多すぎ|上限|超え)|(?:尝试|嘗試|失败|失敗|登录|登入).{0,12}(?:过多|過多|太多)"
    r"|(?:过多|過多|太多).{0,12}(?:尝试|嘗試|失败|失敗|登录|登入)|(?:시도|실패).{0,12}(?:많|초과)|너무 많"
    # Of all answers to a sign-in only this one counts minutes.
    rf"|\b\d+\s*min|(?<!\d)\d{{1,2}}\s*(?:{_MINUTES_ELSEWHERE})",
    Text.USER_KIND: rf"(?:{_PORTAL}).{{0,40}}(?:{_GROUP})|(?:{_GROUP}).{{0,40}}(?:{_PORTAL})",
    Text.NO_LOGIN: r"EXCEPTION_NEED_LOGIN|EXCEPTION_NO_AUTH|ERR_INVALID_PASSWORD|need to be logged in"
    r"|valid username and password|no valid authentication|angemeldet sein|gültigen benutzernamen",
    Text.PLATFORM: r"EXCEPTION_INVALID_PLATFORM|platform|plate-?forme|plattform|plataforma|piattaforma|платформ",
    Text.EXPIRED: r"\b(?:has|is) expired",
    Text.SESSION: r"EXCEPTION_INVALID_TOKEN|^(?!.*access token).*(?:authenti|auten[tc]).*(?:token|jeton)"
    r"|^(?!.*access token).*(?:token|jeton).*(?:authenti|auten[tc])",
    Text.SERVICE_ACCOUNT: r"service account",
    Text.OUR_REQUEST: r"invalid grant_type parameter|missing parameters|no \"?refresh_token\"? parameter",
    Text.STS_AWAY: r"curl error|timed? ?out|could not resolve|connection (?:refused|reset)|temporarily.?unavailable"
    r"|service unavailable|server.?error|bad gateway|\b50[0-4]\b",
    Text.ANY: r"\S",
}
_COMPILED = {kind: re.compile(pattern, re.IGNORECASE | re.DOTALL) for kind, pattern in _PATTERNS.items()}

LOCKOUT_MINUTES_MAX = 366 * 1440
_MINUTES_IN = {
    1440: r"days?|d|d[ií]as?|dies|tage?n?|jours?|j|giorn[io]|dn[ieíy]|den|dzień|dage?n?|dagar|nap\w*|zile?|gün\w*"
    r"|päiv\w*|päev\w*|dien\w*|дн\w*|ден\w*|дан\w*|η?μέρ\w*|ימים|יום|يوم\w*|أيام",
    60: r"hours?|hrs?|h|std|stund\w*|horas?|hores?|heures?|or[aeă]|uur|uren|godz\w*|timer?|timm\w*|hod\w*|óra|saat\w*"
    r"|sa|tun[dnt]\w*|val\w*|sat\w*|ur[aei]?|ч\w*|год\w*|[ώω]ρ\w*|שע\w*|ساع\w*",
    1: r"min\w*|m|perc\w*|dakika\w*|dk|мин\w*|хв\w*|λεπ\w*|דק\w*|دق\w*",
    1 / 60: r"sec\w*|sek\w*|seg\w*|s|vteřin\w*|mp|saniye\w*|sn|сек\w*|с|δευτ\w*|שנ\w*|ثان\w*|ثوان\w*",
}
_UNSPACED_IN = {  # scripts in which the next word follows without a gap
    1440: r"日|天|일|วัน",
    60: r"時間|小时|小時|시간|ชั่วโมง",
    1: r"分|분|นาที",
    1 / 60: r"秒|초|วินาที",
}
_DURATIONS = {
    minutes: re.compile(rf"(?<!\d)(\d{{1,6}})\s*(?:(?:{units})(?!\w)|{_UNSPACED_IN[minutes]})", re.IGNORECASE)
    for minutes, units in _MINUTES_IN.items()
}
_NUMBER = re.compile(r"\d{1,6}(?!\d)")

# Shown untouched: else a password that happens to be "password" would give itself away by its gap.
_FIXED = frozenset(
    text.casefold()
    for text in (
        "You must specify a valid username and password.",
        "Portal or group user can not log in.",
        "Too many failed login attempts.",
        "The client credentials are invalid",
        "Invalid refresh token",
        "Invalid platform specified.",
        "No valid authentication for user.",
        "The access token provided is invalid.",
        "The access token provided has expired.",
        "Your authentication token is invalid.",
        "This client is not allowed",
    )
)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_LONG_WORD = re.compile(r"[\w+=-]{24,}", re.ASCII)


def recognise(message: str) -> frozenset[Text]:
    """Everything the text can be read as; the order of the table of verdicts decides."""
    return frozenset(kind for kind, pattern in _COMPILED.items() if pattern.search(message[:READ_CHARACTERS]))


def lockout_minutes(message: str) -> int | None:
    """Minutes until a locked-out user may try again, rounded up; None where the text names no time.

    Units in the languages we know; a number with none of them counts as minutes, which is Sugar's usual unit.
    """
    total = sum(
        int(digits) * minutes
        for minutes, pattern in _DURATIONS.items()
        for digits in pattern.findall(message[:READ_CHARACTERS])
    )
    if not total and (number := _NUMBER.search(message)):
        total = int(number[0])
    return min(math.ceil(total), LOCKOUT_MINUTES_MAX) if total else None


def shown(message: str, *, secrets: Iterable[str] = ()) -> str:
    """What may be stored and shown: no control characters, none of `secrets`, nothing that looks like a token."""
    if message.casefold() in _FIXED:
        return message
    for secret in secrets:
        message = _without(message, secret)
    message = "".join(char if char.isprintable() else " " for char in message)
    message = _LONG_WORD.sub(_hide_token, _UUID.sub(REMOVED, message))
    return " ".join(message.split())[:SHOWN_CHARACTERS]


def _hide_token(word: re.Match[str]) -> str:
    """Labels are long, too, but have no digits."""
    return REMOVED if any(char.isdigit() for char in word[0]) else word[0]


def _without(message: str, secret: str) -> str:
    """The text with no form of the secret that a server might echo."""
    if len(secret) < HIDDEN_FROM:
        return message
    forms = {
        secret,
        html.escape(secret),
        quote(secret, safe="", errors="replace"),
        quote_plus(secret, errors="replace"),
    }
    for form in sorted(forms, key=len, reverse=True):
        message = message.replace(form, REMOVED)
    return message
