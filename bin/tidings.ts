import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { readSettings } from '../lib/settings.ts';
import { TidingsStack } from '../lib/tidings-stack.ts';

const app = new App();
// A stack for each stage: they live side by side in one account.
const { stage } = readSettings(app.node);
new TidingsStack(app, stage === 'prod' ? 'Tidings' : `Tidings-${stage}`);
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
