/** Whether a text is meant by a pattern. */
export type Matches = (text: string) => boolean;

const memory = new Map<string, Matches>();

/**
 * A pattern with `*` for any characters, also none, and `?` for one.
 *
 * @throws Error on a policy variable, which nobody here would replace.
 */
export function wildcard(pattern: string): Matches {
  return remembered(`s${pattern}`, () => {
    if (pattern.includes('${')) throw new Error(`The evaluator knows no policy variable: ${pattern}`);
    if (!/[*?]/.test(pattern)) return (text) => text === pattern;
    if (pattern === '*') return () => true;
    const expression = new RegExp(`^${source(pattern)}$`, 's');
    return (text) => expression.test(text);
  });
}

/**
 * A pattern for ARNs: a wildcard stays within the parts between colons, of which the last takes all the rest.
 * Source: IAM user guide, "IAM JSON policy elements: Resource", on wildcards in ARN segments.
 *
 * @throws Error on what is neither `*` nor has six parts.
 */
export function arnPattern(pattern: string): Matches {
  return remembered(`a${pattern}`, () => {
    if (pattern === '*') return () => true;
    const parts = partsOf(pattern);
    if (parts === undefined) throw new Error(`The evaluator knows no resource ${pattern}`);
    // No colon but in the last part, so one expression judges all six.
    const [last = '', ...others] = parts.toReversed();
    const before = others.toReversed().map((part) => wildcardSource(part, '[^:]'));
    wildcard(pattern);
    if (!/[*?]/.test(pattern)) return (text) => text === pattern;
    const expression = new RegExp(`^${[...before, wildcardSource(last, '.')].join(':')}$`, 's');
    return (text) => expression.test(text);
  });
}

function partsOf(arn: string): string[] | undefined {
  const parts = arn.split(':');
  if (parts.length < 6 || parts[0] !== 'arn') return undefined;
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}

function source(pattern: string): string {
  return wildcardSource(pattern, '.');
}

function wildcardSource(pattern: string, any: string): string {
  return pattern
    .replaceAll(/[\\^$.|+()[\]{}]/g, String.raw`\$&`)
    .replaceAll('*', `${any}*`)
    .replaceAll('?', any);
}

function remembered(key: string, make: () => Matches): Matches {
  const matches = memory.get(key) ?? make();
  memory.set(key, matches);
  return matches;
}
