"""The walls of `[tool.importlinter]`, checked in this process: milliseconds for each import."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import grimp
from importlinter.api import read_configuration
from importlinter.contracts.acyclic_siblings import AcyclicSiblingsContract
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.contracts.layers import LayersContract
from importlinter.domain.contract import Contract

from tests.conftest import ROOT

KINDS: dict[str, type[Contract]] = {
    "acyclic_siblings": AcyclicSiblingsContract,
    "forbidden": ForbiddenContract,
    "layers": LayersContract,
}


class Walls:
    """What imports what today, and the contracts that say what may."""

    def __init__(self) -> None:
        configuration = read_configuration(str(ROOT / "pyproject.toml"))
        self._session = configuration["session_options"]
        self.contracts: list[dict[str, Any]] = configuration["contracts_options"]
        self.graph = grimp.build_graph(
            *self._session["root_packages"], include_external_packages=True, cache_dir=None
        )

    def contract(self, name: str) -> dict[str, Any]:
        """The one whose name begins so."""
        (contract,) = (one for one in self.contracts if one["name"].startswith(name))
        return contract

    def broken_contracts(self, contracts: list[dict[str, Any]]) -> list[str]:
        """The names of those that what is imported now breaks."""
        return [one["name"] for one in contracts if not self._is_kept(one)]

    @contextmanager
    def with_import(self, importer: str, target: str) -> Iterator[None]:
        """As if `importer` imported it, which it does not yet."""
        assert target not in self.graph.find_modules_directly_imported_by(importer)
        self.graph.add_import(importer=importer, imported=target)
        try:
            yield
        finally:
            self.graph.remove_import(importer=importer, imported=target)

    def _is_kept(self, options: dict[str, Any]) -> bool:
        contract = KINDS[options["type"]](options["name"], self._session, options)
        changes_graph = options["type"] != "forbidden" or "ignore_imports" in options
        graph = deepcopy(self.graph) if changes_graph else self.graph
        return contract.check(graph, verbose=False).kept
