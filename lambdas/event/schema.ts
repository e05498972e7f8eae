import { createHash } from 'node:crypto';
import { _, Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { LRUCache } from 'lru-cache';
import { InvalidRequest } from '../shared/errors.ts';
import { plainOf } from '../shared/json.ts';
import type { EventType } from './event-type.ts';
import { forgetPatterns, linearPattern } from './linear-pattern.ts';
import { isMultipleOf } from './multiple-of.ts';
import { faultOf } from './schema-fault.ts';
import { areUnique } from './unique-items.ts';
import { OutOfBudget, withinBudget } from './within-budget.ts';

/** What happens to an event whose data break the schema of its type: refused, or delivered with a remark. */
export type SchemaRule = 'strict' | 'warn';

/** What became of data that were held against the schema of their type. */
export type Judgement =
  | { readonly kind: 'fits' }
  /** Where they break it; nothing of them is quoted. */
  | { readonly kind: 'breaks'; readonly sentence: string }
  /** Why nobody can tell, which is a fault of the schema and not of the data. */
  | { readonly kind: 'not_judged'; readonly sentence: string };

/**
 * Milliseconds that judging one event may take. Most take less than one; and of the 30 s that a function has for a batch
 * of ten, ten that use all of theirs leave 25.
 */
const judgingMsMax = 500;

/** Those of compiling a schema, once in the life of a function: ten new ones in one batch leave it some time. */
const compilingMsMax = 2_500;

const fits: Judgement = { kind: 'fits' };

/**
 * Holds data against the schema of their type, within a budget of time: an operator has written the schema, and whoever
 * waits behind this event must not wait for that. Never throws, whatever the schema is.
 *
 * What is said is in words of the schema: nothing of the data is quoted, not even the name of a field that the schema
 * does not know: it is payload.
 *
 * @param data As it will be delivered; numbers kept as their text count as the numbers they are.
 * @param whose The organization's: data that took too long leave its next ones of this type little time, for a minute,
 * so that what waits behind them does not wait for each anew.
 */
export function judgeData({ schema }: Pick<EventType, 'schema'>, data: unknown, whose?: string): Judgement {
  if (schema === undefined) return fits;
  const plain = plainOf(data);
  const text = JSON.stringify(schema);
  const validate = knownValidator(text, schema);
  if (validate === undefined) return unusable;
  try {
    if (withinBudget(budgetOf(whose, text), () => validate(plain))) return fits;
  } catch (fault) {
    // It may have been ended in the midst of anything: what patterns have remembered is not to be trusted any more. A
    // compiled schema remembers nothing.
    forgetPatterns();
    if (!(fault instanceof OutOfBudget)) return endless;
    if (whose !== undefined) slow.set(slowKey(whose, text), true);
    return tooSlow;
  }
  const fault = faultOf(validate.errors ?? [], schema);
  return { kind: 'breaks', sentence: `data break the schema of the event type at ${fault}`.slice(0, 500) };
}

/** Whose data took too long lately, and by which schema; mostly nobody's, and then no schema need be hashed. */
const slow = new LRUCache<string, true>({ max: 1_000, ttl: 60_000, ttlAutopurge: true });
const secondMsMax = 25;

function budgetOf(whose: string | undefined, text: string): number {
  const isSlow = whose !== undefined && slow.size > 0 && slow.has(slowKey(whose, text));
  return isSlow ? secondMsMax : judgingMsMax;
}

function slowKey(whose: string, text: string): string {
  return `${whose} ${createHash('sha256').update(text).digest('base64')}`;
}

const unusable: Judgement = {
  kind: 'not_judged',
  sentence: 'the schema of the event type cannot be used: define the type again to learn why',
};
const tooSlow: Judgement = {
  kind: 'not_judged',
  sentence:
    'the schema of the event type takes too long for these data: simplify its patterns and alternatives',
};
const endless: Judgement = {
  kind: 'not_judged',
  sentence: 'the schema of the event type leads deeper into itself than can be followed for these data',
};

/** Compiled schemas by their text: the catalogue is read anew twice a minute and after each change, and compiling one takes 20 ms. */
const validators = new LRUCache<string, { readonly validate: ValidateFunction | undefined }>({
  max: 500,
  // A whole catalogue (define-type.ts), compiled: measured, 12 bytes for each of the schema's.
  maxSize: 32 * 2 ** 20,
  sizeCalculation: (_validator, text) => 16 * text.length,
});

/**
 * What took too long to be compiled is tried again after so long: a processor that others had must not decide on all
 * events of a type for as long as the function lives. A hundredth of the time is lost to one that is always too slow.
 */
const compiledAgainMs = 300_000;

/** `undefined` for a schema that was stored before such were refused, and cannot be compiled. */
function knownValidator(text: string, schema: object): ValidateFunction | undefined {
  const known = validators.get(text);
  if (known !== undefined) return known.validate;
  let validate: ValidateFunction | undefined;
  let ttl = 0; // for ever
  try {
    validate = compileSchema(schema);
  } catch (fault) {
    if (fault instanceof OutOfBudget) ttl = compiledAgainMs;
  }
  validators.set(text, { validate }, { ttl });
  return validate;
}

/**
 * Compiles a schema, within a budget of time. What is stored has been held against the draft when it was defined. Its
 * numbers are the doubles that those of the data will be: else the same number would be none of its `enum`.
 *
 * @throws Error of Ajv's for what cannot be compiled, OutOfBudget
 */
export function compileSchema(schema: object, budgetMs = compilingMsMax): ValidateFunction {
  const validate = withinBudget(budgetMs, () => makeAjv().compile(plainOf(schema)));
  if ('$async' in validate) throw new Error('$async is no keyword of JSON Schema');
  return validate;
}

/**
 * Unknown keywords are remarks, as JSON Schema has it; the first fault is enough to say; nothing is ever fetched. One
 * for each schema: Ajv holds on to all that it has ever compiled, and refuses a second schema of the same $id.
 */
function makeAjv(): Ajv2020 {
  const regExp = Object.assign(linearPattern, { code: 'linearPattern' });
  const ajv = new Ajv2020({
    strict: false,
    logger: false,
    validateSchema: false,
    // Keywords of a part that is compiled wherever it is referred to, so that a fault can be said with its place. A larger
    // one that a thousand places refer to is compiled once, not a thousand times.
    inlineRefs: 30,
    // Its optimizer takes twice as long as the compiler, and V8 has one of its own.
    code: { regExp, optimize: false },
  });
  addFormats.default(ajv);
  // Ajv's own compares each item with each other one.
  ajv.removeKeyword('uniqueItems');
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    validate: (wanted: boolean, items: readonly unknown[]) => !wanted || areUnique(items),
  });
  // And its own divides doubles: by it 19.99 would be no multiple of 0.01.
  ajv.removeKeyword('multipleOf');
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    validate: (divisor: number, value: number) => isMultipleOf(value, divisor),
    error: { message: 'must be a multiple', params: ({ schemaCode }) => _`{multipleOf: ${schemaCode}}` },
  });
  return ajv;
}

/**
 * Holds what a caller is about to publish against the schema of its type.
 *
 * @returns what is wrong, where the deployment only warns.
 * @throws InvalidRequest `schema_violation`, `schema_not_judged` where it is strict.
 */
export function heedSchema(type: EventType, data: unknown, rule: SchemaRule): string | undefined {
  const judgement = judgeData(type, data);
  if (judgement.kind === 'fits') return undefined;
  if (rule === 'warn') return judgement.sentence;
  const code = judgement.kind === 'breaks' ? 'schema_violation' : 'schema_not_judged';
  throw new InvalidRequest(code, `${judgement.sentence}.`, 'data');
}
