import { Logger } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj } from '@middy/core';
import type { Log } from './log.ts';

/** A function's log: one JSON line for each unit of work. */
export function makeLog(): { readonly log: Log; readonly requestLog: () => MiddlewareObj } {
  const logger = new Logger();
  return {
    log: (message, fields) => {
      logger.info(message, fields);
    },
    // Powertools' own middleware would add the function's name, ARN and memory to every line: half a KB each.
    requestLog: () => ({
      before: ({ context }) => {
        logger.appendKeys({ requestId: context.awsRequestId });
      },
    }),
  };
}
