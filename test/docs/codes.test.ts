import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { discardReason } from '../../lambdas/delivery/delivery.ts';
import { refusalReason } from '../../lambdas/event/event.ts';

const sections = readFileSync('docs/codes.md', 'utf8').split(/^## /m);

/** Codes that a section of docs/codes.md explains, up to a sentence that is about others. */
function codesUnder(title: string, others: string): string[] {
  const section = sections.find((one) => one.startsWith(title));
  if (section === undefined) throw new Error(`docs/codes.md has no section ${title}`);
  // Its title has code, too.
  const [own = ''] = section.slice(section.indexOf('\n')).split(others);
  return [...own.matchAll(/`([a-z]+(?:_[a-z]+)*)`/g)].map(([, code = '']) => code);
}

it('why an event was refused, and why a delivery was discarded, is explained for each reason, and for no other', () => {
  const refused = codesUnder('Why an event was refused', 'A refused event has');
  expect(refused.toSorted()).toEqual(refusalReason.options.toSorted());
  const discarded = codesUnder('Why a delivery was discarded', 'An event for an endpoint');
  expect(discarded.toSorted()).toEqual(discardReason.options.toSorted());
});
