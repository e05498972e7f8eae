export interface AwsErrorOptions {
  /** HTTP status: 400 for the caller's fault (default), 500 for the service's. */
  status?: number;
  /** SQS only: the code of the old query protocol, which some callers still compare with. */
  queryCode?: string;
  /** What the answer says besides code and message. */
  fields?: object;
  cause?: unknown;
}

/** A refusal as AWS words it. Thrown by the engines, and by a test's `beforeCall` to play throttling or an outage. */
export class AwsError extends Error {
  /** The `__type` of the answer, which the SDK turns into the error's name. */
  readonly code: string;
  readonly status: number;
  readonly queryCode: string;
  readonly fields: object;

  constructor(code: string, message: string, options: AwsErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = code;
    this.code = code;
    this.status = options.status ?? 400;
    this.queryCode = options.queryCode ?? code;
    this.fields = options.fields ?? {};
  }
}
