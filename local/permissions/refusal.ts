import { AwsError } from '../aws/aws-error.ts';
import type { Asked, Why } from './evaluator/judge.ts';
import type { Principal } from './evaluator/policy.ts';
import type { Need } from './needs/need.ts';

/** A call or a hop that no policy allows, in the words of the service that refuses it. */
export class Refused extends AwsError {
  public readonly asked: Asked;

  public constructor(asked: Asked, why: Why, via?: Need['via']) {
    const { code, message, ...options } = wordsOf(asked, why, via);
    super(code, message, options);
    this.asked = asked;
  }
}

interface Words {
  readonly code: string;
  readonly message: string;
  readonly status?: number;
  readonly queryCode?: string;
}

function wordsOf(asked: Asked, why: Why, via: Need['via']): Words {
  const { principal, action, resource } = asked;
  // SQS speaks of its actions in small letters (aws/serverless-application-model #3633).
  const name = action.startsWith('sqs:') ? action.toLowerCase() : action;
  const because = why.startsWith('because') ? `${why} the ${name} action` : why;
  const message = `User: ${nameOf(principal)} is not authorized to perform: ${name} on resource: ${resource.replace('-??????', '')} ${because}`;
  if (via === 'sqs') {
    // SQS API reference, "KmsAccessDenied".
    return { code: 'KmsAccessDenied', queryCode: 'KMS.AccessDeniedException', message };
  }
  if (via === 'secretsmanager')
    return { code: 'AccessDeniedException', message: 'Access to KMS is not allowed' };
  if (action.startsWith('sqs:')) {
    return { code: 'AccessDeniedException', queryCode: 'AccessDenied', status: 403, message };
  }
  return { code: 'AccessDeniedException', message };
}

export function nameOf(principal: Principal): string {
  switch (principal.kind) {
    case 'role':
      return principal.session;
    case 'service':
      return principal.name;
    case 'anybody':
      return 'anonymous';
  }
}
