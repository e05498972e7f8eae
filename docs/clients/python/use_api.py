"""Makes two endpoints, publishes an event, reads a list page by page, and tells what a refusal says."""

import json
import os
import uuid
from collections.abc import Iterator

from tidings import AuthenticatedClient
from tidings.api.endpoints import create_endpoint, list_endpoints
from tidings.api.events import publish_event
from tidings.models import (
    CreatedEndpoint,
    Endpoint,
    EndpointPage,
    EventData,
    HttpsRequiredProblem,
    InvalidUrlProblem,
    NewEndpoint,
    NewEvent,
    PublishedEvent,
    SubscribableCategory,
    TargetNotAllowedProblem,
)
from tidings.types import UNSET, Unset

client = AuthenticatedClient(base_url=os.environ["TIDINGS_API"], token=os.environ["TIDINGS_TOKEN"])
organization = os.environ["TIDINGS_ORGANIZATION"]


def make_endpoint(wanted: NewEndpoint) -> CreatedEndpoint:
    # Sent again with the same key after a failure, the request makes no second endpoint.
    key = str(uuid.uuid4())
    made = create_endpoint.sync(organization, client=client, body=wanted, idempotency_key=key)
    if not isinstance(made, CreatedEndpoint):
        raise RuntimeError(made)
    return made


def publish(event: NewEvent) -> str:
    published = publish_event.sync(organization, client=client, body=event)
    if not isinstance(published, PublishedEvent):
        raise RuntimeError(published)
    return published.id


def pages_of_endpoints(limit: int) -> Iterator[list[Endpoint]]:
    """All endpoints, however many pages they are on."""
    cursor: str | None | Unset = UNSET
    while cursor is not None:
        page = list_endpoints.sync(organization, client=client, limit=limit, cursor=cursor)
        if not isinstance(page, EndpointPage):
            raise RuntimeError(page)
        yield page.data
        cursor = page.next_cursor


def fault_of(url: str) -> str:
    """What was wrong with a URL: each problem of the operation has a class of its own."""
    answer = create_endpoint.sync(organization, client=client, body=NewEndpoint(url=url))
    match answer:
        case HttpsRequiredProblem():
            return f"not https: {answer.detail}"
        case TargetNotAllowedProblem() | InvalidUrlProblem():
            return f"no good URL: {answer.detail}"
        case _:
            return "something else"


endpoints = [
    make_endpoint(NewEndpoint(name="billing", url="https://hooks.example.com/billing", event_types=["pipeline.*"])),
    make_endpoint(
        NewEndpoint(
            name="audit", url="https://hooks.example.com/audit", categories=[SubscribableCategory.GOVERNANCE]
        )
    ),
]
event = publish(NewEvent(type_="pipeline.run.failed", data=EventData.from_dict({"runId": 77})))
print(
    json.dumps(
        {
            "secrets": [endpoint.secret[: len("whsec_")] for endpoint in endpoints],
            "event": event,
            "pages": [[endpoint.name for endpoint in page] for page in pages_of_endpoints(1)],
            "fault": fault_of("http://hooks.example.com/billing"),
        }
    )
)
