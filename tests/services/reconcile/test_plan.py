"""Plans: they change exactly what differs, and whoever stops in the middle has left nothing open."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.bus.access import TRACKER, Grant, Operation, Resource, body_grants
from exchange.bus.quotas import EVERY_OTHER_USER, Quota
from exchange.bus.topics import INBOXES, SEQUENCES, TopicSpec, inbox
from exchange.domain.directory import Body, BodyStatus, Directory
from exchange.domain.entry import OWN_KIND
from exchange.domain.own_bodies import TRACKER_BODY
from exchange.services.reconcile.plan import Configure, Create, Give, Grow, Limit, Observed, Plan, Revoke, Step, plan
from exchange.services.reconcile.wanted import Wanted, wanted
from tests.services.reconcile.bodies import ALLOWANCES, LARGE, SHAPE, body, directory

NOTHING = Observed({}, frozenset(), {})


def asked(*bodies: Body) -> Wanted:
    """What a directory of these bodies asks for."""
    return wanted(directory(*bodies), SHAPE, ALLOWANCES)


def after(step: Step, observed: Observed) -> Observed:
    """A cluster after a step, as it is promised."""
    topics, rights, quotas = dict(observed.topics), set(observed.rights), dict(observed.quotas)
    match step:
        case Revoke(taken):
            rights -= set(taken)
        case Create(made):
            topics |= {topic.name: topic for topic in made}
        case Configure(settings):
            for each in settings:
                topic = topics[each.subject]
                topics[each.subject] = replace(
                    topic, configuration={**topic.configuration, each.setting: each.expected}
                )
        case Limit(limits):
            must_be = {principal: pair[0] for principal, pair in limits.items()}
            quotas = {principal: quota for principal, quota in {**quotas, **must_be}.items() if quota is not None}
        case Give(given):
            rights |= set(given)
        case Grow():
            topics |= {name: replace(topics[name], partitions=count) for name, count in step.counts.items()}
    return Observed(topics, frozenset(rights), quotas)


def made(must_be: Wanted, observed: Observed = NOTHING) -> Observed:
    """A cluster after all steps."""
    for step in plan(must_be, observed).steps:
        observed = after(step, observed)
    return observed


CODES = ("a", "b", "gateway", "other")
VERSIONS = st.dictionaries(
    st.sampled_from(CODES), st.tuples(st.sampled_from(BodyStatus), st.sampled_from(["", "gateway"]))
).map(lambda found: directory(*(body(code, status, gateway=gateway) for code, (status, gateway) in found.items())))
STRAY = st.sets(
    st.builds(
        Grant,
        st.sampled_from([*CODES, "svc-router", "svc-old", "mallory"]),
        st.sampled_from(Operation),
        st.sampled_from([Resource.TOPIC, Resource.GROUP]),
        st.sampled_from([inbox("a"), inbox("b"), "exchange.", "*", "their.own"]),
        st.booleans(),
        denied=st.booleans(),
    ),
    max_size=5,
)


@given(VERSIONS, VERSIONS, STRAY, st.integers(0, 5))
def test_from_one_version_to_the_next(before: Directory, now: Directory, stray: set[Grant], stopped: int) -> None:
    """Stopped after any step nothing is open that must not be, and going on ends where it would have ended."""
    first, must_be = wanted(before, SHAPE, ALLOWANCES), wanted(now, SHAPE, ALLOWANCES)
    found = made(first)
    found = replace(found, rights=found.rights | stray)
    steps = plan(must_be, found).steps
    halfway = found
    for step in steps[:stopped]:
        halfway = after(step, halfway)
        assert_safe(halfway, must_be, found)
    end = made(must_be, halfway)
    assert end == made(must_be, found)
    assert plan(must_be, end).steps == ()
    ours = {right for right in end.rights if right.principal in must_be.principals and not right.denied}
    assert ours == must_be.rights


def assert_safe(halfway: Observed, must_be: Wanted, before: Observed) -> None:
    """After the first step nobody has a right too many; nobody was given one without its topic and a quota."""
    ours = {right for right in halfway.rights if right.principal in must_be.principals and not right.denied}
    assert ours <= must_be.rights
    for right in halfway.rights - before.rights:
        if right.name.startswith(INBOXES) and not right.prefix:
            assert right.name in halfway.topics
            assert right.principal in halfway.quotas
    assert halfway.topics.keys() >= before.topics.keys()


def test_rights_are_taken_first_and_given_last() -> None:
    """Between them topics and quotas."""
    found = made(asked(body("old"), body("mfa")))
    journal = found.topics["exchange.journal"]
    forgets = replace(journal, configuration={**journal.configuration, "retention.ms": "1"})
    found = replace(found, topics={**found.topics, journal.name: forgets})
    steps = plan(asked(body("old", BodyStatus.LEFT), body("mfa"), body("new")), found).steps
    assert [type(step) for step in steps] == [Revoke, Create, Configure, Limit, Give]
    told = [(each.subject, each.setting) for step in steps for each in step.differences]
    assert told == [
        *[("old", "right")] * 4,
        (inbox("new"), "topic"),
        ("exchange.journal", "retention.ms"),
        ("new", "quota"),
        ("old", "quota"),
        *[("new", "right")] * 4,
    ]


def test_who_left_keeps_its_letters() -> None:
    """Its inbox is told, not deleted; one that it never had is not made."""
    found = made(asked(body("mfa"), body("other")))
    planned = plan(
        asked(body("mfa", BodyStatus.LEFT), body("other", BodyStatus.SUSPENDED), body("never", BodyStatus.LEFT)), found
    )
    assert planned.resting == {inbox("mfa"): BodyStatus.LEFT, inbox("other"): BodyStatus.SUSPENDED}
    assert not [step for step in planned.steps if isinstance(step, Create)]


def reported(right: Grant) -> tuple[Plan, bool]:
    """The plan when somebody has this right beside, and whether it is reported."""
    must_be = asked(body("mfa"))
    found = made(must_be)
    planned = plan(must_be, replace(found, rights=found.rights | {right}))
    return planned, str(right) in {each.found for each in planned.reported}


STRAY_OF_OURS = [
    Grant("mfa", Operation.READ, Resource.TOPIC, "exchange.journal"),
    Grant("mfa", Operation.READ, Resource.TOPIC, "their.own"),
    Grant("mfa", Operation.ALTER, Resource.CLUSTER, "kafka-cluster"),
    Grant("svc-auditor", Operation.WRITE, Resource.TOPIC, "exchange.journal"),
    Grant("mfa", Operation.READ, Resource.TOPIC, inbox("mfa"), host="10.0.0.1"),
]


@pytest.mark.parametrize("right", STRAY_OF_OURS, ids=str)
def test_ours_have_no_other_right(right: Grant) -> None:
    """Whatever it is on."""
    planned, told = reported(right)
    assert planned.steps == (Revoke((right,)),)
    assert not told


STRANGE = [
    Grant("mallory", Operation.READ, Resource.TOPIC, "*"),
    Grant("*", Operation.READ, Resource.TOPIC, "exchange.journal"),
    Grant("mallory", Operation.READ, Resource.TOPIC, "ex", prefix=True),
    Grant("mallory", Operation.READ, Resource.TOPIC, inbox("mfa"), prefix=True),
    Grant("mallory", Operation.WRITE, Resource.TRANSACTIONAL_ID, "router:0"),
    Grant("mallory", Operation.ALTER, Resource.CLUSTER, "kafka-cluster"),
    Grant("svc-admin", Operation.READ, Resource.TOPIC, "exchange.journal"),
    Grant("mfa", Operation.READ, Resource.TOPIC, inbox("mfa"), denied=True),
]


@pytest.mark.parametrize("right", STRANGE, ids=str)
def test_what_a_person_must_judge_is_only_reported(right: Grant) -> None:
    """Rights of strangers, of administrators above all; and a denial, which may be all that holds somebody back."""
    planned, told = reported(right)
    assert planned.steps == ()
    assert told


OF_OTHERS = [
    Grant("payroll", Operation.READ, Resource.TOPIC, "payroll"),
    Grant("payroll", Operation.READ, Resource.TOPIC, "pay", prefix=True),
    Grant("payroll", Operation.DESCRIBE, Resource.CLUSTER, "kafka-cluster"),
]


@pytest.mark.parametrize("right", OF_OTHERS, ids=str)
def test_who_else_uses_the_cluster_is_left_alone(right: Grant) -> None:
    """Not even told."""
    planned, told = reported(right)
    assert planned.steps == ()
    assert not told


def test_what_is_fixed_is_only_reported() -> None:
    """Partitions, copies, and topics that nobody listed has."""
    must_be = asked(body("mfa"))
    found = made(must_be)
    wider = replace(found.topics["exchange.journal"], partitions=99, replication=3)
    nobody = TopicSpec(inbox("nobody"), 1, 1, {})
    planned = plan(must_be, replace(found, topics={**found.topics, wider.name: wider, nobody.name: nobody}))
    assert planned.steps == ()
    assert [(each.subject, each.setting) for each in planned.reported] == [
        ("exchange.journal", "partitions"),
        ("exchange.journal", "replication"),
        (inbox("nobody"), "topic"),
    ]


def test_quotas_are_exactly_those_of_the_table() -> None:
    """Other ones are set, those of bodies that are not in use taken away, those of strangers left alone."""
    must_be = asked(body("mfa"), body("old", BodyStatus.LEFT))
    found = made(must_be)
    small = Quota(1.0, 1.0, 1.0)
    other = {EVERY_OTHER_USER: small, "mfa": small, "old": small, "mallory": small}
    (step,) = plan(must_be, replace(found, quotas={**found.quotas, **other})).steps
    assert step == Limit({EVERY_OTHER_USER: (LARGE, small), "mfa": (ALLOWANCES.bodies, small), "old": (None, small)})
    assert [each.subject for each in step.differences] == ["every other user", "mfa", "old"]


def test_a_plan_tells_all_that_it_changes() -> None:
    """From nothing: one line for each topic, right and quota."""
    must_be = asked(body("mfa"))
    planned = plan(must_be, NOTHING)
    assert len(planned.changes) == len(must_be.topics) + len(must_be.rights) + len(must_be.quotas)
    assert {str(right) for right in body_grants("mfa")} <= {change.expected for change in planned.changes}


def test_partitions_are_added_where_they_may_be() -> None:
    """An installation from before the lane of commands is given the partition of its state; nothing else grows."""
    must_be = asked(body("a"))
    whole = made(must_be)
    fewer = {name: replace(spec, partitions=spec.partitions - 1) for name, spec in whole.topics.items()}
    found = plan(must_be, replace(whole, topics=fewer))
    assert [step for step in found.steps if isinstance(step, Grow)] == list(found.steps)
    assert [step.counts for step in found.steps if isinstance(step, Grow)] == [{SEQUENCES: SHAPE.lanes + 1}]
    assert {each.subject for each in found.reported} == set(fewer) - {SEQUENCES}
    more = {**whole.topics, SEQUENCES: replace(whole.topics[SEQUENCES], partitions=9)}
    assert plan(must_be, replace(whole, topics=more)).steps == ()


def test_who_speaks_for_a_service_has_an_inbox_and_no_rights() -> None:
    """The service's principal reads it; a body of another kind that bears the name is one like any other."""
    speaker = body(TRACKER_BODY, kind=OWN_KIND)
    found = asked(speaker)
    assert inbox(TRACKER_BODY) in {topic.name for topic in found.topics}
    reading = Grant(TRACKER, Operation.READ, Resource.TOPIC, inbox(TRACKER_BODY))
    assert reading in found.rights
    assert (TRACKER_BODY in {grant.principal for grant in found.rights}, TRACKER_BODY in found.quotas) == (False, False)
    assert set(body_grants(TRACKER_BODY)) <= asked(body(TRACKER_BODY)).rights
