"""Whether the broker's rules of an older `site init` still say what today's do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from cryptography import x509
from cryptography.x509.oid import NameOID

from collector.fleet.files import SiteFiles
from deploy.commands.broker import ACL

COLLECTOR = "user collector"
EVERYBODY = ""


def needed_changes(files: SiteFiles) -> Iterator[str]:
    """What is to be changed in an installed ACL, a line each; what a school added for users of its
    own is its own affair. Raises OSError where it cannot be read."""
    authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
    name = authority.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    on_disk = _rules(files.acl.read_text(encoding="utf-8"))
    current = _rules(ACL.format(site=str(name).removeprefix("roommood ")))
    for rule in sorted(on_disk[EVERYBODY] - current[EVERYBODY]):
        yield f"remove '{rule}': it allows every device more than it needs"
    for who in (EVERYBODY, COLLECTOR):
        for rule in sorted(current[who] - on_disk[who]):
            where = f" below '{who}'" if who else ""
            yield f"add '{rule}'{where}"


def _rules(text: str) -> defaultdict[str, set[str]]:
    """By whom they are for. Patterns are for everybody wherever they stand, as Mosquitto has it."""
    rules: defaultdict[str, set[str]] = defaultdict(set)
    who = EVERYBODY
    for line in text.splitlines():
        words = " ".join(line.split())
        if words.startswith("user "):
            who = words
        elif words.startswith("pattern "):
            rules[EVERYBODY].add(words)
        elif words.startswith("topic "):
            rules[who].add(words)
    return rules
