/** Order of the group of P-256 (SEC 2, 2.4.2): r and s lie between 1 and it. */
const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/**
 * Turns an ECDSA signature of P-256 as KMS gives it (DER: a SEQUENCE of two INTEGERs) into the form of JOSE: r and s,
 * 32 bytes each (RFC 7518, 3.4). Strict: what is not the one right encoding is refused, since a lenient reader here
 * would send out tokens that some libraries accept and others do not.
 *
 * @throws Error when the bytes are not a signature.
 */
export function rawSignature(der: Uint8Array): Uint8Array {
  const [tag, length] = der;
  // The longest has 70 bytes inside, so the short form of lengths is the only one.
  if (tag !== 0x30 || length === undefined || length > 70 || der.length !== length + 2) throw notASignature();
  const [r, afterR] = readInteger(der, 2);
  const [s, end] = readInteger(der, afterR);
  if (end !== der.length) throw notASignature();
  const raw = new Uint8Array(64);
  raw.set(r, 32 - r.length);
  raw.set(s, 64 - s.length);
  return raw;
}

/** The bytes of an INTEGER without its sign byte, and where the next one begins. */
function readInteger(der: Uint8Array, at: number): [Uint8Array, number] {
  const [tag, length] = der.subarray(at, at + 2);
  if (tag !== 0x02 || length === undefined || length < 1 || length > 33) throw notASignature();
  const end = at + 2 + length;
  const bytes = der.subarray(at + 2, end);
  if (bytes.length !== length) throw notASignature();
  const [first, second] = bytes;
  const isSigned = first === 0;
  const isNegative = first !== undefined && first >= 0x80;
  // A zero byte may stand only before one that would otherwise be taken for a sign.
  if (isNegative || (isSigned && (second === undefined || second < 0x80))) throw notASignature();
  const magnitude = isSigned ? bytes.subarray(1) : bytes;
  const value = BigInt(`0x${Buffer.from(magnitude).toString('hex')}`);
  if (magnitude.length > 32 || value < 1n || value >= order) throw notASignature();
  return [magnitude, end];
}

function notASignature(): Error {
  return new Error('this is not an ECDSA signature of P-256 in strict DER');
}
