"""What the tests of embedded servers share: Kafka's program, identities, clients."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from exchange import system
from exchange.embedded import ClusterTls, JavaProgram, cache_folder, ensure_jars, find_java, with_class_cache
from exchange.security.authority import Authority
from tests.plugin_kafka import SHORT_LIVED


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A development authority of this test run."""
    return Authority(tmp_path_factory.mktemp("authority"), now=system.now())


@pytest.fixture(scope="session")
def tls(authority: Authority) -> ClusterTls:
    """Identities of brokers and administrator."""
    return ClusterTls(authority.broker(), authority.service("svc-admin"), authority.transport_root)


@pytest.fixture(scope="session")
def program(tls: ClusterTls) -> JavaProgram:
    """Kafka's program from the user's cache, which is filled when it is empty."""
    cache = cache_folder(os.environ)
    program = with_class_cache(JavaProgram(find_java(os.environ), ensure_jars(cache)), cache, tls)
    return replace(program, options=SHORT_LIVED)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a cluster, with a name that needs escapes in Java properties."""
    return tmp_path / "кластер №1 = a"
