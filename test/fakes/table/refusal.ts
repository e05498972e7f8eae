import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  IdempotentParameterMismatchException,
  ResourceNotFoundException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';

const $metadata = {};

/** A request that DynamoDB does not take. The SDK has no class for it, only the name. */
export function refusal(message: string): DynamoDBServiceException {
  return new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', message, $metadata });
}

export function conditionFailed(): ConditionalCheckFailedException {
  return new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata });
}

/** @param codes of each write of the transaction, in their order: why it was not made, or `None` */
export function transactionCanceled(
  codes: readonly ('None' | 'ConditionalCheckFailed')[],
): TransactionCanceledException {
  return new TransactionCanceledException({
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`,
    CancellationReasons: codes.map((Code) =>
      Code === 'None' ? { Code } : { Code, Message: 'The conditional request failed' },
    ),
    $metadata,
  });
}

export function tokenReused(): IdempotentParameterMismatchException {
  return new IdempotentParameterMismatchException({
    message: 'The client token was used before with other parameters',
    $metadata,
  });
}

export function noSuchTable(): ResourceNotFoundException {
  return new ResourceNotFoundException({ message: 'Requested resource not found', $metadata });
}

/** What DynamoDB can do, and the table in memory cannot: no answer is better than a wrong one. */
export function unsupported(what: string): Error {
  return new Error(`The table in memory does not know ${what}`);
}
