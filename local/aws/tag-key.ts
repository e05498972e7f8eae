import { z } from 'zod';

/** The name of a tag, which is the same for every service. Names that begin with `aws:` are AWS's own. */
export const tagKey = z
  .string()
  .min(1)
  .max(128)
  .regex(/^(?!aws:)/i, 'tags beginning with aws: are reserved');
