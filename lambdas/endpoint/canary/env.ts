/** The canary's own organization, made by itself: its functions and their permissions know no other. */
export const canaryOrganization = 'tidings-canary';

/** Built in, and like all that customers publish: `webhook.test` is refused on the bus. */
export const canaryEventType = 'pipeline.run.succeeded';

/** Source of its events on the bus. */
export const canarySource = 'tidings.canary';
