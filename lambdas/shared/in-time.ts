/** No answer came in time; whether what was asked for has been done is not known. */
export class TimeoutError extends Error {
  public override readonly name = 'TimeoutError';
}

/** Time for a call of AWS, all its tries included: below 10 s, also on a busy machine. */
const callMsMax = 9_000;

/**
 * Work that ends within nine seconds, whatever the other side does. What is under way then is told so by the signal,
 * and is not waited for.
 *
 * @throws TimeoutError when the work has not ended by itself.
 */
export async function inTime<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const overdue = Promise.withResolvers<never>();
  const abort = new AbortController();
  const timer = setTimeout(() => {
    overdue.reject(new TimeoutError('no answer within the time of a call'));
    abort.abort();
  }, callMsMax);
  try {
    return await Promise.race([work(abort.signal), overdue.promise]);
  } finally {
    clearTimeout(timer);
  }
}
