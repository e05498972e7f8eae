import { afterAll, afterEach } from 'vitest';
import { type LocalAws, startLocalAws } from '../../../local/aws/aws.ts';
import type { ServiceName } from '../../../local/aws/server.ts';

type Fault = (service: ServiceName, action: string) => void;
/** What a call is to meet before it, or after it; forgotten after each test. */
export const faults: { next: Fault | undefined; lost: Fault | undefined } = {
  next: undefined,
  lost: undefined,
};

/** Local AWS, closed at the end of the file. */
export const aws = await startLocalAws({
  beforeCall: (service, action) => {
    faults.next?.(service, action);
    return Promise.resolve();
  },
  afterCall: (service, action) => {
    faults.lost?.(service, action);
    return Promise.resolve();
  },
});

afterEach(() => {
  faults.next = undefined;
  faults.lost = undefined;
});

afterAll(() => aws.close());

/** What every client is made with here; in the runtime the environment says the same. */
export function clientOptions(of: LocalAws = aws) {
  return {
    endpoint: of.server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  };
}
