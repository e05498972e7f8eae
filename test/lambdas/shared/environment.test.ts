import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readEnvironment } from '../../../lambdas/shared/environment.ts';

const schema = z.object({ TABLE: z.string().min(1), DAYS: z.coerce.number().int(), QUEUE_URL: z.url() });
const good = { TABLE: 'config', DAYS: '30', QUEUE_URL: 'https://sqs.example.com/1/retries' };

describe('readEnvironment', () => {
  it('gives what the schema makes of the variables, and nothing else of the environment', () => {
    expect(readEnvironment(schema, { ...good, PATH: '/bin' })).toEqual({ ...good, DAYS: 30 });
  });

  it('names every variable that is missing or malformed', () => {
    expect(() => readEnvironment(schema, { TABLE: '', QUEUE_URL: 'no url' })).toThrow(
      /TABLE: .*DAYS: .*QUEUE_URL: /,
    );
  });

  it('never quotes what a variable holds', () => {
    const planted = 'planted-secret-value';
    const variables = { TABLE: planted, DAYS: planted, QUEUE_URL: planted };
    expect(() => readEnvironment(schema, variables)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(planted) as unknown }) as Error,
    );
  });
});
