"""Reports on documents' own signatures, as lines for people."""

from collections.abc import Mapping
from types import MappingProxyType

from exchange.cli.output import shown
from exchange.cli.words import local
from exchange.security.documents import SignatureReport, SignatureStatus

_STYLES: Mapping[SignatureStatus, str] = MappingProxyType(
    dict.fromkeys(SignatureStatus, "yellow")
    | {SignatureStatus.VALID: "green"}
    | dict.fromkeys((SignatureStatus.ALTERED, SignatureStatus.INVALID), "red")
)


def signature_line(report: SignatureReport) -> str:
    """The file, what became of its signature and why, by whom, when and how."""
    word = f"[{_STYLES[report.status]}]{report.status}[/]" + (f" ({report.reason})" if report.reason else "")
    said = (
        shown(report.signer) or "signer unnamed",
        "" if report.signed_at is None else local(report.signed_at),
        report.algorithm,
    )
    return f"{shown(report.file)}: signature {word}, {', '.join(filter(None, said))}"
