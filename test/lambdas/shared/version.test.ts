import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { version } from '../../../lambdas/shared/version.ts';

it('receivers see the version that package.json names', () => {
  const packageJson = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(JSON.parse(packageJson)).toMatchObject({ version });
});
