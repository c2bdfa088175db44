"""The table of all faults."""

from tests.chaos.broker_clocks import compiler
from tests.chaos.faults_certificates import faults_of_certificates
from tests.chaos.faults_disks import NAMES, faults_of_disks
from tests.chaos.faults_limits import faults_of_limits
from tests.chaos.faults_network import faults_of_lines
from tests.chaos.faults_processes import faults_of_processes
from tests.chaos.faults_spools import faults_of_spools
from tests.chaos.nemesis import Fault
from tests.chaos.site import Site


def every_fault(site: Site) -> list[Fault]:
    """Every kind that this machine allows."""
    return [
        *faults_of_processes(site),
        *faults_of_lines(site),
        *faults_of_disks(site),
        *faults_of_spools(site),
        *faults_of_limits(site),
        *faults_of_certificates(site),
    ]


def not_run(site: Site) -> list[str]:
    """Kinds that this machine does not allow, and what would change that."""
    missing = []
    if not site.disks:
        missing += [f"{name}: run as root, or allow unprivileged user namespaces" for name in NAMES]
    if not compiler():
        missing.append("clock stepped, of a broker: apt-get install gcc libc6-dev")
    return missing
