"""What the attacks share: one site with a real broker, TLS and ACL; one school with people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fleet import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all files, whose tests keep to rooms of their own."""
    with Site(tmp_path_factory.mktemp("site")) as new_site:
        yield new_site
