"""Kinds that every service names alike: what an issue is about, who answers it, and what sort of dispute it is."""

from enum import StrEnum


class Category(StrEnum):
    """What an issue is about: the five of the town's practice, exactly one an issue."""

    RURAL_CONSTRUCTION = "rural-construction"  # 乡村建设
    INCOME_GROWTH = "income-growth"  # 群众增收
    LIVELIHOOD = "livelihood"  # 民生保障
    ENVIRONMENT = "environment"  # 环境整治
    CONFLICT_MEDIATION = "conflict-mediation"  # 矛盾调解


class Route(StrEnum):
    """Who answers an issue. An issue has one active route."""

    DELIBERATION = "deliberation"
    MEDIATION = "mediation"
    DIRECT_HANDLING = "direct-handling"
    DEPARTMENT = "department"
    PETITION = "petition"
    ESCALATION = "escalation"


ANSWERED_BY_INTAKE = frozenset({Route.DEPARTMENT, Route.PETITION, Route.ESCALATION})
"""Routes that lead outside the platform: intake records the reply."""


class DisputeType(StrEnum):
    """The statistics' code list of disputes among the people."""

    MARRIAGE_FAMILY = "marriage-family"
    NEIGHBOUR = "neighbour"
    HOMESTEAD_HOUSE = "homestead-house"
    CONTRACT = "contract"
    PRODUCTION = "production"
    DAMAGE = "damage"
    LABOUR = "labour"
    VILLAGE_AFFAIRS = "village-affairs"
    LAND_FOREST_WATER = "land-forest-water"
    EXPROPRIATION = "expropriation"
    ENVIRONMENT = "environment"
    TRAFFIC = "traffic"
    MEDICAL = "medical"
    PROPERTY_MANAGEMENT = "property-management"
    CONSUMER = "consumer"
    OTHER = "other"


class DisputeSource(StrEnum):
    """How a dispute reached whoever settled it."""

    APPLIED = "applied"
    INITIATED = "initiated"
    ROUTED = "routed"
    COURT = "court"
    POLICE = "police"
    PETITION = "petition"
