"""Messages that say what to do."""

from pathlib import Path

from exchange.embedded.errors import KafkaFailedError, PostgresFailedError


def test_the_end_of_the_log_is_shown(tmp_path: Path) -> None:
    """The last lines and the log's path are in the message, whatever bytes the log has."""
    log = tmp_path / "kafka.log"
    log.write_bytes(b"".join(b"line %d \xff\n" % number for number in range(100)))
    text = str(KafkaFailedError("ended by itself", log))
    assert str(log) in text
    assert "line 99" in text
    assert "line 80" not in text


def test_a_missing_log_is_said(tmp_path: Path) -> None:
    """No log is an answer too."""
    error = PostgresFailedError("did not start", tmp_path / "log")
    assert "It wrote no log" in str(error)
    assert error.code == "embedded-postgresql-failed"
