"""The files of a row, fetched within bounds."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from adapters.connectors.packages import PACKAGE_FILES, check_size
from adapters.connectors.sql.tables import Found
from adapters.connectors.sql.values import to_bytes
from adapters.formats.files import check_name
from exchange.domain.errors import DocumentError

_SLICE = 4 * 1024 * 1024
"""Fetched at once from PostgreSQL, whose driver holds a value several times, once of them in hexadecimal."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """Where a file is: a column of one row, with so many bytes (or characters) in it."""

    name: str
    column: sa.Column[Any]
    row: sa.ColumnElement[bool]
    size: int

    def fetch(self, connection: sa.Connection) -> Any:
        if connection.dialect.name != "postgresql" or self.size <= _SLICE:
            return connection.scalar(sa.select(self.column).where(self.row))
        starts = range(1, self.size + 1, _SLICE)
        pieces: list[Any] = [connection.scalar(sa.select(self._slice(start)).where(self.row)) for start in starts]
        return pieces[0][:0].join(pieces)

    def _slice(self, start: int) -> sa.ColumnElement[Any]:
        return sa.func.substring(self.column, start, _SLICE, type_=self.column.type)


def read_files(
    connection: sa.Connection, out: Found, contents: Found, ident: Any, document_name: str
) -> dict[str, bytes]:
    """The files of the package `ident`, none of which is fetched before the sizes of all are known.

    Raises:
        DocumentError: `package-too-large`, `file-name-unsafe`, `file-name-repeated`, `document-encoding`.
    """
    cells = list(_cells(connection, out, contents, ident, document_name))
    check_size(sum(cell.size for cell in cells), len(cells), str(ident))
    names = [check_name(cell.name, str(ident)) for cell in cells]
    if len(set(names)) < len(names):
        message = "two files have the same name: rename one of them"
        raise DocumentError(message, code="file-name-repeated", place=str(ident))
    return {cell.name: to_bytes(cell.fetch(connection), f"{ident}/{cell.name}") for cell in cells}


def _cells(connection: sa.Connection, out: Found, contents: Found, ident: Any, document_name: str) -> Iterator[_Cell]:
    """The document where it has a column of its own, then the rows of files."""
    if "document" in out.columns:
        row = out["id"] == ident
        size = connection.scalar(sa.select(sa.func.length(out["document"])).where(row))
        if size is not None:
            yield _Cell(document_name, out["document"], row, size)
    of_package = contents["package"] == ident
    sizes = sa.select(contents["name"], sa.func.length(contents["content"])).where(of_package)
    for name, size in connection.execute(sizes.order_by(contents["name"]).limit(PACKAGE_FILES + 1)):
        yield _Cell(str(name or ""), contents["content"], sa.and_(of_package, contents["name"] == name), size or 0)
