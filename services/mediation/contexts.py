"""How mediation's rules learn what is in force."""

from eventlog.decider import Context
from eventlog.handler import Contexts
from services.mediation.domain.agreement_form import default_form
from services.mediation.domain.case import Command, InForce, State, case


def register(contexts: Contexts) -> None:
    """Tell the handler where each aggregate's context comes from."""

    @contexts.of(case)
    async def form_of_the_day(_: Command, __: State, plain: Context, ___: str) -> InForce:
        return InForce(**vars(plain), form=default_form())

    del form_of_the_day  # registered by its decorator
