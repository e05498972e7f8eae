import type { SQSRecord } from 'aws-lambda';

/**
 * Seconds until an event of nobody's is looked at again. Longer than an organization is remembered as unknown
 * (`remember-unknown.ts`), so that of a flood of them few look it up once more.
 */
const secondLookSeconds = 10;

/** Group of a message that somebody sent by hand, without one: it stands back for no organization. */
const nobody = 'nobody';

/** An event that no organization could ever see, as it came, on its way to `events-falling`. */
export function outgoingFalling({ body, attributes }: Pick<SQSRecord, 'body' | 'attributes'>) {
  return { body, delaySeconds: secondLookSeconds, groupId: attributes.MessageGroupId ?? nobody };
}
