"""What changes in the directory, field by field, for people and for programs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from rich.console import Console

from exchange.cli.directory.certificates import Certificate, described
from exchange.cli.output import shown
from exchange.domain.directory import Body, Contact, Limits, ListedCertificate, Names

_TOLD_ELSEWHERE = frozenset({"code", "change"})


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that changes: values that it has no more, and values that it has from then on."""

    field: str
    gone: tuple[object, ...]
    new: tuple[object, ...]


def differences(before: Body | None, after: Body) -> tuple[Difference, ...]:
    """What an entry says that the one before did not, or says no more; of a new one all that it says."""
    old = {} if before is None else dict(_fields(before))
    return tuple(found for name, new in _fields(after) if (found := difference(name, old.get(name, ()), new)))


def difference(field: str, before: tuple[object, ...], after: tuple[object, ...]) -> Difference | None:
    """What comes and goes among the values of a field; None when nothing does."""
    if before == after:
        return None
    gone = tuple(value for value in before if value not in after)
    new = tuple(value for value in after if value not in before)
    return Difference(field, gone, new) if gone or new else Difference(field, before, after)  # another order


def print_differences(found: Iterable[Difference], console: Console, *, first: bool = False) -> None:
    """Print fields, each old → new, or with a line for each value that goes and that comes.

    Args:
        found: what changes.
        console: where to.
        first: of an entry that has none before it; then there is no old value to be told.
    """
    for each in found:
        gone, new = ([_lines(value) for value in values] for values in (each.gone, each.new))
        if max(len(gone), len(new)) == 1 and all(len(lines) == 1 for lines in (*gone, *new)):
            before, after = (shown(lines[0][0]) if lines else "nothing" for lines in (gone, new))
            console.print(f"  {each.field}: {after if first else f'{before} → {after}'}")
            continue
        console.print(f"  {each.field}:")
        for sign, values in (("−", gone), ("+", new)):
            for lines in values:
                for mark, line in zip((sign, *" " * len(lines)), lines, strict=False):
                    console.print(f"    {mark} {shown(line)}")


def _fields(body: Body) -> Iterator[tuple[str, tuple[object, ...]]]:
    """All values of an entry by field; a field that says nothing has none."""
    for field in fields(Body):
        value = getattr(body, field.name)
        if field.name in _TOLD_ELSEWHERE:
            continue
        if isinstance(value, Names):
            for part in fields(Names):
                yield f"{field.name}.{part.name}", _values(getattr(value, part.name))
        elif isinstance(value, tuple):
            yield field.name, tuple(described(each) if isinstance(each, ListedCertificate) else each for each in value)
        else:
            yield field.name, _values(value)


def _values(value: object) -> tuple[object, ...]:
    return () if value in {None, ""} else (value,)


def _lines(value: object) -> tuple[str, ...]:
    """A value in words, on a line or more."""
    match value:
        case Certificate():
            return value.lines()
        case Contact():
            words = (value.duty, value.name, value.email, value.phone)
            return (", ".join(word for word in words if word),)
        case Limits():
            return (f"{value.bytes_per_second} bytes a second, {value.request_percent} % of a thread",)
        case bytes():
            return (value.hex(),)
    return (str(value),)
