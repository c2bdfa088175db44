"""What an agent does when the router speaks: a pure function of its own chain and a notice (rule 2.5).

A notice is believed only where it bears the agent's own digests:

    every step's digest is ours, and the last     these numbers are taken
    any is not, or the number is beyond ours      the spool was restored from a backup or copied:
                                                  leave the origin, name where it stands, begin anew

and what stands in the way of the next number is cured by the table `CURES`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from exchange.domain.decision import Notice
from exchange.domain.reason import Reason


class Cure(Enum):
    """What helps against a trouble."""

    NOTHING = auto()
    """It only tells where we stand."""
    RESEND = auto()
    """Go back to the number named and send from there."""
    WAIT = auto()
    """Send the same again later: the cause is not in the statement."""
    SIGN_AGAIN = auto()
    """Sign the same statements with the present key (rule 2.4)."""
    REPLACE = auto()
    """This statement can never be taken: a void takes its number (rule 2.4)."""
    RESTART = auto()
    """Open a new origin without a predecessor."""
    HALT = auto()
    """A person must act first."""


CURES: Mapping[Reason, Cure] = {
    Reason.REPEAT: Cure.NOTHING,
    Reason.GAP: Cure.RESEND,
    Reason.ORIGIN_UNKNOWN: Cure.RESEND,
    Reason.CHAIN_BROKEN: Cure.RESEND,  # the digest it stands at is ours, so it got another copy's statement
    Reason.OVER_BUDGET: Cure.WAIT,
    Reason.BODY_SUSPENDED: Cure.WAIT,
    Reason.GROUP_VERSION_MISSING: Cure.WAIT,
    Reason.CERTIFICATE_NOT_YET_VALID: Cure.WAIT,
    Reason.REVOCATION_STALE: Cure.WAIT,
    Reason.CERTIFICATE_EXPIRED: Cure.SIGN_AGAIN,
    Reason.CERTIFICATE_REVOKED: Cure.SIGN_AGAIN,
    Reason.CERTIFICATE_UNTRUSTED: Cure.SIGN_AGAIN,
    Reason.CERTIFICATE_PURPOSE: Cure.SIGN_AGAIN,
    Reason.SIGNER_UNKNOWN: Cure.SIGN_AGAIN,
    Reason.SIGNATURE_FORM: Cure.SIGN_AGAIN,
    Reason.SIGNATURE_INVALID: Cure.SIGN_AGAIN,
    Reason.STATEMENT_ALTERED: Cure.SIGN_AGAIN,
    Reason.OVERSIZED: Cure.REPLACE,
    Reason.UNREADABLE: Cure.REPLACE,
    Reason.BATCH_REFUSED: Cure.REPLACE,
    Reason.ORIGIN_CLOSED: Cure.RESTART,
    Reason.PREDECESSOR_MISMATCH: Cure.RESTART,
    Reason.ORIGINS_EXHAUSTED: Cure.HALT,
    Reason.FOREIGN_EXCHANGE: Cure.HALT,
    Reason.WRONG_SIGNER: Cure.HALT,
    Reason.WRONG_LANE: Cure.HALT,
}
"""By trouble. A trouble that is not here comes from a later router: waiting harms nothing."""


@dataclass(frozen=True, slots=True)
class Chain:
    """Where an origin stands in its own spool.

    Attributes:
        signed: the last number that was signed, 0 before the open.
        taken: the last number proven taken.
        digests: own statement digests by number: those that the notice speaks of.
    """

    signed: int
    taken: int
    digests: Mapping[int, bytes]

    def owns(self, number: int, digest: bytes) -> bool:
        """Whether `digest` is that of our own statement `number`; before the first there is nothing to compare."""
        return number == 0 or self.digests.get(number) == digest


@dataclass(frozen=True, slots=True)
class Take:
    """Our statement `number` was taken; `reason` is not empty when it was refused."""

    number: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Stand:
    """The exchange has our chain up to `number`."""

    number: int


@dataclass(frozen=True, slots=True)
class Resend:
    """Send again from `number` on: now, or after a while when `later`."""

    number: int
    reason: str
    later: bool


@dataclass(frozen=True, slots=True)
class SignAgain:
    """Sign the statements from `number` on again, unchanged, and send them."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Replace:
    """A void takes `number`; what follows is numbered anew behind it."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True)
class Abandon:
    """Leave the origin and open another; `continued`: the new one names this one as its predecessor."""

    continued: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Send nothing more for this body until a person has acted."""

    reason: str
    detail: str


Action = Take | Stand | Resend | SignAgain | Replace | Abandon | Halt

DIVERGED = "spool-diverged"
"""Why an origin was left whose numbers another copy of the spool has used."""


def numbers_of(notice: Notice) -> range:
    """The numbers that the steps of a notice speak of, the last of them `notice.number`."""
    return range(notice.number - len(notice.steps) + 1, notice.number + 1)


def respond(chain: Chain, notice: Notice) -> tuple[Action, ...]:
    """What to do about a notice to this origin, in this order.

    Nothing is ever counted as taken but by our own digest, and no notice makes us forget a
    statement: each is taken, refused, replaced and told, or sent again.
    """
    actions: list[Action] = []
    proven = chain.taken
    for number, step in zip(numbers_of(notice), notice.steps, strict=True):
        if number < 1 or not chain.owns(number, step.digest):
            return (*actions, Stand(proven), Abandon(continued=True, reason=DIVERGED))
        actions.append(Take(number, step.reason, step.detail))
        proven = max(proven, number)
    if not chain.owns(notice.number, notice.digest):
        return (*actions, Stand(proven), Abandon(continued=True, reason=DIVERGED))
    cure = _cure(notice)
    if notice.number > chain.taken or cure is Cure.RESEND:
        actions.append(Stand(notice.number))
    if notice.trouble is not None:
        actions.extend(_against(cure, chain, notice.number + 1, notice.trouble.reason, notice.trouble.detail))
    return tuple(actions)


def _cure(notice: Notice) -> Cure:
    if notice.trouble is None:
        return Cure.NOTHING
    try:
        return CURES.get(Reason(notice.trouble.reason), Cure.WAIT)
    except ValueError:
        return Cure.WAIT


def _against(cure: Cure, chain: Chain, number: int, reason: str, detail: str) -> tuple[Action, ...]:
    """The action against a trouble with statement `number`."""
    match cure:
        case Cure.HALT:
            return (Halt(reason, detail),)
        case Cure.RESTART:
            return (Abandon(continued=False, reason=reason),)
        case Cure.REPLACE if number == 1:
            return (Abandon(continued=False, reason=reason),)
        case Cure.NOTHING:
            return ()
    # An old trouble may be with a statement that was withdrawn since.
    return (_OVER[cure](number, reason),) if number <= chain.signed else ()


_OVER: Mapping[Cure, Callable[[int, str], Action]] = {
    Cure.RESEND: lambda number, reason: Resend(number, reason, later=False),
    Cure.WAIT: lambda number, reason: Resend(number, reason, later=True),
    Cure.SIGN_AGAIN: SignAgain,
    Cure.REPLACE: Replace,
}
