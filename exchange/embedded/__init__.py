"""For trying out and for tests, on this machine alone: real servers, an installation on them, a story in it.

Servers: `folders` (where files are), `jars` and `java` (what is run), `broker_files` and `cluster_files`
(what a cluster keeps), `tls`, `processes` and `broker` (how one is run), `kafka` and `postgres` (what
callers use). `class_cache`, `space`, `ports`, `probe`, `locking` help them; `errors` lists what can go
wrong.

Installation: `demo_bodies` (whom it has), `installation` (its files), `roles` (the exchange's own
processes), `bring_up` (all of it together).

Story: `edms` (a document system that writes and answers), `edms_story` and `story_script` (what it says),
`forgery` (a forged letter), `story` (the demo, played to its end).
"""

from exchange.embedded.broker import Broker, BrokerProcess, JavaProgram
from exchange.embedded.class_cache import with_class_cache
from exchange.embedded.folders import cache_folder, state_folder
from exchange.embedded.jars import ensure_jars
from exchange.embedded.java import Java, find_java
from exchange.embedded.kafka import EmbeddedKafka, running_brokers, stop_brokers
from exchange.embedded.postgres import EmbeddedPostgres
from exchange.embedded.tls import ClusterTls

__all__ = [
    "Broker",
    "BrokerProcess",
    "ClusterTls",
    "EmbeddedKafka",
    "EmbeddedPostgres",
    "Java",
    "JavaProgram",
    "cache_folder",
    "ensure_jars",
    "find_java",
    "running_brokers",
    "state_folder",
    "stop_brokers",
    "with_class_cache",
]
