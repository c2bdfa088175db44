"""Words of addresses and of the API for what the domain names otherwise."""

from enum import StrEnum

from exchange.domain.delivery import Actor


class Next(StrEnum):
    """Who must act; the names of `Actor` as one word each."""

    NOBODY = "nobody"
    SENDER = "sender"
    RECIPIENT_AGENT = "recipient-agent"
    RECIPIENT_EDMS = "recipient-edms"
    RECIPIENT = "recipient"
    OPERATOR = "operator"


def next_word(actor: Actor) -> Next:
    """The word for an actor."""
    return Next[actor.name]


def actor_of(word: Next) -> Actor:
    """The actor that a word stands for."""
    return Actor[word.name]
