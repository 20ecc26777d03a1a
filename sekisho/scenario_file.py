"""A scenario as YAML (`config/scenarios/*.yaml`): what to simulate, faults named with their places."""

from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from gateway.devices.catalog import declared
from gateway.model.instant import Instant, parse_rfc3339
from gateway.model.quantity import DURATION, parse
from gateway.registry.words import nearest
from gateway.settings.complaints import Complaint, SettingsError, translate
from gateway.settings.document import Document
from gateway.settings.forms import fault
from simulators.faults import DEFAULT_RATE
from simulators.scenario import DEFAULT_START, Scenario


def _duration_s(given: object) -> float:
    try:
        return parse(str(given), DURATION)
    except ValueError as error:
        raise fault(str(error)) from None


def _moment(given: object) -> Instant:
    try:
        return parse_rfc3339(str(given))
    except ValueError:
        sentence = "a time with its offset is needed here, as 2026-05-12T07:00:00+09:00."
        raise fault(sentence) from None


def _declared(given: str) -> str:
    known = list(declared())
    if given not in known:
        unless = (
            f" Declared are {', '.join(known)}."
            if known
            else " None is: name a folder of them, --kinds DIR."
        )
        raise fault(f'no kind "{given}" is declared.' + nearest(given, known, unless=unless))
    return given


Rate: TypeAlias = Annotated[float, Field(ge=0, le=1)]


class FaultRates(BaseModel):
    """The menu of `simulators.faults`, with rates."""

    model_config = ConfigDict(extra="forbid")

    loss: Rate = 0.0
    duplicate: Rate = 0.0
    reorder: Rate = 0.0
    delay: Rate = 0.0
    clock_skew: Rate = 0.0
    stuck: Rate = 0.0
    corrupt: Rate = 0.0
    out_of_range: Rate = 0.0
    unknown_device: Rate = 0.0
    battery_death: Rate = 0.0
    flood: Rate = 0.0
    half_open: Rate = 0.0
    dead_gps: Rate = 0.0


class ScenarioFile(BaseModel):
    """The settings of a scenario; everything left out is as `sekisho simulate` has it."""

    model_config = ConfigDict(extra="forbid")

    town: Literal["small", "district", "village"] = "small"
    seed: int = 7
    children: Annotated[int, Field(ge=0, le=100_000)] = 50
    start: Annotated[Instant, BeforeValidator(_moment)] = DEFAULT_START
    report_every: Annotated[float, BeforeValidator(_duration_s), Field(ge=1, le=86_400)] = 60.0
    harm: Rate = DEFAULT_RATE
    extra: dict[
        Annotated[str, AfterValidator(_declared)], Annotated[int, Field(ge=0, le=10_000)]
    ] = Field(default_factory=dict)
    faults: FaultRates = FaultRates()
    devices: Annotated[int, Field(ge=1, le=200_000)] | None = None
    begins: Annotated[Instant | None, BeforeValidator(_moment), Field(alias="from")] = None
    ends: Annotated[Instant | None, BeforeValidator(_moment), Field(alias="until")] = None
    only: tuple[str, ...] = ()


def read_scenario(path: Path) -> Scenario:
    """The scenario in a file.

    Raises:
        SettingsError: with every fault of it.
    """
    document = Document(path)
    document.read()
    faults = [Complaint(document.name, f.line, f.column, "", f.sentence) for f in document.faults]
    if faults:
        raise SettingsError(faults)
    try:
        wish = ScenarioFile.model_validate({} if document.data is None else document.data)
    except ValidationError as error:
        raise SettingsError(translate(error, document, ScenarioFile)) from None
    town = (wish.seed, wish.children, wish.start, wish.report_every, wish.harm)
    return Scenario(
        *(*town, wish.extra, wish.faults.model_dump(exclude_unset=True)),
        *(wish.devices, wish.only, wish.begins, wish.ends, wish.town),
    )
