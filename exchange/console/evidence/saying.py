"""The report's words: what happened to the letter, what proves it, and how anybody checks that."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from exchange.console.pages import times
from exchange.console.pages.act_words import ACTIONS, KINDS
from exchange.console.pages.language import Language
from exchange.console.pages.wording import EVENTS, _
from exchange.domain.card import LetterCard
from exchange.domain.event import ETSI_EVENT_URI, Event
from exchange.domain.reason import TEXTS, Reason
from exchange.domain.statement import Letter
from exchange.services.evidence.commands import AUTHORITY_ROOT, FIRST_ROOT, LIBRARIES, commands
from exchange.services.evidence.container import MANIFEST, RECORD, TIMESTAMP
from exchange.services.evidence.events import NOT_TAKEN, named
from exchange.services.evidence.gathering import Said, letter_of
from exchange.services.evidence.package import LOG_POLICY, STAMPED_MAX, Case, Level
from exchange.services.evidence.withholding import Missing, letter_card
from exchange.tlog.policy import Seen, parse_log_policy

PACKAGE = "case.asice"
"""What the commands call the package; nobody knows what it will be called where they are typed."""

LEVELS: Mapping[Level, str] = {
    Level.B: _("Level B: signatures and certificates. When what was valid is known from the exchange's log alone."),
    Level.T: _("Level T: signatures and certificates, and a time-stamp of an authority over this package."),
    Level.LT: _("Level LT: as T, and with the revocation lists by which each decision was made."),
    Level.LTA: _("Level LTA: as LT, and with a time-stamp over the log's checkpoint."),
}
MISSING: Mapping[Missing | None, str] = {
    None: _("in this package"),
    Missing.WITHHELD: _("withheld"),
    Missing.NOT_KEPT: _("not kept any more"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes:
        heading: of it.
        paragraphs: texts; names of files and what programs say stand in backticks.
        columns: headings of the table, none when there is no table.
        rows: of the table.
        commands: to be typed one after the other.
    """

    heading: str
    paragraphs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """The report in one language.

    Attributes:
        title: of it.
        facts: what it is about, each with its label.
        sections: in their order.
    """

    language: Language
    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]


def tell(case: Case, language: Language, gettext: Callable[[str], str]) -> Told:
    """The report on a case.

    Args:
        case: what it is about.
        language: in which language.
        gettext: gives a text of the catalogs in that language.
    """
    return _Telling(case, language, gettext).whole()


