"""What the task office answers, as the API tells it."""

from typing import Any

from exchange.console.api import tasks_model as model
from exchange.domain.delivery import State
from exchange.domain.task import ItemState, Stage
from exchange.services.tasks.office import Preview, Story, Told
from exchange.store.desk.items import Item
from exchange.store.rows import moment


def task(told: Told) -> model.TaskTold:
    """A task in a list."""
    return model.TaskTold(**_task(told))


def detail(story: Story) -> model.TaskDetail:
    """One task."""
    told = story.told
    acts = (model.TaskActTold(act=each.act, person=each.person, detail=each.detail, at=each.at) for each in story.acts)
    return model.TaskDetail(
        **_task(told),
        acts=tuple(acts),
        new_failures=told.new_failures,
        said_lately=told.said_lately,
        pace=told.task.going.pace,
        live_working=told.task.going.working or None,
        live_quiet=told.task.going.quiet or None,
    )


def previewed(found: Preview, story: Story) -> model.TaskPreviewed:
    """A task before it begins; one that was made before with the same key is told as it is now."""
    return model.TaskPreviewed(
        task=task(story.told),
        letters=tuple(map(letter, found.sample)),
        left_out=found.left_out,
        act=found.act,
    )


def letter(item: Item) -> model.TaskLetter:
    """A letter of a task."""
    return model.TaskLetter(
        number=item.number,
        letter=item.letter.hex(),
        sender=item.sender,
        recipient=item.recipient,
        was=State(item.was),
        stage=Stage(item.stage),
        state=ItemState(item.state),
        code=item.code,
        said=moment(item.said) if item.said else None,
    )


def _task(told: Told) -> dict[str, Any]:
    """The fields that all answers about a task share."""
    found = told.task
    return {
        "id": found.id,
        "kind": found.kind,
        "wanted": found.wanted,
        "person": found.person,
        "second": found.second,
        "reason": found.reason,
        "rate": found.plan.rate,
        "sample": found.plan.sample,
        "share": found.plan.share,
        "count": found.count,
        "repeats": found.repeats,
        "state": found.state,
        "code": found.code,
        "created": found.created,
        "started": found.started,
        "ended": found.ended,
        "stage": told.standing.stage,
        "results": told.results,
        "failures": told.standing.failures,
        "states": {state: number for state, number in told.counts.items() if number},
    }
