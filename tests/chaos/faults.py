"""The table of all faults."""

from tests.chaos.faults_processes import faults_of_processes
from tests.chaos.nemesis import Fault
from tests.chaos.site import Site


def every_fault(site: Site) -> list[Fault]:
    """Every kind that this machine allows."""
    return [*faults_of_processes(site)]
