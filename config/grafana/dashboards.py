"""Grafana's dashboards, made from this table: `make dashboards` writes them beside it.

Each panel is one question to Prometheus. What it asks is tried against a real one by `tests/config/test_dashboards.py`,
so a panel never shows "No data" for want of a metric.
"""

from pathlib import Path

from config.grafana.panels import Dashboard, Panel, text

FOLDER = Path(__file__).parent

LETTERS = Dashboard(
    "exchange-letters",
    "Exchange · Letters",
    (
        (
            "The promise",
            (
                Panel("Late, of the last hour's deliveries", "exchange:late:ratio_rate1h", "percentunit", kind="stat",
                      width=6, about="0.5 % over 30 days is what was promised.", quiet=True, worse=0.005),
                Panel("Overdue", "sum(exchange_overdue)", kind="stat", width=6, quiet=True, worse=1,
                      about="Deliveries that wait behind a deadline now."),
                Panel("Canary's last success",
                      "time() - max(exchange_canary_last_success_timestamp_seconds)", "s", kind="stat", width=6,
                      worse=300, about="Since a letter of the canary was answered; one is written each minute."),
                Panel("Alerts that sound", 'count(ALERTS{alertstate="firing"}) or vector(0)', kind="stat", width=6,
                      worse=1),
                Panel("Deliveries by outcome", "sum by (outcome) (rate(exchange_deliveries_total[$__rate_interval]))",
                      "reqps", "{{outcome}}", width=12),
                Panel("Deadlines that passed", "sum by (stage) (increase(exchange_deadlines_total[$__rate_interval]))",
                      legend="{{stage}}", width=12, quiet=True),
            ),
        ),
        (
            "How long it takes",
            (
                Panel("To the recipient's agent, p50, p95, p99",
                      'label_replace({__name__=~"exchange:delivery_duration_seconds:p.."}, "share", "$1", "__name__",'
                      ' ".*:(p..)")', "s", "{{share}}", width=12),
                Panel("Each stage, p95",
                      "histogram_quantile(0.95, sum by (stage, le)"
                      " (rate(exchange_stage_duration_seconds_bucket[$__rate_interval])))", "s", "{{stage}}", width=12),
                Panel("Canary, p95 by stage",
                      "histogram_quantile(0.95, sum by (stage, le)"
                      " (rate(exchange_canary_duration_seconds_bucket[$__rate_interval])))", "s", "{{stage}}",
                      width=12, about="Since the letter was said; it goes the way of every letter."),
                Panel("Canary's letters by outcome",
                      "sum by (outcome) (increase(exchange_canary_letters_total[$__rate_interval]))",
                      legend="{{outcome}}", width=12),
            ),
        ),
        (
            "What passes",
            (
                Panel("Accepted", "sum by (kind) (rate(exchange_accepted_total[$__rate_interval]))", "reqps",
                      "{{kind}}"),
                Panel("Refused", "sum by (reason) (rate(exchange_rejected_total[$__rate_interval]))", "reqps",
                      "{{reason}}", quiet=True),
                Panel("Where letters are", "sum by (state) (exchange_pending)", legend="{{state}}"),
                Panel("Dead letters in a day", "sum by (reason) (increase(exchange_dead_letters_total[1d]))",
                      legend="{{reason}}", quiet=True, about="Submissions that moved nothing."),
                Panel("Signatures that fail", "exchange:signature_failures:rate5m", "reqps", "{{reason}}", quiet=True),
                Panel("Journal records that stand out", "sum by (code) (increase(exchange_flags_total[1h]))",
                      legend="{{code}}"),
            ),
        ),
    ),
)  # fmt: skip

