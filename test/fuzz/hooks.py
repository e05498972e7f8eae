"""What Schemathesis is told of Tidings beside its description; started by fuzz.ts, which sets the environment."""

import atexit
import json
import os
import re

import schemathesis
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData

EXAMPLES = json.loads(os.environ["FUZZ_EXAMPLES"])
SPARES = json.loads(os.environ["FUZZ_SPARES"])
RULES = json.loads(os.environ["FUZZ_RULES"])
MEASURED = os.environ["FUZZ_MEASURED"]

slowest = {"ms": 0.0, "operation": ""}
statuses = {}
# Ids in answers that were given again for an Idempotency-Key: what was made may have been deleted since.
replayed = set()


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Gives ids that exist as examples: without them most requests would meet nothing."""
    for methods in raw_schema["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                values = EXAMPLES[operation["operationId"]].get(parameter["name"])
                if parameter["in"] == "path" and values:
                    parameter["examples"] = {value: {"value": value} for value in values[:3]}


@schemathesis.hook
def before_call(context, case, kwargs):
    """What takes something away takes a spare one: the rest of the run needs the others."""
    own = SPARES.get(operation_id(case))
    if own is None or case.method != case.operation.method.upper():
        return
    for name, values in own["spare"].items():
        if case.path_parameters.get(name) in own["needed"][name]:
            # In turn, so that each can be taken once.
            values.append(values.pop(0))
            case.path_parameters[name] = values[-1]


def operation_id(case):
    return case.operation.definition.raw["operationId"]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Lets go of what is as it should be, where no description can say so."""
    if isinstance(failure, EnsureResourceAvailability):
        return replayed.isdisjoint(case.path_parameters.values())
    return not isinstance(failure, RejectedPositiveData) or not is_rule(response)


def is_rule(response):
    """Whether a request was refused by a rule that stands in rules.ts."""
    try:
        problem = json.loads(response.content)
        code, field = problem["code"], problem.get("field", "")
    except (ValueError, KeyError, TypeError):
        return False
    return any(rule["code"] == code and re.fullmatch(rule.get("field", ".*"), field) for rule in RULES)


@schemathesis.hook
def after_call(context, case, response):
    """Keeps the slowest answer, and how often each operation gave each status."""
    operation = operation_id(case)
    if "idempotent-replayed" in response.headers:
        replayed.add(json.loads(response.content).get("id"))
    if response.request.method == case.operation.method.upper():
        counts = statuses.setdefault(operation, {})
        status = str(response.status_code)
        counts[status] = counts.get(status, 0) + 1
    if response.elapsed * 1000 > slowest["ms"]:
        slowest.update(ms=response.elapsed * 1000, operation=operation)


@atexit.register
def write_measured():
    with open(MEASURED, "w", encoding="utf-8") as file:
        json.dump({"slowest": slowest, "statuses": statuses}, file)
