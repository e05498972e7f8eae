import { App } from 'aws-cdk-lib';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { TidingsStack } from '../lib/tidings-stack.ts';

/**
 * Run as a process of its own by `synthesis.ts`: CDK takes seconds and memory that a running stack has no
 * use for. The same app as `bin/tidings.ts`, without its checks of rules, which belong to a deployment.
 */
const [outFolder, settings = '{}'] = process.argv.slice(2);
if (outFolder === undefined) throw new Error('Usage: node local/synthesis-app.ts OUT_FOLDER [SETTINGS]');

const cdkJson = await readFile(join(import.meta.dirname, '..', 'cdk.json'), 'utf8');
const { context } = z.object({ context: z.record(z.string(), z.unknown()) }).parse(JSON.parse(cdkJson));

// On one's own machine whoever waits for something may look as often as he likes; tests do.
const own = { requestsPerMinute: 100_000, ...('issuer' in context ? {} : { programs: 'operator,org_demo' }) };
const app = new App({
  outdir: outFolder,
  context: { ...own, ...context, ...z.record(z.string(), z.string()).parse(JSON.parse(settings)) },
});
new TidingsStack(app, 'Tidings');
app.synth();
