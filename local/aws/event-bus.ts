import { z } from 'zod';

import { actionsOn, type Service, serviceOf } from './actions.ts';
import { AwsError } from './aws-error.ts';
import {
  checkEntry,
  entryBytes,
  envelopeText,
  type EventEnvelope,
  type PutEventsEntry,
  putEventsEntry,
} from './event-entry.ts';
import { type EventMatcher, eventMatcher } from './event-pattern.ts';
import { type BusHops, type EventTarget, putOnTarget } from './event-target.ts';
import { type Setting, uuid } from './setting.ts';
import type { Sqs } from './sqs.ts';

const entriesMax = 10;
/** EventBridge: 1 MB, of one entry or of all of a call. */
const entriesBytesMax = 1_048_576;
/** EventBridge: fixed, five targets per rule. */
const targetsMax = 5;

export interface RuleDefinition {
  /** Name or ARN. */
  busName: string;
  name: string;
  eventPattern: unknown;
  targets: EventTarget[];
  isEnabled?: boolean | undefined;
}

interface Rule extends RuleDefinition {
  arn: string;
  matches: EventMatcher;
}

export interface BusFaults {
  /** Probability that a target gets an event twice, with the same envelope id, as EventBridge may at any time. */
  duplicate: number;
  random: () => number;
}

export interface ArchiveDefinition {
  name: string;
  busArn: string;
  eventPattern: unknown;
  keyArn: string | undefined;
}

interface Archive extends ArchiveDefinition {
  arn: string;
  matches: EventMatcher;
}

interface BusesOptions {
  faults?: BusFaults | undefined;
  hops?: BusHops | undefined;
}

interface Bringing {
  body: string;
  rule: Rule;
  target: EventTarget;
  traceHeader: string | undefined;
}

/** Buses, and rules that bring events to queues. Nothing of it is kept: the template makes it anew at every start. */
export class EventBuses {
  readonly #setting: Setting;
  readonly #sqs: Sqs;
  readonly #faults: BusFaults | undefined;
  readonly #hops: BusHops | undefined;
  readonly #archives: Archive[] = [];
  readonly #rules = new Map<string, Rule[]>([['default', []]]);

  constructor(setting: Setting, sqs: Sqs, { faults, hops }: BusesOptions = {}) {
    this.#setting = setting;
    this.#sqs = sqs;
    this.#faults = faults;
    this.#hops = hops;
  }

