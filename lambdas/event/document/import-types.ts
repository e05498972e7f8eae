import { isDeepStrictEqual } from 'node:util';
import { differences } from '../../shared/difference.ts';
import type { Difference } from '../../shared/difference.ts';
import { allNow, InvalidRequest, readOrKeep, Refusal, throwAll } from '../../shared/errors.ts';
import { parsePart, refusalOf } from '../../shared/faults.ts';
import { isJsonObject } from '../../shared/json.ts';
import { soundOf } from '../../shared/sound.ts';
import {
  changeOf,
  isBuiltIn,
  ownAfter,
  refuseTooMany,
  refuseTooManyNames,
  refuseUnusable,
} from '../define-type.ts';
import type { TypeChange } from '../define-type.ts';
import { eventTypeDefinition, subscribableCategories } from '../event-type.ts';
import type { EventType, EventTypeDefinition } from '../event-type.ts';
import { refuseTakenSchemaId } from '../refuse-schema.ts';
import { proposalsOfAsyncApi } from './async-api.ts';
import { proposalsOfJsonSchema } from './json-schema.ts';
import { asWritten } from './proposal.ts';
import type { Proposal } from './proposal.ts';
import { fieldOf } from './reference.ts';

/** What an import does with one part of a document. */
export type TypeOutcome =
  | { readonly name: string; readonly outcome: 'ignored'; readonly reason: 'built_in' | 'not_an_event_type' }
  | {
      readonly name: string;
      readonly outcome: 'added' | 'changed' | 'unchanged';
      readonly change: TypeChange;
      readonly changes: readonly Difference[];
    };

interface Circumstances {
  /** Of types for which the document names none. */
  readonly category?: EventTypeDefinition['category'] | undefined;
  /** ISO time. */
  readonly at: string;
}

/**
 * What the import of a document will do. It adds and changes, and removes nothing.
 *
 * @param own event types that an operator has added so far
 * @throws Refusal when anything in the document is wrong; the field is its place in the document. All that is wrong with
 * the event types themselves is told at once.
 */
export function planTypes(document: unknown, own: readonly EventType[], at: Circumstances): TypeOutcome[] {
  const refusals: InvalidRequest[] = [];
  const proposals = proposalsOf(document, refusals);
  refusals.push(...refusalsOfTwice(proposals));
  const known = [...own, ...proposals.filter(({ definition }) => definition !== undefined)];
  // Before any is judged: that takes its time for each.
  refuseTooManyNames(new Set(known.map(({ name }) => name).filter((name) => !isBuiltIn(name))));
  const planned = proposals.flatMap((proposal) => {
    const one = readOrKeep(refusals, () =>
      within(proposal, () => outcomeOf(proposal, own, { ...at, known })),
    );
    return one === undefined ? [] : [{ ...one, proposal }];
  });
  throwAll(refusals);
  const changed = planned.filter((one) => one.outcome !== 'ignored');
  const after = ownAfter(
    own,
    changed.map(({ change }) => change),
  );
  refuseTooMany(after);
  for (const { proposal, change } of changed) {
    within(proposal, () => {
      refuseTakenSchemaId(after, change);
    });
  }
  return planned;
}

/** @throws InvalidRequest `unknown_document` */
function proposalsOf(document: unknown, refusals: InvalidRequest[]): Proposal[] {
  const said = isJsonObject(document) ? document : {};
  if (typeof said['asyncapi'] === 'string' && /^[23]\./.test(said['asyncapi'])) {
    return proposalsOfAsyncApi(document, refusals);
  }
  if (said['asyncapi'] === undefined && isJsonObject(said['$defs']))
    return proposalsOfJsonSchema(document, refusals);
  throw new InvalidRequest(
    'unknown_document',
    'Give an AsyncAPI document of version 2 or 3, or a JSON Schema that has the event types in $defs, as JSON.',
  );
}

function refusalsOfTwice(proposals: readonly Proposal[]): InvalidRequest[] {
  const seen = new Set<string>();
  return proposals.flatMap(({ name, place, definition }) => {
    if (definition === undefined) return [];
    const isSecond = seen.has(name);
    seen.add(name);
    if (!isSecond) return [];
    return [
      new InvalidRequest('duplicate_event_type', 'This event type is described twice.', fieldOf(place)),
    ];
  });
}

function outcomeOf(
  { name, definition }: Proposal,
  own: readonly EventType[],
  { category: given, ...said }: Circumstances & { readonly known: readonly Pick<EventType, 'name'>[] },
): TypeOutcome {
  if (definition === undefined) return { name, outcome: 'ignored', reason: 'not_an_event_type' };
  if (isBuiltIn(name)) return { name, outcome: 'ignored', reason: 'built_in' };
  const refusals: InvalidRequest[] = [];
  const category = definition.category ?? given;
  if (category === undefined) refusals.push(missingCategory());
  // What else is wrong is told, too, whatever the category will be.
  const fields = Object.entries({ ...definition, category: category ?? subscribableCategories[0] }).filter(
    ([, value]) => value !== undefined,
  );
  const change = readOrKeep(refusals, () =>
    changeOf(own, { name, definition: parsed(Object.fromEntries(fields), said.known) }, said),
  );
  throwAll(refusals);
  if (change === undefined) throw missingCategory();
  const { before, after } = change;
  const outcome = before === undefined ? 'added' : isDeepStrictEqual(before, after) ? 'unchanged' : 'changed';
  return { name, outcome, change, changes: differences(before, after) };
}

function missingCategory(): InvalidRequest {
  return new InvalidRequest(
    'missing_category',
    'This event type has no category: name one in its tags or x-category, or for all of them by ?category=.',
  );
}

/** @throws InvalidRequest with what is wrong with its form, and with what can be said of it all the same */
function parsed(definition: unknown, known: readonly Pick<EventType, 'name'>[]): EventTypeDefinition {
  const result = parsePart(eventTypeDefinition, definition);
  if (result.ok) return result.value;
  const sound = soundOf(eventTypeDefinition, definition) ?? {};
  allNow(
    () => {
      throw refusalOf(result.faults);
    },
    () => {
      refuseUnusable(known, sound);
    },
  );
  throw refusalOf(result.faults);
}

/** What is wrong with a part of the document is said of its place there. */
function within<Result>({ place }: Proposal, work: () => Result): Result {
  try {
    return work();
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    throw asWritten(fault).at(fieldOf(place));
  }
}
