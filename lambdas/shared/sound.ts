import { z } from 'zod';
import { unwrapped } from './faults.ts';
import { isJsonObject } from './json.ts';

/** What is left of an object without the fields whose form is wrong; of a list in it, such entries are `undefined`. */
export type Sound<Whole> = Whole extends object
  ? { readonly [Name in keyof Whole]?: SoundField<Whole[Name]> | undefined }
  : Whole;

type SoundField<Whole> = Whole extends readonly (infer Entry)[]
  ? readonly (Sound<Entry> | undefined)[]
  : Whole;

/**
 * The fields of an object whose form is right, so that rules can be held against them although others are wrong. An
 * object in a field is there as a whole or not at all: a part of a policy may break a rule that the whole does not.
 */
export function soundOf<S extends z.ZodType>(schema: S, value: unknown): Sound<z.output<S>> | undefined {
  return soundObject(schema, value) as Sound<z.output<S>> | undefined;
}

function soundObject(schema: z.ZodType, value: unknown): unknown {
  const whole = schema.safeParse(value);
  if (whole.success) return whole.data;
  const { inner } = unwrapped(schema);
  if (!(inner instanceof z.ZodObject) || !isJsonObject(value)) return undefined;
  const fields = Object.entries(inner.shape).flatMap(([name, field]) =>
    field instanceof z.ZodType ? [[name, soundField(field, value[name])] as const] : [],
  );
  return Object.fromEntries(fields);
}

function soundField(schema: z.ZodType, value: unknown): unknown {
  const whole = schema.safeParse(value);
  if (whole.success) return whole.data;
  const { inner } = unwrapped(schema);
  // A list that is too long is left alone: rules count on its bound.
  const isAtFault = whole.error.issues.some(({ path }) => path.length === 0);
  if (isAtFault || !(inner instanceof z.ZodArray) || !Array.isArray(value)) return undefined;
  const { element } = inner;
  return element instanceof z.ZodType ? value.map((entry) => soundObject(element, entry)) : undefined;
}
