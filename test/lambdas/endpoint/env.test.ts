import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { targetEnv, targetRulesOf } from '../../../lambdas/endpoint/env.ts';
import { readEnvironment } from '../../../lambdas/shared/environment.ts';

const told = { RECEIVER_PORTS: '443,8443', OWN_HOSTS: 'api.example.com', NAT64: 'false' };

describe('the rules for receivers of a deployment', () => {
  it('are those that the stack has told', () => {
    expect(targetRulesOf(readEnvironment(targetEnv, told))).toEqual({
      ports: [443, 8443],
      ownHosts: ['api.example.com'],
      nat64: false,
      ipLiterals: false,
      loopback: false,
    });
  });

  it.each([
    ['RECEIVER_PORTS', ''],
    ['RECEIVER_PORTS', '0'],
    ['RECEIVER_PORTS', '65536'],
    ['RECEIVER_PORTS', '443,'],
    ['RECEIVER_PORTS', 'any'],
    ['NAT64', 'yes'],
  ])('a function that is told %s=%s does not start', (name, value) => {
    expect(() => readEnvironment(targetEnv, { ...told, [name]: value })).toThrow(name);
  });

  it('no value of any variable allows loopback, or addresses in place of names', () => {
    const ports = fc.array(fc.integer({ min: 1, max: 65_535 }), { minLength: 1 });
    const others = fc.dictionary(fc.string(), fc.constantFrom('true', '1', 'localhost', '127.0.0.1'));
    const hosts = fc.constantFrom('localhost', '127.0.0.1', '*', '');
    fc.assert(
      fc.property(ports, fc.tuple(hosts, others), (given, [host, more]) => {
        const env = { ...more, RECEIVER_PORTS: given.join(','), OWN_HOSTS: host, NAT64: 'true' };
        const rules = targetRulesOf(readEnvironment(targetEnv, env));
        expect(rules).toMatchObject({ loopback: false, ipLiterals: false });
      }),
    );
  });
});
