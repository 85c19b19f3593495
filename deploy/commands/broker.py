"""The site's broker: its configuration for Mosquitto, and a trial of it before it is used.

Two listeners, since what is right for devices is wrong for the collector: a device's client name is
its certificate's, so that it has one connection and the collector can end it; the collector, on
loopback, connects under any.
"""

from __future__ import annotations

import getpass
import re
import shutil
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

from collector.fleet.files import SiteFiles
from deploy.commands.ports import free_port
from edge.common.broker import BrokerSettings, client
from edge.common.clock import WallClock
from edge.common.errors import UserError

TLS = """\
cafile {broker}/authority.pem
certfile {broker}/broker.pem
keyfile {broker}/broker.key
crlfile {broker}/crl.pem
require_certificate true
use_identity_as_username true
tls_version tlsv1.2"""

CONF = """\
# The broker of site '{site}', made by `roommood site init`. Try changes before they are used:
#   roommood site check --folder {folder}
per_listener_settings false

# For devices: each with its own certificate, whose name is its user, its client and its topic.
listener {port}
{tls}
use_username_as_clientid true

# For the collector, on this machine.
listener {local_port} 127.0.0.1
{tls}

allow_anonymous false
acl_file {broker}/mosquitto.acl
# The largest message there is. A picture would not fit.
message_size_limit 1024
# Whoever reaches the port may hold connections without a certificate, until they are dropped after
# a minute: let devices' network alone reach it (docs/network.md).
max_connections 20000
max_keepalive 120
# What arrives while the collector restarts waits for it; what does not fit, the devices send again.
max_queued_messages 10000
max_inflight_messages 0
persistent_client_expiration 7d
persistence true
persistence_location {data}/
autosave_interval 60
# Refusals are told at the level of debugging alone; the collector reads them there.
log_dest file {log}
log_type error
log_type warning
log_type notice
log_type debug
connection_messages true
"""

ACL = """\
# A device writes its own room's counts and state, and nothing else.
pattern write roommood/v1/{site}/%u/mood
pattern write roommood/v1/{site}/%u/status
pattern read roommood/v1/{site}/%u/ack
pattern read roommood/v1/{site}/%u/command

user collector
# It writes there too, to take back what was erased.
topic readwrite roommood/v1/+/+/mood
topic readwrite roommood/v1/+/+/status
topic write roommood/audit/+
topic write roommood/v1/+/+/ack
topic write roommood/v1/+/+/command
# With `home_assistant:` in the collector's settings.
topic read homeassistant/status
topic readwrite homeassistant/sensor/+/config
topic write roommood/home/#
"""

BEGINS_S = 10.0


def find_mosquitto() -> str:
    path = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    if path is None:
        raise UserError("not installed", "mosquitto", "as root, apt-get install mosquitto")
    return path


def trial(files: SiteFiles) -> None:
    """Runs the configuration as it is, on other ports, and connects; raises UserError.

    Mosquitto may end when it is told to reload files that it cannot use: so first this.
    """
    with tempfile.TemporaryDirectory(prefix="roommood-broker-") as folder:
        conf = Path(folder) / "mosquitto.conf"
        ports = [free_port(), free_port()]
        conf.write_text(_elsewhere(_read(files.conf), ports, folder), encoding="utf-8")
        process = subprocess.Popen(
            [find_mosquitto(), "-c", str(conf)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            if not _accepts(files, ports[1], process):
                process.kill()
                lines = (process.stderr.read() if process.stderr else "").strip().splitlines()
                log = Path(folder) / "log"
                lines += log.read_text(errors="replace").splitlines() if log.exists() else []
                wrong = [line for line in lines if "rror" in line] or lines or ["no answer"]
                raise UserError(
                    f"Mosquitto does not start with it ({wrong[0]})", files.conf, "correct it"
                )
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stderr:
                process.stderr.close()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(str(error.strerror), path, "run `roommood site init`") from None


def _elsewhere(conf: str, ports: list[int], folder: str) -> str:
    """The same configuration on other ports, with its files in a folder of its own."""
    left = iter(ports)
    conf = re.sub(
        r"^listener\s+\d+.*$",
        lambda _: f"listener {next(left, free_port())} 127.0.0.1",
        conf,
        flags=re.MULTILINE,
    )
    conf = re.sub(r"^(persistence_location) .*$", rf"\1 {folder}/", conf, flags=re.MULTILINE)
    conf = re.sub(r"^(log_dest file) .*$", rf"\1 {folder}/log", conf, flags=re.MULTILINE)
    conf = re.sub(r"^user .*$", "", conf, flags=re.MULTILINE)
    return f"{conf}\nuser {getpass.getuser()}\n"


def _accepts(files: SiteFiles, port: int, process: subprocess.Popen[str]) -> bool:
    """Whether it lets the collector in."""
    settings = BrokerSettings(
        host="127.0.0.1",
        port=port,
        ca=files.authority,
        certificate=files.collector,
        key=files.collector_key,
    )
    end = time.monotonic() + BEGINS_S
    while time.monotonic() < end and process.poll() is None:
        mqtt_client = client(settings, "roommood-trial", "3.1.1", WallClock())
        try:
            mqtt_client.connect("127.0.0.1", port)
            while not mqtt_client.is_connected() and time.monotonic() < end:
                if mqtt_client.loop(0.1):
                    break
            if mqtt_client.is_connected():
                mqtt_client.disconnect()
                return True
        except (OSError, ssl.SSLError):
            pass
        time.sleep(0.1)
    return False
