"""Who may sign in at the demo's console, and where it is."""

from collections.abc import Mapping

from exchange.console.auth.passwords import kept_password, temporary_password
from exchange.console.auth.tokens import ConsoleTokens, make_console_token
from exchange.domain.user import Role, User
from exchange.embedded.installation import AUDITOR_TOKEN
from exchange.embedded.installed import Installation
from exchange.security.files import PRIVATE, write_atomically
from exchange.settings.console import console_settings
from exchange.store.desk import accounts
from exchange.store.desk.accounts import Account
from exchange.store.desk.database import DeskStore
from exchange.system import now, random_bytes

PEOPLE = (
    User("operator", "Айнура Осмонова", frozenset({Role.OPERATOR})),
    User("second", "Бакыт Жумабаев", frozenset({Role.OPERATOR})),
    User("auditor", "Тимур Садыков", frozenset({Role.AUDITOR})),
    User("minjust", "Жылдыз Асанова", frozenset({Role.BODY_ADMINISTRATOR}), "minjust"),
)


def console_words(installation: Installation, environ: Mapping[str, str]) -> str:
    """Enter one account of each role, with passwords made for this demo; the console's address, and who may sign in."""
    settings = console_settings(installation.config("console"), environ)
    for user in PEOPLE:
        if Role.AUDITOR in user.roles:  # whose commands tell the console what they do
            token, grant = make_console_token(user, now().date(), "exchange audit", random_bytes)
            ConsoleTokens(settings.served.tokens).add(grant)
            write_atomically(installation.folder / AUDITOR_TOKEN, token.encode(), mode=PRIVATE)
    lines = [f"\nThe operators' console: http://{settings.served.host}:{settings.served.port}"]
    with DeskStore(settings.desk) as desk:
        desk.migrate()
        for user in PEOPLE:
            password, made = temporary_password(random_bytes), now()
            with desk.writing() as connection:
                accounts.add(connection, Account(user, made, made, kept_password(password)))
            lines.append(f"  sign in as {user.login:<9} with {password}   ({', '.join(sorted(user.roles))})")
    return "\n".join(lines)
