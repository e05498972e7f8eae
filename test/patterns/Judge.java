import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import software.amazon.event.ruler.Machine;

/** Reads a line `{"pattern":…,"event":…}` at a time, and says what event-ruler says: true, false or refused. */
public class Judge {
  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      JsonNode given = json.readTree(line);
      System.out.println(verdict(given.get("pattern").toString(), given.get("event").toString()));
    }
  }

  private static String verdict(String pattern, String event) throws Exception {
    Machine machine = new Machine();
    try {
      machine.addRule("rule", pattern);
    } catch (Exception refused) {
      return "refused";
    }
    return String.valueOf(!machine.rulesForJSONEvent(event).isEmpty());
  }
}