  /** Makes the bus and answers its ARN. */
  createBus({ name }: { name: string }): string {
    if (!/^[\w./-]{1,256}$/.test(name))
      throw new AwsError('ValidationException', `${name} is no name for a bus.`);
    if (this.#rules.has(name))
      throw new AwsError('ResourceAlreadyExistsException', `Event bus ${name} already exists.`);
    this.#rules.set(name, []);
    return `arn:aws:events:${this.#setting.region}:${this.#setting.accountId}:event-bus/${name}`;
  }

  /** Makes the rule and answers its ARN. Throws on a pattern or a target that it does not know. */
  createRule(definition: RuleDefinition): string {
    const { name, targets } = definition;
    const bus = this.#busName(definition.busName);
    const rules = this.#rulesOf(bus);
    if (rules.some((rule) => rule.name === name)) {
      throw new AwsError('ResourceAlreadyExistsException', `Rule ${name} already exists.`);
    }
    if (targets.length > targetsMax)
      throw new AwsError('LimitExceededException', 'A rule has at most 5 targets.');
    for (const target of targets) this.#checkTarget(target);
    const path = bus === 'default' ? name : `${bus}/${name}`;
    const arn = `arn:aws:events:${this.#setting.region}:${this.#setting.accountId}:rule/${path}`;
    rules.push({ ...definition, arn, matches: eventMatcher(definition.eventPattern) });
    return arn;
  }

  /** Makes an archive and answers its ARN. Nothing is kept in it here: only whether EventBridge may is judged. */
  createArchive(definition: ArchiveDefinition): string {
    const arn = `arn:aws:events:${this.#setting.region}:${this.#setting.accountId}:archive/${definition.name}`;
    this.#rulesOf(this.#busName(definition.busArn));
    this.#archives.push({ ...definition, arn, matches: eventMatcher(definition.eventPattern) });
    return arn;
  }

  /**
   * Puts up to ten events, and answers when every matching target holds them. Entries EventBridge would not take are
   * reported one by one. Together they have at most 1 MB, or the call fails as a whole. An event for a bus that does not
   * exist gets an id and is dropped, as on AWS: only the report tells.
   */
  async putEvents(entries: PutEventsEntry[]): Promise<{ FailedEntryCount: number; Entries: object[] }> {
    if (entries.length < 1 || entries.length > entriesMax) {
      throw new AwsError('ValidationException', `Entries must have 1 to ${entriesMax} members.`);
    }
    if (entries.reduce((sum, entry) => sum + entryBytes(entry), 0) > entriesBytesMax) {
      const message = 'Total size of the entries in the request is over the limit.';
      throw new AwsError('ValidationException', message);
    }
    const answers = await Promise.all(entries.map((entry) => this.#putEvent(entry)));
    return { FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length, Entries: answers };
  }

  async #putEvent(entry: PutEventsEntry): Promise<object> {
    const checked = checkEntry(entry);
    if (checked.kind === 'bad') return { ErrorCode: checked.code, ErrorMessage: checked.message };
    const { clock, random, accountId, region } = this.#setting;
    const timeMs = entry.Time === undefined ? clock.now() : entry.Time * 1000;
    const event: EventEnvelope = {
      version: '0',
      id: uuid(random),
      'detail-type': checked.detailType,
      source: checked.source,
      account: accountId,
      time: new Date(timeMs).toISOString().replace(/\.\d+Z$/, 'Z'),
      region,
      resources: entry.Resources ?? [],
      detail: checked.detail,
    };
    const body = envelopeText(event, checked.detailText);
    const bus = this.#busName(entry.EventBusName ?? 'default');
    const rules = this.#rules.get(bus);
    if (rules === undefined) {
      this.#setting.report(`EventBridge would drop event ${event.id}: there is no bus ${bus}`);
      return { EventId: event.id };
    }
    this.#archive(event, bus);
    const matching = rules.filter((rule) => rule.isEnabled !== false && rule.matches(event));
    await Promise.all(
      matching.flatMap((rule) =>
        rule.targets.map((target) =>
          this.#bring(event, { body, rule, target, traceHeader: entry.TraceHeader }),
        ),
      ),
    );
    return { EventId: event.id };
  }

  #archive(event: EventEnvelope, bus: string): void {
    for (const { keyArn, ...archive } of this.#archives) {
      if (keyArn === undefined || this.#busName(archive.busArn) !== bus || !archive.matches(event)) continue;
      try {
        this.#hops?.archiveKeeps({ ...archive, keyArn });
      } catch (error) {
        if (!(error instanceof AwsError)) throw error;
        this.#setting.report(`EventBridge would not archive event ${event.id}: ${error.message}`);
      }
    }
  }

  async #bring(event: EventEnvelope, { rule, ...to }: Bringing): Promise<void> {
    const way = { sqs: this.#sqs, report: this.#setting.report, ruleArn: rule.arn, hops: this.#hops, ...to };
    await putOnTarget(event, way);
    if (this.#faults !== undefined && this.#faults.random() < this.#faults.duplicate)
      await putOnTarget(event, way);
  }

  /** The queues must be there: in a real account a missing one shows only as events that vanish. */
  #checkTarget({ queueArn, deadLetterQueueArn, messageGroupIdPath }: EventTarget): void {
    this.#sqs.queueByArn(queueArn);
    if (deadLetterQueueArn !== undefined) this.#sqs.queueByArn(deadLetterQueueArn);
    if (messageGroupIdPath !== undefined && !/^(\$(\.[\w-]+)+|[\w-]+)$/.test(messageGroupIdPath)) {
      throw new AwsError('ValidationException', `${messageGroupIdPath} is no path the stand-in knows.`);
    }
  }

  #busName(nameOrArn: string): string {
    const prefix = `arn:aws:events:${this.#setting.region}:${this.#setting.accountId}:event-bus/`;
    return nameOrArn.startsWith(prefix) ? nameOrArn.slice(prefix.length) : nameOrArn;
  }

  #rulesOf(bus: string): Rule[] {
    const rules = this.#rules.get(bus);
    if (rules === undefined)
      throw new AwsError('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
    return rules;
  }
}

/** EventBridge as the SDK speaks to it (AWSEvents.*). */
export function eventsService(buses: EventBuses): Service {
  const action = actionsOn<EventBuses>('ValidationException');
  return serviceOf(buses, {
    PutEvents: action(z.strictObject({ Entries: z.array(putEventsEntry) }), (engine, input) =>
      engine.putEvents(input.Entries),
    ),
  });
}
