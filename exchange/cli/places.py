"""Where commands find an installation and its configuration files."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from exchange.domain.errors import ConfigurationError
from exchange.embedded.folders import state_folder
from exchange.embedded.installed import Installation
from exchange.embedded.running import is_up
from exchange.settings import AuditorSettings, OperatorSettings, auditor_settings, operator_settings

DEV, DEMO = "dev", "demo"

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Configuration file. Default: that of the installation found on this machine."),
]


def dev_folder(environ: Mapping[str, str]) -> Path:
    """Folder of `exchange dev`."""
    return state_folder(environ) / DEV


def demo_folder(environ: Mapping[str, str]) -> Path:
    """Folder of `exchange demo`."""
    return state_folder(environ) / DEMO


def find_installation(environ: Mapping[str, str]) -> Installation:
    """The installation that commands mean when nobody names one.

    `EXCHANGE_INSTALLATION` names a folder; else one that runs, `dev` before `demo`; else one that
    ran last.

    Raises:
        ConfigurationError: `installation-missing`.
    """
    found = list(_candidates(environ))
    if not found:
        message = "no installation on this machine: start one with `exchange dev up`, or name a file with --config"
        raise ConfigurationError(message, code="installation-missing")
    up = [installation for installation in found if is_up(installation)]
    return up[0] if up else max(found, key=lambda installation: _operator(installation).stat().st_mtime)


def config_file(given: Path | None, role: str, environ: Mapping[str, str]) -> Path:
    """The file given, or the one for `role` of the installation that is found.

    Raises:
        ConfigurationError: `installation-missing`.
    """
    return find_installation(environ).config(role) if given is None else given


def as_operator(given: Path | None) -> OperatorSettings:
    """Settings of the operator's file given, or of the one that is found.

    Raises:
        ConfigurationError: as `config_file`; the file cannot be read.
    """
    return operator_settings(config_file(given, "operator", os.environ), os.environ)


def as_auditor(given: Path | None) -> AuditorSettings:
    """Settings of the auditor's file given, or of the one that is found; raises as `as_operator`."""
    return auditor_settings(config_file(given, "auditor", os.environ), os.environ)


def agent_file(given: Path | None, body: str, environ: Mapping[str, str]) -> Path:
    """The file given, or that of the agent that speaks for `body` in the installation that is found.

    Raises:
        ConfigurationError: `installation-missing`, `body-not-here`.
        DirectoryRefused: the installation's directory cannot be used.
    """
    if given is not None:
        return given
    installation = find_installation(environ)
    served = installation.served()
    if body not in served:
        known = ", ".join(served)
        message = f"{installation.folder} has no agent for {body}, only for {known}: name one, or a file with --config"
        raise ConfigurationError(message, code="body-not-here")
    return installation.config(served[body])


def _candidates(environ: Mapping[str, str]) -> Iterator[Installation]:
    named = environ.get("EXCHANGE_INSTALLATION")
    folders = [Path(named).expanduser()] if named else [dev_folder(environ), demo_folder(environ)]
    for folder in folders:
        installation = Installation.at(folder.absolute())
        if _operator(installation).exists():
            yield installation


def _operator(installation: Installation) -> Path:
    return installation.config("operator")
