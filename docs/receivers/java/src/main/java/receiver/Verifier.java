package receiver;

import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.DefaultJOSEObjectTypeVerifier;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jose.util.DefaultResourceRetriever;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTClaimsVerifier;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.standardwebhooks.Webhook;
import java.net.URI;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The part to copy: everything that decides whether a request is a webhook of yours. */
@FunctionalInterface
interface Verifier {
  Duration TOLERANCE = Duration.ofMinutes(5);

  /** Takes the body's bytes and the headers; throws unless the request is genuine. */
  void verify(byte[] body, Map<String, List<String>> headers) throws Exception;

  /**
   * Scheme {@code hmac}: the official Standard Webhooks library. It compares in constant time and refuses timestamps
   * older or newer than five minutes. While a secret is rotated, requests carry a signature for each: keep either one.
   */
  static Verifier hmac(String secret) {
    Webhook webhook = new Webhook(secret);
    // The library wants text; a body that is not UTF-8 becomes another one, and is refused.
    return (body, headers) -> webhook.verify(new String(body, StandardCharsets.UTF_8), headers);
  }

  /** Scheme {@code jwt}: a token in webhook-jwt, signed with a key whose public half stands at {@code jwksUrl}. */
  static Verifier jwt(String jwksUrl, String issuer, String audience) throws Exception {
    URL url = URI.create(jwksUrl).toURL();
    // Kept for five minutes, fetched again for an unknown kid but at most every 30 seconds.
    var keys = JWKSourceBuilder.create(url, new DefaultResourceRetriever(5_000, 5_000, 51_200)).build();
    var processor = new DefaultJWTProcessor<SecurityContext>();
    // Never the algorithm that the token itself asks for.
    processor.setJWSKeySelector(new JWSVerificationKeySelector<>(JWSAlgorithm.ES256, keys));
    processor.setJWSTypeVerifier(new DefaultJOSEObjectTypeVerifier<>(new JOSEObjectType("webhook+jwt")));
    processor.setJWTClaimsSetVerifier(
        new DefaultJWTClaimsVerifier<>(
            audience, // your endpoint's id: a token for another endpoint is worth nothing here
            new JWTClaimsSet.Builder().issuer(issuer).build(),
            Set.of("iat", "exp", "jti", "webhook_id", "body_sha256")));
    return (body, headers) -> compare(processor.process(only(headers, "webhook-jwt"), null), body, headers);
  }

  /** What a JWT library cannot compare, since it does not know the request. No secret is in it. */
  private static void compare(JWTClaimsSet claims, byte[] body, Map<String, List<String>> headers) throws Exception {
    byte[] digest = MessageDigest.getInstance("SHA-256").digest(body);
    String hash = Base64.getUrlEncoder().withoutPadding().encodeToString(digest);
    Instant issuedAt = claims.getIssueTime().toInstant();
    require(hash.equals(claims.getStringClaim("body_sha256")), "the body is not the one that was signed");
    require(only(headers, "webhook-id").equals(claims.getStringClaim("webhook_id")), "another webhook-id was signed");
    require(
        only(headers, "webhook-timestamp").equals(Long.toString(issuedAt.getEpochSecond())),
        "another time was signed");
    require(Duration.between(issuedAt, Instant.now()).abs().compareTo(TOLERANCE) <= 0, "too old, or too new");
  }

  private static String only(Map<String, List<String>> headers, String name) {
    List<String> values =
        headers.entrySet().stream()
            .filter(header -> name.equalsIgnoreCase(header.getKey()))
            .flatMap(header -> header.getValue().stream())
            .toList();
    require(values.size() == 1, name + " must stand there once");
    return values.get(0);
  }

  private static void require(boolean holds, String otherwise) {
    if (!holds) throw new SecurityException(otherwise);
  }
}
