"""What makes each alert sound, and what is so near to it that it must not.

Series are written as promtool reads them: `1+2x3` is 1, 3, 5, 7, a value each `interval`.
Times begin at 0, so `time()` is the age of the case.
"""

from tests.config.rules import Case

LATE = 'exchange_deliveries_total{outcome="late"}'
ON_TIME = 'exchange_deliveries_total{outcome="on_time"}'
SEEN = "exchange_consumer_last_seen_timestamp_seconds"
JOBS = ("directory", "router", "tracker", "archive", "console", "canary", "echo")


def up(**values: str) -> dict[str, str]:
    """Every job answers, but for those whose values are given; an empty one is not there."""
    series = {f'up{{job="{job}",instance="{job}:9100"}}': values.get(job, "1x30") for job in JOBS}
    return {name: value for name, value in series.items() if value}


def target(metric: str, job: str = "router") -> str:
    """A series of one process."""
    return f'{metric}{{job="{job}",instance="{job}:9100"}}'


SOUNDS: dict[str, Case] = {
    # 10 of 100 late each minute: 10 % > 7.2 %
    "ExchangeBudgetBurnFast": Case({LATE: "0+10x70", ON_TIME: "0+90x70"}, "65m", ({},)),
    # 4 of 100: above 3 %
    "ExchangeBudgetBurn": Case({LATE: "0+40x37", ON_TIME: "0+960x37"}, "370m", ({},), interval="10m"),
    "ExchangeBudgetBurnSlow": Case({LATE: "0+20x150", ON_TIME: "0+980x150"}, "1500m", ({},), interval="10m"),
    "ExchangeOverdue": Case(
        {'exchange_overdue{stage="deliver"}': "0x5 1x20", 'exchange_overdue{stage="reply"}': "9x30"},
        "15m",
        ({"stage": "deliver"},),
    ),
    "ExchangeAnswersOverdue": Case({'exchange_overdue{stage="register"}': "3x90"}, "80m", ({"stage": "register"},)),
    "ExchangeLettersWait": Case(
        {'exchange_oldest_undelivered_timestamp_seconds{body="mfa"}': "60x40"}, "25m", ({"body": "mfa"},)
    ),
    # heard each hour for a day, then for eight days not at all
    "ExchangeBodySilent": Case(
        {f'{SEEN}{{body="mfa"}}': "0+3600x24 86400x200"}, "190h", ({"body": "mfa"},), interval="1h"
    ),
    "ExchangeCanaryFailing": Case(
        {
            target("exchange_canary_last_success_timestamp_seconds", "canary"): "60x20",
            target("process_start_time_seconds", "canary"): "0x20",
        },
        "7m",
        ({"job": "canary", "instance": "canary:9100"},),
    ),
    "ExchangeCalendarEnds": Case(
        {target("exchange_calendar_end_timestamp_seconds", "tracker"): "5000000x90"},
        "70m",
        ({"job": "tracker", "instance": "tracker:9100"},),
    ),
    "ExchangeTasksStuck": Case(
        {
            target("exchange_tasks_running", "console"): "1x40",
            target("exchange_task_progress_timestamp_seconds", "console"): "60x40",
        },
        "30m",
        ({"job": "console", "instance": "console:9100"},),
    ),
    "ExchangeConsoleStale": Case(
        {target("exchange_console_changes_read_timestamp_seconds", "console"): "60x20"},
        "10m",
        ({"job": "console", "instance": "console:9100"},),
    ),
    # one of ten
    "ExchangeConsoleFailing": Case(
        {
            'exchange_console_requests_total{area="pages",status="500"}': "0+6x30",
            'exchange_console_requests_total{area="pages",status="200"}': "0+54x30",
        },
        "25m",
        ({"area": "pages"},),
    ),
    "ExchangeJournalDamaged": Case(
        {'exchange_flags_total{code="journal-unreadable"}': "0x5 1x20"},
        "10m",
        ({"code": "journal-unreadable"},),
    ),
    "ExchangeVerificationFound": Case(
        {
            target("exchange_log_last_verified_timestamp_seconds", "console"): "60x20",
            target("exchange_log_last_found_timestamp_seconds", "console"): "0x5 300x20",
        },
        "10m",
        ({},),
    ),
    "ExchangeVerificationStale": Case(
        {target("exchange_log_last_verified_timestamp_seconds", "console"): "60x230"}, "220h", ({},), interval="1h"
    ),
    "ExchangeSignatureFailures": Case(
        {'exchange_dead_letters_total{reason="signature-invalid"}': "0x60 0+60x30"}, "80m", ({},)
    ),
    "ExchangeDeadLettersNotShrinking": Case(
        {'exchange_dead_letters_total{reason="unreadable"}': "0+6x60"}, "50h", ({},), interval="1h"
    ),
    "ExchangeCertificateExpires": Case(
        {'exchange_listed_certificate_expiry_timestamp_seconds{body="mfa",use="statement"}': "2500000x90"},
        "70m",
        ({"body": "mfa", "use": "statement"},),
    ),
    "ExchangeDirectoryStale": Case(
        {target("exchange_directory_fresh_until_timestamp_seconds"): "600x60"}, "40m", ({"job": "router"},)
    ),
    "ExchangeRevocationListsStale": Case({target("exchange_router_crls_stale"): "1x40"}, "20m", ({"job": "router"},)),
    "ExchangeLogContradicts": Case(
        {
            target("exchange_witness_contradictions", "witness")[:-1] + ',kind="split"}': "0x5 1x5",
            target("exchange_witnessing_answers_total", "archive")[:-1] + ',outcome="forked"}': "0x5 1x5",
            target("exchange_agent_log_contradictions", "agent"): "0x5 1x5",
        },
        "8m",
        ({"job": "witness"}, {"job": "archive"}, {"job": "agent"}),
    ),
    "ExchangeCheckpointUnproven": Case(
        {target("exchange_witness_contradictions", "witness")[:-1] + ',kind="unproven"}': "0x5 1x5"},
        "8m",
        ({"job": "witness"},),
    ),
    "ExchangeStatementsUnwitnessed": Case(
        {'exchange_agent_oldest_unwitnessed_timestamp_seconds{body="mfa"}': "3600x90"},
        "80h",
        ({"body": "mfa"},),
        interval="1h",
    ),
    "ExchangeWitnessAway": Case(
        {
            'exchange_witnessing_answers_total{witness="justice",outcome="cosigned"}': "0+1x10 10x60",
            'exchange_witnessing_answers_total{witness="justice",outcome="away"}': "0x10 0+1x60",
        },
        "65m",
        ({"witness": "justice"},),
    ),
    "ExchangeCheckpointsUnwitnessed": Case(
        {target("exchange_archive_witnessed_timestamp_seconds", "archive"): "60x40"},
        "25m",
        ({"job": "archive", "instance": "archive:9100"},),
    ),
    "ExchangeArchiveStandsStill": Case(
        {
            target("exchange_archive_progress_timestamp_seconds", "archive"): "0+60x40",  # it reads, and signs nothing
            target("exchange_archive_checkpoint_timestamp_seconds", "archive"): "60x40",
        },
        "25m",
        ({"job": "archive", "instance": "archive:9100"},),
    ),
    "ExchangeCheckpointsUnstamped": Case(
        {target("exchange_archive_token_due_timestamp_seconds", "archive"): "60x140"},
        "130m",
        ({"job": "archive", "instance": "archive:9100"},),
    ),
    "ExchangeEvidenceEnds": Case(
        {target("exchange_archive_evidence_until_timestamp_seconds", "archive"): "5000000x90"},
        "70m",
        ({"job": "archive", "instance": "archive:9100"},),
    ),
    "ExchangePublicationBehind": Case(
        {target("exchange_archive_publication_timestamp_seconds", "archive"): "60x140"},
        "100m",
        ({"job": "archive", "instance": "archive:9100"},),
    ),
    "ExchangeTargetAbsent": Case(
        up(router="1x5 0x20", archive="", console=""),
        "15m",
        ({"job": "router"}, {"job": "archive"}, {"job": "console"}),
    ),
    "ExchangeInstanceDown": Case(
        {**up(), 'up{job="router",instance="other:9100"}': "0x30"},
        "20m",
        ({"job": "router", "instance": "other:9100"},),
    ),
    "ExchangeLanesUnserved": Case(
        {target("exchange_router_lanes"): "4x20", target("exchange_router_lanes_armed"): "4x5 3x20"}, "15m", ({},)
    ),
    "ExchangeJournalHeldUp": Case(
        {target("exchange_journal_unstable_offsets", "tracker"): "0x5 10+10x20"},
        "15m",
        ({"job": "tracker", "instance": "tracker:9100"},),
    ),
    "ExchangeTrackerStandsStill": Case(
        {target("exchange_tracker_progress_timestamp_seconds", "tracker"): "60x20"},
        "10m",
        ({"job": "tracker", "instance": "tracker:9100"},),
    ),
    "ExchangeDiskLow": Case(
        {'exchange_disk_free_bytes{instance="a",use="spool"}': "4000000000x60"},
        "45m",
        ({"instance": "a", "use": "spool"},),
    ),
    "ExchangeAgentUnproven": Case(
        {'exchange_agent_oldest_unproven_timestamp_seconds{body="mfa"}': "60x30"}, "20m", ({"body": "mfa"},)
    ),
    "ExchangeDocumentSystemAway": Case(
        {'exchange_agent_oldest_to_hand_over_timestamp_seconds{body="mfa"}': "60x40"}, "30m", ({"body": "mfa"},)
    ),
}

