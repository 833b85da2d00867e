"""Sugar's own texts in the languages it ships."""

from __future__ import annotations

import pytest

from connections.sugar.texts import Text, recognise

KINDS = frozenset({Text.MAINTENANCE, Text.LICENSE, Text.USER_KIND})

# language: maintenance, licence, kind of user, wrong password
SAID = {
    "en": (
        "SugarCRM is in maintenance mode. Only admins can login.",
        "Your license expired. Please contact your administrator.",
        "Portal or group user can not log in.",
        "You must specify a valid username and password.",
    ),
    "bg": (
        "SugarCRM е в режим на поддръжка. Само администратори могат да влизат.",
        "Вашият лиценз е изтекъл. Свържете се с администратора.",
        "Портален или групов потребител не може да влиза.",
        "Трябва да посочите валидни потребителско име и парола.",
    ),
    "ca": (
        "SugarCRM està en mode de manteniment. Només hi poden entrar els administradors.",
        "La vostra llicència ha caducat. Contacteu amb l'administrador.",
        "Un usuari de portal o de grup no pot iniciar sessió.",
        "Heu d'especificar un nom d'usuari i una contrasenya vàlids.",
    ),
    "cs": (
        "SugarCRM je v režimu údržby. Přihlásit se mohou pouze správci.",
        "Vaše licence vypršela. Obraťte se na správce.",
        "Uživatel portálu nebo skupiny se nemůže přihlásit.",
        "Musíte zadat platné uživatelské jméno a heslo.",
    ),
    "da": (
        "SugarCRM er i vedligeholdelsestilstand. Kun administratorer kan logge på.",
        "Din licens er udløbet. Kontakt din administrator.",
        "Portal- eller gruppebrugere kan ikke logge på.",
        "Du skal angive et gyldigt brugernavn og en adgangskode.",
    ),
    "de": (
        "SugarCRM befindet sich im Wartungsmodus. Nur Administratoren können sich anmelden.",
        "Ihre Lizenz ist abgelaufen. Bitte wenden Sie sich an Ihren Administrator.",
        "Portal- oder Gruppenbenutzer können sich nicht anmelden.",
        "Sie müssen einen gültigen Benutzernamen und ein gültiges Passwort angeben.",
    ),
    "el": (
        "Το SugarCRM βρίσκεται σε λειτουργία συντήρησης. Μόνο διαχειριστές μπορούν να συνδεθούν.",
        "Η άδειά σας έχει λήξει. Επικοινωνήστε με τον διαχειριστή.",
        "Χρήστες πύλης ή ομάδας δεν μπορούν να συνδεθούν.",
        "Πρέπει να δώσετε έγκυρο όνομα χρήστη και κωδικό πρόσβασης.",
    ),
    "es": (
        "SugarCRM está en modo de mantenimiento. Solo pueden entrar los administradores.",
        "Su licencia ha caducado. Contacte con su administrador.",
        "Los usuarios de portal o de grupo no pueden iniciar sesión.",
        "Debe indicar un nombre de usuario y una contraseña válidos.",
    ),
    "et": (
        "SugarCRM on hooldusrežiimis. Sisse saavad logida ainult administraatorid.",
        "Teie litsents on aegunud. Võtke ühendust administraatoriga.",
        "Portaali- või grupikasutaja ei saa sisse logida.",
        "Peate sisestama kehtiva kasutajanime ja parooli.",
    ),
    "fi": (
        "SugarCRM on ylläpitotilassa. Vain järjestelmänvalvojat voivat kirjautua sisään.",
        "Lisenssisi on vanhentunut. Ota yhteyttä järjestelmänvalvojaan.",
        "Portaali- tai ryhmäkäyttäjä ei voi kirjautua sisään.",
        "Anna kelvollinen käyttäjänimi ja salasana.",
    ),
    "fr": (
        "SugarCRM est en mode maintenance. Seuls les administrateurs peuvent se connecter.",
        "Votre licence a expiré. Contactez votre administrateur.",
        "Un utilisateur de portail ou de groupe ne peut pas se connecter.",
        "Vous devez indiquer un nom d'utilisateur et un mot de passe valides.",
    ),
    "he": (
        "SugarCRM נמצאת במצב תחזוקה. רק מנהלים יכולים להיכנס.",
        "תוקף הרישיון שלך פג. פנה למנהל המערכת.",
        "משתמש פורטל או משתמש קבוצתי אינו יכול להיכנס.",
        "עליך לציין שם משתמש וסיסמה חוקיים.",
    ),
    "hr": (
        "SugarCRM je u načinu održavanja. Prijaviti se mogu samo administratori.",
        "Vaša je licenca istekla. Obratite se administratoru.",
        "Korisnik portala ili grupe ne može se prijaviti.",
        "Morate navesti valjano korisničko ime i lozinku.",
    ),
    "hu": (
        "A SugarCRM karbantartási módban van. Csak rendszergazdák léphetnek be.",
        "A licence lejárt. Forduljon a rendszergazdához.",
        "Portál- vagy csoportfelhasználó nem jelentkezhet be.",
        "Érvényes felhasználónevet és jelszót kell megadnia.",
    ),
    "it": (
        "SugarCRM è in modalità manutenzione. Possono accedere solo gli amministratori.",
        "La licenza è scaduta. Contattare l'amministratore.",
        "L'utente del portale o di gruppo non può accedere.",
        "Specificare un nome utente e una password validi.",
    ),
    "ja": (
        "SugarCRM は保守モードです。管理者のみがログインできます。",
        "ライセンスの有効期限が切れました。管理者に連絡してください。",
        "ポータルユーザーまたはグループユーザーはログインできません。",
        "有効なユーザー名とパスワードを指定する必要があります。",
    ),
    "ko": (
        "SugarCRM이 유지 보수 모드입니다. 관리자만 로그인할 수 있습니다.",
        "라이선스가 만료되었습니다. 관리자에게 문의하십시오.",
        "포털 또는 그룹 사용자는 로그인할 수 없습니다.",
        "유효한 사용자 이름과 암호를 지정해야 합니다.",
    ),
    "lt": (
        "SugarCRM veikia techninės priežiūros režimu. Prisijungti gali tik administratoriai.",
        "Jūsų licencija baigėsi. Kreipkitės į administratorių.",
        "Portalo arba grupės naudotojas negali prisijungti.",
        "Turite nurodyti galiojantį naudotojo vardą ir slaptažodį.",
    ),
    "lv": (
        "SugarCRM ir apkopes režīmā. Pieteikties var tikai administratori.",
        "Jūsu licences termiņš ir beidzies. Sazinieties ar administratoru.",
        "Portāla vai grupas lietotājs nevar pieteikties.",
        "Jānorāda derīgs lietotājvārds un parole.",
    ),
    "nb": (
        "SugarCRM er i vedlikeholdsmodus. Bare administratorer kan logge på.",
        "Lisensen er utløpt. Kontakt administratoren.",
        "Portal- eller gruppebrukere kan ikke logge på.",
        "Du må oppgi et gyldig brukernavn og passord.",
    ),
    "nl": (
        "SugarCRM is in onderhoudsmodus. Alleen beheerders kunnen zich aanmelden.",
        "Uw licentie is verlopen. Neem contact op met uw beheerder.",
        "Portaal- of groepsgebruikers kunnen zich niet aanmelden.",
        "Geef een geldige gebruikersnaam en een geldig wachtwoord op.",
    ),
    "pl": (
        "SugarCRM jest w trybie konserwacji. Logować mogą się tylko administratorzy.",
        "Twoja licencja wygasła. Skontaktuj się z administratorem.",
        "Użytkownik portalu lub grupy nie może się zalogować.",
        "Podaj prawidłową nazwę użytkownika i hasło.",
    ),
    "pt": (
        "O SugarCRM está em modo de manutenção. Só administradores podem entrar.",
        "A sua licença expirou. Contacte o administrador.",
        "Um utilizador de portal ou de grupo não pode iniciar sessão.",
        "Tem de indicar um nome de utilizador e uma palavra-passe válidos.",
    ),
    "ro": (
        "SugarCRM este în modul de întreținere. Numai administratorii se pot conecta.",
        "Licența dvs. a expirat. Contactați administratorul.",
        "Utilizatorul de portal sau de grup nu se poate autentifica.",
        "Trebuie să specificați un nume de utilizator și o parolă valide.",
    ),
    "ru": (
        "SugarCRM находится в режиме обслуживания. Войти могут только администраторы.",
        "Срок действия вашей лицензии истёк. Обратитесь к администратору.",
        "Пользователь портала или групповой пользователь не может войти.",
        "Необходимо указать действительное имя пользователя и пароль.",
    ),
    "sk": (
        "SugarCRM je v režime údržby. Prihlásiť sa môžu len správcovia.",
        "Platnosť vašej licencie vypršala. Obráťte sa na správcu.",
        "Používateľ portálu alebo skupiny sa nemôže prihlásiť.",
        "Musíte zadať platné meno používateľa a heslo.",
    ),
    "sq": (
        "SugarCRM është në modalitetin e mirëmbajtjes. Vetëm administratorët mund të hyjnë.",
        "Licenca juaj ka skaduar. Kontaktoni administratorin.",
        "Përdoruesi i portalit ose i grupit nuk mund të hyjë.",
        "Duhet të jepni një emër përdoruesi dhe fjalëkalim të vlefshëm.",
    ),
    "sr": (
        "SugarCRM je u režimu održavanja. Mogu da se prijave samo administratori.",
        "Vaša licenca je istekla. Obratite se administratoru.",
        "Korisnik portala ili grupe ne može da se prijavi.",
        "Morate navesti ispravno korisničko ime i lozinku.",
    ),
    "sr, Cyrillic": (
        "SugarCRM је у режиму одржавања. Могу да се пријаве само администратори.",
        "Ваша лиценца је истекла. Обратите се администратору.",
        "Корисник портала или групе не може да се пријави.",
        "Морате навести исправно корисничко име и лозинку.",
    ),
    "sv": (
        "SugarCRM är i underhållsläge. Endast administratörer kan logga in.",
        "Din licens har gått ut. Kontakta administratören.",
        "Portal- eller gruppanvändare kan inte logga in.",
        "Du måste ange ett giltigt användarnamn och lösenord.",
    ),
    "th": (
        "SugarCRM อยู่ในโหมดบำรุงรักษา เฉพาะผู้ดูแลระบบเท่านั้นที่เข้าสู่ระบบได้",
        "ใบอนุญาตของคุณหมดอายุแล้ว โปรดติดต่อผู้ดูแลระบบ",
        "ผู้ใช้พอร์ทัลหรือผู้ใช้กลุ่มไม่สามารถเข้าสู่ระบบได้",
        "คุณต้องระบุชื่อผู้ใช้และรหัสผ่านที่ถูกต้อง",
    ),
    "tr": (
        "SugarCRM bakım modunda. Yalnızca yöneticiler oturum açabilir.",
        "Lisansınızın süresi doldu. Yöneticinize başvurun.",
        "Portal veya grup kullanıcısı oturum açamaz.",
        "Geçerli bir kullanıcı adı ve parola belirtmelisiniz.",
    ),
    "uk": (
        "SugarCRM перебуває в режимі обслуговування. Увійти можуть лише адміністратори.",
        "Термін дії вашої ліцензії закінчився. Зверніться до адміністратора.",
        "Користувач порталу або груповий користувач не може увійти.",
        "Потрібно вказати дійсні ім'я користувача та пароль.",
    ),
    "ar": (
        "SugarCRM في وضع الصيانة. يمكن للمسؤولين فقط تسجيل الدخول.",
        "انتهت صلاحية الترخيص. اتصل بالمسؤول.",
        "لا يمكن لمستخدم البوابة أو المجموعة تسجيل الدخول.",
        "يجب تحديد اسم مستخدم وكلمة مرور صالحين.",
    ),
    "zh_CN": (
        "SugarCRM 正处于维护模式。只有管理员可以登录。",
        "您的授权已过期。请联系管理员。",
        "门户或组用户无法登录。",
        "您必须指定有效的用户名和密码。",
    ),
    "zh_TW": (
        "SugarCRM 處於維護模式。只有管理員可以登入。",
        "您的授權已過期。請聯絡管理員。",
        "入口網站或群組使用者無法登入。",
        "您必須指定有效的使用者名稱和密碼。",
    ),
}


