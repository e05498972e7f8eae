package receiver;

import com.nimbusds.jose.util.JSONObjectUtils;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.Executors;

/** Takes webhooks with the JDK's own server and verifies them before it looks at them. */
public final class Receiver {
  /** Tidings sends at most 256 KB. */
  private static final int BODY_BYTES_MAX = 1 << 20;

  private final Verifier verifier;

  private Receiver(Verifier verifier) {
    this.verifier = verifier;
  }

  // --- the important part: the bytes first, then the signature, then the JSON
  private int receive(HttpExchange exchange) throws IOException {
    if (!exchange.getRequestMethod().equals("POST")) return 405;
    byte[] body = exchange.getRequestBody().readNBytes(BODY_BYTES_MAX + 1);
    if (body.length > BODY_BYTES_MAX) return 413;
    Map<String, Object> event;
    try {
      verifier.verify(body, exchange.getRequestHeaders());
      event = JSONObjectUtils.parse(new String(body, StandardCharsets.UTF_8));
    } catch (Exception whatever) { // whatever is wrong with it, it is not ours
      return 401;
    }
    handle(event);
    return 204;
  }

  // ---

  /** Your work. At least once means: an id seen before is done already. Queue what takes seconds. */
  private static void handle(Map<String, Object> event) {
    System.out.println("verified " + event.get("type") + " " + event.get("id"));
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      exchange.sendResponseHeaders(receive(exchange), -1);
    }
  }

  public static void main(String[] arguments) throws Exception {
    Map<String, String> env = System.getenv();
    Verifier verifier =
        "jwt".equals(env.get("SCHEME"))
            ? Verifier.jwt(env.get("JWKS_URL"), env.get("ISSUER"), env.get("AUDIENCE"))
            : Verifier.hmac(env.get("WEBHOOK_SECRET"));
    String host = env.getOrDefault("HOST", "127.0.0.1");
    int port = Integer.parseInt(env.getOrDefault("PORT", "8443"));
    HttpsServer server = HttpsServer.create(new InetSocketAddress(host, port), 0);
    server.setHttpsConfigurator(new HttpsConfigurator(Pem.context(env.get("TLS_CERT_FILE"), env.get("TLS_KEY_FILE"))));
    server.createContext("/webhooks", new Receiver(verifier)::answer);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.start();
  }
}