QUIET: dict[str, tuple[Case, ...]] = {
    "ExchangeBudgetBurnFast": (
        Case({LATE: "0+5x70", ON_TIME: "0+95x70"}, "65m"),  # 5 % burns slower
        Case({LATE: "0+10x60 600x20", ON_TIME: "0+90x80"}, "75m"),  # over for a quarter of an hour
        Case({LATE: "0x40 0+1x3 3x30", ON_TIME: "0+0x70"}, "45m"),  # three letters of one quiet night
    ),
    "ExchangeBudgetBurn": (Case({LATE: "0+20x37", ON_TIME: "0+980x37"}, "370m", interval="10m"),),
    "ExchangeBudgetBurnSlow": (
        Case({LATE: "0+1x150", ON_TIME: "0+999x150"}, "1500m", interval="10m"),
        Case({LATE: "0+100x2 200x160", ON_TIME: "0+980x160"}, "1500m", interval="10m"),  # bad minutes a day ago
    ),
    "ExchangeOverdue": (
        Case({'exchange_overdue{stage="deliver"}': "0x5 1x3 0x20"}, "15m"),
        Case({'exchange_overdue{stage="reply"}': "9x30"}, "15m"),
    ),
    "ExchangeAnswersOverdue": (Case({'exchange_overdue{stage="deliver"}': "3x90"}, "80m"),),
    "ExchangeLettersWait": (Case({'exchange_oldest_undelivered_timestamp_seconds{body="mfa"}': "60+60x40"}, "25m"),),
    "ExchangeBodySilent": (
        Case({f'{SEEN}{{body="mfa"}}': "0+3600x200"}, "190h", interval="1h"),  # heard all the time
        Case({f'{SEEN}{{body="mfa"}}': "600x200"}, "190h", interval="1h"),  # silent a week ago, too
    ),
    "ExchangeCanaryFailing": (
        Case(
            {
                target("exchange_canary_last_success_timestamp_seconds", "canary"): "0+60x20",
                target("process_start_time_seconds", "canary"): "0x20",
            },
            "15m",
        ),
        Case({target("process_start_time_seconds", "canary"): "600x20"}, "12m"),  # just started
    ),
    "ExchangeCalendarEnds": (
        Case({target("exchange_calendar_end_timestamp_seconds", "tracker"): "5300000x90"}, "70m"),
        Case({target("exchange_calendar_end_timestamp_seconds", "tracker"): "0x90"}, "70m"),  # there is none
    ),
    "ExchangeTasksStuck": (
        Case(
            {
                target("exchange_tasks_running", "console"): "1x40",
                target("exchange_task_progress_timestamp_seconds", "console"): "0+60x40",
            },
            "30m",
        ),
        Case(
            {
                target("exchange_tasks_running", "console"): "0x40",
                target("exchange_task_progress_timestamp_seconds", "console"): "60x40",
            },
            "30m",
        ),
    ),
    "ExchangeConsoleStale": (
        Case({target("exchange_console_changes_read_timestamp_seconds", "console"): "0+60x20"}, "10m"),
    ),
    "ExchangeConsoleFailing": (
        Case(
            {
                'exchange_console_requests_total{area="pages",status="500"}': "0+1x30",
                'exchange_console_requests_total{area="pages",status="200"}': "0+54x30",
            },
            "25m",
        ),
        Case({'exchange_console_requests_total{area="api",status="503"}': "0 1 2 2x30"}, "25m"),  # two, at night
    ),
    "ExchangeJournalDamaged": (
        Case({'exchange_flags_total{code="journal-unreadable"}': "0x40"}, "30m"),
        Case({'exchange_flags_total{code="letter-repeated"}': "0+1x40"}, "30m"),
    ),
    "ExchangeVerificationFound": (
        Case(
            {
                target("exchange_log_last_verified_timestamp_seconds", "console"): "60x5 360x20",  # it holds again
                target("exchange_log_last_found_timestamp_seconds", "console"): "300x25",
            },
            "10m",
        ),
        Case(
            {
                target("exchange_log_last_verified_timestamp_seconds", "console"): "0x20",  # nobody looked yet
                target("exchange_log_last_found_timestamp_seconds", "console"): "0x20",
            },
            "10m",
        ),
    ),
    "ExchangeVerificationStale": (
        Case(
            {
                target("exchange_log_last_verified_timestamp_seconds", "console"): "60x150 540000x150",
                target("exchange_log_last_verified_timestamp_seconds", "console").replace(":9100", ":9101"): "60x300",
            },
            "290h",
            interval="1h",
        ),
        Case({target("exchange_log_last_verified_timestamp_seconds", "console"): "0x300"}, "200h", interval="1h"),
    ),
    "ExchangeSignatureFailures": (
        Case({'exchange_dead_letters_total{reason="signature-invalid"}': "0+1x100"}, "80m"),  # one a minute
        Case(
            {'exchange_dead_letters_total{reason="signature-invalid"}': "0+600x150"}, "1460m", interval="10m"
        ),  # as all day
        Case({'exchange_dead_letters_total{reason="unreadable"}': "0x60 0+60x30"}, "80m"),
    ),
    "ExchangeDeadLettersNotShrinking": (
        Case({'exchange_dead_letters_total{reason="unreadable"}': "0+54x24 1300+6x50"}, "48h", interval="1h"),
        Case({'exchange_dead_letters_total{reason="unreadable"}': "5x60"}, "50h", interval="1h"),
    ),
    "ExchangeCertificateExpires": (
        Case(
            {
                'exchange_listed_certificate_expiry_timestamp_seconds{body="mfa",use="statement"}': "2700000x90",
                'exchange_certificate_expiry_timestamp_seconds{job="router",use="next-statement",body="mfa"}': "0x90",
            },
            "70m",
        ),
    ),
    "ExchangeDirectoryStale": (
        Case(
            {
                target("exchange_directory_fresh_until_timestamp_seconds"): "86400x60",
                target("exchange_router_directory_valid_until_timestamp_seconds"): "900000x60",
            },
            "40m",
        ),
    ),
    "ExchangeRevocationListsStale": (
        Case({target("exchange_router_crls_stale"): "0x40", 'exchange_router_crls_refused{code="x"}': "0x40"}, "20m"),
    ),
    "ExchangeLogContradicts": (
        Case({target("exchange_witness_contradictions", "witness")[:-1] + ',kind="unproven"}': "1x10"}, "8m"),
        Case({'exchange_witnessing_answers_total{witness="justice",outcome="away"}': "0+1x10"}, "8m"),
    ),
    "ExchangeCheckpointUnproven": (
        Case({target("exchange_witness_contradictions", "witness")[:-1] + ',kind="split"}': "1x10"}, "8m"),
    ),
    "ExchangeStatementsUnwitnessed": (
        # each is covered in its time
        Case({'exchange_agent_oldest_unwitnessed_timestamp_seconds{body="mfa"}': "0+3600x90"}, "80h", interval="1h"),
    ),
    "ExchangeWitnessAway": (
        # now and then is enough
        Case(
            {
                'exchange_witnessing_answers_total{witness="justice",outcome="cosigned"}': "0x20 1x20 2x40",
                'exchange_witnessing_answers_total{witness="justice",outcome="away"}': "0+1x80",
            },
            "50m",
        ),
    ),
    "ExchangeCheckpointsUnwitnessed": (
        Case({target("exchange_archive_witnessed_timestamp_seconds", "archive"): "0+60x40"}, "25m"),
    ),
    "ExchangeArchiveStandsStill": (
        Case(
            {
                target("exchange_archive_progress_timestamp_seconds", "archive"): "0+60x40",
                target("exchange_archive_checkpoint_timestamp_seconds", "archive"): "0x8 480+60x40",
            },
            "25m",
        ),
    ),
    "ExchangeCheckpointsUnstamped": (
        # an authority that is away for an hour, and a process that has no checkpoint yet
        Case({target("exchange_archive_token_due_timestamp_seconds", "archive"): "60x60 7200x90"}, "130m"),
        Case({target("exchange_archive_token_due_timestamp_seconds", "archive"): "0x140"}, "130m"),
    ),
    "ExchangeEvidenceEnds": (
        # a year away, and an archive that has no time-stamp yet
        Case({target("exchange_archive_evidence_until_timestamp_seconds", "archive"): "31536000x90"}, "70m"),
        Case({target("exchange_archive_evidence_until_timestamp_seconds", "archive"): "0x90"}, "70m"),
    ),
    "ExchangePublicationBehind": (
        # a store that is away for an hour and a quarter, and a process that has just begun
        Case({target("exchange_archive_publication_timestamp_seconds", "archive"): "60x75 4500x90"}, "150m"),
        Case({target("exchange_archive_publication_timestamp_seconds", "archive"): "_x70 0x10 4800x30"}, "100m"),
    ),
    "ExchangeTargetAbsent": (
        Case(up(), "15m"),
        Case({**up(), 'up{job="router",instance="other:9100"}': "0x30"}, "15m"),  # the other one goes on
    ),
    "ExchangeInstanceDown": (Case(up(), "20m"), Case(up(router="1x10 0x5 1x20"), "20m")),
    "ExchangeLanesUnserved": (
        Case({target("exchange_router_lanes"): "4x20", target("exchange_router_lanes_armed"): "4x20"}, "15m"),
    ),
    "ExchangeJournalHeldUp": (
        Case({target("exchange_journal_unstable_offsets", "tracker"): "0 10 20 0 10 20 0 10 20 0 10 20"}, "10m"),
    ),
    "ExchangeTrackerStandsStill": (
        Case({target("exchange_tracker_progress_timestamp_seconds", "tracker"): "0+60x20"}, "10m"),
    ),
    "ExchangeDiskLow": (
        Case(
            {
                'exchange_disk_free_bytes{instance="a",use="spool"}': "9000000000x60",
                'node_filesystem_avail_bytes{instance="a",fstype="ext4"}': "50x60",
                'node_filesystem_size_bytes{instance="a",fstype="ext4"}': "100x60",
            },
            "45m",
        ),
    ),
    "ExchangeAgentUnproven": (
        Case({'exchange_agent_oldest_unproven_timestamp_seconds{body="mfa"}': "0+60x30"}, "20m"),
    ),
    "ExchangeDocumentSystemAway": (
        Case({'exchange_agent_oldest_to_hand_over_timestamp_seconds{body="mfa"}': "0+60x40"}, "30m"),
    ),
}
