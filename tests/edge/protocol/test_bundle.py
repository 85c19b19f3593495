from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deploy.commands.bundling import gather
from edge.common.errors import UserError
from edge.device.managed_settings import update_settings
from edge.device.slots import Updates
from edge.device.trial import LEAST_S, UpdateTrial
from edge.protocol.bundle import LARGEST, pack_up, unpack, write_out
from edge.vision.pack import PACKS

KEY = Ed25519PrivateKey.generate()
FILES = {"settings.yaml": b"window_seconds: 5\nattestation: signed.yaml\n", "signed.yaml": b"x: 1"}


def make(number: int = 1) -> bytes:
    return pack_up("school", number, FILES, "", KEY)


def stage(state: Path, number: int) -> Updates:
    updates = Updates(state)
    updates.stage(unpack(make(number), KEY.public_key(), "school"))
    return updates


def test_what_was_signed_comes_out(tmp_path: Path) -> None:
    bundle = unpack(make(), KEY.public_key(), "school")
    assert bundle.files == FILES
    assert bundle.manifest.number == 1
    write_out(bundle, tmp_path)
    assert update_settings(tmp_path) == {
        "window_seconds": "5",
        "attestation": str(tmp_path / "signed.yaml"),
    }


def test_no_byte_of_it_can_be_changed_unnoticed() -> None:
    good, refusals = make(), 0
    for at in range(0, len(good), 97):
        data = bytearray(good)
        data[at] ^= 0x55
        try:
            bundle = unpack(bytes(data), KEY.public_key(), "school")
        except UserError:
            refusals += 1
        else:
            assert bundle.files == FILES  # padding, or a part of tar's own that nothing hangs on
    assert refusals > 10


def test_files_that_do_not_belong_are_refused() -> None:
    good = make()
    for name, kind in (("more", tarfile.REGTYPE), ("settings.yaml", tarfile.SYMTYPE)):
        out = io.BytesIO(good)
        with tarfile.open(fileobj=out, mode="a") as archive:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info, io.BytesIO(b""))
        with pytest.raises(UserError, match=r"do not match its manifest|does not belong there"):
            unpack(out.getvalue(), KEY.public_key(), "school")
    with pytest.raises(ValueError, match="files"):
        pack_up("school", 1, {"../outside": b""}, "", KEY)


def test_what_is_too_large_is_refused() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("settings.yaml")
        info.size = LARGEST + 1
        archive.addfile(info, io.BytesIO(bytes(LARGEST + 1)))
    with pytest.raises(UserError, match="does not belong there"):
        unpack(out.getvalue(), KEY.public_key(), "school")


def test_an_update_is_tried_twice_and_then_given_up(tmp_path: Path) -> None:
    updates = stage(tmp_path, 1)
    assert [updates.begin() for _ in range(3)] == [1, 1, None]
    assert updates.update_state().refused == 1
    assert not updates.place(1).exists()


def test_the_one_before_is_there_until_the_new_one_is_kept(tmp_path: Path) -> None:
    updates = stage(tmp_path, 1)
    assert updates.begin() == 1
    trial = UpdateTrial(tmp_path, 1)
    assert trial.saw_window(3, in_pause=False) is None
    assert updates.update_state().current is None  # too early to say
    trial._start -= LEAST_S
    assert trial.saw_window(3, in_pause=False) is None
    assert updates.update_state().current == 1
    stage(tmp_path, 2)
    assert updates.place(1).exists()
    assert UpdateTrial(tmp_path, 1).saw_window(3, in_pause=False) == "update 2 is to be tried"
    assert updates.begin() == 2
    UpdateTrial(tmp_path, 2).fail("it stood still")
    assert (updates.update_state().current, updates.update_state().refused) == (1, 2)
    assert updates.begin() == 1
    assert [path.name for path in (tmp_path / "updates").iterdir() if path.is_dir()] == ["1"]


def test_a_pause_says_nothing_about_an_update(tmp_path: Path) -> None:
    updates = stage(tmp_path, 1)
    trial = UpdateTrial(tmp_path, updates.begin())
    for _ in range(5):
        assert trial.saw_window(0, in_pause=True) is None
    assert updates.update_state().trying == 1
    assert trial.saw_window(0, in_pause=False) is None
    assert trial.saw_window(0, in_pause=False) == "update 1 was rolled back: no frame in 2 windows"


def test_a_number_only_grows(tmp_path: Path) -> None:
    updates = stage(tmp_path, 5)
    assert updates.refusal(6) is None
    for number in (4, 5):
        assert "a downgrade: number 5 was installed before" in str(updates.refusal(number))


def test_slots_that_cannot_be_read_leave_the_agent_without_updates(tmp_path: Path) -> None:
    updates = stage(tmp_path, 1)
    for name in ("slots.json", "slots.copy.json"):
        (tmp_path / "updates" / name).write_text("{")
    assert updates.begin() is None


@pytest.mark.parametrize(
    ("content", "wrong"),
    [("room: r2\n", "cannot change 'room'"), ("broker: {port: 1}\n", "cannot change 'broker'")],
)
def test_what_no_update_may_change_is_not_even_signed(
    tmp_path: Path, content: str, wrong: str
) -> None:
    settings = tmp_path / "settings.yaml"
    settings.write_text(content)
    with pytest.raises(UserError, match=wrong):
        gather(None, settings, ())


def test_a_pack_is_gathered_whole_and_nothing_is_not() -> None:
    assert set(gather(PACKS / "fer7", None, ())) == {
        "pack/pack.yaml",
        "pack/model.tflite",
        "pack/model-float16.tflite",
    }
    with pytest.raises(UserError, match="nothing to sign"):
        gather(None, None, ())
