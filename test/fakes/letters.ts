import type { Letter, LetterQueue } from '../../lambdas/recovery/tidy/tidy.ts';
import type { Now } from '../../lambdas/shared/time.ts';
import { soon } from './soon.ts';

interface Held {
  readonly body: string;
  readonly receipt: string | undefined;
  readonly visibleAtMs: number;
}

/** A dead-letter queue in memory, whose receives hide a letter for so long. */
export function memoryLetters(now: Now, holdMs = 900_000) {
  const held = new Map<string, Held>();
  let receives = 0;
  const ownOf = ({ id, receipt }: Letter) => {
    const one = held.get(id);
    return one?.receipt === receipt ? one : undefined;
  };
  const visible = () => [...held].filter(([, { visibleAtMs }]) => visibleAtMs <= now());
  const queue: LetterQueue = {
    receive: () =>
      soon(() =>
        visible()
          .slice(0, 10)
          .map(([id, { body }]) => {
            const receipt = `receipt-${(receives += 1)}`;
            held.set(id, { body, receipt, visibleAtMs: now() + holdMs });
            return { id, receipt, body };
          }),
      ),
    // As in SQS, an old receipt is answered with success and does nothing.
    remove: (letters) =>
      soon(() => {
        for (const letter of letters) if (ownOf(letter) !== undefined) held.delete(letter.id);
        return [];
      }),
    release: (letters) =>
      soon(() =>
        letters.filter((letter) => {
          const one = ownOf(letter);
          if (one === undefined || one.visibleAtMs <= now()) return true;
          held.set(letter.id, { ...one, visibleAtMs: now() });
          return false;
        }),
      ),
  };
  return {
    ...queue,
    /** A message that SQS has moved here. */
    fall: (body: string): void => {
      held.set(`letter-${held.size}-${(receives += 1)}`, { body, receipt: undefined, visibleAtMs: now() });
    },
    /** What a redrive, or a person with the console, would see. */
    visible: (): string[] => visible().map(([, { body }]) => body),
    /** How many there are, held or not. */
    size: (): number => held.size,
  };
}