@pytest.mark.parametrize("language", SAID)
@pytest.mark.parametrize(("column", "kind"), [(0, Text.MAINTENANCE), (1, Text.LICENSE), (2, Text.USER_KIND)])
def test_each_language_is_recognised_as_one_kind_only(language: str, column: int, kind: Text) -> None:
    assert recognise(SAID[language][column]) & (KINDS | {Text.LOCKOUT}) == {kind}


@pytest.mark.parametrize("language", SAID)
def test_a_wrong_password_is_none_of_them(language: str) -> None:
    assert not recognise(SAID[language][3]) & (KINDS | {Text.LOCKOUT})


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("SugarCRM は現在メンテナンス中です。", Text.MAINTENANCE),
        ("システムの保守作業を行っています。", Text.MAINTENANCE),
        ("SugarCRM 시스템 점검 중입니다.", Text.MAINTENANCE),
        ("SugarCRM이 관리모드입니다.", Text.MAINTENANCE),
        ("SugarCRM on huoltotilassa.", Text.MAINTENANCE),
        ("SugarCRM este în modul mentenanță.", Text.MAINTENANCE),
        ("SugarCRM darbojas uzturēšanas režīmā.", Text.MAINTENANCE),
        ("SugarCRM onarım modunda.", Text.MAINTENANCE),
        ("Проводится техническое обслуживание.", Text.MAINTENANCE),
        ("Системата е в профилактика.", Text.MAINTENANCE),
        ("Система на обслуговуванні.", Text.MAINTENANCE),
        ("ระบบอยู่ระหว่างปรับปรุง", Text.MAINTENANCE),
        ("您的许可证已过期。", Text.LICENSE),
        ("使用者數超過許可證限制。", Text.LICENSE),
        ("没有许可证，无法登录。", Text.LICENSE),
        ("所有授權皆已使用。", Text.LICENSE),
        ("라이센스 갱신이 필요합니다.", Text.LICENSE),
        ("Υπέρβαση του μέγιστου αριθμού αδειών χρήσης.", Text.LICENSE),
        ("מספר המשתמשים חורג ממספר הרשיונות.", Text.LICENSE),
        ("يجب تحديث رخصة شركتك.", Text.LICENSE),
        ("Aktīvo lietotāju skaits pārsniedz licenču skaitu.", Text.LICENSE),
        ("L'installatore va bloccato: impostare installer_locked a true.", Text.LICENSE),
        ("LBL_LOGIN_PORTAL_GROUP_CANT_LOGIN", Text.USER_KIND),
        ("门户或团队用户无法登录。", Text.USER_KIND),
        ("門戶或團隊使用者不能登入。", Text.USER_KIND),
        ("포탈 또는 그룹 사용자가 로그인할 수 없습니다.", Text.USER_KIND),
    ],
)
def test_other_wordings_are_recognised(message: str, kind: Text) -> None:
    assert recognise(message) & KINDS == {kind}


