"""Roles: deny by default; how far each scope reaches; what looks absent."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from vocabulary.roles import Grant, Permissions, Role, Scope, Verdict

TABLE = Permissions.parse(
    """
    [intake]
    route_issue = { village-clerk = "division", station-head = "division" }
    seal_file = { archivist = "organ" }
    withdraw_submission = { resident = "own" }
    activate_policy = { county-cppcc = "county", county-reporter = "county" }
    nobody = {}
    [mediation]
    """
)

COUNTY, TOWN, VILLAGE = "620724", "620724100", "620724100201"
VILLAGE_COMMITTEE = f"{VILLAGE}.village-committee"
SUPERVISORS = f"{VILLAGE}.supervisory-committee"
TOWN_GOVERNMENT = f"{TOWN}.town-government"
OTHER_VILLAGE = "620724100202.village-committee"
FOREIGN = "620725100201.village-committee"

ALLOWED, FORBIDDEN, ABSENT = Verdict.ALLOWED, Verdict.FORBIDDEN, Verdict.ABSENT


def judge(action: str, grants: Sequence[Grant], organ: str, opened_by: str = "somebody") -> Verdict:
    return TABLE.allows("intake", action, grants, actor="me", organ=organ, opened_by=opened_by)


def clerk(at: str) -> Grant:
    return Grant(role=Role.VILLAGE_CLERK, at=at)


class TestAllows:
    @pytest.mark.parametrize(
        ("at", "organ", "verdict"),
        [
            (VILLAGE, VILLAGE_COMMITTEE, ALLOWED),
            (VILLAGE, SUPERVISORS, ALLOWED),
            (TOWN, VILLAGE_COMMITTEE, ALLOWED),
            (COUNTY, TOWN_GOVERNMENT, ALLOWED),
            (VILLAGE, TOWN_GOVERNMENT, ABSENT),
            (VILLAGE, OTHER_VILLAGE, ABSENT),
            (COUNTY, FOREIGN, ABSENT),
            (VILLAGE_COMMITTEE, VILLAGE_COMMITTEE, ALLOWED),
            (VILLAGE_COMMITTEE, SUPERVISORS, ABSENT),
            (TOWN_GOVERNMENT, VILLAGE_COMMITTEE, ABSENT),
            (COUNTY, "no organ", ABSENT),
        ],
    )
    def test_division_reaches_what_lies_where_the_role_is_held(self, at: str, organ: str, verdict: Verdict) -> None:
        assert judge("route_issue", [clerk(at)], organ) is verdict

    @pytest.mark.parametrize(
        ("at", "verdict"), [(VILLAGE_COMMITTEE, ALLOWED), (VILLAGE, FORBIDDEN), (SUPERVISORS, ABSENT)]
    )
    def test_organ_reaches_that_very_organ(self, at: str, verdict: Verdict) -> None:
        assert judge("seal_file", [Grant(role=Role.ARCHIVIST, at=at)], VILLAGE_COMMITTEE) is verdict

    @pytest.mark.parametrize(
        ("organ", "opened_by", "verdict"),
        [
            (VILLAGE_COMMITTEE, "me", ALLOWED),
            (TOWN_GOVERNMENT, "me", ALLOWED),  # opened elsewhere in the county
            (FOREIGN, "me", ABSENT),
            (VILLAGE_COMMITTEE, "somebody", FORBIDDEN),
            (TOWN_GOVERNMENT, "somebody", ABSENT),
        ],
    )
    def test_own_reaches_what_the_caller_opened(self, organ: str, opened_by: str, verdict: Verdict) -> None:
        resident = Grant(role=Role.RESIDENT, at=VILLAGE)
        assert judge("withdraw_submission", [resident], organ, opened_by) is verdict

    @pytest.mark.parametrize("at", [COUNTY, "620724.county-cppcc", TOWN])
    @pytest.mark.parametrize(("organ", "verdict"), [(OTHER_VILLAGE, ALLOWED), (FOREIGN, ABSENT)])
    def test_county_reaches_all_of_it(self, at: str, organ: str, verdict: Verdict) -> None:
        assert judge("activate_policy", [Grant(role=Role.COUNTY_CPPCC, at=at)], organ) is verdict

    @pytest.mark.parametrize(
        ("service", "action"),
        [
            ("intake", "seal_file"),
            ("intake", "nobody"),
            ("intake", "unheard"),
            ("mediation", "route_issue"),
            ("x", "y"),
        ],
    )
    def test_what_does_not_stand_there_nobody_may_do(self, service: str, action: str) -> None:
        verdict = TABLE.allows(service, action, [clerk(TOWN)], actor="me", organ=VILLAGE_COMMITTEE, opened_by="me")
        assert verdict is FORBIDDEN

    def test_without_a_grant_everything_is_absent(self) -> None:
        assert judge("route_issue", [], VILLAGE_COMMITTEE, "me") is ABSENT

    def test_one_grant_that_reaches_is_enough(self) -> None:
        grants = [Grant(role=Role.RESIDENT, at="620725"), clerk("620724101"), clerk(TOWN)]
        assert judge("route_issue", grants, VILLAGE_COMMITTEE) is ALLOWED

    def test_a_right_and_a_place_of_two_grants_make_no_third(self) -> None:
        grants = [clerk("620724100202"), Grant(role=Role.RESIDENT, at=VILLAGE)]
        assert judge("route_issue", grants, VILLAGE_COMMITTEE) is FORBIDDEN

    @given(
        st.lists(st.builds(Grant, role=st.sampled_from(Role), at=st.sampled_from([COUNTY, TOWN, VILLAGE_COMMITTEE]))),
        st.sampled_from(sorted(TABLE.actions("intake"))),
    )
    def test_a_foreign_county_is_always_absent(self, grants: list[Grant], action: str) -> None:
        assert judge(action, grants, FOREIGN, "me") is ABSENT


class TestPermissions:
    def test_name_the_actions_of_each_service(self) -> None:
        assert TABLE.actions("intake") == {
            "route_issue",
            "seal_file",
            "withdraw_submission",
            "activate_policy",
            "nobody",
        }
        assert TABLE.actions("mediation") == TABLE.actions("unheard") == frozenset()

    def test_that_come_with_the_package_are_read(self) -> None:
        assert set(Permissions.load().table) == {"intake", "deliberation", "mediation", "reporting"}

    @pytest.mark.parametrize(
        "text",
        [
            '[intake]\nroute_issue = { village-clark = "division" }',
            '[intake]\nroute_issue = { presider = "division" }',
            '[intake]\nroute_issue = { village-clerk = "everywhere" }',
            '[intake]\nroute_issue = { village-clerk = ["division"] }',
            '[intake]\nroute_issue = "division"',
            "intake = 1",
            "[intake]\n[intake]",
        ],
    )
    def test_are_refused_with_an_unknown_word(self, text: str) -> None:
        with pytest.raises(ValueError):  # noqa: PT011  # pydantic's and tomllib's both
            Permissions.parse(text)


@pytest.mark.parametrize("at", ["", "62", "everywhere", "620724.palace", "620724000"])
def test_a_role_is_held_somewhere(at: str) -> None:
    with pytest.raises(ValidationError):
        Grant(role=Role.AUDITOR, at=at)


def test_a_grant_is_read_from_a_token() -> None:
    claim = {"role": "village-clerk", "at": VILLAGE}
    assert Grant.model_validate(claim) == clerk(VILLAGE)


def test_names_are_kebab_case_and_relations_are_no_roles() -> None:
    assert Role.MEDIATION_DIRECTOR.value == "mediation-director"
    assert not {"presider", "recorder"} & set(Role)
    assert set(Scope) == {"division", "organ", "own", "county"}
