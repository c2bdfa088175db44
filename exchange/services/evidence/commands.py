"""Commands by which anybody checks a package with tools that are not ours; a shell runs them as they are printed."""

from dataclasses import dataclass
from shlex import quote

from exchange.services.evidence.container import MANIFEST, SIGNATURE, STATEMENT, TIMESTAMP
from exchange.services.evidence.package import ISSUERS, LOG_POLICY, Case

UNPACKED = "case"
AUTHORITY_ROOT = "tsa-root.crt.pem"
"""The root that the time-stamping authority publishes; whoever checks has it from there."""
FIRST_ROOT = "1.root.json"
"""The exchange's first trust root; whoever checks has it from elsewhere than the package."""

DSS = "eu.europa.ec.joinup.sd-dss"
LIBRARIES = (
    *(
        f"{DSS}:{name}:6.3"
        for name in (
            "dss-asic-cades",
            "dss-cms-object",
            "dss-crl-parser-stream",
            "dss-evidence-record-asn1",
            "dss-policy-crypto-xml",
            "dss-policy-jaxb",
            "dss-utils-apache-commons",
            "dss-validation",
        )
    ),
    "org.eclipse.jdt:ecj:3.40.0",
    "org.slf4j:slf4j-nop:2.0.17",
)
"""By Maven's coordinates what `verify/java/pom.xml` asks for; the compiler is among them, so any Java runtime does."""


@dataclass(frozen=True, slots=True)
class Commands:
    """What to type, in this order, beside the package.

    Attributes:
        unpack: takes the package apart, its statements too.
        signatures: each says `CMS Verification successful`.
        time_stamps: each says `Verification: OK`; none without a time-stamp.
        whole: the independent verifier, which looks at everything.
        java: fetches the EU's validator DSS and Bouncy Castle, compiles a program of theirs and ours, and runs it.
    """

    unpack: tuple[str, ...]
    signatures: tuple[str, ...]
    time_stamps: tuple[str, ...]
    whole: str
    java: tuple[str, ...]


def commands(case: Case, package: str) -> Commands:
    """The commands for a package of that file name."""
    stems = [case.stem(said) for said in case.gathered.said]
    unpack = [f"unzip -q {quote(package)} -d {UNPACKED}"]
    unpack += [f"unzip -q {UNPACKED}/statements/{stem}.asics -d {UNPACKED}/statements/{stem}" for stem in stems]
    signatures = [
        _cms(stem, int(said.decided.decision.decided.timestamp()))
        for stem, said in zip(stems, case.gathered.said, strict=True)
    ]
    stamps = [_ts("-token_in", TIMESTAMP, MANIFEST)] if case.stamped else []
    stamps += [_ts("", f"tokens/{each.size}.tsr", f"tokens/{each.size}.checkpoint") for each in case.gathered.stamps]
    whole = f"exchange-verify {quote(package)} --root {FIRST_ROOT} --policy {LOG_POLICY}"
    whole += f" --tsa-root {AUTHORITY_ROOT}" if stamps else ""
    return Commands(tuple(unpack), tuple(signatures), tuple(stamps), whole, _java(case, package))


def _cms(stem: str, at: int) -> str:
    folder = f"{UNPACKED}/statements/{stem}"
    return (
        f"openssl cms -verify -binary -inform DER -in {folder}/{SIGNATURE} -content {folder}/{STATEMENT}"
        f" -CAfile {UNPACKED}/{ISSUERS} -attime {at} -out /dev/null"
    )


def _ts(form: str, token: str, data: str) -> str:
    words = ("openssl ts -verify", form, f"-in {UNPACKED}/{token}", f"-data {UNPACKED}/{data}")
    return " ".join((*filter(None, words), f"-CAfile {AUTHORITY_ROOT}"))


def _java(case: Case, package: str) -> tuple[str, ...]:
    """Certificates end: only a time-stamped signature can be looked at as of whatever time that is."""
    last = max(said.decided.decision.decided for said in case.gathered.said)
    trusted, at = (f" {AUTHORITY_ROOT}", "") if case.stamped else ("", f" --at {last:%Y-%m-%dT%H:%M:%SZ}")
    return (
        "mvn -q -f java/pom.xml dependency:copy-dependencies -DoutputDirectory=.",
        "java -cp 'java/*' org.eclipse.jdt.internal.compiler.batch.Main -17 -nowarn -d java java/EvidenceCheck.java",
        f"java -cp 'java:java/*' EvidenceCheck {UNPACKED}/{ISSUERS}{trusted}{at} {quote(package)}",
    )
