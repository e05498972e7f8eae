import type { Identity } from '../request/certificates.ts';

/** Of `openssl x509 -req -md5`, valid from 2026-11-28 for a hundred years: what issues the others knows no MD5 (WebCrypto). */
export const signedWithMd5: Identity = {
  certificate: `-----BEGIN CERTIFICATE-----
MIIB2jCBwwIUSx1hk0+qGKhdp+KAUoC3oP9nXkswDQYJKoZIhvcNAQEEBQAwDzEN
MAsGA1UEAwwEVGVzdDAgFw0yNjExMjgwMjExNTBaGA8yMTI2MTEwNDAyMTE1MFow
DjEMMAoGA1UEAwwDbWQ1MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEBWvY92aT
PSo2MT28yoVGOj14Pi3g3dboBnw4Wu7f/5CJysS1UT0JtCS0vwefEoG2N8DS1N94
/Zl/H6TesbSNrjANBgkqhkiG9w0BAQQFAAOCAQEAnFNrl7ZMZpxjzgSw2I1HUkES
CBIw/0oH2+X4qHuzWvkEEu2dBoSbi9hG3H4pRkcOzilvqy2cmihOgqYqdcbObfUN
4Q96ZFw9IzcsC9eSKWRwg+DkvDELC+06F8rCnaIgtPsViE24PdqcjW/kzQnMBUwi
IlxWIcGT9m4W45gn5Pse9TbL1e9OCs51UIi3xTqaoL6krLnniU7PjFvYY47mp2kl
xbhoV2mrEig6YzabOV//H09B+Xxu7rssU7fs+cqhg2m77r4mv8IvNJg2FHrfC8en
UBdI6FxxcbGmz841UjaV4HFfKeAJQbnIlMINszKCSyOfCivgst2xmXgcEI583w==
-----END CERTIFICATE-----`,
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQguT0geemjS9N0XlYM
d6fWR9B/B5aq6L+zeZ9FSaR6w4OhRANCAAQFa9j3ZpM9KjYxPbzKhUY6PXg+LeDd
1ugGfDha7t//kInKxLVRPQm0JLS/B58SgbY3wNLU33j9mX8fpN6xtI2u
-----END PRIVATE KEY-----`,
};
