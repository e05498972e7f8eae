import { causes, type FailureText } from './cause-text.ts';
import type { Failure, FailureCode } from './failure.ts';
import { connectMsMax, headBytesMax, lookupMsMax } from './limits.ts';

/**
 * A failure in the words of the person who looks after the endpoint: the phase, the limit that applied, and what is
 * wrong in fact. Names no address and quotes no receiver.
 */
export function describeFailure(
  code: FailureCode,
  { cause, limitMs }: Pick<Failure, 'cause' | 'limitMs'> = {},
): FailureText {
  const { message, advice } = (cause && causes[cause]) ?? fixedText(code) ?? textOfStatus(code);
  const limit = limitMs === undefined ? 'in time' : `within ${String(limitMs / 1000)} s`;
  return { message: message.replace('{limit}', limit), advice };
}

function fixedText(code: FailureCode): FailureText | undefined {
  return Object.entries(texts).find(([name]) => name === code)?.[1];
}

function textOfStatus(code: FailureCode): FailureText {
  const status = Number(code.replace('http_', ''));
  return {
    message: `The receiver answered with status ${status}, which is not a success.`,
    advice: adviceFor(status),
  };
}

type FixedFailureCode = Exclude<FailureCode, `http_${number}`>;

/** In place of `{limit}` stands "within 5 s". */
export const texts: Readonly<Record<FixedFailureCode, FailureText>> = {
  dns_not_found: {
    message: 'The host name has no address.',
    advice: 'Check the spelling of the host name, and that its DNS record is public.',
  },
  dns_failed: {
    message: 'The host name could not be resolved, because its name servers answered with an error.',
    advice: "Check the domain's name servers and its DNSSEC records.",
  },
  dns_timeout: {
    message: 'The host name was not resolved {limit}.',
    advice: `Check that the domain's name servers answer from the internet within ${String(lookupMsMax / 1000)} s, whatever timeoutSeconds says.`,
  },
  blocked_address: {
    message: 'The host name of the URL leads to an address that is not public.',
    advice: 'Use a URL whose host name resolves to public addresses only.',
  },
  connection_refused: {
    message: 'The receiver did not accept the connection.',
    advice:
      'Check that the server is running, that it listens on this port, and that no firewall rejects us.',
  },
  connection_timeout: {
    message: 'No connection to the receiver could be made {limit}.',
    advice: `Check that a firewall lets connections from the internet through to this port; they have ${String(connectMsMax / 1000)} s, whatever timeoutSeconds says.`,
  },
  connection_reset: {
    message: 'The receiver broke off the connection before it sent a status line.',
    advice: "Look in the logs of the server and of any proxy before it, at this attempt's time.",
  },
  connection_closed: {
    message: 'The receiver closed the connection before it sent a status line.',
    advice: 'Check that the server does not stop or close the connection while it handles the request.',
  },
  tls_expired: {
    message: "The receiver's certificate has expired.",
    advice: 'Renew the certificate, and check that the server has loaded the new one.',
  },
  tls_wrong_host: {
    message: "The receiver's certificate is for another host name.",
    advice: 'Install a certificate that names the host of this URL.',
  },
  tls_untrusted: {
    message: "The receiver's certificate does not lead to a certificate authority that is publicly trusted.",
    advice: 'Install a certificate of a public authority, and send its intermediate certificates too.',
  },
  tls_version: {
    message: 'The receiver offers only TLS versions that are no longer safe.',
    advice: 'Enable TLS 1.2 or TLS 1.3 on the server.',
  },
  tls_no_san: {
    message: "The receiver's certificate has no subject alternative name, only a common name.",
    advice: 'Have the certificate issued again with the host name as a subject alternative name.',
  },
  tls_client_certificate_required: {
    message: 'The receiver requires a client certificate, and got none.',
    advice: 'Upload a client certificate for this endpoint, or stop asking for one on the server.',
  },
  tls_failed: {
    message: 'No secure connection could be agreed on with the receiver.',
    advice:
      "Look in the server's log for the handshake that failed, and check it with `openssl s_client` from the internet.",
  },
  timeout: {
    message: 'The receiver took the request, and sent no status with all its headers {limit}.',
    advice:
      'Answer with a 2xx status at once and do the work afterwards, or raise timeoutSeconds of the endpoint, 30 at most.',
  },
  redirect: {
    message: 'The receiver answered with a redirect, and redirects are not followed.',
    advice: 'Set the URL of the endpoint to the place it redirects to.',
  },
  invalid_response: {
    message: 'The receiver answered with something that is no HTTP response.',
    advice: 'Check that an HTTP/1.1 server answers on this port, and that no proxy changes its answers.',
  },
  header_overflow: {
    message: `The headers of the receiver's response are larger than ${String(headBytesMax / 1024)} kB.`,
    advice: 'Make the server send fewer or shorter headers, cookies above all.',
  },
};

function adviceFor(status: number): string {
  const particular = adviceByStatus.get(status);
  if (particular !== undefined) return particular;
  if (status >= 500) return "Look in the receiver's logs for the error at the time of this attempt.";
  if (status >= 400) return 'Check that the URL is right and that the receiver accepts the request.';
  return 'Let the receiver answer with a 2xx status.';
}

const adviceByStatus: ReadonlyMap<number, string> = new Map([
  [
    401,
    'Check the credentials in the headers of the endpoint, and the signing secret that the receiver uses.',
  ],
  [403, 'Check the credentials in the headers of the endpoint, the signing secret, and any firewall rules.'],
  [404, 'Check the path of the URL.'],
  [405, 'Let the receiver accept POST at this URL.'],
  [410, 'The receiver wants no more events here: switch the endpoint on again only with its consent.'],
  [413, 'Raise the limit of the receiver for the size of a request, to 1 MB or more.'],
  [415, 'Let the receiver accept the content type application/json.'],
  [429, 'Set a rate limit on the endpoint, or let the receiver accept more requests.'],
  [502, 'Check that the server behind the proxy of the receiver is running.'],
  [503, 'Check that the receiver is running and not overloaded.'],
  [504, 'Check that the server behind the proxy of the receiver answers in time.'],
]);
