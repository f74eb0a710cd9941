# SPDX-License-Identifier: Apache-2.0
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from locard.model.access import Access, Permission, Role, Scope, clash
from locard.model.errors import Conflict, Missing
from locard.state import grants, groups, users
from locard.state.database import State, open_state
from locard.state.investigations import CaseRow

PEOPLE = ("ada", "bob", "eve")
CASES = ("one", "two")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    state = open_state(tmp_path / "state.sqlite")
    with state.session() as s:
        for name in PEOPLE:
            users.create(s, name)
        for name in CASES:
            s.add(CaseRow(name=name, title=name, created=1, created_by="ada", simulated=False))
        groups.create(s, "lab")
        groups.create(s, "vaultkeepers")
    yield state
    state.close()


def test_a_role_holds_where_it_is_granted_and_nowhere_else(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.ANALYST, user="bob", case="one", by="ada")
        held = grants.access(s, "bob")
    assert held.may(Permission.ACQUIRE, "one") and not held.may(Permission.ACQUIRE, "two")
    assert held.sees("one") and not held.sees("two") and not held.sees("three")
    assert held.anywhere(Permission.ACQUIRE) and not held.may(Permission.ACQUIRE)
    assert not held.anywhere(Permission.PEOPLE)


def test_a_role_for_all_cases_holds_in_those_still_to_be_made(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.VIEWER, user="bob", by="ada")
        held = grants.access(s, "bob")
    assert held.sees("not made yet") and not held.may(Permission.MARK, "one")


def test_administering_one_case_is_not_administering_the_installation(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.ADMINISTRATOR, user="bob", case="one", by="ada")
        held = grants.access(s, "bob")
        assert held.may(Permission.GRANT, "one")
        assert not held.anywhere(Permission.PEOPLE) and not held.may(Permission.SETTINGS)
        assert grants.administrators(s) == [] and grants.administrators(s, "one") == ["bob"]


def test_a_group_gives_its_roles_to_its_members_only(state: State) -> None:
    with state.session() as s:
        groups.join(s, "lab", "bob")
        grants.add(s, Role.RESPONDER, group="lab", case="one", by="ada")
        assert grants.access(s, "bob").may(Permission.RESPOND, "one")
        assert not grants.access(s, "eve").sees("one")
        groups.leave(s, "lab", "bob")
        assert not grants.access(s, "bob").sees("one")


@pytest.mark.parametrize("first,second", [("one", "one"), ("", "one"), ("one", ""), ("", "")])
def test_nobody_gets_to_acquire_and_dispose(state: State, first: str, second: str) -> None:
    with state.session() as s:
        grants.add(s, Role.CUSTODIAN, user="bob", case=first, by="ada")
    for role in (Role.ANALYST, Role.RESPONDER, Role.ADMINISTRATOR):
        with pytest.raises(Conflict, match="both acquire"), state.session() as s:
            grants.add(s, role, user="bob", case=second, by="ada")
    with state.session() as s:
        assert len(grants.every(s)) == 1
        grants.add(s, Role.VIEWER, user="bob", case=second, by="ada")


def test_what_must_be_apart_is_so_in_one_case_and_not_across_them(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.CUSTODIAN, user="bob", case="one", by="ada")
        grants.add(s, Role.ANALYST, user="bob", case="two", by="ada")
        held = grants.access(s, "bob")
    assert held.may(Permission.DISPOSE, "one") and not held.may(Permission.ACQUIRE, "one")
    assert held.may(Permission.ACQUIRE, "two") and not held.may(Permission.DISPOSE, "two")


def test_groups_are_no_way_around_it(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.CUSTODIAN, group="vaultkeepers", case="one", by="ada")
        grants.add(s, Role.ANALYST, user="bob", case="one", by="ada")
        groups.join(s, "lab", "eve")
        groups.join(s, "vaultkeepers", "eve")
    with pytest.raises(Conflict, match="eve"), state.session() as s:
        grants.add(s, Role.ANALYST, group="lab", by="ada")
    with pytest.raises(Conflict, match="bob"), state.session() as s:
        groups.join(s, "vaultkeepers", "bob")
        grants.require_apart(s, ["bob"])
    with state.session() as s:
        assert groups.find(s, "vaultkeepers").members == ("eve",)


def test_should_both_be_held_all_the_same_disposal_falls_away(state: State) -> None:
    """Somebody wrote into the file by hand: what is left is the lesser harm."""
    with state.session() as s:
        grants.add(s, Role.CUSTODIAN, user="bob", case="one", by="ada")
        number = users.number(s, "bob")
        s.add(grants.GrantRow(user=number, group=None, role="analyst", case=None, granted=1, by=""))
        s.flush()
        held = grants.access(s, "bob")
    assert held.may(Permission.ACQUIRE, "one") and not held.may(Permission.DISPOSE, "one")


