"""`python -m tests.machine`: the installers on a bare Debian, in an emulated machine.

    --machine aarch64           a device with Debian 13 on Arm; broker and collector are outside
    --machine x86_64 --school   a whole school on one Debian 12, following the README
    --container                 not emulated, but in systemd-nspawn, where the machine is the same

As root, with Debian's mmdebstrap, and e2fsprogs, qemu-system-arm or -x86 and, for Arm,
qemu-user-static, or systemd-container. Prints what the machine shows; exit status 1 where no mood
arrived.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import click
import cv2

from deploy.wheels import download
from edge.camera import make
from tests.conftest import ROOT
from tests.fleet import SITE, Site
from tests.machine.image import KINDS, PYTHON, boot, contain, make_disk, root_folder, root_image

HERE = Path(__file__).parent
OUTSIDE = "10.0.2.2"
"""The machine that emulates, as the emulated one sees it."""


def film(path: Path) -> None:
    """Half a minute of the simulated classroom."""
    camera = make("sim:seats=12,seed=1")
    camera.open()
    frame = camera.read()
    size = (frame.shape[1], frame.shape[0])
    out = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 5, size, False)
    for _ in range(150):
        out.write(camera.read())
    out.release()
    camera.close()


def our_things(folder: Path, machine: str, release: str, script: str, code: str | None) -> Path:
    """The checkout as it is committed, wheels, a film, and what to do."""
    content = folder / "ours"
    (content / "roommood").mkdir(parents=True)
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", "HEAD"], capture_output=True, check=True
    )
    subprocess.run(["tar", "-x", "-C", str(content / "roommood")], input=archive.stdout, check=True)
    python = PYTHON[release]
    extras = ["pi", "calendar"] if code else ["pi", "calendar", "school"]
    if download(extras, python, machine, content / "wheels"):
        sys.exit(1)
    film(content / "lesson.avi")
    shutil.copy(HERE / script, content / "guest.sh")
    if code:
        (content / "roommood-enrol.yaml").write_text(code)
    return content


def emulate(folder: Path, machine: str, release: str, ours: Path) -> list[str]:
    disk = folder / "ours.img"
    make_disk(ours, disk, "2G")
    return boot(machine, root_image(machine, release), disk)


def run_container(folder: Path, machine: str, release: str, ours: Path) -> list[str]:
    root = folder / "root"
    subprocess.run(["cp", "-a", str(root_folder(machine, release)), str(root)], check=True)
    return contain(root, ours)


def show(command: list[str], minutes: float, site: Site | None) -> bool:
    """Prints what the machine shows; whether a mood was stored outside."""
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    ending = threading.Timer(minutes * 60, process.kill)
    ending.start()
    over, arrival = threading.Event(), threading.Event()
    it = threading.Thread(target=_stand_by, args=(site, over, arrival))
    it.start()
    try:
        for line in process.stdout:
            click.echo(line.rstrip()[:300])
    finally:
        over.set()
        it.join()
        ending.cancel()
        process.kill()
        process.wait()
    return arrival.is_set()


def _stand_by(site: Site | None, over: threading.Event, arrival: threading.Event) -> None:
    """Approves whoever asks, and tells of the first mood."""
    while site is not None and not over.wait(1):
        site.approve((SITE, "r101"))
        mood = site.service.rooms.view(SITE, "r101").mood
        if mood is not None and not arrival.is_set():
            arrival.set()
            click.echo(f"STORED OUTSIDE {mood.model_dump_json(by_alias=True)}")


@click.command()
@click.option("--machine", type=click.Choice(list(KINDS)), default="aarch64", show_default=True)
@click.option("--release", type=click.Choice(list(PYTHON)), help="By default trixie on Arm.")
@click.option("--school", is_flag=True, help="Collector, broker and device on the same machine.")
@click.option("--container", is_flag=True, help="With systemd-nspawn instead of qemu.")
@click.option("--minutes", type=float, default=40, show_default=True)
def main(machine: str, release: str | None, school: bool, container: bool, minutes: float) -> int:
    release = release or ("trixie" if machine == "aarch64" else "bookworm")
    # A container's console is quiet: there the file is read that the script writes as well.
    ready, outside = (run_container, "127.0.0.1") if container else (emulate, OUTSIDE)
    with tempfile.TemporaryDirectory(prefix="roommood-machine-") as name:
        folder = Path(name)
        if school:
            ours = our_things(folder, machine, release, "guest-school.sh", None)
            show(ready(folder, machine, release, ours), minutes, None)
            return _read_log(ours)
        (folder / "site").mkdir()
        with Site(folder / "site", hosts=(outside, "localhost")) as site:
            code = site.invite("r101", 3600)
            card = f"collector: https://{outside}:{site.place.web_port}\ncode: {code}\n"
            ours = our_things(folder, machine, release, "guest-agent.sh", card)
            is_stored = show(ready(folder, machine, release, ours), minutes, site)
            return max(_read_log(ours), int(not is_stored))


def _read_log(ours: Path) -> int:
    """What a container's script wrote; 1 where a step of it failed."""
    log = ours / "shown.log"
    if not log.exists():
        return 0
    text = log.read_text(errors="replace")
    click.echo(text)
    return int("FAILED" in text or "the end" not in text)


if __name__ == "__main__":
    sys.exit(main(standalone_mode=False))