@pytest.mark.parametrize(
    "message",
    [
        "Δεν έχετε άδεια για αυτή την ενέργεια.",
        "Η λίστα είναι άδεια.",
        "您未被授权执行此操作。",
        "您没有授权。",
        "授权失败。",
        "您未獲授權執行此動作。",
        "您没有许可。",
        "この操作は許可されていません。",
        "ليس لديك إذن للقيام بهذا الإجراء.",
        "คุณไม่ได้รับอนุญาตให้ดำเนินการนี้",
        "אין לך הרשאה לבצע פעולה זו.",
        "Свържете се с техническа поддръжка.",
        "Обратитесь в службу обслуживания клиентов.",
        "Poslužitelj ne podržava sigurnu vezu.",
        "Güvenlik bakımından parolanız geçersiz.",
        "비밀번호를 점검하십시오. 관리자에게 문의하십시오.",
        "Portal is not configured properly.",
        "Портал не настроен.",
        "ポータルが正しく設定されていません。",
        "Invalid refresh token",
        "The access token provided is invalid.",
        "No valid authentication for user.",
        "You need to be logged in to perform this action.",
    ],
)
def test_words_alike_are_none_of_them(message: str) -> None:
    """Permissions, support and portals are spoken of elsewhere."""
    assert not recognise(message) & KINDS
