"""What must be at the brokers, as settings and a version of the directory say."""

from exchange.domain.directory import Directory
from exchange.services.reconcile.wanted import Wanted, wanted
from exchange.settings import DirectoryServiceSettings, OperatorSettings
from exchange.settings.quotas import read_allowances


def must_be(settings: OperatorSettings | DirectoryServiceSettings, directory: Directory) -> Wanted:
    """Topics, rights and quotas.

    Raises:
        ConfigurationError: the quotas file cannot be used.
    """
    shape = settings.shape(directory.lanes, directory.journal_partitions)
    return wanted(directory, shape, read_allowances(settings.quotas))
