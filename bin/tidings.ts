import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { TidingsStack } from '../lib/tidings-stack.ts';

const app = new App();
new TidingsStack(app, 'Tidings');
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
