import type { Delivery } from '../../lambdas/delivery/delivery.ts';
import type { Book, Dossier, Request } from './book.ts';

/** The request whose outcome is recorded: one that was answered so, and is not settled yet. */
export function requestOf({ requests }: Dossier, { attempts }: Delivery, nowMs: number): Request | undefined {
  const made = attempts.at(-1);
  if (made === undefined) return undefined;
  return requests.findLast(({ isSettled, answer, atMs, answeredAtMs }) => {
    if (isSettled || answeredAtMs > nowMs || answeredAtMs - atMs !== made.durationMs) return false;
    return answer.kind === 'response' ? answer.status === made.statusCode : answer.code === made.code;
  });
}

/** What may have cost a delivery a request more, or a message more. */
export function excusesOf(book: Book, dossier: Dossier): number {
  return book.disturbances(dossier) + dossier.askedFor + dossier.repassed + book.redrives;
}

/** A copy of a message repeats an attempt at worst; if it always comes at the same time, it may repeat each of them. */
export function needlessCopies(book: Book, dossier: Dossier): string | undefined {
  const excuses = excusesOf(book, dossier);
  for (const [attempt, times] of dossier.overtaken)
    if (times > excuses) return `attempt ${attempt} was made ${times} times too often`;
  return undefined;
}

/**
 * Whether it still owes what follows, and nobody will send it: its message came twice, one of the two was acknowledged
 * while the other one recorded an attempt, and that one was kept from sending. The reconciliation finds it.
 */
export function isStranded(book: Book, dossier: Dossier): boolean {
  return dossier.isOrphaned && dossier.delivery?.owes !== undefined && book.disturbances(dossier) > 0;
}
