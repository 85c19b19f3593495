"""The tables as they are now; `migrations/` tells how an older database gets there.

Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from collector.storage.columns import ReadableFloat, ReadableJson

metadata = MetaData()

moods = Table(
    "mood",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("device", String(32), nullable=False),
    Column("boot", String(36), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("start", ReadableFloat, nullable=False),
    Column("seconds", ReadableFloat, nullable=False),
    Column("clock", String(8), nullable=False),
    Column("frames", Integer, nullable=False),
    Column("faces", Integer),
    Column("counts", ReadableJson(none_as_null=True)),
    Column("withheld", String(16)),
    Column("model", String(12), nullable=False),
    Column("windows", Integer, nullable=False, server_default="1"),
    Column("received", ReadableFloat, nullable=False),  # by the collector's clock
    UniqueConstraint("site", "room", "device", "boot", "seq", name="mood_identity"),
    Index("mood_by_time", "site", "room", "start"),  # and what retention removes
)
Index(
    "mood_merged",
    moods.c.site,
    moods.c.room,
    moods.c.device,
    moods.c.boot,
    sqlite_where=moods.c.windows > 1,
    postgresql_where=moods.c.windows > 1,
)

Index(
    "mood_ahead",  # what was dated ahead goes by our clock
    moods.c.site,
    moods.c.received,
    sqlite_where=moods.c.start > moods.c.received,
    postgresql_where=moods.c.start > moods.c.received,
)

accounts = Table(
    "account",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password", String(256)),  # Argon2; none for those who come from the school's provider
    Column("subject", String(256), unique=True),  # issuer and subject of OpenID Connect
    Column("created", ReadableFloat, nullable=False),
    Column("display", String(64)),  # what the provider calls them; decides nothing
    Column("confirmed", ReadableFloat),  # when the provider last said who they are
    Column("timetable", String(64)),  # what the timetable calls them
    Index("account_by_timetable", "timetable", unique=True),
)

account_rooms = Table(
    "account_room",
    metadata,
    Column("account", ForeignKey("account.id", ondelete="CASCADE"), primary_key=True),
    Column("site", String(32), primary_key=True),
    Column("room", String(32), primary_key=True),
)

sessions = Table(
    "session",
    metadata,
    Column("secret", String(64), primary_key=True),  # SHA-256 of what the cookie holds
    Column("account", ForeignKey("account.id", ondelete="CASCADE")),
    Column("link", ForeignKey("link.id", ondelete="CASCADE")),
    Column("expires", ReadableFloat, nullable=False),
)

links = Table(
    "link",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret", String(64), nullable=False, unique=True),  # SHA-256 of the address's end
    Column("role", String(16), nullable=False),
    Column("site", String(32)),
    Column("room", String(32)),
    Column("made_by", String(64), nullable=False),
    Column("expires", ReadableFloat, nullable=False),
    # Whose rights it lends, while they have them; none for the first run's.
    Column("account", ForeignKey("account.id", ondelete="CASCADE")),
    # The report that it leads to, in place of the room.
    Column("lesson", ForeignKey("lesson.id", ondelete="CASCADE")),
    Index("link_by_account", "account"),
    Index("link_by_lesson", "lesson"),
)

tokens = Table(
    "token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret", String(64), nullable=False, unique=True),  # SHA-256
    Column("account", ForeignKey("account.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(64), nullable=False),
    Column("scopes", String(128), nullable=False),  # separated by spaces
    Column("expires", ReadableFloat, nullable=False),
)

lessons = Table(
    "lesson",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("title", String(120), nullable=False),
    Column("teacher", String(64)),  # for people: a name, as the timetable or the account has it
    Column("start", ReadableFloat, nullable=False),
    Column("end", ReadableFloat),  # none while it goes on
    Column("planned_end", ReadableFloat),
    Column("how", String(16), nullable=False),
    Column("notes", Text, nullable=False, server_default=""),
    Column("code", String(8), unique=True),  # for check-ins, while it goes on
    Column("summary", ReadableJson(none_as_null=True)),  # what is kept when the windows are gone
    Column("account", ForeignKey("account.id", ondelete="SET NULL")),  # whose it is
    UniqueConstraint("site", "room", "start"),
    Index("lesson_by_end", "end"),
    Index("lesson_by_account", "account"),
    Index("lesson_by_start", "start", "id"),
    Index("lesson_by_title", "site", "title", "start"),
)
Index(
    "lesson_unsummarised",  # looked for every few seconds
    lessons.c.end,
    sqlite_where=lessons.c.summary.is_(None),
    postgresql_where=lessons.c.summary.is_(None),
)

markers = Table(
    "marker",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("lesson", ForeignKey("lesson.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", ReadableFloat, nullable=False),
    Column("text", String(120), nullable=False),
)

checkins = Table(
    "checkin",
    metadata,
    Column("lesson", ForeignKey("lesson.id", ondelete="CASCADE"), primary_key=True),
    Column("round", Integer, primary_key=True),  # five minutes each, from the lesson's start
    Column("answer", String(16), primary_key=True),
    Column("count", Integer, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", ReadableFloat, nullable=False),
    Column("who", String(64), nullable=False),
    Column("what", String(32), nullable=False),
    Column("about", String(200), nullable=False),
    Column("hash", String(64), nullable=False),  # over the entry and the hash before it
)

settings = Table(
    "setting",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", ReadableJson, nullable=False),
)

deliveries = Table(
    "delivery",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("url", String(500), nullable=False),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next", ReadableFloat, nullable=False),
    Column("given_up", Boolean, nullable=False),
)

invitations = Table(
    "invitation",
    metadata,
    Column("code", String(16), primary_key=True),  # the code's number, not the code
    Column("key", String(64), nullable=False),  # what both ends prove with
    Column("site", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("made_by", String(64), nullable=False),
    Column("expires", ReadableFloat, nullable=False),
)

requests = Table(
    "request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("code", ForeignKey("invitation.code", ondelete="CASCADE"), nullable=False, unique=True),
    Column("csr", Text, nullable=False),
    Column("fingerprint", String(19), nullable=False),
    Column("hardware", String(64), nullable=False),
    Column("version", String(32), nullable=False),
    Column("address", String(64), nullable=False),
    Column("at", ReadableFloat, nullable=False),
    Column("state", String(16), nullable=False),  # waiting, approved, refused
    Column("certificate", Text),
)

certificates = Table(
    "certificate",
    metadata,
    Column("serial", String(40), primary_key=True),  # hexadecimal
    Column("site", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("pem", Text, nullable=False),
    Column("expires", ReadableFloat, nullable=False),
    Column("state", String(16), nullable=False),  # new, current, replaced, revoked
    Column("ended", ReadableFloat),
    Column("because", String(64)),
    Index("certificate_by_room", "site", "room"),
)

devices = Table(
    "device",
    metadata,
    Column("site", String(32), primary_key=True),
    Column("room", String(32), primary_key=True),
    Column("hardware", String(64), nullable=False),
    Column("seen", ReadableFloat),  # when it last signed a message
    Column("report", ReadableJson(none_as_null=True)),
)

bundles = Table(
    "bundle",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("site", String(32), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("content", Text, nullable=False),  # base64
    Column("note", String(200), nullable=False),
    Column("canaries", ReadableJson, nullable=False),  # rooms that try it first
    Column("state", String(16), nullable=False),  # canary, everywhere, withdrawn
    Column("at", ReadableFloat, nullable=False),
)

erasures = Table(
    "erasure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site", String(32), nullable=False),
    Column("room", String(32), nullable=False),
    Column("begin", ReadableFloat, nullable=False),
    Column("end", ReadableFloat, nullable=False),
    Column("at", ReadableFloat, nullable=False),
    Column("boot", String(36)),  # of one run alone, up to a number: what was dated ahead
    Column("seq", BigInteger),
)

alerts = Table(
    "alert",  # what is wrong, or was and nobody was told yet
    metadata,
    Column("cause", String(32), primary_key=True),
    Column("site", String(32), primary_key=True),  # empty: the collector itself
    Column("item", String(64), primary_key=True),  # a room; of the collector, which part
    Column("about", String(200), nullable=False),
    Column("since", ReadableFloat, nullable=False),
    Column(
        "told", ReadableFloat
    ),  # when somebody was told; the same for all that were told together
    Column("over", ReadableFloat),  # since when it is right again
)

mails = Table(
    "mail",  # those that wait, and for an hour those that were sent
    metadata,
    Column("id", Integer, primary_key=True),
    Column("audience", String(32), nullable=False),  # a site whose people get it; empty: all others
    Column("kind", String(8), nullable=False),  # alert, digest
    Column("name", String(64), nullable=False),  # for Message-ID
    Column("answers", String(64)),  # the name of the mail that it belongs to
    Column("subject", String(300), nullable=False),
    Column("body", Text, nullable=False),
    Column("at", ReadableFloat, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next", ReadableFloat, nullable=False),
    Column("sent", ReadableFloat),
)
