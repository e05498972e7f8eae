import type { FailureCause } from './failure.ts';
import { connectMsMax } from './limits.ts';

export interface FailureText {
  /** One sentence: what happened. */
  readonly message: string;
  /** One sentence: what to do about it. */
  readonly advice: string;
}

/** Where what is wrong, or what helps, is not the same for all causes of a code. */
export const causes: Readonly<Record<FailureCause, FailureText>> = {
  forbidden_url: {
    message: 'The rules of this deployment do not allow the URL any more.',
    advice: 'Set a URL with https, a public host name, and a port that this deployment allows.',
  },
  unreachable: {
    message: "No network leads to the receiver's address.",
    advice: "Check that the host name's addresses, IPv4 and IPv6, can be reached from the internet.",
  },
  broken_in_handshake: {
    message: 'The receiver broke off the connection in the TLS handshake; no request was sent.',
    advice:
      'Check that this port speaks TLS, and that a certificate for this host name is set; a proxy without one hangs up like that.',
  },
  handshake_unfinished: {
    message: 'The connection was made, but the receiver did not finish the TLS handshake {limit}.',
    advice: `Check that this port speaks TLS and that nothing before the server holds it up. Connection and handshake have ${String(connectMsMax / 1000)} s: a longer timeoutSeconds does not help.`,
  },
  request_unread: {
    message: 'The receiver did not read the whole request {limit}.',
    advice: 'Check that the server reads the body of a request, and that no proxy holds it up.',
  },
  ended_early: {
    message: 'The attempt was ended before its time was up.',
    advice: 'Try again: this was not the fault of the receiver.',
  },
  not_yet_valid: {
    message: "The receiver's certificate is not valid yet.",
    advice: 'Use a certificate whose time has begun; check the clock of the machine that issued it.',
  },
  chain_expired: {
    message:
      "A certificate of the chain has expired, an intermediate or root certificate; the receiver's own is valid.",
    advice:
      'Send the current intermediate certificate, as your authority offers it. Renewing your own does not help.',
  },
  chain_not_yet_valid: {
    message:
      "A certificate of the chain is not valid yet, an intermediate or root certificate; the receiver's own is valid.",
    advice: 'Send the intermediate certificate that is valid now, as your authority offers it.',
  },
  self_signed: {
    message: "The receiver's certificate is signed by itself, and by no certificate authority.",
    advice: 'Install a certificate of a public authority.',
  },
  private_authority: {
    message: "The receiver's certificate leads to an authority that is not publicly trusted.",
    advice: 'Install a certificate of a public authority.',
  },
  incomplete_chain: {
    message:
      "The receiver's certificate leads to no publicly trusted authority: an intermediate certificate is missing, or the authority is private.",
    advice:
      'Send the intermediate certificates with your own (a "full chain" file). If they are sent, use a public authority.',
  },
  weak_key: {
    message: "A key or signature in the receiver's certificate chain is too weak.",
    advice:
      'Have the certificate issued anew: RSA with 2,048 bits or more, or an elliptic curve, and SHA-256.',
  },
  wrong_purpose: {
    message: "The receiver's certificate is not meant for servers.",
    advice: 'Have a certificate issued for server authentication.',
  },
  chain_breaks_rules: {
    message:
      "The receiver's certificate chain breaks a rule, for example that an authority may vouch for certain names only.",
    advice:
      'Run `openssl s_client -verify_return_error` against the server, which names the rule, and have the certificate issued by an authority that may vouch for this host name.',
  },
  not_tls: {
    message: 'The receiver does not speak TLS on this port: it answered in plain text.',
    advice: 'Use the port on which the server speaks HTTPS, or turn TLS on.',
  },
  no_common_cipher: {
    message: 'The receiver supports no cipher or key exchange that is safe enough.',
    advice: 'Enable the usual ciphers of TLS 1.2 or 1.3 on the server.',
  },
  unknown_name: {
    message: 'The receiver knows no site of this host name (SNI).',
    advice: 'Check the host name in the URL, and that the server has a site with a certificate for it.',
  },
  no_http_1: {
    message:
      'The receiver speaks no HTTP/1.1 on this port, perhaps HTTP/2 only, and ended the TLS handshake.',
    advice: 'Let the server offer HTTP/1.1 (`http/1.1` in ALPN) beside what it speaks.',
  },
  client_certificate_refused: {
    message: 'The receiver asked for a client certificate, and refused the one of this endpoint.',
    advice: "Check that the server trusts the certificate's authority, and that it has not expired.",
  },
  hung_up_without_certificate: {
    message:
      'The receiver asked for a client certificate, got none, and hung up before it sent a status line.',
    advice:
      'Upload a client certificate for this endpoint if the server requires one; if it does not, its log tells why the handling of the request was broken off.',
  },
  hung_up_with_certificate: {
    message:
      'The receiver asked for a client certificate, got the one of this endpoint, and hung up before it sent a status line.',
    advice:
      "Look in the server's log: it does not trust the certificate's authority, or the handling of the request was broken off.",
  },
  client_certificate_unreadable: {
    message: 'The client certificate of this endpoint cannot be used.',
    advice: 'Upload certificate and key again.',
  },
  not_http: {
    message: 'The receiver answered with something that does not begin like an HTTP/1.1 response.',
    advice: 'Check that an HTTP/1.1 server answers on this port, and not one that speaks HTTP/2 only.',
  },
  unknown_status: {
    message: 'The receiver answered with a status that HTTP does not have, outside 100 to 599.',
    advice: 'Let the receiver answer with a 2xx status.',
  },
  switching_protocols: {
    message: 'The receiver wanted to change to another protocol (status 101), which nobody asked for.',
    advice: 'Check that the URL is that of a handler of requests, and not of a WebSocket.',
  },
};
