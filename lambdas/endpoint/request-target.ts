/** What RFC 3986, section 2, writes URLs in, but `#`. A `%` is taken as it is: what follows it is the receiver's affair. */
const uriCharacters = /^[\w\-.~:/?[\]@!$&'()*+,;=%]*$/;

/**
 * The request target: path and query, byte for byte as they are written, because a receiver may have signed them.
 * `new URL` would write `'` as `%27`, and leave out `/./` and a `?` without a query.
 *
 * What is not written in characters of RFC 3986 goes out as `new URL` encodes it. No such URL is taken any more
 * (`isSentAsWritten`), but endpoints that had one before keep working.
 *
 * @param afterAuthority of the raw text
 * @param url as it was parsed
 */
export function requestTargetOf(afterAuthority: string, url: Pick<URL, 'pathname' | 'search'>): string {
  if (!uriCharacters.test(afterAuthority)) return url.pathname + url.search;
  // Source: RFC 9112, 3.2.1, for an empty path.
  return afterAuthority.startsWith('/') ? afterAuthority : `/${afterAuthority}`;
}

/** Whether what is shown of a URL is what is sent: a path or query in characters that must be encoded is neither. */
export function isSentAsWritten(url: string): boolean {
  return uriCharacters.test(url.replace(/^https:\/\/[^/?]*/i, ''));
}
