import type { Route } from '../shared/route.ts';

/** What operations are about, in the order of the description: what each is, in a sentence. */
export const tagDescriptions: Readonly<Record<string, string>> = {
  organizations: 'Who owns endpoints and events: the plan, and the defaults of all endpoints.',
  endpoints: 'URLs of receivers: what they subscribe to, their secrets and certificates, how they do.',
  configuration: 'All endpoints of an organization as one document, to be kept in a repository.',
  'signing-keys': 'Keys by which webhooks are signed that anybody can verify (scheme `jwt`).',
  'event-types': 'The catalogue of what can happen, with examples and schemas.',
  events: 'What has happened: publishing it, and who got it, who did not, and why.',
  deliveries: 'One event for one endpoint, with its attempts; a retry by hand.',
  'dead-letters': 'Deliveries whose attempts are used up.',
  recoveries: 'Delivering after all what was not delivered; each is a job that can be watched and cancelled.',
  audit: 'Who changed what, and when.',
  description: 'This description, for tools and for people.',
  webhooks: 'What a receiver gets.',
};

/** What an operation is about: a word of its path, mostly the first one below the organization. */
export function tagOf({ path }: Pick<Route, 'path'>): string {
  const words = path.split('/').filter((word) => word !== '' && word !== 'v1' && !word.startsWith('{'));
  const [first = 'organizations', ...others] = words.filter((word) => word !== 'organizations');
  return tags[first] ?? others.flatMap((word) => telling[word] ?? [])[0] ?? first;
}

/** Those that are called otherwise than their path. */
const tags: Readonly<Record<string, string>> = {
  '.well-known': 'signing-keys',
  'openapi.json': 'description',
  reference: 'description',
  export: 'configuration',
  import: 'configuration',
  jobs: 'recoveries',
};

/** Later words that tell it better than the first one. */
const telling: Readonly<Record<string, string>> = {
  deliveries: 'deliveries',
  recover: 'recoveries',
};
