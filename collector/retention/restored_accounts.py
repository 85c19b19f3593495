"""Who can sign in after a restore: everybody as of the backup, the removed and their old passwords
too, of which the backup knows nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Engine, func, select

from collector.storage.backup_note import moment
from collector.storage.tables import accounts, audit, tokens

MOST_NAMES = 30
"""That are written out."""


def restored_accounts(engine: Engine) -> Iterator[str]:
    """Sentences for whoever has restored; none where there is no account."""
    with engine.connect() as connection:
        every_name = select(accounts.c.name).order_by(accounts.c.name)
        names = connection.execute(every_name).scalars().all()
        query = select(accounts.c.name, tokens.c.name).join_from(tokens, accounts)
        own = connection.execute(query.order_by(accounts.c.name, tokens.c.name)).all()
        restore = select(func.max(audit.c.number)).where(audit.c.what == "backup restored")
        before = audit.c.number < restore.scalar_subquery()
        at = connection.execute(select(func.max(audit.c.at)).where(before)).scalar()
    if not names:
        return
    since = f"the last entry of its audit log, {moment(at)}" if at else "the backup"
    yield (
        f"accounts, roles, passwords and tokens are as of {since}: whoever was removed since is "
        "back, and a password that was changed since is the old one"
    )
    yield f"accounts: {_some(names)}"
    if own:
        yield f"tokens: {_some([f'{token} ({account})' for account, token in own])}"
    yield (
        "compare them with whom you know: `roommood collector account remove NAME`, or "
        "`account password NAME`, which ends sessions"
    )


def _some(names: Sequence[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
