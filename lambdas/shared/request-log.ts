import { Logger } from '@aws-lambda-powertools/logger';
import type { MiddlewareObj } from '@middy/core';
import { z } from 'zod';
import type { Log } from './log.ts';
import { traceId } from './trace.ts';

/** A request of the API: its id is the one that the caller was answered, and may ask about. */
const apiRequest = z.object({ requestContext: z.object({ requestId: z.string() }) });

/** A function's log: one JSON line for each unit of work. */
export function makeLog(): { readonly log: Log; readonly requestLog: () => MiddlewareObj } {
  const logger = new Logger();
  return {
    log: (message, fields) => {
      logger.info(message, { ...fields, traceId: traceId() });
    },
    // Powertools' own middleware would add the function's name, ARN and memory to every line: half a KB each.
    requestLog: () => ({
      before: ({ event, context }) => {
        const request = apiRequest.safeParse(event);
        logger.appendKeys({ requestId: request.data?.requestContext.requestId ?? context.awsRequestId });
      },
    }),
  };
}
