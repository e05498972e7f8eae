import fc from 'fast-check';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { areLocalReceiversAllowed } from '../../../lambdas/shared/local-receivers.ts';

const symbol = Symbol.for('tidings.local.receivers');
const lambdas = join(import.meta.dirname, '..', '..', '..', 'lambdas');

afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  Reflect.deleteProperty(globalThis, symbol);
});

describe('local receivers', () => {
  it('are not allowed unless somebody says so', () => {
    expect(areLocalReceiversAllowed()).toBe(false);
  });

  it('are allowed by the symbol of the local runtime', () => {
    Reflect.set(globalThis, symbol, true);
    expect(areLocalReceiversAllowed()).toBe(true);
  });

  it.each(['true', 1, {}, 'yes'])('are not allowed by %j, which is only like true', (value) => {
    Reflect.set(globalThis, symbol, value);
    expect(areLocalReceiversAllowed()).toBe(false);
  });

  it('are not allowed by a global of the same name: nothing that parses data can make a symbol', () => {
    vi.stubGlobal('tidings.local.receivers', true);
    vi.stubGlobal('Symbol(tidings.local.receivers)', true);
    expect(areLocalReceiversAllowed()).toBe(false);
  });

  it('no environment variable of any name and value allows them', () => {
    const likely = [
      'tidings.local.receivers',
      'TIDINGS_LOCAL_RECEIVERS',
      'LOCAL',
      'NODE_ENV',
      'AWS_SAM_LOCAL',
    ];
    const name = fc.oneof(fc.constantFrom(...likely), fc.stringMatching(/^[A-Za-z_][\w.]{0,30}$/));
    const value = fc.oneof(
      fc.constantFrom('true', '1', 'yes', 'local', 'on'),
      fc.stringMatching(/^\w{0,20}$/),
    );
    fc.assert(
      fc.property(name, value, (variable, text) => {
        // Windows-style folding aside, these two would break the test run itself.
        fc.pre(!['PATH', 'NODE_OPTIONS'].includes(variable));
        vi.stubEnv(variable, text);
        expect(areLocalReceiversAllowed()).toBe(false);
        vi.unstubAllEnvs();
      }),
    );
  });

  it('are decided by one file, which sees no environment and sets nothing', () => {
    const naming = globSync('**/*.ts', { cwd: lambdas }).filter((file) =>
      readFileSync(join(lambdas, file), 'utf8').includes('tidings.local.receivers'),
    );
    expect(naming).toEqual([join('shared', 'local-receivers.ts')]);
    const source = readFileSync(join(lambdas, 'shared', 'local-receivers.ts'), 'utf8');
    expect(source).not.toMatch(/process\.|^import /m);
  });

  it('only handlers read the environment at all', () => {
    const reading = globSync('**/*.ts', { cwd: lambdas }).filter((file) =>
      readFileSync(join(lambdas, file), 'utf8').includes('process.env'),
    );
    expect(reading.length).toBeGreaterThan(0);
    expect(reading.filter((file) => !file.endsWith('handler.ts'))).toEqual([]);
  });
});
