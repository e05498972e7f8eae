import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';

/** The stack's key and the two tables: `config` is what people decided, `ledger` what happened. */
export class Storage extends Construct {
  /** Sparse index over deliveries that are not delivered, by organization and status. */
  public static readonly statusIndex = 'byStatus';

  /** Sparse index over what waits: deliveries that are parked for their endpoint or until a time, and health that must be looked at. */
  public static readonly waitingIndex = 'waiting';

  /** Sparse index over lists of items that stand in many partitions: what is listed is found without a scan. */
  public static readonly listIndex = 'byList';

  public readonly key: kms.Key;
  public readonly config: dynamodb.Table;
  public readonly ledger: dynamodb.Table;

  public constructor(scope: Construct, id: string) {
    super(scope, id);
    this.key = new kms.Key(this, 'Key', {
      description: 'Tidings: queues, tables, secrets and environment variables',
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      // Kept when the stack goes, but not when it never came to be: then it encrypts nothing.
      removalPolicy: RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    });
    this.config = this.table('Config');
    this.config.addGlobalSecondaryIndex({
      indexName: Storage.listIndex,
      // `organizations` by id, `certificates` and `signing-keys` by their end: the stores of the features say what is in.
      partitionKey: { name: 'list', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'listOrder', type: dynamodb.AttributeType.STRING },
    });
    this.ledger = this.table('Ledger', 'expiresAt');
    this.ledger.addGlobalSecondaryIndex({
      indexName: Storage.statusIndex,
      partitionKey: { name: 'statusKey', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'eventId', type: dynamodb.AttributeType.STRING },
      // Sparse, and without the attempts: the index is written again on every retry, by the KB.
      projectionType: dynamodb.ProjectionType.INCLUDE,
      nonKeyAttributes: [
        'organizationId',
        'endpointId',
        'eventType',
        'status',
        'reason',
        'round',
        'attemptCount',
        'lastError',
        'nextAttemptAt',
        'updatedAt',
        'expiresAt',
      ],
    });
    this.ledger.addGlobalSecondaryIndex({
      indexName: Storage.waitingIndex,
      // `ENDPOINT#…`, or one of sixteen shards `DUE#…`: everything that waits until a time would be one hot key.
      partitionKey: { name: 'waiting', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'waitingAt', type: dynamodb.AttributeType.STRING },
      projectionType: dynamodb.ProjectionType.INCLUDE,
      // What the next message is made of, so that whoever sends it need not read the delivery.
      nonKeyAttributes: [
        'organizationId',
        'endpointId',
        'eventId',
        'eventType',
        'status',
        'round',
        'attemptCount',
        'lastError',
        'expiresAt',
      ],
    });
  }

  private table(id: string, timeToLiveAttribute?: string): dynamodb.Table {
    return new dynamodb.Table(this, id, {
      partitionKey: { name: 'pk', type: dynamodb.AttributeType.STRING },
      sortKey: { name: 'sk', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      encryption: dynamodb.TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: this.key,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      // Also when the stack's creation is rolled back: what is protected cannot be deleted, and would fail the rollback.
      removalPolicy: RemovalPolicy.RETAIN,
      ...(timeToLiveAttribute === undefined ? {} : { timeToLiveAttribute }),
    });
  }
}
