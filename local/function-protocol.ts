import { z } from 'zod';

/** What a worker is given at its start. */
export const workerSettings = z.object({
  arn: z.string(),
  /** `file:` URL of the bundle. */
  file: z.string(),
  exportName: z.string(),
  /** Authorities, in PEM, that the function trusts besides the usual ones. */
  extraCas: z.array(z.string()),
  /** Whether names of receivers lead nowhere, but those of this machine. */
  namesAreLocal: z.boolean(),
});
export type WorkerSettings = z.output<typeof workerSettings>;

/** One invocation. The event is JSON text. */
export const orderMessage = z.object({ id: z.string(), event: z.string(), deadlineMs: z.number() });
export type Order = z.output<typeof orderMessage>;

/** What comes back: once that the handler is loaded, then one answer per invocation. */
export const answerMessage = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('result'), id: z.string(), result: z.string() }),
  z.object({
    kind: z.literal('failure'),
    id: z.string(),
    errorType: z.string(),
    errorMessage: z.string(),
    stack: z.string(),
  }),
]);
export type Answer = z.output<typeof answerMessage>;
