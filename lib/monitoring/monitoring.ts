import { Stack } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { nameOf } from '../settings.ts';
import type { Settings } from '../settings.ts';
import { alarmSpecs } from './alarms.ts';
import type { AlarmSpec } from './alarm-spec.ts';
import { rowsOf } from './dashboard.ts';
import { addFilters } from './filters.ts';
import { queries } from './queries.ts';
import { watched } from './watched.ts';
import type { Watched } from './watched.ts';

export interface MonitoringProps {
  readonly settings: Pick<Settings, 'stage' | 'alarmEmail'>;
  readonly key: IKey;
}

/** Looks at the stack from outside: alarms with a mailbox, a dashboard, and the questions of the night. */
export class Monitoring extends Construct {
  /** Where alarms go; whoever has a pager subscribes it here. */
  public readonly topic: Topic;

  public constructor(scope: Construct, id: string, { settings, key }: MonitoringProps) {
    super(scope, id);
    const { stage, alarmEmail } = settings;
    const seen = watched(this);
    this.topic = new Topic(this, 'Alarms', {
      topicName: nameOf(stage, 'alarms'),
      masterKey: key,
      enforceSSL: true,
    });
    this.allowAlarms(key);
    if (alarmEmail !== undefined) this.topic.addSubscription(new EmailSubscription(alarmEmail));
    addFilters(this, seen, stage);
    const specs = alarmSpecs(seen, stage);
    const alarms = specs.map((spec) => this.alarm(spec, stage));
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: nameOf(stage),
      widgets: [
        [new cloudwatch.AlarmStatusWidget({ title: 'Alarms', alarms, width: 24, height: 4 })],
        ...rowsOf(specs, stage),
      ],
    });
    this.saveQueries(seen, stage);
  }

  /**
   * Without either an alarm rings, and nobody hears: a topic that has a policy, as this one by `enforceSSL`, has SNS's own
   * no more, which lets everybody in the account publish; and what CloudWatch publishes it encrypts.
   */
  private allowAlarms(key: IKey): void {
    const cloudWatch = new ServicePrincipal('cloudwatch.amazonaws.com');
    // SNS developer guide, "Enable compatibility between event sources from AWS services and encrypted topics".
    key.addToResourcePolicy(
      new PolicyStatement({
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        principals: [cloudWatch],
        resources: ['*'],
      }),
    );
    const { account } = Stack.of(this);
    this.topic.addToResourcePolicy(
      new PolicyStatement({
        actions: ['sns:Publish'],
        principals: [cloudWatch],
        resources: [this.topic.topicArn],
        conditions: { StringEquals: { 'aws:SourceAccount': account } },
      }),
    );
  }

  private alarm(spec: AlarmSpec, stage: string): cloudwatch.Alarm {
    const { name, says, metric, above, periods = 1, atLeast = periods, isMissedWhenMissing } = spec;
    const alarm = new cloudwatch.Alarm(this, name, {
      alarmName: `${nameOf(stage)}-${name}`,
      alarmDescription: `${says} What to do: docs/runbook.md#${name}`,
      metric,
      threshold: above,
      comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: periods,
      ...(atLeast === periods ? {} : { datapointsToAlarm: atLeast }),
      treatMissingData:
        isMissedWhenMissing === true
          ? cloudwatch.TreatMissingData.BREACHING
          : cloudwatch.TreatMissingData.NOT_BREACHING,
    });
    const action = new SnsAction(this.topic);
    alarm.addAlarmAction(action);
    alarm.addOkAction(action);
    return alarm;
  }

  private saveQueries(seen: Watched, stage: string): void {
    for (const { name, of, fields, filter, rest = ['sort @timestamp desc', 'limit 200'] } of queries) {
      const asked = of === undefined ? seen.functions : of.map(seen.function);
      new QueryDefinition(this, `Query_${name}`, {
        queryDefinitionName: `${nameOf(stage)}/${name}`,
        logGroups: asked.map(({ logGroup }) => logGroup),
        queryString: new QueryString({
          fields: ['@timestamp', ...fields],
          filterStatements: [filter],
          ...statementsOf(rest),
        }),
      });
    }
  }
}

/** CDK takes the parts of a query by their kind. */
function statementsOf(rest: readonly string[]) {
  const find = (kind: string) => rest.find((line) => line.startsWith(`${kind} `))?.slice(kind.length + 1);
  const [stats, sort, limit] = [find('stats'), find('sort'), find('limit')];
  return {
    ...(stats === undefined ? {} : { statsStatements: [stats] }),
    ...(sort === undefined ? {} : { sort }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
  };
}
