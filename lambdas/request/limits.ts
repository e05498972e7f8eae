/** A resolver that has not answered by then will not; the rest of the deadline is the receiver's. */
export const lookupMsMax = 3000;

/** For TCP and the TLS handshake together. */
export const connectMsMax = 5000;

/** Of a response, with its status line; larger than what any receiver needs. */
export const headBytesMax = 16_384;
