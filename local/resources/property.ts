import { z } from 'zod';

/** A property that changes nothing on a laptop: who may do what, encryption at rest, descriptions. */
export const ignored = z.unknown().optional();
