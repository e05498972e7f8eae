import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { z } from 'zod';

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** An answer of the API that can be given again. */
const keptAnswer = z.object({
  statusCode: z.number().int(),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
});

export type KeptAnswer = z.output<typeof keptAnswer>;

/**
 * Encrypts an answer with what only the caller has: the key of the request. So an answer that shows a secret can be
 * given again to who sent the request, and to nobody who reads the ledger. Compressed, as an item of the ledger has at
 * most 400 KB: the largest answer, of an import, has half a megabyte.
 *
 * @param nonce 12 random bytes
 * @returns nonce, ciphertext and tag in base64
 */
export function sealAnswer(requestKey: string, answer: KeptAnswer, nonce: Uint8Array): string {
  const cipher = createCipheriv(algorithm, secretOf(requestKey), nonce.subarray(0, nonceBytes));
  const text = Buffer.concat([cipher.update(gzipSync(JSON.stringify(answer))), cipher.final()]);
  return Buffer.concat([nonce.subarray(0, nonceBytes), text, cipher.getAuthTag()]).toString('base64');
}

/**
 * Decrypts what `sealAnswer` gave.
 *
 * @throws Error when the key is another one, or the text was changed.
 */
export function openAnswer(requestKey: string, sealed: string): KeptAnswer {
  const bytes = Buffer.from(sealed, 'base64');
  const decipher = createDecipheriv(algorithm, secretOf(requestKey), bytes.subarray(0, nonceBytes));
  decipher.setAuthTag(bytes.subarray(-tagBytes));
  const text = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  // What was kept before answers were compressed is JSON itself.
  const json = text[0] === '{'.charCodeAt(0) ? text : gunzipSync(text);
  return keptAnswer.parse(JSON.parse(json.toString('utf8')));
}

function secretOf(requestKey: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', requestKey, '', 'tidings: answer of a request', 32));
}
