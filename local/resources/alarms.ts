import { z } from 'zod';
import type { Hops } from '../permissions/hops.ts';
import type { Maker, Place } from './create.ts';
import { ignored } from './property.ts';

export interface AlarmsOptions {
  readonly place: Place;
  readonly hops: Pick<Hops, 'alarmPublishes'>;
}

/** Alarms, and the topic that they tell. Nothing here watches metrics: a test rings them, and sees whom they reach. */
export class Alarms {
  public readonly makers: Readonly<Record<string, Maker>>;
  readonly #hops: AlarmsOptions['hops'];
  readonly #alarms = new Map<string, { readonly arn: string; readonly topics: readonly string[] }>();
  readonly #subscribers = new Map<string, string[]>();

  public constructor({ place: { region, accountId }, hops }: AlarmsOptions) {
    this.#hops = hops;
    this.makers = {
      'AWS::SNS::Topic': (logicalId, properties) => {
        const name = topic.parse(properties).TopicName ?? `Tidings-${logicalId}`;
        const arn = `arn:aws:sns:${region}:${accountId}:${name}`;
        this.#subscribers.set(arn, []);
        return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
      },
      'AWS::SNS::Subscription': (logicalId, properties) => {
        const { TopicArn, Endpoint } = subscription.parse(properties);
        this.#subscribersOf(TopicArn).push(Endpoint);
        return { ref: logicalId };
      },
      'AWS::CloudWatch::Alarm': (_logicalId, properties) => {
        const { AlarmName: name, AlarmActions, OKActions } = alarm.parse(properties);
        const arn = `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`;
        this.#alarms.set(name, { arn, topics: [...AlarmActions, ...OKActions] });
        return { ref: name, attributes: { Arn: arn } };
      },
    };
  }

  public names(): readonly string[] {
    return [...this.#alarms.keys()];
  }

  /**
   * Has an alarm ring, and end.
   *
   * @returns whom that reaches, the topics among them.
   * @throws Refused when the topic or its key does not let CloudWatch in.
   */
  public ring(name: string): readonly string[] {
    const found = this.#alarms.get(name);
    if (found === undefined) throw new Error(`There is no alarm ${name}`);
    const topics = new Set(found.topics);
    for (const one of topics) this.#hops.alarmPublishes(found.arn, one);
    return [...topics].flatMap((one) => [one, ...this.#subscribersOf(one)]);
  }

  #subscribersOf(arn: string): string[] {
    const all = this.#subscribers.get(arn);
    if (all === undefined) throw new Error(`There is no topic ${arn}`);
    return all;
  }
}

const topic = z.strictObject({ TopicName: z.string().optional(), KmsMasterKeyId: ignored });
const subscription = z.strictObject({
  TopicArn: z.string(),
  Protocol: z.literal('email'),
  Endpoint: z.string(),
});
const alarm = z.looseObject({
  AlarmName: z.string(),
  AlarmActions: z.array(z.string()).default([]),
  OKActions: z.array(z.string()).default([]),
});