BODIES = Dashboard(
    "exchange-bodies",
    "Exchange · Bodies",
    (
        (
            "Who waits for whom",
            (
                Panel("Oldest letter that was not fetched",
                      "topk(20, time() - min by (body) (exchange_oldest_undelivered_timestamp_seconds))", "s",
                      "{{body}}", "bargauge", 12, "Its agent is away.", quiet=True, worse=900),
                Panel("Last heard", "topk(20, time() - max by (body) (exchange_consumer_last_seen_timestamp_seconds))",
                      "s", "{{body}}", "bargauge", 12, "The twenty that were silent for longest."),
                Panel("Days that certificates are good for",
                      "bottomk(20, (min by (body, use) (exchange_listed_certificate_expiry_timestamp_seconds)"
                      " - time()) / 86400)", "d", "{{body}} {{use}}", "bargauge", 12, worse=30, falling=True),
                Panel("Inbox read by the agents that we watch",
                      "time() - min by (body) (exchange_agent_inbox_read_timestamp_seconds)", "s", "{{body}}",
                      width=12),
            ),
        ),
        (
            "Agents that we watch",
            (
                Panel("Said, not proven taken", "sum by (body) (exchange_agent_unproven)", legend="{{body}}"),
                Panel("Arrived, not handed over", "sum by (body) (exchange_agent_to_hand_over)", legend="{{body}}"),
                Panel("Waiting for", "sum by (body, code) (exchange_agent_waiting)", legend="{{body}}: {{code}}",
                      quiet=True),
                Panel("Arrived", "sum by (body, kind) (rate(exchange_agent_arrived_total[$__rate_interval]))", "reqps",
                      "{{body}} {{kind}}"),
                Panel("Repeats that were recognised", "sum by (body) (increase(exchange_duplicates_total[1h]))",
                      legend="{{body}}", quiet=True),
                Panel("Put aside", "sum by (body, reason) (increase(exchange_agent_quarantined_total[1h]))",
                      legend="{{body}}: {{reason}}", quiet=True),
            ),
        ),
    ),
)  # fmt: skip

