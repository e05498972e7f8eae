import { describe, expect, it } from 'vitest';
import {
  Conflict,
  Forbidden,
  InvalidRequest,
  MethodNotAllowed,
  NotFound,
  Refusal,
  TooLarge,
  found,
} from '../../../lambdas/shared/errors.ts';

describe('refusals', () => {
  it.each([
    [new InvalidRequest('c', 'm', 'f'), 400, 'InvalidRequest'],
    [new Forbidden('c', 'm'), 403, 'Forbidden'],
    [new NotFound('endpoint'), 404, 'NotFound'],
    [new MethodNotAllowed(['GET']), 405, 'MethodNotAllowed'],
    [new Conflict('c', 'm'), 409, 'Conflict'],
    [new TooLarge('c', 'm'), 413, 'TooLarge'],
  ])('%s carries its status as a fact', (refusal, status, name) => {
    expect(refusal).toMatchObject({ status, name });
    expect(refusal).toBeInstanceOf(Refusal);
  });

  it('a refusal names the field at fault', () => {
    expect(new InvalidRequest('c', 'm', 'policy.retry')).toMatchObject({ code: 'c', field: 'policy.retry' });
  });
});

describe('found', () => {
  it('gives what a look-up gave, also when that is false or empty', async () => {
    await expect(found(Promise.resolve(''), 'thing')).resolves.toBe('');
  });

  it('refuses with not_found what is not there', async () => {
    await expect(found(Promise.resolve(undefined), 'endpoint')).rejects.toMatchObject({
      status: 404,
      code: 'not_found',
      message: 'There is no such endpoint here.',
    });
  });

  it('lets a fault of the look-up rise unchanged', async () => {
    const fault = new Error('the table is away');
    await expect(found(Promise.reject(fault), 'endpoint')).rejects.toBe(fault);
  });
});
