"""A bare Debian for qemu: built once for each machine by mmdebstrap, and a disk with our things."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

BUILD = Path(__file__).resolve().parents[2] / "build" / "machine"
PACKAGES = (
    *("systemd", "systemd-sysv", "udev", "dbus", "initramfs-tools", "kmod", "iproute2"),
    *("ca-certificates", "procps", "sudo"),
)
SERVICE = """\
[Unit]
Description=what is to be shown
After=multi-user.target network-online.target
Wants=network-online.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
StandardOutput=journal+console
StandardError=journal+console
ExecStart=/usr/local/sbin/show
ExecStopPost=/usr/bin/systemctl --no-block poweroff
[Install]
WantedBy=multi-user.target
"""
SHOW = """\
#!/bin/sh
[ -e /mnt/guest.sh ] || mount /dev/vdb /mnt
bash /mnt/guest.sh 2>&1 | tee /mnt/shown.log
"""
NETWORK = "[Match]\nName=e*\n[Network]\nDHCP=ipv4\n"


class Kind(NamedTuple):
    """A machine to emulate."""

    debian: str
    """Its name there."""
    emulator: tuple[str, ...]
    console: str


KINDS = {
    "aarch64": Kind(
        "arm64",
        ("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72"),
        "ttyAMA0",
    ),
    "x86_64": Kind("amd64", ("qemu-system-x86_64", "-M", "q35", "-cpu", "max"), "ttyS0"),
}


PYTHON = {"bookworm": "3.11", "trixie": "3.13"}


def root_image(machine: str, release: str) -> Path:
    """The system's disk, kernel and initrd beside it; made where they are not there yet."""
    disk = BUILD / f"{machine}-{release}" / "root.img"
    if not disk.exists():
        make_disk(root_folder(machine, release), disk, "6G")
    return disk


def root_folder(machine: str, release: str) -> Path:
    """The same as a folder."""
    kind, folder = KINDS[machine], BUILD / f"{machine}-{release}"
    final_root = folder / "root"
    if final_root.exists():
        return final_root
    folder.mkdir(parents=True, exist_ok=True)
    root = folder / "root.part"
    shutil.rmtree(root, ignore_errors=True)
    packages = ",".join((*PACKAGES, f"linux-image-{kind.debian}"))
    command = ["mmdebstrap", f"--arch={kind.debian}", "--variant=minbase", f"--include={packages}"]
    subprocess.run([*command, release, str(root)], check=True)
    for source, name in (("vmlinuz-*", "kernel"), ("initrd.img-*", "initrd")):
        shutil.copy(next((root / "boot").glob(source)), folder / name)
    units = root / "etc/systemd/system"
    (units / "show.service").write_text(SERVICE)
    (root / "usr/local/sbin/show").write_text(SHOW)
    (root / "usr/local/sbin/show").chmod(0o755)
    (root / "etc/systemd/network/20-any.network").write_text(NETWORK)
    (root / "etc/hostname").write_text("room\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost room\n")
    resolvers = root / "etc/resolv.conf"
    resolvers.unlink(missing_ok=True)
    resolvers.write_text("nameserver 10.0.2.3\n")
    for target, unit in (
        ("multi-user.target", "/etc/systemd/system/show.service"),
        ("multi-user.target", "/lib/systemd/system/systemd-networkd.service"),
        ("network-online.target", "/lib/systemd/system/systemd-networkd-wait-online.service"),
    ):
        wants = units / f"{target}.wants"
        wants.mkdir(exist_ok=True)
        (wants / Path(unit).name).symlink_to(unit)
    return root.rename(final_root)


def make_disk(folder: Path, disk: Path, size: str) -> None:
    passing = disk.with_suffix(".part")
    passing.unlink(missing_ok=True)
    subprocess.run(["truncate", "-s", size, str(passing)], check=True)
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(folder), str(passing)], check=True)
    passing.replace(disk)


def contain(root: Path, ours: Path) -> list[str]:
    """systemd-nspawn's command: systemd and all, on this machine's own kernel and network."""
    return [
        *("systemd-nspawn", "--boot", f"--directory={root}", "--register=no", "--keep-unit"),
        *("--console=pipe", "--resolv-conf=bind-host", f"--bind={ours}:/mnt", "--quiet"),
    ]


def boot(machine: str, disk: Path, ours: Path, more: Iterable[str] = ()) -> list[str]:
    """qemu's command; changes to the system's disk are thrown away."""
    kind, folder = KINDS[machine], disk.parent
    return [
        *(*kind.emulator, "-smp", "2", "-m", "2048", "-nographic", "-no-reboot"),
        *("-kernel", str(folder / "kernel"), "-initrd", str(folder / "initrd")),
        *("-append", f"root=/dev/vda rw console={kind.console} systemd.show_status=0 quiet"),
        *("-drive", f"file={disk},format=raw,if=virtio,snapshot=on"),
        *("-drive", f"file={ours},format=raw,if=virtio,snapshot=on"),
        *("-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net", *more),
    ]
