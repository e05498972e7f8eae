import { z } from 'zod';

/** A switch in a query, where everything is a text; clients are told that it is a boolean, which they write so. */
export const flag = z.enum(['true', 'false']).meta({ type: 'boolean', enum: undefined });