@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["grant", "join", "leave", "revoke"]),
            st.sampled_from(PEOPLE),
            st.sampled_from(["lab", "vaultkeepers", ""]),
            st.sampled_from(list(Role)),
            st.sampled_from([*CASES, ""]),
        ),
        max_size=12,
    )
)
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_way_of_granting_lets_anybody_do_both(state: State, steps: list[tuple]) -> None:  # type: ignore[type-arg]
    with state.session() as s:
        for one in grants.every(s):
            grants.remove(s, one.id)
        for group in ("lab", "vaultkeepers"):
            for member in groups.find(s, group).members:
                groups.leave(s, group, member)
    for what, person, group, role, case in steps:
        try:
            with state.session() as s:
                if what == "grant":
                    whom = {"group": group} if group else {"user": person}
                    grants.add(s, role, case=case, by="ada", **whom)
                elif what == "join" and group:
                    groups.join(s, group, person)
                    grants.require_apart(s, [person])
                elif what == "leave" and group:
                    groups.leave(s, group, person)
                elif what == "revoke" and (held := grants.every(s)):
                    grants.remove(s, held[0].id)
        except (Conflict, Missing):
            pass
    with state.session() as s:
        for person in PEOPLE:
            access = grants.access(s, person)
            for case in ("", *CASES):
                held = access.everywhere | access.cases.get(case, frozenset())
                assert not clash(held), f"{person} in {case or 'all cases'}"


def test_a_grant_is_for_one_who_is_there_and_given_once(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.VIEWER, user="bob", case="one", by="ada", reason="counsel")
    for wrong in (
        {"user": "nobody"},
        {"group": "nobody"},
        {"user": "bob", "case": "three"},
        {"user": "bob", "group": "lab"},
        {},
        {"user": "bob", "case": "one"},
    ):
        with pytest.raises((Missing, Conflict)), state.session() as s:
            grants.add(s, Role.VIEWER, by="ada", **wrong)
    with state.session() as s:
        found = grants.every(s, "one")
        assert [(one.user, one.reason, one.by) for one in found] == [("bob", "counsel", "ada")]
        assert grants.every(s, "two") == []


def test_somebody_disabled_administers_nothing(state: State) -> None:
    with state.session() as s:
        grants.add(s, Role.ADMINISTRATOR, user="ada", by="ada")
        groups.join(s, "lab", "bob")
        grants.add(s, Role.ADMINISTRATOR, group="lab", by="ada")
        assert grants.administrators(s) == ["ada", "bob"]
        with grants.administered(s):
            users.alter(s, "bob", disabled=True)
        with pytest.raises(Conflict), grants.administered(s):
            users.alter(s, "ada", disabled=True)
        with grants.administered(s):
            users.alter(s, "eve", disabled=True)


def test_a_token_carries_no_more_than_its_scope_and_its_case() -> None:
    whole = Access("ada", frozenset(Permission) - {Permission.DISPOSE}, {})
    read = whole.narrowed(Scope.READ)
    assert read.sees("any") and not read.may(Permission.MARK, "any")
    write = whole.narrowed(Scope.WRITE, "one")
    assert write.may(Permission.ACQUIRE, "one") and not write.sees("two")
    assert not write.anywhere(Permission.MAKE_CASE) and not write.may(Permission.GRANT, "one")
    manage = whole.narrowed(Scope.MANAGE, "one")
    assert manage.may(Permission.GRANT, "one") and not manage.anywhere(Permission.PEOPLE)
    assert Access("eve").narrowed(Scope.MANAGE, "one").sees("one") is False
    assert whole.narrowed(Scope.MANAGE).anywhere(Permission.PEOPLE)


def test_membership_by_the_provider_comes_and_goes_and_that_by_hand_stays(state: State) -> None:
    with state.session() as s:
        groups.alter(s, "lab", claim="dfir")
        groups.alter(s, "vaultkeepers", claim="keepers")
        groups.join(s, "vaultkeepers", "bob")
        assert groups.claimed(s, "bob", {"dfir", "unheard of", ""}) == (["lab"], [])
        assert groups.of(s, "bob") == ["lab", "vaultkeepers"]
        assert groups.claimed(s, "bob", {"dfir"}) == ([], [])
        assert groups.claimed(s, "bob", set()) == ([], ["lab"])
        assert groups.of(s, "bob") == ["vaultkeepers"]
        assert groups.known_claims(s, {"x", "keepers"}) and not groups.known_claims(s, {"", "x"})
