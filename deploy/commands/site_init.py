"""Makes a site: authority, servers' certificates, the broker's and the collector's settings.

What is there already stays as it is, so that it can be run again at any time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from cryptography import x509

from collector.fleet.authority import Authority
from collector.fleet.files import READABLE, SiteFiles, hosts_of, serve
from deploy.commands.broker import ACL, CONF, TLS, trial
from deploy.commands.site_key import PRIVATE, PUBLIC, make_key
from edge.common import atomic_file
from edge.common.errors import UserError
from edge.protocol.identity import new_key, private_pem

ALWAYS = ("localhost", "127.0.0.1")
SIGNING = "signing"


class SitePlan(NamedTuple):
    """Where a site is, and how it is reached."""

    site: str
    hosts: tuple[str, ...]
    folder: Path
    config: Path
    state: Path
    log: Path
    data: Path
    web_port: int = 8642
    broker_port: int = 8883
    local_port: int = 8884


def init(place: SitePlan) -> Iterator[str]:
    """What was made, a sentence each; raises UserError, and then nothing is in use that was not."""
    files = SiteFiles(place.folder)
    try:
        files.broker.mkdir(parents=True, exist_ok=True)
        yield from _make(place, files)
    except OSError as error:
        raise UserError(
            str(error.strerror), error.filename, "run it as root, or choose --folder"
        ) from None
    trial(files)
    yield f"{files.conf}: works, tried with a real Mosquitto"


def _make(place: SitePlan, files: SiteFiles) -> Iterator[str]:
    if not files.authority_key.exists():
        key = new_key()
        atomic_file.write(files.authority_key, private_pem(key), 0o600)
        atomic_file.write(files.authority, Authority.make(place.site, key).pem.encode(), READABLE)
        yield f"{files.authority_key}: the site's authority; keep a copy where nobody else can read"
    authority = files.load()
    if not files.broker_authority.exists():
        atomic_file.write(files.broker_authority, authority.pem.encode(), READABLE)
    signing = place.folder / SIGNING
    if not (signing / PUBLIC).exists():
        make_key(signing)
        yield f"{signing / PRIVATE}: signs updates and attestations; move it to where IT signs"
    if not files.site_key.exists():
        atomic_file.write(files.site_key, (signing / PUBLIC).read_bytes(), READABLE)
    hosts = list(dict.fromkeys((*place.hosts, *ALWAYS)))
    for key_file, pem_file, name, mode in (
        (files.broker_key, files.broker_pem, "broker", READABLE),
        (files.collector_key, files.collector, "collector", 0o600),
    ):
        if pem_file.exists():
            old_hosts = hosts_of(x509.load_pem_x509_certificate(pem_file.read_bytes()))
            if old_hosts != hosts:
                raise UserError(
                    f"is for {', '.join(old_hosts)}",
                    pem_file,
                    "use the same --host, or delete it and run this again",
                )
            continue
        serve(authority, key_file, pem_file, name, hosts, mode)
        yield f"{pem_file}: for {', '.join(hosts)}"
    if not files.revocation_list.exists():
        atomic_file.write(files.revocation_list, authority.revocation_list([], 1), READABLE)
    yield from _settings(place, files)


def _settings(place: SitePlan, files: SiteFiles) -> Iterator[str]:
    conf = CONF.format(
        site=place.site,
        folder=place.folder,
        tls=TLS.format(broker=files.broker),
        broker=files.broker,
        port=place.broker_port,
        local_port=place.local_port,
        data=place.data,
        log=place.log,
    )
    for path, text in ((files.conf, conf), (files.acl, ACL.format(site=place.site))):
        if not path.exists():
            atomic_file.write(path, text.encode(), READABLE)
            yield f"{path}: for Mosquitto"
    if not place.config.exists():
        place.config.parent.mkdir(parents=True, exist_ok=True)
        atomic_file.write(place.config, _collector(place, files).encode(), 0o644)
        os.chmod(place.config, 0o644)
        yield f"{place.config}: the collector's settings"


def _collector(place: SitePlan, files: SiteFiles) -> str:
    content: dict[str, Any] = {
        "database": f"sqlite:///{place.state}/collector.sqlite",
        "state": str(place.state),
        "broker": {
            "host": "127.0.0.1",
            "port": place.local_port,
            "ca": str(files.authority),
            "certificate": str(files.collector),
            "key": str(files.collector_key),
        },
        "web": {
            "host": "0.0.0.0",  # noqa: S104  # a school's collector serves the school's network
            "port": place.web_port,
            "url": f"https://{place.hosts[0]}:{place.web_port}",
            "certificate": str(files.collector),
            "key": str(files.collector_key),
        },
        "fleet": {
            "site": place.site,
            "folder": str(place.folder),
            "broker_host": place.hosts[0],
            "broker_port": place.broker_port,
            "broker_log": str(place.log),
        },
    }
    return yaml.safe_dump(content, sort_keys=False)
