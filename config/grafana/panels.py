"""A dashboard and its panels, and the JSON in which Grafana takes them; `dashboards` says which there are."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COLUMNS = 24
SCHEMA_VERSION = 39
"""Of the JSON model, Grafana 11's; later ones read it and write it anew."""
SOURCE = {"type": "prometheus", "uid": "${source}"}


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel.

    Attributes:
        expr: what Prometheus is asked; `$__rate_interval` is Grafana's.
        unit: Grafana's name of it: `s`, `percentunit`, `bytes`, `short`, `reqps`.
        legend: of each series, with `{{label}}`; empty where there is but one.
        kind: `timeseries`, `stat`, `bargauge` or `table`.
        width: of 24 columns.
        about: what it shows, for who does not know.
        quiet: whether a well exchange may have nothing to show there.
        worse: from this value on it is shown in red; None: it is never wrong.
        falling: whether being below `worse` is what is wrong.
    """

    title: str
    expr: str
    unit: str = "short"
    legend: str = ""
    kind: str = "timeseries"
    width: int = 8
    about: str = ""
    quiet: bool = False
    worse: float | None = None
    falling: bool = False


@dataclass(frozen=True, slots=True)
class Dashboard:
    """A dashboard: rows of panels, each row with a heading."""

    uid: str
    title: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]

    @property
    def panels(self) -> Iterator[Panel]:
        """All of them."""
        return (panel for _, panels in self.rows for panel in panels)


def model(dashboard: Dashboard) -> dict[str, Any]:
    """A dashboard as Grafana imports it."""
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["exchange"],
        "timezone": "Asia/Bishkek",
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}]
        },
        "panels": list(_panels(dashboard)),
    }


def text(dashboard: Dashboard) -> str:
    """What the file holds."""
    return json.dumps(model(dashboard), indent=2, ensure_ascii=False) + "\n"


def _panels(dashboard: Dashboard) -> Iterator[dict[str, Any]]:
    """Rows from above, panels from the left; one that does not fit begins a new line."""
    number, y = 0, 0
    for heading, panels in dashboard.rows:
        number += 1
        place = {"x": 0, "y": y, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": heading, "collapsed": False, "gridPos": place, "panels": []}
        x, y, height = 0, y + 1, 0
        for panel in panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + height
            number, height = number + 1, 4 if panel.kind == "stat" else 8
            yield _panel(panel, number, {"x": x, "y": y, "w": panel.width, "h": height})
            x += panel.width
        y += height


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0}
    if panel.worse is not None:
        first, then = ("red", "green") if panel.falling else ("green", "red")
        steps = [{"color": first, "value": None}, {"color": then, "value": panel.worse}]
        defaults |= {"thresholds": {"mode": "absolute", "steps": steps}, "color": {"mode": "thresholds"}}
    if panel.worse is not None and panel.kind == "timeseries":
        defaults |= {"custom": {"thresholdsStyle": {"mode": "line"}}, "color": {"mode": "palette-classic"}}
    instant = panel.kind != "timeseries"
    target = {
        "refId": "A",
        "datasource": SOURCE,
        "expr": panel.expr,
        "legendFormat": panel.legend or panel.title,
        "instant": instant,
        "range": not instant,
    }
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "targets": [target],
    }
