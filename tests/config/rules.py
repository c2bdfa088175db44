"""The rules of `config/prometheus`, and unit tests of them as promtool reads these."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from exchange.resources import resource

FOLDER = resource("config", "prometheus")
RULES = ("recording.yml", "alerts.yml")
_LABEL = re.compile(r"\{\{ \$labels\.(\w+) \}\}")


@cache
def rules(name: str) -> list[dict[str, Any]]:
    """All rules of a file."""
    groups = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> dict[str, dict[str, Any]]:
    """The alerts by their names."""
    return {rule["alert"]: rule for rule in rules("alerts.yml")}


def only(alert: str) -> dict[str, Any]:
    """A file with one alert and what is recorded for it: what all rules make of a case takes ten times as long."""
    rule = alerts()[alert]
    recorded = [each for each in rules("recording.yml") if each["record"] in rule["expr"]]
    return {"groups": [{"name": alert, "rules": [*recorded, rule]}]}


def promtool(*arguments: str, stdin: str = "", folder: Path = FOLDER) -> None:
    """Run promtool; what it does not like is a failure."""
    done = subprocess.run(
        ["promtool", *arguments], input=stdin, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True, slots=True)
class Case:
    """What is the case when an alert must sound, or must not.

    Attributes:
        series: values as promtool writes them, by series; one for each interval.
        at: when it is looked at.
        labels: of each alert that sounds then, beside its severity; none: it is quiet.
        interval: between values, and between looks of the rules.
    """

    series: Mapping[str, str]
    at: str
    labels: tuple[Mapping[str, str], ...] = ()
    interval: str = field(default="1m")

    def unit_test(self, alert: str, file: str) -> dict[str, Any]:
        """As promtool reads it, of the rules in `file`."""
        rule = alerts()[alert]
        expected = [
            {
                "exp_labels": {**rule["labels"], **labels},
                "exp_annotations": {name: _filled(text, labels) for name, text in rule["annotations"].items()},
            }
            for labels in self.labels
        ]
        test = {
            "interval": self.interval,
            "input_series": [{"series": name, "values": values} for name, values in self.series.items()],
            "alert_rule_test": [{"eval_time": self.at, "alertname": alert, "exp_alerts": expected}],
        }
        return {"rule_files": [file], "evaluation_interval": self.interval, "tests": [test]}


def _filled(text: str, labels: Mapping[str, str]) -> str:
    """An annotation as Prometheus fills it in; a label that there is not is empty."""
    return _LABEL.sub(lambda match: labels.get(match[1], ""), text)