@dataclass
class _Telling:
    """One report."""

    case: Case
    language: Language
    gettext: Callable[[str], str]

    def whole(self) -> Told:
        sections = (self._happened(), self._contents(), self._proven(), self._checked(), self._checked_by_others())
        return Told(self.language, self._say(_("Evidence of a letter")), tuple(self._facts()), sections)

    def _facts(self) -> Iterator[tuple[str, str]]:
        letter, card = letter_of(self.case.gathered), self._card()
        yield self._say(_("Letter's id")), self.case.gathered.letter.hex()
        if letter is not None:
            yield self._say(_("From")), self._body(letter.head.body)
            yield self._say(_("To")), ", ".join(map(self._body, self._recipients(letter)))
            yield self._say(_("Made by the sender")), self._time(letter.head.created)
        if card is not None:
            yield self._say(_("Number at the sender")), card.reg_number
            yield self._say(_("Title")), card.title
        yield self._say(_("Exchange's id")), self.case.exchange.hex()
        yield self._say(_("As of the checkpoint of")), self._time(self._checkpoint_time())
        yield self._say(_("Level")), self._say(LEVELS[self.case.level])

    def _happened(self) -> Section:
        columns = (_("No."), _("Decided"), _("Who said it"), _("What"), "ETSI EN 319 522", _("Statement"))
        return Section(
            self._say(_("What happened")),
            (self._say(_("In the order of the exchange's journal. Times are Bishkek's.")),),
            tuple(map(self._say, columns)),
            tuple(self._row(number, said) for number, said in enumerate(self.case.gathered.said, 1)),
        )

    def _row(self, number: int, said: Said) -> tuple[str, ...]:
        name, decision = named(said), said.decided.decision
        what = self._event(name.event, name.kind)
        if decision.reason:
            what = f"{what}: {self._reason(decision.reason)}"
        uri = (name.etsi or "–").removeprefix(ETSI_EVENT_URI)
        return (
            str(number),
            self._time(decision.decided),
            self._body(said.body),
            what,
            uri,
            f"{self.case.stem(said)}.asics",
        )

    def _contents(self) -> Section:
        rows = []
        for item in self.case.items:
            name = f"contents/{item.name}" if item.content is not None else f"– ({item.commitment.media_type})"
            size = times.size(item.commitment.size, self.language)
            rows.append((name, self.case.stem(item.said), size, self._say(MISSING[item.missing])))
        columns = (_("File"), _("Statement"), _("Size"), _("Where it is"))
        text = _(
            "The statements name each item by a digest over it and a random salt. What is withheld, or was deleted, "
            "cannot be guessed from that, and everything else stays proven without it."
        )
        return Section(
            self._say(_("What people wrote")), (self._say(text),), tuple(map(self._say, columns)), tuple(rows)
        )

    def _proven(self) -> Section:
        texts = tuple(f"{number}. {text}" for number, text in enumerate(self._proofs(), 1))
        return Section(self._say(_("What proves it")), texts)

    def _proofs(self) -> Iterator[str]:
        yield self._say(
            _(
                "Each statement is signed by the body that made it, by a key that nobody else has. Its exact bytes "
                "and the signature with the signer's certificate are in `statements/`."
            )
        )
        yield self._say(
            _(
                "Whose certificate it was stood in the exchange's directory, in the version that the decision "
                "names. The files of `directory/` lead to the exchange's first root, which you have from elsewhere."
            )
        )
        yield self._say(
            _(
                "What the exchange decided about each statement, when, and by which directory and policy, is an "
                "entry of its journal, in `entries/`."
            )
        )
        seen = self._seen()
        text = _(
            "Each entry is in the exchange's transparency log: the hashes of its `.proof` lead to the checkpoint of "
            "%(size)s heads that the log `%(log)s` signed. Whoever altered, removed or inserted an entry would need "
            "another checkpoint."
        )
        yield self._say(text, size=times.number(seen.checkpoint.size, self.language), log=seen.checkpoint.origin)
        yield self._witnesses(seen)
        yield from self._stamps()

    def _witnesses(self, seen: Seen) -> str:
        if not seen.witnesses:
            return self._say(_("No witness has cosigned this checkpoint: that it is the only one is not proven."))
        moments = {name: datetime.fromtimestamp(at, UTC) for name, at in seen.witnesses.items()}
        names = ", ".join(f"{name} ({self._time(at)})" for name, at in moments.items())
        return self._say(_("Witnesses outside the exchange cosigned this checkpoint: %(names)s."), names=names)

    def _stamps(self) -> Iterator[str]:
        if self.case.gathered.stamps:
            yield self._say(_("An authority time-stamped this checkpoint: see `tokens/`."))
        if any(stamp.record for stamp in self.case.gathered.stamps):
            text = _(
                "The evidence record `%(record)s` (RFC 4998) keeps that time-stamp provable when its authority ends."
            )
            yield self._say(text, record=RECORD)
        if self.case.stamped:
            yield self._say(
                _("An authority time-stamped this package: `%(stamp)s` is over `%(manifest)s`, and so over all files."),
                stamp=TIMESTAMP,
                manifest=MANIFEST,
            )
            text = _("It also time-stamped the signatures of the first %(number)s statements, each in its own file.")
            yield self._say(text, number=str(min(STAMPED_MAX, len(self.case.gathered.said))))
        if not self.case.stamped and not self.case.gathered.stamps:
            yield self._say(_("Nothing is time-stamped: when it was is the word of the log and of its witnesses."))

    def _checked(self) -> Section:
        found = commands(self.case, PACKAGE)
        needed = _(
            "Take from elsewhere than this package: the exchange's first root (`%(root)s`), whose word about the log "
            "counts (`%(policy)s`), and the root of the time-stamping authority (`%(authority)s`)."
        )
        return Section(
            self._say(_("How to check it")),
            (
                self._say(needed, root=FIRST_ROOT, policy=LOG_POLICY, authority=AUTHORITY_ROOT),
                self._say(
                    _(
                        "Each command of openssl looks at one signature or time-stamp; it says `CMS Verification "
                        "successful` or `Verification: OK`. The last command looks at everything but evidence records, "
                        "and explains each step. No network is needed."
                    )
                ),
            ),
            commands=(*found.unpack, *found.signatures, *found.time_stamps, found.whole),
        )

    def _checked_by_others(self) -> Section:
        fetched = _(
            "The EU's validator DSS and Bouncy Castle look at each signature, time-stamp and evidence record. Put "
            "`EvidenceCheck.java` and `pom.xml` of the exchange's source (`verify/java`) into a folder `java`. Maven "
            "fetches into it, with what they depend on: %(libraries)s. The other commands need no network."
        )
        said = _(
            "Each line says `PASSED` or `TOTAL_PASSED`. DSS says `INDETERMINATE` where the issuer of a certificate has "
            "no revocation list in the package; the time-stamping authority's own certificate belongs into "
            "`%(authority)s`, beside its root."
        )
        libraries = ", ".join(f"`{each}`" for each in LIBRARIES)
        return Section(
            self._say(_("How to check it with others' Java libraries")),
            (self._say(fetched, libraries=libraries), self._say(said, authority=AUTHORITY_ROOT)),
            commands=commands(self.case, PACKAGE).java,
        )

    def _event(self, event: str, kind: str) -> str:
        if event == NOT_TAKEN:
            return f"{self._say(_('Not taken'))} ({self._say(KINDS.get(kind, KINDS['statement']))})"
        if event in {each.value for each in Event}:
            return self._say(EVENTS[Event(event)])
        return self._say(ACTIONS[event][0]) if event in ACTIONS else event

    def _reason(self, code: str) -> str:
        known = {reason.value for reason in Reason if reason in TEXTS}
        return f"{self._say(TEXTS[Reason(code)][0])} ({code})" if code in known else code

    def _recipients(self, letter: Letter) -> tuple[str, ...]:
        own = next(s for s in self.case.gathered.said if s.decided.decision.statement == self.case.gathered.letter)
        return own.decided.decision.recipients or letter.recipients

    def _card(self) -> LetterCard | None:
        letter = letter_of(self.case.gathered)
        shown = any(item.place == 0 and item.content is not None for item in self.case.items[:1])
        return letter_card(letter.contents, self.case.gathered) if letter is not None and shown else None

    def _body(self, code: str) -> str:
        bodies = self.case.gathered.said[0].ground.directory.bodies
        name = getattr(bodies[code].names, self.language.value) if code in bodies else ""
        return f"{name} ({code})" if name and name != code else code

    def _seen(self) -> Seen:
        policy = parse_log_policy(self.case.files[LOG_POLICY].decode())
        return policy.open(self.case.gathered.said[0].proof.checkpoint)

    def _checkpoint_time(self) -> datetime:
        return datetime.fromtimestamp(self.case.gathered.said[0].proof.heads.time, UTC)

    def _time(self, moment: datetime) -> str:
        return times.exact(moment, self.language)

    def _say(self, text: str, **values: str) -> str:
        translated = self.gettext(text)
        return translated % values if values else translated
