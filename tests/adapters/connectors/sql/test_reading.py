"""Rows that are no packages, and files too large for one piece."""

import pytest

from adapters.connectors import packages
from adapters.connectors.sql import reading
from adapters.connectors.sql.tables import Outbox
from tests.adapters.connectors.contract.sql import SqlSystem
from tests.adapters.connectors.contract.systems import names

XML = '<?xml version="1.0" encoding="windows-1251"?><a>Приказ</a>'


@pytest.mark.server
def test_large_files_come_in_pieces(postgresql: SqlSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's driver would hold them several times; not a byte is lost at the seams."""
    monkeypatch.setattr(reading, "_SLICE", 7)
    files = {f"{size}.bin": bytes(range(size)) for size in (0, 6, 7, 8, 14, 50)}
    postgresql.put("1", files, 1)
    assert [dict(package.files) for package in postgresql.connector().collect(1)] == [files]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"a.xml": b"x" * 60, "b.xml": b"x" * 60}, "package-too-large"),
        ({"a.xml": b"1", "b.xml": b"2", "c.xml": b"3"}, "package-too-large"),
        ({"CON": b"1"}, "file-name-unsafe"),
        ({"document.xml": b"1"}, "file-name-repeated"),
    ],
)
def test_bad_rows_are_quarantined(
    sqlite: SqlSystem, monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes], code: str
) -> None:
    """By their sizes before anything of them is fetched; by their names."""
    monkeypatch.setattr(packages, "PACKAGE_BYTES", 100)
    monkeypatch.setattr(packages, "PACKAGE_FILES", 2)
    sqlite.run("ALTER TABLE exchange_outbox ADD COLUMN xml TEXT")
    sqlite.put("1", files, 1)
    sqlite.run("UPDATE exchange_outbox SET xml = '<a/>'" if code == "file-name-repeated" else "SELECT 1")
    assert names(sqlite.connector(outbox=Outbox(document="xml"))) == []
    assert f"({code})" in sqlite.refused()["1"]


def test_text_that_its_encoding_does_not_know_is_quarantined(sqlite: SqlSystem) -> None:
    """Kyrgyz letters in what says that it is windows-1251."""
    sqlite.run("ALTER TABLE exchange_outbox ADD COLUMN xml TEXT", "INSERT INTO exchange_outbox (id) VALUES (1)")
    sqlite.run("UPDATE exchange_outbox SET xml = :xml", xml=XML.replace("Приказ", "Өтүнүч"))
    assert names(sqlite.connector(outbox=Outbox(document="xml"))) == []
    assert "(document-encoding)" in sqlite.refused()["1"]


def test_a_number_is_no_file(sqlite: SqlSystem) -> None:
    """SQLite lets it stand where bytes should be; so many zeros nobody has room for."""
    sqlite.put("1", {"a.xml": b"<a/>"}, 1)
    sqlite.run("UPDATE exchange_outbox_file SET content = 1000000000000")
    assert names(sqlite.connector()) == []
    assert "(package-unsound)" in sqlite.refused()["1"]