PROCESSES = Dashboard(
    "exchange-processes",
    "Exchange · Processes",
    (
        (
            "All",
            (
                Panel("Up", "up", legend="{{job}} {{instance}}", width=12, worse=1, falling=True),
                Panel("Started since", "time() - process_start_time_seconds", "s", "{{job}} {{instance}}", width=12),
                Panel("CPU", "rate(process_cpu_seconds_total[$__rate_interval])", "percentunit",
                      "{{job}} {{instance}}"),
                Panel("Memory", "process_resident_memory_bytes", "bytes", "{{job}} {{instance}}"),
                Panel("Files open, of those allowed", "process_open_fds / process_max_fds", "percentunit",
                      "{{job}} {{instance}}"),
                Panel("Left on disks", "min by (job, instance, use) (exchange_disk_free_bytes)", "bytes",
                      "{{job}} {{instance}} {{use}}", width=12),
                Panel("Days that their certificates are good for",
                      "(min by (job, use, body) (exchange_certificate_expiry_timestamp_seconds) - time()) / 86400", "d",
                      "{{job}} {{use}} {{body}}", "bargauge", 12, worse=30, falling=True),
            ),
        ),
        (
            "Router and directory",
            (
                Panel("Lanes that are read", "exchange_router_lanes_armed", legend="{{instance}}"),
                Panel("Transactions", "rate(exchange_router_transactions_total[$__rate_interval])", "reqps",
                      "{{instance}}"),
                Panel("Lanes armed anew", "increase(exchange_router_rearmed_total[1h])", legend="{{instance}}"),
                Panel("Version of the directory", "exchange_router_directory_version", legend="{{instance}}"),
                Panel("Directory decides for another",
                      "exchange_router_directory_valid_until_timestamp_seconds - time()", "s", "{{instance}}",
                      worse=7 * 86400, falling=True),
                Panel("Revocation lists overdue", "exchange_router_crls_stale", legend="{{instance}}", quiet=True),
            ),
        ),
        (
            "Tracker",
            (
                Panel("Facts taken", "rate(exchange_facts_total[$__rate_interval])", "reqps", "{{instance}}"),
                Panel("Behind the journal", "exchange_tracker_lag", legend="{{instance}}"),
                Panel("Age of the last record while behind", "exchange_tracker_lag_seconds", "s", "{{instance}}"),
                Panel("Behind the last stable offset", "exchange_journal_unstable_offsets", legend="{{instance}}"),
                Panel("Looked last", "time() - exchange_tracker_progress_timestamp_seconds", "s", "{{instance}}",
                      worse=60),
                Panel("Opened everything anew", "increase(exchange_tracker_failures_total[1h])",
                      legend="{{instance}} {{code}}", quiet=True),
                Panel("Days that the calendar is known for",
                      "(exchange_calendar_end_timestamp_seconds - time()) / 86400", "d", "{{instance}}", worse=60,
                      falling=True),
                Panel("Deadlines not in the journal yet", "exchange_deadlines_unheard", legend="{{instance}}"),
                Panel("Deadlines looked for", "time() - exchange_tracker_through_timestamp_seconds", "s",
                      "{{instance}}", worse=120),
            ),
        ),
        (
            "Archive",
            (
                Panel("Entries taken into the log", "rate(exchange_archive_entries_total[$__rate_interval])", "reqps",
                      "{{instance}}"),
                Panel("Log behind the journal", "exchange_archive_lag", legend="{{instance}}"),
                Panel("Last checkpoint", "time() - exchange_archive_checkpoint_timestamp_seconds", "s", "{{instance}}",
                      worse=900),
                Panel("From acceptance to checkpoint, 99 of 100",
                      "histogram_quantile(0.99, sum by (le) (rate(exchange_archive_delay_seconds_bucket"
                      "[$__rate_interval])))", "s", width=12, worse=5, quiet=True),
                Panel("Opened everything anew, or ended", "increase(exchange_archive_failures_total[1h])",
                      legend="{{instance}} {{code}}", width=12, quiet=True),
            ),
        ),
        (
            "Witnesses",
            (
                Panel("Last checkpoint that counts as witnessed",
                      "time() - exchange_archive_witnessed_timestamp_seconds", "s", "{{instance}}", worse=900),
                Panel("Witnesses' answers", "sum by (witness, outcome) (rate(exchange_witnessing_answers_total"
                      "[$__rate_interval]))", "reqps", "{{witness}} {{outcome}}", quiet=True),
                Panel("Heads that a witness is behind", "scalar(max(exchange_archive_checkpoint_size))"
                      " - exchange_witnessing_cosigned_size", legend="{{witness}}", quiet=True,
                      about="Since it cosigned last; of a witness that this archive has asked."),
                Panel("Say that they know another log", "sum by (witness, outcome) (increase("
                      'exchange_witnessing_answers_total{outcome=~"forked|rolled-back"}[1h]))',
                      legend="{{witness}} {{outcome}}", worse=1, quiet=True),
                Panel("A witness of ours: its answers",
                      "sum by (status) (rate(exchange_witness_answers_total[$__rate_interval]))", "reqps",
                      "{{status}}", quiet=True),
                Panel("A witness of ours: contradictions that it kept",
                      "sum by (kind) (exchange_witness_contradictions)", legend="{{kind}}", worse=1, quiet=True),
                Panel("Proofs that agents read", "sum by (outcome) (increase(exchange_agent_log_proofs_total[1h]))",
                      legend="{{outcome}}", width=12, quiet=True),
                Panel("Oldest statement that no proof covers",
                      "time() - min by (body) (exchange_agent_oldest_unwitnessed_timestamp_seconds)", "s", "{{body}}",
                      width=12, quiet=True, worse=2 * 86400),
            ),
        ),
        (
            "Time-stamps",
            (
                Panel("Newest time-stamp", "time() - (exchange_archive_token_timestamp_seconds > 0)", "s",
                      "{{instance}}", about="None where no authority is named.", quiet=True),
                Panel("Overdue", "clamp_min(time() - (exchange_archive_token_due_timestamp_seconds > 0), 0)", "s",
                      "{{instance}}", quiet=True, worse=7200),
                Panel("Tries that gave none", "sum by (code) (increase(exchange_archive_stamping_failures_total[1h]))",
                      legend="{{code}}", quiet=True),
                Panel("Days until evidence ends",
                      "((exchange_archive_evidence_until_timestamp_seconds > 0) - time()) / 86400", "d",
                      "{{instance}}", about="Unless it is renewed before.", quiet=True,
                      worse=60, falling=True),
                Panel("Days until the newest one's certificates end",
                      "((exchange_archive_token_until_timestamp_seconds > 0) - time()) / 86400", "d", "{{instance}}",
                      quiet=True),
                Panel("Renewals that failed", "sum by (code) (increase(exchange_archive_renewal_failures_total[1h]))",
                      legend="{{code}}", quiet=True, worse=1),
            ),
        ),
        (
            "Console",
            (
                Panel("Requests by answer", "sum by (area, status) (rate(exchange_console_requests_total"
                      "[$__rate_interval]))", "reqps", "{{area}} {{status}}", quiet=True),
                Panel("Open streams", "exchange_console_streams", legend="{{instance}}"),
                Panel("News of letters read last", "time() - exchange_console_changes_read_timestamp_seconds", "s",
                      "{{instance}}", worse=60),
                Panel("Tasks that run", "exchange_tasks_running", legend="{{instance}}"),
                Panel("Since the last result of a task", "time() - exchange_task_progress_timestamp_seconds", "s",
                      "{{instance}}", worse=1200),
                Panel("Items of tasks by result", "sum by (state) (increase(exchange_task_items_total[1h]))",
                      legend="{{state}}"),
            ),
        ),
    ),
)  # fmt: skip

DASHBOARDS = (LETTERS, BODIES, PROCESSES)


if __name__ == "__main__":
    for each in DASHBOARDS:
        (FOLDER / f"{each.uid}.json").write_text(text(each), encoding="utf-8")
