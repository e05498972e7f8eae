import type { Post, PostRequest, PostResult } from '../../lambdas/request/answer.ts';
import type { Request } from './book.ts';
import { check } from './invariants/check.ts';
import { ofRequest } from './invariants/of-requests.ts';
import { ofStart } from './invariants/of-starts.ts';
import type { Life } from './life.ts';
import { endpointOf, short } from './names.ts';
import { beliefsAt, presentBeliefsAt } from './settings.ts';
import type { World } from './world.ts';

/** The receivers. */
export function watchPost(world: World, life: Life): Post {
  return async function post(request: PostRequest): Promise<PostResult> {
    const { book, time, chance } = world;
    const endpointId = endpointOf(request.url);
    const dossier = book.dossier(endpointId, request.headers['webhook-id'] ?? '');
    const behave = world.receivers.get(endpointId)?.latest;
    if (behave === undefined) throw new Error(`there is no receiver at ${request.url}`);
    const nowMs = time.now();
    const { answer, tookMs, hintMs } = behave({ nowMs, timeoutMs: request.timeoutMs, chance });
    const { url, headers, body } = request;
    const entry: Request = {
      ...{ instance: life.name, endpointId, url, headers, body, atMs: nowMs },
      ...{ answer, answeredAtMs: nowMs + tookMs, hintMs, isSettled: false },
    };
    dossier.requests.push(entry);
    world.journal.tell(
      life.name,
      () => `posts ${short(dossier.eventId)} to ${short(endpointId)}: ${outcomeOf(entry)}`,
    );
    world.journal.trace(tookMs);
    const [beliefs, present] = [
      beliefsAt(book, endpointId, nowMs),
      presentBeliefsAt(world, endpointId, nowMs),
    ];
    const facts = { world, request: entry, dossier, beliefs, present };
    check(world, ofRequest, facts);
    check(world, ofStart, facts);
    for (const { afterMs, tell } of request.waits ?? []) {
      if (tookMs <= afterMs) continue;
      time.later(afterMs, () => {
        if (!life.isOver) tell();
      });
    }
    await new Promise<void>((resolve) => {
      time.later(tookMs, resolve);
    });
    return { answer, durationMs: tookMs, phases: [] };
  };
}

function outcomeOf({ answer, atMs, answeredAtMs }: Request): string {
  const what = answer.kind === 'failure' ? answer.code : `${answer.status} ${answer.retryAfter ?? ''}`;
  return `${what} after ${answeredAtMs - atMs} ms`;
}
