"""A list of planned bodies, as people keep it: a CSV file.

UTF-8, with or without a byte order mark; columns separated by `;` or `,`; a header names them, in any order:

    code         the body's code
    kind         one of `exchange.domain.entry.KINDS`
    name_ky      its name in Kyrgyz, and so on: name_ru, name_en
    soate        14 digits
    parent       code of the body above it, which may stand further down
    gateway      code of the body whose agent is to carry its letters
    identifiers  what document systems write instead of the code; several separated by `|`

Only code, kind, name_ky and name_ru must be there. All that is wrong in a list is told at once, and of a list
with anything wrong nothing is taken.
"""

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from exchange.domain.directory import Body, BodyStatus, Directory, Names
from exchange.domain.entry import Problem, Surroundings, entry_problems
from exchange.domain.ids import is_body_code

NEEDED = ("code", "kind", "name_ky", "name_ru")
COLUMNS = (*NEEDED, "name_en", "soate", "parent", "gateway", "identifiers")
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a list says.

    Attributes:
        bodies: entries that are new, or differ from the directory's; none when there are problems.
        problems: all of them, in the order of the lines.
    """

    bodies: tuple[Body, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the list; `number` of its first one, from 1 on."""

    number: int
    cells: Mapping[str, str]

    def problem(self, column: str, text: str, *, code: str) -> "tuple[int, Problem]":
        return self.number, Problem(code=code, place=f"line {self.number}, column {column}", text=text)


_Found = Iterator[tuple[int, Problem]]


def read_plan(data: bytes, directory: Directory, soate_codes: Collection[str]) -> Plan:
    """Read a list.

    Args:
        data: the file.
        directory: the newest version; who is planned in it may be planned otherwise.
        soate_codes: the codes of the state's list.
    """
    text, found = _decoded(data)
    rows, unreadable = _rows(text)
    found += unreadable
    proposed: dict[str, _Row] = {}
    for row in rows:
        code = row.cells["code"]
        if not is_body_code(code):
            words = f"'{code[:63]}' is no body code: 1-63 of a-z, 0-9 and '-', not starting with 'svc-'"
            found.append(row.problem("code", words, code="body-code-invalid"))
        elif code in proposed:
            words = f"{code} stands in line {proposed[code].number} already"
            found.append(row.problem("code", words, code="code-repeated"))
        else:
            proposed[code] = row
    bodies = {code: _body(row, directory.bodies.get(code)) for code, row in proposed.items()}
    around = Surroundings({**directory.bodies, **bodies}, _owners(directory, bodies), soate_codes)
    for code, row in proposed.items():
        found += _problems(row, bodies[code], directory, around)
    if found:
        return Plan((), tuple(problem for _, problem in sorted(found, key=lambda each: each[0])))
    changed = (body for code, body in bodies.items() if body != _bare(directory.bodies.get(code)))
    return Plan(tuple(changed), ())


def _decoded(data: bytes) -> tuple[str, list[tuple[int, Problem]]]:
    """The text, with marks in place of what is no UTF-8; and where that is."""
    found = []
    for number, line in enumerate(data.removeprefix(BYTE_ORDER_MARK).split(b"\n"), start=1):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            words = f"byte 0x{line[error.start]:02x} is no UTF-8: save the file as UTF-8"
            found.append(
                (number, Problem(code="list-encoding", place=f"line {number}, byte {error.start + 1}", text=words))
            )
    return data.removeprefix(BYTE_ORDER_MARK).decode(errors="replace"), found


def _rows(text: str) -> tuple[list[_Row], list[tuple[int, Problem]]]:
    """The lines under the header, as far as they have its columns."""
    separator = ";" if ";" in text.partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[_Row] = []
    found: list[tuple[int, Problem]] = []
    header: list[str] = []
    number = 1
    try:
        for cells in reader:
            if number == 1:
                header = [cell.strip() for cell in cells]
                found += _header_problems(header)
                if found:
                    break
            elif len(cells) == len(header) and any(cells):
                blank = dict.fromkeys(COLUMNS, "")
                rows.append(
                    _Row(number, blank | {name: cell.strip() for name, cell in zip(header, cells, strict=True)})
                )
            elif any(cells):
                words = f"has {len(cells)} columns, the header {len(header)}"
                found.append((number, Problem(code="list-columns", place=f"line {number}", text=words)))
            number = reader.line_num + 1
    except csv.Error as error:
        found.append((number, Problem(code="list-unreadable", place=f"line {number}", text=f"is no CSV: {error}")))
    return rows, found


def _header_problems(header: list[str]) -> _Found:
    place = "line 1"
    for name in header:
        if name not in COLUMNS or header.count(name) > 1:
            words = f"column '{name[:40]}' is none of {', '.join(COLUMNS)}, or there twice"
            yield 1, Problem(code="list-columns", place=place, text=words)
    missing = [name for name in NEEDED if name not in header]
    if missing:
        yield 1, Problem(code="list-columns", place=place, text=f"the columns {', '.join(missing)} are missing")


def _body(row: _Row, listed: Body | None) -> Body:
    """The entry that a line proposes; what lists do not say stays as it is."""
    cells = row.cells
    names = Names(ky=cells["name_ky"], ru=cells["name_ru"], en=cells["name_en"])
    planned = _bare(listed) or Body(cells["code"], names, cells["kind"], BodyStatus.PLANNED)
    return replace(
        planned,
        names=names,
        kind=cells["kind"],
        uids=tuple(dict.fromkeys(uid.strip() for uid in cells["identifiers"].split("|") if uid.strip())),
        soate=cells["soate"],
        parent=cells["parent"],
        gateway=cells["gateway"],
    )


def _bare(listed: Body | None) -> Body | None:
    """An entry without how it came about."""
    return None if listed is None else replace(listed, change=None)


def _owners(directory: Directory, bodies: Mapping[str, Body]) -> dict[str, str]:
    """Whose identifier each is; of one that stands in several lines the first body's."""
    owners = directory.by_uid()
    for code, body in bodies.items():
        for uid in body.uids:
            owners.setdefault(uid, code)
    return owners


def _problems(row: _Row, body: Body, directory: Directory, around: Surroundings) -> _Found:
    listed = directory.bodies.get(body.code)
    if listed is not None and listed.status is not BodyStatus.PLANNED:
        words = f"{body.code} is in the directory as {listed.status}: take the line out"
        yield row.problem("code", words, code="body-listed")
    for problem in entry_problems(body, around):
        yield row.problem(problem.place, problem.text, code=problem.code)
    if _is_above_itself(body, around.bodies):
        yield row.problem("parent", f"{body.code} would stand above itself", code="parent-unknown")


def _is_above_itself(body: Body, bodies: Mapping[str, Body]) -> bool:
    """Whether the parents of a body, one above the other, lead back to it."""
    seen, above = {body.code}, bodies.get(body.parent)
    while above is not None and above.code not in seen:
        seen.add(above.code)
        above = bodies.get(above.parent)
    return above is not None and above.code == body.code and body.parent != body.code
