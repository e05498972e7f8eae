import { z } from 'zod';
import { referenceTo } from './openapi-schema.ts';
import type { Schema, Schemas } from './openapi-schema.ts';
import { allProblemCodes, saidBy } from './problem-codes.ts';
import { problem } from './problem.ts';

/** What API Gateway itself says, before or instead of a function. */
const gatewayMessage = z.object({ message: z.string().nullable() }).meta({
  id: 'GatewayMessage',
  description: 'What API Gateway itself says, before or instead of an answer of Tidings.',
});

const json = 'application/json';
const problemJson = 'application/problem+json';

/** A schema for each problem, whose `code` tells it from others; and the one that all of them are. */
const problems: readonly z.ZodType[] = [
  problem,
  ...[...allProblemCodes()].map(([code, description]) =>
    problem.extend({ code: z.literal(code) }).meta({ id: nameOf(code), description }),
  ),
];

/** All schemas of the description that have names; those of the problems are among them, whoever refers to them. */
export function allSchemas(schemas: Schemas): Readonly<Record<string, Schema>> {
  for (const one of problems) schemas.at(one, 'output');
  return schemas.named();
}

/** Content of an answer that is one of some problems. */
export function problemContent(codes: readonly string[]): object {
  return { [problemJson]: { schema: oneOf(codes) } };
}

/** Content of an answer of API Gateway. */
export function gatewayContent(schemas: Schemas): object {
  return { [json]: { schema: schemas.at(gatewayMessage, 'output') } };
}

/** Content of an answer that may be API Gateway's, too. */
export function eitherContent(schemas: Schemas, codes: readonly string[]): object {
  const gateway = schemas.at(gatewayMessage, 'output');
  return {
    // Clients that are generated may look at the first type alone: there they find both.
    [problemJson]: { schema: { anyOf: [oneOf(codes), gateway] } },
    ...gatewayContent(schemas),
  };
}

/** Each code of an answer with what it says, to read. */
export function sentencesOf(status: string, codes: readonly string[]): string {
  const said = saidBy(status);
  if (codes.length === 1) return said[codes[0] ?? ''] ?? '';
  return codes.map((code) => `- \`${code}\`: ${said[code] ?? ''}`).join('\n');
}

function oneOf(codes: readonly string[]): Schema {
  const [first, ...others] = codes;
  if (first !== undefined && others.length === 0) return referenceTo(nameOf(first));
  const mapping = Object.fromEntries(codes.map((code) => [code, referenceTo(nameOf(code))['$ref']]));
  return {
    oneOf: codes.map((code) => referenceTo(nameOf(code))),
    discriminator: { propertyName: 'code', mapping },
  };
}

/** `not_found` is a `NotFoundProblem`. */
function nameOf(code: string): string {
  const words = code.split('_').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return `${words.join('')}Problem`;
}
