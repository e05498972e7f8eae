import middy from '@middy/core';
import { readEnvironment } from '../../shared/environment.ts';
import { makeLog } from '../../shared/request-log.ts';
import { wakeEnv } from './env.ts';

readEnvironment(wakeEnv, process.env);
const { log, requestLog } = makeLog();

export const handler = middy<unknown, undefined>()
  .use(requestLog())
  .handler(() => {
    log('wake.done', { sent: 0, drains: 0, lateMs: 0 });
    return Promise.resolve(undefined);
  });
