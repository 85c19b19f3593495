"""`roommood bench`: measures, and tries to break, the whole system on this machine."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.common.command_group import CommandGroup
from edge.common.errors import SettingError, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.bench.measure.films import FilmPlan
    from deploy.bench.measure.films.people import Half
    from deploy.bench.measure.pipelines import BenchSettings, Material

PER_SECOND, WINDOW_S = 2.0, 15.0
"""As the agent's defaults."""

MOST = 360
"""Frames of each film: three minutes of a room, since what goes wrong may do so after the first."""

PORTRAITS = Path("../shared/data/faces_london")
"""From the project's root; where they are not, the people of made films are drawn."""


def _as_in_settings(_context: object, _option: object, url: str | None) -> str | None:
    """A database as a collector's settings read it."""
    from collector.config import database_url

    try:
        return None if url is None else database_url(url)
    except SettingError as error:
        raise UserError(error.what, "--database", error.remedy) from None


@click.group(cls=CommandGroup, invoke_without_command=True)
@click.option(
    "--set",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder of annotated pictures or videos; without it, the simulated classroom.",
)
@click.option(
    "--detector",
    type=click.Choice(["haar", "yunet"]),
    default="haar",
    show_default=True,
    help="Face detector to measure.",
)
@click.option(
    "--detector-model",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YuNet's model file: see `roommood model fetch`.",
)
@click.option("--model", default="fer7", show_default=True, help="Model pack: a name or a folder.")
@click.option(
    "--frames",
    type=click.IntRange(10, 100_000),
    default=MOST,
    show_default=True,
    help="Measure at most this many frames of each video.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(5, 36_000),
    help="Measure this much of each video; in place of --frames.",
)
@click.option(
    "--films",
    "kinds",
    help="Videos generated from a seed instead: "
    "walk,tilt,turn,near,hide,still; add +dim for dim light.",
)
@click.option(
    "--people",
    type=click.IntRange(1, 50),
    default=8,
    show_default=True,
    help="How many people are in each generated video.",
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Seed of the generated videos.",
)
@click.option(
    "--faces",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help=f"Portraits for --films, as {PORTRAITS}, which is used where it is there.",
)
@click.option(
    "--half",
    type=click.Choice(["develop", "report"]),
    default="report",
    show_default=True,
    help="Half of the portraits' people to use: settings are chosen on one "
    "and reported on the other.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the generated videos and their ground truth here instead of measuring.",
)
@click.option(
    "--window",
    type=click.FloatRange(1, 3600),
    default=WINDOW_S,
    show_default=True,
    help="Window length in seconds.",
)
@click.option("--tune", is_flag=True, help="Print settings that suit this machine instead.")
@click.option(
    "--write",
    type=click.Path(path_type=Path),
    help="Measure every folder below --set and write a page of results here.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def bench(
    context: click.Context,
    folder: Path | None,
    detector: str,
    detector_model: Path | None,
    model: str,
    frames: int,
    seconds: float | None,
    kinds: str | None,
    people: int,
    seed: int,
    faces: Path | None,
    half: Half,
    keep: Path | None,
    window: float,
    tune: bool,
    write: Path | None,
    as_json: bool,
) -> None:
    """Measure detecting, reading and counting faces, beside the reference settings."""
    if context.invoked_subcommand is not None:
        return
    most = frames if seconds is None else max(1, round(seconds * PER_SECOND))
    settings = _selection(detector, detector_model, model, most, window)
    if tune:
        _tune(settings)
    elif kinds is not None:
        from deploy.bench.measure.films import films

        portraits = faces or (PORTRAITS if PORTRAITS.is_dir() else None)
        _films(films(kinds, people, seed, portraits, half), settings, keep, as_json)
    elif write is not None:
        if folder is None:
            raise click.UsageError("--write: add --set too, a folder of annotated folders.")
        _write(write, folder, settings)
    else:
        from deploy.bench.measure.material import SimulatedSource, sources

        if folder is None:
            _compare("sim", [SimulatedSource()], settings, as_json)
        else:
            _compare(str(folder), sources(folder), settings, as_json)


def _films(
    plans: list[FilmPlan], settings: BenchSettings, keep: Path | None, as_json: bool
) -> None:
    from deploy.bench.measure.films import write

    is_drawn = not plans[0].faces
    who = "drawn people" if is_drawn else f"portraits, the half to {plans[0].half} on"
    click.echo(f"roommood: films of {who}", err=True)
    if keep is not None:
        write(keep, plans, PER_SECOND, settings.most)
    else:
        _compare(",".join(str(one.path) for one in plans), plans, settings, as_json)


def _compare(
    name: str, material: Sequence[Material], settings: BenchSettings, as_json: bool
) -> None:
    from deploy.bench.measure.run import compare
    from deploy.bench.measure.show import table

    figures = compare(name, material, settings)
    click.echo(json.dumps(figures) if as_json else table(figures))


def _selection(
    detector: str, detector_model: Path | None, model: str, frames: int, window: float
) -> BenchSettings:
    from deploy.bench.measure.pipelines import BenchSettings
    from edge.config import FacesSettings

    faces: dict[str, Any] = {"detector": detector, "model": detector_model}
    return BenchSettings(FacesSettings.model_validate(faces), model, PER_SECOND, window, frames)


def _tune(settings: BenchSettings) -> None:
    import yaml

    from deploy.bench.measure.machine import describe, tune

    machine = describe()
    click.echo(f"# for {machine['machine']}, {machine['cores']} cores, {machine['runtime']}")
    click.echo(yaml.safe_dump(tune(settings), sort_keys=False), nl=False)


