"""Kafka's own jars: fetched once by name and version, used only with the locked digest.

``kafka-4.4.0.lock`` lists coordinates and SHA-256. The folder ``jars`` in the cache holds nothing
but verified files: each is fetched beside it, compared, and renamed into place, so neither a crash
nor a second process can leave half a jar under a jar's name.
"""

import errno
import hashlib
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Protocol

import requests
from jgo.config import GlobalSettings
from jgo.maven import MavenContext

from exchange.embedded.errors import JarCorruptError, NetworkMissingError, SpaceMissingError
from exchange.embedded.locking import exclusive

KAFKA_VERSION = "4.4.0"
_THREADS = 8
_TIMEOUT_SECONDS = 30
_ALL_JARS_BYTES = 45_000_000

type Progress = Callable[[int, int], None]
