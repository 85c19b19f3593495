"""Access for our own scripts and tests: a token that reads everything, made beside the database."""

from __future__ import annotations

import secrets

from sqlalchemy import Engine

from collector.access.accounts import Accounts
from collector.access.sessions import SCOPES, Sessions
from collector.storage.database import connect

LASTS_S = 800 * 86_400
"""Clocks jump in the fault bench, by more than a year."""


def token_for(engine: Engine, name: str = "script") -> str:
    """An administrator's token for two years; its account has a password that nobody knows."""
    accounts = Accounts(engine)
    matches = [one for one in accounts.all() if one.name == name]
    password = secrets.token_urlsafe(24)
    account = matches[0] if matches else accounts.add(name, "administrator", password=password)
    return Sessions(engine, accounts).make_token(account.id, name, list(SCOPES), LASTS_S)


def token_in(url: str) -> str:
    """The same for the database at a URL, which is brought up to date."""
    engine = connect(url)
    try:
        return token_for(engine)
    finally:
        engine.dispose()