def _write(path: Path, folder: Path, settings: BenchSettings) -> None:
    """A page of all sets below a folder, of growth, and of the agent itself."""
    from deploy.bench.measure.agent import figures
    from deploy.bench.measure.growth import cost, rooms
    from deploy.bench.measure.machine import describe
    from deploy.bench.measure.material import sources
    from deploy.bench.measure.run import compare, in_a_process
    from deploy.bench.measure.show import page, table

    sets = []
    for one in sorted(place for place in folder.iterdir() if place.is_dir()):
        if any(one.glob("*.truth.json")) or (one.name.startswith(("photos", "rooms"))):
            click.echo(one.name, err=True)
            sets.append((one.name, compare(one.name, sources(one), settings)))
            click.echo(table(sets[-1][1]), err=True)
    growth = [in_a_process(cost, seats, height, settings) for seats, height in rooms()]
    command = f"roommood bench --set {folder} --write {path}"
    path.write_text(
        page(command, describe(), sets, growth, figures(settings.model)), encoding="utf-8"
    )


@bench.command()
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Seed of the plan of faults.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0.1, 1440),
    default=10,
    show_default=True,
    help="How long to run.",
)
@click.option(
    "--agents",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="How many agents to run.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep logs and data in this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def faults(seed: int, minutes: float, agents: int, state: Path | None, as_json: bool) -> int:
    """Break everything that can break, and count what was lost.

    Agents, Mosquitto and a collector run in processes of their own. They are killed, disconnected,
    filled up, frozen and damaged in turn, as the seed decides. Exit status 1 if a window was lost,
    counted twice or altered, a fault was not recovered from, or a page or lesson was wrong.
    """
    from deploy.bench.faults.run import bench as run

    if state is not None and state.exists() and any(state.iterdir()):
        raise click.UsageError(f"{state}: not empty: choose a new folder with --state.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whatever ends us, all is put away
    figures = run(seed, minutes, agents, state, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:12} {value}")
    wrong = ("lost", "duplicated", "altered", "unrecovered", "wrong")
    return 1 if any(figures[name] for name in wrong) or not figures["windows"] else 0


@bench.command()
@click.option("--windows", type=click.IntRange(1, 100_000), help="Windows to store per second.")
@click.option("--viewers", type=click.IntRange(1, 5000), help="Screens that watch.")
@click.option(
    "--history",
    type=click.IntRange(1000, 100_000_000),
    help="Fill a database with this many windows, and measure start, pages, backup and restore.",
)
@click.option(
    "--flood",
    type=click.IntRange(1, 60_000),
    help="Hold so many idle connections and try 200 sign-ins at once, with 1024 files.",
)
@click.option(
    "--rooms",
    type=click.IntRange(1, 1000),
    default=50,
    show_default=True,
    help="How many rooms publish.",
)
@click.option(
    "--window",
    type=click.FloatRange(1, 3600),
    default=5.0,
    show_default=True,
    help="Window length in seconds.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="How long to publish.",
)
@click.option(
    "--database",
    callback=_as_in_settings,
    help="SQLAlchemy URL of an empty database; SQLite by default.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def collector(
    windows: int | None,
    viewers: int | None,
    history: int | None,
    flood: int | None,
    rooms: int,
    window: float,
    seconds: float,
    database: str | None,
    as_json: bool,
) -> int:
    """Measure a collector on this machine: --windows it stores, --viewers it serves, --history or
    --flood.

    Mosquitto and collector run in processes of their own, and share the machine with the simulated
    devices and screens. Exit status 1 if a window was lost, or not shown, or a flood was noticed: a
    page within 1 s (95th percentile), health within 1 s, 512 MB, 1 MB of log.
    """
    if sum(one is not None for one in (windows, viewers, history, flood)) != 1:
        raise click.UsageError("give --windows, --viewers, --history or --flood.")
    if history is not None:
        from deploy.bench.history.measure import measure as kept

        figures = kept(history, rooms, database, lambda line: click.echo(line, err=True))
        wrong = not figures["one_moment"]
    elif flood is not None:
        from deploy.bench.load.flood import measure as flooded
        from deploy.bench.load.flood import misses

        figures = flooded(flood)
        wrong = bool(misses(figures))
    elif windows is not None:
        from deploy.bench.load.windows import measure as stored

        figures = stored(windows, seconds, database)
        wrong = figures["stored"] != figures["sent"]
    else:
        from deploy.bench.load.viewers import measure as shown

        figures = shown(viewers or 0, rooms, window, seconds)
        wrong = bool(figures["missing"])
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:12} {value}")
    return 1 if wrong else 0


@bench.command()
@click.option(
    "--devices",
    type=click.IntRange(1, 1000),
    default=200,
    show_default=True,
    help="How many devices to enrol.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fleet(devices: int, as_json: bool) -> int:
    """Measure how long many devices take to enrol with one collector, until all publish.

    Mosquitto and collector run in processes of their own; codes, keys, certificates and TLS are
    real, the windows are invented. Exit status 1 if a device does not publish.
    """
    from deploy.bench.load.fleet import measure

    figures = measure(devices)
    if as_json:
        click.echo(json.dumps(figures))
    else:
        for name, value in figures.items():
            click.echo(f"{name:12} {value}")
    return int(figures["publishing"] != devices)
