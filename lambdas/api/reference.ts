import { createHash } from 'node:crypto';
import { z } from 'zod';
import { noBody } from '../shared/route.ts';
import { makeSchemas } from './openapi-schema.ts';
import type { Schemas, Side } from './openapi-schema.ts';
import { tagOf } from './openapi-tags.ts';
import type { Described } from './openapi.ts';

/** A page that a person can read top to bottom, from the same schemas as the description; no script, nothing fetched. */
export function referencePage(routes: readonly Described[]): string {
  const schemas = makeSchemas();
  const groups = [...Map.groupBy(routes, tagOf)];
  const contents = groups.map(
    ([tag, own]) =>
      `<li><a href="#${escaped(tag)}">${escaped(tag)}</a><ul>${own
        .map(({ operationId, summary }) => `<li><a href="#${operationId}">${escaped(summary)}</a></li>`)
        .join('')}</ul></li>`,
  );
  const sections = groups.map(
    ([tag, own]) =>
      `<h2 id="${escaped(tag)}">${escaped(tag)}</h2>${own.map((one) => operationHtml(schemas, one)).join('')}`,
  );
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tidings API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>${style}</style></head><body>
<nav aria-label="Operations"><ul>${contents.join('')}</ul></nav><main><h1>Tidings API</h1>${introduction}${sections.join('\n')}</main></body></html>`;
}

const introduction = `<p>JSON over HTTPS. Every request but the public ones takes <code>authorization: Bearer</code> with a token that names your
organization. Fields and parameters that are not listed here are refused. Lists answer <code>{"data": […], "nextCursor": …}</code>: give
<code>nextCursor</code> back as <code>cursor</code> until it is <code>null</code>. Refusals are
<a href="https://www.rfc-editor.org/rfc/rfc9457">problem documents</a> with a stable <code>code</code>, and <code>errors</code> has all that is wrong. A body is
sent as <code>application/json</code>. Whatever is read by GET has an <code>ETag</code>: as <code>If-None-Match</code> it saves the answer (304), as
<code>If-Match</code> it keeps a change from undoing somebody else's. A PATCH is a merge patch: <code>null</code> takes a field back to its default. For tools:
<a href="/openapi.json">openapi.json</a>.</p>`;

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:20rem minmax(0,1fr)}
nav{position:sticky;top:0;height:100vh;overflow:auto;padding:1rem;box-sizing:border-box;font-size:.85rem}nav ul{list-style:none;padding-left:.75rem}
main{padding:1rem 2rem 4rem;max-width:60rem}section{border-top:1px solid #8884;padding:1rem 0}h2{margin-top:3rem}h3{margin:.2rem 0}
.path{overflow-wrap:anywhere}code,.path{font-family:ui-monospace,monospace;font-size:.9em}table{border-collapse:collapse;width:100%;margin:.5rem 0}
th,td{text-align:left;vertical-align:top;padding:.2rem .75rem .2rem 0;border-bottom:1px solid #8883;font-size:.9rem;overflow-wrap:anywhere}
@media(max-width:50rem){body{display:block}nav{position:static;height:auto}}`;

const styleHash = createHash('sha256').update(style).digest('base64');

/** The page runs nothing, loads nothing, and stands in no frame: whatever somebody might put into it does not, either. */
export const pageHeaders = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
} as const;

function operationHtml(schemas: Schemas, route: Described): string {
  const { operationId, method, path, summary, scope, params, query, body, answer, mayCreate } = route;
  const table = (title: string, schema: z.ZodType, side: Side) =>
    tableOf(title, whole(schemas, schemas.at(schema, side)));
  const parts = [
    table('In the path', params, 'input'),
    table('In the query', query, 'input'),
    body === noBody ? '' : table('Body', body, 'input'),
    answer.schema === undefined ? '' : table('Answer', answer.schema, 'output'),
  ];
  const who = scope === 'public' ? 'No token.' : `Scope <code>${scope}</code>.`;
  return `<section id="${operationId}"><h3>${escaped(summary)}</h3><p class="path"><strong>${method}</strong> ${escaped(path)}</p>
<p>${who} Answers <code>${answer.status}</code>${mayCreate === undefined ? '' : ', and <code>201</code> if it was not there'}.</p>${parts.join('')}</section>`;
}

/** A schema with all that it refers to in its place: none of ours leads back into itself. */
function whole(schemas: Schemas, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((one) => whole(schemas, one));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(schemas.resolved(Object.fromEntries(Object.entries(value))));
  return Object.fromEntries(entries.map(([name, one]) => [name, whole(schemas, one)]));
}

function tableOf(title: string, schema: unknown): string {
  const rows = rowsOf(node.parse(schema), '');
  if (rows.length === 0) return '';
  return `<table><thead><tr><th>${title}</th><th></th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

/** What is shown of a schema; all that it says beyond that is in the description. */
const node = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  required: z.array(z.string()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  enum: z.array(z.unknown()).optional(),
});

type Node = z.output<typeof node>;

function rowsOf(schema: Node, prefix: string): string[] {
  const { properties = {}, required = [], anyOf = [], items } = schema;
  const own = Object.entries(properties).flatMap(([name, value]) => {
    const one = node.parse(value);
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const need = required.includes(name) ? '' : 'optional';
    const description = one.description === undefined ? [] : [marked(one.description)];
    const what = [escaped(typeOf(one)), ...description, ...limitsOf(one).map(escaped)].join('<br>');
    return [
      `<tr><td><code>${escaped(path)}</code></td><td>${what}</td><td>${need}</td></tr>`,
      ...rowsOf(one, path),
    ];
  });
  const inItems = items === undefined ? [] : rowsOf(node.parse(items), `${prefix}[]`);
  return [...own, ...inItems, ...anyOf.flatMap((one) => rowsOf(node.parse(one), prefix))];
}

function typeOf({ type, anyOf, items, enum: values, ...rest }: Node): string {
  if (values !== undefined) return values.map((value) => JSON.stringify(value)).join(' | ');
  if ('const' in rest) return JSON.stringify(rest['const']);
  if (anyOf !== undefined) return [...new Set(anyOf.map((one) => typeOf(node.parse(one))))].join(' | ');
  if (items !== undefined) return `array of ${typeOf(node.parse(items))}`;
  return type === undefined ? 'anything' : [type].flat().join(' | ');
}

const limits = {
  minimum: 'at least',
  maximum: 'at most',
  minLength: 'characters, at least',
  maxLength: 'characters, at most',
  minItems: 'items, at least',
  maxItems: 'items, at most',
  format: 'format',
  pattern: 'pattern',
  default: 'default',
} as const;

function limitsOf(schema: Node): string[] {
  return Object.entries(limits).flatMap(([name, words]) => {
    const value = schema[name];
    // A whole number has these by its type alone.
    if (value === undefined || Math.abs(Number(value)) === Number.MAX_SAFE_INTEGER) return [];
    return [`${words} ${typeof value === 'string' ? value : JSON.stringify(value)}`];
  });
}

/** Descriptions are Markdown (OpenAPI 3.1), of which ours use one thing. A pattern may have backticks of its own. */
function marked(description: string): string {
  return escaped(description).replace(/`([^`]+)`/g, '<code>$1</code>');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '');
}
