import type { Grant } from './grants.ts';
import type { Tried } from './statements.ts';
import type { Recorded } from '../../local/permissions/record.ts';
export const reasons: { because: string }[] = [];
export function reasonFor(_: Grant): { because: string } | undefined { return undefined; }
export function reasonWhyNeedless(_: Tried): string | undefined { return undefined; }
export function expectedRefusal(one: Recorded): boolean { return one.context['aws:securetransport'] === 'false'; }
