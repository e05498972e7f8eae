import { AwsError } from '../../local/aws/aws-error.ts';
import type { CallHook } from '../../local/aws/server.ts';

/**
 * How a call of AWS can fail: it is refused; it is carried out and its answer never comes; or its answer is lost once,
 * and the SDK makes the same call again.
 */
export const failures = ['is refused', 'loses its answer', 'is made twice'] as const;

export type Failure = (typeof failures)[number];

/** Which call fails, counted from one, and how. */
export interface Plan {
  readonly number: number;
  readonly failure: Failure;
}

/** Has one call of AWS fail, while something is tried. */
export interface FailingCalls {
  readonly hooks: { readonly beforeCall: CallHook; readonly afterCall: CallHook };
  /** @returns what came of the work, and whether the call that was to fail was reached at all. */
  readonly attempt: <Result>(
    plan: Plan,
    work: () => Promise<Result>,
  ) => Promise<{ result: Result; hasFailed: boolean }>;
}

export function makeFailingCalls(): FailingCalls {
  let plan: Plan | undefined;
  let calls = 0;
  let doomed: unknown;
  const refuse = () => Promise.reject(new AwsError('AccessDeniedException', 'planted'));
  return {
    hooks: {
      beforeCall: (_service, _action, input) => {
        calls += 1;
        if (plan === undefined || calls !== plan.number) return Promise.resolve();
        if (plan.failure === 'is refused') return refuse();
        doomed = input;
        return Promise.resolve();
      },
      afterCall: (_service, _action, input) => {
        if (plan === undefined || input !== doomed) return Promise.resolve();
        // The SDK tries again after a 500, and takes a 400 for final.
        if (plan.failure === 'loses its answer') return refuse();
        return Promise.reject(new AwsError('InternalServerError', 'planted', { status: 500 }));
      },
    },
    attempt: async (wanted, work) => {
      calls = 0;
      doomed = undefined;
      plan = wanted;
      const result = await work();
      plan = undefined;
      return { result, hasFailed: calls >= wanted.number };
    },
  };
}
