import { synthesized } from '../lib/synthesized.ts';
import { idleItems, tableOf } from './idle.ts';

/** `npm run cost`: what the stack costs a month when nothing happens; docs/capacity.md has the same. */
for (const line of tableOf(idleItems(synthesized()))) process.stdout.write(`${line}\n`);
