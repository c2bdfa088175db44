/* Draws pictures from the tables beside them; who has no script has the tables. */
"use strict";

(() => {
  if (!window.uPlot) return;
  const DAY_SECONDS = 86400;
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = (text) => Number(text.replace(/[^0-9.-]/g, ""));

  function draw(place) {
    const body = document.querySelector(`[data-of="${place.dataset.chart}"]`);
    const heads = [...body.closest("table").querySelectorAll("[data-series]")];
    const rows = [...body.rows].reverse();
    const days = rows.map((row) => Date.parse(row.dataset.day + "T00:00:00Z") / 1000);
    const columns = heads.map((head) => rows.map((row) => number(row.cells[head.cellIndex].textContent)));
    const colours = { volume: ink("--heat-3"), late: ink("--late-3"), failed: ink("--bad-ink") };
    const axis = { stroke: ink("--faint"), grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false }, font: "12px Inter Variable, sans-serif" };
    const dates = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: "UTC" });
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", place.dataset.label);
    const chart = new window.uPlot({
      width: place.clientWidth - 12,
      height: 230,
      legend: { live: false },
      tzDate: (at) => window.uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      scales: { x: { range: (_, from, to) => [from - DAY_SECONDS / 2, to + DAY_SECONDS / 2] }, y: { range: (_, __, most) => [0, Math.max(4, most * 1.08)] } },
      axes: [{ ...axis, grid: { show: false }, values: (_, at) => at.map((one) => dates.format(one * 1000)) }, { ...axis, size: 42 }],
      series: [
        { value: (_, at) => (at === null ? "" : dates.format(at * 1000)), label: body.closest("table").querySelector("th").textContent },
        ...heads.map((head) => ({
          label: head.textContent,
          fill: colours[head.dataset.series],
          stroke: colours[head.dataset.series],
          width: 0,
          paths: window.uPlot.paths.bars({ size: [0.7, 28] }),
          points: { show: false },
        })),
      ],
    }, [days, ...columns], place);
    new ResizeObserver(() => chart.setSize({ width: place.clientWidth - 12, height: 230 })).observe(place);
  }

  document.querySelectorAll("[data-chart]").forEach(draw);
})();
